package contacts

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"hongyan/app/model"
)

const (
	maxToken = 16 << 20 // octets of one tag or text: pictures stand inside pages as data
	maxBlock = 16 << 10 // octets of text that are looked at together
)

// isHTML tells a saved page by its first tags.
func isHTML(text string) bool {
	s := strings.ToLower(strings.TrimSpace(strings.TrimPrefix(clip(text, 2048), bom)))
	for _, p := range []string{"<!doctype html", "<html", "<head", "<body", "<table", "<meta ", "<div", "<p>", "<ul", "<title"} {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return strings.HasPrefix(s, "<?xml") && strings.Contains(s, "<html") || strings.HasPrefix(s, "<!--") && strings.Contains(s, "<html")
}

// page gathers the text of a saved page: a row of a table, or a block of anything else.
type page struct {
	run   *run
	z     *html.Tokenizer
	line  int // physical line on which the current token begins, from 1
	ahead int // line ends inside the current token
	start int // line on which the row or block began
	text  strings.Builder
	cells []string
	inRow bool
	href  string // of the link that is open, when it is a mail address
	label int    // where the text of that link begins
}

// readHTML finds addresses in what a page shows and in its mailto links, never in scripts, styles and comments.
// A row of a table is one person: its first plausible cell is the name, and its QQ number is a field, or the
// address where it has no other.
func readHTML(r *run) error {
	in, err := r.open()
	if err != nil {
		return err
	}
	return r.readPage(in)
}

// readPage reads one page in UTF-8.
func (r *run) readPage(in io.Reader) error {
	p := &page{run: r, z: html.NewTokenizer(filler{in}), line: 1}
	p.z.SetMaxBuf(maxToken)
	for kind := p.next(); kind != html.ErrorToken; kind = p.next() {
		if err := r.tick(); err != nil {
			return err
		}
		if err := p.token(kind); err != nil {
			return err
		}
	}
	if err := p.flush(); err != nil {
		return err
	}
	switch err := p.z.Err(); {
	case errors.Is(err, io.EOF):
		return nil
	case errors.Is(err, html.ErrBufferExceeded):
		return r.refuse(p.line, "<", ReasonRowLength, "")
	default:
		return r.src.unreadable(err)
	}
}

// filler gives as much as there is room for. The tokenizer copies all that it holds of a tag or text at each read, so
// that small pieces would cost the square of its length.
type filler struct{ io.Reader }

func (f filler) Read(p []byte) (int, error) {
	n, err := io.ReadFull(f.Reader, p)
	if errors.Is(err, io.ErrUnexpectedEOF) && !errors.As(err, new(*model.Error)) { // that of ReadFull
		err = io.EOF
	}
	return n, err
}

func (p *page) next() html.TokenType {
	p.line += p.ahead
	kind := p.z.Next()
	p.ahead = bytes.Count(p.z.Raw(), []byte{p.run.src.eol})
	return kind
}

func (p *page) token(kind html.TokenType) error {
	switch kind {
	case html.TextToken:
		return p.add(string(p.z.Text()))
	case html.StartTagToken, html.SelfClosingTagToken:
		name, attrs := p.z.TagName()
		switch tag := atom.Lookup(name); tag {
		case atom.Script, atom.Style, atom.Noscript, atom.Template, atom.Iframe, atom.Noembed:
			if kind == html.StartTagToken {
				return p.skip(tag)
			}
		case atom.A:
			p.link(attrs)
		default:
			return p.boundary(tag, true)
		}
	case html.EndTagToken:
		name, _ := p.z.TagName()
		if tag := atom.Lookup(name); tag != atom.A {
			return p.boundary(tag, false)
		}
		p.unlink()
	}
	return nil
}

// skip passes over an element whose text is not shown.
func (p *page) skip(tag atom.Atom) error {
	for kind := p.next(); kind != html.ErrorToken; kind = p.next() {
		if err := p.run.tick(); err != nil {
			return err
		}
		if name, _ := p.z.TagName(); kind == html.EndTagToken && atom.Lookup(name) == tag {
			break
		}
	}
	return nil
}

// add takes shown text. What is too long for one block is looked at in pieces.
func (p *page) add(s string) error {
	for len(s) > 0 {
		if p.text.Len() == 0 && len(p.cells) == 0 {
			if s = strings.TrimLeft(s, " \t\r\n"); s == "" {
				return nil
			}
			p.start = p.line
		}
		piece := clip(s, max(0, maxBlock-p.text.Len()))
		if len(piece) < len(s) {
			if i := lastSeparator([]byte(piece)); i > 0 {
				piece = piece[:i]
			}
		}
		p.text.WriteString(strings.Map(func(r rune) rune {
			if r == '\n' || r == '\r' || r == '\t' || r == 0 {
				return ' '
			}
			return r
		}, piece))
		if s = s[len(piece):]; s != "" {
			if err := p.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// link notes the address of a mailto link.
func (p *page) link(attrs bool) {
	p.unlink()
	for attrs {
		var key, value []byte
		key, value, attrs = p.z.TagAttr()
		if string(key) != "href" {
			continue
		}
		if v := mailLink(string(value)); v != "" {
			p.href, p.label = v, p.text.Len()
		}
	}
}

// unlink puts the address behind the text of its link, where the text is not that address.
func (p *page) unlink() {
	if p.href == "" {
		return
	}
	if p.text.Len() == 0 && len(p.cells) == 0 {
		p.start = p.line
	}
	if s := p.text.String(); !containsFold(s[min(p.label, len(s)):], p.href) {
		p.text.WriteString(" <" + p.href + "> ")
	}
	p.href = ""
}

// boundary ends cells, rows and blocks.
func (p *page) boundary(tag atom.Atom, opens bool) error {
	switch tag {
	case atom.Tr, atom.Table:
		err := p.flush()
		p.inRow = tag == atom.Tr && opens
		return err
	case atom.Td, atom.Th:
		if !p.inRow {
			return p.flush()
		}
		p.cell()
	case atom.Br, atom.P, atom.Div, atom.Li, atom.Ul, atom.Ol, atom.Dt, atom.Dd, atom.Dl, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6,
		atom.Hr, atom.Pre, atom.Blockquote, atom.Section, atom.Article, atom.Header, atom.Footer, atom.Address, atom.Option, atom.Title,
		atom.Body, atom.Form, atom.Textarea, atom.Caption, atom.Nav, atom.Main, atom.Figure, atom.Label:
		if !p.inRow {
			return p.flush()
		}
		if p.unlink(); p.text.Len() > 0 {
			p.text.WriteString("\n") // lines of one cell
		}
	}
	return nil
}

func (p *page) cell() {
	p.unlink()
	if s := strings.TrimSpace(p.text.String()); s != "" && len(p.cells) < maxColumns {
		p.cells = append(p.cells, s)
	}
	p.text.Reset()
}

// flush hands on what was gathered.
func (p *page) flush() error {
	p.cell()
	cells := p.cells
	p.cells = p.cells[:0]
	var mails, numbers []hit
	var misses []miss
	name := ""
	for _, c := range cells {
		c = prepare(c)
		hits, bad := scanPrepared(c)
		for _, h := range hits {
			if strings.IndexByte(c[h.start:h.end], '@') >= 0 {
				mails = append(mails, h)
			} else {
				numbers = append(numbers, h)
			}
		}
		misses = append(misses, bad...)
		if p.inRow && name == "" && len(hits)+len(bad) == 0 && plausibleName(c) {
			name = cleanName(c)
		}
	}
	if !p.inRow || len(mails) == 0 {
		return p.emit(append(mails, numbers...), misses, name, nil)
	}
	// Other numbers beside an address are its owner's phone and the like.
	var fields map[string]string
	if len(numbers) > 0 {
		qq, _, _ := strings.Cut(numbers[0].email, "@")
		fields = map[string]string{"QQ": qq}
	}
	kept := misses[:0]
	for _, m := range misses {
		if strings.IndexByte(m.text, '@') >= 0 {
			kept = append(kept, m)
		}
	}
	return p.emit(mails, kept, name, fields)
}

func (p *page) emit(hits []hit, misses []miss, name string, fields map[string]string) error {
	for k, h := range hits {
		if seenBefore(hits[:k], h.email) {
			continue
		}
		row := model.Row{Line: p.start, Email: h.email, Address: h.address, Name: name, Fields: fields, NoConsent: true}
		if row.Name == "" {
			row.Name = h.name
		}
		if err := p.run.row(row); err != nil {
			return err
		}
	}
	for _, m := range misses {
		if err := p.run.refuse(p.start, m.text, m.reason, m.hint); err != nil {
			return err
		}
	}
	return nil
}
