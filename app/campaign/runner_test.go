package campaign_test

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hongyan/app/campaign"
	"hongyan/app/model"
	"hongyan/smtpx"
	"hongyan/store"
)

func TestEverybodyOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.account("a", model.Limits{})
		id := w.campaign("c", 100, model.Schedule{})
		w.start(id, a).ends(model.CampaignDone, "")
		w.want(id, model.Counts{Total: 100, Accepted: 100})
		if got := w.once(); len(got) != 100 {
			t.Errorf("%d people got a letter", len(got))
		}
		if n := len(w.loginTimes()); n != 1 {
			t.Errorf("%d logins for 100 letters in a row", n)
		}
	})
}

// TestIntentIsOnTheDiskBeforeTheDot looks into the file, as a second process would, at the moment the dot goes out.
func TestIntentIsOnTheDiskBeforeTheDot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.account("a", model.Limits{Connections: 3})
		a.Profile = model.ProfileRelay
		id := w.campaign("c", 30, model.Schedule{})
		looks := 0
		w.before = func(_ model.Account, to string, p smtpx.Phase) {
			if p != smtpx.PhaseDot {
				return
			}
			second, err := store.Open(context.Background(), w.dir, store.Options{ReadOnly: true})
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = second.Close() }()
			ds, err := second.Deliveries(context.Background(), model.DeliveryQuery{CampaignID: id, Search: to})
			if err != nil || len(ds) == 0 || ds[0].State != model.Attempting || ds[0].AccountID != a.ID {
				t.Errorf("at the dot to %s the journal holds %+v, error %v", to, ds, err)
			}
			w.mu.Lock()
			looks++
			w.mu.Unlock()
		}
		w.start(id, a).ends(model.CampaignDone, "")
		if looks != 30 {
			t.Errorf("%d looks", looks)
		}
	})
}

func TestSuppressionIsAskedAtTheMomentOfSending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.account("a", model.Limits{GapMin: time.Second})
		id := w.campaign("c", 10, model.Schedule{})
		w.before = func(_ model.Account, to string, p smtpx.Phase) {
			if to == "c3@example.org" && p == smtpx.PhaseMail { // c4 is claimed long since
				if err := w.st.Suppress(context.Background(), model.Suppression{Key: "c4@example.org", Reason: "user"}); err != nil {
					t.Error(err)
				}
			}
		}
		w.start(id, a).ends(model.CampaignDone, "")
		w.want(id, model.Counts{Total: 10, Accepted: 9, Skipped: 1})
		if d := w.rows(id)["c4@example.org"]; d.State != model.Skipped || d.Reason != "suppressed" {
			t.Errorf("%+v", d)
		}
		if _, yes := w.once()["c4@example.org"]; yes {
			t.Error("the suppressed address got a letter")
		}
	})
}

// TestABadAddressNeverStopsTheRun: addresses that cannot be written, that the server cannot take, or that are dead.
func TestABadAddressNeverStopsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.account("a", model.Limits{})
		w.sendOf = func(d model.Delivery) (campaign.Mail, error) {
			m := letterTo(a, d)
			if n := d.ID % 20; n >= 5 && n < 10 {
				m.To = "not an address"
			}
			return m, nil
		}
		w.judge = func(_ model.Account, to string, n int) fate {
			switch n % 10 {
			case 1, 2, 3, 4:
				return refuse(smtpx.PhaseRcpt, 550, "5.1.1", "User unknown")
			}
			return fate{}
		}
		id := w.campaign("c", 60, model.Schedule{})
		w.start(id, a).ends(model.CampaignDone, "")
		n := w.counts(id)
		if n.Rejected+n.Accepted != 60 || n.Rejected < 30 {
			t.Errorf("%+v", n)
		}
		for to, d := range w.rows(id) {
			key, reason := to, ""
			if d.State == model.Rejected && d.Step == model.StepRcpt {
				reason = "bounce"
			}
			if got, yes, err := w.st.Suppressed(t.Context(), key); err != nil || got != reason || yes != (reason != "") {
				t.Errorf("%s (%s at %s) is suppressed for %q, %v", to, d.State, d.Step, got, err)
			}
		}
	})
}

