package journaltest

import (
	"testing"
	"time"

	"hongyan/app/model"
)

func testSettle(t *testing.T, f Factory) {
	s := f.Open(t)
	id := ready(t, s, "c", 7)
	ds := claim(t, s, id, 7, at(0))
	outcomes := []model.Outcome{
		{State: model.Accepted, Step: model.StepDot, Code: 250, Enhanced: "2.0.0", Reply: "OK queued"},
		{State: model.Deferred, Step: model.StepRcpt, Code: 451, Enhanced: "4.7.1", Reply: "greylisted", Scope: model.ScopeSoft, NextAt: at(600)},
		{State: model.Rejected, Step: model.StepRcpt, Code: 550, Enhanced: "5.1.1", Reply: "no such user", Scope: model.ScopeHard},
		{State: model.Unknown, Step: model.StepDot, Reply: "connection lost", Scope: model.ScopeUnknown},
		{State: model.Queued, Step: model.StepData, Reply: "withdrawn"},
		{State: model.Skipped, Reason: "suppressed"},
	}
	for i, o := range outcomes {
		o.DeliveryID, o.AccountID, o.At = ds[i].ID, 2, at(20+i)
		outcomes[i] = o
		must(t, f.intend(s, o.DeliveryID, 2, at(10+i)).Wait())
		s.Settle(o)
		late := o
		late.State, late.Reply = model.Rejected, "a second result"
		s.Settle(late)
	}
	s.Settle(model.Outcome{DeliveryID: ds[6].ID, State: "odd"}) // no state in which an attempt ends
	s.Settle(model.Outcome{DeliveryID: 9999, State: model.Accepted})
	want := model.Counts{Total: 7, Queued: 2, Accepted: 1, Deferred: 1, Rejected: 1, Unknown: 1, Skipped: 1}
	same(t, "counts before they are durable", counts(t, s, id), want)
	flush(t, s)
	same(t, "counts", counts(t, s, id), want)
	for _, late := range outcomes { // and not after it either
		late.State = model.Rejected
		s.Settle(late)
	}
	flush(t, s)
	same(t, "counts", counts(t, s, id), want)
	for i, o := range outcomes {
		w := recipient(i)
		w.ID, w.CampaignID, w.State, w.Reason, w.Attempts, w.AccountID, w.UpdatedAt = o.DeliveryID, id, o.State, o.Reason, 1, 2, o.At
		w.Step, w.Code, w.Enhanced, w.Reply, w.Scope, w.NextAt = o.Step, o.Code, o.Enhanced, o.Reply, o.Scope, o.NextAt
		if o.State == model.Queued {
			w.Attempts = 0 // nothing left us
		}
		same(t, "delivery "+string(o.State), delivery(t, s, id, o.DeliveryID), w)
		same(t, "history "+string(o.State), history(t, s, o.DeliveryID), []model.Attempt{{DeliveryID: o.DeliveryID, AccountID: 2, Started: at(10 + i), Ended: o.At,
			State: o.State, Step: o.Step, Code: o.Code, Enhanced: o.Enhanced, Reply: o.Reply, Scope: o.Scope}})
	}

	// A second attempt gets a line of its own.
	d := claim(t, s, id, 1, at(0))[0]
	if d.ID != outcomes[4].DeliveryID || d.Attempts != 0 {
		t.Fatalf("claimed %+v, want the withdrawn one", d)
	}
	must(t, f.intend(s, d.ID, 3, at(50)).Wait())
	s.Settle(model.Outcome{DeliveryID: d.ID, AccountID: 3, State: model.Accepted, Step: model.StepDot, At: at(51)})
	flush(t, s)
	h := history(t, s, d.ID)
	if len(h) != 2 || h[0].State != model.Queued || h[1].State != model.Accepted || h[1].AccountID != 3 || !h[1].Ended.Equal(at(51)) {
		t.Fatalf("history %+v", h)
	}
	if d := delivery(t, s, id, d.ID); d.Attempts != 1 {
		t.Fatalf("%d attempts, want 1", d.Attempts)
	}
}

