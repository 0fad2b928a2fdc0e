package campaign

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"hongyan/app/diagnose"
	"hongyan/app/model"
)

const (
	defaultRelayConnections = 4
	maxConnections          = 20
	defaultConsumerSession  = 100 // letters over one connection
	defaultRelaySession     = 500
	cleanStep               = 20 // letters without trouble that earn an account more connections
	dialTries               = 3  // to a server that never answered
	maxBackoff              = 15 * time.Minute
	maxRest                 = 25 * time.Hour // no rest is longer; a clock that was wrong must not make one
	quickReconnect          = time.Second    // after a connection that had delivered
)

// lane is one account at work. Every field behind all is guarded by all.mu, except contact.
type lane struct {
	all     *Accounts
	id      int64
	contact atomic.Int64 // when its server last said something, in Unix nanoseconds; 0 for never

	acct    model.Account
	lim     *limiter
	span    time.Duration // how far back lim knows the beginnings
	stale   bool          // that is less than its limits need: the journal must be asked
	clock   model.Clock   // its times are true, not the wall clock's
	open    int           // connections that are open or being opened, of all campaigns
	waiting []*Runner     // campaigns that wait for a connection, the longest first
	target  int           // connections that it may have at present
	careful bool          // there was trouble since the program began
	clean   int           // letters accepted since target changed
	lastOK  bool          // the last reply about a letter was 2yz
	fails   int           // connections in a row that failed before a letter was accepted
	dialAt  time.Time     // no connection before
	wait    time.Duration // from which dialAt came
	reached bool          // a login succeeded some time
	gaveUp  bool          // dialTries failed and nothing ever answered
	strikes int           // rests in a row without cleanStep letters between
}

func (l *lane) configure(acct model.Account) {
	if l.acct.Limits != acct.Limits || l.acct.ID == 0 {
		l.lim.configure(acct.Limits)
		l.stale = l.stale || l.lim.history() > l.span
		l.span = min(l.span, l.lim.history())
	}
	l.acct = acct
	l.target = min(l.target, l.maxConnections())
}

func (l *lane) maxConnections() int {
	n := l.acct.Limits.Connections
	if n <= 0 {
		n = 1
		if l.acct.Profile == model.ProfileRelay {
			n = defaultRelayConnections
		}
	}
	return min(n, maxConnections)
}

func (l *lane) perSession() int {
	switch {
	case l.acct.Limits.PerSession > 0:
		return l.acct.Limits.PerSession
	case l.acct.Profile == model.ProfileRelay:
		return defaultRelaySession
	default:
		return defaultConsumerSession
	}
}

// fit says whether the account may send at now; when it rests, until when. The zero time means that only the
// user can tell.
func (l *lane) fit(now time.Time) (ok bool, until time.Time) {
	switch {
	case l.clock.State == model.ClockStopped || l.gaveUp:
		return false, time.Time{}
	case l.clock.State == model.ClockResting:
		// A clock that was set back before this process began would make the rest longer than it was meant to be.
		if c := &l.clock; now.Before(c.At) {
			c.Until, c.At = now.Add(min(c.Until.Sub(c.At), maxRest)), now
		}
		return !l.clock.Until.After(now), l.clock.Until
	}
	return true, now
}

// next is when a letter may begin: the latest of what rest, backoff and limits say. known is false while that
// depends on a letter under way, and at is zero when only the user can tell.
func (l *lane) next(now time.Time) (at time.Time, known bool) {
	ok, until := l.fit(now)
	if !ok && until.IsZero() {
		return time.Time{}, true
	}
	if l.stale {
		return now, false
	}
	at, known = l.lim.next(now)
	if until.After(at) {
		at = until
	}
	if dial := l.dialFrom(now); l.open == 0 && dial.After(at) {
		at = dial
	}
	return at, known
}

// dialFrom is when a connection may be made; where true time cannot be told, a clock that was set back does not make
// the wait longer.
func (l *lane) dialFrom(now time.Time) time.Time {
	if limit := now.Add(l.wait); l.dialAt.After(limit) {
		l.dialAt = limit
	}
	return l.dialAt
}

// hold sets the time before which no connection is made.
func (l *lane) hold(now time.Time, d time.Duration) { l.dialAt, l.wait = now.Add(d), d }

// take gives r a connection of the account, in the order in which campaigns asked.
func (l *lane) take(r *Runner) bool {
	i := slices.Index(l.waiting, r)
	if l.open >= l.target || i > 0 || i < 0 && len(l.waiting) > 0 {
		if i < 0 {
			l.waiting = append(l.waiting, r)
		}
		return false
	}
	l.forget(r)
	l.open++
	return true
}

