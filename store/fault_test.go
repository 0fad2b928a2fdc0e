package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"hongyan/app/model"
	"hongyan/store"
)

// longReply makes a row grow beyond its page.
var longReply = strings.Repeat("the disk fills with what servers say ", 50)

func settleAll(s *store.Store, ds []model.Delivery) {
	for _, d := range ds {
		s.Settle(model.Outcome{DeliveryID: d.ID, AccountID: 1, State: model.Accepted, Step: model.StepDot, Reply: longReply, At: when(2)})
	}
}

// attempting makes a campaign whose n letters are all on their way.
func attempting(t *testing.T, s *store.Store, n, spare int) (int64, []model.Delivery) {
	t.Helper()
	id := campaignOf(t, s, "c", n+spare, model.CampaignRunning)
	ds, err := s.Claim(ctx, id, n, when(0))
	must(t, err)
	var last model.Pending
	for _, d := range ds {
		last = s.Intend(d.ID, 1, when(1))
	}
	must(t, last.Wait())
	return id, ds
}

func fillDisk(t *testing.T, s *store.Store) {
	t.Helper()
	n, err := s.Pages()
	must(t, err)
	must(t, s.SetMaxPages(n))
}

func TestDiskFullKeepsResults(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, store.Options{})
	id, ds := attempting(t, s, 100, 10)
	fillDisk(t, s)
	settleAll(s, ds)
	wantCode(t, s.Flush(ctx), model.EDiskFull)
	wantCode(t, s.Err(), model.EDiskFull)
	want := model.Counts{Total: 110, Accepted: 100, Queued: 10}
	n, err := s.Counts(ctx, id)
	must(t, err)
	same(t, "counts know what is in memory", n, want)
	_, err = s.Claim(ctx, id, 1, when(0))
	wantCode(t, err, model.EDiskFull) // no further letter
	wantCode(t, s.Intend(ds[0].ID, 1, when(1)).Wait(), model.EDiskFull)

	must(t, s.SetMaxPages(1<<20)) // somebody made room
	eventually(t, "the results are written", func() bool { return s.Err() == nil })
	must(t, s.Flush(ctx))
	s.Crash()
	s = open(t, dir, store.Options{})
	n, err = s.Counts(ctx, id)
	must(t, err)
	same(t, "counts in the file", n, want)
}

func TestDiskFullAtIntent(t *testing.T) {
	s := fresh(t)
	id := campaignOf(t, s, "c", 800, model.CampaignRunning)
	ds, err := s.Claim(ctx, id, 800, when(0))
	must(t, err)
	fillDisk(t, s)
	var pending []model.Pending
	for _, d := range ds {
		pending = append(pending, s.Intend(d.ID, 1, when(1)))
	}
	failed := -1
	for i, p := range pending {
		if err := p.Wait(); err != nil {
			wantCode(t, err, model.EDiskFull)
			failed = i
		}
	}
	if failed < 0 {
		t.Fatal("800 attempts fit into no room")
	}
	if err := s.Err(); err != nil { // a try in between may have found just enough room for itself
		wantCode(t, err, model.EDiskFull)
	}
	// Nothing waits to be written; still the journal finds out by itself that there is room again.
	must(t, s.SetMaxPages(1<<20))
	eventually(t, "the journal works again", func() bool { return s.Err() == nil })
	must(t, s.Intend(ds[failed].ID, 1, when(1)).Wait()) // the claim still holds
}

// fullAtTheEnd ends a store whose disk is full before the results of a hundred letters are written.
func fullAtTheEnd(t *testing.T) (s *store.Store, id int64) {
	t.Helper()
	s = open(t, t.TempDir(), store.Options{})
	id, ds := attempting(t, s, 100, 0)
	fillDisk(t, s)
	settleAll(s, ds)
	wantCode(t, s.Flush(ctx), model.EDiskFull)
	wantCode(t, s.Close(), model.EDiskFull) // it tells that the file has not everything
	return s, id
}

