package contacts

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"

	"hongyan/app/model"
)

const (
	odsContent  = "content.xml"
	odsManifest = "META-INF/manifest.xml"
	odsMime     = "application/vnd.oasis.opendocument.spreadsheet"
	odtMime     = "application/vnd.oasis.opendocument.text"
)

// ods is a workbook of LibreOffice and others (OASIS OpenDocument, ISO 26300). All its sheets stand in one part, so
// that a later one is reached through those before it.
type ods struct {
	a    *archive
	open *part
	all  bool // hidden sheets count, because there is nothing else
}

// maxLook is how many octets are gone through to find a sheet with addresses.
const maxLook = 256 << 20

// openDocumentKind tells spreadsheets and texts from the other documents of their family.
func (a *archive) openDocumentKind() (isODS, isODT bool, err error) {
	if !a.has("mimetype") || !a.has(odsContent) {
		return false, false, nil
	}
	b, err := a.small("mimetype")
	kind := string(bytes.TrimSpace(b))
	return strings.HasPrefix(kind, odsMime), strings.HasPrefix(kind, odtMime), err
}

// readable is EFileEncrypted for a document of OpenDocument that a password protects.
func (a *archive) readable() error {
	if !a.has(odsManifest) {
		return nil
	}
	return a.each(odsManifest, func(e xml.StartElement) error {
		if e.Name.Local == "encryption-data" {
			return model.E(model.EFileEncrypted, nil, "path", a.src.name)
		}
		return nil
	})
}

func openODS(a *archive) (*ods, error) {
	if err := a.readable(); err != nil {
		return nil, err
	}
	return &ods{a: a}, nil
}

func (o *ods) walk(f func(int, string, rowSource) (bool, error)) (err error) {
	s, err := o.start()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	for i := 0; i < maxSheets && s.p.read < maxLook; i++ {
		err := s.sheet()
		if errors.Is(err, io.EOF) {
			if i == 0 && s.passed && !o.all {
				o.all = true
				return o.walk(f)
			}
			return nil
		}
		if err != nil {
			return err
		}
		if enough, err := f(i, s.name, s); err != nil || enough {
			return err
		}
	}
	return nil
}

func (o *ods) progress() float64 { return o.open.share() }

func (o *ods) start() (*odsRows, error) {
	p, err := o.a.open(odsContent, maxSheet)
	if err != nil {
		return nil, err
	}
	o.open = p
	return &odsRows{p: p, all: o.all, tick: func() error { return nil }, row: sheetRow{src: o.a.src}}, nil
}

func (o *ods) rows(i int, tick func() error) (rowCloser, error) {
	s, err := o.start()
	if err != nil {
		return nil, err
	}
	s.tick = tick
	for ; i >= 0; i-- {
		if err := s.sheet(); err != nil {
			if errors.Is(err, io.EOF) {
				err = s.p.cutOff()
			}
			return nil, errors.Join(err, s.close())
		}
	}
	return s, nil
}

// odsRows streams the rows of a sheet. A row or cell that is said to repeat is repeated as far as a sheet goes, and
// where it is blank only its place counts.
type odsRows struct {
	p      *part
	all    bool            // hidden sheets too
	styles map[string]bool // those that hide a sheet
	name   string          // of the sheet
	passed bool            // a hidden sheet was passed over
	tick   func() error    // called on the way to a sheet
	row    sheetRow
	at     int // rows that the sheet had so far
	times  int // the current row is to be given again
	tail   int // blank cells that no cell has followed yet
	over   bool
	text   cellText
}

func (s *odsRows) close() error { return s.p.close() }

// sheet goes to the next sheet; io.EOF after the last.
func (s *odsRows) sheet() error {
	s.row = sheetRow{src: s.row.src, cells: s.row.cells}
	s.at, s.times, s.over = 0, 0, false
	style := ""
	for {
		t, err := s.p.next()
		if err == nil {
			err = s.tick()
		}
		if err != nil {
			return err
		}
		e, ok := t.(xml.StartElement)
		if !ok {
			continue
		}
		switch e.Name.Local {
		case "tracked-changes", "font-face-decls", "shapes", "forms", "dde-links":
			if err := s.p.skip(); err != nil {
				return err
			}
		case "style":
			style = attr(e, "name")
		case "table-properties":
			if attr(e, "display") == "false" && style != "" && len(s.styles) < maxSheets {
				if s.styles == nil {
					s.styles = map[string]bool{}
				}
				s.styles[style] = true
			}
		case "table":
			s.name = clip(attr(e, "name"), maxSheetName)
			if s.all || !s.styles[attr(e, "style-name")] {
				return nil
			}
			s.passed = true
			if err := s.p.skip(); err != nil {
				return err
			}
		}
	}
}

