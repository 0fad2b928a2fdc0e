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

// letter is one delivery in the hands of a connection.
type letter struct {
	c       *conn
	d       model.Delivery
	suspect bool // the connection had been silent for long before it
	pending Pending
	mail    Mail  // the message, once made
	made    bool  // it was tried to make it
	failure error // why the message could not be made

	// Guarded by the runner's mu.
	begun  bool // MAIL FROM is being written, the intent is on its way to the disk
	dotOut bool // the terminator may be out
	over   bool // the result is known
}

// settleLag is how long it takes at most until a letter that was put back can be claimed again: the journal
// writes it first.
const settleLag = 100 * time.Millisecond

// errWithdrawn is what BeforeDot answers when the terminator must not go out any more.
var errWithdrawn = errors.New("campaign: withdrawn before the final dot")

// transaction makes the letter ready for the session. nil without an error means that the letter was dealt with
// without one: its recipient is suppressed, or it cannot be made.
func (l *letter) transaction(ctx context.Context) (*smtpx.Transaction, error) {
	r := l.c.r
	_, yes, err := r.cfg.Suppressor.Suppressed(ctx, l.d.Email)
	if err != nil {
		l.putBack()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		r.fail(err)
		return nil, io.EOF
	}
	if yes {
		now, wall := r.truth.both()
		l.settle(model.Outcome{State: model.Skipped, Reason: "suppressed"}, now, wall)
		return nil, nil
	}
	if err := l.make(); err != nil {
		l.cannotMake(err, true)
		return nil, nil
	}
	m := &l.mail
	from, err := smtpx.ParseAddress(m.From)
	if err != nil {
		l.cannotMake(model.E(model.EInvalid, err, "field", "from", "value", m.From), true)
		return nil, nil
	}
	to, err := smtpx.ParseAddress(m.To)
	if err != nil {
		l.cannotMake(model.E(model.EInvalid, err, "field", "to", "value", m.To), false)
		return nil, nil
	}
	return &smtpx.Transaction{
		ID: l.d.ID, From: from, To: []smtpx.Address{to}, Size: m.Size, EightBit: m.EightBit, UTF8: m.UTF8,
		Body:      func(w io.Writer) error { return l.write(w, m.Body) },
		Begin:     l.begin,
		BeforeDot: l.beforeDot,
		Ready:     func() bool { return l.pending.Ready() },
		Done:      l.done,
	}, nil
}

// make makes the message, once. It is the connection's writing goroutine that calls it.
func (l *letter) make() error {
	if !l.made {
		l.mail, l.failure = l.c.r.cfg.Message(l.d, l.c.acct)
		l.made = true
	}
	return l.failure
}

// write tells a letter that cannot be made from a line that is lost.
func (l *letter) write(w io.Writer, body func(io.Writer) error) error {
	aw := &attentiveWriter{w: w}
	err := body(aw)
	if err != nil && aw.err == nil {
		l.c.r.mu.Lock()
		l.failure = err
		l.c.r.mu.Unlock()
	}
	return err
}

type attentiveWriter struct {
	w   io.Writer
	err error
}

func (a *attentiveWriter) Write(p []byte) (int, error) {
	n, err := a.w.Write(p)
	if err != nil {
		a.err = err
	}
	return n, err
}

// begin is called when MAIL FROM is about to be written: from here the letter counts against the limits, and
// its intent travels to the disk while the envelope travels to the server.
func (l *letter) begin() {
	c, r := l.c, l.c.r
	now, wall := r.truth.both()
	a := r.cfg.Accounts
	a.mu.Lock()
	c.lane.lim.commit(now)
	limited, hasty := c.lane.lim.history() > 0, c.hasty()
	a.mu.Unlock()
	intend := r.cfg.Journal.Intend
	if hasty {
		intend = r.cfg.Journal.Hasten
	}
	pending := intend(l.d.ID, c.acct.ID, wall)
	r.mu.Lock()
	l.pending, l.begun = pending, true
	c.sent++
	r.sent++
	r.pace.add(now)
	r.sender[c.lane].sent++
	*r.counter(l.d.State)--
	r.counts.Attempting++
	r.mu.Unlock()
	if limited {
		a.sig.broadcast()
	}
}

