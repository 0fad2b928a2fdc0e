package store

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"maps"
	"slices"
	"sync"

	"hongyan/app/model"
)

// ContactIDs implements app.ContactStore. A search finds part of an address, a name or the value of a field, with
// ASCII letters in either case.
func (s *Store) ContactIDs(ctx context.Context, q model.ContactQuery) ([]int64, error) {
	switch q.Sort {
	case "", model.SortAdded, model.SortEmail, model.SortName, model.SortSource:
	default:
		return nil, model.E(model.EInvalid, nil, "field", "sort", "value", string(q.Sort))
	}
	ids, err := s.orderedIDs(ctx, q)
	if err == nil && q.Desc {
		slices.Reverse(ids)
	}
	return ids, err
}

// orderedIDs gives the ids in ascending order.
//
// An index gives everybody in the order wanted; who is not meant is then left out here, by a bitmap, which costs a
// tenth of a look-up per row. Only where few are meant is it cheaper to have SQLite sort them.
func (s *Store) orderedIDs(ctx context.Context, q model.ContactQuery) ([]int64, error) {
	column := map[model.SortKey]string{model.SortEmail: "email", model.SortName: "name COLLATE NOCASE, id", model.SortSource: "id"}[q.Sort]
	everybody := func() ([]int64, error) {
		if q.Sort == model.SortSource {
			return s.bySource(ctx, `SELECT id, source FROM contacts ORDER BY id`)
		}
		return s.ids(ctx, `SELECT id FROM contacts ORDER BY `+cmp.Or(column, "id"))
	}
	if q.ListID == 0 && q.Search == "" {
		return everybody()
	}
	size, highest, err := s.listSize(ctx, q.ListID)
	if err != nil {
		return nil, err
	}
	var all, some []int64
	var allErr error
	var work sync.WaitGroup
	if column != "" && q.Search == "" && size*8 >= highest { // the two passes at once
		work.Go(func() { all, allErr = everybody() })
	}
	if q.Search != "" {
		some, err = s.searchIDs(ctx, q)
	} else {
		some, err = s.ids(ctx, `SELECT contact_id FROM list_members WHERE list_id = ? ORDER BY contact_id`, q.ListID)
	}
	work.Wait()
	switch {
	case err != nil || column == "" || len(some) < 2:
		return some, err
	case int64(len(some))*8 >= highest:
		if all == nil && allErr == nil {
			all, allErr = everybody()
		}
		set := newIDSet(some)
		return slices.DeleteFunc(all, func(id int64) bool { return !set.has(id) }), allErr
	case q.Sort == model.SortSource:
		return s.bySource(ctx, `SELECT id, source FROM contacts WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id`, toJSON(some))
	}
	// The + keeps SQLite from walking the index of everybody.
	return s.ids(ctx, `SELECT id FROM contacts WHERE id IN (SELECT value FROM json_each(?)) ORDER BY +`+column, toJSON(some))
}

// listSize counts a list; highest is the highest id of a contact, an upper bound of their number.
func (s *Store) listSize(ctx context.Context, listID int64) (size, highest int64, err error) {
	err = s.app.row(ctx, `SELECT (SELECT count(*) FROM list_members WHERE list_id = ?), (SELECT coalesce(max(id), 0) FROM contacts)`,
		[]any{listID}, &size, &highest)
	return size, highest, coded(err, s.app.path)
}

// ids runs a query for ids.
func (s *Store) ids(ctx context.Context, q string, args ...any) ([]int64, error) {
	ids := make([]int64, 0, 1024)
	err := s.app.each(ctx, func(rows *sql.Rows) error {
		var id int64
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	}, q, args...)
	return ids, err
}

