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
	err := s.app.write(ctx, func(t *tx) (err error) {
		if listID != 0 {
			if err := listExists(t, listID); err != nil {
				return err
			}
		}
		p := person{id: c.ID, email: c.Email, address: shown(c.Address, c.Email), name: c.Name, fields: fieldsText(c.Fields)}
		if p.source, err = statement(t, c.Source); err != nil {
			return err
		}
		if p.consent, err = statement(t, c.Consent); err != nil {
			return err
		}
		if c.ID == 0 {
			id, err = insertByHand(t, p, c, listID)
		} else {
			err = updateByHand(t, p, c)
		}
		if err != nil || listID == 0 {
			return err
		}
		_, err = t.exec(`INSERT INTO list_members (list_id, contact_id, import_id) VALUES (?, ?, 0) ON CONFLICT DO NOTHING`, listID, id)
		return err
	})
	if err == nil {
		c.ID = id
	}
	return err
}

func errContactExists(email string) error {
	return model.E(model.EExists, nil, "kind", "contact", "name", email)
}

func updateByHand(t *tx, p person, c *model.Contact) error {
	n, err := t.changes(`UPDATE contacts SET email = ?, address = ?, name = ?, fields = ?, source = ?, consent = ?, updated = ? WHERE id = ?`,
		p.email, p.address, p.name, p.fields, p.source, p.consent, ms(c.UpdatedAt), p.id)
	switch {
	case taken(err):
		return errContactExists(p.email)
	case err == nil && n == 0:
		return model.E(model.ENotFound, nil, "kind", "contact", "name", p.email)
	}
	return err
}

func insertByHand(t *tx, p person, c *model.Contact, listID int64) (int64, error) {
	var was person
	var member bool
	err := t.row(`SELECT id, name, fields, source, consent, EXISTS (SELECT 1 FROM list_members WHERE list_id = ? AND contact_id = id)
		FROM contacts WHERE email = ?`, []any{listID, p.email}, &was.id, &was.name, &was.fields, &was.source, &was.consent, &member)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return t.insert(`INSERT INTO contacts (email, address, name, fields, source, consent, import_id, created, updated)
			VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?)`, p.email, p.address, p.name, p.fields, p.source, p.consent, ms(c.CreatedAt), ms(c.UpdatedAt))
	case err != nil:
		return 0, err
	case listID == 0 || member:
		return 0, errContactExists(p.email)
	}
	changed, err := was.merge(p.name, c.Fields, p.source, p.consent)
	if err != nil || !changed {
		return was.id, err
	}
	_, err = t.exec(`UPDATE contacts SET name = ?, fields = ?, source = ?, consent = ?, updated = ? WHERE id = ?`,
		was.name, was.fields, was.source, was.consent, ms(c.UpdatedAt), was.id)
	return was.id, err
}

// RemoveContacts implements app.ContactStore. Many are removed in several transactions; suppressions, and what
// campaigns know of them, stay.
func (s *Store) RemoveContacts(ctx context.Context, ids []int64, listID int64) error {
	// Sources tell which imports to look at, so they go after what an import remembers.
	statements := []string{
		`DELETE FROM import_before WHERE (import_id, contact_id) IN (SELECT import_id, contact_id FROM contact_sources
		   WHERE contact_id IN (SELECT value FROM json_each(?)))`,
		`DELETE FROM contact_sources WHERE contact_id IN (SELECT value FROM json_each(?))`,
		`DELETE FROM contact_tags WHERE contact_id IN (SELECT value FROM json_each(?))`,
		`DELETE FROM list_members WHERE contact_id IN (SELECT value FROM json_each(?))`,
		`DELETE FROM contacts WHERE id IN (SELECT value FROM json_each(?))`,
	}
	for part := range slices.Chunk(ids, removedAtOnce) {
		err := s.app.write(ctx, func(t *tx) error {
			which := toJSON(part)
			if listID != 0 {
				_, err := t.exec(`DELETE FROM list_members WHERE list_id = ? AND contact_id IN (SELECT value FROM json_each(?))`, listID, which)
				return err
			}
			for _, q := range statements {
				if _, err := t.exec(q, which); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
