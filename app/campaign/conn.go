package campaign

import (
	"context"
	"errors"
	"io"
	"time"

	"hongyan/app/diagnose"
	"hongyan/app/model"
	"hongyan/smtpx"
)

const (
	sessionAge   = 5 * time.Minute  // of a connection, after which a new one is made
	suspectAfter = 30 * time.Second // without a letter, after which the server may have hung up unnoticed
	idleLimit    = 2 * time.Minute  // a connection is not kept for a letter further away than this
	moment       = 10 * time.Millisecond
	shareAfter   = 20 // letters after which a connection is left to another campaign that waits
)

// conn is one connection at work, and the smtpx.Source of its session. What is behind r is guarded by r.mu.
type conn struct {
	r    *Runner
	lane *lane
	acct model.Account
	id   int64
	ctx  context.Context // ends when the connection is given up

	cancel    context.CancelFunc
	dialing   bool
	waiting   bool      // in Next, for a letter
	drop      bool      // no further dot, no further letter: the connection is not to be trusted
	retire    bool      // no further letter
	failed    bool      // what ended it has been counted
	began     time.Time // true times
	last      time.Time // the end of its latest letter, or when it was logged in
	sent      int       // letters begun
	delivered int       // letters accepted
	answered  bool      // a letter had a reply: the connection was good for something
	dots      int       // letters whose terminator may be out and whose reply is not read
	letters   map[*letter]struct{}
	ready     *letter // made ready for the next Next
}

// open makes a connection in a goroutine of its own; the slot in the lane is taken already. r.mu is held.
func (r *Runner) open(ctx context.Context, l *lane) {
	cctx, cancel := context.WithCancel(ctx)
	c := &conn{r: r, lane: l, acct: l.acct, id: r.cfg.Accounts.connID.Add(1), ctx: cctx, cancel: cancel,
		dialing: true, letters: map[*letter]struct{}{}}
	r.conns[c] = struct{}{}
	r.sender[l].conns++
	go c.run()
}

func (c *conn) run() {
	r := c.r
	defer c.gone()
	listen := r.cfg.Trace(c.acct.ID)
	sess, err := r.cfg.Dial(c.ctx, c.acct, c.id, func(e smtpx.Event) {
		if e.Kind == smtpx.EventReply {
			c.lane.contact.Store(r.truth.due(e.Time).UnixNano())
		}
		if listen != nil {
			listen(e)
		}
	})
	if err != nil {
		if c.ctx.Err() == nil {
			c.refused(err)
		}
		return
	}
	now := r.truth.now()
	r.mu.Lock()
	c.dialing, c.began, c.last = false, now, now
	r.mu.Unlock()
	r.cfg.Accounts.mu.Lock()
	c.lane.reached = true
	r.cfg.Accounts.mu.Unlock()
	err = sess.Run(c.ctx, c)
	c.unready()
	c.sweep(err)
	if err != nil && c.ctx.Err() == nil {
		c.broke(err)
	}
	// Nothing that happens from here on can change the fate of a letter.
	_ = sess.Close()
}

// gone gives the slot back.
func (c *conn) gone() {
	c.cancel()
	r := c.r
	r.cfg.Accounts.mu.Lock()
	c.lane.open--
	r.cfg.Accounts.mu.Unlock()
	r.mu.Lock()
	delete(r.conns, c)
	r.sender[c.lane].conns--
	r.mu.Unlock()
	r.wake()
	r.cfg.Accounts.sig.broadcast()
}

// sweep settles letters that a session left without a result.
func (c *conn) sweep(err error) {
	c.r.mu.Lock()
	var left []*letter
	for l := range c.letters {
		left = append(left, l)
	}
	c.r.mu.Unlock()
	for _, l := range left {
		o := smtpx.Outcome{Status: smtpx.NotSent, Phase: smtpx.PhaseMail, Err: err}
		if l.dotOut {
			o.Status, o.Phase = smtpx.Unknown, smtpx.PhaseDot
		}
		l.done(smtpx.Result{Outcomes: []smtpx.Outcome{o}})
	}
}

// input describes a failure of the connection itself.
func (c *conn) input(err error) diagnose.Input {
	in := diagnose.Input{Provider: c.acct.Provider, Step: model.StepConnect, Err: err, Host: c.acct.Host, Port: c.acct.Port, TLS: c.acct.TLS}
	if e, ok := errors.AsType[*smtpx.Error](err); ok {
		in.Step = diagnose.StepOf(e.Phase)
	}
	return in
}