// TestUTF8AddressesDoNotStopTheRun: a server without SMTPUTF8 refuses those people and no others.
func TestUTF8AddressesDoNotStopTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.account("a", model.Limits{})
		cfg := w.config(w.campaign("c", 12, model.Schedule{}), a)
		cfg.Dial = func(ctx context.Context, a model.Account, _ int64, _ func(smtpx.Event)) (campaign.Session, error) {
			return refuser(func(tx *smtpx.Transaction) error {
				if tx.ID%2 == 0 {
					return nil
				}
				return smtpx.ErrNoSMTPUTF8
			}), nil
		}
		w.startWith(cfg).ends(model.CampaignDone, "")
		w.want(cfg.CampaignID, model.Counts{Total: 12, Accepted: 6, Rejected: 6})
	})
}

// TestALetterThatFitsNowhereStops: what would meet everybody pauses the campaign instead of refusing them all.
func TestALetterThatFitsNowhereStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.account("a", model.Limits{})
		cfg := w.config(w.campaign("c", 12, model.Schedule{}), a)
		cfg.Dial = func(context.Context, model.Account, int64, func(smtpx.Event)) (campaign.Session, error) {
			return refuser(func(*smtpx.Transaction) error { return smtpx.ErrTooBig }), nil
		}
		s := w.startWith(cfg).ends(model.CampaignPaused, campaign.PauseCompose)
		if !strings.Contains(s.Detail, "larger") {
			t.Errorf("detail %q", s.Detail)
		}
		w.want(cfg.CampaignID, model.Counts{Total: 12, Rejected: 3, Queued: 9})
	})
}

// refuser is a session that refuses letters before anything of them is written, or takes them.
type refuser func(*smtpx.Transaction) error

func (refuser) Close() error { return nil }

func (f refuser) Run(ctx context.Context, src smtpx.Source) error {
	for {
		tx, err := src.Next(ctx, true)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		o := smtpx.Outcome{Status: smtpx.Accepted, Phase: smtpx.PhaseDot}
		if err := f(tx); err != nil {
			o = smtpx.Outcome{Phase: smtpx.PhaseMail, Err: &smtpx.Error{Phase: smtpx.PhaseMail, Err: err}}
		} else {
			tx.Begin()
			if err := tx.BeforeDot(); err != nil {
				return err
			}
		}
		tx.Done(smtpx.Result{Outcomes: []smtpx.Outcome{o}})
	}
}

// TestStopAtEveryPoint: a stop before the dot withdraws the letter, one behind it waits for the reply.
func TestStopAtEveryPoint(t *testing.T) {
	for _, p := range []smtpx.Phase{smtpx.PhaseMail, smtpx.PhaseRcpt, smtpx.PhaseData, smtpx.PhaseBody, smtpx.PhaseDot} {
		t.Run(p.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				a := w.account("a", model.Limits{})
				id := w.campaign("c", 10, model.Schedule{})
				r := w.ready(w.config(id, a))
				w.before = func(_ model.Account, to string, at smtpx.Phase) {
					if to == "c4@example.org" && at == p {
						r.Stop()
					}
				}
				r.begin(t.Context())
				r.ends(model.CampaignStopped, "")
				taken := 4
				if p == smtpx.PhaseDot {
					taken = 5
				}
				w.want(id, model.Counts{Total: 10, Accepted: taken, Queued: 10 - taken})
				w.before = nil
				w.start(id, a).ends(model.CampaignDone, "")
				if got := w.once(); len(got) != 10 {
					t.Errorf("%d people got a letter", len(got))
				}
			})
		})
	}
}

