package campaign_test

import (
	"errors"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"hongyan/app/campaign"
	"hongyan/app/model"
	"hongyan/smtpx"
)

// TestEachScope plays one refusal to the third of ten letters, and looks at what becomes of the recipient, of the
// account and of the campaign.
func TestEachScope(t *testing.T) {
	for _, c := range []struct {
		name     string
		provider string
		fate     fate
		always   bool // every letter from the third on is refused so
		row      model.State
		scope    model.Scope
		clock    model.ClockState // at the time of the refusal
		ends     model.CampaignState
		reason   string
		counts   model.Counts
		least    time.Duration // until the run ended
		most     time.Duration
	}{
		{name: "dead address", fate: refuse(smtpx.PhaseRcpt, 550, "5.1.1", "User unknown"),
			row: model.Rejected, scope: model.ScopeHard, clock: model.ClockFit,
			ends: model.CampaignDone, counts: model.Counts{Total: 10, Accepted: 9, Rejected: 1}, most: time.Minute},
		{name: "full mailbox", fate: refuse(smtpx.PhaseRcpt, 452, "4.2.2", "Mailbox full"),
			row: model.Deferred, scope: model.ScopeSoft, clock: model.ClockFit,
			ends: model.CampaignDone, counts: model.Counts{Total: 10, Accepted: 10}, least: 4 * time.Hour, most: 5 * time.Hour},
		{name: "refused for now", fate: refuse(smtpx.PhaseRcpt, 450, "4.2.1", "Try later"),
			row: model.Deferred, scope: model.ScopeSoft, clock: model.ClockFit,
			ends: model.CampaignDone, counts: model.Counts{Total: 10, Accepted: 10}, least: time.Minute, most: 2 * time.Minute},
		{name: "QQ frequency", provider: "qq", fate: refuse(smtpx.PhaseMail, 550, "", "Sender frequency limited. https://service.mail.qq.com"),
			row: model.Queued, scope: model.ScopeAccountRate, clock: model.ClockResting,
			ends: model.CampaignDone, counts: model.Counts{Total: 10, Accepted: 10}, least: time.Hour, most: 62 * time.Minute},
		{name: "Gmail daily quota", provider: "gmail", fate: refuse(smtpx.PhaseDot, 550, "5.4.5", "Daily user sending limit exceeded. u5-gsmtp"),
			row: model.Queued, scope: model.ScopeAccountRate, clock: model.ClockResting,
			ends: model.CampaignDone, counts: model.Counts{Total: 10, Accepted: 10}, least: 4 * time.Hour, most: 25 * time.Hour},
		{name: "163 blocks", provider: "163", fate: refuse(smtpx.PhaseMail, 554, "", "MI:SPB 163 smtp4"),
			row: model.Queued, scope: model.ScopeAccountBlock, clock: model.ClockStopped,
			ends: model.CampaignPaused, reason: campaign.PauseBlocked, counts: model.Counts{Total: 10, Accepted: 2, Queued: 8}, most: time.Minute},
		{name: "content, once", provider: "qq", fate: refuse(smtpx.PhaseDot, 550, "", "Mail content denied"),
			row: model.Rejected, scope: model.ScopeContent, clock: model.ClockFit,
			ends: model.CampaignDone, counts: model.Counts{Total: 10, Accepted: 9, Rejected: 1}, most: time.Minute},
		{name: "content, always", provider: "qq", fate: refuse(smtpx.PhaseDot, 550, "", "Mail content denied"), always: true,
			row: model.Rejected, scope: model.ScopeContent, clock: model.ClockFit,
			ends: model.CampaignPaused, reason: campaign.PauseContent, counts: model.Counts{Total: 10, Accepted: 2, Rejected: 3, Queued: 5}, most: time.Minute},
		{name: "from is not user", fate: refuse(smtpx.PhaseMail, 553, "", "authentication is required, from is not user"),
			row: model.Queued, scope: model.ScopeConfig, clock: model.ClockStopped,
			ends: model.CampaignPaused, reason: campaign.PauseConfig, counts: model.Counts{Total: 10, Accepted: 2, Queued: 8}, most: time.Minute},
		{name: "421", fate: refuse(smtpx.PhaseMail, 421, "4.7.0", "Closing"),
			row: model.Queued, scope: model.ScopeConnection, clock: model.ClockFit,
			ends: model.CampaignDone, counts: model.Counts{Total: 10, Accepted: 10}, least: time.Minute, most: 10 * time.Minute},
		{name: "the line is cut in the body", fate: fate{at: smtpx.PhaseBody, cut: true},
			row: model.Queued, scope: model.ScopeConnection, clock: model.ClockFit,
			ends: model.CampaignDone, counts: model.Counts{Total: 10, Accepted: 10}, most: time.Minute},
		{name: "the line is cut behind the dot", fate: fate{at: smtpx.PhaseDot, cut: true},
			row: model.Unknown, scope: model.ScopeUnknown, clock: model.ClockFit,
			ends: model.CampaignDone, counts: model.Counts{Total: 10, Accepted: 9, Unknown: 1}, most: time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				a := w.account("a", model.Limits{})
				a.Provider = c.provider
				id := w.campaign("c", 10, model.Schedule{})
				victim := ""
				w.judge = func(_ model.Account, to string, n int) fate {
					if n == 3 {
						victim = to
					}
					if n == 3 || c.always && n > 3 {
						return c.fate
					}
					return fate{}
				}
				begun := time.Now()
				r := w.start(id, a)
				time.Sleep(800 * time.Millisecond)
				synctest.Wait()
				hist, err := w.st.Attempts(t.Context(), w.rows(id)["c2@example.org"].ID)
				if err != nil || len(hist) == 0 || hist[0].State != c.row || hist[0].Scope != c.scope || victim != "c2@example.org" {
					t.Errorf("history of %s: %+v, error %v", victim, hist, err)
				}
				if clock, err := w.st.Clock(t.Context(), a.ID); err != nil || clock.State != c.clock {
					t.Errorf("the account is %+v, error %v", clock, err)
				} else if c.clock != model.ClockFit && (clock.Reply == "" || clock.Scope != c.scope) {
					t.Errorf("the account does not say why: %+v", clock)
				}
				s := r.ends(c.ends, c.reason)
				if c.reason != "" && s.Detail == "" {
					t.Error("the campaign does not say why")
				}
				if d := time.Since(begun); d < c.least || d > c.most {
					t.Errorf("the run took %v, want %v to %v", d, c.least, c.most)
				}
				w.want(id, c.counts)
				w.once()
			})
		})
	}
}

