package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"hongyan/app/model"
)

// importer implements model.Importer.
type importer struct {
	s               *Store
	id, list        int64
	source, consent int64
	began           int64 // ms; the time of everything that this import changes, which tells undo what is still its own
	stored          int   // rows
	named           idSet // people that it named
	insertFull      string
	packer
}

// BeginImport implements app.ContactStore. An import that is neither finished nor aborted stays open: Imports
// shows it, ResumeImport goes on with it, and UndoImport takes back what it brought.
func (s *Store) BeginImport(ctx context.Context, spec model.ImportSpec) (model.Importer, error) {
	if spec.ListName == "" {
		return nil, model.E(model.EInvalid, nil, "field", "list", "value", "")
	}
	im := &importer{s: s}
	im.sink, im.most = im.store, s.chunkRows
	err := s.app.write(ctx, func(t *tx) (err error) {
		if im.began, err = newStamp(t); err != nil {
			return err
		}
		created := false
		err = t.row(`SELECT id FROM lists WHERE name = ?`, []any{spec.ListName}, &im.list)
		if errors.Is(err, sql.ErrNoRows) {
			created = true
			im.list, err = createList(t, spec.ListName, at(im.began))
		}
		if err != nil {
			return err
		}
		if im.source, err = statement(t, spec.Source); err != nil {
			return err
		}
		if im.consent, err = statement(t, spec.Consent); err != nil {
			return err
		}
		im.id, err = t.insert(`INSERT INTO imports (list_id, list_created, list_name, source, consent, file_name, format, charset, state, started,
			path, size, digest, sheet, roles) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'open', ?, ?, ?, ?, ?, ?)`,
			im.list, created, spec.ListName, spec.Source, spec.Consent, spec.FileName, spec.Format, spec.Charset, im.began,
			spec.Path, spec.Size, spec.Digest, spec.Sheet, spec.Roles)
		return err
	})
	if err != nil {
		return nil, err
	}
	return im, nil
}

// ResumeImport implements app.ContactStore.
func (s *Store) ResumeImport(ctx context.Context, id int64) (model.Importer, model.Import, error) {
	found, err := s.imports(ctx, `WHERE id = ?`, id)
	was, err := one(found, err, "import", idName(id))
	if err != nil {
		return nil, model.Import{}, err
	}
	if was.State != model.ImportOpen {
		return nil, *was, model.E(model.EInvalid, nil, "field", "import", "value", string(was.State))
	}
	im := &importer{s: s, id: id, list: was.ListID, began: ms(was.StartedAt), stored: was.Rows}
	im.sink, im.most = im.store, s.chunkRows
	err = s.app.write(ctx, func(t *tx) (err error) {
		if im.source, err = statement(t, was.Source); err != nil {
			return err
		}
		if im.consent, err = statement(t, was.Consent); err != nil {
			return err
		}
		return t.each(func(rows *sql.Rows) error {
			var person int64
			err := rows.Scan(&person)
			im.named.reach(person)
			im.named.add(person)
			return err
		}, `SELECT contact_id FROM contact_sources WHERE import_id = ?`, id)
	})
	return im, *was, err
}

// newStamp is a time that no import had before.
func newStamp(t *tx) (int64, error) {
	var last int64
	err := t.row(`SELECT coalesce(max(started), 0) FROM imports`, nil, &last)
	return max(time.Now().UnixMilli(), last+1), err
}

// store is the transaction of a chunk.
func (im *importer) store(ctx context.Context, p *pack) error {
	var c *chunk
	var first, last int64
	err := im.s.app.write(ctx, func(t *tx) (err error) {
		var state model.ImportState
		if err := t.row(`SELECT state FROM imports WHERE id = ?`, []any{im.id}, &state); err != nil {
			return err
		}
		if state != model.ImportOpen {
			return model.E(model.EInvalid, nil, "field", "import", "value", string(state))
		}
		if err := listExists(t, im.list); err != nil {
			return err
		}
		c = &chunk{pack: p, ids: im.named, source: im.source, consent: im.consent}
		if first, last, err = c.write(t, im); err != nil {
			return err
		}
		// Whoever else went on with this import meanwhile has stored rows that are counted here too.
		n, err := t.changes(`UPDATE imports SET rows = rows + ?, added = added + ?, updated = updated + ?, duplicate = duplicate + ?,
			suppressed = suppressed + ?, line = ? WHERE id = ? AND rows = ?`, len(p.rows), c.n.added, c.n.updated, c.n.duplicate, c.n.suppressed,
			p.line, im.id, im.stored)
		if err == nil && n != 1 {
			err = model.E(model.EInvalid, nil, "field", "import", "value", idName(im.id))
		}
		return err
	})
	if err != nil {
		return err
	}
	im.stored += len(p.rows)
	if n := len(c.known); n > 0 {
		im.named.reach(c.known[n-1].id)
	}
	im.named.reach(last)
	for _, k := range c.known {
		im.named.add(k.id)
	}
	for id := first; id <= last; id++ {
		im.named.add(id)
	}
	return nil
}

// Finish implements model.Importer.
func (im *importer) Finish(ctx context.Context) (model.ImportReport, error) {
	r := model.ImportReport{ImportID: im.id, ListID: im.list}
	if err := im.Flush(ctx); err != nil {
		return r, err
	}
	err := im.s.app.write(ctx, func(t *tx) error {
		if err := closeImport(t, im.id); err != nil {
			return err
		}
		return t.row(`SELECT rows, added, updated, duplicate, suppressed, format, charset FROM imports WHERE id = ?`, []any{im.id},
			&r.Read, &r.Added, &r.Updated, &r.Duplicate, &r.Suppressed, &r.Format, &r.Charset)
	})
	if err == nil {
		im.s.app.checkpoint(ctx)
	}
	return r, err
}

// Abort implements model.Importer.
func (im *importer) Abort(ctx context.Context) error {
	_ = im.Leave() // what failed is undone too
	_, err := im.s.UndoImport(ctx, im.id)
	return err
}

// Imports lists every import, the latest first.
func (s *Store) Imports(ctx context.Context) ([]model.Import, error) {
	return s.imports(ctx, `ORDER BY id DESC`)
}

func (s *Store) imports(ctx context.Context, which string, args ...any) ([]model.Import, error) {
	var all []model.Import
	err := s.app.each(ctx, func(rows *sql.Rows) error {
		var im model.Import
		var started, finished int64
		err := rows.Scan(&im.ID, &im.ListID, &im.ListName, &im.Source, &im.Consent, &im.FileName, &im.Format, &im.Charset, &im.State,
			&im.Rows, &im.Added, &im.Updated, &im.Duplicate, &im.Suppressed, &started, &finished,
			&im.Path, &im.Size, &im.Digest, &im.Sheet, &im.Roles, &im.Line)
		im.StartedAt, im.FinishedAt = at(started), at(finished)
		all = append(all, im)
		return err
	}, `SELECT id, list_id, list_name, source, consent, file_name, format, charset, state, rows, added, updated, duplicate, suppressed,
		started, finished, path, size, digest, sheet, roles, line FROM imports `+which, args...)
	return all, err
}
