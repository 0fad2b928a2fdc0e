package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"hongyan/app/model"
	"hongyan/store"
)

func TestOpenFolder(t *testing.T) {
	own, theirs := fresh(t), fresh(t) // both stay open: theirs is in use
	rows := make([]model.Row, 1203)
	for i := range rows {
		rows[i] = model.Row{Line: i + 1, Email: fmt.Sprintf("p%d@d%d.example.com", i, i%7)}
	}
	load(t, theirs, "all", rows, 300)
	load(t, theirs, "few", rows[10:13], 3)
	must(t, theirs.Suppress(ctx, model.Suppression{Key: "p11@d4.example.com", Reason: "unsubscribe"}))
	must(t, theirs.Suppress(ctx, model.Suppression{Key: "@d3.example.com", Reason: "user"}))

	f, err := store.OpenFolder(ctx, own.Dir(), theirs.Dir())
	must(t, err)
	defer func() { must(t, f.Close()) }()
	if n, err := f.People(ctx); err != nil || n != len(rows) {
		t.Errorf("%d people, %v", n, err)
	}
	if id, err := f.Identity(ctx); err != nil || id == "" {
		t.Errorf("identity %q, %v", id, err)
	}
	seen := 0
	must(t, f.Each(ctx, 0, func(c *model.Contact, suppressed bool) error {
		if c.Email != rows[seen].Email || suppressed != (seen%7 == 3 || seen == 11) {
			t.Errorf("at %d: %s, suppressed %v", seen, c.Email, suppressed)
		}
		seen++
		return nil
	}))
	if seen != len(rows) {
		t.Errorf("saw %d of %d", seen, len(rows))
	}
	lists, err := f.Lists(ctx)
	must(t, err)
	enough := errors.New("enough")
	var got []string
	for _, l := range lists {
		if l.Name == "few" {
			err = f.Each(ctx, l.ID, func(c *model.Contact, _ bool) error {
				if got = append(got, c.Email); len(got) == 2 {
					return enough
				}
				return nil
			})
		}
	}
	if !errors.Is(err, enough) || len(got) != 2 || got[0] != rows[10].Email {
		t.Errorf("of the list %v, %v", got, err)
	}
}

func TestOpenFolderRefused(t *testing.T) {
	s := fresh(t)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(s.Dir(), link); err != nil {
		link = s.Dir() + string(filepath.Separator) + "."
	}
	refused := func(what, own, path string, want model.Code) {
		t.Helper()
		f, err := store.OpenFolder(context.Background(), own, path)
		if model.CodeOf(err) != want {
			t.Errorf("%s: %v, want %s", what, err, want)
		}
		if f != nil {
			_ = f.Close()
		}
	}
	refused("itself", s.Dir(), link, model.EFileDataOpen)
	refused("nothing", s.Dir(), t.TempDir(), model.EFileMissing)

	old := fresh(t)
	must(t, old.ExecApp("PRAGMA user_version = 1"))
	refused("an old one", s.Dir(), old.Dir(), model.EFileDataOld)
	must(t, old.ExecApp("PRAGMA user_version = 99"))
	refused("a newer one", s.Dir(), old.Dir(), model.ENewer)
}

// TestImportOwnConsent: what a row says of consent is what is recorded, of a new person, of a known one, and where
// several rows are one person; and a prospect counts the same.
func TestImportOwnConsent(t *testing.T) {
	s := fresh(t)
	load(t, s, "L", []model.Row{{Email: "known@example.com"}, {Email: "same@example.com", Consent: "by letter"}}, 2)
	rows := []model.Row{
		{Email: "new@example.com", Consent: "at the fair"},
		{Email: "plain@example.com"},
		{Email: "none@example.com", NoConsent: true},
		{Email: "known@example.com", Consent: "by letter"},
		{Email: "same@example.com", Consent: "by letter"},
		{Email: "twice@example.com", NoConsent: true},
		{Email: "twice@example.com", Consent: "at the fair"},
	}
	look, err := s.Prospect(ctx, model.ImportSpec{ListName: "L", Source: "a fair", Consent: "signed up there"})
	must(t, err)
	must(t, look.Add(ctx, rows))
	said, err := look.Finish(ctx)
	must(t, err)
	done := load(t, s, "L", rows, len(rows))
	if said.Added != 4 || said.Updated != 1 || said.Duplicate != 2 || done.Added != said.Added || done.Updated != said.Updated || done.Duplicate != said.Duplicate {
		t.Errorf("said %+v, done %+v", said, done)
	}
	for email, want := range map[string]string{"new@example.com": "at the fair", "plain@example.com": "signed up there", "none@example.com": "",
		"known@example.com": "by letter", "same@example.com": "by letter", "twice@example.com": "at the fair"} {
		c, err := s.ContactByEmail(ctx, email)
		must(t, err)
		if c.Consent != want {
			t.Errorf("%s agreed %q, want %q", email, c.Consent, want)
		}
	}
}
