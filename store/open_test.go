package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"hongyan/app/model"
	"hongyan/store"
)

// campaignOf makes a campaign of n recipients in a state.
func campaignOf(t testing.TB, s *store.Store, name string, n int, state model.CampaignState) int64 {
	t.Helper()
	c := &model.Campaign{Name: name}
	must(t, s.CreateCampaign(ctx, c))
	ds := make([]model.Delivery, n)
	for i, r := range people(n) {
		ds[i] = model.Delivery{Email: r.Email, Address: r.Address, Name: r.Name, State: model.Queued}
	}
	must(t, s.AddDeliveries(ctx, c.ID, ds))
	must(t, s.Freeze(ctx, c.ID))
	must(t, s.SetCampaignState(ctx, c.ID, state, "", ""))
	return c.ID
}

func stateOf(t testing.TB, s *store.Store, id int64) string {
	t.Helper()
	c, err := s.Campaign(ctx, id)
	must(t, err)
	if c.Reason == "" {
		return string(c.State)
	}
	return string(c.State) + " " + c.Reason
}

func TestFolderAndFilesAreTheOwnersAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "数据 folder?&#%")
	s := open(t, dir, store.Options{})
	load(t, s, "l", people(10), 10)
	for _, f := range []string{"", "app.db", "app.db-wal", "deliveries.db", "deliveries.db-wal", "install.json", "hongyan.lock"} {
		fi, err := os.Stat(filepath.Join(dir, f))
		must(t, err)
		want := os.FileMode(0o600)
		if f == "" {
			want = 0o700
		}
		if got := fi.Mode().Perm(); got != want && runtime.GOOS != "windows" {
			t.Errorf("%q has mode %o, want %o", f, got, want)
		}
	}
	if s.Dir() != dir || s.Copied() {
		t.Errorf("folder %q, copied %v", s.Dir(), s.Copied())
	}
}

func TestSecondInstance(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, store.Options{})
	_, err := store.Open(ctx, dir, store.Options{})
	wantCode(t, err, model.EInstance)
	must(t, s.Close())
	open(t, dir, store.Options{})
}

func TestReopenKeepsEverything(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, store.Options{})
	load(t, s, "l", people(100), 50)
	id := campaignOf(t, s, "c", 3, model.CampaignPaused)
	was := snapshot(t, s)
	must(t, s.Close())
	must(t, s.Close())
	for range 2 {
		s = open(t, dir, store.Options{})
		same(t, "people", snapshot(t, s), was)
		if got := stateOf(t, s, id); got != "paused" || s.Copied() {
			t.Errorf("campaign %s, copied %v", got, s.Copied())
		}
		must(t, s.Close())
	}
}

func TestCopiedFolder(t *testing.T) {
	dir, dup := t.TempDir(), filepath.Join(t.TempDir(), "copy")
	s := open(t, dir, store.Options{})
	running, paused, ready := campaignOf(t, s, "r", 1, model.CampaignRunning), campaignOf(t, s, "p", 1, model.CampaignPaused), campaignOf(t, s, "q", 1, model.CampaignReady)
	must(t, s.Close())
	must(t, store.CopyFolder(dir, dup))
	c := open(t, dup, store.Options{})
	for id, want := range map[int64]string{running: "paused copied", paused: "paused copied", ready: "ready"} {
		if got := stateOf(t, c, id); got != want {
			t.Errorf("in the copy, campaign %d is %s, want %s", id, got, want)
		}
	}
	if !c.Copied() {
		t.Error("the copy does not know what it is")
	}
	s = open(t, dir, store.Options{})
	if got := stateOf(t, s, running); got != "paused crash" || s.Copied() {
		t.Errorf("in the original it is %s, copied %v", got, s.Copied())
	}
	must(t, c.Close())
	c = open(t, dup, store.Options{})
	if c.Copied() {
		t.Error("once told, a copy is a folder like others")
	}
}

func TestRestoredBackup(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, store.Options{})
	id := campaignOf(t, s, "c", 2, model.CampaignPaused)
	must(t, s.Close())
	file := filepath.Join(dir, "deliveries.db")
	backup, err := os.ReadFile(file)
	must(t, err)
	s = open(t, dir, store.Options{}) // and it goes on sending
	ds, err := s.Claim(ctx, id, 1, when(0))
	must(t, err)
	must(t, s.Intend(ds[0].ID, 1, when(1)).Wait())
	must(t, s.Close())
	must(t, os.WriteFile(file, backup, 0o600)) // the same file, as it was
	s = open(t, dir, store.Options{})
	if got := stateOf(t, s, id); got != "paused copied" {
		t.Errorf("campaign is %s: letters that went since would go again", got)
	}
}