// bySource runs a query for ids and sources, and orders the ids by the texts of these first. There are few of
// them: they are sorted by counting.
func (s *Store) bySource(ctx context.Context, q string, args ...any) ([]int64, error) {
	sources := make(map[int64][]int64)
	n := 0
	err := s.app.each(ctx, func(rows *sql.Rows) error {
		var id, source int64
		err := rows.Scan(&id, &source)
		sources[source] = append(sources[source], id)
		n++
		return err
	}, q, args...)
	if err != nil {
		return nil, err
	}
	texts, err := s.statements(ctx)
	if err != nil {
		return nil, err
	}
	ids := make([]int64, 0, n)
	for _, k := range slices.SortedFunc(maps.Keys(sources), func(a, b int64) int { return cmp.Compare(texts[a], texts[b]) }) {
		ids = append(ids, sources[k]...)
	}
	return ids, nil
}

func (s *Store) statements(ctx context.Context) (map[int64]string, error) {
	texts := make(map[int64]string)
	err := s.app.each(ctx, func(rows *sql.Rows) error {
		var id int64
		var text string
		err := rows.Scan(&id, &text)
		texts[id] = text
		return err
	}, `SELECT id, text FROM statements`)
	return texts, err
}

// searchIDs looks through every contact, and gives the ids in order. Fields are stored as JSON, so where only they
// match, their values are looked at one by one: what stands in a field's name, or in the JSON around, is not meant.
func (s *Store) searchIDs(ctx context.Context, q model.ContactQuery) ([]int64, error) {
	const plain = `c.email LIKE ?1 ESCAPE '\' OR c.address LIKE ?1 ESCAPE '\' OR c.name LIKE ?1 ESCAPE '\'`
	quoted := toJSON(q.Search)
	inJSON := quoted[1 : len(quoted)-1]
	args := []any{like(q.Search), like(inJSON)}
	from := `contacts c WHERE`
	if q.ListID != 0 {
		from = `list_members m CROSS JOIN contacts c ON c.id = m.contact_id WHERE m.list_id = ?3 AND`
		args = append(args, q.ListID)
	}
	wanted := bytes.ToLower([]byte(inJSON))
	ids := []int64{}
	err := s.app.each(ctx, func(rows *sql.Rows) error {
		var id int64
		var text sql.RawBytes
		if err := rows.Scan(&id, &text); err != nil {
			return err
		}
		found := len(text) == 0
		if !found {
			err := eachField(text, func(_, value []byte) { found = found || bytes.Contains(bytes.ToLower(value), wanted) })
			if err != nil {
				return err
			}
		}
		if found {
			ids = append(ids, id)
		}
		return nil
	}, `SELECT c.id, CASE WHEN `+plain+` THEN '' ELSE c.fields END FROM `+from+` (`+plain+` OR c.fields LIKE ?2 ESCAPE '\') ORDER BY c.id`, args...)
	return ids, err
}

// idSet is a set of ids, a bit each.
type idSet []uint64

// newIDSet makes the set of ids in ascending order.
func newIDSet(ids []int64) idSet {
	if len(ids) == 0 {
		return nil
	}
	set := make(idSet, ids[len(ids)-1]/64+1)
	for _, id := range ids {
		set[id/64] |= 1 << (id % 64)
	}
	return set
}

func (s idSet) has(id int64) bool {
	i := id / 64
	return i < int64(len(s)) && s[i]&(1<<(id%64)) != 0
}

// FieldNames implements app.ContactStore. listID 0 looks at everybody.
func (s *Store) FieldNames(ctx context.Context, listID int64) ([]string, error) {
	from, args := `contacts c WHERE`, []any(nil)
	if listID != 0 {
		from, args = `list_members m CROSS JOIN contacts c ON c.id = m.contact_id WHERE m.list_id = ? AND`, []any{listID}
	}
	count := make(map[string]int)
	err := s.app.each(ctx, func(rows *sql.Rows) error {
		var text sql.RawBytes
		if err := rows.Scan(&text); err != nil {
			return err
		}
		return eachField(text, func(name, _ []byte) { count[string(name)]++ })
	}, `SELECT c.fields FROM `+from+` c.fields <> ''`, args...)
	if err != nil {
		return nil, err
	}
	return byCount(count)
}