// refused handles a connection that could not be made.
func (c *conn) refused(err error) {
	r := c.r
	_, wall := r.truth.both()
	o := model.Outcome{AccountID: c.acct.ID, At: wall}
	if e, ok := errors.AsType[*model.Error](err); ok {
		// Ours, not the server's: a password that is not stored, a permission that is over, a certificate file that
		// cannot be read.
		o.Step, o.Reply = model.StepAuth, clip(e.Error())
		r.lament(c, diagnose.ExplainOwn(e), o)
		return
	}
	in := c.input(err)
	d := diagnose.Explain(in)
	o.Step, o.Reply = in.Step, clip(err.Error())
	if e, ok := errors.AsType[*smtpx.Error](err); ok && e.Reply != nil {
		o.Code, o.Enhanced, o.Reply = e.Reply.Code, e.Reply.Enhanced, replyText(e.Reply)
	}
	r.cfg.Accounts.mu.Lock()
	reached := c.lane.reached
	if e, ok := errors.AsType[*smtpx.Error](err); ok && e.Timeout() && !reached {
		c.lane.fails++ // somebody waits: two long silences say as much as three quick refusals
	}
	r.cfg.Accounts.mu.Unlock()
	if d.Account == diagnose.AccountStops && reached && (d.Code == model.EHost || d.Code == model.ENotSMTP) {
		// The name was known before, and a mail server answered to it: it is the network that is away or another one,
		// not the server.
		d.Scope, d.Account, d.CoolDown = model.ScopeConnection, diagnose.AccountReconnects, time.Minute
	}
	r.lament(c, d, o)
}

// broke handles a session that failed when no letter had told of it.
func (c *conn) broke(err error) {
	r := c.r
	now, wall := r.truth.both()
	r.mu.Lock()
	known := c.failed || c.retire || c.drop || c.suspect(now)
	again := errors.Is(err, smtpx.ErrStale) || errors.Is(err, smtpx.ErrReset) || errors.Is(err, smtpx.ErrSessionFull)
	vain := !known && again && !c.answered
	r.mu.Unlock()
	if vain { // a server that hangs up behind every login must not be logged in to without a pause
		r.cfg.Accounts.mu.Lock()
		c.lane.lost(now, 0, false)
		r.cfg.Accounts.mu.Unlock()
	}
	if known || again {
		return
	}
	in := c.input(err)
	o := model.Outcome{AccountID: c.acct.ID, Step: in.Step, Reply: clip(err.Error()), At: wall}
	d := diagnose.Explain(in)
	if d.Account == diagnose.AccountStops && errors.Is(err, smtpx.ErrUnsolicited) {
		// Nothing was asked, so nothing was refused: it says good-bye in its own way.
		d.Scope, d.Account, d.CoolDown = model.ScopeConnection, diagnose.AccountReconnects, time.Minute
	}
	r.lament(c, d, o)
}

// suspect says whether the connection has been silent for so long that the server may have hung up.
func (c *conn) suspect(now time.Time) bool { return now.Sub(c.last) > suspectAfter }

// Next implements smtpx.Source.
func (c *conn) Next(ctx context.Context, wait bool) (*smtpx.Transaction, error) {
	r := c.r
	for {
		changed := r.cfg.Accounts.sig.C()
		l, at, err := c.grant(ctx, wait)
		if err != nil {
			c.unready()
		}
		switch {
		case err != nil && !wait && errors.Is(err, io.EOF):
			return nil, nil // replies may still be owed; the session asks again when they are read
		case err != nil:
			return nil, err
		case l != nil:
			tx, err := l.transaction(ctx)
			if tx != nil || err != nil {
				return tx, err
			}
			continue // this one needs no session: suppressed, or it cannot be made
		case !wait:
			return nil, nil
		}
		// Rows that are due but not yet in hand are the manager's to get: it is given a moment.
		t, stop := r.clk.After(max(at.Sub(r.truth.now()), moment))
		select {
		case <-changed:
		case <-t:
		case <-ctx.Done():
			stop()
			return nil, ctx.Err()
		}
		stop()
	}
}

