package store

import (
	"context"
	"database/sql"
	"slices"
	"sort"
	"strings"

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
// An index gives everybody in the order wanted; who is not on the list is then left out here, by a bitmap, which
// costs a tenth of a look-up per row. Only for a list that is small beside the whole, and for what a search
// finds, is it cheaper to have SQLite sort.
func (s *Store) orderedIDs(ctx context.Context, q model.ContactQuery) ([]int64, error) {
	order := map[model.SortKey]string{model.SortEmail: "c.email", model.SortName: "c.name COLLATE NOCASE, c.id"}[q.Sort]
	if order == "" {
		order = "c.id"
	}
	bySource := q.Sort == model.SortSource
	switch {
	case q.Search != "":
		ids, err := s.searchIDs(ctx, q, order)
		if err == nil && bySource {
			ids, err = s.sortBySource(ctx, ids)
		}
		return ids, err
	case q.ListID == 0:
		return s.ids(ctx, bySource, `SELECT c.id, c.source FROM contacts c ORDER BY `+order)
	}
	members := `SELECT m.contact_id FROM list_members m WHERE m.list_id = ? ORDER BY m.contact_id`
	if order == "c.id" && !bySource {
		return s.ids(ctx, false, members, q.ListID)
	}
	size, highest, err := s.listSize(ctx, q.ListID)
	if err != nil {
		return nil, err
	}
	if size*8 < highest {
		return s.ids(ctx, bySource, `SELECT c.id, c.source FROM list_members m CROSS JOIN contacts c ON c.id = m.contact_id
			WHERE m.list_id = ? ORDER BY `+order, q.ListID)
	}
	on, err := s.ids(ctx, false, members, q.ListID)
	if err != nil {
		return nil, err
	}
	set := newIDSet(on)
	ids, err := s.ids(ctx, bySource, `SELECT c.id, c.source FROM contacts c ORDER BY `+order)
	return slices.DeleteFunc(ids, func(id int64) bool { return !set.has(id) }), err
}

// listSize counts a list; highest is the highest id of a contact, an upper bound of their number.
func (s *Store) listSize(ctx context.Context, listID int64) (size, highest int64, err error) {
	err = s.app.row(ctx, `SELECT (SELECT count(*) FROM list_members WHERE list_id = ?), (SELECT coalesce(max(id), 0) FROM contacts)`,
		[]any{listID}, &size, &highest)
	return size, highest, coded(err, s.app.path)
}

// ids runs a query for ids. A query that gives the source too is, with bySource, ordered by it first.
func (s *Store) ids(ctx context.Context, bySource bool, q string, args ...any) ([]int64, error) {
	ids := make([]int64, 0, 1024)
	if !bySource {
		q = strings.Replace(q, ", c.source", "", 1) // so that the index alone answers
		err := s.app.each(ctx, func(rows *sql.Rows) error {
			var id int64
			err := rows.Scan(&id)
			ids = append(ids, id)
			return err
		}, q, args...)
		return ids, err
	}
	sources := make(map[int64][]int64) // a few sentences: sorted by counting
	err := s.app.each(ctx, func(rows *sql.Rows) error {
		var id, source int64
		err := rows.Scan(&id, &source)
		sources[source] = append(sources[source], id)
		return err
	}, q, args...)
	if err != nil {
		return nil, err
	}
	texts, err := s.statements(ctx)
	if err != nil {
		return nil, err
	}
	keys := make([]int64, 0, len(sources))
	for k := range sources {
		keys = append(keys, k)
	}
	sort.Slice(keys, func(i, j int) bool { return texts[keys[i]] < texts[keys[j]] })
	for _, k := range keys {
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

// sortBySource orders ids, which are in ascending order, by source.
func (s *Store) sortBySource(ctx context.Context, ids []int64) ([]int64, error) {
	return s.ids(ctx, true, `SELECT c.id, c.source FROM contacts c WHERE c.id IN (SELECT value FROM json_each(?)) ORDER BY c.id`, toJSON(ids))
}

// searchIDs looks through every contact. Fields are stored as JSON, so where only they match, their values are
// looked at one by one: what stands in a field's name, or in the JSON around, is not meant.
func (s *Store) searchIDs(ctx context.Context, q model.ContactQuery, order string) ([]int64, error) {
	const plain = `c.email LIKE ?1 ESCAPE '\' OR c.address LIKE ?1 ESCAPE '\' OR c.name LIKE ?1 ESCAPE '\'`
	quoted := toJSON(q.Search)
	args := []any{like(q.Search), like(quoted[1 : len(quoted)-1])}
	from := `contacts c WHERE`
	if q.ListID != 0 {
		from = `list_members m CROSS JOIN contacts c ON c.id = m.contact_id WHERE m.list_id = ?3 AND`
		args = append(args, q.ListID)
	}
	wanted := lowerASCII(q.Search)
	ids := []int64{}
	err := s.app.each(ctx, func(rows *sql.Rows) error {
		var id int64
		var text string
		if err := rows.Scan(&id, &text); err != nil {
			return err
		}
		if text != "" {
			fields, err := fieldsOf(text)
			if err != nil {
				return err
			}
			if !anyContains(fields, wanted) {
				return nil
			}
		}
		ids = append(ids, id)
		return nil
		// The + keeps SQLite from walking an index for the order, with a look-up per row.
	}, `SELECT c.id, CASE WHEN `+plain+` THEN '' ELSE c.fields END FROM `+from+` (`+plain+` OR c.fields LIKE ?2 ESCAPE '\') ORDER BY +`+order, args...)
	return ids, err
}

func anyContains(fields map[string]string, wanted string) bool {
	for _, v := range fields {
		if strings.Contains(lowerASCII(v), wanted) {
			return true
		}
	}
	return false
}

// lowerASCII is how LIKE sees letters.
func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
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
		return fieldNames(text, func(quoted []byte) { count[string(quoted)]++ })
	}, `SELECT c.fields FROM `+from+` c.fields <> ''`, args...)
	if err != nil {
		return nil, err
	}
	return byCount(count)
}
