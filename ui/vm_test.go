package ui

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"hongyan/app/model"
)

// newQueue gives Tasks without a window; run settles them, and r is what they queue on.
func newQueue(t *testing.T) (tasks *Tasks, run func(), r *rig) {
	r = &rig{t: t}
	tasks = NewTasks(r.dispatch)
	tasks.timer = r.timer
	t.Cleanup(tasks.Close)
	return tasks, func() { r.settle(tasks) }, r
}

func TestTasks(t *testing.T) {
	tasks, run, _ := newQueue(t)
	var got []string
	var p pause
	tasks.after(&p, time.Hour, func() { got = append(got, "early") })
	tasks.after(&p, time.Hour, func() { got = append(got, "late") })
	cancel := background(tasks, func(ctx context.Context) (int, error) { <-ctx.Done(); return 7, ctx.Err() },
		func(n int, err error) { got = append(got, fmt.Sprint(n, errors.Is(err, context.Canceled))) })
	cancel()
	run()
	if want := []string{"7 true", "late"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	tasks.Close()
	tasks.Do(func() { t.Error("called after Close") })
	background(tasks, func(context.Context) (int, error) { return 0, nil }, func(int, error) { t.Error("called after Close") })
	run()
}

// people makes a view model over n people.
func people(t *testing.T, n int) (*recipientsVM, *fake, func(), *rig) {
	f := newFake()
	f.lists = []model.List{{ID: 1, Name: "all", Count: n}}
	for i := range n {
		f.contacts = append(f.contacts, model.Contact{ID: int64(i + 1), Email: fmt.Sprintf("p%06d@example.com", i), Name: fmt.Sprint("n", n-i)})
		f.member[int64(i+1)] = 1
	}
	tasks, run, r := newQueue(t)
	vm := newRecipientsVM(f, tasks)
	vm.failed = func(err error) { t.Error(err) }
	vm.load()
	run()
	return vm, f, run, r
}

// TestRecipientPages: a row is not there at first, comes with its page, and old pages are dropped.
func TestRecipientPages(t *testing.T) {
	vm, f, run, _ := people(t, pageRows*(maxPages+4))
	var came [][2]int
	vm.rows = func(from, to int) { came = append(came, [2]int{from, to}) }
	if _, ok := vm.row(70); ok {
		t.Fatal("a row was there before it was fetched")
	}
	vm.row(71) // the same page is asked for once
	run()
	if c, ok := vm.row(70); !ok || c.ID != 71 {
		t.Errorf("row 70 is %+v, %v", c, ok)
	}
	if want := [][2]int{{64, 128}}; !cmp.Equal(came, want) {
		t.Errorf("came %v, want %v", came, want)
	}
	for i := 0; i < len(vm.ids); i += pageRows {
		vm.row(i)
		run()
	}
	if n := vm.lru.Len(); n != maxPages || len(vm.pages) != maxPages {
		t.Errorf("%d pages are kept (%d in the map), want %d", n, len(vm.pages), maxPages)
	}
	asked := len(f.calls)
	vm.row(len(vm.ids) - 1)
	run()
	if len(f.calls) != asked {
		t.Error("the newest page was fetched again")
	}
	for _, i := range []int{-1, len(vm.ids)} {
		if _, ok := vm.row(i); ok {
			t.Errorf("there is a row %d", i)
		}
	}
}

// TestRangeSurvives: who was selected by a range of rows is still selected when the rows are others; who is selected in
// rows that go meanwhile is not.
func TestRangeSurvives(t *testing.T) {
	vm, _, run, _ := people(t, 30)
	vm.click(3, false, false)
	vm.click(6, false, true)
	vm.click(5, true, false)
	vm.click(9, true, false)
	want := []int64{4, 5, 7, 10}
	if got := vm.selection()(); !slices.Equal(got, want) || vm.selectedCount() != 4 {
		t.Errorf("selected %v (%d), want %v", got, vm.selectedCount(), want)
	}
	vm.sort(model.SortName) // turns the people round
	run()
	got := vm.selection()()
	slices.Sort(got)
	if !slices.Equal(got, want) || vm.selectedCount() != 4 {
		t.Errorf("after sorting %v (%d), want %v", got, vm.selectedCount(), want)
	}
	vm.click(0, false, false)
	vm.sort(model.SortEmail)
	vm.click(0, false, false)
	vm.click(4, false, true)
	run()
	if n := vm.selectedCount(); n != 0 {
		t.Errorf("%d of other rows are selected", n)
	}
}

// TestSelectionModel: whatever is clicked, those who are selected are counted and listed as a plain set would have them.
func TestSelectionModel(t *testing.T) {
	vm, _, run, _ := people(t, 12)
	rapid.Check(t, func(t *rapid.T) {
		vm.clearSelection()
		set, anchor := map[int64]bool{}, -1
		for range rapid.IntRange(1, 12).Draw(t, "clicks") {
			i := rapid.IntRange(0, 11).Draw(t, "row")
			switch rapid.IntRange(0, 4).Draw(t, "how") {
			case 0:
				vm.click(i, false, false)
				set, anchor = map[int64]bool{vm.ids[i]: true}, i
			case 1:
				vm.click(i, true, false)
				if set[vm.ids[i]] = !set[vm.ids[i]]; !set[vm.ids[i]] {
					delete(set, vm.ids[i])
				}
				anchor = i
			case 2:
				vm.click(i, false, true)
				if anchor < 0 {
					set, anchor = map[int64]bool{vm.ids[i]: true}, i
					break
				}
				set = map[int64]bool{}
				for j := min(i, anchor); j <= max(i, anchor); j++ {
					set[vm.ids[j]] = true
				}
			case 3:
				vm.selectAll()
				for _, id := range vm.ids {
					set[id] = true
				}
			case 4:
				vm.reload()
				run()
			}
			var want []int64
			for _, id := range vm.ids {
				if set[id] {
					want = append(want, id)
				}
			}
			if got := vm.selection()(); !slices.Equal(got, want) || vm.selectedCount() != len(want) {
				t.Fatalf("selected %v (%d), want %v", got, vm.selectedCount(), want)
			}
		}
	})
}

// TestStale: those who are shown while another question is asked are not selected by it, and what cannot be asked shows
// nobody.
func TestStale(t *testing.T) {
	vm, f, run, _ := people(t, 30)
	vm.search("p00001")
	vm.selectAll()
	vm.click(3, false, false)
	if n := vm.selectedCount(); n != 0 || len(vm.ids) != 30 {
		t.Errorf("%d of %d are selected", n, len(vm.ids))
	}
	run()
	vm.selectAll()
	if n := vm.selectedCount(); n != 10 {
		t.Errorf("%d are selected", n)
	}
	var told error
	vm.failed = func(err error) { told = err }
	f.fail["ContactIDs"] = model.E(model.ENotFound, nil, "kind", "tag", "name", "x")
	vm.setFilter(model.Filter{Conditions: []model.Condition{{What: model.WhereTag, ID: 9}}})
	run()
	if told == nil || len(vm.ids) != 0 || vm.stale {
		t.Errorf("told %v, %d shown", told, len(vm.ids))
	}
}

// TestLatePage: a page of the list before, which comes when the next list is there already, is not taken for its own.
func TestLatePage(t *testing.T) {
	vm, f, run, r := people(t, 200)
	shown := make(chan struct{})
	vm.moved = func(int64) { close(shown) } // the new ids are here
	f.block = make(chan struct{})
	vm.sort(model.SortName) // turns the people round
	vm.row(1)               // asks for a page of the ids that are still shown
	for waiting := true; waiting; {
		r.drain()
		select {
		case <-shown:
			waiting = false
		default:
			runtime.Gosched()
		}
	}
	vm.row(0)
	close(f.block)
	run()
	if c, ok := vm.row(0); !ok || c.ID != vm.ids[0] {
		t.Errorf("row 0 is %+v (%v), want person %d", c, ok, vm.ids[0])
	}
}

// TestRecipientSelection: as lists do, and everybody at no cost.
func TestRecipientSelection(t *testing.T) {
	vm, f, run, _ := people(t, 300)
	vm.click(3, false, false)
	vm.click(6, false, true)
	vm.click(10, true, false)
	vm.click(4, true, false)
	if got, want := vm.selection()(), []int64{4, 6, 7, 11}; !slices.Equal(got, want) {
		t.Errorf("selected %v, want %v", got, want)
	}
	if vm.current() != 5 {
		t.Errorf("current is %d", vm.current())
	}
	vm.selectAll()
	vm.click(0, true, false)
	if n := vm.selectedCount(); n != 299 || vm.selected(0) || !vm.selected(299) || len(vm.except) != 1 {
		t.Errorf("all but one: %d, %v", n, vm.except)
	}
	vm.remove(func(err error) {
		if err != nil {
			t.Error(err)
		}
	})
	run()
	if len(f.contacts) != 1 || len(vm.ids) != 1 || vm.selectedCount() != 0 || vm.current() != 1 {
		t.Errorf("%d left, %d shown, %d selected, current %d", len(f.contacts), len(vm.ids), vm.selectedCount(), vm.current())
	}
}

func TestRecipientSearchAndSort(t *testing.T) {
	vm, _, run, _ := people(t, 30)
	vm.sort(model.SortName)
	run()
	first := vm.ids[0]
	vm.sort(model.SortName)
	run()
	if vm.ids[len(vm.ids)-1] != first || !vm.query.Desc {
		t.Errorf("turned round: %v", vm.ids)
	}
	vm.click(2, false, false)
	vm.search("p00001")
	vm.search("p000012") // the earlier answer is given up
	run()
	if len(vm.ids) != 1 || vm.ids[0] != 13 || vm.selectedCount() != 0 {
		t.Errorf("found %v, selected %d", vm.ids, vm.selectedCount())
	}
	vm.setList(99)
	run()
	if len(vm.ids) != 0 || vm.current() != 0 {
		t.Errorf("a list without people shows %v", vm.ids)
	}
}

func TestSuppress(t *testing.T) {
	vm, f, run, _ := people(t, 3)
	vm.click(1, false, false)
	vm.suppress(func(err error) {
		if err != nil {
			t.Error(err)
		}
	})
	run()
	if !f.has("Suppress p000001@example.com") {
		t.Errorf("calls %v", f.calls)
	}
}

// TestLetterDraft: one draft and one preview for a burst of keys, and the last draft is opened at a start.
func TestLetterDraft(t *testing.T) {
	f := newFake()
	f.letters = []model.Letter{{ID: 1, Subject: "old", UpdatedAt: f.at(1)}, {ID: 2, Subject: "new", Body: "b", UpdatedAt: f.at(2)}}
	tasks, run, _ := newQueue(t)
	vm := newLetterVM(f, tasks)
	vm.load()
	run()
	run()
	if vm.letter.ID != 2 || vm.preview.Subject != "new" {
		t.Fatalf("opened %+v, preview %+v", vm.letter, vm.preview)
	}
	f.calls = nil
	for _, s := range []string{"n", "ne", "new", "newe", "newer"} {
		vm.edit(func(l *model.Letter) { l.Subject = s })
	}
	run()
	if want := []string{"Preview", "SaveLetter"}; !cmp.Equal(sorted(f.calls), want) {
		t.Errorf("calls %v, want %v", f.calls, want)
	}
	if f.letters[1].Subject != "newer" || vm.preview.Subject != "newer" {
		t.Errorf("kept %q, previewed %q", f.letters[1].Subject, vm.preview.Subject)
	}
	vm.replace(model.Letter{ID: 1, Subject: "from a file"})
	run()
	if len(f.letters) != 3 || vm.letter.ID != 3 || f.letters[0].Subject != "old" {
		t.Errorf("a letter from a file must be a draft of its own: %+v", f.letters)
	}
}

func sorted(s []string) []string {
	s = slices.Clone(s)
	slices.Sort(s)
	return s
}

// TestLatePreview: what comes after the next key is not shown.
func TestLatePreview(t *testing.T) {
	tasks, run, _ := newQueue(t)
	vm := newLetterVM(newFake(), tasks)
	vm.edit(func(l *model.Letter) { l.Subject = "one" })
	vm.settle()
	vm.edit(func(l *model.Letter) { l.Subject = "two" })
	shown := 0
	vm.shown = func() { shown++ }
	run()
	if vm.preview.Subject != "two" || shown != 1 {
		t.Errorf("previewed %q, shown %d times", vm.preview.Subject, shown)
	}
}

// TestProgressLog: the log keeps its last lines, and one tick takes a share of what is new.
func TestProgressLog(t *testing.T) {
	f := newFake()
	f.log = []LogLine{{Kind: LogServer, Text: "250-one\r\n250 two"}}
	tasks, _, _ := newQueue(t)
	vm := newProgressVM(f, tasks)
	vm.tick()
	if len(vm.log) != 2 || vm.log[0].Text != "250-one" || vm.log[1].Text != "250 two" || vm.log[1].Kind != LogServer {
		t.Errorf("a reply of two lines became %+v", vm.log)
	}
	f.log = nil
	for i := range maxLog + 700 {
		f.log = append(f.log, LogLine{Text: fmt.Sprint(i)})
	}
	vm = newProgressVM(f, tasks)
	vm.tick()
	if len(vm.log) != 500 {
		t.Errorf("one tick took %d lines", len(vm.log))
	}
	for range 20 {
		vm.tick()
	}
	if len(vm.log) != maxLog || vm.log[0].Text != "700" {
		t.Errorf("%d lines are kept, from %s on", len(vm.log), vm.log[0].Text)
	}
	vm.clearLog()
	vm.tick()
	if len(vm.log) != 0 {
		t.Error("old lines came back")
	}
}

// TestProgressRates: one value a second, the last minute.
func TestProgressRates(t *testing.T) {
	f := shop("en").sending("en")
	tasks, run, _ := newQueue(t)
	vm := newProgressVM(f, tasks)
	at := f.at(0)
	vm.now = func() time.Time { return at }
	vm.load(0)
	run()
	if vm.id != 1 || !vm.running {
		t.Fatalf("shows %d, running %v", vm.id, vm.running)
	}
	for range 700 {
		at = at.Add(100 * time.Millisecond)
		vm.tick()
		run()
	}
	if len(vm.rates) != 60 {
		t.Errorf("%d values", len(vm.rates))
	}
	if n := count(f.calls, "Counts"); n > 40 {
		t.Errorf("the journal was read %d times in 70 seconds", n)
	}
	f.set(1, model.CampaignDone)
	f.counts = model.Counts{Total: 300, Accepted: 300}
	vm.tick()
	run()
	if vm.running || vm.snap.State != model.CampaignDone || vm.snap.Counts.Accepted != 300 || vm.resumable() {
		t.Errorf("at the end: %+v", vm.snap)
	}
	if vm.mayPause() == "" || vm.mayRetry() != "ui.why.nofailed" {
		t.Errorf("may: %q %q", vm.mayPause(), vm.mayRetry())
	}
}

func count(calls []string, name string) int {
	n := 0
	for _, c := range calls {
		if c == name {
			n++
		}
	}
	return n
}

// TestRemembered: the campaign that was shown last is shown again; one that is gone gives way to the newest.
func TestRemembered(t *testing.T) {
	f := newFake()
	f.campaigns = []model.Campaign{{ID: 2, State: model.CampaignDone}, {ID: 1, State: model.CampaignDone}}
	tasks, run, _ := newQueue(t)
	for id, want := range map[int64]int64{1: 1, 2: 2, 9: 2, 0: 2} {
		vm := newProgressVM(f, tasks)
		vm.load(id)
		run()
		if vm.id != want {
			t.Errorf("remembered %d, shown %d, want %d", id, vm.id, want)
		}
	}
}

func TestGroup(t *testing.T) {
	f := newFake()
	ds := []model.Delivery{{ID: 1, State: model.Deferred}, {ID: 2, State: model.Rejected}, {ID: 3, State: model.Rejected}, {ID: 4, State: model.Unknown}, {ID: 5, State: model.Rejected}}
	var got []string
	for _, p := range group(ds, f.Explain) {
		got = append(got, fmt.Sprint(p.State, " ", p.N, " first ", p.First.ID))
	}
	if diff := cmp.Diff([]string{"rejected 3 first 2", "deferred 1 first 1", "unknown 1 first 4"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestAccountStatus(t *testing.T) {
	f := newFake()
	for _, c := range []struct {
		a    Account
		want string
	}{
		{Account{HasSecret: true}, "ui.account.fit"},
		{Account{}, "ui.account.nosecret"},
		{Account{Account: model.Account{Auth: model.AuthNone}}, "ui.account.fit"},
		{Account{HasSecret: true, Clock: model.Clock{State: model.ClockResting, Until: f.at(0)}}, "ui.account.resting"},
		{Account{Clock: model.Clock{State: model.ClockStopped}}, "ui.account.stopped"},
	} {
		key, until := c.a.status()
		if key != c.want || (until != "") != (key == "ui.account.resting") {
			t.Errorf("%+v: %s %q", c.a, key, until)
		}
	}
}
