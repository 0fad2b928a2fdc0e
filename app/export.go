package app

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"

	"hongyan/app/contacts"
	"hongyan/app/model"
)

// exporters write people by the extension of the file.
var exporters = map[string]func(io.Writer, func(func(*model.Contact) error) error) (int, error){
	".csv": contacts.WriteCSV, ".xlsx": contacts.WriteXLSX, ".vcf": contacts.WriteVCard,
}

// ExportPeople writes those whom a query chooses, in its order, to a CSV file or workbook that a spreadsheet may open, or
// to an address book (.vcf), and says how many they were. EInvalid for another kind of file.
func (a *App) ExportPeople(ctx context.Context, q model.ContactQuery, path string) (n int, err error) {
	write := exporters[strings.ToLower(filepath.Ext(path))]
	if write == nil {
		return 0, invalid("export", path)
	}
	err = writeFile(path, func(f *os.File) (err error) {
		n, err = write(f, func(row func(*model.Contact) error) error { return a.EachPerson(ctx, q, row) })
		return err
	})
	return n, err
}
