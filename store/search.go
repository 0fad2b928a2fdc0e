package store

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"maps"
	"slices"

	"hongyan/app/model"
)

// ContactIDs implements app.ContactStore. A search finds part of an address, a name or the value of a field, with
// ASCII letters in either case. What a filter may ask, and its errors, are in checkFilter; one that names a list, a tag
// or a campaign that is gone is ENotFound, because nobody knows whom it would choose.
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
	highest, err := s.highest(ctx)
	if err != nil {
		return nil, err
	}
	if q.ListID == 0 && q.Search == "" && q.Filter.Empty() {
		return s.everybody(ctx, q.Sort, highest)
	}
	set, exact, err := s.meant(ctx, q, highest)
	if err != nil {
		return nil, err
	}
	n := set.count()
	column := sortColumns[q.Sort]
	switch {
	case n == 0:
		return []int64{}, nil
	case column == "" && exact:
		return set.ids(), nil
	case int64(n)*8 >= highest:
		all, err := s.everybody(ctx, q.Sort, highest)
		return slices.DeleteFunc(all, func(id int64) bool { return !set.has(id) }), err
	case q.Sort == model.SortSource:
		packed, err := s.ids(ctx, `SELECT source << 40 | id FROM contacts WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id`, toJSON(set.ids()))
		if err != nil {
			return nil, err
		}
		return s.bySource(ctx, packed)
	}
	// The + keeps SQLite from walking the index of everybody.
	return s.ids(ctx, `SELECT id FROM contacts WHERE id IN (SELECT value FROM json_each(?)) ORDER BY +`+cmp.Or(column, "id"), toJSON(set.ids()))
}

// sortColumns are what is sorted by beside the id. There is an index on email and on name.
var sortColumns = map[model.SortKey]string{model.SortEmail: "email", model.SortName: "name COLLATE NOCASE, id", model.SortSource: "source"}

// everybody gives the ids of all, in order.
func (s *Store) everybody(ctx context.Context, sort model.SortKey, highest int64) ([]int64, error) {
	switch sort {
	case model.SortEmail, model.SortName:
		return s.ids(ctx, `SELECT id FROM contacts ORDER BY `+sortColumns[sort])
	case model.SortSource:
		packed, err := s.app.collect(ctx, highest, `SELECT source << 40 | id FROM contacts WHERE id BETWEEN ? AND ? ORDER BY id`)
		if err != nil {
			return nil, err
		}
		return s.bySource(ctx, packed)
	}
	return s.app.collect(ctx, highest, `SELECT id FROM contacts WHERE id BETWEEN ? AND ? ORDER BY id`)
}

// meant is the set of those that a query is about. exact tells that all of them are there.
func (s *Store) meant(ctx context.Context, q model.ContactQuery, highest int64) (set idSet, exact bool, err error) {
	if q.ListID != 0 && (q.Search == "" || !q.Filter.Empty()) {
		set, err = s.app.gather(ctx, rangesOf(highest), highest, onlyID, `SELECT contact_id FROM list_members WHERE list_id = ? AND contact_id BETWEEN ? AND ?`, q.ListID)
		if err != nil {
			return nil, false, err
		}
		exact = true
	}
	narrow := func(found idSet, there bool, err error) error {
		if set != nil && err == nil {
			found.and(set)
		}
		set, exact = found, exact || there
		return err
	}
	if !q.Filter.Empty() {
		if err := narrow(s.filtered(ctx, q.Filter, set, highest)); err != nil {
			return nil, false, err
		}
	}
	if q.Search != "" {
		found, err := s.search(ctx, q, set, highest)
		if err := narrow(found, true, err); err != nil {
			return nil, false, err
		}
	}
	return set, exact, nil
}

// highest is the highest id of a contact, an upper bound of their number.
func (s *Store) highest(ctx context.Context) (id int64, err error) {
	err = s.app.row(ctx, `SELECT coalesce(max(id), 0) FROM contacts`, nil, &id)
	return id, coded(err, s.app.path)
}

// ids runs a query for ids.
func (s *Store) ids(ctx context.Context, q string, args ...any) ([]int64, error) {
	ids := make([]int64, 0, 1024)
	err := s.app.each(ctx, func(rows *sql.Rows) error {
		id, err := onlyID(rows)
		ids = append(ids, id)
		return err
	}, q, args...)
	return ids, err
}

// bySource orders ids by the texts of their sources first. Each comes with the number of its source above 40 bits,
// because a row of one number is read in two thirds of the time of a row of two. There are few sources: they are
// sorted by counting.
func (s *Store) bySource(ctx context.Context, packed []int64) ([]int64, error) {
	const mask = 1<<40 - 1
	texts, err := s.statements(ctx)
	if err != nil {
		return nil, err
	}
	at := make(map[int64]int) // where the next of a source goes
	for _, p := range packed {
		at[p>>40]++
	}
	n := 0
	for _, source := range slices.SortedFunc(maps.Keys(at), func(a, b int64) int { return cmp.Or(cmp.Compare(texts[a], texts[b]), cmp.Compare(a, b)) }) {
		at[source], n = n, n+at[source]
	}
	ids := make([]int64, len(packed))
	for _, p := range packed {
		ids[at[p>>40]] = p & mask
		at[p>>40]++
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

// search looks through every contact, or those among some; of the others the set says nothing. Fields are stored as
// JSON, so where only they match, their values are looked at one by one: what stands in a field's name, or in the JSON
// around, is not meant.
func (s *Store) search(ctx context.Context, q model.ContactQuery, among idSet, highest int64) (idSet, error) {
	const plain = `c.email LIKE ?1 ESCAPE '\' OR c.address LIKE ?1 ESCAPE '\' OR c.name LIKE ?1 ESCAPE '\'`
	quoted := toJSON(q.Search)
	inJSON := quoted[1 : len(quoted)-1]
	args := []any{like(q.Search), like(inJSON), q.ListID}
	from := `contacts c WHERE ?3 = 0 AND c.id BETWEEN ? AND ?`
	if q.ListID != 0 {
		from = `list_members m CROSS JOIN contacts c ON c.id = m.contact_id WHERE m.list_id = ?3 AND m.contact_id BETWEEN ? AND ?`
	}
	wanted := bytes.ToLower([]byte(inJSON))
	return s.app.gather(ctx, among.ranges(highest), highest, func(rows *sql.Rows) (int64, error) {
		var id int64
		var text sql.RawBytes
		if err := rows.Scan(&id, &text); err != nil || len(text) == 0 || !among.matters(id) {
			return id, err
		}
		found := false
		err := eachField(text, func(_, value []byte) { found = found || bytes.Contains(bytes.ToLower(value), wanted) })
		if !found {
			id = 0
		}
		return id, err
	}, `SELECT c.id, CASE WHEN `+plain+` THEN '' ELSE c.fields END FROM `+from+` AND (`+plain+` OR c.fields LIKE ?2 ESCAPE '\')`, args...)
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
