package store_test

import (
	"fmt"
	"strings"
	"testing"

	"hongyan/app/model"
	"hongyan/store"
)

// mailed makes a campaign to addresses, all queued, and freezes it.
func mailed(t testing.TB, s *store.Store, name string, emails ...string) *model.Campaign {
	t.Helper()
	c := &model.Campaign{Name: name, Seed: "00", Letter: model.Letter{Subject: "s " + name, Body: "b"}, CreatedAt: when(1)}
	must(t, s.CreateCampaign(ctx, c))
	var ds []model.Delivery
	for i, e := range emails {
		ds = append(ds, model.Delivery{ContactID: int64(i + 1), Email: e, Address: e, Name: "张伟", Fields: map[string]string{"city": "北京"}, State: model.Queued})
	}
	must(t, s.AddDeliveries(ctx, c.ID, ds))
	must(t, s.Freeze(ctx, c.ID))
	return c
}

// sendTo claims the first queued letter of a campaign and ends it with an outcome.
func sendTo(t testing.TB, s *store.Store, c *model.Campaign, o model.Outcome) model.Delivery {
	t.Helper()
	ds, err := s.Claim(ctx, c.ID, 1, when(5))
	must(t, err)
	if len(ds) != 1 {
		t.Fatalf("claimed %d", len(ds))
	}
	must(t, s.Intend(ds[0].ID, 1, when(5)).Wait())
	o.DeliveryID, o.At = ds[0].ID, when(6)
	s.Settle(o)
	must(t, s.Flush(ctx))
	return ds[0]
}

func TestDeliveriesTo(t *testing.T) {
	s := fresh(t)
	for i := range 3 {
		mailed(t, s, fmt.Sprint("c", i), "a@example.com", "b@example.com", "a@example.com")
	}
	mailed(t, s, "others", "b@example.com")
	got, err := s.DeliveriesTo(ctx, "a@example.com")
	must(t, err)
	var of []int64
	for _, d := range got {
		if d.Email != "a@example.com" || d.Reason != "" {
			t.Errorf("got %+v", d)
		}
		of = append(of, d.CampaignID)
	}
	same(t, "campaigns", of, []int64{3, 2, 1})
	got, err = s.DeliveriesTo(ctx, "nobody@example.com")
	must(t, err)
	same(t, "of a stranger", got, []model.Delivery(nil))
}

// TestErase: nothing in either file tells any more who somebody was, the counts hold, and others keep theirs.
func TestErase(t *testing.T) {
	s := fresh(t)
	sent := mailed(t, s, "sent", "a@example.com", "b@example.com")
	sendTo(t, s, sent, model.Outcome{State: model.Rejected, Step: model.StepRcpt, Code: 550, Enhanced: "5.1.1", Reply: "550 5.1.1 <a@example.com> unknown"})
	waits := mailed(t, s, "waits", "b@example.com", "a@example.com", "a@example.com")
	must(t, s.EraseDeliveries(ctx, 0, "a@example.com"))

	gone, err := s.DeliveriesTo(ctx, "a@example.com")
	must(t, err)
	same(t, "what is left of them", gone, []model.Delivery(nil))
	for _, c := range []*model.Campaign{sent, waits} {
		ds, err := s.Deliveries(ctx, model.DeliveryQuery{CampaignID: c.ID})
		must(t, err)
		for _, d := range ds {
			if d.Email == "b@example.com" {
				same(t, "another's name", d.Name, "张伟")
				continue
			}
			if d.Name != "" || d.Address != d.Email || len(d.Fields) > 0 || d.Reply != "" || d.ContactID != 0 {
				t.Errorf("%s: still known: %+v", c.Name, d)
			}
			as, err := s.Attempts(ctx, d.ID)
			must(t, err)
			for _, a := range as {
				if a.Reply != "" || a.Code != 550 {
					t.Errorf("attempt %+v", a)
				}
			}
		}
	}
	n, err := s.Counts(ctx, sent.ID)
	must(t, err)
	same(t, "counts of what was sent", n, model.Counts{Total: 2, Queued: 1, Rejected: 1})
	n, err = s.Counts(ctx, waits.ID)
	must(t, err)
	same(t, "counts of what waits", n, model.Counts{Total: 3, Queued: 1, Skipped: 2})
	must(t, s.EraseDeliveries(ctx, 0, "a@example.com"))
}

// TestEraseUnderWay: a letter that is being sent keeps its address until it is settled.
func TestEraseUnderWay(t *testing.T) {
	s := fresh(t)
	c := mailed(t, s, "c", "a@example.com")
	ds, err := s.Claim(ctx, c.ID, 1, when(5))
	must(t, err)
	wantCode(t, s.EraseDeliveries(ctx, 0, "a@example.com"), model.ECampaignRun)
	s.Release(c.ID, []int64{ds[0].ID})
	must(t, s.EraseDeliveries(ctx, 0, "a@example.com"))
}