func (s *odsRows) next() ([]string, int, error) {
	if s.times > 0 {
		return s.again()
	}
	if s.over {
		return nil, 0, io.EOF
	}
	for {
		t, err := s.p.next()
		if errors.Is(err, io.EOF) {
			return nil, 0, s.p.cutOff()
		}
		if err == nil {
			err = s.row.mark()
		}
		if err != nil {
			return nil, 0, err
		}
		switch e := t.(type) {
		case xml.StartElement:
			switch e.Name.Local {
			case "table-row":
				return s.cells(e)
			case "table", "shapes", "forms": // what lies over the cells
				if err := s.p.skip(); err != nil {
					return nil, 0, err
				}
			}
		case xml.EndElement:
			if e.Name.Local == "table" {
				s.over = true
				return nil, 0, io.EOF
			}
		}
	}
}

// repeats reads how often a row or cell stands there.
func repeats(e xml.StartElement, name string) int {
	n, err := strconv.Atoi(attr(e, name))
	if err != nil || n < 1 {
		return 1
	}
	return min(n, maxSheetRows)
}

// cells reads a row up to its end.
func (s *odsRows) cells(row xml.StartElement) ([]string, int, error) {
	if err := s.row.begin(s.at + 1); err != nil {
		return nil, 0, err
	}
	s.tail = 0
	for {
		t, err := s.p.next()
		if errors.Is(err, io.EOF) {
			return nil, 0, s.p.cutOff()
		}
		if err == nil {
			err = s.row.mark()
		}
		if err != nil {
			return nil, 0, err
		}
		switch e := t.(type) {
		case xml.StartElement:
			if n := e.Name.Local; n != "table-cell" && n != "covered-table-cell" {
				continue
			}
			if err := s.cell(e); err != nil {
				return nil, 0, err
			}
		case xml.EndElement:
			if e.Name.Local != "table-row" {
				continue
			}
			n := repeats(row, "number-rows-repeated")
			if len(s.row.cells) == 0 || s.at+n > maxSheetRows {
				// Blank rows, and a format that fills the sheet to its end.
				s.at = min(s.at+n, maxSheetRows)
				return s.row.end()
			}
			s.at, s.times = s.at+1, n-1
			return s.row.end()
		}
	}
}

// again gives the same row once more.
func (s *odsRows) again() ([]string, int, error) {
	size := s.row.size
	cells := s.row.cells
	s.times--
	s.at++
	if err := s.row.begin(s.at); err != nil {
		return nil, 0, err
	}
	s.row.cells, s.row.size = cells, size
	if s.row.text += int64(size); s.row.text > maxSheetText {
		return nil, 0, s.row.src.tooBigUnpacked(s.row.text, maxSheetText)
	}
	return s.row.end()
}

// cell reads a cell up to its end.
func (s *odsRows) cell(e xml.StartElement) error {
	n := repeats(e, "number-columns-repeated")
	v, href, err := s.shown(attr(e, "value-type"))
	if err != nil {
		return err
	}
	if v == "" {
		v = clip(attr(e, "string-value"), maxCell)
	}
	if f := attr(e, "formula"); f != "" {
		v = linkedBy(f, v)
	}
	v = linked(v, href)
	switch attr(e, "value-type") {
	case "float", "percentage", "currency":
		if num := attr(e, "value"); num != "" {
			v = numberText(num)
		}
	case "date":
		if day := attr(e, "date-value"); day != "" {
			v = isoText(day)
		}
	}
	if v == "" || len(s.row.cells)+s.tail >= maxColumns {
		s.tail = min(s.tail+n, maxColumns)
		return nil
	}
	for range min(n, maxColumns) {
		if err := s.row.put(len(s.row.cells)+s.tail, v); err != nil {
			return err
		}
		s.tail = 0
	}
	return nil
}

// shown reads what a cell shows, its paragraphs, a line each, without the notes pinned to it, and the address that it
// links to.
func (s *odsRows) shown(kind string) (text, href string, err error) {
	s.text.take()
	paragraphs, inText := 0, 0
	for depth := 1; depth > 0; {
		t, err := s.p.next()
		if errors.Is(err, io.EOF) {
			return "", "", s.p.cutOff()
		}
		if err == nil {
			err = s.row.mark()
		}
		if err != nil {
			return "", "", err
		}
		switch e := t.(type) {
		case xml.StartElement:
			depth++
			switch e.Name.Local {
			case "annotation", "table", "frame", "custom-shape", "ruby-text":
				if err := s.p.skip(); err != nil {
					return "", "", err
				}
				depth--
			case "p", "h":
				if paragraphs++; paragraphs > 1 {
					s.text.add([]byte("\n"))
				}
				inText++
			case "a":
				if href == "" {
					href = mailLink(attr(e, "href"))
				}
			case "s":
				s.text.add(bytes.Repeat([]byte(" "), min(repeats(e, "c"), 100)))
			case "tab":
				s.text.add([]byte("\t"))
			case "line-break":
				s.text.add([]byte("\n"))
			}
		case xml.CharData:
			if inText > 0 {
				s.text.add(e)
			}
		case xml.EndElement:
			depth--
			if e.Name.Local == "p" || e.Name.Local == "h" {
				inText--
			}
		}
	}
	if kind == "error" {
		s.text.take()
	}
	return s.text.take(), href, nil
}
