package app

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"hongyan/app/contacts"
	"hongyan/app/model"
)

// ExportList writes the people of a list (0: everybody) to a CSV file that a spreadsheet may open, and says how
// many they were. EInvalid for another kind of file.
func (a *App) ExportList(ctx context.Context, listID int64, path string) (n int, err error) {
	if ext := strings.ToLower(filepath.Ext(path)); ext != ".csv" {
		return 0, model.E(model.EInvalid, nil, "field", "export", "value", path)
	}
	err = writeFile(path, func(f *os.File) (err error) {
		n, err = contacts.WriteCSV(f, func(row func(*model.Contact) error) error {
			return a.store.EachContact(ctx, listID, row)
		})
		return err
	})
	return n, err
}
