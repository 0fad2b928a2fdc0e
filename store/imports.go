package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"time"

	"hongyan/app/model"
)

// contactsPerInsert is how many rows one INSERT has; SQLite takes 32766 values in a statement.
const contactsPerInsert = 100

// importer implements model.Importer.
type importer struct {
	s               *Store
	id, list        int64
	source, consent int64
	began           int64 // ms; the time of everything that this import changes, which tells undo what is still its own
}

// BeginImport implements app.ContactStore. An import that is neither finished nor aborted stays open: Imports
// shows it, and UndoImport takes back what it brought.
func (s *Store) BeginImport(ctx context.Context, spec model.ImportSpec) (model.Importer, error) {
	if spec.ListName == "" {
		return nil, model.E(model.EInvalid, nil, "field", "list", "value", "")
	}
	im := &importer{s: s}
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
		im.id, err = t.insert(`INSERT INTO imports (list_id, list_created, list_name, source, consent, file_name, format, charset, state, started)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'open', ?)`,
			im.list, created, spec.ListName, spec.Source, spec.Consent, spec.FileName, spec.Format, spec.Charset, im.began)
		return err
	})
	if err != nil {
		return nil, err
	}
	return im, nil
}

// newStamp is a time that no import had before.
func newStamp(t *tx) (int64, error) {
	var last int64
	err := t.row(`SELECT coalesce(max(started), 0) FROM imports`, nil, &last)
	return max(time.Now().UnixMilli(), last+1), err
}

// importTally is what a chunk adds to the counts of its import.
type importTally struct{ added, updated, duplicate, suppressed int }

// Add implements model.Importer.
func (im *importer) Add(ctx context.Context, rows []model.Row) error {
	if len(rows) == 0 {
		return nil
	}
	return im.s.app.write(ctx, func(t *tx) error {
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
		n, err := im.chunk(t, rows)
		if err != nil {
			return err
		}
		_, err = t.exec(`UPDATE imports SET rows = rows + ?, added = added + ?, updated = updated + ?, duplicate = duplicate + ?,
			suppressed = suppressed + ? WHERE id = ?`, len(rows), n.added, n.updated, n.duplicate, n.suppressed, im.id)
		return err
	})
}

// incoming is what the rows of a chunk say about one person.
type incoming struct {
	email, address, name string
	fields               map[string]string
	source, consent      int64
	known                bool
}

// gather folds the rows of a chunk by address, in order of their first appearance.
func (im *importer) gather(rows []model.Row) (people []*incoming, emails []string, err error) {
	people, emails = make([]*incoming, 0, len(rows)), make([]string, 0, len(rows))
	byEmail := make(map[string]*incoming, len(rows))
	for i := range rows {
		r := &rows[i]
		if r.Email == "" {
			return nil, nil, model.E(model.EInvalid, nil, "field", "address", "value", r.Address)
		}
		consent := im.consent
		if r.NoConsent {
			consent = 0
		}
		in := byEmail[r.Email]
		if in == nil {
			in = &incoming{email: r.Email, address: shown(r.Address, r.Email), name: r.Name, fields: r.Fields, source: im.source, consent: consent}
			byEmail[r.Email] = in
			people, emails = append(people, in), append(emails, r.Email)
			continue
		}
		if r.Name != "" {
			in.name = r.Name
		}
		if consent != 0 {
			in.consent = consent
		}
		fields := make(map[string]string, len(in.fields)+len(r.Fields)) // the row's own map is the caller's
		mergeFields(&fields, in.fields)
		mergeFields(&fields, r.Fields)
		in.fields = fields
	}
	return people, emails, nil
}

// known is a contact that was there before the chunk.
type known struct {
	person
	in             *incoming
	member, again  bool // on the list; named by this import before
	importedBefore bool // brought by this import
}

// chunk stores rows and counts them: each exactly once.
func (im *importer) chunk(t *tx, rows []model.Row) (importTally, error) {
	var n importTally
	people, emails, err := im.gather(rows)
	if err != nil {
		return n, err
	}
	n.duplicate = len(rows) - len(people)
	suppressed, err := suppressedOf(t, emails)
	if err != nil {
		return n, err
	}
	olds, err := im.lookUp(t, people, emails)
	if err != nil {
		return n, err
	}
	var members, sources []int64 // known people who are new to the list, and to this import
	for i := range olds {
		k := &olds[i]
		k.in.known = true
		changed, err := im.update(t, k)
		if err != nil {
			return n, err
		}
		if !k.member {
			members = append(members, k.id)
		}
		if !k.again {
			sources = append(sources, k.id)
		}
		switch {
		case k.again:
			n.duplicate++
		case suppressed[k.email]:
			n.suppressed++
		case !k.member:
			n.added++
		case changed:
			n.updated++
		default:
			n.duplicate++
		}
	}
	if err := im.attach(t, members, sources); err != nil {
		return n, err
	}
	for _, in := range people {
		switch {
		case in.known:
		case suppressed[in.email]:
			n.suppressed++
		default:
			n.added++
		}
	}
	return n, im.insert(t, people)
}

