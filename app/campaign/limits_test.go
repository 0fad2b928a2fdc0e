package campaign_test

import (
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"hongyan/app/campaign"
	"hongyan/app/model"
)

// TestLimitsHoldForTheServer drives two campaigns that share two accounts through pauses, restarts, suspend, a clock
// that is set back and forward, and counts as the servers would: by the time that truly passed. Only a restart after the clock was set forward may cost more: the journal's times go by the wall clock.
func TestLimitsHoldForTheServer(t *testing.T) {
	checks := flag.Lookup("rapid.checks")
	if checks != nil && checks.Value.String() == checks.DefValue { // each check writes a real journal
		defer func() { _ = checks.Value.Set(checks.DefValue) }()
		_ = checks.Value.Set("8")
	}
	dir, n := t.TempDir(), 0
	rapid.Check(t, func(rt *rapid.T) {
		p := drawPlan(rt)
		n++
		var faults notes
		synctest.Test(t, func(t *testing.T) {
			defer faults.caught()
			w := worldIn(&faults, t.Context(), filepath.Join(dir, fmt.Sprint(n)))
			defer func() { _ = w.st.Close() }()
			p.run(w)
		})
		if len(faults.said) > 0 {
			rt.Fatalf("%s", strings.Join(faults.said, "\n"))
		}
	})
}

// notes collects what a property has to complain of, so that rapid can make the example smaller.
type notes struct{ said []string }

type noted struct{}

func (*notes) Helper()                     {}
func (n *notes) Errorf(f string, a ...any) { n.said = append(n.said, fmt.Sprintf(f, a...)) }
func (n *notes) Fatalf(f string, a ...any) { n.Errorf(f, a...); panic(noted{}) }
func (n *notes) Fatal(a ...any)            { n.Fatalf("%s", fmt.Sprint(a...)) }
func (n *notes) caught() {
	if v := recover(); v != nil {
		if _, ok := v.(noted); !ok {
			panic(v)
		}
	}
}

// plan is what happens to two campaigns that share two accounts.
type plan struct {
	a, b  model.Limits
	steps []planStep
}

type planStep struct {
	what int
	of   int
	by   time.Duration
	run  [2]bool
	then time.Duration
}

func drawPlan(t *rapid.T) plan {
	limits := rapid.Custom(func(t *rapid.T) model.Limits {
		l := model.Limits{
			Connections: rapid.IntRange(1, 3).Draw(t, "connections"),
			PerMinute:   rapid.IntRange(0, 4).Draw(t, "minute"),
			PerHour:     rapid.IntRange(0, 8).Draw(t, "hour"),
			PerDay:      rapid.IntRange(3, 20).Draw(t, "day"),
			PerSession:  rapid.IntRange(1, 5).Draw(t, "session"),
			GapMin:      time.Duration(rapid.IntRange(0, 20).Draw(t, "gap")) * time.Second,
		}
		l.GapMax = l.GapMin + time.Duration(rapid.IntRange(0, 20).Draw(t, "more"))*time.Second
		return l
	})
	step := rapid.Custom(func(t *rapid.T) planStep {
		return planStep{
			what: rapid.IntRange(0, 9).Draw(t, "what"),
			of:   rapid.IntRange(0, 1).Draw(t, "of"),
			by:   time.Duration(rapid.IntRange(1, 100_000).Draw(t, "by")) * time.Second,
			run:  [2]bool{rapid.Bool().Draw(t, "run c"), rapid.Bool().Draw(t, "run d")},
			then: time.Duration(rapid.IntRange(0, 8000).Draw(t, "then")) * time.Second,
		}
	})
	return plan{limits.Draw(t, "a"), limits.Draw(t, "b"), rapid.SliceOfN(step, 1, 12).Draw(t, "steps")}
}

