package contacts

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf8"
)

const (
	maxCell    = 64 << 10 // octets of a quoted cell beyond its first line
	maxRecord  = 1 << 20  // octets of a row or line
	maxColumns = 512
)

// records cuts a text in UTF-8 into rows of cells. It forgives what spreadsheets and people do: ragged rows, a
// quote in the middle of a cell, a quote that is never closed (its line is then read as it stands), NULs.
type records struct {
	r     io.Reader
	sep   byte // 0: a line is one cell
	eol   byte
	buf   []byte // [pos:end) is not consumed
	pos   int
	end   int
	eof   bool
	line  int // physical line of the next octet, from 1
	cells []string
}

var errRowLength = errors.New("row too long")

func newRecords(r io.Reader, sep, eol byte) *records {
	return &records{r: r, sep: sep, eol: eol, buf: make([]byte, 256<<10), line: 1}
}

// fill reads more, at most up to a buffer of maxRecord; false when there is no more or no room.
func (t *records) fill() (bool, error) {
	if t.eof {
		return false, nil
	}
	if t.pos > 0 {
		copy(t.buf, t.buf[t.pos:t.end])
		t.end -= t.pos
		t.pos = 0
	}
	if t.end == len(t.buf) {
		if len(t.buf) >= maxRecord {
			return false, nil
		}
		t.buf = append(t.buf, make([]byte, len(t.buf))...)
	}
	for tries := 0; tries < 100; tries++ {
		n, err := t.r.Read(t.buf[t.end:])
		t.end += n
		if err == io.EOF {
			t.eof = true
			return n > 0, nil
		}
		if err != nil {
			return false, err
		}
		if n > 0 {
			return true, nil
		}
	}
	return false, io.ErrNoProgress
}

// lineEnd gives the offset from pos of the next line end at or after from, or -1 where the line does not fit.
func (t *records) lineEnd(from int) (int, error) {
	for {
		if from < t.end-t.pos {
			if i := bytes.IndexByte(t.buf[t.pos+from:t.end], t.eol); i >= 0 {
				return from + i, nil
			}
			from = t.end - t.pos
		}
		more, err := t.fill()
		if err != nil {
			return -1, err
		}
		if !more {
			if t.eof {
				return t.end - t.pos, nil
			}
			return -1, nil
		}
	}
}

// next gives the cells of the next row and its first physical line. The slice is valid until the next call;
// the strings stay. io.EOF ends it; errRowLength comes with the start of a row that was skipped.
func (t *records) next() (cells []string, line int, err error) {
	n, err := t.lineEnd(0)
	if err != nil {
		return nil, 0, err
	}
	line = t.line
	if n < 0 {
		head := strings.ToValidUTF8(string(t.buf[t.pos:t.pos+1024]), "\uFFFD")
		if err := t.skipLine(); err != nil {
			return nil, line, err
		}
		t.cells = append(t.cells[:0], head)
		return t.cells, line, errRowLength
	}
	if n == 0 && t.eof && t.pos == t.end {
		return nil, 0, io.EOF
	}
	lines := 1
	if t.sep != 0 && bytes.IndexByte(t.buf[t.pos:t.pos+n], '"') >= 0 {
		if n, lines, err = t.quoted(n); err != nil {
			return nil, line, err
		}
	}
	raw := t.buf[t.pos : t.pos+n]
	t.pos = min(t.pos+n+1, t.end)
	t.line += lines
	if bytes.IndexByte(raw, 0) >= 0 {
		raw = bytes.ReplaceAll(raw, []byte{0}, nil)
	}
	if k := len(raw); k > 0 && raw[k-1] == '\r' {
		raw = raw[:k-1]
	}
	s := string(raw)
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	t.split(s)
	return t.cells, line, nil
}

