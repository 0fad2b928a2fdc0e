package app_test

import (
	"context"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"hongyan/app"
	"hongyan/app/contacts"
	"hongyan/app/model"
	"hongyan/app/secrets"
	"hongyan/smtpx"
	"hongyan/smtpx/smtptest"
	"hongyan/store"
)

// rig is an App over a real data folder.
type rig struct {
	*app.App
	t     *testing.T
	dir   string
	store *store.Store
}

func open(t *testing.T, dir string) *rig { return openWith(t, dir, app.Options{}) }

// openWith opens a data folder with options of which it fills in the usual ones.
func openWith(t *testing.T, dir string, o app.Options) *rig {
	t.Helper()
	st, err := store.Open(t.Context(), dir, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	keeper := secrets.Open(secrets.Options{Dir: dir, FileOnly: true, Passphrase: "phrase"})
	o.Dir, o.Store, o.Secrets, o.Version = dir, st, keeper, "test"
	r := &rig{t: t, dir: dir, store: st, App: app.New(o)}
	t.Cleanup(r.close)
	return r
}

func newRig(t *testing.T) *rig { return open(t, filepath.Join(t.TempDir(), "数据 ?#")) }

func (r *rig) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := r.Close(ctx); err != nil {
		r.t.Error(err)
	}
	if err := r.store.Close(); err != nil {
		r.t.Error(err)
	}
}

// server starts a practice server, and an account that sends to it.
func (r *rig) server(o smtptest.Options) (*smtptest.Server, *model.Account) {
	r.t.Helper()
	o.TLS, o.Log = smtpx.TLSNone, filepath.Join(r.t.TempDir(), "log")
	s, err := smtptest.Start(o)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = s.Close() })
	return s, r.account("relay", s.Port())
}

func (r *rig) account(name string, port int) *model.Account {
	r.t.Helper()
	a := &model.Account{Name: name, From: "desk@example.com", FromName: "读书会", Host: "127.0.0.1", Port: port, TLS: model.TLSNone,
		Auth: model.AuthNone, Profile: model.ProfileRelay}
	if err := r.SaveAccount(r.t.Context(), a, "", false); err != nil {
		r.t.Fatal(err)
	}
	return a
}

// people imports n made-up people into a list and gives its id.
func (r *rig) people(list string, n int) int64 {
	r.t.Helper()
	var b strings.Builder
	b.WriteString("email,name,city\n")
	for i := range n {
		b.WriteString("user" + strconv.Itoa(i) + "@example.org,示例" + strconv.Itoa(i) + ",上海\n")
	}
	return r.paste(list, b.String()).ListID
}

func (r *rig) paste(list, text string) model.ImportReport {
	r.t.Helper()
	src, err := contacts.FromText(text, contacts.Options{})
	if err != nil {
		r.t.Fatal(err)
	}
	rep, err := r.Import(r.t.Context(), src, model.ImportSpec{ListName: list, Source: "test", Consent: "made up"}, false, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	return rep
}

var letter = model.Letter{Subject: "周六活动，{{name|朋友}}", Body: "{{name|朋友}}您好：\n\n我们在{{city}}见。\n\n如不想再收到，请回复「退订」。", Format: model.FormatMarkdown}

func (r *rig) campaign(name string, list int64, accounts ...int64) *model.Campaign {
	r.t.Helper()
	c, err := r.CreateCampaign(r.t.Context(), app.CampaignSpec{Name: name, ListID: list, Letter: letter, AccountIDs: accounts})
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

// send runs a campaign to its end.
func (r *rig) send(c *model.Campaign) model.Counts {
	r.t.Helper()
	if err := r.Start(r.t.Context(), c.ID); err != nil {
		r.t.Fatal(err)
	}
	return r.ended(c)
}

func (r *rig) ended(c *model.Campaign) model.Counts {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 30*time.Second)
	defer cancel()
	if err := r.Wait(ctx, c.ID); err != nil {
		r.t.Fatal(err)
	}
	return r.counts(c)
}

func (r *rig) counts(c *model.Campaign) model.Counts {
	r.t.Helper()
	n, err := r.Counts(r.t.Context(), c.ID)
	if err != nil {
		r.t.Fatal(err)
	}
	if sum := n.Queued + n.Attempting + n.Accepted + n.Deferred + n.Rejected + n.Unknown + n.Skipped; sum != n.Total {
		r.t.Errorf("the counts add up to %d of %d: %+v", sum, n.Total, n)
	}
	return n
}

// once asserts that nobody got more than one letter, and gives how many got one.
func once(t *testing.T, s *smtptest.Server) int {
	t.Helper()
	by, err := s.CountByRecipient()
	if err != nil {
		t.Fatal(err)
	}
	for who, n := range by {
		if n > 1 {
			t.Errorf("%s got %d letters", who, n)
		}
	}
	return len(by)
}
