package campaign

import (
	"cmp"
	"context"
	"slices"
	"time"

	"hongyan/app/diagnose"
	"hongyan/app/model"
)

const (
	batchPerConn = 32   // claimed deliveries in hand for each connection
	maxHeld      = 4096 // claimed deliveries in hand while throttled domains block those at the front
	strayTries   = 5    // looks at a campaign that has letters left which nobody can claim
	strayWait    = time.Second
	longestRetry = 6 * time.Hour // no refusal for now makes a recipient wait longer
)

// manage is the manager: it keeps rows in hand, opens connections, and returns when the run has ended and every
// connection is gone.
func (r *Runner) manage(ctx context.Context) {
	strays := 0
	for {
		changed := r.cfg.Accounts.sig.C()
		at, over := r.look(ctx, &strays)
		if over {
			break
		}
		var timer <-chan time.Time
		stop := func() {}
		if !at.IsZero() {
			timer, stop = r.clk.After(max(at.Sub(r.truth.now()), 0))
		}
		select {
		case <-changed:
		case <-r.kick:
		case <-timer:
		}
		stop()
	}
	r.mu.Lock()
	ids := r.queue.drain()
	r.mu.Unlock()
	r.cfg.Journal.Release(r.cfg.CampaignID, ids)
	r.yield()
}

// yield takes the run off the lists of those that wait for a connection: a campaign that will not send for now
// must not stand before one that would.
func (r *Runner) yield() {
	a := r.cfg.Accounts
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, l := range r.lanes {
		l.forget(r)
	}
}

// look does what there is to do at present; at is the true time to look again, zero when something will tell.
func (r *Runner) look(ctx context.Context, strays *int) (at time.Time, over bool) {
	now, wall := r.truth.both()
	if err := r.cfg.Journal.Err(); err != nil {
		r.fail(err)
	}
	r.mu.Lock()
	ended, conns := r.end != nil, len(r.conns)
	r.mu.Unlock()
	if ended {
		r.yield()
		return at, conns == 0
	}
	open, until, expired := gate(r.camp.Schedule, wall)
	until = r.truth.due(until)
	switch {
	case expired:
		r.finishAs(&ending{state: model.CampaignPaused, reason: PauseStopAfter})
		return now, false
	case !open:
		r.mu.Lock()
		r.shut = true
		r.mu.Unlock()
		r.yield()
		return until, false
	case r.missed(wall):
		r.finishAs(&ending{state: model.CampaignPaused, reason: PauseLate})
		return now, false
	}
	err := r.cfg.Accounts.refresh(ctx, r.lanes)
	if err == nil {
		err = r.fill(ctx, now, strays)
	}
	if err != nil {
		r.fail(err)
		return now, false
	}
	at = r.connect(ctx, now)
	r.mu.Lock()
	at = earlier(at, r.rowsAt)
	if i, rowAt := r.queue.find(now); i < 0 { // those in hand are for domains that must wait
		at = earlier(at, rowAt)
	}
	r.mu.Unlock()
	return earlier(at, until), false
}

// missed says whether the machine slept through the start of a campaign that waited for it.
func (r *Runner) missed(wall time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	was := r.shut
	r.shut = false
	return was && r.sent == 0 && r.camp.Reason != PauseLate && late(r.camp, wall)
}

// low is the number of rows in hand below which more are claimed: some for each connection, and as many as leave in
// paceTime, because the journal lets rows be claimed only between two commits. r.mu is held.
func (r *Runner) low() int {
	return max(max(len(r.conns), 1)*batchPerConn/2, min(r.pace.rows, maxHeld))
}

// pace measures how fast letters leave.
type pace struct {
	since time.Time
	n     int // letters begun since
	rows  int // letters that leave in paceTime
}

const paceTime = 50 * time.Millisecond

// add counts a letter.
func (p *pace) add(now time.Time) {
	p.n++
	if gone := now.Sub(p.since); gone >= paceTime || gone < 0 {
		p.rows = int(time.Duration(p.n) * paceTime / max(gone, paceTime))
		p.since, p.n = now, 0
	}
}

// fill claims rows when few are in hand, and finds out that there are none any more.
func (r *Runner) fill(ctx context.Context, now time.Time, strays *int) error {
	r.mu.Lock()
	want := 0
	held := len(r.queue.rows)
	if held < r.low() {
		want = 2*r.low() - held
	} else if i, _ := r.queue.find(now); i < 0 && held < maxHeld {
		want = 2 * r.low() // those in hand are for domains that must wait
	}
	if !r.rowsAt.IsZero() && !r.rowsAt.After(now) {
		r.dry, r.rowsAt = false, time.Time{}
	}
	if r.dry {
		want = 0
	}
	r.mu.Unlock()
	if want > 0 {
		if err := r.claim(ctx, want, now); err != nil {
			return err
		}
	}
	r.mu.Lock()
	empty := r.dry && len(r.queue.rows) == 0 && r.flying == 0
	r.mu.Unlock()
	if !empty {
		*strays = 0
		return nil
	}
	return r.isDone(ctx, now, strays)
}

