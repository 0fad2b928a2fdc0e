package store_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"hongyan/app/model"
	"hongyan/store"
)

// readyAhead gives a store with a campaign of ten, of which eight are claimed and reserved.
func readyAhead(t *testing.T) (*store.Store, int64, []model.Delivery) {
	t.Helper()
	s := fresh(t)
	s.ReserveAhead(8)
	id := campaignOf(t, s, "c", 10, model.CampaignReady)
	ds, err := s.Claim(ctx, id, 8, when(0))
	must(t, err)
	for deadline := time.Now().Add(10 * time.Second); s.Ready() < 8; {
		if time.Now().After(deadline) {
			t.Fatalf("%d of 8 were reserved", s.Ready())
		}
		time.Sleep(time.Millisecond)
	}
	return s, id, ds
}

// leave lets three letters leave ahead, of which the first has its result.
func leave(t *testing.T, s *store.Store, ds []model.Delivery) {
	t.Helper()
	for _, d := range ds[:3] {
		must(t, s.Hasten(d.ID, 7, when(1)).Wait())
	}
	if s.Ready() != 5 {
		t.Fatalf("%d are ready, want 5", s.Ready())
	}
	s.Settle(model.Outcome{DeliveryID: ds[0].ID, State: model.Accepted, Step: model.StepDot, Code: 250, At: when(2)})
	must(t, s.Flush(ctx))
}

func wantCounts(t *testing.T, s *store.Store, id int64, want model.Counts) {
	t.Helper()
	got, err := s.Counts(ctx, id)
	must(t, err)
	same(t, "counts", got, want)
}

func TestAheadKilled(t *testing.T) {
	s, id, ds := readyAhead(t)
	leave(t, s, ds)
	wantCounts(t, s, id, model.Counts{Total: 10, Queued: 7, Attempting: 2, Accepted: 1})
	times, err := s.RecentAttempts(ctx, 7, when(0))
	must(t, err)
	same(t, "beginnings", len(times), 3)
	for i, o := range []model.Outcome{
		{State: model.Rejected, Step: model.StepRcpt, Code: 550, Enhanced: "5.1.1", Scope: model.ScopeHard, Reply: strings.Repeat("没有这个人。", 100)},
		{State: model.Deferred, Step: model.StepDot, Code: 451, Reply: "later", NextAt: when(100)},
		{State: model.Queued, Step: model.StepMail}, // nothing left us
	} {
		must(t, s.Hasten(ds[3+i].ID, 7, when(1)).Wait())
		o.DeliveryID, o.At = ds[3+i].ID, when(2)
		s.Settle(o) // and no commit has it when the process ends
	}
	marks := s.MarksPath()
	s.Crash()
	if _, err := os.Stat(marks); err != nil {
		t.Error("the marks did not outlive the process:", err)
	}
	s = open(t, s.Dir(), store.Options{})
	wantCounts(t, s, id, model.Counts{Total: 10, Queued: 5, Unknown: 2, Accepted: 1, Rejected: 1, Deferred: 1})
	got, err := s.Deliveries(ctx, model.DeliveryQuery{CampaignID: id})
	must(t, err)
	if d := got[3]; d.Code != 550 || d.Enhanced != "5.1.1" || !strings.HasPrefix(d.Reply, "没有这个人。没") || !utf8.ValidString(d.Reply) || d.Attempts != 1 {
		t.Errorf("%+v", d)
	}
	if d := got[4]; !d.NextAt.Equal(when(100)) || d.Reply != "later" {
		t.Errorf("%+v", d)
	}
	if d := got[5]; d.State != model.Queued || d.Attempts != 0 {
		t.Errorf("%+v", d)
	}
	h, err := s.Attempts(ctx, ds[1].ID)
	must(t, err)
	same(t, "history", h, []model.Attempt{{DeliveryID: ds[1].ID, AccountID: 7, Started: when(1), State: model.Unknown, Scope: model.ScopeUnknown}})
	times, err = s.RecentAttempts(ctx, 7, when(0))
	must(t, err)
	same(t, "beginnings", len(times), 6)
	if _, err := os.Stat(marks); !os.IsNotExist(err) {
		t.Error("the marks are still there:", err)
	}
}

func TestAheadPowerFailed(t *testing.T) {
	for name, fail := range map[string]func(t *testing.T, s *store.Store){
		"the marks are gone":             func(t *testing.T, s *store.Store) { must(t, os.Remove(s.MarksPath())) },
		"the marks are of another start": func(t *testing.T, _ *store.Store) { t.Cleanup(store.SetBootID("another")) },
		"the marks were cut":             func(t *testing.T, s *store.Store) { must(t, os.Truncate(s.MarksPath(), 100)) },
		"the marks are a link": func(t *testing.T, s *store.Store) {
			must(t, os.Rename(s.MarksPath(), s.MarksPath()+".there"))
			must(t, os.Symlink(s.MarksPath()+".there", s.MarksPath()))
			t.Cleanup(func() { _ = os.Remove(s.MarksPath() + ".there") })
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, id, ds := readyAhead(t)
			leave(t, s, ds)
			s.Crash()
			fail(t, s)
			s = open(t, s.Dir(), store.Options{})
			// Nobody knows which of the eight had begun, but for the one with a result.
			wantCounts(t, s, id, model.Counts{Total: 10, Queued: 2, Unknown: 7, Accepted: 1})
		})
	}
}