// A crash between the side file and the database's commit is no copy.
func TestCrashWhileOpening(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, store.Options{})
	must(t, s.Close())
	side := filepath.Join(dir, "install.json")
	before, err := os.ReadFile(side)
	must(t, err)
	after := bytes.Replace(before, []byte(`"epoch":1`), []byte(`"epoch":2,"opening":true`), 1)
	if bytes.Equal(before, after) {
		t.Fatalf("%s", before)
	}
	must(t, os.WriteFile(side, after, 0o600))
	if s = open(t, dir, store.Options{}); s.Copied() {
		t.Error("taken for a copy")
	}
}

// exec changes a data file as another program would.
func execOn(t testing.TB, file, q string) {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	must(t, err)
	_, err = db.Exec(q)
	must(t, err)
	must(t, db.Close())
}

// Every file that cannot be ours is refused, for writing and for reading, and stays as it is, octet for octet.
func TestFilesThatAreRefused(t *testing.T) {
	file := func(dir, name string) string { return filepath.Join(dir, name) }
	for _, c := range []struct {
		name  string
		spoil func(t *testing.T, dir string)
		file  string
		want  model.Code
	}{
		{"newer", func(t *testing.T, dir string) { execOn(t, file(dir, "deliveries.db"), "PRAGMA user_version = 99") }, "deliveries.db", model.ENewer},
		{"another program's database", func(t *testing.T, dir string) { execOn(t, file(dir, "app.db"), "PRAGMA application_id = 7") }, "app.db", model.ENotOurs},
		{"the other of ours", func(t *testing.T, dir string) {
			must(t, os.Rename(file(dir, "deliveries.db"), file(dir, "app.db")))
		}, "app.db", model.ENotOurs},
		{"no database", func(t *testing.T, dir string) {
			must(t, os.WriteFile(file(dir, "app.db"), []byte("Dear diary, today I wrote no database at all."), 0o600))
		}, "app.db", model.ENotOurs},
		{"zeros", func(t *testing.T, dir string) { must(t, os.WriteFile(file(dir, "app.db"), make([]byte, 8192), 0o600)) }, "app.db", model.EDamaged},
		{"a directory", func(t *testing.T, dir string) {
			must(t, os.Remove(file(dir, "app.db")))
			must(t, os.Mkdir(file(dir, "app.db"), 0o700))
		}, "app.db", model.ENotOurs},
		{"its schema is gone", func(t *testing.T, dir string) {
			b, err := os.ReadFile(file(dir, "app.db"))
			must(t, err)
			copy(b[100:4096], bytes.Repeat([]byte{0xee}, 3996))
			must(t, os.WriteFile(file(dir, "app.db"), b, 0o600))
		}, "app.db", model.EDamaged},
		{"a page is damaged", func(t *testing.T, dir string) {
			execOn(t, file(dir, "deliveries.db"), "UPDATE meta SET value = '0' WHERE key = 'clean'") // as after a crash
			b, err := os.ReadFile(file(dir, "deliveries.db"))
			must(t, err)
			for i := 4096 * 3; i+4096 <= len(b); i += 4096 {
				copy(b[i:i+4096], bytes.Repeat([]byte{0xee}, 4096))
			}
			must(t, os.WriteFile(file(dir, "deliveries.db"), b, 0o600))
		}, "deliveries.db", model.EDamaged},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir, store.Options{})
			load(t, s, "l", people(200), 100)
			campaignOf(t, s, "c", 200, model.CampaignPaused)
			must(t, s.Close())
			c.spoil(t, dir)
			was, _ := os.ReadFile(file(dir, c.file))
			_, err := store.Open(ctx, dir, store.Options{})
			wantCode(t, err, c.want)
			if e, ok := errors.AsType[*model.Error](err); !ok || e.Args["path"] != file(dir, c.file) {
				t.Errorf("%v does not tell the file", err)
			}
			if now, _ := os.ReadFile(file(dir, c.file)); !bytes.Equal(now, was) {
				t.Error("a file that was refused has been changed")
			}
			_, err = store.Open(ctx, dir, store.Options{})
			wantCode(t, err, c.want) // and the lock was dropped
		})
	}
}