// forget takes r off the list of those that wait for a connection. Those behind it are told: it may be their turn.
func (l *lane) forget(r *Runner) {
	n := len(l.waiting)
	l.waiting = slices.DeleteFunc(l.waiting, func(x *Runner) bool { return x == r })
	if len(l.waiting) > 0 && len(l.waiting) < n {
		l.all.sig.broadcast()
	}
}

// othersWait says whether a campaign other than r waits for a connection of the account.
func (l *lane) othersWait(r *Runner) bool {
	return slices.ContainsFunc(l.waiting, func(x *Runner) bool { return x != r })
}

// accepted notes a letter that arrived: trouble is over, and in time there may be more connections.
func (l *lane) accepted() {
	l.lastOK, l.fails, l.dialAt = true, 0, time.Time{}
	l.clean++
	if l.clean >= cleanStep {
		l.clean, l.strikes = 0, 0
		more := l.target // twice as many, until there was trouble; then one more at a time
		if l.careful {
			more = 1
		}
		l.target = min(l.target+more, l.maxConnections())
	}
}

// slow halves the number of connections.
func (l *lane) slow() {
	l.clean, l.careful = 0, true
	l.target = max(l.target/2, 1)
}

// lost notes a connection that failed, or could not be made; cool is the wait before the next, doubled at each
// failure in a row. delivered says that letters had been accepted over it: then a server has only cut a
// session short, as some do without a word, and a new one may be made at once.
func (l *lane) lost(now time.Time, cool time.Duration, delivered bool) {
	l.clean, l.lastOK = 0, false
	if delivered {
		l.fails = 0
		l.hold(now, quickReconnect)
		return
	}
	l.fails++
	if !l.reached {
		cool = 0 // nobody is there to be troubled by a quick look, and whoever waits wants to know
	}
	d := max(cool, quickReconnect)
	for i := 1; i < l.fails && d < maxBackoff; i++ {
		d *= 2
	}
	d = min(d, max(maxBackoff, cool))
	d += time.Duration(l.all.rnd.Int64N(int64(d)/5 + 1))
	l.hold(now, d)
	if !l.reached && l.fails >= dialTries {
		l.gaveUp = true
	}
}

// busy notes a server that asked to be left alone for a while (421).
func (l *lane) busy(now time.Time, cool time.Duration) {
	l.slow()
	l.lost(now, cool, false)
}

// sentence sets the durable clock of the account after a refusal that is about it, and gives it, in true time, to be
// stored. A rest becomes longer when the one before it did not help.
func (l *lane) sentence(d diagnose.Diagnosis, o model.Outcome, now time.Time) (model.Clock, bool) {
	c := model.Clock{AccountID: l.id, Scope: d.Scope, Step: o.Step, Code: o.Code, Enhanced: o.Enhanced, Reply: o.Reply, At: now}
	l.slow()
	l.lastOK = false
	if d.Account == diagnose.AccountStops {
		if l.clock.State == model.ClockStopped {
			return c, false
		}
		c.State = model.ClockStopped
		l.clock = c
		return c, true
	}
	ok, until := l.fit(now)
	if l.clock.State == model.ClockStopped {
		return c, false
	}
	c.State = model.ClockResting
	if ok {
		l.strikes++
	}
	wall := l.all.truth.wall(now) // tomorrow begins where the calendar says
	c.Until = now.Add(d.Until(wall).Sub(wall))
	if !d.Tomorrow {
		rest := d.CoolDown
		for i := 1; i < l.strikes && rest < 24*time.Hour; i++ {
			rest *= 2
		}
		c.Until = now.Add(min(rest, max(24*time.Hour, d.CoolDown)))
	}
	if !ok && !c.Until.After(until) {
		return c, false // a connection beside this one was told the same
	}
	l.clock = c
	return c, true
}

// keep stores the clock of a lane.
func (a *Accounts) keep(ctx context.Context, c model.Clock) error {
	return a.journal.SetClock(ctx, a.truth.stored(c))
}

// restate stores the rests of accounts anew.
func (a *Accounts) restate(ctx context.Context, lanes []*lane) error {
	for _, l := range lanes {
		a.mu.Lock()
		ok, _ := l.fit(a.truth.now())
		c := l.clock
		a.mu.Unlock()
		if c.State != model.ClockResting || ok {
			continue
		}
		if err := a.keep(ctx, c); err != nil {
			return err
		}
	}
	return nil
}