func TestDiskFullAtTheEnd(t *testing.T) {
	s, id := fullAtTheEnd(t)
	marks := s.MarksPath()
	s = open(t, s.Dir(), store.Options{})
	wantCounts(t, s, id, model.Counts{Total: 100, Accepted: 100})
	if got := stateOf(t, s, id); got != "paused crash" {
		t.Errorf("campaign is %s", got)
	}
	ds, err := s.Deliveries(ctx, model.DeliveryQuery{CampaignID: id, Limit: 1})
	must(t, err)
	h, err := s.Attempts(ctx, ds[0].ID)
	must(t, err)
	if len(h) != 1 || h[0].State != model.Accepted || !h[0].Started.Equal(when(1)) || !h[0].Ended.Equal(when(2)) || !strings.HasPrefix(h[0].Reply, "the disk fills") {
		t.Errorf("history is %+v", h)
	}
	if _, err := os.Stat(marks); !os.IsNotExist(err) {
		t.Error("the marks are still there:", err)
	}
}

func TestDiskFullAndPowerFailed(t *testing.T) {
	s, id := fullAtTheEnd(t)
	must(t, os.Remove(s.MarksPath()))
	s = open(t, s.Dir(), store.Options{})
	wantCounts(t, s, id, model.Counts{Total: 100, Unknown: 100})
}

// A folder that looks like a copy does not believe what is remembered of its twin, and leaves it where it is.
func TestDiskFullAndCopied(t *testing.T) {
	s, id := fullAtTheEnd(t)
	marks, twin := s.MarksPath(), t.TempDir()
	must(t, store.CopyFolder(s.Dir(), twin))
	c := open(t, twin, store.Options{})
	wantCounts(t, c, id, model.Counts{Total: 100, Unknown: 100})
	_, err := os.Stat(marks)
	must(t, err)
	s = open(t, s.Dir(), store.Options{})
	wantCounts(t, s, id, model.Counts{Total: 100, Accepted: 100})
}

// A process that is killed after a result was told and before it is written loses none of them.
func TestKilledBeforeTheCommit(t *testing.T) {
	s := fresh(t)
	id, ds := attempting(t, s, 6, 0)
	release := s.HoldTurn()
	for i, o := range []model.Outcome{
		{State: model.Accepted, Step: model.StepDot, Code: 250},
		{State: model.Rejected, Step: model.StepRcpt, Code: 550, Scope: model.ScopeHard},
		{State: model.Deferred, Step: model.StepDot, Code: 451, NextAt: when(100)},
		{State: model.Unknown, Step: model.StepDot, Scope: model.ScopeUnknown},
		{State: model.Queued, Step: model.StepMail},
	} {
		o.DeliveryID, o.AccountID, o.At = ds[i].ID, 1, when(2)
		s.Settle(o)
	}
	s.CrashInTurn(release)
	s = open(t, s.Dir(), store.Options{})
	wantCounts(t, s, id, model.Counts{Total: 6, Accepted: 1, Rejected: 1, Deferred: 1, Unknown: 2, Queued: 1})
	got, err := s.Deliveries(ctx, model.DeliveryQuery{CampaignID: id})
	must(t, err)
	if d := got[4]; d.Attempts != 0 {
		t.Errorf("an attempt by which nothing left us counts: %+v", d)
	}
}

// TestRememberedOnce: what is remembered of an attempt says nothing of a later one that bears the same number, as it does
// when the earlier one never came to the disk.
func TestRememberedOnce(t *testing.T) {
	s := fresh(t)
	id := campaignOf(t, s, "c", 1, model.CampaignRunning)
	ds, err := s.Claim(ctx, id, 1, when(0))
	must(t, err)
	fillDisk(t, s)
	release := s.HoldTurn()
	intent := s.Intend(ds[0].ID, 1, when(1))
	s.Settle(model.Outcome{DeliveryID: ds[0].ID, AccountID: 1, State: model.Queued, Reply: strings.Repeat(longReply, 20), At: when(1)})
	release()
	wantCode(t, intent.Wait(), model.EDiskFull)
	must(t, s.SetMaxPages(1<<20))
	eventually(t, "the journal works again", func() bool { return s.Err() == nil })
	must(t, s.Flush(ctx))
	ds, err = s.Claim(ctx, id, 1, when(1))
	must(t, err)
	must(t, s.Intend(ds[0].ID, 1, when(1)).Wait())
	s.Crash()
	s = open(t, s.Dir(), store.Options{})
	wantCounts(t, s, id, model.Counts{Total: 1, Unknown: 1})
}

