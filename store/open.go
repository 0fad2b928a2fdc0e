package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"

	"hongyan/app/model"
)

// Options choose how a data folder is opened. The zero value is the usual way.
type Options struct {
	// ReadOnly opens what is there for looking only, beside a running Hongyan. Every write then fails with
	// EReadOnly.
	ReadOnly bool
	// MaxPages, when not 0, bounds each file to so many pages of 4096 octets: beyond it the disk is "full".
	MaxPages int
	// ChunkRows is how many rows an import stores in one transaction; 0: 100,000.
	ChunkRows int
}

// Store is an open data folder. Its methods are safe for concurrent use.
type Store struct {
	dir        string
	app        *database
	deliveries *database
	journal    *journal // nil when read-only
	muted      muted
	lock       *os.File
	copied     bool
	marks      string // the name of its marks, while it is open
	chunkRows  int

	closing sync.Once
	closed  error
}

// The lock file's name. It holds nothing and is never removed: removing it would race with another instance.
const lockName = "hongyan.lock"

// Open opens the data folder, making it (0700) and its files (0600) when they are not there.
//
// Errors: EInstance when another Hongyan has the folder; EFolder when the folder cannot be used; and with the
// path of the file: EDamaged, ENewer, ENotOurs, EReadOnly, EDiskFull, ELocked. A file that is refused has not
// been changed. ReadOnly never waits for another instance, and fails with EFileMissing where there is nothing.
//
// Opening after an unclean end checks both files, makes what was being attempted unknown, and pauses what was
// running with reason "crash"; in a folder that looks like a copy, what was running or paused is paused with
// reason "copied".
func Open(ctx context.Context, dir string, o Options) (*Store, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, model.E(model.EFolder, err, "path", dir)
	}
	s := &Store{dir: dir, chunkRows: cmp.Or(o.ChunkRows, packRows)}
	if o.ReadOnly {
		err = s.openReading(ctx, readCacheKB)
	} else {
		err = s.openWriting(ctx, o)
	}
	if err != nil {
		s.release()
		return nil, err
	}
	return s, nil
}

// readCacheKB is what each reader of a folder that is looked at may keep in memory.
const readCacheKB = 8 << 10

func (s *Store) openReading(ctx context.Context, cacheKB int) error {
	for _, k := range []kind{appKind, deliveriesKind} {
		file := filepath.Join(s.dir, k.file)
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			return model.E(model.EFileMissing, err, "path", file)
		}
		d, id, version, err := look(ctx, file, cacheKB, false)
		if code := model.CodeOf(err); code == model.EReadOnly || code == model.EFolder || code == model.EDiskFull {
			// In a folder that cannot be written, or is full, SQLite has no place for the memory it shares with writers.
			// Where there is no log there is no writer either: then it needs none.
			if _, none := os.Stat(file + "-wal"); errors.Is(none, fs.ErrNotExist) {
				d, id, version, err = look(ctx, file, cacheKB, true)
			}
		}
		if err != nil {
			return err
		}
		s.hold(k, d)
		steps, err := k.migrations()
		switch {
		case err != nil:
			return err
		case id != k.id:
			return model.E(model.ENotOurs, nil, "path", file)
		case version > len(steps):
			return model.E(model.ENewer, nil, "path", file)
		case version < len(steps):
			return model.E(model.EReadOnly, errOlder, "path", file)
		}
	}
	return nil
}

// look opens a file for reading, and reads its mark and version.
func look(ctx context.Context, file string, cacheKB int, immutable bool) (d *database, id int32, version int, err error) {
	q := url.Values{}
	if immutable {
		q.Set("immutable", "1")
	}
	r, err := readPool(file, 2, cacheKB, q)
	if err != nil {
		return nil, 0, 0, err
	}
	d = &database{path: file, readers: r}
	err = errors.Join(d.row(ctx, "PRAGMA application_id", nil, &id), d.row(ctx, "PRAGMA user_version", nil, &version))
	if err != nil {
		_ = d.close()
		return nil, 0, 0, coded(err, file)
	}
	return d, id, version, nil
}

// errOlder says that a file must be upgraded first, by opening it for writing.
var errOlder = errors.New("of an earlier version")

func (s *Store) hold(k kind, d *database) {
	if k.file == appKind.file {
		s.app = d
	} else {
		s.deliveries = d
	}
}

