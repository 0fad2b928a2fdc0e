package store

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"strconv"

	"hongyan/app/model"
)

// UndoChange implements app.ContactStore: it takes back the latest change, and says which that was. ENotFound when
// there is none.
//
// What was removed comes back with the same id, and with the lists, tags and imports that it had, as far as these
// are still there: an import that was undone meanwhile would have taken its people along, so they stay away. What an
// import has changed since, by the time at which a person was last changed, stays as the import left it; so does a
// person whom one has named since, and a new person of the same address. A large change is taken back in several
// transactions; when that is cut off, another call goes on with it.
func (s *Store) UndoChange(ctx context.Context) (model.Change, error) {
	var c change
	done := model.Change{}
	err := s.app.write(ctx, func(t *tx) error {
		err := t.row(`SELECT id, kind, n, what, ref_id, made, at FROM changes ORDER BY id DESC LIMIT 1`, nil, &c.id, &c.kind, &c.n, &c.what, &c.ref, &c.made, &c.at)
		if errors.Is(err, sql.ErrNoRows) {
			return model.E(model.ENotFound, nil, "kind", "change", "name", "")
		}
		done = model.Change{ID: c.id, Kind: c.kind, N: c.n, What: c.what, At: at(c.at)}
		return err
	})
	for more := true; more && err == nil; {
		err = s.app.write(ctx, func(t *tx) (err error) {
			more, err = c.takeBack(t)
			return err
		})
	}
	if err != nil {
		return model.Change{}, err
	}
	return done, nil
}

// takeBack takes back the next people of a change, or ends it.
func (c *change) takeBack(t *tx) (more bool, err error) {
	to := int64(math.MaxInt64)
	some := false
	for _, table := range changeTables {
		var least, last int64
		err := t.row(`SELECT coalesce((SELECT contact_id FROM `+table+` WHERE change_id = ?1 ORDER BY contact_id LIMIT 1), 0),
			coalesce((SELECT contact_id FROM `+table+` WHERE change_id = ?1 ORDER BY contact_id LIMIT 1 OFFSET ?2), 0)`,
			[]any{c.id, removedAtOnce}, &least, &last)
		if err != nil {
			return false, err
		}
		some = some || least != 0
		if last != 0 {
			to = min(to, last)
		}
	}
	if c.made < 0 {
		if err := c.tagAgain(t); err != nil {
			return false, err
		}
	}
	if !some {
		return false, c.end(t)
	}
	for _, q := range takingBack {
		if _, err := t.exec(q, c.id, to, c.at); err != nil {
			return false, err
		}
	}
	for _, table := range changeTables {
		if _, err := t.exec(`DELETE FROM `+table+` WHERE change_id = ? AND contact_id <= ?`, c.id, to); err != nil {
			return false, err
		}
	}
	return true, nil
}

// tagAgain makes a tag that went with a change, unless it is there. Another may have been given its name since.
func (c *change) tagAgain(t *tx) error {
	name := c.what
	for n := 2; ; n++ {
		if _, err := t.exec(`INSERT INTO tags (id, name) VALUES (?, ?) ON CONFLICT DO NOTHING`, c.ref, name); err != nil {
			return err
		}
		var there bool
		if err := t.row(`SELECT EXISTS (SELECT 1 FROM tags WHERE id = ?)`, []any{c.ref}, &there); err != nil || there {
			return err
		}
		name = c.what + " " + strconv.Itoa(n)
	}
}

// end removes a change of which nothing is left, and the list or tag that came with it and has nobody.
func (c *change) end(t *tx) error {
	if c.made > 0 {
		q := `DELETE FROM tags WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM contact_tags WHERE tag_id = ?1)`
		if c.kind == model.ChangeOnList {
			q = `DELETE FROM lists WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM list_members WHERE list_id = ?1)
				AND NOT EXISTS (SELECT 1 FROM imports WHERE list_id = ?1 AND state <> 'undone')`
		}
		if _, err := t.exec(q, c.ref); err != nil {
			return err
		}
	}
	_, err := t.exec(`DELETE FROM changes WHERE id = ?`, c.id)
	return err
}

const (
	// ours are the rows of the change ?1 up to the person ?2.
	ours = ` x.change_id = ?1 AND x.contact_id <= ?2 AND ?3 > 0 `
	// lives is true of an import that counts.
	lives = ` EXISTS (SELECT 1 FROM imports WHERE id = x.import_id AND state <> 'undone') `
	// heir is another import that counts and had named a person of x.
	heir = `(SELECT min(s.import_id) FROM change_sources s JOIN imports i ON i.id = s.import_id
		WHERE s.change_id = ?1 AND s.contact_id = x.contact_id AND s.gone = 1 AND i.state <> 'undone')`
	// listHeir is another import that counts and had named a person of x for the same list.
	listHeir = `(SELECT min(i.id) FROM contact_sources s JOIN imports i ON i.id = s.import_id
		WHERE s.contact_id = x.contact_id AND i.list_id = x.list_id AND i.state <> 'undone')`
	// since is an import that put a person of x on the list after the change, which began at ?3.
	since = `(SELECT min(i.id) FROM contact_sources s JOIN imports i ON i.id = s.import_id
		WHERE s.contact_id = x.contact_id AND i.list_id = x.list_id AND i.state <> 'undone' AND i.started >= ?3)`
)