// beforeDot lets the terminator out only once the intent is durable, and never after a stop.
func (l *letter) beforeDot() error {
	c, r := l.c, l.c.r
	if err := l.pending.Wait(); err != nil {
		r.fail(err)
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.halting || c.drop {
		return errWithdrawn
	}
	l.dotOut = true
	c.dots++
	return nil
}

// done gets what became of the letter.
func (l *letter) done(res smtpx.Result) {
	c, r := l.c, l.c.r
	o := smtpx.Outcome{Status: smtpx.NotSent, Phase: smtpx.PhaseMail}
	if len(res.Outcomes) > 0 {
		o = res.Outcomes[0]
	}
	now, wall := r.truth.both()
	r.mu.Lock()
	if l.over {
		r.mu.Unlock()
		return
	}
	l.over = true
	c.answered = c.answered || o.Reply != nil && o.Reply.Code != 421
	v := r.judge(l, o, now)
	r.mu.Unlock()
	if v.kind == verdictLocal {
		l.settle(v.out, now, wall)
		if !isAny(o.Err, aboutRecipient) {
			r.repeats("compose", v.out.Reply, PauseCompose, v.out.Reply)
		}
		return
	}
	if v.diag.Suppress != "" && v.out.State == model.Rejected {
		s := model.Suppression{Key: l.d.Email, Reason: v.diag.Suppress, Detail: v.out.Reply, At: wall}
		// What was learned about the address is kept, although the connection may be closed at this moment.
		if err := r.cfg.Suppressor.Suppress(context.WithoutCancel(c.ctx), s); err != nil {
			r.fail(err)
		}
	}
	// The lane first: whoever looks at it once the letter is settled must see what was learned.
	switch v.kind {
	case verdictAccepted:
		r.cfg.Accounts.mu.Lock()
		c.lane.accepted()
		r.cfg.Accounts.mu.Unlock()
		r.mu.Lock()
		c.delivered++
		r.queue.took(&l.d)
		clear(r.same)
		r.mu.Unlock()
	case verdictRefused:
		r.lament(c, v.diag, v.out)
	case verdictStale:
		r.mu.Lock()
		first, good := !c.failed, c.answered
		c.failed, c.retire = true, true
		r.mu.Unlock()
		if first {
			r.cfg.Accounts.mu.Lock()
			c.lane.lost(now, 0, good)
			r.cfg.Accounts.mu.Unlock()
		}
	}
	l.settle(v.out, now, wall)
}

// cannotMake rejects a letter that cannot be made for this recipient. It never returns to queued: it would
// fail again. With telling the same trouble may meet everybody: several times in a row it pauses the campaign.
func (l *letter) cannotMake(err error, telling bool) {
	text := clip(err.Error())
	now, wall := l.c.r.truth.both()
	l.settle(model.Outcome{State: model.Rejected, Step: model.StepCompose, Scope: model.ScopeContent, Reply: text}, now, wall)
	if telling {
		l.c.r.repeats("compose", text, PauseCompose, text)
	}
}

// settle records how the attempt ended, and counts. now and wall are the present, in true time and by the wall clock.
func (l *letter) settle(o model.Outcome, now, wall time.Time) {
	c, r := l.c, l.c.r
	o.DeliveryID, o.AccountID, o.At = l.d.ID, c.acct.ID, wall
	r.mu.Lock()
	begun := l.begun
	r.mu.Unlock()
	if !begun && o.State == model.Queued {
		l.putBack()
		return
	}
	r.cfg.Journal.Settle(o)
	r.mu.Lock()
	if begun {
		r.counts.Attempting--
	} else {
		*r.counter(l.d.State)--
	}
	*r.counter(o.State)++
	switch o.State {
	case model.Queued:
		r.rowsAt = earlier(r.rowsAt, now.Add(settleLag))
	case model.Deferred:
		r.rowsAt = earlier(r.rowsAt, r.truth.due(o.NextAt))
	default:
		delete(r.lost, l.d.ID)
		r.rate.add(now)
	}
	r.mu.Unlock()
	l.leave(now)
}

// putBack returns a row that was not touched to the queue.
func (l *letter) putBack() {
	r := l.c.r
	r.mu.Lock()
	r.queue.rows = append([]model.Delivery{l.d}, r.queue.rows...)
	r.mu.Unlock()
	l.leave(r.truth.now())
}

// leave takes the letter off its connection.
func (l *letter) leave(now time.Time) {
	c, r := l.c, l.c.r
	r.mu.Lock()
	l.over = true
	delete(c.letters, l)
	r.flying--
	c.last = now
	begun := l.begun
	if l.dotOut {
		c.dots--
	}
	if c.dots == 0 && (r.halting || c.drop) {
		c.cancel()
	}
	idle := r.flying == 0
	r.mu.Unlock()
	if !begun {
		r.cfg.Accounts.mu.Lock()
		c.lane.lim.cancel()
		r.cfg.Accounts.mu.Unlock()
		r.cfg.Accounts.sig.broadcast()
	}
	if idle {
		r.wake()
	}
}

// lament draws the consequences of a failure for the account and for the campaign.
func (r *Runner) lament(c *conn, d diagnose.Diagnosis, o model.Outcome) {
	now := r.truth.now()
	a := r.cfg.Accounts
	r.mu.Lock()
	first := !c.failed
	if d.Account != diagnose.AccountGoesOn {
		c.retire = true
	}
	if d.Account == diagnose.AccountReconnects {
		c.failed = true
	}
	delivered := c.delivered > 0
	r.mu.Unlock()
	var clock model.Clock
	var write bool
	a.mu.Lock()
	switch d.Account {
	case diagnose.AccountStops, diagnose.AccountRests:
		clock, write = c.lane.sentence(d, o, now)
	case diagnose.AccountReconnects:
		if first && o.Code != 0 {
			c.lane.busy(now, d.CoolDown)
		} else if first {
			c.lane.lost(now, d.CoolDown, delivered)
		}
	default:
		c.lane.lastOK = false
		if d.Scope == model.ScopeContent {
			c.lane.slow()
		}
	}
	a.mu.Unlock()
	if d.Account != diagnose.AccountGoesOn {
		r.trouble(c.lane, d, o)
	}
	if write {
		if err := a.keep(context.WithoutCancel(c.ctx), clock); err != nil {
			r.fail(err)
		}
	}
	a.sig.broadcast()
	switch d.Campaign {
	case diagnose.CampaignCounts:
		r.repeats("content", d.Rule, PauseContent, said(o))
	case diagnose.CampaignPauses:
		r.finishAs(&ending{state: model.CampaignPaused, reason: pauseReason(d.Scope), detail: said(o)})
	}
}

// repeats counts the same thing in a row, and pauses the campaign when it is too much: the same letter would
// fail for everybody. An accepted letter begins the count anew.
func (r *Runner) repeats(kind, what, reason, detail string) {
	r.mu.Lock()
	s := r.same[kind]
	if s == nil || s.what != what {
		s = &streak{what: what}
		r.same[kind] = s
	}
	s.n++
	n := s.n
	r.mu.Unlock()
	if n >= diagnose.PauseAfter {
		r.finishAs(&ending{state: model.CampaignPaused, reason: reason, detail: detail})
	}
}