func (t *records) skipLine() error {
	for {
		t.pos = t.end
		more, err := t.fill()
		if err != nil {
			return err
		}
		if !more {
			return nil
		}
		if i := bytes.IndexByte(t.buf[t.pos:t.end], t.eol); i >= 0 {
			t.pos += i + 1
			t.line++
			return nil
		}
	}
}

// quoted extends a row over the line ends inside its quotes. Where a quote is not closed before the end of a
// cell within maxCell, the row ends with its first line.
func (t *records) quoted(first int) (n, lines int, err error) {
	n, lines = first, 1
	from := 0
	for {
		open := openQuote(t.buf[t.pos+from:t.pos+n], t.sep, from == 0)
		if open < 0 {
			return n, lines, nil
		}
		// Inside a quote that this line does not close: look for its end further on.
		start := n
		for {
			if n-start > maxCell || t.eof && n+1 >= t.end-t.pos {
				return first, 1, nil
			}
			m, err := t.lineEnd(n + 1)
			if err != nil {
				return 0, 0, err
			}
			if m < 0 || m <= n {
				return first, 1, nil
			}
			text := t.buf[t.pos+n+1 : t.pos+m]
			closed := closeQuote(text)
			if closed >= 0 && !cellEnds(text[closed+1:], t.sep) {
				return first, 1, nil // this quote opens another cell: the first was a stray
			}
			from = n + 1 + closed + 1
			n, lines = m, lines+1
			if closed >= 0 {
				break
			}
		}
	}
}

// cellEnds says whether b is at the end of a cell.
func cellEnds(b []byte, sep byte) bool {
	b = bytes.TrimLeft(b, " ")
	return len(b) == 0 || b[0] == sep || b[0] == '\r'
}

// closeQuote finds the first quote that is not doubled, or -1.
func closeQuote[T string | []byte](b T) int {
	for i := 0; i < len(b); i++ {
		if b[i] != '"' {
			continue
		}
		if i+1 < len(b) && b[i+1] == '"' {
			i++
			continue
		}
		return i
	}
	return -1
}

// openQuote gives where a quote opens a cell that b does not close, or -1. cell says that b begins a cell.
func openQuote(b []byte, sep byte, cell bool) int {
	for i := 0; i < len(b); {
		if cell {
			j := i
			for j < len(b) && b[j] == ' ' {
				j++
			}
			if j < len(b) && b[j] == '"' {
				e := closeQuote(b[j+1:])
				if e < 0 {
					return j
				}
				i = j + 1 + e + 1
			}
		}
		k := bytes.IndexByte(b[i:], sep)
		if k < 0 {
			return -1
		}
		i += k + 1
		cell = true
	}
	return -1
}

// split cuts a row into t.cells.
func (t *records) split(s string) {
	t.cells = t.cells[:0]
	if t.sep == 0 {
		t.cells = append(t.cells, s)
		return
	}
	for len(t.cells) < maxColumns {
		j := 0
		for j < len(s) && s[j] == ' ' {
			j++
		}
		if j < len(s) && s[j] == '"' {
			if e := closeQuote(s[j+1:]); e >= 0 {
				cell, rest := s[j+1:j+1+e], s[j+1+e+1:]
				if strings.IndexByte(cell, '"') >= 0 {
					cell = strings.ReplaceAll(cell, `""`, `"`)
				}
				k := strings.IndexByte(rest, t.sep)
				if k < 0 {
					t.cells = append(t.cells, cell+behindQuote(rest))
					return
				}
				t.cells = append(t.cells, cell+behindQuote(rest[:k]))
				s = rest[k+1:]
				continue
			}
		}
		k := strings.IndexByte(s, t.sep)
		if k < 0 {
			t.cells = append(t.cells, s)
			return
		}
		t.cells = append(t.cells, s[:k])
		s = s[k+1:]
	}
}

// behindQuote is what stands between a closing quote and the end of the cell; blanks alone are nothing.
func behindQuote(s string) string { return strings.TrimRight(s, " \t") }
