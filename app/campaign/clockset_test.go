package campaign_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"hongyan/app/campaign"
	"hongyan/app/model"
	"hongyan/smtpx"
)

// TestAClockSetForward: nothing goes earlier for it, and what is shown goes by the wall clock.
func TestAClockSetForward(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.account("a", model.Limits{PerMinute: 10, PerHour: 100})
		id := w.campaign("c", 150, model.Schedule{})
		r := w.start(id, a)
		time.Sleep(30 * time.Second)
		for range 3 {
			w.clk.set(time.Hour)
			time.Sleep(10 * time.Second)
		}
		synctest.Wait()
		s := r.Snapshot()
		w.mu.Lock()
		next := w.mails[len(w.mails)-10].at.Add(time.Minute + time.Second)
		w.mu.Unlock()
		if d := s.NextAt.Sub(next.Add(3 * time.Hour)); d < 0 || d > 100*time.Millisecond {
			t.Errorf("the next letter is shown for %v, %v by the wall clock is right", s.NextAt, next.Add(3*time.Hour))
		}
		r.ends(model.CampaignDone, "")
		checkLimits(w, a)
		// Set forward between two runs, and limits that are set later.
		b := w.account("b", model.Limits{})
		w.judge = func(model.Account, string, int) fate { return fate{wait: time.Second} }
		r = w.start(w.campaign("d", 100, model.Schedule{}), b)
		time.Sleep(30 * time.Second)
		w.clk.set(2 * time.Hour)
		time.Sleep(time.Minute)
		b.Limits = model.Limits{PerHour: 95}
		w.acc.Update(b)
		r.ends(model.CampaignDone, "")
		checkLimits(w, b)
	})
}

// TestARestUnderAClockThatIsSet: a rest lasts as long as it was meant to, whichever way the clock is set, and also when the
// program is started anew in the middle of it.
func TestARestUnderAClockThatIsSet(t *testing.T) {
	for _, by := range []time.Duration{3 * time.Hour, -3 * time.Hour} {
		for _, restart := range []bool{false, true} {
			t.Run(fmt.Sprint(by, restart), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t)
					a := w.account("a", model.Limits{})
					a.Provider = "qq"
					w.judge = func(_ model.Account, _ string, n int) fate {
						if n == 1 {
							return refuse(smtpx.PhaseMail, 550, "", "Sender frequency limited") // an hour's rest
						}
						return fate{}
					}
					id := w.campaign("c", 1, model.Schedule{})
					begun := time.Now()
					r := w.start(id, a)
					time.Sleep(10 * time.Minute)
					w.clk.set(by)
					time.Sleep(time.Minute)
					if restart {
						r.Pause()
						r.ends(model.CampaignPaused, campaign.PauseUser)
						w.restart()
						r = w.start(id, a)
					}
					r.ends(model.CampaignDone, "")
					if d := time.Since(begun); d < time.Hour || d > time.Hour+10*time.Second {
						t.Errorf("the rest of an hour took %v", d)
					}
				})
			})
		}
	}
}

// TestTomorrowIsTheCalendars: a rest until the provider's day is over ends by the wall clock as it was corrected.
func TestTomorrowIsTheCalendars(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.account("a", model.Limits{})
		a.Provider = "gmail"
		w.judge = func(_ model.Account, _ string, n int) fate {
			if n == 2 {
				return refuse(smtpx.PhaseMail, 550, "", "域名当日发信量到达上限")
			}
			return fate{wait: time.Minute}
		}
		r := w.start(w.campaign("c", 2, model.Schedule{}), a)
		w.clk.set(-3 * time.Hour)
		r.ends(model.CampaignDone, "")
		if at := w.letters()[1].at.UTC(); at.Hour() != 16 || at.Minute() != 10 { // ten past midnight in Beijing
			t.Errorf("it went on at %v", at)
		}
	})
}

// TestDomainsUnderAClockSetForward: a recipient domain keeps its pace.
func TestDomainsUnderAClockSetForward(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.account("a", model.Limits{})
		cfg := w.config(w.campaign("c", 30, model.Schedule{}), a)
		cfg.DomainPerMinute = 5
		r := w.startWith(cfg)
		for range 10 {
			time.Sleep(20 * time.Second)
			w.clk.set(10 * time.Minute)
		}
		r.ends(model.CampaignDone, "")
		for i := 5; i < len(w.mails); i++ {
			if d := w.mails[i].at.Sub(w.mails[i-5].at); d < time.Minute-3*w.rtt {
				t.Errorf("6 letters to the domain within %v", d)
			}
		}
	})
}

// TestARefusalForNowUnderAClockSetBack: set back by years, its wait does not last years, also over a restart.
func TestARefusalForNowUnderAClockSetBack(t *testing.T) {
	for _, restart := range []bool{false, true} {
		t.Run(fmt.Sprint("restart ", restart), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				a := w.account("a", model.Limits{})
				w.judge = func(_ model.Account, _ string, n int) fate {
					if n <= 2 {
						return refuse(smtpx.PhaseRcpt, 451, "4.7.1", "Greylisted, try later")
					}
					return fate{}
				}
				id := w.campaign("c", 2, model.Schedule{})
				r := w.start(id, a)
				time.Sleep(30 * time.Second)
				w.clk.set(-2 * 365 * 24 * time.Hour)
				if restart {
					r.Pause()
					r.ends(model.CampaignPaused, campaign.PauseUser)
					w.restart()
					r = w.start(id, a)
				}
				r.within(24 * time.Hour)
				w.want(id, model.Counts{Total: 2, Accepted: 2})
			})
		})
	}
}
