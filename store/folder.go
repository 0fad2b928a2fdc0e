package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"hongyan/app/model"
)

// folderBatch is how many people are looked up among the suppressed at a time.
const folderBatch = 500

// folderCacheKB is little: the folder is gone through once, from the first to the last, beside an import that needs memory.
const folderCacheKB = 256

// Folder is the data folder of another Hongyan, open for looking only. It implements contacts.Folder.
type Folder struct{ s *Store }

// OpenFolder opens the data folder of another Hongyan to import from it, which may be in use by that meanwhile. own is the
// data folder that is open, or is about to be.
//
// Errors: EFileDataOpen when the two are one, EFileDataOld when an earlier Hongyan wrote it, and those of Open.
func OpenFolder(ctx context.Context, own, path string) (*Folder, error) {
	if mine, err := os.Stat(own); err == nil {
		if theirs, err := os.Stat(path); err == nil && os.SameFile(mine, theirs) {
			return nil, model.E(model.EFileDataOpen, nil, "path", path)
		}
	}
	dir, err := filepath.Abs(path)
	if err != nil {
		return nil, model.E(model.EFolder, err, "path", path)
	}
	s := &Store{dir: dir}
	if err := s.openReading(ctx, folderCacheKB); err != nil {
		s.release()
		if errors.Is(err, errOlder) {
			return nil, model.E(model.EFileDataOld, err, "path", path)
		}
		return nil, err
	}
	return &Folder{s}, nil
}

// Identity is what the folder is enrolled as; "" when it never was.
func (f *Folder) Identity(ctx context.Context) (id string, err error) {
	err = f.s.deliveries.row(ctx, `SELECT coalesce((SELECT value FROM meta WHERE key = 'install'), '')`, nil, &id)
	return id, err
}

// Lists lists the lists.
func (f *Folder) Lists(ctx context.Context) ([]model.List, error) { return f.s.Lists(ctx) }

// People says how many people there are.
func (f *Folder) People(ctx context.Context) (n int, err error) {
	err = f.s.app.row(ctx, `SELECT count(*) FROM contacts`, nil, &n)
	return n, err
}

// Suppressions lists who is never mailed.
func (f *Folder) Suppressions(ctx context.Context) ([]model.Suppression, error) {
	return f.s.Suppressions(ctx)
}

// Close closes the folder.
func (f *Folder) Close() error { return f.s.Close() }

// Each walks a list, or with 0 everybody, in order of ids and as they were when it began, and says who is suppressed.
// An error of do ends the walk and is given back.
func (f *Folder) Each(ctx context.Context, listID int64, do func(c *model.Contact, suppressed bool) error) error {
	batch := make([]model.Contact, 0, folderBatch)
	emails := make([]string, 0, folderBatch)
	flush := func() error {
		emails = emails[:0]
		for i := range batch {
			emails = append(emails, batch[i].Email)
		}
		suppressed, err := suppressedOf(lastCommit{ctx, f.s.app}, emails)
		if err != nil {
			return coded(err, f.s.app.path)
		}
		for i := range batch {
			if err := do(&batch[i], suppressed[batch[i].Email]); err != nil {
				return err
			}
		}
		batch = batch[:0]
		return nil
	}
	err := f.s.EachContact(ctx, listID, func(c *model.Contact) error {
		if batch = append(batch, *c); len(batch) < folderBatch {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}