func (s *Store) openWriting(ctx context.Context, o Options) error {
	if err := makeFolder(s.dir); err != nil {
		return err
	}
	f, held, err := lockFile(filepath.Join(s.dir, lockName))
	switch {
	case held:
		return model.E(model.EInstance, nil, "path", s.dir)
	case err != nil:
		if err := coded(err, s.dir); model.CodeOf(err) != model.EInternal {
			return err // read-only, or full
		}
		return model.E(model.EFolder, err, "path", s.dir)
	}
	s.lock = f
	kinds := []kind{appKind, deliveriesKind}
	fresh, version := make([]bool, 2), make([]int, 2)
	for i, k := range kinds { // look at both before either is touched
		if fresh[i], version[i], err = k.examine(ctx, filepath.Join(s.dir, k.file)); err != nil {
			return err
		}
	}
	for i, k := range kinds {
		file := filepath.Join(s.dir, k.file)
		if fresh[i] {
			if err := k.create(ctx, file); err != nil {
				return err
			}
		}
		d, err := openDatabase(ctx, file, k.cacheKB, o.MaxPages)
		if err != nil {
			return err
		}
		s.hold(k, d)
		if err := k.migrate(ctx, d, version[i], fresh[i]); err != nil {
			return err
		}
	}
	if err := s.app.write(ctx, func(t *tx) error { return setMeta(t, "clean", "0") }); err != nil {
		return err
	}
	if err := s.recover(ctx); err != nil {
		return err
	}
	for _, d := range []*database{s.app, s.deliveries} {
		if err := d.pin(); err != nil {
			return err
		}
	}
	s.journal = newJournal(s.deliveries, func() *marks { return newMarks(marksPath(s.marks)) })
	return nil
}

// makeFolder makes the data folder, for its owner only. A folder that is there keeps its mode.
func makeFolder(dir string) error {
	fi, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return model.E(model.EFolder, err, "path", dir)
		}
		return nil
	case err != nil:
		return model.E(model.EFolder, err, "path", dir)
	case !fi.IsDir():
		return model.E(model.EFolder, nil, "path", dir, "detail", "it is a file")
	}
	return nil
}

// Unclean reports whether the folder was open for writing when it was looked at: it is, or whoever had it came to no
// orderly end. In the latter case what it holds is known only once it is opened for writing.
func (s *Store) Unclean(ctx context.Context) bool {
	var v string
	err := s.deliveries.row(ctx, `SELECT value FROM meta WHERE key = 'clean'`, nil, &v)
	return err == nil && v == "0"
}

// Copied reports whether the folder looked like a copy when it was opened.
func (s *Store) Copied() bool { return s.copied }

// Dir is the data folder, as an absolute path.
func (s *Store) Dir() string { return s.dir }

// Close writes what the journal still holds, closes both files and gives the folder free. Its error is the
// fault that kept results from the file. The next opening writes them, where they are remembered (journal.remember);
// else their deliveries will be unknown.
func (s *Store) Close() error {
	s.closing.Do(func() {
		if s.journal != nil {
			s.closed = s.journal.close()
			for _, d := range []*database{s.app, s.deliveries} {
				if s.closed == nil {
					_ = d.seal() // without it the file is looked through when it is opened the next time, no more
				}
			}
		}
		s.release()
	})
	return s.closed
}

// release lets go of whatever Open got hold of.
func (s *Store) release() {
	for _, d := range []*database{s.app, s.deliveries} {
		if d != nil {
			if err := d.close(); err != nil && s.closed == nil {
				s.closed = err
			}
		}
	}
	if s.lock != nil {
		_ = s.lock.Close()
	}
}

// seal marks a file as closed properly.
func (d *database) seal() error {
	ctx := context.Background()
	if err := d.write(ctx, func(t *tx) error { return setMeta(t, "clean", "1") }); err != nil {
		return err
	}
	_, err := d.conn.ExecContext(ctx, "PRAGMA optimize")
	return coded(err, d.path)
}

// openRaw opens one plain connection, before the file is in WAL mode.
func openRaw(file string, q url.Values) (*sql.DB, error) {
	db, err := sql.Open("sqlite", dsn(file, q))
	if err != nil {
		return nil, coded(err, file)
	}
	db.SetMaxOpenConns(1)
	return db, nil
}
