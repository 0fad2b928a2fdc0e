package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"hongyan/app/model"
)

// undoneAtOnce is how many people of an import are undone in one transaction.
const undoneAtOnce = 20_000

// UndoImport implements app.ContactStore; removed is how many people are gone altogether. Who came by the import
// alone goes. Who is on another list, or was named by another import too, stays, and has again what they had
// before, unless that was changed since. A list that the import made goes when nobody is left on it.
//
// A large import is undone in several transactions. One that is cut off is finished by another call.
func (s *Store) UndoImport(ctx context.Context, importID int64) (removed int, err error) {
	u := undo{id: importID}
	err = s.app.write(ctx, func(t *tx) error {
		err := t.row(`SELECT list_id, list_created, started, state FROM imports WHERE id = ?`, []any{importID},
			&u.list, &u.listCreated, &u.began, &u.state)
		if errors.Is(err, sql.ErrNoRows) {
			return model.E(model.ENotFound, nil, "kind", "import", "name", idName(importID))
		}
		return err
	})
	if err != nil || u.state == model.ImportUndone {
		return 0, err
	}
	for more := true; more; {
		err := s.app.write(ctx, func(t *tx) (err error) {
			var n int
			more, n, err = u.part(t)
			removed += n
			return err
		})
		if err != nil {
			return removed, err
		}
	}
	s.app.checkpoint(ctx)
	return removed, nil
}

// undo is the undoing of an import.
type undo struct {
	id, list    int64
	listCreated bool
	began       int64
	state       model.ImportState
}

// part undoes the next people, or ends the undoing.
func (u *undo) part(t *tx) (more bool, removed int, err error) {
	var first, last int64
	err = t.row(`SELECT coalesce(min(contact_id), 0), coalesce(max(contact_id), 0) FROM
		(SELECT contact_id FROM contact_sources WHERE import_id = ? ORDER BY contact_id LIMIT ?)`, []any{u.id, undoneAtOnce}, &first, &last)
	if err != nil {
		return false, 0, err
	}
	if first == 0 {
		return false, 0, u.finish(t)
	}
	others, err := u.others(t, first, last)
	if err != nil {
		return false, 0, err
	}
	if err := u.restore(t, others, first, last); err != nil {
		return false, 0, err
	}
	// People and places on the list pass to an import that named them too.
	for _, o := range others {
		if _, err := t.exec(`UPDATE contacts SET import_id = ?1 WHERE import_id = ?2 AND id BETWEEN ?3 AND ?4
			AND EXISTS (SELECT 1 FROM contact_sources WHERE import_id = ?1 AND contact_id = id)`, o.id, u.id, first, last); err != nil {
			return false, 0, err
		}
		if o.list != u.list {
			continue
		}
		if _, err := t.exec(`UPDATE list_members SET import_id = ?1 WHERE list_id = ?5 AND import_id = ?2 AND contact_id BETWEEN ?3 AND ?4
			AND EXISTS (SELECT 1 FROM contact_sources s WHERE s.import_id = ?1 AND s.contact_id = list_members.contact_id)`,
			o.id, u.id, first, last, u.list); err != nil {
			return false, 0, err
		}
	}
	if _, err := t.exec(`DELETE FROM list_members WHERE list_id = ? AND import_id = ? AND contact_id BETWEEN ? AND ?`, u.list, u.id, first, last); err != nil {
		return false, 0, err
	}
	removed, err = t.changes(`DELETE FROM contacts WHERE import_id = ? AND id BETWEEN ? AND ?
		AND NOT EXISTS (SELECT 1 FROM list_members WHERE contact_id = contacts.id)`, u.id, first, last)
	if err != nil {
		return false, 0, err
	}
	for _, q := range []string{
		`UPDATE contacts SET import_id = 0 WHERE import_id = ?1 AND id BETWEEN ?2 AND ?3`, // somebody put these on another list
		`DELETE FROM contact_sources WHERE import_id = ?1 AND contact_id BETWEEN ?2 AND ?3`,
		`DELETE FROM import_before WHERE import_id = ?1 AND contact_id BETWEEN ?2 AND ?3`,
	} {
		if _, err := t.exec(q, u.id, first, last); err != nil {
			return false, 0, err
		}
	}
	_, err = t.exec(`DELETE FROM contact_tags WHERE contact_id BETWEEN ? AND ?
		AND NOT EXISTS (SELECT 1 FROM contacts WHERE id = contact_id)`, first, last)
	return true, removed, err
}

// other is another import that named people of a range.
type other struct{ id, list int64 }

// others lists them, the oldest first.
func (u *undo) others(t *tx, first, last int64) ([]other, error) {
	var all []other
	err := t.each(func(rows *sql.Rows) error {
		var o other
		err := rows.Scan(&o.id, &o.list)
		all = append(all, o)
		return err
	}, `SELECT id, list_id FROM imports WHERE id <> ? AND state <> 'undone'
		AND EXISTS (SELECT 1 FROM contact_sources WHERE import_id = imports.id AND contact_id BETWEEN ? AND ?) ORDER BY id`, u.id, first, last)
	return all, err
}

// restore gives back what people had before. Who was changed since keeps that; but where it was an import that
// changed them, undoing that one later must lead to what they had before this one.
func (u *undo) restore(t *tx, others []other, first, last int64) error {
	_, err := t.exec(`UPDATE contacts SET name = b.name, fields = b.fields, source = b.source, consent = b.consent, updated = b.updated
		FROM import_before b WHERE b.import_id = ? AND b.contact_id BETWEEN ? AND ? AND contacts.id = b.contact_id AND contacts.updated = ?`,
		u.id, first, last, u.began)
	if err != nil {
		return err
	}
	for _, o := range others {
		if o.id < u.id {
			continue
		}
		// The next import alone remembers the state that this one left: it inherits, and ours is used up.
		if _, err := t.exec(`UPDATE import_before AS z SET name = b.name, fields = b.fields, source = b.source, consent = b.consent, updated = b.updated
			FROM import_before b WHERE b.import_id = ?1 AND b.contact_id BETWEEN ?3 AND ?4 AND z.import_id = ?2 AND z.contact_id = b.contact_id
			AND z.updated = ?5`, u.id, o.id, first, last, u.began); err != nil {
			return err
		}
	}
	return nil
}

// finish ends the undoing once nobody is left to undo. A list that the import made, and that another uses, passes to
// that one.
func (u *undo) finish(t *tx) error {
	_, err := t.exec(`UPDATE imports SET state = 'undone', finished = ? WHERE id = ?`, time.Now().UnixMilli(), u.id)
	if err != nil || !u.listCreated {
		return err
	}
	n, err := t.changes(`UPDATE imports SET list_created = 1 WHERE id = (SELECT min(id) FROM imports WHERE list_id = ? AND state <> 'undone')`, u.list)
	if err != nil || n > 0 {
		return err
	}
	_, err = t.exec(`DELETE FROM lists WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM list_members WHERE list_id = ?1)`, u.list)
	return err
}
