package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"hongyan/app/contacts"
	"hongyan/app/model"
)

// ResumeImport goes on with an import that was cut off, from the row behind the last that was stored: nobody is
// stored or counted twice, and the report is that of the whole, as if it had never been cut off. The file is read as it
// was read then, whatever src was opened with; src only says where it is now, and nil that it is where it was.
//
// In the data folder of another Hongyan people may have come, changed and gone meanwhile: it goes on behind the last one
// that was stored, with those who are there now.
//
// EImportPasted when it was no file, EImportChanged when the file is not the same any more. Whatever goes wrong, and when
// it is cancelled, the import stays open with all that is stored.
func (a *App) ResumeImport(ctx context.Context, importID int64, src *contacts.Source, progress func(done, total int64)) (model.ImportReport, error) {
	began := time.Now()
	into, was, err := a.store.ResumeImport(ctx, importID)
	if err != nil {
		return model.ImportReport{}, err
	}
	if was.Path == "" {
		return model.ImportReport{}, model.E(model.EImportPasted, nil)
	}
	path := was.Path
	if src != nil && src.Name() != "" {
		path = src.Name()
	}
	again, err := a.reopen(path, &was)
	if err != nil {
		return model.ImportReport{}, err
	}
	defer func() { _ = again.Close() }()
	if err := a.takeSuppressions(ctx, again); err != nil {
		return model.ImportReport{}, errors.Join(err, into.Leave())
	}
	run := importRun{into: into, skip: was}
	err = run.read(ctx, again, progress)
	if err == nil {
		return run.finish(ctx, again, began)
	}
	if model.CodeOf(err) == model.ENoAddresses {
		return run.report, errors.Join(err, into.Abort(ctx))
	}
	return run.report, errors.Join(err, into.Leave())
}

// reopen opens the file of an import to be read as it was.
func (a *App) reopen(path string, was *model.Import) (*contacts.Source, error) {
	if size, digest, err := digestOf(path); err == nil && (size != was.Size || digest != was.Digest) {
		return nil, model.E(model.EImportChanged, nil, "path", path)
	}
	opt := contacts.Options{Format: was.Format, Charset: was.Charset, Sheet: was.Sheet}
	if was.Roles != "" {
		opt.Mapping = map[int]contacts.Role{}
		for i, role := range strings.Split(was.Roles, ",") {
			opt.Mapping[i] = contacts.Role(role)
		}
	}
	src, err := a.OpenSource(path, opt)
	if err != nil {
		return nil, err
	}
	folder := was.Format == contacts.FormatFolder
	if folder != (src.Format() == contacts.FormatFolder) || folder && src.Identity() != was.Digest {
		return nil, errors.Join(model.E(model.EImportChanged, nil, "path", path), src.Close())
	}
	return src, nil
}

// importFile is what it takes to read a source again; nothing of one that is no file.
func importFile(src *contacts.Source) (f model.ImportFile) {
	path, err := filepath.Abs(src.Name())
	if src.Name() == "" || err != nil {
		return f
	}
	if src.Format() == contacts.FormatFolder {
		f.Digest, f.Path, f.Sheet = src.Identity(), path, src.Sheet()
		return f
	}
	if f.Size, f.Digest, err = digestOf(path); err != nil {
		return model.ImportFile{} // it can be read all the same, only not gone on with
	}
	f.Path, f.Sheet = path, src.Sheet()
	if !src.Mapped() { // they are found again; given, they would hold for every other table in the file too
		return f
	}
	roles := make([]string, 0, 16)
	for _, c := range src.Columns() {
		roles = append(roles, string(c.Role))
	}
	f.Roles = strings.Join(roles, ",")
	return f
}

// digestOf tells a file from a changed one.
func digestOf(path string) (size int64, digest string, err error) {
	f, err := os.Open(path) //#nosec G304 -- the user chose the file
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = f.Close() }()
	h := sha256.New()
	if size, err = io.Copy(h, f); err != nil {
		return 0, "", err
	}
	return size, hex.EncodeToString(h.Sum(nil)), nil
}