func (p plan) run(w *world) {
	accounts := []model.Account{w.account("a", p.a), w.account("b", p.b)}
	ids := []int64{w.campaign("c", 25, model.Schedule{}), w.campaign("d", 25, model.Schedule{})}
	runs := make([]*running, 2)
	end := func() {
		for i, r := range runs {
			if r != nil {
				r.Pause()
				r.within(time.Hour)
			}
			runs[i] = nil
		}
	}
	defer end()
	for _, s := range p.steps {
		switch s.what {
		case 0:
			end()
			w.restart()
		case 1:
			if runs[s.of] != nil {
				runs[s.of].Pause()
			}
		case 2:
			w.clk.suspend(s.by)
		case 3:
			w.clk.set(-s.by)
		case 4:
			w.clk.set(s.by)
		case 5: // a little
			w.clk.set(200*time.Millisecond + s.by/1000)
		}
		for i, r := range runs {
			if r != nil && !isClosed(r.done) {
				continue
			}
			runs[i] = nil
			if s.run[i] && w.counts(ids[i]).Left() > 0 {
				runs[i] = w.start(ids[i], accounts...)
			}
		}
		time.Sleep(s.then)
	}
	end()
	w.once()
	for _, a := range accounts {
		checkLimits(w, a)
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func checkLimits(w *world, a model.Account) {
	w.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	var mails []mail
	sessions := map[int64]int{}
	for _, m := range w.mails {
		if m.account == a.ID {
			mails = append(mails, m)
			sessions[m.conn]++
		}
	}
	l := a.Limits
	for _, win := range []struct {
		length time.Duration
		limit  int
	}{{time.Minute, l.PerMinute}, {time.Hour, l.PerHour}, {24 * time.Hour, l.PerDay}} {
		for i := win.limit; win.limit > 0 && i < len(mails); i++ {
			first, last := mails[i-win.limit], mails[i]
			if d := last.at.Sub(first.at); d < win.length && first.era == last.era {
				w.Errorf("%s: %d letters within %v, the limit is %d in %v", a.Name, win.limit+1, d, win.limit, win.length)
			}
		}
	}
	for i := 1; i < len(mails); i++ {
		first, last := mails[i-1], mails[i]
		if d := last.at.Sub(first.at); d < l.GapMin-time.Millisecond && first.era == last.era {
			w.Errorf("%s: two letters within %v, the gap is at least %v", a.Name, d, l.GapMin)
		}
	}
	for c, n := range sessions {
		if l.PerSession > 0 && n > l.PerSession {
			w.Errorf("%s: %d letters over connection %d, the limit is %d", a.Name, n, c, l.PerSession)
		}
	}
	if n := w.most[a.ID]; l.Connections > 0 && n > l.Connections {
		w.Errorf("%s: %d connections at a time, the limit is %d", a.Name, n, l.Connections)
	}
}

// TestLimitsSetInMidRun: what was sent before a limit was set counts against it.
func TestLimitsSetInMidRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.account("a", model.Limits{GapMin: time.Second})
		id := w.campaign("c", 100, model.Schedule{})
		r := w.start(id, a)
		time.Sleep(30500 * time.Millisecond)
		before := len(w.letters())
		if before < 20 {
			t.Fatalf("only %d letters in 30 s", before)
		}
		a.Limits = model.Limits{PerHour: 40}
		w.acc.Update(a)
		time.Sleep(20 * time.Minute)
		if got := len(w.letters()); got != 40 {
			t.Errorf("%d letters within the hour, %d of them before the limit of 40 was set", got, before)
		}
		r.ends(model.CampaignDone, "")
		checkLimits(w, a)
	})
}

// TestAccountsShareByRoom: an account that may send twice as much sends about twice as much, and both send at once.
func TestAccountsShareByRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a, b := w.account("a", model.Limits{PerMinute: 4}), w.account("b", model.Limits{PerMinute: 8})
		id := w.campaign("c", 120, model.Schedule{})
		begun := time.Now()
		w.start(id, a, b).ends(model.CampaignDone, "")
		by := map[int64]int{}
		for _, s := range w.once() {
			by[s.account]++
		}
		if n := by[a.ID]; n < 36 || n > 44 {
			t.Errorf("a sent %d of 120, b %d", n, by[b.ID])
		}
		if took := time.Since(begun); took > 11*time.Minute {
			t.Errorf("12 letters a minute took %v for 120", took)
		}
		checkLimits(w, a)
		checkLimits(w, b)
	})
}

// TestGapsAreRandomAndShown: pauses differ, stay within bounds, and the next letter's time is told.
func TestGapsAreRandomAndShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.account("a", model.Limits{GapMin: 20 * time.Second, GapMax: 40 * time.Second})
		id := w.campaign("c", 30, model.Schedule{})
		r := w.start(id, a)
		time.Sleep(time.Second)
		synctest.Wait()
		s := r.Snapshot()
		if s.Senders[0].State != campaign.SenderWaiting || !s.NextAt.Equal(s.Senders[0].NextAt) {
			t.Errorf("after a letter: %+v", s)
		}
		if left := s.Left; left < 29*20*time.Second || left > 29*40*time.Second+time.Minute {
			t.Errorf("%v are said to be left for 29 letters", left)
		}
		r.ends(model.CampaignDone, "")
		mails := w.mails
		if d := mails[1].at.Sub(s.NextAt); d < 0 || d > 100*time.Millisecond {
			t.Errorf("the second letter went %v after the time that was shown", d)
		}
		gaps := map[time.Duration]bool{}
		for i := 1; i < len(mails); i++ {
			d := mails[i].at.Sub(mails[i-1].at)
			if d < 20*time.Second || d > 41*time.Second {
				t.Errorf("a pause of %v", d)
			}
			gaps[d.Round(time.Second)] = true
		}
		if len(gaps) < 8 {
			t.Errorf("only %d different pauses in 29", len(gaps))
		}
	})
}

