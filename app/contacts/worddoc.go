package contacts

import (
	"encoding/xml"
	"errors"
	"html"
	"io"
	"net/url"
	"strings"

	"hongyan/app/model"
)

// maxDocument is how many octets of text a letter or list in a word processor may have.
const maxDocument = 64 << 20

const docxMain = "word/document.xml"

// openDocument reads the text of a word processor's document (ECMA-376, ISO 26300) as the page that it
// would be saved as: a paragraph is a line, and so is a row of a table.
func (s *Source) openDocument(a *archive, part string) error {
	if err := a.readable(); err != nil {
		return err
	}
	if s.opt.Sheet != "" {
		return s.noSheet()
	}
	d := &wordText{a: a, words: part == docxMain, links: map[string]string{}, empty: true}
	if rels := relationsOf(part); d.words && a.has(rels) {
		err := a.each(rels, func(e xml.StartElement) error {
			if to := mailLink(attr(e, "Target")); to != "" && len(d.links) < maxLinks {
				d.links[attr(e, "Id")] = to
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if err := d.read(part); err != nil {
		return err
	}
	text := d.text.String()
	if d.empty {
		return model.E(model.EFileEmpty, nil, "path", s.name)
	}
	s.r, s.size, s.charset, s.fixed = strings.NewReader(text), int64(len(text)), UTF8, true
	s.opt.Format = FormatHTML
	return s.layout()
}

// wordText writes a document as a page.
type wordText struct {
	a     *archive
	words bool              // of Word; else of OpenDocument
	links map[string]string // addresses that Word's links lead to, by id
	text  strings.Builder
	cells int  // of tables that are open around
	shown int  // elements that are open around whose text is shown
	empty bool // nothing was shown
}

func (d *wordText) read(part string) (err error) {
	p, err := d.a.open(part, maxSheet)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	d.text.WriteString("<html>")
	for {
		t, err := p.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch e := t.(type) {
		case xml.StartElement:
			switch e.Name.Local {
			case "Fallback", "annotation", "tracked-changes", "automatic-styles", "font-face-decls":
				err = p.skip() // said twice, or not said to the reader
			default:
				d.start(e)
			}
		case xml.CharData:
			if d.shown > 0 {
				d.add(string(e))
			}
		case xml.EndElement:
			d.end(e.Name.Local)
		}
		if err == nil && d.text.Len() > maxDocument {
			err = d.a.src.tooBigUnpacked(int64(d.text.Len()), maxDocument)
		}
		if err != nil {
			return err
		}
	}
}

// add takes text; its line ends mean nothing.
func (d *wordText) add(s string) {
	d.empty = d.empty && strings.TrimSpace(s) == ""
	d.text.WriteString(html.EscapeString(strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, s)))
}

// tags are the elements of a page that those of a document stand for.
var tags = map[string]string{"tbl": "table", "table": "table", "tr": "tr", "table-row": "tr", "tc": "td", "table-cell": "td", "p": "p", "h": "p"}

func (d *wordText) start(e xml.StartElement) {
	name := e.Name.Local
	switch name {
	case "t":
		if d.words {
			d.shown++
		}
	case "tab", "s":
		d.text.WriteString(" ")
	case "br", "line-break":
		d.text.WriteString("<br>")
	case "hyperlink":
		d.link(d.links[attr(e, "id")])
	case "a":
		d.link(mailLink(attr(e, "href")))
	default:
		tag := tags[name]
		if tag != "" {
			d.text.WriteString("<" + tag + ">")
		}
		if tag == "td" {
			d.cells++
		}
		if !d.words && (name == "p" || name == "h") {
			d.shown++
		}
	}
}

func (d *wordText) link(address string) {
	if address != "" {
		d.text.WriteString(`<a href="mailto:` + html.EscapeString(url.PathEscape(address)) + `">`)
	} else {
		d.text.WriteString("<a>")
	}
}

func (d *wordText) end(name string) {
	switch name {
	case "t":
		if d.words {
			d.shown = max(0, d.shown-1)
		}
	case "hyperlink", "a":
		d.text.WriteString("</a>")
	default:
		if !d.words && (name == "p" || name == "h") {
			d.shown = max(0, d.shown-1)
		}
		tag := tags[name]
		if tag != "" {
			d.text.WriteString("</" + tag + ">")
		}
		if tag == "td" {
			d.cells = max(0, d.cells-1)
		}
		if tag == "tr" || tag == "p" && d.cells == 0 {
			d.text.WriteString("\n")
		}
	}
}
