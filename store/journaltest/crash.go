package journaltest

import (
	"cmp"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hongyan/app/model"
)

func testCrash(t *testing.T, f Factory) {
	s := f.Open(t)
	running, paused, stopped := ready(t, s, "running", 5), ready(t, s, "paused", 1), ready(t, s, "stopped", 1)
	must(t, s.SetCampaignState(ctx, running, model.CampaignRunning, "", ""))
	must(t, s.SetCampaignState(ctx, paused, model.CampaignPaused, "auth", "535"))
	must(t, s.SetCampaignState(ctx, stopped, model.CampaignStopped, "", ""))
	ds := claim(t, s, running, 4, at(0))
	for _, d := range ds[:3] {
		must(t, f.intend(s, d.ID, 1, at(1)).Wait())
	}
	s.Settle(model.Outcome{DeliveryID: ds[0].ID, AccountID: 1, State: model.Accepted, Step: model.StepDot, At: at(2)})
	flush(t, s)

	s = f.Crash(t, s)
	same(t, "counts", counts(t, s, running), model.Counts{Total: 5, Accepted: 1, Unknown: 2, Queued: 2})
	d := delivery(t, s, running, ds[1].ID)
	if d.State != model.Unknown || d.Scope != model.ScopeUnknown || d.Attempts != 1 || d.AccountID != 1 {
		t.Errorf("%+v: it may have been delivered", d)
	}
	h := history(t, s, ds[1].ID)
	if len(h) != 1 || h[0].State != model.Unknown || !h[0].Ended.IsZero() {
		t.Errorf("history %+v", h)
	}
	for id, want := range map[int64][2]string{running: {"paused", "crash"}, paused: {"paused", "auth"}, stopped: {"stopped", ""}} {
		c, err := s.Campaign(ctx, id)
		must(t, err)
		if string(c.State) != want[0] || c.Reason != want[1] {
			t.Errorf("campaign %s is %s %q, want %v", c.Name, c.State, c.Reason, want)
		}
	}
	same(t, "what nothing was said about is claimed again", ids(claim(t, s, running, 10, at(9))), []int64{ds[3].ID, ds[3].ID + 1})
	times, err := s.RecentAttempts(ctx, 1, time.Time{})
	must(t, err)
	if len(times) != 3 {
		t.Errorf("%d attempts are remembered, want 3: limits hold over a crash", len(times))
	}
	n, err := s.Requeue(ctx, running, model.Unknown)
	must(t, err)
	if n != 2 {
		t.Errorf("%d queued again on the user's word, want 2", n)
	}
}

// row is a delivery as the model of the journal has it.
type row struct {
	id                    int64
	state                 model.State
	attempts, history     int
	next                  time.Time
	leased, asked, ending bool
}

// machine is the model beside the store.
type machine struct {
	t        *rapid.T
	f        Factory
	tb       testing.TB
	s        Store
	campaign int64
	rows     []*row
	now      int
}

