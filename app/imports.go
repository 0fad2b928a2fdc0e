package app

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"hongyan/app/contacts"
	"hongyan/app/model"
)

// maxRejects bounds the refused rows that a report keeps in memory; the count goes on.
const maxRejects = 10_000

// importBatch is how many rows are handed to the store at a time.
const importBatch = 256

// prospectRows bounds what Prospect counts: the addresses of so many take 40 MB.
const prospectRows = 2_000_000

// Import reads a source into the list spec.ListName, which is made when it is not there. With dry nothing is
// stored, and the report says what would be. progress, when not nil, is called now and then with
// octets read and the size. A cancelled or failed import is undone; ENoAddresses when nothing was found. One that
// dies with the process stays open: see ResumeImport.
//
// From the data folder of another Hongyan its list of the never mailed is taken over too, before anybody else, and stays
// when the import is undone: who said no there is mailed from neither. How these people agreed comes from there, person by
// person, so that spec need not say it.
func (a *App) Import(ctx context.Context, src *contacts.Source, spec model.ImportSpec, dry bool, progress func(done, total int64)) (model.ImportReport, error) {
	spec.ListName, spec.Source, spec.Consent = strings.TrimSpace(spec.ListName), strings.TrimSpace(spec.Source), strings.TrimSpace(spec.Consent)
	if _, err := named("list", spec.ListName); err != nil {
		return model.ImportReport{}, err
	}
	// Whoever stands in a chat record or on a page did not hand over the address: their consent is recorded
	// person by person, later.
	if spec.Source == "" || (spec.Consent == "" && !src.NoConsent() && src.Format() != contacts.FormatFolder) {
		return model.ImportReport{}, model.E(model.EConsent, nil)
	}
	spec.Format, spec.Charset = src.Format(), src.Charset()
	if spec.FileName == "" && src.Name() != "" { // pasted text has no name
		spec.FileName = filepath.Base(src.Name())
	}
	began := time.Now()
	begin := a.store.Prospect
	if !dry {
		begin = a.store.BeginImport
		spec.ImportFile = importFile(src)
		if err := a.takeSuppressions(ctx, src); err != nil {
			return model.ImportReport{}, err
		}
	}
	into, err := begin(ctx, spec)
	if err != nil {
		return model.ImportReport{}, err
	}
	run := importRun{into: into}
	if err = run.read(ctx, src, progress); err != nil {
		return run.report, errors.Join(err, into.Abort(context.WithoutCancel(ctx)))
	}
	return run.finish(ctx, src, began)
}

// takeSuppressions takes over whom a data folder never mails.
func (a *App) takeSuppressions(ctx context.Context, src *contacts.Source) error {
	all, err := src.Suppressions(ctx)
	if err == nil && len(all) > 0 {
		_, err = a.store.SuppressAll(ctx, all)
	}
	return err
}

// OpenSource opens a file, or the data folder of another Hongyan, to be imported. The caller closes it.
func (a *App) OpenSource(path string, opt contacts.Options) (*contacts.Source, error) {
	opt.Folder = a.folder
	return contacts.Open(path, opt)
}

// Prospect counts what an import would do, as its report would, and stores nothing. Neither list, source nor consent
// have to be given: what is missing counts as new. Of a very large source only the first 2,000,000 addresses are
// counted; Partial says so.
func (a *App) Prospect(ctx context.Context, src *contacts.Source, spec model.ImportSpec) (model.Prospect, error) {
	spec.ListName, spec.Source, spec.Consent = strings.TrimSpace(spec.ListName), strings.TrimSpace(spec.Source), strings.TrimSpace(spec.Consent)
	into, err := a.store.Prospect(ctx, spec)
	if err != nil {
		return model.Prospect{}, err
	}
	run := importRun{into: into, most: prospectRows}
	err = run.read(ctx, src, nil)
	partial := errors.Is(err, errEnough)
	if err != nil && !partial && model.CodeOf(err) != model.ENoAddresses {
		return model.Prospect{}, errors.Join(err, into.Abort(ctx))
	}
	r, err := run.finish(ctx, src, time.Now())
	return model.Prospect{Read: r.Read, Added: r.Added, Updated: r.Updated, Duplicate: r.Duplicate, Invalid: r.Invalid, Suppressed: r.Suppressed,
		Partial: partial}, err
}