// testSettleWithoutIntent: a letter that no server heard of. Only when that decided something it is a line of the
// history, and never does it count against an account.
func testSettleWithoutIntent(t *testing.T, f Factory) {
	s := f.Open(t)
	id := ready(t, s, "c", 3)
	ds := claim(t, s, id, 3, at(0))
	s.Settle(model.Outcome{DeliveryID: ds[0].ID, AccountID: 1, State: model.Skipped, Reason: "suppressed", At: at(1)})
	s.Settle(model.Outcome{DeliveryID: ds[1].ID, AccountID: 1, State: model.Queued, Step: model.StepMail, At: at(1)})
	s.Settle(model.Outcome{DeliveryID: ds[2].ID, AccountID: 1, State: model.Rejected, Step: model.StepCompose, Reply: "no such field", Scope: model.ScopeContent, At: at(1)})
	flush(t, s)
	same(t, "counts", counts(t, s, id), model.Counts{Total: 3, Queued: 1, Rejected: 1, Skipped: 1})
	for i, n := range []int{0, 0, 1} {
		if got := delivery(t, s, id, ds[i].ID).Attempts; got != n {
			t.Errorf("delivery %d: %d attempts, want %d", i, got, n)
		}
		if h := history(t, s, ds[i].ID); len(h) != n {
			t.Errorf("delivery %d: history %+v", i, h)
		}
	}
	times, err := s.RecentAttempts(ctx, 1, time.Time{})
	must(t, err)
	if len(times) != 0 {
		t.Errorf("%v counts against the account", times)
	}
}

// testSettleBeforeIntent: a server refuses a recipient in less time than the disk takes.
func testSettleBeforeIntent(t *testing.T, f Factory) {
	s := f.Open(t)
	const n = 200
	id := ready(t, s, "c", n)
	same(t, "counts", counts(t, s, id), model.Counts{Total: n, Queued: n})
	for _, d := range claim(t, s, id, n, at(0)) {
		p := f.intend(s, d.ID, 1, at(1))
		s.Settle(model.Outcome{DeliveryID: d.ID, AccountID: 1, State: model.Rejected, Step: model.StepRcpt, Code: 550, At: at(2)})
		if d.ID%5 == 0 {
			must(t, p.Wait())
		}
	}
	flush(t, s)
	same(t, "counts", counts(t, s, id), model.Counts{Total: n, Rejected: n})
	page, err := s.Deliveries(ctx, model.DeliveryQuery{CampaignID: id})
	must(t, err)
	for _, d := range page {
		h := history(t, s, d.ID)
		if d.State != model.Rejected || d.Attempts != 1 || len(h) != 1 || h[0].State != model.Rejected || !h[0].Ended.Equal(at(2)) {
			t.Fatalf("%+v with history %+v", d, h)
		}
	}
	times, err := s.RecentAttempts(ctx, 1, time.Time{})
	must(t, err)
	if len(times) != n {
		t.Errorf("%d attempts count against the account, want %d: the server heard of each", len(times), n)
	}
}