// TestALoginIsNeverTriedInALoop: one refusal stops the account, for restarts too, until the user acts.
func TestALoginIsNeverTriedInALoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.account("a", model.Limits{Connections: 4})
		a.Profile = model.ProfileRelay
		id := w.campaign("c", 10, model.Schedule{})
		w.login = func(model.Account, int) error { return refusedLogin(535, "5.7.8", "authentication failed") }
		s := w.start(id, a).ends(model.CampaignPaused, campaign.PauseAuth)
		if s.Senders[0].State != campaign.SenderStopped || s.Detail != "535 5.7.8 authentication failed" {
			t.Errorf("%+v", s)
		}
		w.start(id, a).ends(model.CampaignPaused, campaign.PauseAuth)
		w.restart()
		w.start(id, a).ends(model.CampaignPaused, campaign.PauseAuth)
		if n := len(w.loginTimes()); n != 1 {
			t.Fatalf("%d logins after a refusal", n)
		}
		w.login = nil
		if err := w.acc.Reset(t.Context(), a.ID); err != nil {
			t.Fatal(err)
		}
		w.start(id, a).ends(model.CampaignDone, "")
		w.want(id, model.Counts{Total: 10, Accepted: 10})
	})
}

// TestTheOthersGoOn: an account that is stopped, or rests, leaves the work to the rest.
func TestTheOthersGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		bad, tired, good := w.account("bad", model.Limits{}), w.account("tired", model.Limits{}), w.account("good", model.Limits{})
		w.login = func(a model.Account, _ int) error {
			if a.ID == bad.ID {
				return refusedLogin(535, "5.7.8", "no")
			}
			return nil
		}
		w.judge = func(a model.Account, _ string, _ int) fate {
			if a.ID == tired.ID {
				return refuse(smtpx.PhaseMail, 550, "", "Sender frequency limited")
			}
			return fate{}
		}
		id := w.campaign("c", 200, model.Schedule{})
		begun := time.Now()
		s := w.start(id, bad, tired, good).ends(model.CampaignDone, "")
		w.want(id, model.Counts{Total: 200, Accepted: 200})
		if d := time.Since(begun); d > 10*time.Minute {
			t.Errorf("it took %v", d)
		}
		for i, want := range []campaign.SenderState{campaign.SenderStopped, campaign.SenderResting, campaign.SenderIdle} {
			if s.Senders[i].State != want || want != campaign.SenderIdle && s.Senders[i].Why == "" {
				t.Errorf("%+v, want %s", s.Senders[i], want)
			}
		}
	})
}

