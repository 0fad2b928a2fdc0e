package store

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strconv"
	"strings"
)

const (
	contactsPerInsert = 100   // rows that one INSERT has; SQLite takes 32766 values in a statement
	knownAtOnce       = 5_000 // known people whose changes are held in memory
)

// view reads: inside a transaction, or what the readers see.
type view interface {
	each(f func(*sql.Rows) error, q string, args ...any) error
	row(q string, args []any, dest ...any) error
}

// lastCommit is the view of the readers.
type lastCommit struct {
	ctx context.Context
	d   *database
}

func (v lastCommit) each(f func(*sql.Rows) error, q string, args ...any) error {
	return v.d.each(v.ctx, f, q, args...)
}

func (v lastCommit) row(q string, args []any, dest ...any) error {
	return v.d.row(v.ctx, q, args, dest...)
}

// importTally is what a chunk adds to the counts of its import.
type importTally struct{ added, updated, duplicate, suppressed int }

// count counts a person that a chunk names for the first time: again is set where an earlier chunk did, member where
// they were on the list.
func (n *importTally) count(again, suppressed, member, changed bool) {
	switch {
	case again:
		n.duplicate++
	case suppressed:
		n.suppressed++
	case !member:
		n.added++
	case changed:
		n.updated++
	default:
		n.duplicate++
	}
}

// chunk is a pack on its way into the store, or one that is only looked at.
type chunk struct {
	*pack
	ids        idSet // people that earlier chunks named
	source     int64
	consent    int64
	own        []int64      // the statements of pack.consents
	suppressed map[int]bool // by place among the people
	known      []known      // in order of ids
	n          importTally
}

// known is a contact that was there before the chunk.
type known struct {
	id      int64
	place   int32 // among the people
	again   bool  // named by an earlier chunk
	member  bool  // on the list
	changed bool
}

// knownOf finds a person among some in order of ids who are known to have them.
func knownOf(some []known, id int64) *known {
	i, _ := slices.BinarySearchFunc(some, id, func(k known, id int64) int { return cmp.Compare(k.id, id) })
	return &some[i]
}

// consentOf is the statement of a row.
func (c *chunk) consentOf(r *packed) int64 {
	switch {
	case !r.agreed:
		return 0
	case r.consent != 0:
		return c.own[r.consent-1]
	}
	return c.consent
}

// agree finds the numbers of the statements that rows have of their own.
func (c *chunk) agree(number func(text string) (int64, error)) error {
	c.own = make([]int64, len(c.consents))
	for i, text := range c.consents {
		var err error
		if c.own[i], err = number(text); err != nil {
			return err
		}
	}
	return nil
}

// lookUp finds who is known already, and who is suppressed. The addresses are in order, so that their index is gone
// through once, page by page; so are then the ids.
func (c *chunk) lookUp(v view) error {
	list := c.addresses()
	err := v.each(func(rows *sql.Rows) error {
		var k known
		if err := rows.Scan(&k.place, &k.id); err != nil {
			return err
		}
		k.again = c.ids.has(k.id)
		c.rows[c.people[k.place]].known = true
		c.known = append(c.known, k)
		return nil
	}, `SELECT j.key, c.id FROM json_each(?) j CROSS JOIN contacts c ON c.email = j.value`, list)
	if err != nil {
		return err
	}
	slices.SortFunc(c.known, func(a, b known) int { return cmp.Compare(a.id, b.id) })
	c.suppressed, err = suppressedAmong(v, list, len(c.people), func(i int) string { return c.string(c.rows[c.people[i]].email) })
	return err
}

// compare reads what is stored of some of the known people, and calls f for those of whom the chunk says something new.
func (c *chunk) compare(v view, some []known, f func(k *known, was, is person, imported int64)) error {
	var name, fields sql.RawBytes
	return v.each(func(rows *sql.Rows) error {
		var p person
		var imported int64
		if err := rows.Scan(&p.id, &imported, &p.source, &p.consent, &p.updated, &name, &fields); err != nil {
			return err
		}
		k := knownOf(some, p.id)
		r := &c.rows[c.people[k.place]]
		consent := c.consentOf(r)
		if (r.name.n == 0 || bytes.Equal(c.bytes(r.name), name)) && (consent == 0 || consent == p.consent) &&
			(r.fields.n == 0 || bytes.Equal(c.bytes(r.fields), fields)) {
			return nil
		}
		p.name, p.fields = string(name), string(fields)
		more, err := fieldsOf(c.string(r.fields))
		if err != nil {
			return err
		}
		is := p
		if k.changed, err = is.merge(c.string(r.name), more, c.source, consent); err == nil && k.changed {
			f(k, p, is, imported)
		}
		return err
	}, `SELECT c.id, c.import_id, c.source, c.consent, c.updated, c.name, c.fields FROM json_each(?) j CROSS JOIN contacts c ON c.id = j.value`,
		idList(some, func(known) bool { return true }))
}

// idList writes the ids of those that f chooses as a JSON list.
func idList(some []known, f func(known) bool) string {
	var b strings.Builder
	b.Grow(8*len(some) + 2)
	b.WriteByte('[')
	for _, k := range some {
		if !f(k) {
			continue
		}
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		var digits [20]byte
		b.Write(strconv.AppendInt(digits[:0], k.id, 10))
	}
	b.WriteByte(']')
	return b.String()
}

