package contacts

import (
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"hongyan/app/model"
)

// rowSource gives the rows of a table, one after the other: io.EOF ends it, errRowLength and errRowDamaged come
// with the start of a row that was skipped. The slice is valid until the next call; the strings stay.
type rowSource interface {
	next() (cells []string, no int, err error)
}

var errRowDamaged = errors.New("row damaged")

// rowCloser is a rowSource that holds something open.
type rowCloser interface {
	rowSource
	close() error
}

// workbook is a file of sheets.
type workbook interface {
	// walk offers the sheets that a person sees, in the order of the file, until f has enough. i is what rows
	// wants. What f does not read of a sheet is passed over.
	walk(f func(i int, name string, rows rowSource) (enough bool, err error)) error
	// rows opens sheet i. tick (never nil) is called on the way there, and its error ends it.
	rows(i int, tick func() error) (rowCloser, error)
	// progress tells how much is read of what was opened last, 0 to 1.
	progress() float64
}

// sniffSheets finds the sheet to read: the one that is asked for, else the first that has addresses, else the first
// with QQ numbers, else the first with anything. Which columns hold them is found as in any table.
func (s *Source) sniffSheets() error {
	var found *table
	rank, at, called := 0, 0, ""
	err := s.book.walk(func(i int, name string, rows rowSource) (bool, error) {
		if s.opt.Sheet != "" && !sameSheet(s.opt.Sheet, name) {
			return false, nil
		}
		t, r, err := s.rankSheet(rows)
		if err != nil {
			return false, err
		}
		if r > rank || s.opt.Sheet != "" {
			rank, found, at, called = r, t, i, name
		}
		return rank == rankMail || s.opt.Sheet != "", nil
	})
	switch {
	case err != nil:
	case found == nil && s.opt.Sheet != "":
		err = s.noSheet()
	case found == nil:
		err = model.E(model.EFileEmpty, nil, "path", s.name)
	default:
		s.table, s.sheet, s.sheetName = found, at, called
	}
	return err
}

// What a sheet is worth.
const (
	rankFilled = iota + 1 // it has something
	rankQQ                // it has QQ numbers
	rankMail              // it has addresses
)

func (s *Source) rankSheet(rows rowSource) (*table, int, error) {
	sample, err := sampleOf(rows)
	if err != nil {
		return nil, 0, s.unreadable(err)
	}
	t, ok := newTable(sample)
	switch {
	case ok && len(t.emails) > 0:
		return t, rankMail, nil
	case ok:
		return t, rankQQ, nil
	case len(t.columns) > 0:
		return t, rankFilled, nil
	}
	return t, 0, nil
}

// sameSheet compares names of sheets as spreadsheet programs do.
func sameSheet(a, b string) bool {
	return strings.EqualFold(strings.TrimSpace(a), strings.TrimSpace(b))
}

func (s *Source) noSheet() error {
	return model.E(model.ENotFound, nil, "kind", "sheet", "name", s.opt.Sheet)
}

// Sheet is the name of the sheet that rows are read from, or of the list of a data folder; "" where the format has none,
// and for everybody in the folder.
func (s *Source) Sheet() string { return s.sheetName }

// Sheets names the sheets that hold mail addresses or QQ numbers, at most 256, in the order of the file; nil where the
// format has none; of a data folder the names of its lists. Hidden sheets are left out. The first call looks at the beginning of every sheet, which takes a while
// in a large file.
func (s *Source) Sheets() []string {
	if s.folder != nil {
		return s.folder.names()
	}
	if s.book == nil || s.sheets != nil {
		return slices.Clone(s.sheets)
	}
	s.sheets = []string{}
	// A sheet that is damaged ends the search: what was found before it can still be read.
	_ = s.book.walk(func(_ int, name string, rows rowSource) (bool, error) {
		_, rank, err := s.rankSheet(rows)
		if rank >= rankQQ {
			s.sheets = append(s.sheets, name)
		}
		return false, err
	})
	return slices.Clone(s.sheets)
}

// SetSheet reads another sheet from now on ("": the first that has addresses, of a data folder everybody); its columns are found anew. ENotFound
// where there is none of that name; then nothing changes.
func (s *Source) SetSheet(name string) error {
	old := s.opt
	s.opt.Sheet, s.opt.Mapping = name, nil
	if s.folder != nil {
		err := s.chooseList()
		if err != nil {
			s.opt = old
		}
		return err
	}
	if s.book == nil {
		if name == "" {
			return nil
		}
		err := s.noSheet()
		s.opt = old
		return err
	}
	if err := s.layout(); err != nil {
		s.opt = old
		return err
	}
	return nil
}

// readSheet reads the rows of the sheet that was found.
func readSheet(r *run) error {
	done := func() { r.done = int64(r.src.book.progress() * float64(r.src.size)) }
	rows, err := r.src.book.rows(r.src.sheet, func() error { done(); return r.tick() })
	if err != nil {
		return err
	}
	err = readRows(r, rows, done)
	return errors.Join(err, rows.close())
}

// readRows hands every row to the table. done (may be nil) is called now and then, to set r.done.
func readRows(r *run, rows rowSource, done func()) error {
	t := *r.src.table // a header further down may change what its columns are
	for {
		cells, no, err := rows.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if done != nil && r.ticks&255 == 0 {
			done()
		}
		if terr := r.tick(); terr != nil {
			return terr
		}
		switch {
		case errors.Is(err, errRowLength):
			err = r.refuse(no, cells[0], ReasonRowLength, "")
		case errors.Is(err, errRowDamaged):
			err = r.refuse(no, cells[0], ReasonDamaged, "")
		case err != nil:
			err = r.src.unreadable(err)
		default:
			err = t.row(r, no, cells)
		}
		if err != nil {
			return err
		}
	}
}

// sheetRow gathers the cells of one row and holds the bounds of a sheet.
type sheetRow struct {
	src   *Source
	no    int
	cells []string
	size  int   // octets in the row
	text  int64 // octets in the sheet so far
	marks int   // tags and texts since the row began
}

// begin starts the row no; EFileFormat where rows go backwards or there are more than a sheet can have.
func (r *sheetRow) begin(no int) error {
	if no <= r.no || no > maxSheetRows {
		return r.src.broken("row "+strconv.Itoa(no)+" stands behind row "+strconv.Itoa(r.no), nil)
	}
	r.no, r.cells, r.size, r.marks = no, r.cells[:0], 0, 0
	return nil
}

// put sets the cell in column col, from 0. Columns past maxColumns are left out, as in a CSV.
func (r *sheetRow) put(col int, s string) error {
	if s == "" || col < len(r.cells) || col >= maxColumns {
		return nil
	}
	r.size += len(s)
	if r.text += int64(len(s)); r.text > maxSheetText {
		return r.src.tooBigUnpacked(r.text, maxSheetText)
	}
	for len(r.cells) < col {
		r.cells = append(r.cells, "")
	}
	r.cells = append(r.cells, s)
	return nil
}

// end gives the row, or errRowLength.
func (r *sheetRow) end() ([]string, int, error) {
	if r.size <= maxRecord {
		return r.cells, r.no, nil
	}
	for _, c := range r.cells {
		if strings.TrimSpace(c) != "" {
			r.cells[0] = clip(c, 1024)
			break
		}
	}
	return r.cells[:1], r.no, errRowLength
}

// mark counts tags and texts, so that a row cannot hold endless markup.
func (r *sheetRow) mark() error {
	if r.marks++; r.marks > maxMarkup {
		return r.src.broken("row "+strconv.Itoa(r.no)+" does not end", nil)
	}
	return nil
}
