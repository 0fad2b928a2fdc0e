package journaltest

import (
	"sync"
	"testing"
	"time"

	"hongyan/app/model"
)

func testClaimOrder(t *testing.T, f Factory) {
	s := f.Open(t)
	id := ready(t, s, "c", 6)
	ready(t, s, "other", 3)
	all := claim(t, s, id, 6, at(0))
	for i, next := range map[int]int{0: 300, 1: 100, 2: 200, 3: 9999} {
		s.Settle(model.Outcome{DeliveryID: all[i].ID, AccountID: 1, State: model.Deferred, Step: model.StepRcpt, NextAt: at(next), At: at(1)})
	}
	flush(t, s)
	s.Release(id, ids(all[4:]))
	if ds := claim(t, s, id, 0, at(500)); len(ds) != 0 {
		t.Fatalf("asked for none, got %d", len(ds))
	}
	got := claim(t, s, id, 100, at(300))
	same(t, "what was due first, then the queue; nothing that is not due", ids(got),
		[]int64{all[1].ID, all[2].ID, all[0].ID, all[4].ID, all[5].ID})
	if d := got[0]; d.State != model.Deferred || d.Attempts != 1 || !d.NextAt.Equal(at(100)) || d.CampaignID != id {
		t.Fatalf("claimed %+v", d)
	}
	if ds := claim(t, s, id, 100, at(300)); len(ds) != 0 {
		t.Fatalf("claimed again: %v", ids(ds))
	}
	if ds := claim(t, s, 99, 100, at(300)); len(ds) != 0 {
		t.Fatalf("claimed from no campaign: %v", ids(ds))
	}
}

func testLease(t *testing.T, f Factory) {
	s := f.Open(t)
	id := ready(t, s, "c", 4)
	a := claim(t, s, id, 2, at(0))
	b := claim(t, s, id, 2, at(0))
	same(t, "two claims", append(ids(a), ids(b)...), []int64{a[0].ID, a[0].ID + 1, a[0].ID + 2, a[0].ID + 3})
	same(t, "a claim changes nothing in the file", counts(t, s, id), model.Counts{Total: 4, Queued: 4})
	s.Release(99, ids(a)) // another campaign's word counts nothing
	if ds := claim(t, s, id, 4, at(0)); len(ds) != 0 {
		t.Fatalf("claimed %v while all are leased", ids(ds))
	}
	s.Release(id, ids(a))
	s.Release(id, ids(a))
	same(t, "released", ids(claim(t, s, id, 4, at(0))), ids(a))
	must(t, f.intend(s, a[0].ID, 1, at(1)).Wait())
	s.Release(id, ids(a[:1])) // too late: it may be on its way
	if ds := claim(t, s, id, 4, at(0)); len(ds) != 0 {
		t.Fatalf("claimed %v after its intent", ids(ds))
	}
	s.Settle(model.Outcome{DeliveryID: a[0].ID, State: model.Queued, At: at(2)})
	flush(t, s)
	same(t, "back in the queue", ids(claim(t, s, id, 4, at(0))), ids(a[:1]))
}

func testIntend(t *testing.T, f Factory) {
	s := f.Open(t)
	id := ready(t, s, "c", 3)
	ds := claim(t, s, id, 2, at(0))
	must(t, f.intend(s, ds[0].ID, 5, at(10)).Wait())
	same(t, "counts", counts(t, s, id), model.Counts{Total: 3, Queued: 2, Attempting: 1})
	if d := delivery(t, s, id, ds[0].ID); d.State != model.Attempting || d.AccountID != 5 || d.Attempts != 1 || !d.UpdatedAt.Equal(at(10)) {
		t.Fatalf("%+v", d)
	}
	same(t, "history", history(t, s, ds[0].ID), []model.Attempt{{DeliveryID: ds[0].ID, AccountID: 5, Started: at(10), State: model.Attempting}})

	if err := f.intend(s, ds[0].ID, 6, at(11)).Wait(); err == nil {
		t.Fatal("a second intent for one claim: the letter could go twice")
	}
	if err := f.intend(s, ds[1].ID+1, 5, at(11)).Wait(); err == nil {
		t.Fatal("an intent without a claim")
	}
	s.Settle(model.Outcome{DeliveryID: ds[0].ID, AccountID: 5, State: model.Accepted, Step: model.StepDot, At: at(12)})
	if err := f.intend(s, ds[0].ID, 5, at(13)).Wait(); err == nil {
		t.Fatal("an intent after the result")
	}
	flush(t, s)
	same(t, "counts", counts(t, s, id), model.Counts{Total: 3, Queued: 2, Accepted: 1})
	must(t, s.Err())
}

