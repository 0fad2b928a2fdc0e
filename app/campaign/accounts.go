package campaign

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"hongyan/app/model"
)

// Accounts knows what every account may do at present. All runners of a process share one, so that the limits
// of an account hold whichever campaign uses it. Its methods are safe for concurrent use.
type Accounts struct {
	journal Journal
	truth   *trueTime
	connID  atomic.Int64
	sig     signal // something changed that a runner or a connection may be waiting for

	mu    sync.Mutex
	rnd   *rand.Rand
	lanes map[int64]*lane
}

// NewAccounts makes the registry of a process; a nil clock is the system's.
func NewAccounts(j Journal, clk Clock) *Accounts {
	if clk == nil {
		clk = SystemClock()
	}
	// #nosec G404 -- pauses and waits, no secret
	return &Accounts{journal: j, truth: newTrueTime(clk), rnd: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())), lanes: map[int64]*lane{}}
}

// Reset lets an account that rests, was stopped or could not be reached try again, on the user's word: a login
// was corrected, or the user wants to try now. It is durable when it returns.
func (a *Accounts) Reset(ctx context.Context, accountID int64) error {
	now, wall := a.truth.both()
	if err := a.journal.SetClock(ctx, model.Clock{AccountID: accountID, State: model.ClockFit, At: wall}); err != nil {
		return err
	}
	a.mu.Lock()
	if l := a.lanes[accountID]; l != nil {
		l.clock = model.Clock{AccountID: accountID, State: model.ClockFit, At: now}
		l.dialAt, l.fails, l.reached, l.gaveUp, l.strikes = time.Time{}, 0, false, false, 0
	}
	a.mu.Unlock()
	a.sig.broadcast()
	return nil
}

// Update takes over changed settings of an account; campaigns that run use them from the next connection on,
// and the limits from the next letter on.
func (a *Accounts) Update(acct model.Account) {
	a.mu.Lock()
	if l := a.lanes[acct.ID]; l != nil {
		l.configure(acct) // which may leave it stale: the runners' managers see to that
	}
	a.mu.Unlock()
	a.sig.broadcast()
}

// refresh asks the journal about accounts whose limits reach further back than is known of them.
func (a *Accounts) refresh(ctx context.Context, lanes []*lane) error {
	for _, l := range lanes {
		a.mu.Lock()
		stale, span := l.stale, l.lim.history()
		a.mu.Unlock()
		if !stale {
			continue
		}
		times, err := a.journal.RecentAttempts(ctx, l.id, a.truth.earliest(a.truth.now().Add(-span)))
		if err != nil {
			return err
		}
		for i := range times {
			times[i] = a.truth.past(times[i])
		}
		a.mu.Lock()
		l.lim.restore(times)
		l.span, l.stale = span, l.lim.history() > span
		a.mu.Unlock()
	}
	return nil
}

// seen says whether an account sent anything within the last day. Short spans are looked at first: of a busy
// account a whole day is much.
func (a *Accounts) seen(ctx context.Context, id int64) (bool, error) {
	_, now := a.truth.both()
	for _, d := range []time.Duration{time.Minute, time.Hour, 24 * time.Hour} {
		times, err := a.journal.RecentAttempts(ctx, id, now.Add(-d))
		if err != nil || len(times) > 0 {
			return err == nil, err
		}
	}
	return false, nil
}

// lane finds or loads what is known of an account.
func (a *Accounts) lane(ctx context.Context, acct model.Account) (*lane, error) {
	a.mu.Lock()
	l := a.lanes[acct.ID]
	if l != nil {
		l.configure(acct)
		if l.open == 0 && l.gaveUp { // the user starts a campaign: that is a word to try again
			l.gaveUp, l.fails, l.dialAt = false, 0, time.Time{}
		}
	}
	a.mu.Unlock()
	if l != nil {
		return l, a.refresh(ctx, []*lane{l})
	}
	clock, err := a.journal.Clock(ctx, acct.ID)
	if err != nil {
		return nil, err
	}
	reached, err := a.seen(ctx, acct.ID)
	if err != nil {
		return nil, err
	}
	l = &lane{all: a, id: acct.ID, clock: a.truth.clock(clock), target: 1, lastOK: true, reached: reached, lim: newLimiter(acct.Limits, a.rnd)}
	l.configure(acct)
	if err := a.refresh(ctx, []*lane{l}); err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if known := a.lanes[acct.ID]; known != nil {
		return known, nil
	}
	a.lanes[acct.ID] = l
	return l, nil
}