// write stores the chunk and counts it: each row exactly once. first and last are the ids of the new people; last is
// less where there are none.
func (c *chunk) write(t *tx, im *importer) (first, last int64, err error) {
	if err := c.fold(); err != nil {
		return 0, 0, err
	}
	if err := c.agree(func(text string) (int64, error) { return statement(t, text) }); err != nil {
		return 0, 0, err
	}
	if err := c.lookUp(t); err != nil {
		return 0, 0, err
	}
	for some := range slices.Chunk(c.known, knownAtOnce) {
		if err := c.update(t, im, some); err != nil {
			return 0, 0, err
		}
	}
	if err := c.attach(t, im); err != nil {
		return 0, 0, err
	}
	c.tally()
	return c.insert(t, im)
}

// tally counts once it is known who was there, on the list, and changed.
func (c *chunk) tally() {
	c.n.duplicate += len(c.rows) - len(c.people)
	for _, k := range c.known {
		c.n.count(k.again, c.suppressed[int(k.place)], k.member, k.changed)
	}
	for i, row := range c.people {
		if !c.rows[row].known {
			c.n.count(false, c.suppressed[i], false, false)
		}
	}
}

// update takes over what is new about those who are known.
func (c *chunk) update(t *tx, im *importer, some []known) error {
	type change struct {
		was, is  person
		imported int64
	}
	var changes []change
	err := c.compare(t, some, func(_ *known, was, is person, imported int64) {
		changes = append(changes, change{was, is, imported})
	})
	if err != nil {
		return err
	}
	for _, x := range changes {
		if x.imported != im.id {
			_, err := t.exec(`INSERT INTO import_before (import_id, contact_id, name, fields, source, consent, updated)
				VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`, im.id, x.was.id, x.was.name, x.was.fields, x.was.source, x.was.consent, x.was.updated)
			if err != nil {
				return err
			}
		}
		if err := x.is.write(t, im.began); err != nil {
			return err
		}
	}
	return nil
}

// attach puts known people on the list and notes that the import named them, each table in one statement and in the
// order of its key.
func (c *chunk) attach(t *tx, im *importer) error {
	if len(c.known) == 0 {
		return nil
	}
	for i := range c.known {
		c.known[i].member = true
	}
	err := t.each(func(rows *sql.Rows) error {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return err
		}
		knownOf(c.known, id).member = false
		return nil
	}, `INSERT INTO list_members (list_id, contact_id, import_id) SELECT ?, value, ? FROM json_each(?) WHERE true
		ON CONFLICT DO NOTHING RETURNING contact_id`, im.list, im.id, idList(c.known, func(known) bool { return true }))
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO contact_sources (import_id, contact_id) SELECT ?, value FROM json_each(?)`,
		im.id, idList(c.known, func(k known) bool { return !k.again }))
	return err
}

// insertNew is the statement that inserts n people; what they have in common comes first.
func insertNew(n int) string {
	return `INSERT INTO contacts (source, import_id, created, updated, id, email, address, name, fields, consent)
		SELECT ?, ?, ?, ?, * FROM (VALUES ` + rowsOf("(?,?,?,?,?,?)", n) + `)`
}

// insert stores those who are new in the order of the source, with ids in a row, so that what hangs on them is inserted
// by their range.
func (c *chunk) insert(t *tx, im *importer) (first, last int64, err error) {
	err = t.row(`SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'contacts'), 0),
		coalesce((SELECT max(id) FROM contacts), 0))`, nil, &last)
	if err != nil {
		return 0, 0, err
	}
	first = last + 1
	const common, own = 4, 6
	args := append(make([]any, 0, common+own*contactsPerInsert), c.source, im.id, im.began, im.began)
	flush := func() error {
		n := (len(args) - common) / own
		if n == 0 {
			return nil
		}
		if n == contactsPerInsert && im.insertFull == "" {
			im.insertFull = insertNew(n)
		}
		var err error
		if n == contactsPerInsert {
			_, err = t.exec(im.insertFull, args...)
		} else {
			err = t.once(insertNew(n), args...)
		}
		args = args[:common]
		return err
	}
	for i := range c.rows {
		r := &c.rows[i]
		if r.known || r.folded {
			continue
		}
		last++
		args = append(args, last, c.string(r.email), c.string(r.address), c.string(r.name), c.string(r.fields), c.consentOf(r))
		if len(args) == cap(args) {
			if err := flush(); err != nil {
				return 0, 0, err
			}
		}
	}
	if err := flush(); err != nil || last < first {
		return first, last, err
	}
	if _, err := t.exec(`INSERT INTO list_members (list_id, contact_id, import_id) SELECT ?, id, ? FROM contacts WHERE id BETWEEN ? AND ?`,
		im.list, im.id, first, last); err != nil {
		return 0, 0, err
	}
	_, err = t.exec(`INSERT INTO contact_sources (import_id, contact_id) SELECT ?, id FROM contacts WHERE id BETWEEN ? AND ?`, im.id, first, last)
	return first, last, err
}
