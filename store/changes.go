package store

import (
	"context"
	"database/sql"
	"slices"

	"hongyan/app/model"
)

const (
	changesKept   = 20    // the last changes that can be taken back
	sweptAtOnce   = 5_000 // rows of older ones that are deleted in one transaction
	changeColumns = `change_id, contact_id, fate, after, email, address, name, fields, source, consent, import_id, created, updated`
	personColumns = `email, address, name, fields, source, consent, import_id, created, updated`
)

// changeTables are those that hold rows of a change, by contact.
var changeTables = []string{"change_contacts", "change_members", "change_tags", "change_sources", "change_before"}

// change is something that a user does to people: see model.Change.
type change struct {
	id   int64
	kind model.ChangeKind
	what string
	ref  int64 // the list or tag
	made int   // 1: the list or tag comes with it; -1: the tag goes with it
	n    int
	at   int64 // later than the start of every import before it, not later than that of any after it
}

// change does something to people, so many in a transaction, in such a way that it can be taken back: f, which gets
// their ids as a JSON array, copies what it changes into the change's tables, and says to how many it did something.
// A change to nobody is not kept. One that is cut off is there as far as it went.
func (s *Store) change(ctx context.Context, c *change, ids []int64, f func(t *tx, which string) (int, error)) (int, error) {
	for part := range slices.Chunk(ids, removedAtOnce) {
		was := *c
		err := s.app.write(ctx, func(t *tx) error {
			if err := c.begin(t); err != nil {
				return err
			}
			n, err := f(t, toJSON(part))
			if err != nil {
				return err
			}
			if c.n += n; c.n == 0 {
				err := c.end(t)
				*c = was
				return err
			}
			return c.keep(t)
		})
		if err != nil {
			*c = was
			return c.n, err
		}
	}
	s.sweepChanges(ctx)
	return c.n, nil
}

// begin makes the row of a change, once.
func (c *change) begin(t *tx) (err error) {
	if c.id != 0 {
		return nil
	}
	if c.at, err = newStamp(t); err != nil {
		return err
	}
	c.id, err = t.insert(`INSERT INTO changes (kind, n, what, ref_id, made, at) VALUES (?, 0, '', 0, 0, ?)`, string(c.kind), c.at)
	return err
}

// keep writes down what a change has become, and forgets the oldest.
func (c *change) keep(t *tx) error {
	if _, err := t.exec(`UPDATE changes SET n = ?, what = ?, ref_id = ?, made = ? WHERE id = ?`, c.n, c.what, c.ref, c.made, c.id); err != nil {
		return err
	}
	_, err := t.exec(`DELETE FROM changes WHERE id <= (SELECT id FROM changes ORDER BY id DESC LIMIT 1 OFFSET ?)`, changesKept)
	return err
}

// sweepChanges deletes the rows of changes that are no longer kept. It is a matter of room alone: what it cannot do
// now is done after the next change.
func (s *Store) sweepChanges(ctx context.Context) {
	for _, table := range changeTables {
		for more, err := true, error(nil); more && err == nil; {
			err = s.app.write(ctx, func(t *tx) (err error) {
				more, err = sweep(t, table)
				return err
			})
		}
	}
}

func sweep(t *tx, table string) (more bool, err error) {
	var some int
	err = t.row(`SELECT count(*) FROM (SELECT 1 FROM `+table+` WHERE change_id < (SELECT coalesce(min(id), 1 << 62) FROM changes) LIMIT ?)`,
		[]any{sweptAtOnce}, &some)
	if err != nil || some == 0 {
		return false, err
	}
	if some < sweptAtOnce {
		_, err = t.exec(`DELETE FROM ` + table + ` WHERE change_id < (SELECT coalesce(min(id), 1 << 62) FROM changes)`)
		return false, err
	}
	_, err = t.exec(`DELETE FROM `+table+` WHERE (change_id, contact_id) <=
		(SELECT change_id, contact_id FROM `+table+` ORDER BY change_id, contact_id LIMIT 1 OFFSET ?)`, sweptAtOnce-1)
	return true, err
}

// Changes implements app.ContactStore: what can be taken back, the newest first.
func (s *Store) Changes(ctx context.Context) ([]model.Change, error) {
	var all []model.Change
	err := s.app.each(ctx, func(rows *sql.Rows) error {
		var c model.Change
		var when int64
		err := rows.Scan(&c.ID, &c.Kind, &c.N, &c.What, &when)
		c.At = at(when)
		all = append(all, c)
		return err
	}, `SELECT id, kind, n, what, at FROM changes ORDER BY id DESC`)
	return all, err
}

// keepPeople copies people as they are, before they are changed or removed. The first copy counts.
func (c *change) keepPeople(t *tx, fate string, after int64, which string) error {
	_, err := t.exec(`INSERT INTO change_contacts (`+changeColumns+`) SELECT ?, id, ?, ?, `+personColumns+` FROM contacts
		WHERE id IN (SELECT value FROM json_each(?)) ON CONFLICT DO NOTHING`, c.id, fate, after, which)
	return err
}

// removePeople removes people altogether, within a transaction, and keeps all that goes with them. Suppressions, and
// what campaigns know of them, stay.
func (c *change) removePeople(t *tx, which string) (int, error) {
	const those = ` WHERE contact_id IN (SELECT value FROM json_each(?))`
	for _, q := range []string{
		`INSERT INTO change_before (change_id, contact_id, import_id, name, fields, source, consent, updated)
			SELECT ?, contact_id, import_id, name, fields, source, consent, updated FROM import_before
			WHERE (import_id, contact_id) IN (SELECT import_id, contact_id FROM contact_sources` + those + `)`,
		`INSERT INTO change_sources (change_id, contact_id, import_id, gone) SELECT ?, contact_id, import_id, 1 FROM contact_sources` + those,
		`INSERT INTO change_tags (change_id, contact_id, tag_id, gone) SELECT ?, contact_id, tag_id, 1 FROM contact_tags` + those,
		`INSERT INTO change_members (change_id, contact_id, list_id, import_id, gone) SELECT ?, contact_id, list_id, import_id, 1 FROM list_members` + those,
	} {
		if _, err := t.exec(q, c.id, which); err != nil {
			return 0, err
		}
	}
	if err := c.keepPeople(t, "gone", 0, which); err != nil {
		return 0, err
	}
	return removePeople(t, which)
}

// removePeople removes people and what hangs on them.
func removePeople(t *tx, which string) (n int, err error) {
	const those = ` WHERE contact_id IN (SELECT value FROM json_each(?))`
	// Sources tell which imports to look at, so they go after what an import remembers.
	for _, q := range []string{
		`DELETE FROM import_before WHERE (import_id, contact_id) IN (SELECT import_id, contact_id FROM contact_sources` + those + `)`,
		`DELETE FROM contact_sources` + those,
		`DELETE FROM contact_tags` + those,
		`DELETE FROM list_members` + those,
		`DELETE FROM contacts WHERE id IN (SELECT value FROM json_each(?))`,
	} {
		if n, err = t.changes(q, which); err != nil {
			return 0, err
		}
	}
	return n, nil
}
