package store

import (
	"context"
	"database/sql"
	"errors"

	"hongyan/app/model"
)

// Tags implements app.ContactStore, in order of names.
func (s *Store) Tags(ctx context.Context) ([]model.Tag, error) {
	return s.tags(ctx, `ORDER BY name`)
}

// TagByName implements app.ContactStore. ENotFound when there is no such tag.
func (s *Store) TagByName(ctx context.Context, name string) (*model.Tag, error) {
	found, err := s.tags(ctx, `WHERE name = ?`, name)
	return one(found, err, "tag", name)
}

// TagsOf implements app.ContactStore, in order of names.
func (s *Store) TagsOf(ctx context.Context, contactID int64) ([]model.Tag, error) {
	return s.tags(ctx, `WHERE id IN (SELECT tag_id FROM contact_tags WHERE contact_id = ?) ORDER BY name`, contactID)
}

func (s *Store) tags(ctx context.Context, which string, args ...any) ([]model.Tag, error) {
	var all []model.Tag
	err := s.app.each(ctx, func(rows *sql.Rows) error {
		var t model.Tag
		err := rows.Scan(&t.ID, &t.Name, &t.Count)
		all = append(all, t)
		return err
	}, `SELECT id, name, (SELECT count(*) FROM contact_tags WHERE tag_id = id) FROM tags `+which, args...)
	return all, err
}

// RenameTag implements app.ContactStore. EExists when the name is taken, ENotFound when there is no such tag.
func (s *Store) RenameTag(ctx context.Context, id int64, name string) error {
	return s.app.write(ctx, func(t *tx) error {
		n, err := t.changes(`UPDATE tags SET name = ? WHERE id = ?`, name, id)
		switch {
		case taken(err):
			return model.E(model.EExists, nil, "kind", "tag", "name", name)
		case err == nil && n == 0:
			return model.E(model.ENotFound, nil, "kind", "tag", "name", idName(id))
		}
		return err
	})
}

// TagContacts implements app.ContactStore: it makes the tag when it is missing, and says how many have it newly.
// Many are done in several transactions.
func (s *Store) TagContacts(ctx context.Context, ids []int64, name string) (int, error) {
	c := change{kind: model.ChangeTag, what: name}
	return s.change(ctx, &c, ids, func(t *tx, which string) (int, error) {
		if c.ref == 0 {
			err := t.row(`SELECT id FROM tags WHERE name = ?`, []any{name}, &c.ref)
			if errors.Is(err, sql.ErrNoRows) {
				c.made = 1
				c.ref, err = t.insert(`INSERT INTO tags (name) VALUES (?)`, name)
			}
			if err != nil {
				return 0, err
			}
		}
		n, err := t.changes(`INSERT INTO change_tags (change_id, contact_id, tag_id, gone)
			SELECT ?1, id, ?2, 0 FROM contacts WHERE id IN (SELECT value FROM json_each(?3))
			AND NOT EXISTS (SELECT 1 FROM contact_tags WHERE tag_id = ?2 AND contact_id = id)`, c.id, c.ref, which)
		if err == nil {
			_, err = t.exec(`INSERT INTO contact_tags (tag_id, contact_id) SELECT tag_id, contact_id FROM change_tags
				WHERE change_id = ? AND contact_id IN (SELECT value FROM json_each(?))`, c.id, which)
		}
		return n, err
	})
}

// UntagContacts implements app.ContactStore, and says how many had the tag. It stays, also when nobody has it any
// more. Many are done in several transactions.
func (s *Store) UntagContacts(ctx context.Context, ids []int64, tagID int64) (int, error) {
	return s.untag(ctx, &change{kind: model.ChangeUntag, ref: tagID}, ids)
}

func (s *Store) untag(ctx context.Context, c *change, ids []int64) (int, error) {
	return s.change(ctx, c, ids, func(t *tx, which string) (n int, err error) {
		if c.what, err = tagName(t, c.ref); err != nil {
			return 0, err
		}
		_, err = t.exec(`INSERT INTO change_tags (change_id, contact_id, tag_id, gone) SELECT ?, contact_id, tag_id, 1 FROM contact_tags
			WHERE tag_id = ? AND contact_id IN (SELECT value FROM json_each(?))`, c.id, c.ref, which)
		if err != nil {
			return 0, err
		}
		return t.changes(`DELETE FROM contact_tags WHERE tag_id = ? AND contact_id IN (SELECT value FROM json_each(?))`, c.ref, which)
	})
}

// RemoveTag implements app.ContactStore: nobody has the tag any more. It can be taken back like UntagContacts.
func (s *Store) RemoveTag(ctx context.Context, id int64) error {
	who, err := s.ids(ctx, `SELECT contact_id FROM contact_tags WHERE tag_id = ? ORDER BY contact_id`, id)
	if err != nil {
		return err
	}
	c := change{kind: model.ChangeUntag, ref: id}
	if _, err := s.untag(ctx, &c, who); err != nil {
		return err
	}
	return s.app.write(ctx, func(t *tx) error {
		name, err := tagName(t, id)
		if err != nil {
			return err
		}
		if err := c.begin(t); err != nil { // nobody had it
			return err
		}
		c.what, c.made = name, -1
		for _, q := range []string{
			`DELETE FROM contact_tags WHERE tag_id = ?`, // of those who got it meanwhile
			`DELETE FROM tags WHERE id = ?`,
		} {
			if _, err := t.exec(q, id); err != nil {
				return err
			}
		}
		return c.keep(t)
	})
}

func tagName(v view, id int64) (string, error) {
	return nameOf(v, "tag", `SELECT name FROM tags WHERE id = ?`, id)
}

// nameOf gives the name of a row, or ENotFound.
func nameOf(v view, kind, q string, id int64) (name string, err error) {
	err = v.row(q, []any{id}, &name)
	if errors.Is(err, sql.ErrNoRows) {
		err = model.E(model.ENotFound, nil, "kind", kind, "name", idName(id))
	}
	return name, err
}
