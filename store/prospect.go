package store

import (
	"context"
	"database/sql"
	"errors"
	"hash/maphash"
	"slices"

	"hongyan/app/model"
)

// prospect implements model.Importer and stores nothing: it counts what an import would do.
type prospect struct {
	s       *Store
	list    int64 // 0: not there
	source  int64
	consent int64
	rows    int
	n       importTally
	named   idSet
	// newcomers are the addresses of people who are not known, as numbers: that two have the same is less likely than
	// one in a million for as many as are counted.
	newcomers map[uint64]struct{}
	seed      maphash.Seed
	packer
}

// notThere is the number of a statement that nobody has.
const notThere = -1

// Prospect implements app.ContactStore. It works on what others have committed, chunk by chunk, and is the same as the
// import's own report where nobody else changes anything meanwhile.
func (s *Store) Prospect(ctx context.Context, spec model.ImportSpec) (model.Importer, error) {
	k := &prospect{s: s, newcomers: map[uint64]struct{}{}, seed: maphash.MakeSeed()}
	k.sink, k.most = k.look, s.chunkRows
	v := lastCommit{ctx, s.app}
	err := v.row(`SELECT id FROM lists WHERE name = ?`, []any{spec.ListName}, &k.list)
	if errors.Is(err, sql.ErrNoRows) {
		k.list, err = 0, nil
	}
	if err != nil {
		return nil, coded(err, s.app.path)
	}
	if k.source, err = statementOf(v, spec.Source); err == nil {
		k.consent, err = statementOf(v, spec.Consent)
	}
	if err != nil {
		return nil, coded(err, s.app.path)
	}
	return k, nil
}

// statementOf is the number that a statement has, or will have.
func statementOf(v view, text string) (id int64, err error) {
	if text == "" {
		return 0, nil
	}
	err = v.row(`SELECT id FROM statements WHERE text = ?`, []any{text}, &id)
	if errors.Is(err, sql.ErrNoRows) {
		return notThere, nil
	}
	return id, err
}

// look counts a chunk as chunk.write would.
func (k *prospect) look(ctx context.Context, p *pack) error {
	v := lastCommit{ctx, k.s.app}
	c := &chunk{pack: p, ids: k.named, source: k.source, consent: k.consent}
	if err := c.fold(); err != nil {
		return err
	}
	if err := c.agree(func(text string) (int64, error) { return statementOf(v, text) }); err != nil {
		return coded(err, k.s.app.path)
	}
	if err := c.lookUp(v); err != nil {
		return coded(err, k.s.app.path)
	}
	for some := range slices.Chunk(c.known, knownAtOnce) {
		if err := c.compare(v, some, func(*known, person, person, int64) {}); err != nil {
			return err
		}
		if err := k.members(v, some); err != nil {
			return err
		}
	}
	for _, row := range c.people {
		if c.rows[row].known {
			continue
		}
		key := maphash.Bytes(k.seed, c.bytes(c.rows[row].email))
		if _, again := k.newcomers[key]; again {
			c.rows[row].known = true
			c.n.duplicate++
		}
		k.newcomers[key] = struct{}{}
	}
	c.tally()
	if n := len(c.known); n > 0 {
		k.named.reach(c.known[n-1].id)
	}
	for _, known := range c.known {
		k.named.add(known.id)
	}
	k.rows += len(c.rows)
	k.n.added, k.n.updated = k.n.added+c.n.added, k.n.updated+c.n.updated
	k.n.duplicate, k.n.suppressed = k.n.duplicate+c.n.duplicate, k.n.suppressed+c.n.suppressed
	return nil
}

// members finds who is on the list.
func (k *prospect) members(v view, some []known) error {
	if k.list == 0 {
		return nil
	}
	return v.each(func(rows *sql.Rows) error {
		var id int64
		err := rows.Scan(&id)
		if err == nil {
			knownOf(some, id).member = true
		}
		return err
	}, `SELECT m.contact_id FROM json_each(?) j CROSS JOIN list_members m ON m.list_id = ? AND m.contact_id = j.value`,
		idList(some, func(known) bool { return true }), k.list)
}

// Finish implements model.Importer.
func (k *prospect) Finish(ctx context.Context) (model.ImportReport, error) {
	err := k.Flush(ctx)
	return model.ImportReport{ListID: k.list, Read: k.rows, Added: k.n.added, Updated: k.n.updated, Duplicate: k.n.duplicate, Suppressed: k.n.suppressed}, err
}

// Abort implements model.Importer.
func (k *prospect) Abort(context.Context) error {
	return k.Leave()
}
