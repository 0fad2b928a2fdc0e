package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"hongyan/app"
	"hongyan/app/model"
	"hongyan/store"
)

var _ app.Store = (*store.Store)(nil)

// when is a time as the store keeps it: to the millisecond.
func when(n int) time.Time { return time.UnixMilli(1_790_000_000_000 + int64(n)*1000) }

func open(t testing.TB, dir string, o store.Options) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), dir, o)
	if err != nil {
		t.Fatalf("open %s: %v", dir, err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func fresh(t testing.TB) *store.Store {
	t.Helper()
	return open(t, t.TempDir(), store.Options{})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantCode(t testing.TB, err error, code model.Code) {
	t.Helper()
	if model.CodeOf(err) != code {
		t.Fatalf("error %v, want code %q", err, code)
	}
}

func same(t testing.TB, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Fatalf("%s (-want +got):\n%s", what, d)
	}
}

var ctx = context.Background()

func sampleAccount(name string) *model.Account {
	return &model.Account{Name: name, From: name + "@example.com", FromName: "鸿雁", Provider: "qq", Host: "smtp.example.com", Port: 465,
		TLS: model.TLSImplicit, User: "u", Auth: model.AuthPassword, Profile: model.ProfileRelay,
		Limits: model.Limits{Connections: 3, PerMinute: 10, PerHour: 100, PerDay: 1000, PerSession: 20, GapMin: 1500 * time.Millisecond, GapMax: 4 * time.Second},
		CAFile: "/ca.pem", Fingerprint: "ab12", LegacyTLS: true, AllowPlaintext: true, CreatedAt: when(1), UpdatedAt: when(2)}
}

func TestAccounts(t *testing.T) {
	s := fresh(t)
	b, a := sampleAccount("b"), sampleAccount("a")
	must(t, s.SaveAccount(ctx, b))
	must(t, s.SaveAccount(ctx, a))
	if a.ID == 0 || a.ID == b.ID {
		t.Fatalf("ids %d and %d", a.ID, b.ID)
	}
	all, err := s.Accounts(ctx)
	must(t, err)
	same(t, "accounts", all, []model.Account{*a, *b})

	twin := sampleAccount("a")
	wantCode(t, s.SaveAccount(ctx, twin), model.EExists)
	if twin.ID != 0 {
		t.Error("an account that was refused got an id")
	}
	b.Name = "a"
	wantCode(t, s.SaveAccount(ctx, b), model.EExists)

	b.Name, b.Limits, b.LegacyTLS = "c", model.Limits{}, false
	must(t, s.SaveAccount(ctx, b))
	got, err := s.AccountByName(ctx, "c")
	must(t, err)
	same(t, "changed", got, b)

	must(t, s.RemoveAccount(ctx, a.ID))
	wantCode(t, s.RemoveAccount(ctx, a.ID), model.ENotFound)
	_, err = s.Account(ctx, a.ID)
	wantCode(t, err, model.ENotFound)
	_, err = s.AccountByName(ctx, "a")
	wantCode(t, err, model.ENotFound)
	wantCode(t, s.SaveAccount(ctx, a), model.ENotFound)
	again := sampleAccount("a")
	must(t, s.SaveAccount(ctx, again))
	if again.ID <= a.ID {
		t.Errorf("id %d was used again as %d: clocks and histories in the journal would be another's", a.ID, again.ID)
	}
}

func TestLettersAndSettings(t *testing.T) {
	s := fresh(t)
	l := &model.Letter{Name: "n", Subject: "你好 {{name}}", Body: "<b>body</b>", Format: model.FormatMarkdown, FromName: "f", ReplyTo: "r@example.com",
		Attachments: []model.Attachment{{Path: "/tmp/a b.pdf", Name: "a.pdf", Type: "application/pdf", Data: []byte("not kept in a draft")}}, UpdatedAt: when(1)}
	must(t, s.SaveLetter(ctx, l))
	want := *l
	want.Attachments = []model.Attachment{{Path: "/tmp/a b.pdf", Name: "a.pdf", Type: "application/pdf"}}
	got, err := s.Letter(ctx, l.ID)
	must(t, err)
	same(t, "letter", *got, want)
	newer := &model.Letter{Subject: "s", UpdatedAt: when(2)}
	must(t, s.SaveLetter(ctx, newer))
	all, err := s.Letters(ctx)
	must(t, err)
	same(t, "letters, latest first", all, []model.Letter{*newer, want})
	l.Subject, l.UpdatedAt = "changed", when(3)
	must(t, s.SaveLetter(ctx, l))
	got, err = s.Letter(ctx, l.ID)
	must(t, err)
	if got.Subject != "changed" {
		t.Errorf("subject %q", got.Subject)
	}
	must(t, s.RemoveLetter(ctx, l.ID))
	wantCode(t, s.RemoveLetter(ctx, l.ID), model.ENotFound)
	wantCode(t, s.SaveLetter(ctx, l), model.ENotFound)
	_, err = s.Letter(ctx, l.ID)
	wantCode(t, err, model.ENotFound)

	for _, v := range []string{"", "1200x800", "другое", ""} {
		must(t, s.SetSetting(ctx, "window", v))
		got, err := s.Setting(ctx, "window")
		must(t, err)
		if got != v {
			t.Errorf("setting %q, want %q", got, v)
		}
	}
}

func checkOrphans(t testing.TB, s *store.Store) {
	t.Helper()
	bad, err := s.Orphans()
	must(t, err)
	for _, b := range bad {
		t.Error(b)
	}
}
