package compose

import (
	"bytes"
	"encoding/base64"
)

var crlf = []byte("\r\n")

// maxLine is the longest line of a body or a folded field that is written, RFC 5322 §2.1.1, without CRLF.
const maxLine = 76

// transfer is a content transfer encoding, RFC 2045 §6. Every one is 7-bit on the wire.
type transfer uint8

const (
	transfer7bit transfer = iota
	transferQP
	transferBase64
)

func (t transfer) String() string {
	return [...]string{"7bit", "quoted-printable", "base64"}[t]
}

// transferFor picks the encoding of a text: nothing for plain short ASCII lines, quoted-printable while it
// stays readable and shorter, else base64.
func transferFor(p []byte) transfer {
	other, col, plain := 0, 0, true
	many := (len(p) + 5) / 6 // of other octets make it base64, whatever comes behind them
	for i, c := range p {
		if col > 0 && c >= ' ' && c != 0x7f { // most of them
			if c > 0x7f {
				if other++; other == many {
					return transferBase64
				}
			}
			if col++; col > maxLine {
				plain = false
			}
			continue
		}
		switch {
		case c == '\r' && i+1 < len(p) && p[i+1] == '\n':
			continue
		case c == '\n':
			if i > 1 && (p[i-2] == ' ' || p[i-2] == '\t') {
				plain = false // white space at a line's end does not survive
			}
			col = 0
			continue
		case c >= 0x7f || c < 0x20 && c != '\t':
			other++
		case col == 0 && (c == '.' || c == '-' || c == 'F'):
			plain = false // might read as a dot line, a boundary or an mbox line
		}
		if col++; col > maxLine {
			plain = false
		}
	}
	switch {
	case other == 0 && plain:
		return transfer7bit
	case other*6 < len(p):
		return transferQP
	}
	return transferBase64
}

// appendEncoded appends p with CRLF line ends, encoded; the last line is ended.
func appendEncoded(dst, p []byte, t transfer) []byte {
	switch t {
	case transferQP:
		dst = appendQP(dst, p)
	case transferBase64:
		return appendBase64(dst, p)
	default:
		dst = append(dst, p...)
	}
	if !bytes.HasSuffix(p, crlf) && len(p) > 0 {
		dst = append(dst, crlf...)
	}
	return dst
}

// appendBase64 appends p in lines of 76 characters, RFC 2045 §6.8.
func appendBase64(dst, p []byte) []byte {
	const in = maxLine / 4 * 3
	for len(p) > 0 {
		n := min(in, len(p))
		dst = base64.StdEncoding.AppendEncode(dst, p[:n])
		dst = append(dst, crlf...)
		p = p[n:]
	}
	return dst
}

const hexDigits = "0123456789ABCDEF"

// appendQP appends p quoted-printable, RFC 2045 §6.7: CRLF stays a line end, a character of several octets is
// not torn apart, a dot and "From " at a line's start are escaped.
func appendQP(dst, p []byte) []byte {
	col := 0
	for i := 0; i < len(p); i++ {
		c := p[i]
		if c == '\r' && i+1 < len(p) && p[i+1] == '\n' {
			dst = append(dst, crlf...)
			col = 0
			i++
			continue
		}
		last := i+1 == len(p) || p[i+1] == '\r' && i+2 < len(p) && p[i+2] == '\n'
		escape := c >= 0x7f || c < 0x20 && c != '\t' || c == '=' || last && (c == ' ' || c == '\t')
		if col == 0 && (c == '.' || c == 'F' && bytes.HasPrefix(p[i:], []byte("From "))) {
			escape = true
		}
		need := 1
		if escape {
			need = 3
		}
		if c >= 0xc0 { // room for the whole character
			for j := i + 1; j < len(p) && p[j]&0xc0 == 0x80 && need < 12; j++ {
				need += 3
			}
		}
		room := maxLine - 1 // for the soft line break
		if last {
			room = maxLine
		}
		if col+need > room {
			dst = append(dst, "=\r\n"...)
			col = 0
			if c == '.' || c == 'F' {
				escape = true
			}
		}
		if escape {
			dst = append(dst, '=', hexDigits[c>>4], hexDigits[c&15])
			col += 3
		} else {
			dst = append(dst, c)
			col++
		}
	}
	return dst
}