// lookUp finds who is known already.
func (im *importer) lookUp(t *tx, people []*incoming, emails []string) ([]known, error) {
	byEmail := make(map[string]*incoming, len(people))
	for _, in := range people {
		byEmail[in.email] = in
	}
	sorted := slices.Sorted(slices.Values(emails)) // so that the index is gone through once, page by page
	var olds []known
	err := t.each(func(rows *sql.Rows) error {
		var k known
		err := rows.Scan(&k.id, &k.email, &k.name, &k.fields, &k.source, &k.consent, &k.updated, &k.importedBefore, &k.member, &k.again)
		k.in = byEmail[k.email]
		olds = append(olds, k)
		return err
	}, `SELECT c.id, c.email, c.name, c.fields, c.source, c.consent, c.updated, c.import_id = ?1,
			EXISTS (SELECT 1 FROM list_members WHERE list_id = ?2 AND contact_id = c.id),
			EXISTS (SELECT 1 FROM contact_sources WHERE import_id = ?1 AND contact_id = c.id)
		FROM contacts c WHERE c.email IN (SELECT value FROM json_each(?3))`, im.id, im.list, toJSON(sorted))
	return olds, err
}

// update takes over what is new about somebody who is known.
func (im *importer) update(t *tx, k *known) (changed bool, err error) {
	was := k.person
	if changed, err = k.merge(k.in.name, k.in.fields, k.in.source, k.in.consent); err != nil {
		return changed, err
	}
	if changed {
		if !k.importedBefore {
			_, err = t.exec(`INSERT INTO import_before (import_id, contact_id, name, fields, source, consent, updated)
				VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`, im.id, was.id, was.name, was.fields, was.source, was.consent, was.updated)
			if err != nil {
				return changed, err
			}
		}
		_, err = t.exec(`UPDATE contacts SET name = ?, fields = ?, source = ?, consent = ?, updated = ? WHERE id = ?`,
			k.name, k.fields, k.source, k.consent, im.began, k.id)
		if err != nil {
			return changed, err
		}
	}
	return changed, err
}

// attach puts known people on the list and notes that the import named them, each table in one statement and in the
// order of its key.
func (im *importer) attach(t *tx, members, sources []int64) error {
	for _, into := range []struct {
		ids  []int64
		stmt string
		args []any
	}{
		{members, `INSERT INTO list_members (list_id, contact_id, import_id) SELECT ?, value, ? FROM json_each(?)`, []any{im.list, im.id}},
		{sources, `INSERT INTO contact_sources (import_id, contact_id) SELECT ?, value FROM json_each(?)`, []any{im.id}},
	} {
		if len(into.ids) == 0 {
			continue
		}
		slices.Sort(into.ids)
		if _, err := t.exec(into.stmt, append(into.args, toJSON(into.ids))...); err != nil {
			return err
		}
	}
	return nil
}

// insert stores those who are new, with ids in a row, so that what hangs on them is inserted by their range.
func (im *importer) insert(t *tx, people []*incoming) error {
	var last int64
	err := t.row(`SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'contacts'), 0),
		coalesce((SELECT max(id) FROM contacts), 0))`, nil, &last)
	if err != nil {
		return err
	}
	first := last + 1
	const into = `INSERT INTO contacts (id, email, address, name, fields, source, consent, import_id, created, updated) VALUES `
	const hole = `(?,?,?,?,?,?,?,?,?,?)`
	args := make([]any, 0, 10*contactsPerInsert)
	flush := func() error {
		if len(args) == 0 {
			return nil
		}
		_, err := t.exec(into+strings.Repeat(hole+",", len(args)/10-1)+hole, args...)
		args = args[:0]
		return err
	}
	for _, in := range people {
		if in.known {
			continue
		}
		last++
		args = append(args, last, in.email, in.address, in.name, fieldsText(in.fields), in.source, in.consent, im.id, im.began, im.began)
		if len(args) == 10*contactsPerInsert {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil || last < first {
		return err
	}
	if _, err := t.exec(`INSERT INTO list_members (list_id, contact_id, import_id) SELECT ?, id, ? FROM contacts WHERE id BETWEEN ? AND ?`,
		im.list, im.id, first, last); err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO contact_sources (import_id, contact_id) SELECT ?, id FROM contacts WHERE id BETWEEN ? AND ?`, im.id, first, last)
	return err
}

// Finish implements model.Importer.
func (im *importer) Finish(ctx context.Context) (model.ImportReport, error) {
	r := model.ImportReport{ImportID: im.id, ListID: im.list}
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
	_, err := im.s.UndoImport(ctx, im.id)
	return err
}

// checkpoint empties the write-ahead log, which a bulk of changes has made long. It is a matter of speed alone: what
// it cannot do now is done later.
func (d *database) checkpoint(ctx context.Context) {
	_ = d.inTurn(ctx, func() error {
		_, err := d.conn.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
		return err
	})
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
			&im.Rows, &im.Added, &im.Updated, &im.Duplicate, &im.Suppressed, &started, &finished)
		im.StartedAt, im.FinishedAt = at(started), at(finished)
		all = append(all, im)
		return err
	}, `SELECT id, list_id, list_name, source, consent, file_name, format, charset, state, rows, added, updated, duplicate, suppressed,
		started, finished FROM imports `+which, args...)
	return all, err
}
