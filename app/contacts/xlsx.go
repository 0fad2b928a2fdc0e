package contacts

import (
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
)

const (
	maxStrings    = 4 << 20   // shared strings of a workbook
	maxStringText = 160 << 20 // octets of them
	maxStringPart = 512 << 20 // octets of their part, unpacked
	maxSheets     = 256
	maxSheetName  = 200 // octets; spreadsheet programs allow 31 characters
)

// xlsx is a workbook of Excel, WPS and others (ECMA-376). It is read here and not by excelize, which keeps all parts
// in memory, shows dates in the order of month and day, cuts long numbers to 4.2E+09 unless every format is given
// up, and takes a damaged sheet for its end.
type xlsx struct {
	a       *archive
	sheets  []xlsxSheet
	dates   []bool // by style: shown as a date
	of1904  bool
	strings []string // shared by cells; filled when a sheet is opened first
	stringP string   // the part that they stand in, or ""
	loaded  bool
	open    *part // what is read at present
}

type xlsxSheet struct {
	name, part string
	links      map[cellAt]string // addresses that cells link to; nil before they were looked for
}

type cellAt struct{ row, col int }

// relation is a line of a part's relations.
type relation struct{ id, kind, target string }

// relations reads the relations of a part; a part may have none.
func (a *archive) relations(of string) ([]relation, error) {
	name := relationsOf(of)
	if !a.has(name) {
		return nil, nil
	}
	var out []relation
	err := a.each(name, func(e xml.StartElement) error {
		if e.Name.Local == "Relationship" && !strings.EqualFold(attr(e, "TargetMode"), "External") && len(out) < maxParts {
			kind := attr(e, "Type")
			out = append(out, relation{attr(e, "Id"), kind[strings.LastIndexByte(kind, '/')+1:], relative(of, attr(e, "Target"))})
		}
		return nil
	})
	return out, err
}

// relationsOf names the part with the relations of a part.
func relationsOf(part string) string {
	i := strings.LastIndexByte(part, '/') + 1
	return part[:i] + "_rels/" + part[i:] + ".rels"
}

// each gives every start tag of a small part.
func (a *archive) each(name string, f func(xml.StartElement) error) (err error) {
	p, err := a.open(name, maxSmallPart)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	for {
		t, err := p.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if e, ok := t.(xml.StartElement); ok {
			if err := f(e); err != nil {
				return err
			}
		}
	}
}

// mainPart gives the name of the workbook's part, or "".
func (a *archive) mainPart() (string, error) {
	if !a.has("[Content_Types].xml") {
		return "", nil
	}
	rels, err := a.relations("")
	for _, r := range rels {
		if r.kind == "officeDocument" {
			return r.target, err
		}
	}
	return "", err
}

