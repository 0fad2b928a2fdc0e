package store

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// Orphans looks for rows of app.db that hang on rows which are gone, and for what else never may be.
func (s *Store) Orphans() ([]string, error) {
	var bad []string
	for what, q := range map[string]string{
		"list_members without contact":    `SELECT count(*) FROM list_members WHERE contact_id NOT IN (SELECT id FROM contacts)`,
		"list_members without list":       `SELECT count(*) FROM list_members WHERE list_id NOT IN (SELECT id FROM lists)`,
		"contact_sources without contact": `SELECT count(*) FROM contact_sources WHERE contact_id NOT IN (SELECT id FROM contacts)`,
		"contact_sources without import":  `SELECT count(*) FROM contact_sources WHERE import_id NOT IN (SELECT id FROM imports WHERE state <> 'undone')`,
		"import_before without source": `SELECT count(*) FROM import_before b WHERE NOT EXISTS
			(SELECT 1 FROM contact_sources s WHERE s.import_id = b.import_id AND s.contact_id = b.contact_id)`,
		"contact_tags without contact":       `SELECT count(*) FROM contact_tags WHERE contact_id NOT IN (SELECT id FROM contacts)`,
		"contacts of an import that is gone": `SELECT count(*) FROM contacts WHERE import_id <> 0 AND import_id NOT IN (SELECT id FROM imports WHERE state <> 'undone')`,
		"members of an import that is gone":  `SELECT count(*) FROM list_members WHERE import_id <> 0 AND import_id NOT IN (SELECT id FROM imports WHERE state <> 'undone')`,
		"imports that do not add up":         `SELECT count(*) FROM imports WHERE rows <> added + updated + duplicate + suppressed`,
		"contacts without statements": `SELECT count(*) FROM contacts WHERE source <> 0 AND source NOT IN (SELECT id FROM statements)
			OR consent <> 0 AND consent NOT IN (SELECT id FROM statements)`,
	} {
		var n int
		if err := s.app.row(context.Background(), q, nil, &n); err != nil {
			return nil, err
		}
		if n != 0 {
			bad = append(bad, fmt.Sprintf("%s: %d", what, n))
		}
	}
	return bad, nil
}

// Crash ends a store as kill -9 would: nothing that waits is written, nothing is sealed, the lock is dropped.
func (s *Store) Crash() {
	s.closing.Do(func() {
		s.journal.mu.Lock()
		s.journal.closed, s.journal.dead = true, true
		s.journal.mu.Unlock()
		s.journal.nudge()
		<-s.journal.done
		s.release()
	})
}

// CrashInTurn crashes a store whose commits are held back, and lets them go then.
func (s *Store) CrashInTurn(release func()) {
	s.journal.mu.Lock()
	s.journal.closed, s.journal.dead = true, true
	s.journal.results, s.journal.intents = nil, nil
	s.journal.mu.Unlock()
	release()
	s.Crash()
}

// SetMaxPages makes the disk under deliveries.db smaller or larger.
func (s *Store) SetMaxPages(n int) error {
	return s.deliveries.inTurn(context.Background(), func() error {
		_, err := s.deliveries.conn.ExecContext(context.Background(), "PRAGMA max_page_count = "+strconv.Itoa(n))
		return err
	})
}

// Pages is how large deliveries.db is.
func (s *Store) Pages() (n int, err error) {
	err = s.deliveries.row(context.Background(), "PRAGMA page_count", nil, &n)
	return n, err
}

// HoldTurn keeps the journal from committing until the func that it gives is called.
func (s *Store) HoldTurn() (release func()) {
	<-s.deliveries.turn
	return func() { s.deliveries.turn <- struct{}{} }
}

// ExecApp runs any statement on app.db.
func (s *Store) ExecApp(q string) error {
	return s.app.write(context.Background(), func(t *tx) error { return t.once(q) })
}

// SetBusyTimeout is how long SQLite waits for another program, for databases opened after it.
func SetBusyTimeout(ms int) { busyTimeout = ms }

// CopyFolder copies the data files of a folder.
func CopyFolder(from, to string) error { return os.CopyFS(to, os.DirFS(from)) }

// Tables dumps what changes by hand may touch, a row a text.
func (s *Store) Tables() (map[string][]string, error) {
	all := make(map[string][]string)
	for _, table := range []string{"contacts", "lists", "list_members", "tags", "contact_tags", "contact_sources", "import_before", "suppressions", "contact_merged"} {
		err := s.app.each(context.Background(), func(rows *sql.Rows) error {
			columns, err := rows.Columns()
			if err != nil {
				return err
			}
			row := make([]any, len(columns))
			for i := range row {
				row[i] = new(any)
			}
			err = rows.Scan(row...)
			text := ""
			for i, v := range row {
				text += fmt.Sprintf("%s=%v ", columns[i], *v.(*any))
			}
			all[table] = append(all[table], text)
			return err
		}, `SELECT * FROM `+table+` ORDER BY 1, 2`)
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// ChangeRows counts the rows that are kept of changes, and those of changes that are gone.
func (s *Store) ChangeRows() (all, dead int, err error) {
	for _, table := range changeTables {
		var n, m int
		err := s.app.row(context.Background(), `SELECT count(*), coalesce(sum(change_id NOT IN (SELECT id FROM changes)), 0) FROM `+table, nil, &n, &m)
		if err != nil {
			return 0, 0, err
		}
		all, dead = all+n, dead+m
	}
	return all, dead, nil
}

// LongScans explains every statement that was used to write to app.db, and gives those that go through all people or
// all that hangs on them.
func (s *Store) LongScans() (bad []string, err error) {
	ctx := context.Background()
	err = s.app.inTurn(ctx, func() error {
		for q := range s.app.stmts {
			n := strings.Count(q, "?")
			for i := n; i > 0; i-- { // ?1 may stand there twice
				if strings.Contains(q, "?"+strconv.Itoa(i)) {
					n = i
					break
				}
			}
			rows, err := s.app.conn.QueryContext(ctx, "EXPLAIN QUERY PLAN "+q, make([]any, n)...)
			err = walk(rows, err, func(rows *sql.Rows) error {
				var id, parent, unused int
				var step string
				err := rows.Scan(&id, &parent, &unused, &step)
				if _, table, scan := strings.Cut(step, "SCAN "); scan && longTable.MatchString(table) {
					bad = append(bad, step+": "+q)
				}
				return err
			})
			if err != nil {
				return fmt.Errorf("%s: %w", q, err)
			}
		}
		return nil
	})
	return bad, err
}

var longTable = regexp.MustCompile(`^(contacts|list_members|contact_tags|contact_sources|import_before|change_\w+|[xsb])\b`)

// NotUpTo gives the ids of all that are not in an empty set up to highest.
func NotUpTo(highest int64) []int64 {
	s := newIDSet(highest)
	s.not()
	s.trim(highest)
	return s.ids()[1:]
}

// CutFrom makes scans be cut into ranges from so many ids on.
func CutFrom(t interface{ Cleanup(func()) }, n int64) {
	was := cutFrom
	cutFrom = n
	t.Cleanup(func() { cutFrom = was })
}
