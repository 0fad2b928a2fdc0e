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

func TestDiskFullAtTheEnd(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, store.Options{})
	id, ds := attempting(t, s, 100, 0)
	fillDisk(t, s)
	settleAll(s, ds)
	wantCode(t, s.Flush(ctx), model.EDiskFull)
	wantCode(t, s.Close(), model.EDiskFull) // it tells that results were lost
	s = open(t, dir, store.Options{})
	n, err := s.Counts(ctx, id)
	must(t, err)
	same(t, "what the disk did not take is in doubt", n, model.Counts{Total: 100, Unknown: 100})
	if got := stateOf(t, s, id); got != "paused crash" {
		t.Errorf("campaign is %s", got)
	}
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
