package smtpx

import (
	"bytes"
	"io"
)

const maxBodyLine = 998 // RFC 5322 §2.1.1, without CRLF

var (
	crlf = []byte("\r\n")
	dot  = []byte(".")
)

// bodyWriter makes what a letter writes safe for the wire: a bare CR and a bare LF become CRLF, so that no server
// sees an end of data that we did not write; dots are stuffed for DATA; NUL and lines beyond 998 octets are refused.
type bodyWriter struct {
	w     io.Writer
	stuff bool // dot-stuffing, RFC 5321 §4.5.2
	size  int64
	col   int
	cr    bool // the last octet was a CR whose line end is not written yet
	err   error
}

// Write implements io.Writer. The first error stays.
func (b *bodyWriter) Write(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	for rest := p; len(rest) > 0; {
		if b.cr {
			b.cr = false
			if b.newline(); rest[0] == '\n' {
				rest = rest[1:]
				continue
			}
		}
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			i = len(rest)
		}
		if j := bytes.IndexByte(rest[:i], '\r'); j >= 0 {
			b.text(rest[:j])
			b.cr = true
			rest = rest[j+1:]
		} else {
			b.text(rest[:i])
			if i < len(rest) {
				b.newline()
				i++
			}
			rest = rest[i:]
		}
		if b.err != nil {
			return 0, b.err
		}
	}
	return len(p), b.err
}

// end finishes the last line.
func (b *bodyWriter) end() error {
	if b.err == nil && (b.cr || b.col > 0) {
		b.cr = false
		b.newline()
	}
	return b.err
}

func (b *bodyWriter) text(p []byte) {
	if b.err != nil || len(p) == 0 {
		return
	}
	if bytes.IndexByte(p, 0) >= 0 {
		b.err = ErrNUL
		return
	}
	if b.col+len(p) > maxBodyLine {
		b.err = ErrLongLine
		return
	}
	if b.stuff && b.col == 0 && p[0] == '.' {
		b.put(dot)
	}
	b.col += len(p)
	b.size += int64(len(p))
	b.put(p)
}

func (b *bodyWriter) newline() {
	b.col = 0
	b.size += 2
	b.put(crlf)
}

func (b *bodyWriter) put(p []byte) {
	if b.err == nil {
		_, b.err = b.w.Write(p)
	}
}
