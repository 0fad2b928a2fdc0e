package contacts

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"hongyan/app/model"
)

const textPiece = 16 << 10 // octets of a long line that are looked at together

// readText finds the addresses and QQ numbers of free text, line by line. A line of any length is read in
// pieces that end at separators, so that one line of a hundred thousand addresses is no trouble.
func readText(r *run) error {
	in, err := r.open()
	if err != nil {
		return err
	}
	p := &pieces{r: in, eol: r.src.eol, line: 1, buf: make([]byte, 0, 64<<10)}
	first := true
	for {
		s, no, err := p.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil && !errors.Is(err, errRowLength) {
			return r.src.unreadable(err)
		}
		if terr := r.tick(); terr != nil {
			return terr
		}
		if err != nil {
			err = r.refuse(no, s, ReasonRowLength, "")
		} else if strings.TrimSpace(s) != "" {
			err = r.text(no, s, first)
			first = false
		}
		if err != nil {
			return err
		}
	}
}

// text reads one line of free text. A heading is no row.
func (r *run) text(no int, s string, first bool) error {
	hits, misses := scanText(s)
	for k, h := range hits {
		if seenBefore(hits[:k], h.email) { // the text of a link, and the link
			continue
		}
		if err := r.row(model.Row{Line: no, Email: h.email, Address: h.address, Name: h.name, NoConsent: r.src.NoConsent()}); err != nil {
			return err
		}
	}
	for _, m := range misses {
		if err := r.refuse(no, m.text, m.reason, m.hint); err != nil {
			return err
		}
	}
	if len(hits)+len(misses) == 0 && !(first && heading(s)) && hasWord(s) {
		return r.refuse(no, s, ReasonNoAddress, "")
	}
	return nil
}

// heading tells a line that only names columns, or a title that ends with a colon.
func heading(s string) bool {
	s = strings.TrimSpace(fold(s))
	if strings.HasSuffix(s, ":") {
		return true
	}
	for _, w := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(",;|\t", r) }) {
		if headerRole(w) == "" && !isLabel(w) {
			return false
		}
	}
	return true
}

func hasWord(s string) bool {
	for _, r := range s {
		if r >= 128 || r >= '0' && r <= '9' || r|0x20 >= 'a' && r|0x20 <= 'z' {
			return true
		}
	}
	return false
}

// pieces cuts text in UTF-8 into lines, and long lines at separators.
type pieces struct {
	r    io.Reader
	eol  byte
	line int
	buf  []byte
	pos  int
	eof  bool
}

func (p *pieces) fill() error {
	if p.pos > 0 {
		p.buf = p.buf[:copy(p.buf, p.buf[p.pos:])]
		p.pos = 0
	}
	for tries := 0; len(p.buf) < cap(p.buf); tries++ {
		n, err := p.r.Read(p.buf[len(p.buf):cap(p.buf)])
		p.buf = p.buf[:len(p.buf)+n]
		if errors.Is(err, io.EOF) {
			p.eof = true
			return nil
		}
		if err != nil {
			return err
		}
		if n > 0 { // a reader may give a line at a time
			tries = 0
		} else if tries > 100 {
			return io.ErrNoProgress
		}
	}
	return nil
}

// next gives the next piece and its line. errRowLength comes with the start of a run of characters without a
// separator that is longer than any address; it was skipped.
func (p *pieces) next() (string, int, error) {
	if len(p.buf)-p.pos < textPiece && !p.eof {
		if err := p.fill(); err != nil {
			return "", p.line, err
		}
	}
	b := p.buf[p.pos:]
	if len(b) == 0 {
		return "", 0, io.EOF
	}
	no := p.line
	if i := bytes.IndexByte(b[:min(len(b), textPiece)], p.eol); i >= 0 {
		p.pos += i + 1
		p.line++
		return cleanLine(b[:i]), no, nil
	}
	if len(b) <= textPiece && p.eof {
		p.pos = len(p.buf)
		return cleanLine(b), no, nil
	}
	b = b[:min(len(b), textPiece)]
	if i := lastSeparator(b); i > 0 {
		p.pos += i
		return cleanLine(b[:i]), no, nil
	}
	head := cleanLine(b[:1024])
	return head, no, p.skip()
}

// skip drops everything up to a separator.
func (p *pieces) skip() error {
	for {
		b := p.buf[p.pos:]
		if i := bytes.IndexAny(b, " ,;|\t\r\n"); i >= 0 {
			p.pos += i
			return errRowLength
		}
		p.pos = len(p.buf)
		if p.eof {
			return errRowLength
		}
		if err := p.fill(); err != nil {
			return err
		}
	}
}

// lastSeparator gives the offset behind the last separator: better one between entries than a blank.
func lastSeparator(b []byte) int {
	if i := bytes.LastIndexAny(b, ",;|\t，；、｜"); i >= 0 {
		_, n := utf8.DecodeRune(b[i:])
		return i + n
	}
	if i := bytes.LastIndexAny(b, " 　。"); i >= 0 {
		_, n := utf8.DecodeRune(b[i:])
		return i + n
	}
	return 0
}

func cleanLine(b []byte) string {
	s := string(bytes.TrimRight(b, "\r"))
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "")
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