// grant gives the connection its next letter. Without one, at is when to look again, zero when that depends on
// others; io.EOF says that this connection gets no more.
func (c *conn) grant(ctx context.Context, wait bool) (l *letter, at time.Time, err error) {
	r := c.r
	if err := r.cfg.Journal.Err(); err != nil {
		r.fail(err)
		return nil, at, io.EOF
	}
	now, wall := r.truth.both()
	r.mu.Lock()
	defer r.mu.Unlock()
	c.waiting = false
	if err := ctx.Err(); err != nil {
		return nil, at, err
	}
	open, until, _ := gate(r.camp.Schedule, wall)
	if !open || r.end != nil || c.retire || c.drop || now.Sub(c.began) >= sessionAge {
		return nil, at, io.EOF
	}
	l, at, err = c.reserve(now, wait)
	if l != nil || err != nil {
		return l, at, err
	}
	if len(c.letters) == 0 && (at.Sub(now) > idleLimit || at.IsZero() && now.Sub(c.last) >= idleLimit) {
		return nil, at, io.EOF
	}
	if at.IsZero() {
		at = now.Add(idleLimit)
	}
	c.waiting = wait
	return nil, earlier(at, r.truth.due(until)), nil
}

// reserve takes a row off the queue if the account may send it now. r.mu is held.
func (c *conn) reserve(now time.Time, wait bool) (l *letter, at time.Time, err error) {
	r, a := c.r, c.r.cfg.Accounts
	a.mu.Lock()
	defer a.mu.Unlock()
	if ok, _ := c.lane.fit(now); !ok || c.lane.open > c.lane.target || c.sent >= c.lane.perSession() ||
		c.sent >= shareAfter && c.lane.othersWait(r) {
		return nil, at, io.EOF
	}
	if !wait && !c.lane.lastOK {
		return nil, at, nil // what the server says about the letter under way comes first
	}
	if l = c.ready; l != nil {
		if c.hasty() && !r.queue.free(domainOf(&l.d), now).After(now) {
			c.ready, l.suspect = nil, c.suspect(now)
			return l, now, nil
		}
		c.unreadyLocked()
	}
	if _, rowAt := r.queue.find(now); rowAt.IsZero() || rowAt.After(now) {
		r.wake()
		return nil, earlier(rowAt, r.rowsAt), nil
	}
	ok, at, known := c.lane.lim.reserve(now)
	if !ok {
		if !known {
			at = time.Time{}
		}
		return nil, at, nil
	}
	return c.pop(now), now, nil
}

// pop takes a row off the queue, whose limits are reserved. r.mu is held.
func (c *conn) pop(now time.Time) *letter {
	r := c.r
	d, _, _ := r.queue.pop(now)
	l := &letter{c: c, d: d, suspect: c.suspect(now)}
	c.letters[l] = struct{}{}
	r.flying++
	if len(r.queue.rows) < r.low() {
		r.wake()
	}
	return l
}

// Prepare implements smtpx.Preparer: while the server is waited for, the message after the one under way is made. Only
// where letters leave one behind the other and there are more than enough of them: nobody is kept waiting by a row that
// lies ready. Whether it may be sent is asked by Next, when it may.
func (c *conn) Prepare(context.Context) {
	r, a := c.r, c.r.cfg.Accounts
	now := r.truth.now()
	r.mu.Lock()
	if c.ready == nil && r.end == nil && !c.retire && !c.drop && r.queue.perMinute == 0 && len(r.queue.rows) > 2*len(r.conns) {
		a.mu.Lock()
		if c.lane.lastOK && c.hasty() {
			if i, _ := r.queue.find(now); i >= 0 {
				if ok, _, _ := c.lane.lim.reserve(now); ok {
					c.ready = c.pop(now)
				}
			}
		}
		a.mu.Unlock()
	}
	l := c.ready
	r.mu.Unlock()
	if l != nil {
		_ = l.make() // whoever sends it asks again
	}
}

// hasty says whether letters of the account leave as fast as they can: it has no limits, and the server is made for it.
// The accounts' mu is held.
func (c *conn) hasty() bool {
	return c.acct.Profile == model.ProfileRelay && c.lane.lim.history() == 0
}

// unready gives back what was made ready.
func (c *conn) unready() {
	r, a := c.r, c.r.cfg.Accounts
	r.mu.Lock()
	a.mu.Lock()
	c.unreadyLocked()
	a.mu.Unlock()
	idle := r.flying == 0
	r.mu.Unlock()
	if idle {
		r.wake()
	}
}

// unreadyLocked does so with r.mu and the accounts' mu held. The row is in the queue before anybody else looks.
func (c *conn) unreadyLocked() {
	l := c.ready
	if l == nil {
		return
	}
	c.ready, l.over = nil, true
	delete(c.letters, l)
	c.r.flying--
	c.r.queue.rows = append([]model.Delivery{l.d}, c.r.queue.rows...)
	c.lane.lim.cancel()
}

// earlier is the earlier of two times of which zero means not known.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
