package contacts

import (
	"encoding/csv"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"hongyan/app/model"
)

// bom tells Excel that a CSV is UTF-8; without it Chinese is read in the system's old charset.
const bom = "\uFEFF"

// Headers of the columns that every export has. The fields stand between name and source.
const (
	headEmail   = "email"
	headName    = "name"
	headSource  = "source"
	headConsent = "consent"
)

// SafeCell makes a text safe to stand in a CSV that is opened in a spreadsheet: what would be taken for a
// formula gets an apostrophe in front, which this package takes off again when it reads the file. A plain
// negative number stays as it is. A NUL is dropped.
func SafeCell(s string) string {
	s = strings.ReplaceAll(s, "\x00", "")
	if formulaStart(s) && !plainNegative(s) {
		return "'" + s
	}
	return s
}

// formulaStart tells whether a spreadsheet may take s for a formula: it begins with one of = + - @ (their
// full-width forms too, in Chinese and Japanese versions), perhaps behind blanks that an import trims, or
// with a tab or line end that shifts what follows into a cell of its own.
func formulaStart(s string) bool {
	if s == "" {
		return false
	}
	if s[0] == '\t' || s[0] == '\r' || s[0] == '\n' {
		return true
	}
	r, _ := utf8.DecodeRuneInString(strings.TrimLeft(s, " \u00A0\u3000\uFEFF"))
	return strings.ContainsRune("=+-@＝＋－＠", r)
}

// plainNegative tells a number such as -5 or -0.25 from a formula such as -1+cmd|'/c calc'!A0.
func plainNegative(s string) bool {
	if len(s) < 2 || len(s) > 20 || s[0] != '-' {
		return false
	}
	whole, part, dotted := strings.Cut(s[1:], ".")
	return isDigits(whole) && (!dotted || isDigits(part))
}

// WriteRejects writes refused rows as CSV for a spreadsheet: line, text, reason (a word of Reasons), and the
// likely correction where there is one.
func WriteRejects(w io.Writer, rejects []model.Reject) error {
	out, err := newTableWriter(w, "line", "text", "reason", "hint")
	if err != nil {
		return err
	}
	for _, r := range rejects {
		if err := out.row(strconv.Itoa(r.Line), r.Text, r.Reason, r.Hint); err != nil {
			return err
		}
	}
	return out.flush()
}

// WriteCSV writes people as CSV for a spreadsheet and for Open: address, name, every field that one of them
// has (in alphabetical order), source, consent. each walks the people; it is called twice, because the
// header has to name all fields before the first row. It gives the number of people written.
func WriteCSV(w io.Writer, each func(func(*model.Contact) error) error) (int, error) {
	var out *tableWriter
	n, err := eachRow(each, func(header []string) (err error) {
		out, err = newTableWriter(w, header...)
		return err
	}, func(row []string) error { return out.row(row...) })
	if err != nil {
		return n, err
	}
	return n, out.flush()
}

// eachRow walks people twice and gives them as rows under one header. The slices are valid during the call.
func eachRow(each func(func(*model.Contact) error) error, header, row func([]string) error) (int, error) {
	names := map[string]struct{}{}
	err := each(func(c *model.Contact) error {
		for k := range c.Fields {
			names[k] = struct{}{}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	fields := slices.Sorted(maps.Keys(names))
	cells := append(append([]string{headEmail, headName}, fields...), headSource, headConsent)
	if err := header(cells); err != nil {
		return 0, err
	}
	n := 0
	err = each(func(c *model.Contact) error {
		cells = append(cells[:0], c.Address, c.Name)
		for _, k := range fields {
			cells = append(cells, c.Fields[k])
		}
		n++
		return row(append(cells, c.Source, c.Consent))
	})
	return n, err
}

// tableWriter writes CSV that spreadsheets read rightly: a mark, and every cell safe. Rows end with a bare line
// feed, because the writer with CRLF would change the line ends inside cells too.
type tableWriter struct{ csv *csv.Writer }

func newTableWriter(w io.Writer, header ...string) (*tableWriter, error) {
	if _, err := io.WriteString(w, bom); err != nil {
		return nil, err
	}
	t := &tableWriter{csv.NewWriter(w)}
	return t, t.row(header...)
}

func (t *tableWriter) row(cells ...string) error {
	for i, c := range cells {
		cells[i] = SafeCell(c)
	}
	return t.csv.Write(cells)
}

func (t *tableWriter) flush() error {
	t.csv.Flush()
	return t.csv.Error()
}
