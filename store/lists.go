package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"hongyan/app/model"
)

func (s *Store) lists(ctx context.Context, where string, args ...any) ([]model.List, error) {
	var all []model.List
	err := s.app.each(ctx, func(rows *sql.Rows) error {
		var l model.List
		var created int64
		err := rows.Scan(&l.ID, &l.Name, &created, &l.Count)
		l.CreatedAt = at(created)
		all = append(all, l)
		return err
	}, `SELECT id, name, created, (SELECT count(*) FROM list_members WHERE list_id = id) FROM lists `+where, args...)
	return all, err
}

// Lists implements app.ContactStore, in order of names.
func (s *Store) Lists(ctx context.Context) ([]model.List, error) {
	return s.lists(ctx, "ORDER BY name")
}

// ListsOf implements app.ContactStore: the lists that a person is on, in order of names.
func (s *Store) ListsOf(ctx context.Context, contactID int64) ([]model.List, error) {
	return s.lists(ctx, "WHERE id IN (SELECT list_id FROM list_members WHERE contact_id = ?) ORDER BY name", contactID)
}

// ListByName implements app.ContactStore. ENotFound when there is no such list.
func (s *Store) ListByName(ctx context.Context, name string) (*model.List, error) {
	found, err := s.lists(ctx, "WHERE name = ?", name)
	return one(found, err, "list", name)
}

// CreateList implements app.ContactStore. EExists when the name is taken.
func (s *Store) CreateList(ctx context.Context, name string) (*model.List, error) {
	l := &model.List{Name: name, CreatedAt: at(time.Now().UnixMilli())}
	err := s.app.write(ctx, func(t *tx) (err error) {
		l.ID, err = createList(t, name, l.CreatedAt)
		return err
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}

func createList(t *tx, name string, when time.Time) (int64, error) {
	id, err := t.insert(`INSERT INTO lists (name, created) VALUES (?, ?)`, name, ms(when))
	if taken(err) {
		err = model.E(model.EExists, nil, "kind", "list", "name", name)
	}
	return id, err
}

// RenameList implements app.ContactStore. EExists when the name is taken, ENotFound when there is no such list.
func (s *Store) RenameList(ctx context.Context, id int64, name string) error {
	return s.app.write(ctx, func(t *tx) error {
		n, err := t.changes(`UPDATE lists SET name = ? WHERE id = ?`, name, id)
		switch {
		case taken(err):
			return model.E(model.EExists, nil, "kind", "list", "name", name)
		case err == nil && n == 0:
			return model.E(model.ENotFound, nil, "kind", "list", "name", idName(id))
		}
		return err
	})
}

// RemoveList implements app.ContactStore. Its people stay, even those who were on no other list.
func (s *Store) RemoveList(ctx context.Context, id int64) error {
	return s.app.write(ctx, func(t *tx) error {
		n, err := t.changes(`DELETE FROM lists WHERE id = ?`, id)
		if err == nil && n == 0 {
			return model.E(model.ENotFound, nil, "kind", "list", "name", idName(id))
		}
		if err == nil {
			_, err = t.exec(`DELETE FROM list_members WHERE list_id = ?`, id)
		}
		return err
	})
}

// listExists makes sure, within a transaction, that a list is there.
func listExists(t *tx, id int64) error {
	_, err := listName(t, id)
	return err
}

func listName(v view, id int64) (string, error) {
	return nameOf(v, "list", `SELECT name FROM lists WHERE id = ?`, id)
}

// AddToList implements app.ContactStore: it makes the list when it is missing, and says how many are on it newly.
// Many are done in several transactions.
func (s *Store) AddToList(ctx context.Context, ids []int64, name string) (int, error) {
	c := change{kind: model.ChangeOnList, what: name}
	return s.change(ctx, &c, ids, func(t *tx, which string) (int, error) {
		if c.ref == 0 {
			err := t.row(`SELECT id FROM lists WHERE name = ?`, []any{name}, &c.ref)
			if errors.Is(err, sql.ErrNoRows) {
				c.made = 1
				c.ref, err = createList(t, name, time.Now())
			}
			if err != nil {
				return 0, err
			}
		}
		n, err := t.changes(`INSERT INTO change_members (change_id, contact_id, list_id, import_id, gone)
			SELECT ?1, id, ?2, 0, 0 FROM contacts WHERE id IN (SELECT value FROM json_each(?3))
			AND NOT EXISTS (SELECT 1 FROM list_members WHERE list_id = ?2 AND contact_id = id)`, c.id, c.ref, which)
		if err == nil {
			_, err = t.exec(`INSERT INTO list_members (list_id, contact_id, import_id) SELECT list_id, contact_id, 0 FROM change_members
				WHERE change_id = ? AND contact_id IN (SELECT value FROM json_each(?))`, c.id, which)
		}
		return n, err
	})
}

// statement is the number of a sentence about source or consent; 0 for none.
func statement(t *tx, text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	if _, err := t.exec(`INSERT INTO statements (text) VALUES (?) ON CONFLICT DO NOTHING`, text); err != nil {
		return 0, err
	}
	var id int64
	err := t.row(`SELECT id FROM statements WHERE text = ?`, []any{text}, &id)
	return id, err
}