// TestDomainThrottle: a domain has its own pace, and the others do not wait for it.
func TestDomainThrottle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.account("a", model.Limits{})
		var people []string
		for i := range 40 {
			people = append(people, fmt.Sprintf("p%d@slow.example", i))
		}
		for i := range 40 {
			people = append(people, fmt.Sprintf("p%d@other%d.example", i, i))
		}
		cfg := w.config(w.campaignTo("c", people, model.Schedule{}), a)
		cfg.DomainPerMinute = 5
		w.startWith(cfg).ends(model.CampaignDone, "")
		var slow []time.Time
		last := time.Time{}
		for _, s := range w.letters() {
			if s.to[len(s.to)-len("slow.example"):] == "slow.example" {
				slow = append(slow, s.at)
			} else if s.at.After(last) {
				last = s.at
			}
		}
		for i := 5; i < len(slow); i++ {
			if d := slow[i].Sub(slow[i-5]); d < time.Minute-w.rtt*3 {
				t.Errorf("6 letters to the domain within %v", d)
			}
		}
		if wait := last.Sub(slow[0]); len(slow) != 40 || wait > time.Minute {
			t.Errorf("%d letters to the slow domain; the others waited %v for it", len(slow), wait)
		}
	})
}

// TestDomainThrottleOverRestarts: what the run before sent to a domain counts.
func TestDomainThrottleOverRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.account("a", model.Limits{})
		id := w.campaign("c", 20, model.Schedule{})
		start := func() *running {
			cfg := w.config(id, a)
			cfg.DomainPerMinute = 5
			return w.startWith(cfg)
		}
		r := start()
		for range 4 {
			time.Sleep(17 * time.Second)
			r.Pause()
			r.ends(model.CampaignPaused, campaign.PauseUser)
			w.restart()
			r = start()
		}
		r.ends(model.CampaignDone, "")
		all := w.letters()
		for i := 5; i < len(all); i++ {
			if d := all[i].at.Sub(all[i-5].at); d < time.Minute-w.rtt*3 {
				t.Errorf("6 letters to the domain within %v", d)
			}
		}
		w.once()
	})
}

// TestCampaignsShareAnAccount: two campaigns on one account with one connection take turns, and one that must not
// send for now does not keep the other waiting.
func TestCampaignsShareAnAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.account("a", model.Limits{Connections: 1, PerMinute: 30})
		c, d := w.campaign("c", 120, model.Schedule{}), w.campaign("d", 120, model.Schedule{})
		r, q := w.start(c, a), w.start(d, a)
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		for _, id := range []int64{c, d} {
			if n := w.counts(id).Accepted; n < 20 {
				t.Errorf("campaign %d has sent %d of about 90 that both could", id, n)
			}
		}
		r.ends(model.CampaignDone, "")
		q.ends(model.CampaignDone, "")
		checkLimits(w, a)
		w.once()
	})
}

func TestAWaitingCampaignThatMustNotSendBlocksNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.account("a", model.Limits{Connections: 1, PerSession: 30})
		w.judge = func(_ model.Account, to string, _ int) fate { return fate{wait: 2 * time.Second} }
		now := time.Now()
		c := w.campaign("c", 60, model.Schedule{})
		// d gets in line behind c's connection, and its hours end before that is given up.
		d := w.campaign("d", 60, model.Schedule{FromHour: now.Hour(), ToHour: now.Hour() + 1})
		time.Sleep(time.Until(time.Date(now.Year(), now.Month(), now.Day(), now.Hour(), 59, 50, 0, time.Local)))
		r := w.start(c, a)
		time.Sleep(time.Second)
		q := w.start(d, a)
		r.within(10 * time.Minute)
		r.ends(model.CampaignDone, "")
		if got := w.counts(d).Accepted; got != 0 {
			t.Errorf("%d letters outside of the hours", got)
		}
		q.ends(model.CampaignDone, "")
		if at := slices.MaxFunc(w.letters(), func(x, y sent) int { return x.at.Compare(y.at) }).at; at.Hour() != now.Hour() {
			t.Errorf("the last letter went at %v", at)
		}
	})
}
