package contacts

import (
	"bufio"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/quotedprintable"
	"strings"

	"hongyan/app/model"
)

const (
	maxBoundaries = 64
	maxPartHeader = 64 << 10 // octets of a part's header that are kept
)

// readMHT reads a page that a browser saved into one file (RFC 2557): the parts of it that are pages, each as a saved
// page is read. The lines of its rows are those of the page inside, which is encoded as a whole.
func readMHT(r *run) error {
	raw := &counter{io.NewSectionReader(r.src.r, 0, r.src.size), r}
	p := &mhtParts{run: r, lines: newRecords(raw, 0, r.src.eol), known: map[string]bool{}}
	pages := 0
	for {
		h, err := p.header()
		if err == nil {
			err = r.tick()
		}
		if err != nil {
			return err
		}
		kind, params, _ := mime.ParseMediaType(h["Content-Type"])
		switch b := params["boundary"]; {
		case strings.HasPrefix(kind, "multipart/") && b != "" && len(p.known) < maxBoundaries:
			p.known["--"+b] = true
		case kind == "text/html" || kind == "application/xhtml+xml":
			in, err := p.page(h["Content-Transfer-Encoding"], params["charset"])
			if err == nil {
				err = r.readPage(in)
			}
			if err != nil {
				return err
			}
			pages++
		}
		if more, err := p.skip(); err != nil || !more {
			if err == nil && pages == 0 {
				err = r.src.broken("it holds no page", nil)
			}
			return err
		}
	}
}

// mhtParts cuts a message into its parts. Parts inside parts need no stack: a line that is a known boundary begins
// the next part.
type mhtParts struct {
	run    *run
	lines  *records
	known  map[string]bool
	body   []byte // of a line that was read and not given out
	ended  bool   // the body at hand is over
	closed bool   // and with it the file
}

// line gives the next line. io.EOF and a boundary end the body.
func (p *mhtParts) line() (string, error) {
	cells, _, err := p.lines.next()
	if err != nil && !errors.Is(err, errRowLength) {
		if !errors.Is(err, io.EOF) {
			err = p.run.src.unreadable(err)
		}
		return "", err
	}
	return cells[0], nil
}

// boundary says whether a line begins a part or ends the last one.
func (p *mhtParts) boundary(s string) bool {
	s = strings.TrimRight(s, " \t")
	return strings.HasPrefix(s, "--") && (p.known[s] || p.known[strings.TrimSuffix(s, "--")])
}

// header reads the header of a part.
func (p *mhtParts) header() (map[string]string, error) {
	var b strings.Builder
	for {
		s, err := p.line()
		ended := errors.Is(err, io.EOF)
		switch {
		case err != nil && !ended:
			return nil, err
		case p.boundary(s):
			b.Reset() // a part without anything
		case s != "" && b.Len() < maxPartHeader:
			b.WriteString(clip(s, maxPartHeader) + "\n")
		}
		if ended || s == "" && b.Len() > 0 {
			p.body, p.ended = nil, false
			return headersOf(b.String(), '\n'), nil
		}
	}
}

// Read gives the body of a part as it stands.
func (p *mhtParts) Read(b []byte) (int, error) {
	if len(p.body) == 0 {
		if p.ended {
			return 0, io.EOF
		}
		s, err := p.line()
		if errors.Is(err, io.EOF) {
			p.ended, p.closed = true, true
			if len(p.known) > 0 {
				return 0, p.run.src.broken(io.ErrUnexpectedEOF.Error(), io.ErrUnexpectedEOF)
			}
			return 0, io.EOF
		}
		if err != nil {
			return 0, err
		}
		if p.boundary(s) {
			p.ended = true
			return 0, io.EOF
		}
		p.body = append(append(p.body[:0], s...), '\n')
	}
	n := copy(b, p.body)
	p.body = p.body[n:]
	return n, nil
}

// page gives the body of a part as UTF-8.
func (p *mhtParts) page(encoding, charset string) (io.Reader, error) {
	var in io.Reader = p
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "quoted-printable":
		in = quotedprintable.NewReader(p)
	case "base64":
		in = base64.NewDecoder(base64.StdEncoding, p)
	}
	in = &codedReader{in, p.run.src}
	if p.run.src.opt.Charset != "" {
		charset = p.run.src.charset
	}
	if _, _, err := charsetByName(charset); charset == "" || err != nil {
		b := bufio.NewReaderSize(in, 64<<10)
		head, err := b.Peek(64 << 10)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		in, charset = b, DetectCharset(head)
	}
	return decode(in, charset)
}

// skip passes over what is left of a part's body; false where it was the last.
func (p *mhtParts) skip() (bool, error) {
	buf := make([]byte, 4<<10)
	for {
		_, err := p.Read(buf)
		if errors.Is(err, io.EOF) {
			return !p.closed && p.more(), nil
		}
		if err == nil {
			err = p.run.tick()
		}
		if err != nil && p.closed {
			return false, nil // no boundary closes the file: all pages are read
		}
		if err != nil {
			return false, err
		}
	}
}

// more says whether anything follows.
func (p *mhtParts) more() bool {
	if p.lines.pos < p.lines.end {
		return true
	}
	more, err := p.lines.fill()
	return more || err != nil
}

// codedReader gives errors of an encoding a code.
type codedReader struct {
	io.Reader
	src *Source
}

func (c *codedReader) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) && !errors.As(err, new(*model.Error)) {
		err = c.src.broken(err.Error(), err)
	}
	return n, err
}
