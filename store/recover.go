package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"time"
)

// recover puts the journal in order before anything is sent: see Open.
func (s *Store) recover(ctx context.Context) error {
	var before string // the name of the marks of the last opening
	err := s.deliveries.write(ctx, func(t *tx) error {
		copied, err := s.enroll(t)
		if err != nil {
			return err
		}
		s.copied = copied
		if before, err = meta(t, "marks"); err != nil {
			return err
		}
		marks, err := s.findMarks(t, marksPath(before))
		if err != nil {
			return err
		}
		if err := recoverResults(t, marks.results); err != nil {
			return err
		}
		now := time.Now().UnixMilli()
		for _, q := range []string{
			`UPDATE attempts SET state = 'unknown', scope = 'unknown' WHERE (delivery_id, n) IN (
			   SELECT d.id, d.tries FROM campaigns c JOIN deliveries d INDEXED BY deliveries_due ON d.campaign_id = c.id AND d.state = 'attempting')`,
			`UPDATE deliveries SET state = 'unknown', scope = 'unknown', updated = ?1 WHERE id IN (
			   SELECT d.id FROM campaigns c JOIN deliveries d INDEXED BY deliveries_due ON d.campaign_id = c.id AND d.state = 'attempting')`,
			`UPDATE campaigns SET state = 'paused', reason = CASE WHEN ?2 THEN 'copied' ELSE 'crash' END, detail = ''
			   WHERE state = 'running' OR (?2 AND state = 'paused')`,
		} {
			if _, err := t.d.conn.ExecContext(ctx, q, now, copied); err != nil {
				return err
			}
		}
		if err := recoverAhead(t, marks, now); err != nil {
			return err
		}
		s.marks = randomName()
		if err := setMeta(t, "marks", s.marks); err != nil {
			return err
		}
		return setMeta(t, "clean", "0")
	})
	if err != nil {
		return err
	}
	if path := marksPath(before); path != "" && !s.copied { // else they may be those of our twin, at work
		_ = os.Remove(path) // what they told is in the file now
	}
	return coded(s.enrolled(), filepath.Join(s.dir, identityName))
}

// attemptID tells attempts apart.
type attemptID struct{ id, n int64 }

// found is what marks tell of an opening that came to no orderly end.
type found struct {
	believed bool               // what they do not tell of did not happen
	began    map[attemptID]mark // letters that left ahead
	results  []mark             // of letters that the file itself has as attempting
}

// findMarks reads the marks at path. In a folder that looks like a copy they are not believed: its twin may have gone on.
func (s *Store) findMarks(t *tx, path string) (found, error) {
	var highest int64
	err := t.row(`SELECT seq FROM sqlite_sequence WHERE name = 'reservations'`, nil, &highest)
	if err != nil && !errors.Is(err, sql.ErrNoRows) { // none: nothing was ever reserved
		return found{}, err
	}
	all, believed := readMarks(path, highest)
	f := found{believed: believed && !s.copied, began: map[attemptID]mark{}}
	for _, k := range all {
		switch {
		case k.seq > 0:
			f.began[attemptID{k.id, k.n}] = k
		case f.believed && settles(k.out.State):
			f.results = append(f.results, k)
		}
	}
	return f, nil
}

// recoverResults writes the results that were known and had found no way to the file.
func recoverResults(t *tx, results []mark) error {
	for _, k := range results {
		var one int
		err := t.row(`SELECT 1 FROM deliveries d JOIN attempts a ON a.delivery_id = d.id AND a.n = d.tries
			WHERE d.id = ? AND d.state = 'attempting' AND d.tries = ? AND a.started = ?`, []any{k.id, k.n, k.started}, &one)
		if errors.Is(err, sql.ErrNoRows) {
			continue // it found one, or the attempt never came to the disk
		}
		if err != nil {
			return err
		}
		if err := writeResult(t, &result{o: k.out, n: int(k.n), intended: true}); err != nil {
			return err
		}
	}
	return nil
}

// recoverAhead looks after letters that may have left ahead (ahead.go) and whose results are not on the disk. Where the
// marks are not believed everybody who was reserved is unknown.
func recoverAhead(t *tx, f found, now int64) error {
	var all []mark
	err := t.each(func(rows *sql.Rows) error {
		var account, at int64
		var members sql.RawBytes
		if err := rows.Scan(&account, &at, &members); err != nil {
			return err
		}
		var pairs []int64
		if err := json.Unmarshal(members, &pairs); err != nil {
			return err
		}
		for ; len(pairs) >= 2; pairs = pairs[2:] {
			k, known := f.began[attemptID{pairs[0], pairs[1]}]
			switch {
			case known:
				all = append(all, k)
			case !f.believed:
				all = append(all, mark{id: pairs[0], n: pairs[1], account: account, started: at})
			}
		}
		return nil
	}, `SELECT account_id, at, members FROM reservations ORDER BY seq`)
	if err != nil {
		return err
	}
	for _, k := range all {
		if err := recoverMarked(t, k, now); err != nil {
			return err
		}
	}
	_, err = t.exec(`DELETE FROM reservations`)
	return err
}

// recoverMarked gives a letter that left ahead the result that its mark knows, or makes it unknown.
func recoverMarked(t *tx, k mark, now int64) error {
	var tries int64
	err := t.row(`SELECT tries FROM deliveries WHERE id = ? AND state IN ('queued', 'deferred')`, []any{k.id}, &tries)
	if errors.Is(err, sql.ErrNoRows) || err == nil && tries >= k.n { // its result is on the disk, or it was intended besides
		return nil
	}
	if err != nil {
		return err
	}
	if settles(k.out.State) {
		return writeMarked(t, []*result{{o: k.out, lease: &lease{account: k.account, at: at(k.started), tries: int(k.n) - 1}}})
	}
	_, err = t.exec(`UPDATE deliveries SET state = 'unknown', scope = 'unknown', account_id = ?, attempts = attempts + 1, tries = ?,
		next_at = 0, updated = ? WHERE id = ?`, k.account, k.n, now, k.id)
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO attempts (delivery_id, n, account_id, started, intended, state, scope) VALUES (?, ?, ?, ?, 1, 'unknown', 'unknown')`,
		k.id, k.n, k.account, k.started)
	return err
}