func testRecentAttempts(t *testing.T, f Factory) {
	s := f.Open(t)
	a, b := ready(t, s, "a", 3), ready(t, s, "b", 3)
	da, db := claim(t, s, a, 3, at(0)), claim(t, s, b, 3, at(0))
	for _, in := range []struct {
		d       model.Delivery
		account int64
		at      int
	}{{da[0], 1, 30}, {db[0], 1, 10}, {da[1], 2, 20}, {db[1], 1, 20}, {da[2], 1, 40}} {
		must(t, f.intend(s, in.d.ID, in.account, at(in.at)).Wait())
	}
	s.Settle(model.Outcome{DeliveryID: da[0].ID, AccountID: 1, State: model.Rejected, Step: model.StepRcpt, At: at(31)})
	flush(t, s)
	for _, c := range []struct {
		account int64
		since   time.Time
		want    []time.Time
	}{
		{1, time.Time{}, []time.Time{at(10), at(20), at(30), at(40)}},
		{1, at(20), []time.Time{at(30), at(40)}},
		{2, time.Time{}, []time.Time{at(20)}},
		{1, at(40), nil},
		{9, time.Time{}, nil},
	} {
		got, err := s.RecentAttempts(ctx, c.account, c.since)
		must(t, err)
		same(t, "recent attempts", got, c.want)
	}
	for _, d := range []model.Delivery{da[1], da[2], db[0], db[1]} {
		s.Settle(model.Outcome{DeliveryID: d.ID, State: model.Accepted, Step: model.StepDot, At: at(50)})
	}
	flush(t, s)
	for _, c := range []struct {
		campaign, account int64
		since             time.Time
		want              []model.Begun
	}{
		{a, 1, time.Time{}, []model.Begun{{Email: da[0].Email, At: at(30)}, {Email: da[2].Email, At: at(40)}}},
		{b, 1, at(10), []model.Begun{{Email: db[1].Email, At: at(20)}}},
		{b, 2, time.Time{}, nil},
	} {
		got, err := s.RecentRecipients(ctx, c.campaign, c.account, c.since)
		must(t, err)
		same(t, "recent recipients", got, c.want)
	}
}

func testClocks(t *testing.T, f Factory) {
	s := f.Open(t)
	c, err := s.Clock(ctx, 1)
	must(t, err)
	same(t, "of an account that never sent", c, model.Clock{AccountID: 1, State: model.ClockFit})
	want := model.Clock{AccountID: 1, State: model.ClockResting, Until: at(99), Scope: model.ScopeAccountRate, Step: model.StepMail, Code: 550,
		Enhanced: "5.7.1", Reply: "too many", At: at(1)}
	must(t, s.SetClock(ctx, want))
	c, err = s.Clock(ctx, 1)
	must(t, err)
	same(t, "resting", c, want)
	s = f.Crash(t, s)
	c, err = s.Clock(ctx, 1)
	must(t, err)
	same(t, "a restart resets no ban", c, want)
	must(t, s.SetClock(ctx, model.Clock{AccountID: 1, State: model.ClockFit, At: at(2)}))
	c, err = s.Clock(ctx, 1)
	must(t, err)
	same(t, "fit again", c, model.Clock{AccountID: 1, State: model.ClockFit, At: at(2)})
	wantCode(t, s.SetClock(ctx, model.Clock{AccountID: 1}), model.EInvalid)
}