func TestFolderThatCannotBe(t *testing.T) {
	f := filepath.Join(t.TempDir(), "f")
	must(t, os.WriteFile(f, nil, 0o600))
	for _, dir := range []string{f, filepath.Join(f, "below")} {
		_, err := store.Open(ctx, dir, store.Options{})
		wantCode(t, err, model.EFolder)
	}
}

func TestLockedByAnotherProgram(t *testing.T) {
	store.SetBusyTimeout(50)
	defer store.SetBusyTimeout(5000)
	dir := t.TempDir()
	s := open(t, dir, store.Options{})
	id := campaignOf(t, s, "c", 1, model.CampaignRunning)
	ds, err := s.Claim(ctx, id, 1, when(0))
	must(t, err)
	other, err := sql.Open("sqlite", filepath.Join(dir, "deliveries.db"))
	must(t, err)
	defer func() { _ = other.Close() }()
	conn, err := other.Conn(ctx)
	must(t, err)
	_, err = conn.ExecContext(ctx, "BEGIN IMMEDIATE")
	must(t, err)
	wantCode(t, s.Intend(ds[0].ID, 1, when(1)).Wait(), model.ELocked)
	wantCode(t, s.Err(), model.ELocked)
	wantCode(t, s.SetClock(ctx, model.Clock{AccountID: 1, State: model.ClockFit}), model.ELocked)
	_, err = conn.ExecContext(ctx, "ROLLBACK")
	must(t, err)
	eventually(t, "the journal works again", func() bool { return s.Err() == nil })
	must(t, s.Intend(ds[0].ID, 1, when(1)).Wait())
	must(t, s.Close())
	_, err = conn.ExecContext(ctx, "BEGIN EXCLUSIVE")
	must(t, err)
	_, err = store.Open(ctx, dir, store.Options{})
	wantCode(t, err, model.ELocked)
}

