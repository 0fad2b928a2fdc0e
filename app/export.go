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

// ExportList writes the people of a list (0: everybody) to a CSV file or workbook that a spreadsheet may open, or to
// an address book (.vcf), and says how many they were. EInvalid for another kind of file.
func (a *App) ExportList(ctx context.Context, listID int64, path string) (n int, err error) {
	return export(path, func(row func(*model.Contact) error) error { return a.store.EachContact(ctx, listID, row) })
}

// ExportPeople is ExportList for those whom a query chooses, in its order.
func (a *App) ExportPeople(ctx context.Context, q model.ContactQuery, path string) (n int, err error) {
	return export(path, func(row func(*model.Contact) error) error { return a.each(ctx, q, row) })
}

func export(path string, each func(row func(*model.Contact) error) error) (n int, err error) {
	write := exporters[strings.ToLower(filepath.Ext(path))]
	if write == nil {
		return 0, invalid("export", path)
	}
	err = writeFile(path, func(f *os.File) (err error) {
		n, err = write(f, each)
		return err
	})
	return n, err
}