func TestMaxPages(t *testing.T) {
	_, err := store.Open(ctx, t.TempDir(), store.Options{MaxPages: 3})
	wantCode(t, err, model.EDiskFull)
	s := open(t, t.TempDir(), store.Options{MaxPages: 60})
	im := begin(t, s, "l", "s", "c")
	add(t, im, people(100))
	wantCode(t, errors.Join(im.Add(ctx, people(5000)), im.Flush(ctx)), model.EDiskFull)
	ids, err := s.ContactIDs(ctx, model.ContactQuery{})
	must(t, err)
	if len(ids) != 100 {
		t.Errorf("%d people, want the first chunk and nothing of the second", len(ids))
	}
	must(t, im.Abort(ctx)) // taking back needs no room
	checkOrphans(t, s)
}

func TestFileTakenAway(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows lets nobody take a file away that is open")
	}
	for name, replace := range map[string]bool{"removed": false, "replaced": true} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir, store.Options{})
			id, ds := attempting(t, s, 3, 1)
			file, kept := filepath.Join(dir, "deliveries.db"), filepath.Join(dir, "kept")
			must(t, os.Link(file, kept))
			must(t, os.Remove(file))
			want := model.EGone
			if replace {
				must(t, os.WriteFile(file, []byte("another"), 0o600))
				want = model.EReplaced
			}
			wantCode(t, s.Err(), want) // before anything is written
			settleAll(s, ds[:2])
			wantCode(t, s.Flush(ctx), want)
			wantCode(t, s.Intend(ds[2].ID, 1, when(1)).Wait(), want)
			wantCode(t, s.SetCampaignState(ctx, id, model.CampaignPaused, "", ""), want)
			_, err := s.Claim(ctx, id, 1, when(1))
			wantCode(t, err, want)

			must(t, os.Rename(kept, file))
			eventually(t, "the journal works again", func() bool { return s.Err() == nil })
			must(t, s.Flush(ctx))
			s.Crash()
			s = open(t, dir, store.Options{})
			n, err := s.Counts(ctx, id)
			must(t, err)
			same(t, "counts in the file", n, model.Counts{Total: 4, Accepted: 2, Unknown: 1, Queued: 1})
		})
	}
	t.Run("app.db", func(t *testing.T) {
		dir := t.TempDir()
		s := open(t, dir, store.Options{})
		must(t, os.Remove(filepath.Join(dir, "app.db")))
		wantCode(t, s.SetSetting(ctx, "k", "v"), model.EGone)
		must(t, s.Err()) // the journal is another file
	})
}

// A result that comes while a commit is under way, and one that comes late, are counted once.
func TestCountsWhileResultsWait(t *testing.T) {
	s := fresh(t)
	id, ds := attempting(t, s, 10, 0)
	release := s.HoldTurn()
	settleAll(s, ds[:5])
	settleAll(s, ds[:5])
	release()
	n, err := s.Counts(ctx, id)
	must(t, err)
	same(t, "counts", n, model.Counts{Total: 10, Attempting: 5, Accepted: 5})
	must(t, s.Flush(ctx))
	n, err = s.Counts(ctx, id)
	must(t, err)
	same(t, "counts", n, model.Counts{Total: 10, Attempting: 5, Accepted: 5})
}

func TestClosedJournal(t *testing.T) {
	s := fresh(t)
	id, ds := attempting(t, s, 2, 1)
	settleAll(s, ds) // not durable yet; Close sees to it
	dir := s.Dir()
	must(t, s.Close())
	wantCode(t, s.Intend(ds[0].ID, 1, when(1)).Wait(), model.EInternal)
	settleAll(s, ds)
	must(t, s.Flush(ctx))
	s = open(t, dir, store.Options{})
	n, err := s.Counts(ctx, id)
	must(t, err)
	same(t, "counts", n, model.Counts{Total: 3, Accepted: 2, Queued: 1})
}

// More than one statement takes at once are queued again too, and nothing twice.
func TestRequeueMany(t *testing.T) {
	const many = 20_001
	s := fresh(t)
	id := campaignOf(t, s, "c", many+1, model.CampaignRunning)
	ds, err := s.Claim(ctx, id, many, when(0))
	must(t, err)
	for _, d := range ds {
		s.Settle(model.Outcome{DeliveryID: d.ID, AccountID: 1, State: model.Rejected, Step: model.StepRcpt, At: when(1)})
	}
	must(t, s.Flush(ctx))
	n, err := s.Requeue(ctx, id, model.Rejected)
	must(t, err)
	c, err := s.Counts(ctx, id)
	must(t, err)
	same(t, "counts", c, model.Counts{Total: many + 1, Queued: many + 1})
	if n != many {
		t.Errorf("%d of %d", n, many)
	}
}
