package smtpx

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// RFC 5321 §4.5.3.1.5 says 512 octets a line; servers say more, but not without end.
const (
	maxReplyLine  = 2048
	maxReplyLines = 128
	maxReplyBytes = 64 << 10
)

// Reply is what a server said, RFC 5321 §4.2. It is not to be changed: letters that were told the same may share one.
type Reply struct {
	Code     int
	Enhanced string   // RFC 3463, "" when there is none or its class does not fit Code
	Lines    []string // text of each line, code and enhanced code taken off, decoded, control characters escaped
	Raw      []byte   // as received
}

// String is the reply in one line.
func (r *Reply) String() string {
	s := strconv.Itoa(r.Code)
	if r.Enhanced != "" {
		s += " " + r.Enhanced
	}
	return s + " " + strings.Join(r.Lines, " / ")
}

// ParseReply parses one whole reply, as it came over the wire.
func ParseReply(raw []byte) (*Reply, error) {
	rr := replyReader{src: bytes.NewReader(raw)}
	code, got, err := rr.next()
	if err != nil {
		return nil, err
	}
	return newReply(code, got), nil
}

// newReply makes a Reply of octets that replyReader has accepted.
func newReply(code int, raw []byte) *Reply {
	r := &Reply{Code: code, Raw: append([]byte(nil), raw...)}
	for i, line := range bytes.Split(bytes.TrimSuffix(raw, []byte("\n")), []byte("\n")) {
		line = bytes.TrimSuffix(line, []byte("\r"))
		text := line[3:]
		if len(text) > 0 {
			text = text[1:]
		}
		enh, rest := cutEnhanced(text)
		if enh != "" && int(enh[0]-'0') == code/100 {
			if i == 0 {
				r.Enhanced = enh
			}
			if enh == r.Enhanced {
				text = rest
			}
		}
		r.Lines = append(r.Lines, display(text))
	}
	return r
}

// cutEnhanced splits an RFC 3463 code from the text behind it.
func cutEnhanced(b []byte) (string, []byte) {
	word, rest, _ := bytes.Cut(b, []byte(" "))
	if len(word) < 5 || len(word) > 9 || word[1] != '.' || word[0] != '2' && word[0] != '4' && word[0] != '5' {
		return "", b
	}
	subject, detail, ok := bytes.Cut(word[2:], []byte("."))
	if !ok || !isNumber(subject) || !isNumber(detail) {
		return "", b
	}
	return string(word), rest
}

func isNumber(b []byte) bool {
	if len(b) < 1 || len(b) > 3 {
		return false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// display decodes what is UTF-8 or else GB18030, and escapes what could move a cursor or turn a line round.
func display(b []byte) string {
	s := string(b)
	if !utf8.ValidString(s) {
		if d, err := simplifiedchinese.GB18030.NewDecoder().Bytes(b); err == nil && !bytes.ContainsRune(d, utf8.RuneError) {
			s = string(d)
		}
	}
	clean := true
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] > '~' {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	var sb strings.Builder
	for i := 0; i < len(s); {
		c, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case c == utf8.RuneError && n == 1:
			fmt.Fprintf(&sb, `\x%02x`, s[i])
		case c < 0x80 && unicode.IsControl(c):
			fmt.Fprintf(&sb, `\x%02x`, c)
		case unicode.IsControl(c) || unicode.In(c, unicode.Cf, unicode.Zl, unicode.Zp):
			fmt.Fprintf(&sb, `\u%04x`, c)
		default:
			sb.WriteString(s[i : i+n])
		}
		i += n
	}
	return sb.String()
}

// replyReader takes replies off a stream. It tolerates a bare LF and sets limits to everything.
type replyReader struct {
	src  io.Reader
	buf  []byte
	r, w int
	raw  []byte // a reply of several lines
}

// buffered is how many octets were received and not yet used.
func (rr *replyReader) buffered() int { return rr.w - rr.r }

// next reads one reply. The octets are valid until the following call. An error that is not the stream's
// wraps ErrProtocol.
func (rr *replyReader) next() (int, []byte, error) {
	rr.raw = rr.raw[:0]
	code := 0
	for n := 1; ; n++ {
		line, err := rr.line()
		if err != nil {
			return 0, nil, err
		}
		c, more, err := parseReplyLine(line)
		if err != nil {
			return 0, nil, err
		}
		if code != 0 && c != code {
			return 0, nil, fmt.Errorf("%w: codes %d and %d in one reply", ErrProtocol, code, c)
		}
		code = c
		if n == 1 && !more {
			return code, line, nil
		}
		rr.raw = append(rr.raw, line...)
		if !more {
			return code, rr.raw, nil
		}
		if n >= maxReplyLines || len(rr.raw) > maxReplyBytes {
			return 0, nil, fmt.Errorf("%w: endless reply", ErrProtocol)
		}
	}
}

// line returns one line with its end. Octets that cannot begin a reply are an error as soon as they are seen:
// some servers answer with a few binary octets and no line end at all.
func (rr *replyReader) line() ([]byte, error) {
	if rr.buf == nil {
		rr.buf = make([]byte, 2*maxReplyLine)
	}
	for seen := 0; ; {
		part := rr.buf[rr.r:rr.w]
		for i := 0; i < len(part) && i < 3; i++ {
			if part[i] < '0' || part[i] > '9' {
				return nil, fmt.Errorf("%w: %s", ErrProtocol, display(part[:min(len(part), 64)]))
			}
		}
		if i := bytes.IndexByte(part[seen:], '\n'); i >= 0 && seen+i < maxReplyLine {
			rr.r += seen + i + 1
			return part[:seen+i+1], nil
		}
		seen = len(part)
		if seen >= maxReplyLine {
			return nil, fmt.Errorf("%w: line of more than %d octets", ErrProtocol, maxReplyLine)
		}
		if rr.r > 0 {
			copy(rr.buf, part)
			rr.r, rr.w = 0, seen
		}
		n, err := rr.src.Read(rr.buf[rr.w:])
		rr.w += n
		if n == 0 && err != nil {
			if err == io.EOF && seen > 0 {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
}

func parseReplyLine(line []byte) (code int, more bool, err error) {
	line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
	if len(line) < 3 || line[0] < '2' || line[0] > '5' || len(line) > 3 && line[3] != ' ' && line[3] != '-' {
		return 0, false, fmt.Errorf("%w: %s", ErrProtocol, display(line[:min(len(line), 64)]))
	}
	code = int(line[0]-'0')*100 + int(line[1]-'0')*10 + int(line[2]-'0')
	return code, len(line) > 3 && line[3] == '-', nil
}
