package store

import (
	"context"
	"database/sql"
	"maps"
	"net/url"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"hongyan/app/model"
)

// database is one SQLite file: one writing connection that is held for one transaction at a time, and a pool
// of readers that see the last commit.
type database struct {
	path    string
	writers *sql.DB
	readers *sql.DB
	conn    *sql.Conn            // the only writing connection
	turn    chan struct{}        // holds one token: the right to use conn
	stmts   map[string]*sql.Stmt // prepared on conn
	tired   bool                 // of waiting for other programs: the last one kept conn waiting
	files   map[string]string    // what tells the file and its log from others of their names, once pinned
}

// dsn writes a path as a URI, so that spaces, Chinese and '?' in it mean themselves.
func dsn(path string, q url.Values) string {
	p := filepath.ToSlash(path)
	if !strings.HasPrefix(p, "/") {
		p = "/" + p // C:/...
	}
	u := url.URL{Scheme: "file", Path: p, RawQuery: q.Encode()}
	return u.String()
}

// busyTimeout is how many milliseconds SQLite waits for a lock that another program holds.
var busyTimeout = 5000

// pragmas of every connection. fullfsync matters on macOS only, where a plain fsync does not reach the disk.
func pragmas(cacheKB int) url.Values {
	return url.Values{
		"_dqs": {"0"},
		"_pragma": {
			"busy_timeout(" + strconv.Itoa(busyTimeout) + ")",
			"cache_size(-" + strconv.Itoa(cacheKB) + ")",
			"temp_store(MEMORY)",
			"trusted_schema(0)",
			"fullfsync(1)",
			"checkpoint_fullfsync(1)",
		},
	}
}

// readPool opens path for reading only, beside whoever may be writing it.
func readPool(path string, n, cacheKB int, more url.Values) (*sql.DB, error) {
	q := pragmas(cacheKB)
	maps.Copy(q, more)
	q.Set("mode", "ro")
	q.Add("_pragma", "query_only(1)")
	db, err := sql.Open("sqlite", dsn(path, q))
	if err != nil {
		return nil, coded(err, path)
	}
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	return db, nil
}

// openDatabase opens an existing file for writing. cacheKB is the writer's page cache; the readers have an
// eighth of it each. The caches of a process are one pool, of which any connection may come to use the whole, and a
// page takes twice its size, for the allocator rounds up to powers of two: memory is bounded by the sum of all, twice.
// maxPages, when not 0, bounds the file.
func openDatabase(ctx context.Context, path string, cacheKB, maxPages int) (d *database, err error) {
	d = &database{path: path, turn: make(chan struct{}, 1), stmts: make(map[string]*sql.Stmt)}
	defer func() {
		if err != nil {
			_ = d.close()
			d, err = nil, coded(err, path)
		}
	}()
	q := pragmas(cacheKB)
	q.Set("mode", "rw")
	q["_pragma"] = append(q["_pragma"], "synchronous(FULL)", "wal_autocheckpoint(16000)", "journal_size_limit(67108864)")
	if maxPages > 0 {
		q.Add("_pragma", "max_page_count("+strconv.Itoa(maxPages)+")")
	}
	if d.writers, err = sql.Open("sqlite", dsn(path, q)); err != nil {
		return
	}
	d.writers.SetMaxOpenConns(1)
	if d.conn, err = d.writers.Conn(ctx); err != nil {
		return
	}
	var mode string
	if err = d.conn.QueryRowContext(ctx, "PRAGMA journal_mode(WAL)").Scan(&mode); err != nil {
		return
	}
	if mode != "wal" {
		// SQLite refuses WAL where memory cannot be shared: network drives, mostly.
		err = model.E(model.EFolder, nil, "path", path, "detail", "SQLite cannot keep a write-ahead log here (a network drive?)")
		return
	}
	d.turn <- struct{}{}
	d.readers, err = readPool(path, runtime.NumCPU()+1, cacheKB/8, nil)
	return
}

func (d *database) close() error {
	var first error
	note := func(err error) {
		if first == nil {
			first = err
		}
	}
	if d.readers != nil {
		note(d.readers.Close())
	}
	for _, s := range d.stmts {
		note(s.Close())
	}
	if d.conn != nil {
		note(d.conn.Close())
	}
	if d.writers != nil {
		note(d.writers.Close())
	}
	return coded(first, d.path)
}

// inTurn runs f while it alone may write: no commit comes between what f reads and what f concludes from it.
func (d *database) inTurn(ctx context.Context, f func() error) error {
	if d.conn == nil {
		return model.E(model.EReadOnly, nil, "path", d.path)
	}
	select {
	case <-d.turn:
	case <-ctx.Done():
		return coded(ctx.Err(), d.path)
	}
	defer func() { d.turn <- struct{}{} }()
	return f()
}

// write runs f as one transaction, all or nothing and durable when write returns nil. Transactions wait for
// each other in here, not in SQLite.
func (d *database) write(ctx context.Context, f func(*tx) error) error {
	return d.inTurn(ctx, func() error { return coded(d.transact(ctx, f), d.path) })
}

