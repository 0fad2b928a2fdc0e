package campaign_test

import (
	"testing"
	"testing/synctest"
	"time"

	"hongyan/app/campaign"
	"hongyan/app/model"
	"hongyan/smtpx"
)

func TestStartAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.account("a", model.Limits{})
		start := w.clk.Now().Add(5 * time.Hour)
		id := w.campaign("c", 3, model.Schedule{StartAt: start})
		r := w.start(id, a)
		time.Sleep(time.Hour)
		if s := r.Snapshot(); len(w.loginTimes()) != 0 || !s.NextAt.Equal(start) {
			t.Errorf("before its time: %+v, logins %v", s, w.loginTimes())
		}
		r.ends(model.CampaignDone, "")
		for _, s := range w.letters() {
			if d := s.at.Sub(start); d < 0 || d > time.Second {
				t.Errorf("a letter at %v", s.at)
			}
		}
	})
}

// TestAMissedStartAsks: a machine that slept through the start does not fire when it wakes, nor does a program that is
// started too late; on the user's word it goes.
func TestAMissedStartAsks(t *testing.T) {
	for _, c := range []struct {
		name  string
		sched func(now time.Time) model.Schedule
		sleep time.Duration
		asks  bool
	}{
		{"slept through it", func(now time.Time) model.Schedule { return model.Schedule{StartAt: now.Add(time.Hour)} }, 3 * time.Hour, true},
		{"a little late", func(now time.Time) model.Schedule { return model.Schedule{StartAt: now.Add(time.Hour)} }, time.Hour + 5*time.Minute, false},
		{"started too late", func(now time.Time) model.Schedule { return model.Schedule{StartAt: now.Add(-time.Hour)} }, 0, true},
		{"its hours come after its time", func(now time.Time) model.Schedule {
			h := now.Local().Hour()
			return model.Schedule{StartAt: now.Add(time.Minute), FromHour: (h + 3) % 24, ToHour: (h + 9) % 24}
		}, 0, false},
		{"slept through the first of its hours", func(now time.Time) model.Schedule {
			h := now.Local().Hour()
			return model.Schedule{StartAt: now.Add(time.Minute), FromHour: (h + 3) % 24, ToHour: (h + 9) % 24}
		}, 4 * time.Hour, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				a := w.account("a", model.Limits{})
				id := w.campaign("c", 3, c.sched(w.clk.Now()))
				r := w.start(id, a)
				time.Sleep(time.Second)
				w.clk.suspend(c.sleep)
				if !c.asks {
					r.ends(model.CampaignDone, "")
					return
				}
				r.ends(model.CampaignPaused, campaign.PauseLate)
				if n := len(w.loginTimes()); n != 0 {
					t.Errorf("%d logins without being asked for", n)
				}
				w.start(id, a).ends(model.CampaignDone, "")
			})
		})
	}
}

// TestHoursAndDays: nothing goes outside of them, over a weekend too, and it goes on by itself.
func TestHoursAndDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.account("a", model.Limits{PerHour: 3})
		id := w.campaign("c", 60, model.Schedule{Days: []time.Weekday{time.Monday, time.Wednesday}, FromHour: 9, ToHour: 12})
		r := w.start(id, a)
		time.Sleep(time.Hour)
		if s := r.Snapshot(); s.NextAt.Local().Hour() != 9 || s.NextAt.Local().Weekday() != time.Monday || s.Left < 7*24*time.Hour {
			t.Errorf("on a Saturday: %+v", s)
		}
		r.ends(model.CampaignDone, "")
		for _, s := range w.letters() {
			l := s.at.Local()
			if d := l.Weekday(); d != time.Monday && d != time.Wednesday || l.Hour() < 9 || l.Hour() >= 12 {
				t.Errorf("a letter at %v", l)
			}
		}
		checkLimits(w, a)
	})
}

func TestStopAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.account("a", model.Limits{PerMinute: 1})
		id := w.campaign("c", 60, model.Schedule{StopAfter: w.clk.Now().Add(10*time.Minute + 30*time.Second)})
		w.start(id, a).ends(model.CampaignPaused, campaign.PauseStopAfter)
		if n := len(w.letters()); n != 11 {
			t.Errorf("%d letters in ten minutes and a half", n)
		}
		w.start(id, a).ends(model.CampaignPaused, campaign.PauseStopAfter)
	})
}

// TestSuspend: connections are given up, a reply that is owed is waited for, and the campaign goes on.
func TestSuspend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.account("a", model.Limits{GapMin: 20 * time.Second})
		id := w.campaign("c", 5, model.Schedule{})
		w.judge = func(_ model.Account, to string, _ int) fate {
			if to == "c2@example.org" {
				return fate{wait: 30 * time.Second}
			}
			return fate{}
		}
		r := w.start(id, a)
		time.Sleep(45 * time.Second)   // the third letter's dot is out
		w.clk.suspend(2 * time.Minute) // less than a connection may live
		r.ends(model.CampaignDone, "")
		w.want(id, model.Counts{Total: 5, Accepted: 5})
		if n := len(w.loginTimes()); n != 2 {
			t.Errorf("%d logins, want one before and one after", n)
		}
	})
}

// TestAClockThatWasWrong: set back by years, neither limits nor rests nor pauses last longer than they were meant to.
func TestAClockThatWasWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a, b := w.account("a", model.Limits{PerHour: 5, GapMin: time.Second}), w.account("b", model.Limits{})
		b.Provider = "qq"
		w.judge = func(acct model.Account, _ string, n int) fate {
			if acct.ID == b.ID && n < 12 {
				return refuse(smtpx.PhaseMail, 550, "", "Sender frequency limited") // an hour's rest
			}
			if n == 4 {
				return fate{at: smtpx.PhaseRcpt, cut: true}
			}
			return fate{wait: time.Second}
		}
		id := w.campaign("c", 40, model.Schedule{})
		r := w.start(id, a, b)
		time.Sleep(4 * time.Second)
		w.clk.set(-4 * 365 * 24 * time.Hour)
		begun := time.Now()
		r.ends(model.CampaignDone, "")
		if d := time.Since(begun); d > 4*time.Hour {
			t.Errorf("it took %v", d)
		}
		w.want(id, model.Counts{Total: 40, Accepted: 40})
		checkLimits(w, a)
	})
}

// TestARestSurvivesARestartUnderAWrongClock: a rest that the journal has in the far future is no longer than a rest.
func TestARestSurvivesARestartUnderAWrongClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.account("a", model.Limits{})
		future := w.clk.Now().AddDate(3, 0, 0)
		err := w.st.SetClock(t.Context(), model.Clock{AccountID: a.ID, State: model.ClockResting, At: future, Until: future.Add(2 * time.Hour), Scope: model.ScopeAccountRate})
		if err != nil {
			t.Fatal(err)
		}
		w.restart()
		id := w.campaign("c", 1, model.Schedule{})
		begun := time.Now()
		w.start(id, a).ends(model.CampaignDone, "")
		if d := time.Since(begun); d < 2*time.Hour || d > 2*time.Hour+time.Minute {
			t.Errorf("the rest of two hours took %v", d)
		}
	})
}