func openXLSX(a *archive, main string) (*xlsx, error) {
	x := &xlsx{a: a}
	rels, err := a.relations(main)
	if err != nil {
		return nil, err
	}
	parts, styles := map[string]string{}, ""
	for _, r := range rels {
		switch r.kind {
		case "worksheet":
			parts[r.id] = r.target
		case "sharedStrings":
			x.stringP = r.target
		case "styles":
			styles = r.target
		}
	}
	var hidden []xlsxSheet
	err = a.each(main, func(e xml.StartElement) error {
		switch e.Name.Local {
		case "workbookPr":
			v := attr(e, "date1904")
			x.of1904 = v == "1" || v == "true"
		case "sheet":
			to := xlsxSheet{name: clip(attr(e, "name"), maxSheetName)}
			for _, at := range e.Attr {
				if at.Name.Local == "id" && at.Name.Space != "" {
					to.part = parts[at.Value]
				}
			}
			switch state := attr(e, "state"); {
			case to.part == "" || len(x.sheets)+len(hidden) >= maxSheets:
			case state == "hidden" || state == "veryHidden":
				hidden = append(hidden, to)
			default:
				x.sheets = append(x.sheets, to)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(x.sheets) == 0 { // what is hidden is not meant, unless there is nothing else
		x.sheets = hidden
	}
	if len(x.sheets) == 0 {
		return nil, a.src.broken("it has no sheet", nil)
	}
	if styles != "" && a.has(styles) {
		err = x.readStyles(styles)
	}
	return x, err
}

func (x *xlsx) walk(f func(int, string, rowSource) (bool, error)) error {
	for i := range x.sheets {
		rows, err := x.rows(i, func() error { return nil })
		if err != nil {
			return err
		}
		enough, err := f(i, x.sheets[i].name, rows)
		if err = errors.Join(err, rows.close()); err != nil || enough {
			return err
		}
	}
	return nil
}

func (x *xlsx) progress() float64 { return x.open.share() }

// readStyles finds the styles that show a number as a date.
func (x *xlsx) readStyles(name string) error {
	own := map[string]bool{} // formats of the workbook's own
	var ids []string
	inCells := false
	err := x.a.each(name, func(e xml.StartElement) error {
		switch e.Name.Local {
		case "numFmt":
			if len(own) < maxMarkup {
				own[attr(e, "numFmtId")] = dateFormat(attr(e, "formatCode"))
			}
		case "cellXfs":
			inCells = true
		case "cellStyles", "dxfs":
			inCells = false
		case "xf":
			if inCells && len(ids) < maxMarkup {
				ids = append(ids, attr(e, "numFmtId"))
			}
		}
		return nil
	})
	x.dates = make([]bool, len(ids))
	for i, id := range ids {
		is, known := own[id]
		n, err := strconv.Atoi(id)
		x.dates[i] = is || !known && err == nil && (n >= 14 && n <= 22 || n >= 27 && n <= 36 || n >= 45 && n <= 47 || n >= 50 && n <= 58)
	}
	return err
}

// loadStrings reads the shared strings: the text of each, without the reading aids of Japanese.
func (x *xlsx) loadStrings(tick func() error) (err error) {
	if x.loaded || x.stringP == "" || !x.a.has(x.stringP) {
		return nil
	}
	p, err := x.a.open(x.stringP, maxStringPart)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	x.open, x.strings = nil, x.strings[:0]
	var text cellText
	var chunk strings.Builder // strings share their memory: there may be millions
	total := 0
	inText, aid := false, 0
	for {
		t, err := p.next()
		if errors.Is(err, io.EOF) {
			return p.cutOff()
		}
		if err != nil {
			return err
		}
		switch e := t.(type) {
		case xml.StartElement:
			switch e.Name.Local {
			case "rPh":
				aid++
			case "t":
				inText = aid == 0
			}
		case xml.CharData:
			if inText {
				text.add(e)
			}
		case xml.EndElement:
			switch e.Name.Local {
			case "rPh":
				aid = max(0, aid-1)
			case "t":
				inText = false
			case "si":
				if err := tick(); err != nil {
					return err
				}
				s := unescapeCell(text.take())
				if total += len(s); total > maxStringText || len(x.strings) >= maxStrings {
					return x.a.src.tooBigUnpacked(int64(total)+int64(len(x.strings))*16, maxStringText)
				}
				if chunk.Cap()-chunk.Len() < len(s) {
					chunk = strings.Builder{}
					chunk.Grow(max(256<<10, len(s)))
				}
				chunk.WriteString(s)
				x.strings = append(x.strings, chunk.String()[chunk.Len()-len(s):])
			case "sst":
				x.strings, x.loaded = slices.Clip(x.strings), true
				return nil
			}
		}
	}
}

func (x *xlsx) rows(i int, tick func() error) (rowCloser, error) {
	if err := x.loadStrings(tick); err != nil {
		return nil, err
	}
	if err := x.loadLinks(&x.sheets[i], tick); err != nil {
		return nil, err
	}
	p, err := x.a.open(x.sheets[i].part, maxSheet)
	if err != nil {
		return nil, err
	}
	x.open = p
	return &xlsxRows{x: x, p: p, links: x.sheets[i].links, row: sheetRow{src: x.a.src}}, nil
}

// xlsxRows streams the rows of a sheet. A formula gives the value that was stored with it.
type xlsxRows struct {
	x       *xlsx
	p       *part
	links   map[cellAt]string
	row     sheetRow
	data    bool // inside sheetData
	over    bool
	text    cellText
	formula cellText
}

func (s *xlsxRows) close() error { return s.p.close() }

func (s *xlsxRows) next() ([]string, int, error) {
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
			switch {
			case e.Name.Local == "sheetData":
				s.data = true
			case e.Name.Local == "row" && s.data:
				return s.cells(e)
			}
		case xml.EndElement:
			if e.Name.Local == "sheetData" || e.Name.Local == "worksheet" {
				s.over = true
				return nil, 0, io.EOF
			}
		}
	}
}

// cells reads a row up to its end.
func (s *xlsxRows) cells(row xml.StartElement) ([]string, int, error) {
	no := s.row.no + 1
	if r := attr(row, "r"); r != "" {
		n, err := strconv.Atoi(r)
		if err != nil {
			return nil, 0, s.row.src.broken("a row has the number "+strconv.Quote(clip(r, 20)), err)
		}
		no = n
	}
	if err := s.row.begin(no); err != nil {
		return nil, 0, err
	}
	col, kind, date := -1, "", false
	inValue, inFormula, aid := false, false, 0
	s.text.take()
	s.formula.take()
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
			case "c":
				col, kind, date = col+1, "", false
				for _, a := range e.Attr {
					switch a.Name.Local {
					case "r":
						if n := columnOf(a.Value); n >= 0 {
							col = n
						}
					case "t":
						kind = a.Value
					case "s":
						n, err := strconv.Atoi(a.Value)
						date = err == nil && n >= 0 && n < len(s.x.dates) && s.x.dates[n]
					}
				}
			case "v", "t":
				inValue = aid == 0
			case "f":
				inFormula = true
			case "rPh":
				aid++
			}
		case xml.CharData:
			if inValue {
				s.text.add(e)
			} else if inFormula {
				s.formula.add(e)
			}
		case xml.EndElement:
			switch e.Name.Local {
			case "v", "t":
				inValue = false
			case "f":
				inFormula = false
			case "rPh":
				aid = max(0, aid-1)
			case "c":
				v, err := s.value(kind, date)
				if f := s.formula.take(); f != "" {
					v = linkedBy(f, v)
				}
				if len(s.links) > 0 {
					v = linked(v, s.links[cellAt{no, col}])
				}
				if err == nil {
					err = s.row.put(col, v)
				}
				if err != nil {
					return nil, 0, err
				}
			case "row":
				return s.row.end()
			}
		}
	}
}

// value gives the text of a cell by its kind (ECMA-376 part 1, §18.18.11).
func (s *xlsxRows) value(kind string, date bool) (string, error) {
	v := s.text.take()
	switch kind {
	case "s":
		i, err := strconv.Atoi(strings.TrimSpace(v))
		if v != "" && (err != nil || i < 0 || i >= len(s.x.strings)) {
			return "", s.row.src.broken("row "+strconv.Itoa(s.row.no)+" points to a text that is not there", err)
		}
		if v == "" {
			return "", nil
		}
		return s.x.strings[i], nil
	case "inlineStr", "str":
		return unescapeCell(v), nil
	case "d":
		return isoText(v), nil
	case "b":
		switch v {
		case "1":
			return "TRUE", nil
		case "0":
			return "FALSE", nil
		}
		return v, nil
	case "e":
		return v, nil
	}
	if v == "" {
		return "", nil
	}
	if date {
		if t, ok := serialText(v, s.x.of1904); ok {
			return t, nil
		}
	}
	return numberText(v), nil
}
