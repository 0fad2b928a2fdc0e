package secrets

import (
	"errors"
	"path/filepath"
	"sync"

	"github.com/zalando/go-keyring"

	"hongyan/app/model"
)

// service is the name that Hongyan's entries have in the keychain.
const service = "Hongyan"

// Keeper keeps the secrets of one data folder. Its methods are safe for concurrent use.
type Keeper struct {
	prefix string // tells data folders apart in the keychain they share
	useOS  bool
	file   *sealedFile

	mu sync.Mutex
}

// Options say where secrets go.
type Options struct {
	Dir string // the data folder
	// Passphrase opens the sealed file; "" until Unlock is called.
	Passphrase string
	// FileOnly never asks the keychain: for tests and for machines where it hangs.
	FileOnly bool
}

// Open chooses the keychain when it works here, and the sealed file when it does not, or when a sealed file is
// there already (secrets never move by themselves).
func Open(o Options) *Keeper {
	k := &Keeper{prefix: folderKey(o.Dir), file: &sealedFile{path: filepath.Join(o.Dir, "secrets.sealed")}}
	if o.Passphrase != "" {
		k.file.pass = []byte(o.Passphrase)
	}
	k.useOS = !o.FileOnly && !k.file.exists() && keychainWorks(k.prefix)
	return k
}

// keychainWorks asks for an entry that is not there: a keychain that answers "not found" works.
func keychainWorks(prefix string) bool {
	_, err := keyring.Get(service, prefix+"probe")
	return err == nil || errors.Is(err, keyring.ErrNotFound)
}

// InKeychain tells whether secrets are in the keychain of the operating system.
func (k *Keeper) InKeychain() bool { return k.useOS }

// NeedsPassphrase tells whether Unlock must be called before a secret can be read or stored.
func (k *Keeper) NeedsPassphrase() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return !k.useOS && k.file.pass == nil
}

// HasFile tells whether a sealed file is there: if not, the passphrase given to Unlock is a new one.
func (k *Keeper) HasFile() bool { return k.file.exists() }

// Unlock opens the sealed file with a passphrase, or chooses it when there is no file yet. EPassphrase when it
// does not fit.
func (k *Keeper) Unlock(passphrase string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.useOS {
		return nil
	}
	if passphrase == "" {
		return model.E(model.ENeedPhrase, nil)
	}
	old := k.file.pass
	k.file.pass = []byte(passphrase)
	if _, err := k.file.read(); err != nil {
		k.file.pass = old
		return err
	}
	return nil
}

// Get gives a secret; ok is false when none is stored under key.
func (k *Keeper) Get(key string) (secret string, ok bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.useOS {
		s, err := keyring.Get(service, k.prefix+key)
		if errors.Is(err, keyring.ErrNotFound) {
			return "", false, nil
		}
		if err != nil {
			return "", false, storeError(err)
		}
		return s, true, nil
	}
	m, err := k.file.read()
	if err != nil {
		return "", false, err
	}
	s, ok := m[key]
	return s, ok, nil
}

// Has tells whether a secret is stored, without an error where that cannot be known yet.
func (k *Keeper) Has(key string) bool {
	_, ok, err := k.Get(key)
	return ok && err == nil
}

// Set stores a secret durably.
func (k *Keeper) Set(key, secret string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.useOS {
		if err := keyring.Set(service, k.prefix+key, secret); err != nil {
			return storeError(err)
		}
		return nil
	}
	return k.file.update(func(m map[string]string) { m[key] = secret })
}

// Remove forgets a secret; one that is not there is no error.
func (k *Keeper) Remove(key string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.useOS {
		if err := keyring.Delete(service, k.prefix+key); err != nil && !errors.Is(err, keyring.ErrNotFound) {
			return storeError(err)
		}
		return nil
	}
	if !k.file.exists() {
		return nil
	}
	return k.file.update(func(m map[string]string) { delete(m, key) })
}

func storeError(err error) error {
	return model.E(model.ESecretStore, err, "detail", err.Error())
}