// TestARestGrowsWhenItDoesNotHelp: each frequency refusal in a row makes the rest longer.
func TestARestGrowsWhenItDoesNotHelp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.account("a", model.Limits{})
		a.Provider = "qq"
		w.judge = func(_ model.Account, _ string, n int) fate {
			if n <= 4 {
				return refuse(smtpx.PhaseMail, 550, "", "Sender frequency limited")
			}
			return fate{}
		}
		id := w.campaign("c", 3, model.Schedule{})
		w.start(id, a).ends(model.CampaignDone, "")
		at := w.loginTimes()
		if len(at) != 5 {
			t.Fatalf("logins at %v", at)
		}
		for i := 1; i < 5; i++ {
			want := time.Hour << (i - 1)
			if d := at[i].Sub(at[i-1]); d < want || d > want+time.Minute {
				t.Errorf("rest %d took %v, want %v", i, d, want)
			}
		}
		// Refusals of the account do not use up the tries of the letter that happened to be first.
		if d := w.rows(id)["c0@example.org"]; d.State != model.Accepted || d.Attempts != 1 {
			t.Errorf("%+v", d)
		}
	})
}

// TestBackoff: 1, 5, 15 and 60 minutes, and then the recipient is given up. Others do not wait.
func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.account("a", model.Limits{})
		id := w.campaign("c", 3, model.Schedule{})
		var at []time.Time
		w.judge = func(_ model.Account, to string, _ int) fate {
			if to == "c1@example.org" {
				at = append(at, w.clk.Now())
				return refuse(smtpx.PhaseRcpt, 450, "4.2.0", "greylisted no more, just busy")
			}
			return fate{}
		}
		r := w.start(id, a)
		time.Sleep(time.Second)
		synctest.Wait()
		if s := r.Snapshot(); s.Counts.Deferred != 1 || s.NextAt.Before(w.clk.Now().Add(50*time.Second)) {
			t.Errorf("while one waits: %+v", s)
		}
		time.Sleep(10 * time.Minute)
		r.Pause()
		r.ends(model.CampaignPaused, campaign.PauseUser)
		w.restart() // the waits survive it
		w.start(id, a).ends(model.CampaignDone, "")
		w.want(id, model.Counts{Total: 3, Accepted: 2, Rejected: 1})
		if len(at) != 5 {
			t.Fatalf("%d attempts", len(at))
		}
		for i, want := range []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour} {
			if d := at[i+1].Sub(at[i]); d < want || d > want*6/5+time.Second {
				t.Errorf("wait %d was %v, want %v and up to a fifth more", i+1, d, want)
			}
		}
	})
}

// TestADomainThatDefersEverybodyRests: the rest of the campaign goes on, and nobody is given up for it.
func TestADomainThatDefersEverybodyRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.account("a", model.Limits{})
		var people []string
		for i := range 20 {
			people = append(people, "p"+string(rune('a'+i))+"@busy.example")
		}
		for i := range 20 {
			people = append(people, "p"+string(rune('a'+i))+"@fine.example")
		}
		id := w.campaignTo("c", people, model.Schedule{})
		begun := w.clk.Now()
		tries := 0
		w.judge = func(_ model.Account, to string, _ int) fate {
			if to[3:] == "busy.example" && w.clk.Now().Sub(begun) < 10*time.Minute {
				tries++
				return refuse(smtpx.PhaseRcpt, 451, "4.7.1", "Too many, slow down")
			}
			return fate{}
		}
		w.start(id, a).ends(model.CampaignDone, "")
		w.want(id, model.Counts{Total: 40, Accepted: 40})
		if tries > 12 {
			t.Errorf("the busy domain was asked %d times within 10 minutes", tries)
		}
		for _, s := range w.letters() {
			if s.to[3:] == "fine.example" && s.at.Sub(begun) > time.Minute {
				t.Errorf("%s waited for the busy domain until %v", s.to, s.at.Sub(begun))
			}
		}
	})
}

