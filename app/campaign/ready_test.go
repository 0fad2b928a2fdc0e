package campaign_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hongyan/app/campaign"
	"hongyan/app/model"
	"hongyan/smtpx"
)

// made counts the messages that were made, by recipient.
type made struct {
	mu sync.Mutex
	n  map[string]int
}

func (m *made) of(to string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.n[to]
}

func (w *world) counting(a model.Account) *made {
	m := &made{n: map[string]int{}}
	w.sendOf = func(d model.Delivery) (campaign.Mail, error) {
		m.mu.Lock()
		m.n[d.Email]++
		m.mu.Unlock()
		return letterTo(a, d), nil
	}
	return m
}

// relay is an account whose letters leave as fast as they can, over one connection.
func (w *world) relay() model.Account {
	a := w.account("a", model.Limits{Connections: 1})
	a.Profile = model.ProfileRelay
	return a
}

// TestWhatIsReadyIsAskedAgain: a letter that was made while the one before it was under way does not go to somebody who
// is suppressed meanwhile.
func TestWhatIsReadyIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.relay()
		m := w.counting(a)
		id := w.campaign("c", 50, model.Schedule{})
		w.before = func(_ model.Account, to string, p smtpx.Phase) {
			if to != "c3@example.org" || p != smtpx.PhaseMail {
				return
			}
			if m.of("c4@example.org") != 1 {
				t.Error("the next letter is not ready")
			}
			if err := w.st.Suppress(context.Background(), model.Suppression{Key: "c4@example.org", Reason: "user"}); err != nil {
				t.Error(err)
			}
		}
		w.start(id, a).ends(model.CampaignDone, "")
		w.want(id, model.Counts{Total: 50, Accepted: 49, Skipped: 1})
		if _, yes := w.once()["c4@example.org"]; yes {
			t.Error("the suppressed address got a letter")
		}
		for to := range w.rows(id) {
			if n := m.of(to); n != 1 {
				t.Errorf("the letter to %s was made %d times", to, n)
			}
		}
	})
}

// TestWhatIsReadyGoesBack: whatever ends a run, a letter that was made and not begun is sent by the next one.
func TestWhatIsReadyGoesBack(t *testing.T) {
	ends := map[string]struct {
		end    func(*running)
		state  model.CampaignState
		reason string
	}{
		"pause":         {func(r *running) { r.Pause() }, model.CampaignPaused, campaign.PauseUser},
		"stop":          {func(r *running) { r.Stop() }, model.CampaignStopped, ""},
		"account stops": {nil, model.CampaignPaused, campaign.PauseBlocked},
	}
	for name, c := range ends {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				a := w.relay()
				a.Provider = "163"
				m := w.counting(a)
				id := w.campaign("c", 50, model.Schedule{})
				var r *running
				w.before = func(_ model.Account, to string, p smtpx.Phase) {
					if to == "c3@example.org" && p == smtpx.PhaseMail {
						if m.of("c4@example.org") != 1 {
							t.Error("the next letter is not ready")
						}
						if c.end != nil {
							c.end(r)
						}
					}
				}
				if c.end == nil {
					w.judge = func(_ model.Account, to string, _ int) fate {
						if to == "c3@example.org" {
							return refuse(smtpx.PhaseMail, 554, "", "MI:SPB 163 smtp4")
						}
						return fate{}
					}
				}
				r = w.ready(w.config(id, a))
				r.begin(w.Context()).ends(c.state, c.reason)
				if n := w.counts(id); n.Accepted < 3 || n.Accepted > 4 || n.Attempting != 0 || n.Unknown != 0 {
					t.Errorf("%+v", n)
				}
				before := len(w.once())
				w.before, w.judge = nil, nil
				if c.end == nil {
					a = w.account("b", model.Limits{})
				}
				w.start(id, a).ends(model.CampaignDone, "")
				if got := w.once(); len(got) < 49 || len(got) <= before {
					t.Errorf("%d people got a letter", len(got))
				}
				if n := m.of("c4@example.org"); n != 2 {
					t.Errorf("the letter that was ready was made %d times", n)
				}
			})
		})
	}
}

// TestNothingIsReadyWhereLettersAreSpaced: an account with limits takes a letter when its time has come, not before.
func TestNothingIsReadyWhereLettersAreSpaced(t *testing.T) {
	for name, change := range map[string]func(*model.Account){
		"consumer": func(a *model.Account) { a.Profile = model.ProfileConsumer },
		"limits":   func(a *model.Account) { a.Limits.PerHour = 1000 },
		"spacing":  func(a *model.Account) { a.Limits.GapMin = time.Second },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				a := w.relay()
				change(&a)
				m := w.counting(a)
				id := w.campaign("c", 50, model.Schedule{})
				w.before = func(_ model.Account, to string, p smtpx.Phase) {
					if to == "c3@example.org" && p == smtpx.PhaseMail && m.of("c4@example.org") != 0 {
						t.Error("the next letter is made")
					}
				}
				w.start(id, a).ends(model.CampaignDone, "")
				w.want(id, model.Counts{Total: 50, Accepted: 50})
			})
		})
	}
}

// TestNothingIsReadyForADomainThatRests: when a mail service asks for patience, the letter that is ready for it waits too.
func TestNothingIsReadyForADomainThatRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.relay()
		m := w.counting(a)
		people := []string{"g0@example.org", "s0@slow.example", "g1@example.org", "s1@slow.example", "g2@example.org", "s2@slow.example", "s3@slow.example"}
		for i := range 40 {
			people = append(people, fmt.Sprintf("h%d@example.org", i))
		}
		id := w.campaignTo("c", people, model.Schedule{})
		refused := 0
		w.judge = func(_ model.Account, to string, _ int) fate {
			if !strings.HasSuffix(to, "@slow.example") || refused == 3 {
				return fate{}
			}
			if refused++; refused == 3 && m.of("s3@slow.example") != 0 {
				t.Error("the letter to the last one is ready too early")
			}
			return refuse(smtpx.PhaseRcpt, 451, "4.7.1", "Too many, slow down")
		}
		begun := time.Now()
		w.start(id, a).ends(model.CampaignDone, "")
		for _, s := range w.letters() {
			if s.to == "s3@slow.example" && s.at.Sub(begun) < 50*time.Second {
				t.Errorf("a letter went to a domain that rests after %v", s.at.Sub(begun))
			}
		}
		if n := m.of("s3@slow.example"); n != 2 {
			t.Errorf("the letter to the last one was made %d times, want it ready once and put back", n)
		}
	})
}