// takingBack are the statements that take back a part of a change: first what it brought goes, then what it took comes
// back, people before what hangs on them.
var takingBack = []string{
	`DELETE FROM contact_tags WHERE (tag_id, contact_id) IN (SELECT x.tag_id, x.contact_id FROM change_tags x WHERE` + ours + `AND x.gone = 0)`,
	`UPDATE list_members SET import_id = ` + since + ` FROM change_members x WHERE` + ours + `AND x.gone = 0
		AND list_members.list_id = x.list_id AND list_members.contact_id = x.contact_id AND list_members.import_id = x.import_id AND ` + since + ` IS NOT NULL`,
	`DELETE FROM list_members WHERE (list_id, contact_id) IN (SELECT x.list_id, x.contact_id FROM change_members x WHERE` + ours + `AND x.gone = 0
		AND ` + since + ` IS NULL)`,
	`DELETE FROM contact_sources WHERE (import_id, contact_id) IN (SELECT x.import_id, x.contact_id FROM change_sources x WHERE` + ours + `AND x.gone = 0
		AND NOT EXISTS (SELECT 1 FROM import_before b WHERE b.import_id = x.import_id AND b.contact_id = x.contact_id))`,
	`DELETE FROM contacts WHERE id IN (SELECT x.contact_id FROM change_contacts x CROSS JOIN contacts c ON c.id = x.contact_id
		WHERE` + ours + `AND x.fate = 'new' AND c.updated = x.after)
		AND NOT EXISTS (SELECT 1 FROM contact_sources WHERE contact_id = contacts.id)`,
	`DELETE FROM list_members WHERE contact_id IN (SELECT x.contact_id FROM change_contacts x WHERE` + ours + `AND x.fate = 'new')
		AND NOT EXISTS (SELECT 1 FROM contacts WHERE id = contact_id)`,
	`DELETE FROM contact_tags WHERE contact_id IN (SELECT x.contact_id FROM change_contacts x WHERE` + ours + `AND x.fate = 'new')
		AND NOT EXISTS (SELECT 1 FROM contacts WHERE id = contact_id)`,

	`INSERT OR IGNORE INTO contacts (id, ` + personColumns + `)
		SELECT x.contact_id, x.email, x.address, x.name, x.fields, x.source, x.consent,
			CASE WHEN x.import_id = 0 OR ` + lives + ` THEN x.import_id ELSE coalesce(` + heir + `, 0) END, x.created, x.updated
		FROM change_contacts x WHERE` + ours + `AND x.fate = 'gone' AND (x.import_id = 0 OR ` + lives + ` OR ` + heir + ` IS NOT NULL
			OR EXISTS (SELECT 1 FROM change_members m WHERE m.change_id = x.change_id AND m.contact_id = x.contact_id AND m.import_id <> x.import_id))`,
	`UPDATE OR IGNORE contacts SET email = x.email, address = x.address, name = x.name, fields = x.fields, source = x.source, consent = x.consent,
		updated = x.updated FROM change_contacts x WHERE` + ours + `AND x.fate = 'edited' AND contacts.id = x.contact_id AND contacts.updated = x.after`,
	`DELETE FROM contact_merged WHERE contact_id IN (SELECT x.contact_id FROM change_contacts x WHERE` + ours + `AND x.fate = 'gone')
		AND EXISTS (SELECT 1 FROM contacts WHERE id = contact_merged.contact_id)`,
	`INSERT OR IGNORE INTO contact_sources (import_id, contact_id) SELECT x.import_id, x.contact_id FROM change_sources x WHERE` + ours + `AND x.gone = 1
		AND ` + lives + ` AND EXISTS (SELECT 1 FROM contacts WHERE id = x.contact_id)`,
	`INSERT OR IGNORE INTO import_before (import_id, contact_id, name, fields, source, consent, updated)
		SELECT x.import_id, x.contact_id, x.name, x.fields, x.source, x.consent, x.updated FROM change_before x WHERE` + ours + `
		AND EXISTS (SELECT 1 FROM contact_sources s WHERE s.import_id = x.import_id AND s.contact_id = x.contact_id)`,
	`INSERT OR IGNORE INTO list_members (list_id, contact_id, import_id)
		SELECT x.list_id, x.contact_id, CASE WHEN x.import_id = 0 OR ` + lives + ` THEN x.import_id ELSE ` + listHeir + ` END
		FROM change_members x WHERE` + ours + `AND x.gone = 1 AND (x.import_id = 0 OR ` + lives + ` OR ` + listHeir + ` IS NOT NULL)
		AND EXISTS (SELECT 1 FROM contacts WHERE id = x.contact_id) AND EXISTS (SELECT 1 FROM lists WHERE id = x.list_id)`,
	`INSERT OR IGNORE INTO contact_tags (tag_id, contact_id) SELECT x.tag_id, x.contact_id FROM change_tags x WHERE` + ours + `AND x.gone = 1
		AND EXISTS (SELECT 1 FROM contacts WHERE id = x.contact_id) AND EXISTS (SELECT 1 FROM tags WHERE id = x.tag_id)`,
}
