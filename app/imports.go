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

// importChunk is how many rows are stored in one transaction: enough that a page of an index is written once for
// many of them, which counts most where the disk is slow, few enough that another writer waits less than a second
// and that they take little memory.
const importChunk = 30_000

// Import reads a source into the list spec.ListName, which is made when it is not there. With dry nothing is
// stored and only what the file itself tells is counted. progress, when not nil, is called now and then with
// octets read and the size. A cancelled or failed import is undone; ENoAddresses when nothing was found.
func (a *App) Import(ctx context.Context, src *contacts.Source, spec model.ImportSpec, dry bool, progress func(done, total int64)) (model.ImportReport, error) {
	spec.ListName, spec.Source, spec.Consent = strings.TrimSpace(spec.ListName), strings.TrimSpace(spec.Source), strings.TrimSpace(spec.Consent)
	if spec.ListName == "" {
		return model.ImportReport{}, invalid("list", "")
	}
	// Whoever stands in a chat record or on a page did not hand over the address: their consent is recorded
	// person by person, later.
	if spec.Source == "" || (spec.Consent == "" && !src.NoConsent()) {
		return model.ImportReport{}, model.E(model.EConsent, nil)
	}
	spec.Format, spec.Charset = src.Format(), src.Charset()
	if spec.FileName == "" && src.Name() != "" { // pasted text has no name
		spec.FileName = filepath.Base(src.Name())
	}
	began := time.Now()
	run := importRun{seen: make(map[string]struct{})}
	if !dry {
		into, err := a.store.BeginImport(ctx, spec)
		if err != nil {
			return model.ImportReport{}, err
		}
		run.into = into
	}
	err := run.read(ctx, src, progress)
	if err == nil && run.rows == 0 {
		err = model.E(model.ENoAddresses, nil, "path", src.Name())
	}
	if err != nil {
		if run.into != nil {
			err = errors.Join(err, run.into.Abort(context.WithoutCancel(ctx)))
		}
		return run.report, err
	}
	report := run.report
	if run.into != nil {
		if report, err = run.into.Finish(ctx); err != nil {
			return report, err
		}
		report.Invalid, report.Rejects = run.report.Invalid, run.report.Rejects
	}
	report.Read = report.Added + report.Updated + report.Duplicate + report.Invalid + report.Suppressed
	report.Charset, report.Format = spec.Charset, spec.Format
	report.Seconds = time.Since(began).Seconds()
	return report, nil
}

// importRun is one reading of a source.
type importRun struct {
	into   model.Importer // nil in a dry run
	chunk  []model.Row
	rows   int
	report model.ImportReport
	seen   map[string]struct{} // in a dry run, to tell duplicates
}

func (r *importRun) read(ctx context.Context, src *contacts.Source, progress func(done, total int64)) error {
	err := src.Read(ctx, func(row model.Row) error {
		r.rows++
		if r.into == nil {
			if _, twice := r.seen[row.Email]; twice {
				r.report.Duplicate++
			} else {
				r.seen[row.Email] = struct{}{}
				r.report.Added++
			}
			return nil
		}
		if r.chunk = append(r.chunk, row); len(r.chunk) < importChunk {
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
	if err != nil {
		return err
	}
	return r.flush(ctx)
}

func (r *importRun) flush(ctx context.Context) error {
	if len(r.chunk) == 0 {
		return nil
	}
	err := r.into.Add(ctx, r.chunk)
	r.chunk = r.chunk[:0]
	return err
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