func testNextWake(t *testing.T, f Factory) {
	s := f.Open(t)
	id := ready(t, s, "c", 3)
	wake := func() time.Time {
		t.Helper()
		w, ok, err := s.NextWake(ctx, id)
		must(t, err)
		if ok == w.IsZero() {
			t.Fatalf("ok %v with %v", ok, w)
		}
		return w
	}
	if w := wake(); !w.IsZero() {
		t.Fatalf("nothing is deferred, but %v", w)
	}
	ds := claim(t, s, id, 2, at(0))
	for i, next := range []int{500, 300} {
		s.Settle(model.Outcome{DeliveryID: ds[i].ID, AccountID: 1, State: model.Deferred, Step: model.StepRcpt, NextAt: at(next), At: at(1)})
		if w := wake(); !w.Equal(at(next)) { // before it is durable too
			t.Fatalf("wake %v, want %v", w, at(next))
		}
	}
	flush(t, s)
	if w := wake(); !w.Equal(at(300)) {
		t.Fatalf("wake %v, want %v", w, at(300))
	}
	claim(t, s, id, 2, at(400)) // the queued one, and the one that is due
	if w := wake(); !w.Equal(at(500)) {
		t.Fatalf("wake %v, want %v: what is leased waits for nobody", w, at(500))
	}
}

// testConcurrentClaims has many workers send one campaign. Each delivery must be handed out once.
func testConcurrentClaims(t *testing.T, f Factory) {
	s := f.Open(t)
	const n, workers = 600, 8
	id := ready(t, s, "c", n)
	var mu sync.Mutex
	given := make(map[int64]int)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for {
				ds, err := s.Claim(ctx, id, 7, at(0))
				if err != nil {
					t.Error(err)
					return
				}
				if len(ds) == 0 {
					return
				}
				mu.Lock()
				for _, d := range ds {
					given[d.ID]++
				}
				mu.Unlock()
				var pending []model.Pending
				for _, d := range ds {
					pending = append(pending, f.intend(s, d.ID, int64(w+1), at(1)))
				}
				for i, d := range ds {
					if i%2 == 0 {
						if err := pending[i].Wait(); err != nil {
							t.Error(err)
						}
					}
					s.Settle(model.Outcome{DeliveryID: d.ID, AccountID: int64(w + 1), State: model.Accepted, Step: model.StepDot, At: at(2)})
				}
				if c, err := s.Counts(ctx, id); err != nil || c.Total != n {
					t.Errorf("counts %+v, %v", c, err)
				}
			}
		})
	}
	wg.Wait()
	flush(t, s)
	same(t, "counts", counts(t, s, id), model.Counts{Total: n, Accepted: n})
	if len(given) != n {
		t.Errorf("%d deliveries were handed out, want %d", len(given), n)
	}
	for d, times := range given {
		if times != 1 {
			t.Errorf("delivery %d was handed out %d times", d, times)
		}
		if h := history(t, s, d); len(h) != 1 || h[0].State != model.Accepted || h[0].Ended.IsZero() {
			t.Errorf("delivery %d: history %+v", d, h)
		}
	}
}