// claim takes up to n rows. When there are fewer, the journal is dry until rowsAt.
func (r *Runner) claim(ctx context.Context, n int, now time.Time) error {
	wall := r.truth.wall(now)
	rows, err := r.cfg.Journal.Claim(ctx, r.cfg.CampaignID, n, wall)
	if err != nil {
		return err
	}
	var wakeAt time.Time
	if len(rows) < n {
		t, ok, err := r.cfg.Journal.NextWake(ctx, r.cfg.CampaignID)
		if err != nil {
			return err
		}
		if ok && t.Sub(wall) > longestRetry { // whatever those were to wait for has passed: the clock was set back
			more, err := r.cfg.Journal.Claim(ctx, r.cfg.CampaignID, n-len(rows), t)
			if err != nil {
				return err
			}
			rows, t = append(rows, more...), wall.Add(strayWait)
		}
		if ok {
			wakeAt = r.truth.due(t)
		}
	}
	r.mu.Lock()
	r.queue.rows = append(r.queue.rows, rows...)
	if len(rows) < n {
		r.dry = true
		r.rowsAt = earlier(r.rowsAt, wakeAt)
	}
	r.mu.Unlock()
	if len(rows) > 0 {
		r.cfg.Accounts.sig.broadcast()
	}
	return nil
}

// isDone looks, once every result is durable, whether anything is left at all.
func (r *Runner) isDone(ctx context.Context, now time.Time, strays *int) error {
	fctx, cancel := context.WithTimeout(ctx, flushGrace)
	defer cancel()
	if err := r.cfg.Journal.Flush(fctx); err != nil {
		return err
	}
	if err := r.claim(ctx, batchPerConn, now); err != nil {
		return err
	}
	counts, err := r.cfg.Journal.Counts(ctx, r.cfg.CampaignID)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.queue.rows) > 0 || r.flying > 0 {
		return nil
	}
	r.counts = counts
	switch {
	case counts.Left() == 0:
		if r.end == nil {
			r.end = &ending{state: model.CampaignDone}
		}
		go r.cfg.Accounts.sig.broadcast() // connections that wait may go
		r.wake()
	case !r.rowsAt.IsZero(): // some are deferred
		*strays = 0
	default: // a result may have come in between; but never look for ever
		if *strays++; *strays > strayTries {
			return model.E(model.EInternal, nil, "detail", "deliveries are left that cannot be claimed")
		}
		r.rowsAt = now.Add(strayWait)
	}
	return nil
}

// connect opens connections where an account may send, or ends the run when none can any more. at is when
// that may change.
func (r *Runner) connect(ctx context.Context, now time.Time) (at time.Time) {
	r.mu.Lock()
	a := r.cfg.Accounts
	a.mu.Lock()
	usable := 0
	for _, l := range r.byRoom(now) {
		next, known := l.next(now)
		if known && next.IsZero() {
			l.forget(r)
			continue
		}
		usable++
		if known && next.After(now) {
			at = earlier(at, next)
		}
		if !r.wants(l, now, next, known) {
			l.forget(r)
			continue
		}
		for r.wants(l, now, next, known) && l.take(r) {
			r.open(ctx, l)
		}
	}
	a.mu.Unlock()
	flying := r.flying
	r.mu.Unlock()
	if usable == 0 && flying == 0 {
		r.finishAs(r.stranded())
		return now
	}
	return at
}

// byRoom orders the accounts by what they may still send, most first. Both locks are held.
func (r *Runner) byRoom(now time.Time) []*lane {
	if len(r.lanes) < 2 {
		return r.lanes
	}
	rooms := make(map[*lane]int, len(r.lanes))
	for _, l := range r.lanes {
		rooms[l] = l.lim.room(now, time.Hour, r.counts.Left())
	}
	ordered := slices.Clone(r.lanes)
	slices.SortStableFunc(ordered, func(x, y *lane) int { return cmp.Compare(rooms[y], rooms[x]) })
	return ordered
}

// wants says whether one more connection of an account would have something to do now. Both locks are held.
func (r *Runner) wants(l *lane, now, next time.Time, known bool) bool {
	if !known || next.After(now) || l.dialFrom(now).After(now) || r.end != nil {
		return false
	}
	hungry, mine := 0, 0
	for c := range r.conns {
		if c.dialing || c.waiting {
			hungry++
			if c.lane == l {
				mine++
			}
		}
	}
	_, rowAt := r.queue.find(now)
	return mine == 0 && !rowAt.IsZero() && !rowAt.After(now) && len(r.queue.rows) > hungry
}

// stranded says why no account can be used.
func (r *Runner) stranded() *ending {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cfg.Accounts.mu.Lock()
	defer r.cfg.Accounts.mu.Unlock()
	e := &ending{state: model.CampaignPaused, reason: PauseNoAccount}
	for i, l := range r.lanes {
		reason, detail := PauseUnreachable, r.sender[l].why
		if l.clock.State == model.ClockStopped {
			c := l.clock
			reason = pauseReason(c.Scope)
			detail = said(model.Outcome{Code: c.Code, Enhanced: c.Enhanced, Reply: c.Reply})
		}
		if i > 0 && reason != e.reason {
			e.reason, e.detail = PauseNoAccount, ""
			return e
		}
		e.reason, e.detail = reason, detail
	}
	return e
}

// trouble keeps the latest trouble of an account, for the user to see.
func (r *Runner) trouble(l *lane, d diagnose.Diagnosis, o model.Outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.sender[l]; s != nil {
		s.why, s.scope = said(o), d.Scope
	}
}
