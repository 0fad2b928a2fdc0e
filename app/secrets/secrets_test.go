package secrets_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zalando/go-keyring"

	"hongyan/app/model"
	"hongyan/app/secrets"
)

const secret = "abcdefghijklmnop-授权码"

func TestSealedFile(t *testing.T) {
	dir := t.TempDir()
	open := func(pass string) *secrets.Keeper {
		return secrets.Open(secrets.Options{Dir: dir, Passphrase: pass, FileOnly: true})
	}
	k := open("")
	if !k.NeedsPassphrase() || k.HasFile() {
		t.Fatal("a fresh folder without a keychain needs a passphrase and has no file")
	}
	if err := k.Set("account/1", secret); model.CodeOf(err) != model.ENeedPhrase {
		t.Fatalf("Set without a passphrase: %v", err)
	}
	if err := k.Unlock("correct horse"); err != nil {
		t.Fatal(err)
	}
	for key, v := range map[string]string{"account/1": secret, "account/2": "other"} {
		if err := k.Set(key, v); err != nil {
			t.Fatal(err)
		}
	}

	k = open("correct horse")
	if got, ok, err := k.Get("account/1"); got != secret || !ok || err != nil {
		t.Fatalf("Get: %v %v", ok, err)
	}
	if err := k.Remove("account/2"); err != nil {
		t.Fatal(err)
	}
	if k.Has("account/2") || !k.Has("account/1") {
		t.Fatal("Remove took the wrong one")
	}

	path := filepath.Join(dir, "secrets.sealed")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(b, []byte(secret)) || bytes.Contains(b, []byte("account/1")) {
		t.Fatal("the file shows what it holds")
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode: %v %v", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".secrets-*")); len(left) > 0 {
		t.Fatalf("left behind: %v", left)
	}

	wrong := open("")
	if err := wrong.Unlock("battery staple"); model.CodeOf(err) != model.EPassphrase {
		t.Fatalf("a wrong passphrase: %v", err)
	} else if strings.Contains(err.Error(), "battery") {
		t.Fatal("the error quotes the passphrase")
	}
	if !wrong.NeedsPassphrase() {
		t.Fatal("a wrong passphrase was kept")
	}
	if err := open("battery staple").Set("account/3", "x"); model.CodeOf(err) != model.EPassphrase {
		t.Fatalf("Set with a wrong passphrase: %v", err)
	}
	if err := wrong.Unlock("correct horse"); err != nil || !wrong.Has("account/1") {
		t.Fatalf("the right one after it: %v", err)
	}
}

// TestDamaged: whatever a file holds, it gives a coded error and stays as it is.
func TestDamaged(t *testing.T) {
	for name, content := range map[string]string{
		"empty":  "",
		"text":   "not json",
		"greedy": `{"version":1,"kdf":"argon2id","time":4000000000,"memory_kib":4000000000,"threads":200,"salt":"AAAAAAAAAAAAAAAAAAAAAA==","nonce":"AAAA","box":""}`,
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "secrets.sealed")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		k := secrets.Open(secrets.Options{Dir: dir, Passphrase: "p"})
		if k.InKeychain() {
			t.Errorf("%s: a sealed file is there and the keychain was chosen", name)
		}
		if err := k.Set("a", "b"); model.CodeOf(err) != model.EDamaged {
			t.Errorf("%s: %v", name, err)
		}
		if b, err := os.ReadFile(path); err != nil || string(b) != content {
			t.Errorf("%s: the file was changed", name)
		}
	}
}

func TestKeychain(t *testing.T) {
	keyring.MockInit()
	one, two := secrets.Open(secrets.Options{Dir: t.TempDir()}), secrets.Open(secrets.Options{Dir: t.TempDir()})
	if !one.InKeychain() || one.NeedsPassphrase() {
		t.Fatal("a keychain that works was not chosen")
	}
	if err := one.Set("account/1", secret); err != nil {
		t.Fatal(err)
	}
	if got, ok, err := one.Get("account/1"); got != secret || !ok || err != nil {
		t.Fatalf("Get: %v %v", ok, err)
	}
	if two.Has("account/1") {
		t.Fatal("two data folders share a secret")
	}
	if err := one.Remove("account/1"); err != nil || one.Has("account/1") {
		t.Fatalf("Remove: %v", err)
	}
	if err := one.Remove("account/1"); err != nil {
		t.Fatalf("Remove of what is not there: %v", err)
	}
}

func TestNoKeychainFallsBackToTheFile(t *testing.T) {
	keyring.MockInitWithError(errors.New("no secret service here"))
	k := secrets.Open(secrets.Options{Dir: t.TempDir()})
	if k.InKeychain() || !k.NeedsPassphrase() {
		t.Fatal("a keychain that does not work was chosen")
	}
}