// TestAheadOfAnOlderFile takes the file back to where a slot was not used again yet: what its letter did is not to be
// read off from the mark of another.
func TestAheadOfAnOlderFile(t *testing.T) {
	s, id, ds := readyAhead(t)
	before := map[string][]byte{}
	for _, name := range []string{"deliveries.db", "deliveries.db-wal"} {
		b, err := os.ReadFile(filepath.Join(s.Dir(), name))
		must(t, err)
		before[name] = b
	}
	for _, d := range ds {
		must(t, s.Hasten(d.ID, 7, when(1)).Wait())
		s.Settle(model.Outcome{DeliveryID: d.ID, State: model.Accepted, Step: model.StepDot, Code: 250, At: when(2)})
	}
	must(t, s.Flush(ctx))
	rest, err := s.Claim(ctx, id, 8, when(3)) // these have the slots of the others
	must(t, err)
	for s.Ready() < 2 {
		time.Sleep(time.Millisecond)
	}
	for _, d := range rest {
		must(t, s.Hasten(d.ID, 7, when(3)).Wait())
	}
	s.Crash()
	for name, b := range before {
		f, err := os.OpenFile(filepath.Join(s.Dir(), name), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		must(t, err)
		_, err = f.Write(b)
		must(t, err)
		must(t, f.Close())
	}
	_ = os.Remove(filepath.Join(s.Dir(), "deliveries.db-shm"))
	s = open(t, s.Dir(), store.Options{})
	wantCounts(t, s, id, model.Counts{Total: 10, Queued: 2, Unknown: 8})
}

// TestAheadReleased: a paused campaign holds nothing that a power failure would make unknown.
func TestAheadReleased(t *testing.T) {
	s, id, ds := readyAhead(t)
	begin := s.MarksPath()
	var ids []int64
	for _, d := range ds {
		ids = append(ids, d.ID)
	}
	s.Release(id, ids)
	for deadline := time.Now().Add(10 * time.Second); s.Reservations(t) > 0; {
		if time.Now().After(deadline) {
			t.Fatal("what is released is still reserved")
		}
		time.Sleep(time.Millisecond)
	}
	s.Crash()
	must(t, os.Remove(begin))
	s = open(t, s.Dir(), store.Options{})
	wantCounts(t, s, id, model.Counts{Total: 10, Queued: 10})
}

func TestAheadClosed(t *testing.T) {
	s, id, ds := readyAhead(t)
	leave(t, s, ds)
	s.Release(id, []int64{ds[3].ID})
	marks := s.MarksPath()
	must(t, s.Close())
	if _, err := os.Stat(marks); !os.IsNotExist(err) {
		t.Error("the marks are still there:", err)
	}
	s = open(t, s.Dir(), store.Options{})
	wantCounts(t, s, id, model.Counts{Total: 10, Queued: 7, Unknown: 2, Accepted: 1})
}

// TestAheadIsNotForOthers looks at a letter that is reserved and leaves by an account with limits: its row must be
// durable by itself, with its account.
func TestAheadIsNotForOthers(t *testing.T) {
	s, id, ds := readyAhead(t)
	must(t, s.Intend(ds[0].ID, 9, when(1)).Wait())
	d, err := s.Deliveries(ctx, model.DeliveryQuery{CampaignID: id, Limit: 1})
	must(t, err)
	if d[0].State != model.Attempting || d[0].AccountID != 9 {
		t.Errorf("%+v", d[0])
	}
	s.Crash()
	s = open(t, s.Dir(), store.Options{})
	wantCounts(t, s, id, model.Counts{Total: 10, Queued: 9, Unknown: 1})
}

// TestAheadWhereMarksCannotBe: without them every letter waits for its own commit.
func TestAheadWhereMarksCannotBe(t *testing.T) {
	t.Cleanup(store.SetBootID(""))
	s := fresh(t)
	s.ReserveAhead(8)
	id := campaignOf(t, s, "c", 10, model.CampaignReady)
	ds, err := s.Claim(ctx, id, 8, when(0))
	must(t, err)
	for _, d := range ds[:3] {
		must(t, s.Hasten(d.ID, 7, when(1)).Wait())
	}
	s.Crash()
	s = open(t, s.Dir(), store.Options{})
	wantCounts(t, s, id, model.Counts{Total: 10, Queued: 7, Unknown: 3})
}

// TestAheadDiskFull: results of letters that had left stay known until the disk has room, and none leaves meanwhile.
func TestAheadDiskFull(t *testing.T) {
	s, id, ds := readyAhead(t)
	n, err := s.Pages()
	must(t, err)
	must(t, s.SetMaxPages(n))
	for _, d := range ds {
		if s.Hasten(d.ID, 7, when(1)).Wait() == nil {
			s.Settle(model.Outcome{DeliveryID: d.ID, State: model.Accepted, Step: model.StepDot, Code: 250, Reply: string(make([]byte, 3000)), At: when(2)})
		}
	}
	wantCode(t, s.Flush(ctx), model.EDiskFull)
	wantCode(t, s.Err(), model.EDiskFull)
	wantCounts(t, s, id, model.Counts{Total: 10, Queued: 2, Accepted: 8})
	must(t, s.SetMaxPages(n+1000))
	for s.Flush(ctx) != nil {
		time.Sleep(10 * time.Millisecond)
	}
	s.Crash()
	s = open(t, s.Dir(), store.Options{})
	wantCounts(t, s, id, model.Counts{Total: 10, Queued: 2, Accepted: 8})
}
