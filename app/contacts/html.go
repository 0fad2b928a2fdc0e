package contacts

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

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
	row   []string // all cells of the row, blank ones too
	inTD  bool
	span  int    // columns that the open cell takes
	tab   *table // of the table that is open, once a row has named its columns
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
		s := string(p.z.Text())
		if strings.HasSuffix(s, "protected]") && fold(s) == "[email protected]" { // stands in the place of an address
			return nil
		}
		return p.add(s)
	case html.StartTagToken, html.SelfClosingTagToken:
		name, attrs := p.z.TagName()
		switch tag := atom.Lookup(name); tag {
		case atom.Script, atom.Style, atom.Noscript, atom.Template, atom.Iframe, atom.Noembed:
			if kind == html.StartTagToken {
				return p.skip(tag)
			}
		case atom.A:
			return p.link(attrs)
		case atom.Td, atom.Th:
			err := p.boundary(tag, true)
			p.span = p.columns(attrs)
			return err
		case atom.Span:
			return p.protected(attrs)
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
func (p *page) link(attrs bool) error {
	p.unlink()
	shown := ""
	for attrs {
		var key, value []byte
		key, value, attrs = p.z.TagAttr()
		switch string(key) {
		case "data-cfemail":
			shown = unprotect(string(value))
		case "href":
			v := mailLink(string(value))
			if _, code, ok := strings.Cut(string(value), "/cdn-cgi/l/email-protection#"); ok {
				v = unprotect(code)
			}
			if v != "" {
				p.href, p.label = v, p.text.Len()
			}
		}
	}
	if shown != "" {
		return p.add(" <" + shown + "> ")
	}
	return nil
}

// protected adds an address that Cloudflare's script would show in the place of "[email protected]".
func (p *page) protected(attrs bool) error {
	for attrs {
		var key, value []byte
		key, value, attrs = p.z.TagAttr()
		if string(key) != "data-cfemail" {
			continue
		}
		if v := unprotect(string(value)); v != "" {
			return p.add(" <" + v + "> ")
		}
	}
	return nil
}

// unprotect reads an address as Cloudflare writes it: hexadecimal octets, the first is what the others were mixed with.
func unprotect(code string) string {
	b, err := hex.DecodeString(clip(strings.TrimSpace(code), 2*maxAddress+2))
	if err != nil || len(b) < 2 {
		return ""
	}
	for i := range b[1:] {
		b[i+1] ^= b[0]
	}
	if s := string(b[1:]); strings.Contains(s, "@") && utf8.ValidString(s) && !strings.ContainsAny(s, "<>\r\n\t\x00") {
		return s
	}
	return ""
}

// columns gives how many columns a cell takes.
func (p *page) columns(attrs bool) int {
	n := 1
	for attrs {
		var key, value []byte
		key, value, attrs = p.z.TagAttr()
		if string(key) == "colspan" {
			if v, err := strconv.Atoi(strings.TrimSpace(string(value))); err == nil {
				n = min(max(v, 1), maxColumns)
			}
		}
	}
	return n
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
		if tag == atom.Table {
			p.tab = nil
		}
		return err
	case atom.Td, atom.Th:
		if !p.inRow {
			return p.flush()
		}
		p.cell()
		p.inTD = opens
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
	s := strings.TrimSpace(p.text.String())
	if s != "" && len(p.cells) < maxColumns {
		p.cells = append(p.cells, s)
	}
	if p.inTD {
		for n := 0; n < p.span && len(p.row) < maxColumns; n++ {
			p.row, s = append(p.row, s), ""
		}
	}
	p.inTD = false
	p.text.Reset()
}

// flush hands on what was gathered.
func (p *page) flush() error {
	p.cell()
	cells, row := p.cells, p.row
	p.cells, p.row = p.cells[:0], p.row[:0]
	if done, err := p.tableRow(row); done || err != nil {
		return err
	}
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

// tableRow reads a row of a table whose columns were named. done is false for any other row.
func (p *page) tableRow(cells []string) (done bool, err error) {
	if len(cells) < 2 || blank(cells) {
		return false, nil
	}
	if p.tab == nil {
		if findHeader([]line{{1, cells}}) != 0 {
			return false, nil
		}
		t, ok := tableOf(slices.Clone(cells), 0, nil)
		if ok && len(t.emails)+len(t.names) > 0 {
			p.tab = t
		}
		return p.tab != nil, nil
	}
	said, found := false, false
	for i, c := range cells {
		said = said || (slices.Contains(p.tab.emails, i) || slices.Contains(p.tab.qqs, i)) && !nothing(c)
		found = found || strings.Contains(c, "@")
	}
	if !said && found { // the address stands where nobody would look for it
		return false, nil
	}
	return true, p.tab.row(p.run, p.start, cells)
}

func (p *page) emit(hits []hit, misses []miss, name string, fields map[string]string) error {
	for k, h := range hits {
		if seenBefore(hits[:k], h.email) {
			continue
		}
		row := model.Row{Line: p.start, Email: h.email, Address: h.address, Name: name, Fields: fields, NoConsent: p.run.src.NoConsent()}
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