func TestImportsOfAPerson(t *testing.T) {
	s := fresh(t)
	open := func(file string, emails ...string) model.Importer {
		im, err := s.BeginImport(ctx, model.ImportSpec{ListName: "l", Source: "s", FileName: file})
		must(t, err)
		var rows []model.Row
		for i, e := range emails {
			rows = append(rows, model.Row{Line: i + 1, Email: e, Address: e, NoConsent: true})
		}
		add(t, im, rows)
		return im
	}
	_, err := open("one.csv", "a@example.com").Finish(ctx)
	must(t, err)
	open("two.csv", "a@example.com", "b@example.com") // cut off

	a, err := s.ContactByEmail(ctx, "a@example.com")
	must(t, err)
	of, err := s.ImportsOf(ctx, a.ID)
	must(t, err)
	if len(of) != 2 || of[0].FileName != "one.csv" || of[1].FileName != "two.csv" {
		t.Fatalf("imports %+v", of)
	}
	cut, err := s.OpenImports(ctx)
	must(t, err)
	if len(cut) != 1 || cut[0].FileName != "two.csv" || cut[0].Rows != 2 {
		t.Fatalf("open %+v", cut)
	}
	must(t, s.KeepImport(ctx, cut[0].ID))
	wantCode(t, s.KeepImport(ctx, cut[0].ID), model.EInvalid)
	cut, err = s.OpenImports(ctx)
	must(t, err)
	same(t, "still open", cut, []model.Import(nil))

	b, err := s.ContactByEmail(ctx, "b@example.com")
	must(t, err)
	must(t, s.SaveContact(ctx, &model.Contact{ID: a.ID, Email: a.Email, Address: a.Email, Source: "s", Consent: "had said so"}, 0))
	n, err := s.RecordConsent(ctx, []int64{a.ID, b.ID, 99}, "signed the card", when(9))
	must(t, err)
	same(t, "recorded", n, 1)
	b, err = s.ContactByEmail(ctx, "b@example.com")
	must(t, err)
	if b.Consent != "signed the card" || !b.UpdatedAt.Equal(when(9)) {
		t.Errorf("b is %+v", b)
	}
	a, err = s.ContactByEmail(ctx, "a@example.com")
	must(t, err)
	same(t, "consent that stood", a.Consent, "had said so")
	checkOrphans(t, s)
}

func TestSuppressAll(t *testing.T) {
	s := fresh(t)
	must(t, s.Suppress(ctx, model.Suppression{Key: "a@example.com", Reason: "user", At: when(1)}))
	n, err := s.SuppressAll(ctx, []model.Suppression{{Key: "a@example.com", Reason: "import"}, {Key: "@EXAMPLE.org", Reason: "import", At: when(2)}})
	must(t, err)
	same(t, "new", n, 1)
	all, err := s.Suppressions(ctx)
	must(t, err)
	if len(all) != 2 || all[0].Key != "@example.org" || all[1].Reason != "user" {
		t.Errorf("all %+v", all)
	}
	_, err = s.SuppressAll(ctx, []model.Suppression{{Key: "x"}})
	wantCode(t, err, model.EInvalid)
}

// BenchmarkDeliveriesTo asks for one person among a hundred campaigns of a thousand.
func BenchmarkDeliveriesTo(b *testing.B) {
	s := fresh(b)
	emails := make([]string, 1000)
	for i := range emails {
		emails[i] = fmt.Sprintf("p%04d@example.com", i)
	}
	for i := range 100 {
		mailed(b, s, fmt.Sprint("c", i), emails...)
	}
	for b.Loop() {
		ds, err := s.DeliveriesTo(ctx, "p0500@example.com")
		if err != nil || len(ds) != 100 {
			b.Fatal(len(ds), err)
		}
	}
}

// TestEraseOfMerged: letters to addresses that were merged into a person's are theirs too.
func TestEraseOfMerged(t *testing.T) {
	s := fresh(t)
	var ids []int64
	for i, email := range []string{"a@example.com", "b@example.com", "c@example.com"} {
		c := &model.Contact{Email: email, Address: email, CreatedAt: when(i)}
		must(t, s.SaveContact(ctx, c, 0))
		ids = append(ids, c.ID)
	}
	camp := mailed(t, s, "sent", "a@example.com", "b@example.com", "c@example.com") // with the ids 1, 2 and 3
	must(t, s.MergeContacts(ctx, ids[0], []int64{ids[1]}, when(5)))
	must(t, s.EraseDeliveries(ctx, ids[0], "a@example.com"))
	ds, err := s.Deliveries(ctx, model.DeliveryQuery{CampaignID: camp.ID})
	must(t, err)
	for i, d := range ds {
		if theirs := i < 2; theirs != strings.HasSuffix(d.Email, "@erased.invalid") {
			t.Errorf("%+v", d)
		}
	}
}
