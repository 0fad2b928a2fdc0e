package store

import (
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// identity is the side file's content. The same install and epoch stand in deliveries.db; the epoch grows each
// time the folder is opened. A restored backup has an old epoch, a copied folder another file: either way the
// original may have gone on sending, so what such a folder has under way opens paused.
type identity struct {
	Install string `json:"install"`
	Epoch   int64  `json:"epoch"`
	// Opening is set while the epoch in the database may still be the one before.
	Opening bool   `json:"opening,omitempty"`
	File    string `json:"file"` // what tells deliveries.db from a copy of it
}

const identityName = "install.json"

func readIdentity(dir string) (identity, error) {
	var id identity
	b, err := os.ReadFile(filepath.Join(dir, identityName)) //nolint:gosec // the user's own data folder
	if errors.Is(err, fs.ErrNotExist) {
		return id, nil
	}
	if err != nil {
		return id, err
	}
	if json.Unmarshal(b, &id) != nil {
		return identity{}, nil //nolint:nilerr // a side file that says nothing is as good as none
	}
	return id, nil
}

func writeIdentity(dir string, id identity) error {
	path := filepath.Join(dir, identityName)
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) //nolint:gosec // the user's own data folder
	if err != nil {
		return err
	}
	_, err = f.WriteString(toJSON(id) + "\n")
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err == nil {
		err = syncDir(dir)
	}
	return err
}

// enroll compares the folder's identity with the database's, begins a new epoch in both and reports whether the
// folder looks like a copy.
func (s *Store) enroll(t *tx) (copied bool, err error) {
	file, err := fileIdentity(s.deliveries.path)
	if err != nil {
		return false, err
	}
	side, err := readIdentity(s.dir)
	if err != nil {
		return false, err
	}
	install, err := meta(t, "install")
	if err != nil {
		return false, err
	}
	if install == "" { // a new folder
		next := identity{Install: randomName(), Epoch: 1, File: file}
		if err := errors.Join(setMeta(t, "install", next.Install), setMeta(t, "epoch", "1")); err != nil {
			return false, err
		}
		return false, writeIdentity(s.dir, next)
	}
	text, err := meta(t, "epoch")
	if err != nil {
		return false, err
	}
	epoch, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return false, err
	}
	sameEpoch := side.Epoch == epoch || side.Opening && side.Epoch == epoch+1
	copied = side.Install != install || side.File != file || !sameEpoch
	next := identity{Install: install, Epoch: epoch + 1, Opening: true, File: file}
	if err := writeIdentity(s.dir, next); err != nil {
		return false, err
	}
	return copied, setMeta(t, "epoch", strconv.FormatInt(next.Epoch, 10))
}

// enrolled notes that the epoch in the database is durable.
func (s *Store) enrolled() error {
	id, err := readIdentity(s.dir)
	if err != nil || !id.Opening {
		return err
	}
	id.Opening = false
	return writeIdentity(s.dir, id)
}

// randomName is a name that nothing else has: 32 hexadecimal digits.
func randomName() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails: it ends the program instead
	return hex.EncodeToString(b)
}

func meta(t *tx, key string) (string, error) {
	var v string
	err := t.row("SELECT value FROM meta WHERE key = ?", []any{key}, &v)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return v, err
}

func setMeta(t *tx, key, value string) error {
	_, err := t.exec("INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", key, value)
	return err
}