// TestServersThatHangUp: a line that fails is made anew with longer and longer pauses, one that was good at once.
func TestServersThatHangUp(t *testing.T) {
	for _, c := range []struct {
		name   string
		login  func(n int) error
		judge  func(n int) fate
		logins int // for the ten letters
		least  time.Duration
		most   time.Duration
		counts model.Counts
	}{
		{name: "after each letter", judge: func(n int) fate {
			if n%2 == 0 {
				return fate{at: smtpx.PhaseMail, cut: true, err: smtpx.ErrStale}
			}
			return fate{}
		}, logins: 10, least: 9 * time.Second, most: 20 * time.Second, counts: model.Counts{Total: 10, Accepted: 10}},
		{name: "behind the login, for a while", judge: func(n int) fate {
			if n <= 6 {
				return fate{at: smtpx.PhaseMail, cut: true, err: smtpx.ErrStale}
			}
			return fate{}
		}, logins: 7, least: 63 * time.Second, most: 90 * time.Second, counts: model.Counts{Total: 10, Accepted: 10}},
		{name: "before the login, for a while", login: func(n int) error {
			if n > 1 && n < 8 {
				return &smtpx.Error{Phase: smtpx.PhaseConnect, Err: &net.OpError{Op: "dial", Err: errors.New("no route")}}
			}
			return nil
		}, judge: func(n int) fate {
			if n == 5 {
				return fate{at: smtpx.PhaseRcpt, cut: true}
			}
			return fate{}
		}, logins: 8, least: 15 * time.Minute, most: time.Hour, counts: model.Counts{Total: 10, Accepted: 10}},
		{name: "at one letter, always", judge: func(n int) fate { return fate{} }, logins: 15, least: time.Hour, most: 6 * time.Hour,
			counts: model.Counts{Total: 10, Accepted: 9, Rejected: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				a := w.account("a", model.Limits{})
				id := w.campaign("c", 10, model.Schedule{})
				if c.login != nil {
					w.login = func(_ model.Account, n int) error { return c.login(n) }
				}
				w.judge = func(_ model.Account, to string, n int) fate {
					if c.name == "at one letter, always" && to == "c3@example.org" {
						return fate{at: smtpx.PhaseBody, cut: true}
					}
					return c.judge(n)
				}
				begun := time.Now()
				w.start(id, a).ends(model.CampaignDone, "")
				w.want(id, c.counts)
				w.once()
				if n := len(w.loginTimes()); n != c.logins {
					t.Errorf("%d logins, want %d: %v", n, c.logins, w.loginTimes())
				}
				if d := time.Since(begun); d < c.least || d > c.most {
					t.Errorf("it took %v, want %v to %v", d, c.least, c.most)
				}
			})
		})
	}
}

// TestAServerThatWasNeverReached pauses the campaign after three tries, and a new start tries again.
func TestAServerThatWasNeverReached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.account("a", model.Limits{})
		id := w.campaign("c", 10, model.Schedule{})
		w.login = func(model.Account, int) error {
			return &smtpx.Error{Phase: smtpx.PhaseConnect, Err: &net.OpError{Op: "dial", Err: errors.New("no route")}}
		}
		for i := 1; i <= 2; i++ {
			s := w.start(id, a).ends(model.CampaignPaused, campaign.PauseUnreachable)
			if n := len(w.loginTimes()); n != 3*i || s.Detail == "" || s.Senders[0].State != campaign.SenderUnreachable {
				t.Errorf("%d tries after start %d: %+v", n, i, s)
			}
		}
		w.login = nil
		w.start(id, a).ends(model.CampaignDone, "")
	})
}

// TestAServerThatIsAway: whoever looks sees that the server is not reached, why, and when it is tried again.
func TestAServerThatIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.account("a", model.Limits{})
		id := w.campaign("c", 10, model.Schedule{})
		var away atomic.Bool
		w.login = func(model.Account, int) error {
			if away.Load() {
				return &smtpx.Error{Phase: smtpx.PhaseConnect, Err: &net.OpError{Op: "dial", Err: errors.New("no route")}}
			}
			return nil
		}
		w.judge = func(_ model.Account, _ string, n int) fate {
			if n == 4 {
				away.Store(true)
				return fate{at: smtpx.PhaseMail, cut: true, err: smtpx.ErrStale}
			}
			return fate{}
		}
		r := w.start(id, a)
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		s := r.Snapshot()
		if x := s.Senders[0]; x.State != campaign.SenderRetrying || !strings.Contains(x.Why, "no route") || !x.NextAt.After(time.Now()) || !s.NextAt.Equal(x.NextAt) {
			t.Errorf("%+v", s)
		}
		away.Store(false)
		r.ends(model.CampaignDone, "")
		w.want(id, model.Counts{Total: 10, Accepted: 10})
	})
}

// TestAServerThatStaysSilent is given up after two tries: each of them takes a minute already.
func TestAServerThatStaysSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.account("a", model.Limits{})
		a.Port = 587 // silence on port 25 is the access provider's, and says so at once
		id := w.campaign("c", 10, model.Schedule{})
		w.login = func(model.Account, int) error {
			return &smtpx.Error{Phase: smtpx.PhaseConnect, Err: &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}}
		}
		w.start(id, a).ends(model.CampaignPaused, campaign.PauseUnreachable)
		if n := len(w.loginTimes()); n != 2 {
			t.Errorf("%d tries", n)
		}
	})
}