// errEnough ends the reading of a source of which only the beginning is counted.
var errEnough = errors.New("enough")

// importRun is one reading of a source.
type importRun struct {
	into   model.Importer
	skip   model.Import // Rows of the source are stored already, the last of them at Line
	most   int          // rows to read; 0: all
	batch  []model.Row
	rows   int
	report model.ImportReport // what the importer does not know
}

// read hands every row to the importer; ENoAddresses when there is none.
func (r *importRun) read(ctx context.Context, src *contacts.Source, progress func(done, total int64)) error {
	err := src.Read(ctx, func(row model.Row) error {
		if r.rows == r.most && r.most > 0 {
			return errEnough
		}
		r.rows++
		if r.skip.Format == contacts.FormatFolder && row.Line <= r.skip.Line { // people may have come and gone there
			return nil
		}
		if r.skip.Format != contacts.FormatFolder && r.rows <= r.skip.Rows {
			if r.rows == r.skip.Rows && row.Line != r.skip.Line {
				return model.E(model.EImportChanged, nil, "path", src.Name())
			}
			return nil
		}
		if r.batch = append(r.batch, row); len(r.batch) < importBatch {
			return nil
		}
		return r.flush(ctx)
	}, func(rej model.Reject) error {
		r.report.Invalid++
		if len(r.report.Rejects) < maxRejects {
			r.report.Rejects = append(r.report.Rejects, rej)
		}
		return nil
	}, progress)
	switch {
	case err != nil && !errors.Is(err, errEnough):
		return err
	case r.rows < r.skip.Rows && r.skip.Format != contacts.FormatFolder:
		return model.E(model.EImportChanged, nil, "path", src.Name())
	case r.rows == 0 && r.skip.Rows == 0:
		return model.E(model.ENoAddresses, nil, "path", src.Name())
	}
	return errors.Join(err, r.flush(ctx))
}

func (r *importRun) flush(ctx context.Context) error {
	err := r.into.Add(ctx, r.batch)
	r.batch = r.batch[:0]
	return err
}

// finish ends the import and makes the report whole.
func (r *importRun) finish(ctx context.Context, src *contacts.Source, began time.Time) (model.ImportReport, error) {
	report, err := r.into.Finish(ctx)
	if err != nil {
		return report, err
	}
	report.Invalid, report.Rejects = r.report.Invalid, r.report.Rejects
	report.Read = report.Added + report.Updated + report.Duplicate + report.Invalid + report.Suppressed
	report.Charset, report.Format = src.Charset(), src.Format()
	report.Seconds = time.Since(began).Seconds()
	return report, nil
}

// UndoImport takes back what an import brought: people who came by it alone go, others keep what they had.
func (a *App) UndoImport(ctx context.Context, importID int64) (int, error) {
	return a.store.UndoImport(ctx, importID)
}

// SaveRejects writes the refused rows of a report as CSV, safe to open in a spreadsheet.
func (a *App) SaveRejects(path string, r model.ImportReport) error {
	return writeFile(path, func(f *os.File) error { return contacts.WriteRejects(f, r.Rejects) })
}

// writeFile writes a file beside path and renames it, so that a half-written one is never left under the name.
func writeFile(path string, write func(*os.File) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".hongyan-*")
	if err != nil {
		return model.E(model.EFileUnwritable, err, "path", path, "detail", err.Error())
	}
	if err = write(f); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err == nil {
		return nil
	}
	err = errors.Join(err, os.Remove(f.Name()))
	var coded *model.Error
	if errors.As(err, &coded) {
		return err
	}
	return model.E(model.EFileUnwritable, err, "path", path, "detail", err.Error())
}
