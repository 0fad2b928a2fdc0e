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
		if before, err = meta(t, "marks"); err != nil {
			return err
		}
		if err := s.recoverAhead(t, marksPath(before), now); err != nil {
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

// recoverAhead looks after letters that may have left ahead (ahead.go) and whose results are not on the disk. In a folder
// that looks like a copy everybody who was reserved is unknown: its twin may have gone on.
func (s *Store) recoverAhead(t *tx, marksPath string, now int64) error {
	var highest int64
	err := t.row(`SELECT seq FROM sqlite_sequence WHERE name = 'reservations'`, nil, &highest)
	if errors.Is(err, sql.ErrNoRows) {
		return nil // nothing was ever reserved
	}
	if err != nil {
		return err
	}
	type attempt struct{ id, n int64 }
	left := map[attempt]mark{}
	marked, believed := readMarks(marksPath, highest)
	for _, k := range marked {
		left[attempt{k.id, k.n}] = k
	}
	believed = believed && !s.copied
	var all []mark
	err = t.each(func(rows *sql.Rows) error {
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
			k, known := left[attempt{pairs[0], pairs[1]}]
			switch {
			case known:
				all = append(all, k)
			case !believed:
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
