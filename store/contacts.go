package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"hongyan/app/model"
)

const (
	contactColumns = `c.id, c.email, c.address, c.name, c.fields, coalesce(s.text, ''), coalesce(k.text, ''), c.import_id, c.created, c.updated`
	// contactJoins give the texts that source and consent refer to.
	contactJoins = ` LEFT JOIN statements s ON s.id = c.source LEFT JOIN statements k ON k.id = c.consent `

	contactsAtOnce = 500   // fetched by one query
	removedAtOnce  = 5_000 // removed in one transaction: other writers get their turn between two
)

func scanContact(rows *sql.Rows) (model.Contact, error) {
	var c model.Contact
	var fields string
	var created, updated int64
	err := rows.Scan(&c.ID, &c.Email, &c.Address, &c.Name, &fields, &c.Source, &c.Consent, &c.ImportID, &created, &updated)
	if err != nil {
		return c, err
	}
	c.Address, c.CreatedAt, c.UpdatedAt = addressOf(c.Address, c.Email), at(created), at(updated)
	c.Fields, err = fieldsOf(fields)
	return c, err
}

// Contacts implements app.ContactStore.
func (s *Store) Contacts(ctx context.Context, ids []int64) ([]model.Contact, error) {
	all := make([]model.Contact, 0, len(ids))
	for part := range slices.Chunk(ids, contactsAtOnce) {
		found := make(map[int64]model.Contact, len(part))
		err := s.app.each(ctx, func(rows *sql.Rows) error {
			c, err := scanContact(rows)
			found[c.ID] = c
			return err
		}, `SELECT `+contactColumns+` FROM contacts c`+contactJoins+`WHERE c.id IN (SELECT value FROM json_each(?))`, toJSON(part))
		if err != nil {
			return nil, err
		}
		for _, id := range part {
			if c, ok := found[id]; ok {
				all = append(all, c)
			}
		}
	}
	return all, nil
}

// ContactByEmail implements app.ContactStore. ENotFound when there is nobody of that normalised address.
func (s *Store) ContactByEmail(ctx context.Context, email string) (*model.Contact, error) {
	var found []model.Contact
	err := s.app.each(ctx, func(rows *sql.Rows) error {
		c, err := scanContact(rows)
		found = append(found, c)
		return err
	}, `SELECT `+contactColumns+` FROM contacts c`+contactJoins+`WHERE c.email = ?`, email)
	return one(found, err, "contact", email)
}

// EachContact implements app.ContactStore: it walks a list, or with listID 0 everybody, as they were when it
// began. f may write to the store. Its error ends the walk and is given back.
func (s *Store) EachContact(ctx context.Context, listID int64, f func(*model.Contact) error) error {
	from, args := `contacts c`+contactJoins+`ORDER BY c.id`, []any(nil)
	if listID != 0 {
		from = `list_members m CROSS JOIN contacts c ON c.id = m.contact_id` + contactJoins + `WHERE m.list_id = ? ORDER BY m.contact_id`
		args = []any{listID}
	}
	var theirs error
	err := s.app.each(ctx, func(rows *sql.Rows) error {
		c, err := scanContact(rows)
		if err != nil {
			return err
		}
		theirs = f(&c)
		return theirs
	}, `SELECT `+contactColumns+` FROM `+from, args...)
	if theirs != nil {
		return theirs
	}
	return err
}

// SaveContact implements app.ContactStore: it inserts (ID 0, which it sets) or updates. A new person who is known
// already, but not on the list, is put there, and what was given of them is taken over as by an import; EExists
// when they are on the list, or when the address of a known person is changed to that of another.
func (s *Store) SaveContact(ctx context.Context, c *model.Contact, listID int64) error {
	now := time.Now()
	if c.UpdatedAt.IsZero() {
		c.UpdatedAt = now
	}
	if c.CreatedAt.IsZero() {
		c.CreatedAt = c.UpdatedAt
	}
	id := c.ID
	ch := change{kind: model.ChangeEdit, what: addressOf(c.Address, c.Email)}
	if c.ID == 0 {
		ch.kind = model.ChangeAdd
	}
	_, err := s.change(ctx, &ch, []int64{id}, func(t *tx, _ string) (n int, err error) {
		if listID != 0 {
			if err := listExists(t, listID); err != nil {
				return 0, err
			}
		}
		p := person{id: c.ID, email: c.Email, address: shown(c.Address, c.Email), name: c.Name, fields: fieldsText(c.Fields)}
		if p.source, err = statement(t, c.Source); err != nil {
			return 0, err
		}
		if p.consent, err = statement(t, c.Consent); err != nil {
			return 0, err
		}
		if c.ID == 0 {
			id, err = ch.insertByHand(t, p, c, listID)
		} else {
			err = ch.updateByHand(t, p, c)
		}
		if err != nil || listID == 0 {
			return 1, err
		}
		n, err = t.changes(`INSERT INTO list_members (list_id, contact_id, import_id) VALUES (?, ?, 0) ON CONFLICT DO NOTHING`, listID, id)
		if err == nil && n == 1 {
			_, err = t.exec(`INSERT INTO change_members (change_id, contact_id, list_id, import_id, gone) VALUES (?, ?, ?, 0, 0)`, ch.id, id, listID)
		}
		return 1, err
	})
	if err == nil {
		c.ID = id
	}
	return err
}

