package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"hongyan/app/model"
)

// Segments implements app.ContactStore, in order of names.
func (s *Store) Segments(ctx context.Context) ([]model.Segment, error) {
	return s.segments(ctx, `ORDER BY name`)
}

// Segment implements app.ContactStore. ENotFound when there is no such segment.
func (s *Store) Segment(ctx context.Context, id int64) (*model.Segment, error) {
	found, err := s.segments(ctx, `WHERE id = ?`, id)
	return one(found, err, "segment", idName(id))
}

// SegmentByName implements app.ContactStore. ENotFound when there is no such segment.
func (s *Store) SegmentByName(ctx context.Context, name string) (*model.Segment, error) {
	found, err := s.segments(ctx, `WHERE name = ?`, name)
	return one(found, err, "segment", name)
}

func (s *Store) segments(ctx context.Context, which string, args ...any) ([]model.Segment, error) {
	var all []model.Segment
	err := s.app.each(ctx, func(rows *sql.Rows) error {
		var g model.Segment
		var filter []byte
		var updated int64
		if err := rows.Scan(&g.ID, &g.Name, &filter, &updated); err != nil {
			return err
		}
		g.UpdatedAt = at(updated)
		err := json.Unmarshal(filter, &g.Filter)
		all = append(all, g)
		return err
	}, `SELECT id, name, filter, updated FROM segments `+which, args...)
	return all, err
}

// SaveSegment implements app.ContactStore: it inserts (ID 0, which it sets) or updates. EExists when the name is
// taken; for a filter that is none the errors of checkFilter.
func (s *Store) SaveSegment(ctx context.Context, g *model.Segment) error {
	if err := checkFilter(g.Filter); err != nil {
		return err
	}
	if g.UpdatedAt.IsZero() {
		g.UpdatedAt = time.Now()
	}
	id := g.ID
	err := s.app.write(ctx, func(t *tx) (err error) {
		args := []any{g.Name, toJSON(g.Filter), ms(g.UpdatedAt)}
		if g.ID == 0 {
			id, err = t.insert(`INSERT INTO segments (name, filter, updated) VALUES (?, ?, ?)`, args...)
		} else {
			var n int
			n, err = t.changes(`UPDATE segments SET name = ?, filter = ?, updated = ? WHERE id = ?`, append(args, g.ID)...)
			if err == nil && n == 0 {
				return model.E(model.ENotFound, nil, "kind", "segment", "name", g.Name)
			}
		}
		if taken(err) {
			return model.E(model.EExists, nil, "kind", "segment", "name", g.Name)
		}
		return err
	})
	if err == nil {
		g.ID = id
	}
	return err
}

// RemoveSegment implements app.ContactStore. Its people, and the campaigns that went to them, stay.
func (s *Store) RemoveSegment(ctx context.Context, id int64) error {
	return s.app.removeRow(ctx, `DELETE FROM segments WHERE id = ?`, "segment", id)
}