// eventually waits for what another goroutine brings about.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); {
		if time.Now().After(end) {
			t.Fatalf("in vain: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestReadOnly(t *testing.T) {
	dir := t.TempDir()
	_, err := store.Open(ctx, dir, store.Options{ReadOnly: true})
	wantCode(t, err, model.EFileMissing)
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("looking made files: %v", left)
	}
	w := open(t, dir, store.Options{})
	r := load(t, w, "l", people(20), 20)
	id := campaignOf(t, w, "c", 5, model.CampaignRunning)
	must(t, w.SaveAccount(ctx, sampleAccount("a")))
	must(t, w.SaveLetter(ctx, &model.Letter{Subject: "s"}))
	must(t, w.SetSetting(ctx, "k", "v"))
	must(t, w.Suppress(ctx, model.Suppression{Key: "x@example.com"}))
	ds, err := w.Claim(ctx, id, 5, when(0))
	must(t, err)
	for i, st := range []model.State{model.Accepted, model.Deferred} {
		must(t, w.Intend(ds[i].ID, 1, when(1)).Wait())
		w.Settle(model.Outcome{DeliveryID: ds[i].ID, AccountID: 1, State: st, Step: model.StepDot, NextAt: when(50), At: when(2)})
	}
	must(t, w.Flush(ctx))

	s := open(t, dir, store.Options{ReadOnly: true}) // beside the one that writes
	same(t, "people", snapshot(t, s), snapshot(t, w))
	n, err := s.Counts(ctx, id)
	must(t, err)
	same(t, "counts", n, model.Counts{Total: 5, Queued: 3, Accepted: 1, Deferred: 1})
	if wake, ok, err := s.NextWake(ctx, id); err != nil || !ok || !wake.Equal(when(50)) {
		t.Errorf("next wake %v %v %v", wake, ok, err)
	}
	for what, read := range map[string]func() (any, error){
		"Accounts": func() (any, error) { return s.Accounts(ctx) }, "Account": func() (any, error) { return s.Account(ctx, 1) },
		"AccountByName": func() (any, error) { return s.AccountByName(ctx, "a") }, "ListByName": func() (any, error) { return s.ListByName(ctx, "l") },
		"FieldNames": func() (any, error) { return s.FieldNames(ctx, r.ListID) }, "Letters": func() (any, error) { return s.Letters(ctx) },
		"Letter": func() (any, error) { return s.Letter(ctx, 1) }, "Suppressions": func() (any, error) { return s.Suppressions(ctx) },
		"Suppressed": func() (any, error) { _, yes, err := s.Suppressed(ctx, "x@example.com"); return yes, err },
		"Setting":    func() (any, error) { return s.Setting(ctx, "k") }, "Campaigns": func() (any, error) { return s.Campaigns(ctx) },
		"Campaign": func() (any, error) { return s.Campaign(ctx, id) }, "CampaignByName": func() (any, error) { return s.CampaignByName(ctx, "c") },
		"Deliveries": func() (any, error) { return s.Deliveries(ctx, model.DeliveryQuery{CampaignID: id}) },
		"Attempts":   func() (any, error) { return s.Attempts(ctx, ds[0].ID) }, "Clock": func() (any, error) { return s.Clock(ctx, 1) },
		"RecentAttempts":   func() (any, error) { return s.RecentAttempts(ctx, 1, time.Time{}) },
		"RecentRecipients": func() (any, error) { return s.RecentRecipients(ctx, id, 1, time.Time{}) }, "Imports": func() (any, error) { return s.Imports(ctx) },
		"ContactByEmail": func() (any, error) { return s.ContactByEmail(ctx, people(20)[0].Email) },
	} {
		if v, err := read(); err != nil || v == nil || v == false || v == "" {
			t.Errorf("%s: %v, %v", what, v, err)
		}
	}
	for what, write := range map[string]func() error{
		"SaveAccount": func() error { return s.SaveAccount(ctx, sampleAccount("b")) }, "RemoveAccount": func() error { return s.RemoveAccount(ctx, 1) },
		"CreateList": func() error { _, err := s.CreateList(ctx, "m"); return err }, "RenameList": func() error { return s.RenameList(ctx, 1, "z") },
		"RemoveList": func() error { return s.RemoveList(ctx, 1) }, "SaveContact": func() error { return s.SaveContact(ctx, &model.Contact{Email: "q@example.com"}, 0) },
		"RemoveContacts": func() error { return s.RemoveContacts(ctx, []int64{1}, 0) },
		"BeginImport":    func() error { _, err := s.BeginImport(ctx, model.ImportSpec{ListName: "l"}); return err },
		"UndoImport":     func() error { _, err := s.UndoImport(ctx, r.ImportID); return err },
		"SaveLetter":     func() error { return s.SaveLetter(ctx, &model.Letter{}) }, "RemoveLetter": func() error { return s.RemoveLetter(ctx, 1) },
		"Suppress": func() error { return s.Suppress(ctx, model.Suppression{Key: "y@example.com"}) }, "RemoveSuppression": func() error { return s.RemoveSuppression(ctx, 1) },
		"SetSetting": func() error { return s.SetSetting(ctx, "k", "w") }, "CreateCampaign": func() error { return s.CreateCampaign(ctx, &model.Campaign{Name: "d"}) },
		"AddDeliveries": func() error { return s.AddDeliveries(ctx, id, nil) }, "Freeze": func() error { return s.Freeze(ctx, id) },
		"RemoveDraft": func() error { return s.RemoveDraft(ctx, id) }, "Requeue": func() error { _, err := s.Requeue(ctx, id, model.Rejected); return err },
		"SetCampaignState": func() error { return s.SetCampaignState(ctx, id, model.CampaignPaused, "", "") },
		"Claim":            func() error { _, err := s.Claim(ctx, id, 1, when(0)); return err }, "Intend": func() error { return s.Intend(ds[3].ID, 1, when(0)).Wait() },
		"SetClock": func() error { return s.SetClock(ctx, model.Clock{AccountID: 1, State: model.ClockFit}) }, "Err": s.Err,
	} {
		if err := write(); model.CodeOf(err) != model.EReadOnly {
			t.Errorf("%s: %v, want %s", what, err, model.EReadOnly)
		}
	}
	s.Release(id, []int64{ds[4].ID})
	s.Settle(model.Outcome{DeliveryID: ds[4].ID, State: model.Accepted})
	must(t, s.Flush(ctx))
	must(t, s.Close())
	same(t, "what the writer has", snapshot(t, w).Members, map[string][]string{"l": emails(t, w, model.ContactQuery{Sort: model.SortEmail})})
}

func TestCancelledWrite(t *testing.T) {
	s := fresh(t)
	gone, cancel := context.WithCancel(ctx)
	cancel()
	wantCode(t, s.SetSetting(gone, "k", "v"), model.ECancelled)
	v, err := s.Setting(ctx, "k")
	must(t, err)
	if v != "" {
		t.Errorf("setting %q was stored by a write that was cancelled", v)
	}
	must(t, s.SetSetting(ctx, "k", "w")) // and the next goes through
}