// transact is write for one who holds the turn. Its errors are as SQLite made them.
func (d *database) transact(ctx context.Context, f func(*tx) error) error {
	always := context.WithoutCancel(ctx)
	t := &tx{d: d, ctx: ctx}
	if err := d.present(); err != nil {
		return err
	}
	if _, err := d.conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		d.tire(sqliteBusy(err))
		return err
	}
	d.tire(false)
	err := f(t)
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		_, err = d.conn.ExecContext(always, "COMMIT")
	}
	if err != nil {
		// After SQLITE_FULL and its like SQLite may have rolled back already; then this fails, rightly.
		_, _ = d.conn.ExecContext(always, "ROLLBACK")
		return err
	}
	return nil
}

// tire makes the next transactions wait for a moment only, or for the usual time again. Whoever held the file for the
// whole of that may hold it for hours: nobody should wait as long with each thing that is tried at the end.
func (d *database) tire(yes bool) {
	if d.tired == yes {
		return
	}
	wait := busyTimeout
	if yes {
		wait = min(busyTimeout, 100)
	}
	if _, err := d.conn.ExecContext(context.Background(), "PRAGMA busy_timeout = "+strconv.Itoa(wait)); err == nil {
		d.tired = yes
	}
}

// checkpoint empties the write-ahead log, which a bulk of changes has made long. It is a matter of speed alone: what
// it cannot do now is done later.
func (d *database) checkpoint(ctx context.Context) {
	_ = d.inTurn(ctx, func() error {
		d.shorten(ctx)
		return nil
	})
}

// shorten is checkpoint for one who holds the turn. It reports whether the log is empty now.
func (d *database) shorten(ctx context.Context) bool {
	var busy, pages, copied int
	err := d.conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &copied)
	return err == nil && busy == 0
}

// pin remembers which files these are. It is called after the first commit, when the log is there too.
func (d *database) pin() error {
	files := make(map[string]string, 2)
	for _, path := range []string{d.path, d.path + "-wal"} {
		id, err := fileIdentity(path)
		if err != nil {
			return model.E(model.EFolder, err, "path", path)
		}
		files[path] = id
	}
	d.files = files
	return nil
}

// present fails when the file was removed or replaced since it was opened: SQLite would go on writing, into a
// file that has no name any more, and all of it would be gone at the end.
func (d *database) present() error {
	for path, was := range d.files {
		switch id, err := fileIdentity(path); {
		case err != nil:
			return model.E(model.EGone, err, "path", path)
		case id != was:
			return model.E(model.EReplaced, nil, "path", path)
		}
	}
	return nil
}

// tx is a transaction under way on the writing connection.
type tx struct {
	d   *database
	ctx context.Context
}

// stmt prepares a statement once; the database closes it.
func (t *tx) stmt(q string) (*sql.Stmt, error) {
	if s, ok := t.d.stmts[q]; ok {
		return s, nil
	}
	s, err := t.d.conn.PrepareContext(context.WithoutCancel(t.ctx), q)
	if err != nil {
		return nil, err
	}
	t.d.stmts[q] = s
	return s, nil
}

// exec runs a statement that is used again and again: it stays prepared.
func (t *tx) exec(q string, args ...any) (sql.Result, error) {
	s, err := t.stmt(q) //nolint:sqlclosecheck // it stays prepared
	if err != nil {
		return nil, err
	}
	return s.ExecContext(t.ctx, args...)
}

// changes is exec for how many rows it touched.
func (t *tx) changes(q string, args ...any) (int, error) {
	r, err := t.exec(q, args...)
	if err != nil {
		return 0, err
	}
	n, err := r.RowsAffected()
	return int(n), err
}

// insert is exec for the id of the new row.
func (t *tx) insert(q string, args ...any) (int64, error) {
	r, err := t.exec(q, args...)
	if err != nil {
		return 0, err
	}
	return r.LastInsertId()
}

// row reads one row, inside the transaction.
func (t *tx) row(q string, args []any, dest ...any) error {
	s, err := t.stmt(q) //nolint:sqlclosecheck // it stays prepared
	if err != nil {
		return err
	}
	return s.QueryRowContext(t.ctx, args...).Scan(dest...)
}

// once runs a statement that is not worth keeping.
func (t *tx) once(q string, args ...any) error {
	_, err := t.d.conn.ExecContext(t.ctx, q, args...)
	return err
}

// each calls f for every row of a query; f scans.
func (t *tx) each(f func(*sql.Rows) error, q string, args ...any) error {
	s, err := t.stmt(q) //nolint:sqlclosecheck // it stays prepared
	if err != nil {
		return err
	}
	rows, err := s.QueryContext(t.ctx, args...)
	return walk(rows, err, f)
}

// each calls f for every row that the readers see; f scans. It must not write to the same database.
func (d *database) each(ctx context.Context, f func(*sql.Rows) error, q string, args ...any) error {
	rows, err := d.readers.QueryContext(ctx, q, args...)
	return coded(walk(rows, err, f), d.path)
}

// row reads one row; sql.ErrNoRows when there is none.
func (d *database) row(ctx context.Context, q string, args []any, dest ...any) error {
	return d.readers.QueryRowContext(ctx, q, args...).Scan(dest...)
}

func walk(rows *sql.Rows, err error, f func(*sql.Rows) error) error {
	if err != nil {
		return err
	}
	for rows.Next() {
		if err := f(rows); err != nil {
			_ = rows.Close()
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return rows.Close()
}
