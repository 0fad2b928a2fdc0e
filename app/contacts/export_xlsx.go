package contacts

import (
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"

	"hongyan/app/model"
)

// WriteXLSX writes people as a workbook, with the columns of WriteCSV. Every cell is a text: none can be a formula, and
// no number loses its zeros or digits. More people than a sheet has rows go on, under the same header, on the next
// sheet. each walks the people and is called twice. It gives the number of people written.
func WriteXLSX(w io.Writer, each func(func(*model.Contact) error) error) (int, error) {
	return writeXLSX(w, each, maxSheetRows)
}

func writeXLSX(w io.Writer, each func(func(*model.Contact) error) error, rowsOfSheet int) (n int, err error) {
	x := &sheetWriter{file: excelize.NewFile(), rows: rowsOfSheet}
	defer func() { err = errors.Join(err, x.file.Close()) }()
	n, err = eachRow(each, x.begin, x.row)
	if err == nil {
		err = x.out.Flush()
	}
	if err != nil {
		return n, err
	}
	x.file.SetActiveSheet(0)
	return n, x.file.Write(w)
}

// sheetWriter streams rows into the sheets of a workbook.
type sheetWriter struct {
	file   *excelize.File
	out    *excelize.StreamWriter
	header []any
	bold   int
	rows   int // of a sheet, at most
	no     int // of the last row
	sheets int
	cells  []any
}

func (x *sheetWriter) begin(header []string) (err error) {
	if x.bold, err = x.file.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}}); err != nil {
		return err
	}
	for _, h := range header {
		x.header = append(x.header, excelize.Cell{StyleID: x.bold, Value: cellValue(h)})
	}
	return x.sheet()
}

// sheet begins the next sheet, with the header on top that stays in sight.
func (x *sheetWriter) sheet() (err error) {
	if x.out != nil {
		if err = x.out.Flush(); err != nil {
			return err
		}
	}
	x.sheets++
	name := "Sheet" + strconv.Itoa(x.sheets)
	if x.sheets > 1 {
		if _, err = x.file.NewSheet(name); err != nil {
			return err
		}
	}
	if x.out, err = x.file.NewStreamWriter(name); err != nil {
		return err
	}
	err = errors.Join(x.out.SetColWidth(1, min(len(x.header), maxColumns), 20),
		x.out.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}),
		x.out.SetRow("A1", x.header))
	x.no = 1
	return err
}

func (x *sheetWriter) row(cells []string) error {
	if x.no >= x.rows {
		if err := x.sheet(); err != nil {
			return err
		}
	}
	x.no++
	x.cells = x.cells[:0]
	for _, c := range cells {
		if c == "" {
			x.cells = append(x.cells, nil)
			continue
		}
		x.cells = append(x.cells, cellValue(c))
	}
	return x.out.SetRow("A"+strconv.Itoa(x.no), x.cells)
}

// cellValue drops what XML cannot hold.
func cellValue(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 32 && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, lineEnds(s))
}
