package secrets

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/chacha20poly1305"

	"hongyan/app/model"
)

// The sealed file is one JSON object: the parameters of argon2id (RFC 9106 §4, its second recommended choice),
// a salt, a nonce, and the secrets sealed with XChaCha20-Poly1305.
type envelope struct {
	Version int    `json:"version"`
	KDF     string `json:"kdf"`
	Time    uint32 `json:"time"`
	Memory  uint32 `json:"memory_kib"`
	Threads uint8  `json:"threads"`
	Salt    []byte `json:"salt"`
	Nonce   []byte `json:"nonce"`
	Box     []byte `json:"box"`
}

// Bounds on what a damaged or hostile file may ask of argon2id.
const (
	kdfTime, kdfMemory, kdfThreads = 3, 64 << 10, 4
	maxTime, maxMemory, maxThreads = 16, 1 << 20, 16
	maxFile                        = 16 << 20
)

type sealedFile struct {
	path string
	pass []byte

	// The key last derived, and from what: argon2id takes a noticeable part of a second by design.
	key     []byte
	keyFrom [sha256.Size]byte
}

func (f *sealedFile) exists() bool {
	_, err := os.Stat(f.path)
	return err == nil
}

func (f *sealedFile) derive(e *envelope) []byte {
	from := sha256.Sum256(bytes.Join([][]byte{e.header(), e.Salt, f.pass}, []byte{0}))
	if f.key == nil || from != f.keyFrom {
		f.key = argon2.IDKey(f.pass, e.Salt, e.Time, e.Memory, e.Threads, chacha20poly1305.KeySize)
		f.keyFrom = from
	}
	return f.key
}

// read gives every secret; none when there is no file.
func (f *sealedFile) read() (map[string]string, error) {
	if f.pass == nil {
		return nil, model.E(model.ENeedPhrase, nil)
	}
	info, err := os.Stat(f.path)
	if errors.Is(err, os.ErrNotExist) {
		return map[string]string{}, nil
	}
	if err != nil {
		return nil, model.E(model.EFileUnreadable, err, "path", f.path, "detail", err.Error())
	}
	damaged := func(cause error) error { return model.E(model.EDamaged, cause, "path", f.path, "detail", "secrets") }
	if info.Size() > maxFile {
		return nil, damaged(nil)
	}
	b, err := os.ReadFile(f.path)
	if err != nil {
		return nil, model.E(model.EFileUnreadable, err, "path", f.path, "detail", err.Error())
	}
	var e envelope
	if err := json.Unmarshal(b, &e); err != nil {
		return nil, damaged(err)
	}
	if e.Version != 1 || e.KDF != "argon2id" || e.Time < 1 || e.Time > maxTime || e.Memory < 8 || e.Memory > maxMemory ||
		e.Threads < 1 || e.Threads > maxThreads || len(e.Salt) < 8 || len(e.Nonce) != chacha20poly1305.NonceSizeX {
		return nil, damaged(nil)
	}
	aead, err := chacha20poly1305.NewX(f.derive(&e))
	if err != nil {
		return nil, damaged(err)
	}
	plain, err := aead.Open(nil, e.Nonce, e.Box, e.header())
	if err != nil {
		return nil, model.E(model.EPassphrase, nil)
	}
	m := map[string]string{}
	if err := json.Unmarshal(plain, &m); err != nil {
		return nil, damaged(nil) // its cause could quote a secret
	}
	return m, nil
}

// header is bound to the box, so that its parameters cannot be changed without notice.
func (e *envelope) header() []byte {
	return fmt.Appendf(nil, "hongyan secrets %d %s %d %d %d", e.Version, e.KDF, e.Time, e.Memory, e.Threads)
}

// update changes the secrets and replaces the file in one step: a crash leaves the old one or the new one.
func (f *sealedFile) update(change func(map[string]string)) error {
	m, err := f.read()
	if err != nil {
		return err
	}
	change(m)
	plain, err := json.Marshal(m)
	if err != nil {
		return storeError(err)
	}
	e := envelope{Version: 1, KDF: "argon2id", Time: kdfTime, Memory: kdfMemory, Threads: kdfThreads,
		Salt: make([]byte, 16), Nonce: make([]byte, chacha20poly1305.NonceSizeX)}
	rand.Read(e.Salt) // never fails: it ends the program instead
	rand.Read(e.Nonce)
	aead, err := chacha20poly1305.NewX(f.derive(&e))
	if err != nil {
		return storeError(err)
	}
	e.Box = aead.Seal(nil, e.Nonce, plain, e.header())
	b, err := json.Marshal(e)
	if err != nil {
		return storeError(err)
	}
	if err := replaceFile(f.path, b); err != nil {
		return model.E(model.EFileUnwritable, err, "path", f.path, "detail", err.Error())
	}
	return nil
}

// replaceFile writes beside path, syncs, and renames.
func replaceFile(path string, b []byte) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".secrets-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(tmp.Name()))
		}
	}()
	if _, err = tmp.Write(b); err != nil {
		return errors.Join(err, tmp.Close())
	}
	if err = tmp.Sync(); err != nil {
		return errors.Join(err, tmp.Close())
	}
	if err = tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

// folderKey tells data folders apart without putting their paths into the keychain.
func folderKey(dir string) string {
	abs, err := filepath.Abs(dir)
	if err != nil {
		abs = dir
	}
	sum := sha256.Sum256([]byte(abs))
	return hex.EncodeToString(sum[:6]) + "/"
}