func errContactExists(email string) error {
	return model.E(model.EExists, nil, "kind", "contact", "name", email)
}

func (c *change) updateByHand(t *tx, p person, who *model.Contact) error {
	if err := c.keepPeople(t, "edited", ms(who.UpdatedAt), toJSON([]int64{p.id})); err != nil {
		return err
	}
	n, err := t.changes(`UPDATE contacts SET email = ?, address = ?, name = ?, fields = ?, source = ?, consent = ?, updated = ? WHERE id = ?`,
		p.email, p.address, p.name, p.fields, p.source, p.consent, ms(who.UpdatedAt), p.id)
	switch {
	case taken(err):
		return errContactExists(p.email)
	case err == nil && n == 0:
		return model.E(model.ENotFound, nil, "kind", "contact", "name", p.email)
	}
	return err
}

func (c *change) insertByHand(t *tx, p person, who *model.Contact, listID int64) (int64, error) {
	var was person
	var member bool
	err := t.row(`SELECT id, name, fields, source, consent, EXISTS (SELECT 1 FROM list_members WHERE list_id = ? AND contact_id = id)
		FROM contacts WHERE email = ?`, []any{listID, p.email}, &was.id, &was.name, &was.fields, &was.source, &was.consent, &member)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		id, err := t.insert(`INSERT INTO contacts (email, address, name, fields, source, consent, import_id, created, updated)
			VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?)`, p.email, p.address, p.name, p.fields, p.source, p.consent, ms(who.CreatedAt), ms(who.UpdatedAt))
		if err != nil {
			return 0, err
		}
		return id, c.keepPeople(t, "new", ms(who.UpdatedAt), toJSON([]int64{id}))
	case err != nil:
		return 0, err
	case listID == 0 || member:
		return 0, errContactExists(p.email)
	}
	changed, err := was.merge(p.name, who.Fields, p.source, p.consent)
	if err != nil || !changed {
		return was.id, err
	}
	if err := c.keepPeople(t, "edited", ms(who.UpdatedAt), toJSON([]int64{was.id})); err != nil {
		return 0, err
	}
	return was.id, was.write(t, ms(who.UpdatedAt))
}

// RemoveContacts implements app.ContactStore. Many are removed in several transactions; suppressions, and what
// campaigns know of them, stay. It can be taken back, so what was known of them is kept for a while: EraseContact
// forgets.
func (s *Store) RemoveContacts(ctx context.Context, ids []int64, listID int64) error {
	c := change{kind: model.ChangeRemove}
	if listID != 0 {
		c.kind, c.ref = model.ChangeOffList, listID
	}
	_, err := s.change(ctx, &c, ids, func(t *tx, which string) (n int, err error) {
		if listID == 0 {
			if err := c.nameOne(t, ids); err != nil {
				return 0, err
			}
			return c.removePeople(t, which)
		}
		if c.what, err = listName(t, listID); err != nil {
			return 0, err
		}
		_, err = t.exec(`INSERT INTO change_members (change_id, contact_id, list_id, import_id, gone) SELECT ?, contact_id, list_id, import_id, 1
			FROM list_members WHERE list_id = ? AND contact_id IN (SELECT value FROM json_each(?))`, c.id, listID, which)
		if err != nil {
			return 0, err
		}
		return t.changes(`DELETE FROM list_members WHERE list_id = ? AND contact_id IN (SELECT value FROM json_each(?))`, listID, which)
	})
	return err
}

// nameOne names a change after its only person.
func (c *change) nameOne(t *tx, ids []int64) error {
	if len(ids) != 1 {
		return nil
	}
	err := t.row(`SELECT CASE WHEN address = '' THEN email ELSE address END FROM contacts WHERE id = ?`, []any{ids[0]}, &c.what)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

// EraseContact implements app.ContactStore: it removes somebody and forgets what was kept of them, so that it cannot
// be taken back.
func (s *Store) EraseContact(ctx context.Context, id int64) error {
	s.sweepChanges(ctx) // the rows of changes that are gone
	return s.app.write(ctx, func(t *tx) error {
		who := toJSON([]int64{id})
		var merged string
		if err := t.row(partsOf, []any{id}, &merged); err != nil {
			return err
		}
		const kept = ` WHERE change_id IN (SELECT id FROM changes) AND contact_id IN (SELECT value FROM json_each(?))`
		// The only person of a change gave it the name.
		if _, err := t.exec(`UPDATE changes SET what = '' WHERE ref_id = 0 AND id IN
			(SELECT change_id FROM change_contacts`+kept+`)`, merged); err != nil {
			return err
		}
		for _, table := range changeTables {
			if _, err := t.exec(`DELETE FROM `+table+kept, merged); err != nil {
				return err
			}
		}
		if _, err := t.exec(`DELETE FROM contact_merged WHERE into_id IN (SELECT value FROM json_each(?1)) OR contact_id IN (SELECT value FROM json_each(?1))`, merged); err != nil {
			return err
		}
		_, err := removePeople(t, who)
		return err
	})
}

// partsOf asks for the ids of a person and of all who were merged into them, as JSON.
const partsOf = `WITH RECURSIVE m(id) AS (VALUES (?1) UNION SELECT contact_id FROM contact_merged JOIN m ON into_id = m.id)
	SELECT json_group_array(id) FROM m`