// TestPauseAtEveryPoint: the letter under way is finished, wherever it stands.
func TestPauseAtEveryPoint(t *testing.T) {
	for _, p := range []smtpx.Phase{smtpx.PhaseMail, smtpx.PhaseRcpt, smtpx.PhaseData, smtpx.PhaseBody, smtpx.PhaseDot} {
		t.Run(p.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				a := w.account("a", model.Limits{})
				id := w.campaign("c", 10, model.Schedule{})
				r := w.ready(w.config(id, a))
				w.before = func(_ model.Account, to string, at smtpx.Phase) {
					if to == "c4@example.org" && at == p {
						r.Pause()
					}
				}
				r.begin(t.Context())
				r.ends(model.CampaignPaused, campaign.PauseUser)
				w.want(id, model.Counts{Total: 10, Accepted: 5, Queued: 5})
				w.restart()
				w.start(id, a).ends(model.CampaignDone, "")
				if got := w.once(); len(got) != 10 {
					t.Errorf("%d people got a letter", len(got))
				}
			})
		})
	}
}

// TestStopWaitsForAReplyThatNeverComes: a minute, or until it is told again; then nobody knows.
func TestStopWaitsForAReplyThatNeverComes(t *testing.T) {
	for _, twice := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			a := w.account("a", model.Limits{})
			id := w.campaign("c", 10, model.Schedule{})
			w.judge = func(_ model.Account, to string, _ int) fate {
				if to == "c4@example.org" {
					return fate{wait: 9 * time.Minute}
				}
				return fate{}
			}
			r := w.start(id, a)
			time.Sleep(5 * time.Second)
			begun := time.Now()
			r.Stop()
			if twice {
				time.Sleep(time.Second)
				r.Stop()
			}
			r.ends(model.CampaignStopped, "")
			want := time.Minute
			if twice {
				want = time.Second
			}
			if d := time.Since(begun); d < want || d > want+time.Second {
				t.Errorf("it took %v to stop", d)
			}
			w.want(id, model.Counts{Total: 10, Accepted: 4, Unknown: 1, Queued: 5})
			w.start(id, a).ends(model.CampaignDone, "")
			w.want(id, model.Counts{Total: 10, Accepted: 9, Unknown: 1})
			w.once()
		})
	}
}

// TestTheEndOfTheProgramPauses: a context that ends is the program being closed.
func TestTheEndOfTheProgramPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.account("a", model.Limits{GapMin: 10 * time.Second})
		id := w.campaign("c", 10, model.Schedule{})
		ctx, cancel := context.WithCancel(t.Context())
		r := w.ready(w.config(id, a)).begin(ctx)
		time.Sleep(25 * time.Second)
		cancel()
		r.ends(model.CampaignPaused, campaign.PauseUser)
		w.want(id, model.Counts{Total: 10, Accepted: 3, Queued: 7})
	})
}

// TestDiskFull fills the journal's file at a different point each time: nothing is begun after the fault, what was
// accepted stays known, and with room again everybody is reached once.
func TestDiskFull(t *testing.T) {
	for _, room := range []int{1, 8} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			a := w.account("a", model.Limits{Connections: 2})
			a.Profile = model.ProfileRelay
			w.judge = func(_ model.Account, to string, n int) fate {
				if n%3 == 0 { // long replies fill pages
					return refuse(smtpx.PhaseRcpt, 550, "5.7.1", strings.Repeat("not from you ", 100))
				}
				return fate{}
			}
			id := w.campaign("c", 250, model.Schedule{})
			if err := w.st.Close(); err != nil {
				t.Fatal(err)
			}
			fi, err := os.Stat(filepath.Join(w.dir, "deliveries.db"))
			if err != nil {
				t.Fatal(err)
			}
			w.open(store.Options{MaxPages: int(fi.Size()/4096) + room})
			s := w.start(id, a).ends(model.CampaignPaused, campaign.PauseFault)
			if s.Detail != string(model.EDiskFull) {
				t.Errorf("with %d pages the fault is %q", room, s.Detail)
			}
			taken := len(w.letters())
			if taken == 0 || taken > 240 {
				t.Errorf("with %d pages %d letters went", room, taken)
			}
			if n := w.counts(id); n.Accepted != taken || n.Unknown != 0 {
				t.Errorf("%d letters were taken, the journal knows %+v", taken, n)
			}
			again := w.start(id, a) // the fault stands: nothing may be begun
			<-again.done
			if model.CodeOf(again.err) != model.EDiskFull || len(w.letters()) != taken {
				t.Errorf("a second run ended with %v and %d letters more", again.err, len(w.letters())-taken)
			}
			_ = w.st.Close() // what it cannot write any more is lost to it, and unknown at the next start
			w.open(store.Options{})
			rows := w.rows(id)
			for to := range w.once() {
				if d := rows[to]; d.State != model.Accepted && d.State != model.Unknown {
					t.Errorf("%s was reached and is %s", to, d.State)
				}
			}
			w.start(id, a).ends(model.CampaignDone, "")
			n := w.counts(id)
			// Of one in doubt it may also have been a refusal that could not be written.
			if got := len(w.once()); got < n.Accepted || got > n.Accepted+n.Unknown || n.Left() != 0 {
				t.Errorf("%d people were reached, the journal says %+v", got, n)
			}
		})
	}
}

