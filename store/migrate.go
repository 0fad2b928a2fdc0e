package store

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strconv"

	"hongyan/app/model"
)

//go:embed schema
var schemas embed.FS

// kind is one of the two files.
type kind struct {
	file string
	// id is the application_id in the file's header, by which file(1) and we know it.
	id      int32
	schema  string // folder of its migrations
	cacheKB int    // see openDatabase
}

var (
	appKind        = kind{file: "app.db", id: 0x686e6761, schema: "schema/app", cacheKB: 24 << 10}               // "hnga"
	deliveriesKind = kind{file: "deliveries.db", id: 0x686e6764, schema: "schema/deliveries", cacheKB: 16 << 10} // "hngd"
)

// migrations are the SQL files of a kind; the n-th leads to user_version n.
func (k kind) migrations() ([]string, error) {
	names, err := fs.Glob(schemas, path.Join(k.schema, "*.sql"))
	if err != nil {
		return nil, err
	}
	sort.Strings(names)
	texts := make([]string, len(names))
	for i, name := range names {
		b, err := schemas.ReadFile(name)
		if err != nil {
			return nil, err
		}
		texts[i] = string(b)
	}
	return texts, nil
}

// examine looks at a file without changing it: whether it is ours, whole, and not from a newer Hongyan. fresh is
// true when there is nothing in it yet. A file that was not closed properly is checked page by page.
func (k kind) examine(ctx context.Context, file string) (fresh bool, version int, err error) {
	fi, err := os.Stat(file)
	switch {
	case os.IsNotExist(err):
		return true, 0, nil
	case err != nil:
		return false, 0, model.E(model.EFolder, err, "path", file)
	case !fi.Mode().IsRegular():
		return false, 0, model.E(model.ENotOurs, nil, "path", file)
	case fi.Size() == 0:
		return true, 0, nil
	}
	if err := checkMagic(file); err != nil {
		return false, 0, err
	}
	db, err := readPool(file, 1, 2048, nil)
	if err != nil {
		return false, 0, err
	}
	defer func() { _ = db.Close() }()
	var id int32
	var tables int
	if err = db.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id); err == nil {
		if err = db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err == nil {
			err = db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&tables)
		}
	}
	if err != nil {
		return false, 0, damaged(err, file)
	}
	latest, err := k.migrations()
	switch {
	case err != nil:
		return false, 0, err
	case id != k.id:
		return false, 0, model.E(model.ENotOurs, nil, "path", file)
	case version > len(latest):
		return false, 0, model.E(model.ENewer, nil, "path", file)
	case version == 0 && tables == 0:
		return true, 0, nil // made, then cut off before its first table
	}
	clean := ""
	if err := db.QueryRowContext(ctx, "SELECT value FROM meta WHERE key = 'clean'").Scan(&clean); err != nil {
		return false, 0, damaged(err, file)
	}
	if clean == "1" {
		return false, version, nil
	}
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		return false, 0, damaged(err, file)
	}
	if verdict != "ok" {
		return false, 0, model.E(model.EDamaged, nil, "path", file, "detail", verdict)
	}
	return false, version, nil
}

// checkMagic tells a file of another program from one of ours whose beginning was lost.
func checkMagic(file string) error {
	f, err := os.Open(file) //nolint:gosec // the user's own data folder
	if err != nil {
		return coded(err, file)
	}
	defer func() { _ = f.Close() }()
	const magic = "SQLite format 3\x00"
	head := make([]byte, len(magic))
	n, err := f.Read(head)
	if err != nil {
		return coded(err, file)
	}
	switch string(head[:n]) {
	case magic:
		return nil
	case string(make([]byte, len(magic))):
		return model.E(model.EDamaged, nil, "path", file, "detail", "its first bytes are zeros")
	}
	return model.E(model.ENotOurs, nil, "path", file)
}

// damaged reads an error from a file that has SQLite's first bytes: what SQLite cannot make sense of is damage.
func damaged(err error, file string) error {
	err = coded(err, file)
	switch model.CodeOf(err) {
	case model.ENotOurs, model.EInternal:
		return model.E(model.EDamaged, err, "path", file, "detail", err.Error())
	case model.EDamaged:
		return model.E(model.EDamaged, err, "path", file, "detail", "SQLite: malformed")
	}
	return err
}

// create makes an empty file with our mark, readable by its owner only; SQLite gives the -wal and -shm files the
// same mode. The mark is written before WAL is switched on, so that it is in the file itself from the start.
func (k kind) create(ctx context.Context, file string) error {
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the user's own data folder
	if err != nil {
		return coded(err, file)
	}
	if err := f.Close(); err != nil {
		return coded(err, file)
	}
	q := pragmas(1024)
	q.Set("mode", "rw")
	db, err := openRaw(file, q)
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id(%d)", k.id))
	if cerr := db.Close(); err == nil {
		err = cerr
	}
	return coded(err, file)
}

// migrate brings the schema up to date, each step in a transaction of its own, after a copy of what was there.
func (k kind) migrate(ctx context.Context, d *database, version int, fresh bool) error {
	steps, err := k.migrations()
	if err != nil {
		return err
	}
	if version == len(steps) {
		return nil
	}
	if !fresh {
		if err := d.backup(ctx, d.path+".v"+strconv.Itoa(version)+".bak"); err != nil {
			return err
		}
	}
	for i := version; i < len(steps); i++ {
		err := d.write(ctx, func(t *tx) error {
			if err := t.once(steps[i]); err != nil {
				return err
			}
			return t.once("PRAGMA user_version(" + strconv.Itoa(i+1) + ")")
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// backup writes a compact copy of the database to a file, which must not exist or is an older backup.
func (d *database) backup(ctx context.Context, to string) error {
	part := to + ".part"
	if err := os.Remove(part); err != nil && !os.IsNotExist(err) {
		return coded(err, part)
	}
	// VACUUM INTO keeps the mode of an empty file that is there.
	f, err := os.OpenFile(part, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // beside the data file, or where the user chose
	if err != nil {
		return coded(err, part)
	}
	if err := f.Close(); err != nil {
		return coded(err, part)
	}
	q := pragmas(8 << 10)
	q.Set("mode", "ro")
	db, err := openRaw(d.path, q)
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "VACUUM INTO ?", part)
	if cerr := db.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		_ = os.Remove(part)
		return coded(err, part)
	}
	if err := os.Rename(part, to); err != nil {
		return coded(err, to)
	}
	return coded(syncDir(filepath.Dir(to)), to)
}