func testRequeue(t *testing.T, f Factory) {
	s := f.Open(t)
	id, other := ready(t, s, "c", 6), ready(t, s, "other", 1)
	o := claim(t, s, other, 1, at(0))[0]
	s.Settle(model.Outcome{DeliveryID: o.ID, AccountID: 1, State: model.Rejected, Step: model.StepRcpt, At: at(1)})
	ds := claim(t, s, id, 6, at(0))
	states := []model.State{model.Accepted, model.Rejected, model.Unknown, model.Deferred, model.Skipped, model.Rejected}
	for i, st := range states {
		must(t, f.intend(s, ds[i].ID, 1, at(1)).Wait())
		s.Settle(model.Outcome{DeliveryID: ds[i].ID, AccountID: 1, State: st, Reason: "r", Step: model.StepRcpt, Code: 550, Reply: "no", NextAt: at(900), At: at(2)})
	}
	flush(t, s)
	must(t, s.SetCampaignState(ctx, id, model.CampaignDone, "", ""))
	for _, st := range []model.State{model.Accepted, model.Attempting, model.Skipped, model.Queued} {
		_, err := s.Requeue(ctx, id, model.Rejected, st)
		wantCode(t, err, model.EInvalid)
	}
	want := model.Counts{Total: 6, Accepted: 1, Rejected: 2, Unknown: 1, Deferred: 1, Skipped: 1}
	same(t, "counts", counts(t, s, id), want)
	n, err := s.Requeue(ctx, id, model.Rejected)
	must(t, err)
	if n != 2 {
		t.Errorf("%d queued again, want the 2 that were rejected", n)
	}
	same(t, "counts", counts(t, s, id), model.Counts{Total: 6, Accepted: 1, Queued: 2, Unknown: 1, Deferred: 1, Skipped: 1})
	c, err := s.Campaign(ctx, id)
	must(t, err)
	if c.State != model.CampaignPaused || !c.FinishedAt.IsZero() {
		t.Errorf("campaign %s, finished %v: something is left to send", c.State, c.FinishedAt)
	}
	d := delivery(t, s, id, ds[1].ID)
	if d.State != model.Queued || d.Attempts != 0 || d.Reason != "" || d.Code != 0 || d.Reply != "" || d.Step != "" || !d.NextAt.IsZero() {
		t.Errorf("%+v", d)
	}
	if n, err = s.Requeue(ctx, id, model.Unknown, model.Deferred); err != nil || n != 2 {
		t.Errorf("requeued %d, %v", n, err)
	}
	if n, err = s.Requeue(ctx, id, model.Unknown, model.Deferred, model.Rejected); err != nil || n != 0 {
		t.Errorf("requeued %d again, %v", n, err)
	}
	same(t, "another campaign's", counts(t, s, other), model.Counts{Total: 1, Rejected: 1})

	again := claim(t, s, id, 10, at(5))
	same(t, "claimed", ids(again), []int64{ds[1].ID, ds[2].ID, ds[3].ID, ds[5].ID})
	must(t, f.intend(s, ds[1].ID, 2, at(10)).Wait())
	s.Settle(model.Outcome{DeliveryID: ds[1].ID, AccountID: 2, State: model.Accepted, Step: model.StepDot, At: at(11)})
	flush(t, s)
	h := history(t, s, ds[1].ID)
	if len(h) != 2 || h[0].State != model.Rejected || h[1].State != model.Accepted {
		t.Errorf("history %+v: it stays, and goes on", h)
	}
	if d := delivery(t, s, id, ds[1].ID); d.Attempts != 1 {
		t.Errorf("%d attempts since the user asked, want 1", d.Attempts)
	}
}

func testRequeueLeased(t *testing.T, f Factory) {
	s := f.Open(t)
	id := ready(t, s, "c", 2)
	ds := claim(t, s, id, 2, at(0))
	for _, d := range ds {
		s.Settle(model.Outcome{DeliveryID: d.ID, AccountID: 1, State: model.Deferred, Step: model.StepRcpt, NextAt: at(100 + int(d.ID-ds[0].ID)*100), At: at(1)})
	}
	flush(t, s)
	leased := claim(t, s, id, 1, at(150))
	n, err := s.Requeue(ctx, id, model.Deferred)
	must(t, err)
	if n != 1 {
		t.Fatalf("%d queued again, want 1: the other is in somebody's hands", n)
	}
	same(t, "counts", counts(t, s, id), model.Counts{Total: 2, Queued: 1, Deferred: 1})
	must(t, f.intend(s, leased[0].ID, 1, at(150)).Wait())
	same(t, "counts", counts(t, s, id), model.Counts{Total: 2, Queued: 1, Attempting: 1})
	s.Settle(model.Outcome{DeliveryID: leased[0].ID, AccountID: 1, State: model.Unknown, Step: model.StepDot, At: at(151)})
	n, err = s.Requeue(ctx, id, model.Unknown) // its result may not be durable yet; then it is not there to be asked for
	must(t, err)
	flush(t, s)
	same(t, "counts", counts(t, s, id), model.Counts{Total: 2, Queued: 1 + n, Unknown: 1 - n})
}