func (m *machine) must(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

// settled waits until results are durable, which is when leases end.
func (m *machine) settled() {
	m.must(m.s.Flush(ctx))
	for _, r := range m.rows {
		if r.ending {
			r.leased, r.asked, r.ending = false, false, false
		}
	}
}

func (m *machine) pick(what string, ok func(*row) bool) *row {
	var some []*row
	for _, r := range m.rows {
		if ok(r) {
			some = append(some, r)
		}
	}
	if len(some) == 0 {
		return nil
	}
	return rapid.SampledFrom(some).Draw(m.t, what)
}

func (m *machine) claim() {
	m.settled()
	n := rapid.IntRange(1, 5).Draw(m.t, "n")
	var want []*row
	for _, r := range m.rows {
		if !r.leased && (r.state == model.Queued || r.state == model.Deferred && !r.next.After(at(m.now))) {
			want = append(want, r)
		}
	}
	slices.SortFunc(want, func(a, b *row) int { // deferred before queued
		return cmp.Or(cmp.Compare(a.state, b.state), a.next.Compare(b.next), cmp.Compare(a.id, b.id))
	})
	want = want[:min(n, len(want))]
	got, err := m.s.Claim(ctx, m.campaign, n, at(m.now))
	m.must(err)
	wanted := make([]int64, len(want))
	for i, r := range want {
		wanted[i] = r.id
		r.leased = true
	}
	if !slices.Equal(ids(got), wanted) {
		m.t.Fatalf("claimed %v, want %v", ids(got), wanted)
	}
}

func (m *machine) release() {
	if r := m.pick("released", func(r *row) bool { return r.leased }); r != nil {
		m.s.Release(m.campaign, []int64{r.id})
		r.leased = r.asked || r.ending
	}
}

func (m *machine) intend(wait bool) *row {
	r := m.pick("intended", func(r *row) bool { return true })
	err := m.f.intend(m.s, r.id, 1, at(m.now)).Wait
	if !r.leased || r.asked || r.ending {
		if err() == nil {
			m.t.Fatalf("intent of %+v was taken", *r)
		}
		return nil
	}
	if wait {
		m.must(err())
	}
	r.asked, r.state, r.next = true, model.Attempting, time.Time{}
	r.attempts++
	r.history++
	return r
}

func (m *machine) settle(r *row) {
	if r == nil {
		return
	}
	o := model.Outcome{DeliveryID: r.id, AccountID: 1, At: at(m.now), Step: model.StepRcpt}
	o.State = rapid.SampledFrom([]model.State{model.Queued, model.Accepted, model.Deferred, model.Rejected, model.Unknown, model.Skipped}).Draw(m.t, "state")
	if o.State == model.Deferred {
		o.NextAt = at(m.now + rapid.IntRange(0, 20).Draw(m.t, "in"))
	}
	m.s.Settle(o)
	if !r.leased || r.ending {
		return
	}
	if !r.asked && o.State != model.Queued && o.State != model.Skipped {
		r.attempts++
		r.history++
	}
	if r.asked && o.State == model.Queued {
		r.attempts-- // nothing left us
	}
	r.state, r.next, r.ending = o.State, o.NextAt, true
}

func (m *machine) requeue() {
	m.settled()
	from := rapid.SampledFrom([]model.State{model.Rejected, model.Unknown, model.Deferred}).Draw(m.t, "from")
	want := 0
	for _, r := range m.rows {
		if r.state == from && !r.leased {
			want++
			r.state, r.attempts, r.next = model.Queued, 0, time.Time{}
		}
	}
	got, err := m.s.Requeue(ctx, m.campaign, from)
	m.must(err)
	if got != want {
		m.t.Fatalf("requeued %d, want %d", got, want)
	}
}

func (m *machine) crash() {
	m.settled()
	m.s = m.f.Crash(m.tb, m.s)
	for _, r := range m.rows {
		if r.state == model.Attempting {
			r.state = model.Unknown
		}
		r.leased, r.asked = false, false
	}
}

func (m *machine) check() {
	var want model.Counts
	for _, r := range m.rows {
		want.Total++
		*map[model.State]*int{model.Queued: &want.Queued, model.Attempting: &want.Attempting, model.Accepted: &want.Accepted, model.Deferred: &want.Deferred,
			model.Rejected: &want.Rejected, model.Unknown: &want.Unknown, model.Skipped: &want.Skipped}[r.state]++
	}
	got, err := m.s.Counts(ctx, m.campaign)
	m.must(err)
	if got != want {
		m.t.Fatalf("counts %+v, want %+v", got, want)
	}
}

// checkRows compares every row, once all is durable.
func (m *machine) checkRows() {
	m.settled()
	page, err := m.s.Deliveries(ctx, model.DeliveryQuery{CampaignID: m.campaign})
	m.must(err)
	if len(page) != len(m.rows) {
		m.t.Fatalf("%d rows, want %d", len(page), len(m.rows))
	}
	var wake time.Time
	for i, r := range m.rows {
		d := page[i]
		h, err := m.s.Attempts(ctx, d.ID)
		m.must(err)
		ahead := m.f.Hasten && r.state == model.Attempting // its row may still say what it said before
		if d.ID != r.id || !ahead && (d.State != r.state || d.Attempts != r.attempts || !d.NextAt.Equal(r.next) || len(h) != r.history) {
			m.t.Fatalf("row %+v with %d lines of history, want %+v", d, len(h), *r)
		}
		if r.state == model.Deferred && !r.leased && (wake.IsZero() || r.next.Before(wake)) {
			wake = r.next
		}
	}
	if got, ok, err := m.s.NextWake(ctx, m.campaign); err != nil || ok == wake.IsZero() || !got.Equal(wake) {
		m.t.Fatalf("next wake %v %v %v, want %v", got, ok, err, wake)
	}
}

// testModel compares the journal with a model of it, whatever is done to both.
func testModel(t *testing.T, f Factory) {
	s := f.Open(t)
	var n atomic.Int64
	rapid.Check(t, func(rt *rapid.T) {
		m := &machine{t: rt, f: f, tb: t, s: s}
		m.campaign = ready(t, s, fmt.Sprint("c", n.Add(1)), rapid.IntRange(1, 8).Draw(rt, "recipients"))
		page, err := s.Deliveries(ctx, model.DeliveryQuery{CampaignID: m.campaign})
		m.must(err)
		for _, d := range page {
			m.rows = append(m.rows, &row{id: d.ID, state: d.State})
		}
		for range rapid.IntRange(3, 20).Draw(rt, "steps") {
			m.now += rapid.IntRange(0, 5).Draw(rt, "seconds")
			switch k := rapid.IntRange(0, 39).Draw(rt, "what"); {
			case k < 10:
				m.claim()
			case k < 14:
				m.release()
			case k < 20:
				m.intend(true)
			case k < 26:
				m.settle(m.intend(false))
			case k < 35:
				m.settle(m.pick("settled", func(r *row) bool { return r.leased || r.id%4 == 0 }))
			case k < 37:
				m.checkRows()
			case k < 39:
				m.requeue()
			default:
				m.crash()
			}
			m.check()
			s = m.s
		}
		m.checkRows()
	})
}