// TestTheJournalIsTakenAway: the file removed or damaged under a run stops it before the next letter.
func TestTheJournalIsTakenAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.account("a", model.Limits{})
		id := w.campaign("c", 50, model.Schedule{})
		w.before = func(_ model.Account, to string, p smtpx.Phase) {
			if to == "c20@example.org" && p == smtpx.PhaseDot {
				if err := os.Remove(filepath.Join(w.dir, "deliveries.db")); err != nil {
					t.Error(err)
				}
			}
		}
		r := w.start(id, a)
		s := r.ends(model.CampaignPaused, campaign.PauseFault)
		if n := len(w.letters()); n != 21 || s.Detail != string(model.EGone) {
			t.Errorf("%d letters went, fault %q", n, s.Detail)
		}
		if r.err == nil {
			t.Error("Run ended without an error")
		}
	})
}

// TestAnotherProgramLocksTheJournal: the run stops before the next letter; when the lock is gone it goes on.
func TestAnotherProgramLocksTheJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.account("a", model.Limits{})
		id := w.campaign("c", 50, model.Schedule{})
		other, err := sql.Open("sqlite", filepath.Join(w.dir, "deliveries.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = other.Close() }()
		other.SetMaxOpenConns(1)
		w.before = func(_ model.Account, to string, p smtpx.Phase) {
			if to == "c20@example.org" && p == smtpx.PhaseDot {
				if _, err := other.Exec("BEGIN IMMEDIATE"); err != nil {
					t.Error(err)
				}
			}
		}
		s := w.start(id, a).ends(model.CampaignPaused, campaign.PauseFault)
		if n := len(w.letters()); n != 21 || s.Detail != string(model.ELocked) {
			t.Errorf("%d letters went, fault %q", n, s.Detail)
		}
		if n := w.counts(id); n.Accepted != 21 || n.Unknown != 0 {
			t.Errorf("%+v", n)
		}
		if _, err := other.Exec("ROLLBACK"); err != nil {
			t.Fatal(err)
		}
		for w.st.Err() != nil {
			time.Sleep(time.Second) // the journal tries again by itself
		}
		w.start(id, a).ends(model.CampaignDone, "")
		w.want(id, model.Counts{Total: 50, Accepted: 50})
		w.once()
	})
}

// TestARunOfWhatIsOver: a campaign of which nothing is left says so, and a runner runs once.
func TestARunOfWhatIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.account("a", model.Limits{})
		id := w.campaign("c", 1, model.Schedule{})
		w.start(id, a).ends(model.CampaignDone, "")
		r := w.start(id, a)
		<-r.done
		if model.CodeOf(r.err) != model.ECampaignEnd {
			t.Errorf("error %v", r.err)
		}
		if err := r.Run(t.Context()); model.CodeOf(err) != model.EInternal {
			t.Errorf("a runner ran twice: %v", err)
		}
	})
}
