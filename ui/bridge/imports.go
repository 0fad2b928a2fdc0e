package bridge

import (
	"context"
	"runtime/debug"

	"hongyan/app/contacts"
	"hongyan/app/diagnose"
	"hongyan/app/model"
	"hongyan/ui"
)

// sampleRows is how many rows the import dialogue shows.
const sampleRows = 20

// roles are the window's words for columns that are not a field of their own.
var roles = map[string]contacts.Role{
	"email": contacts.RoleEmail, "name": contacts.RoleName, "qq": contacts.RoleQQ, "skip": contacts.RoleIgnore,
}

func roleOf(word string) contacts.Role {
	if r, ok := roles[word]; ok {
		return r
	}
	return contacts.RoleField
}

func wordOf(c contacts.Column) string {
	for word, r := range roles {
		if c.Role == r {
			return word
		}
	}
	return c.Header
}

// source opens what the user gave. The caller closes it.
func (b *Bridge) source(in ui.ImportInput) (*contacts.Source, error) {
	opt := contacts.Options{Format: in.Format, Charset: in.Charset, Sheet: in.Sheet}
	for i, word := range in.Columns {
		if opt.Mapping == nil {
			opt.Mapping = map[int]contacts.Role{}
		}
		opt.Mapping[i] = roleOf(word)
	}
	if in.Path != "" {
		return b.OpenSource(in.Path, opt)
	}
	return contacts.FromText(in.Text, opt)
}

// PreviewImport implements ui.RecipientService.
func (b *Bridge) PreviewImport(_ context.Context, in ui.ImportInput) (ui.ImportPreview, error) {
	src, err := b.source(in)
	if err != nil {
		return ui.ImportPreview{}, err
	}
	defer func() { _ = src.Close() }()
	rows, _, err := src.Preview(sampleRows)
	if err != nil {
		return ui.ImportPreview{}, err
	}
	p := ui.ImportPreview{Format: src.Format(), Charset: src.Charset(), Formats: contacts.Formats(), Charsets: contacts.Charsets(),
		Sample: rows, NoConsent: src.NoConsent(), Sheet: src.Sheet(), Sheets: src.Sheets()}
	if p.Format == contacts.FormatFolder { // it is nothing else
		p.Formats, p.Charsets = []string{p.Format}, []string{p.Charset}
	}
	for _, c := range src.Columns() {
		p.Header = append(p.Header, c.Header)
		p.Guess = append(p.Guess, wordOf(c))
	}
	return p, nil
}

// Import implements ui.RecipientService.
func (b *Bridge) Import(ctx context.Context, in ui.ImportInput, spec model.ImportSpec, progress func(done, total int64)) (model.ImportReport, error) {
	src, err := b.source(in)
	if err != nil {
		return model.ImportReport{}, err
	}
	defer func() { _ = src.Close() }()
	defer giveBack()
	return b.App.Import(ctx, src, spec, false, progress)
}

// giveBack gives the system back what an import took: the window may stay open for days.
func giveBack() { go debug.FreeOSMemory() }

// TestAccount implements ui.AccountService.
func (b *Bridge) TestAccount(ctx context.Context, acct model.Account, secret string, progress func(ui.DoctorLine)) (ui.DoctorReport, error) {
	r, err := b.App.TestAccount(ctx, acct, secret, func(c diagnose.Check) {
		progress(ui.DoctorLine{Name: c.Name, Status: string(c.Status), Key: c.Key, Args: c.Args})
	})
	return ui.DoctorReport{OK: r.OK, Better: r.Better}, err
}
