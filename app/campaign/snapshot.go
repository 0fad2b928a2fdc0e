package campaign

import (
	"time"

	"hongyan/app/model"
)

// SenderState is what an account does for a campaign at present.
type SenderState string

// The states; each has a text "sender.<state>" in the language files.
const (
	SenderIdle        SenderState = "idle"        // nothing to do for it
	SenderSending     SenderState = "sending"     // a letter is under way
	SenderConnecting  SenderState = "connecting"  // to its server
	SenderWaiting     SenderState = "waiting"     // until NextAt, for its limits
	SenderRetrying    SenderState = "retrying"    // until NextAt: there was no connection to be had, see Why
	SenderResting     SenderState = "resting"     // until NextAt, because its server asked for it
	SenderStopped     SenderState = "stopped"     // until the user acts
	SenderUnreachable SenderState = "unreachable" // its server never answered
)

// Sender is an account at work for a campaign.
type Sender struct {
	AccountID   int64
	Name        string
	State       SenderState
	Sent        int         // letters begun by this run
	Connections int         // of this run
	NextAt      time.Time   // of its next letter; zero: now, or not known
	Scope       model.Scope // why it rests or is stopped
	Why         string      // what was said, codes first; "" when nothing was
	Contact     time.Time   // when its server last answered; zero: not in this process
}

// Snapshot is a campaign at one moment.
type Snapshot struct {
	CampaignID int64
	Counts     model.Counts
	State      model.CampaignState
	Reason     string // with paused: one of PauseReasons
	Detail     string
	Ending     bool          // no letter is begun any more; those under way are waited for
	PerMinute  float64       // letters that found their end, lately
	Left       time.Duration // until nothing is left; 0: not known
	NextAt     time.Time     // of the next letter; zero: now, or never
	Senders    []Sender
	Contact    time.Time // when any server last answered
}

// senderStat is what a run knows of one of its accounts. Guarded by Runner.mu.
type senderStat struct {
	conns, sent int
	scope       model.Scope
	why         string
}

// Snapshot tells how the campaign stands. It takes no longer than a few locks: it may be called often.
func (r *Runner) Snapshot() Snapshot {
	now, wall := r.truth.both()
	r.mu.Lock()
	defer r.mu.Unlock()
	s := Snapshot{CampaignID: r.cfg.CampaignID, Counts: r.counts, State: model.CampaignRunning}
	if r.end != nil {
		if r.final {
			s.State, s.Reason, s.Detail = r.end.state, r.end.reason, r.end.detail
		} else {
			s.Ending, s.Reason, s.Detail = true, r.end.reason, r.end.detail
		}
	}
	if r.camp == nil {
		return s
	}
	s.PerMinute = r.rate.perMinute(now)
	r.cfg.Accounts.mu.Lock()
	defer r.cfg.Accounts.mu.Unlock()
	for _, l := range r.lanes {
		line := r.line(l, now)
		if line.Contact.After(s.Contact) {
			s.Contact = line.Contact
		}
		s.Senders = append(s.Senders, line)
	}
	if r.end == nil {
		s.NextAt = r.nextAt(now, wall, s.Senders)
		s.Left = r.left(now, wall, s.PerMinute)
	}
	return s
}

// line describes one account. Both locks are held.
func (r *Runner) line(l *lane, now time.Time) Sender {
	st := r.sender[l]
	s := Sender{AccountID: l.id, Name: l.acct.Name, State: SenderIdle, Sent: st.sent, Connections: st.conns, Scope: st.scope, Why: st.why}
	if t := l.contact.Load(); t != 0 {
		s.Contact = r.truth.wall(time.Unix(0, t))
	}
	dialing, flying := false, false
	for c := range r.conns {
		if c.lane == l {
			dialing = dialing || c.dialing
			flying = flying || len(c.letters) > 0
		}
	}
	next, known := l.next(now)
	ok, until := l.fit(now)
	switch {
	case l.clock.State == model.ClockStopped:
		s.State = SenderStopped
	case l.gaveUp:
		s.State = SenderUnreachable
	case !ok:
		s.State, s.NextAt = SenderResting, r.truth.wall(until)
	case flying:
		s.State = SenderSending
	case dialing:
		s.State = SenderConnecting
	case l.fails > 0 && l.open == 0 && l.dialFrom(now).After(now):
		s.State, s.NextAt = SenderRetrying, r.truth.wall(next)
	case known && next.After(now):
		s.State, s.NextAt = SenderWaiting, r.truth.wall(next)
	}
	if !ok && l.clock.Scope != "" {
		s.Scope = l.clock.Scope
		s.Why = said(model.Outcome{Code: l.clock.Code, Enhanced: l.clock.Enhanced, Reply: l.clock.Reply})
	}
	return s
}

// nextAt is when the next letter goes, by the wall clock: zero while one is under way. Both locks are held.
func (r *Runner) nextAt(now, wall time.Time, senders []Sender) time.Time {
	if r.flying > 0 {
		return time.Time{}
	}
	var at time.Time
	for _, s := range senders {
		switch s.State {
		case SenderStopped, SenderUnreachable:
		case SenderWaiting, SenderRetrying, SenderResting:
			at = earlier(at, s.NextAt)
		default:
			at = earlier(at, wall)
		}
	}
	rows := now
	if _, t := r.queue.find(now); !t.IsZero() {
		rows = t
	} else if r.dry && !r.rowsAt.IsZero() {
		rows = r.rowsAt
	}
	if rows = r.truth.wall(rows); !at.IsZero() && rows.After(at) {
		at = rows
	}
	if open, until, _ := gate(r.camp.Schedule, maxTime(at, wall)); !open {
		at = until
	}
	if !at.After(wall) {
		return time.Time{}
	}
	return at
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// horizon is the longest time left that is told; beyond it nobody knows.
const horizon = 400 * 24 * time.Hour

// left estimates how long the rest takes, by what the accounts may send and by the pace so far. Both locks are
// held.
func (r *Runner) left(now, wall time.Time, perMinute float64) time.Duration {
	n := float64(r.counts.Left())
	if n == 0 {
		return 0
	}
	pace := time.Duration(0)
	if perMinute > 0 {
		pace = time.Duration(min(n/perMinute*float64(time.Minute), float64(horizon)))
	}
	limited := false
	can := func(d time.Duration) float64 {
		sum := 0.0
		for _, l := range r.lanes {
			ok, until := l.fit(now)
			if !ok && until.IsZero() {
				continue
			}
			c, bounded := l.lim.within(now, d-max(until.Sub(now), 0))
			if !bounded {
				limited = false
				return n
			}
			limited = true
			sum += c
		}
		return sum
	}
	var byLimits time.Duration
	if d, ok := shortest(can, n); !ok {
		return 0
	} else if limited {
		byLimits = d
	}
	return stretch(r.camp.Schedule, wall, max(pace, byLimits))
}
