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
	clk     Clock
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
	return &Accounts{journal: j, clk: clk, rnd: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())), lanes: map[int64]*lane{}}
}

// Reset lets an account that rests, was stopped or could not be reached try again, on the user's word: a login
// was corrected, or the user wants to try now. It is durable when it returns.
func (a *Accounts) Reset(ctx context.Context, accountID int64) error {
	now := a.clk.Now()
	if err := a.journal.SetClock(ctx, model.Clock{AccountID: accountID, State: model.ClockFit, At: now}); err != nil {
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
		l.configure(acct)
	}
	a.mu.Unlock()
	a.sig.broadcast()
}

// lane finds or loads what is known of an account.
func (a *Accounts) lane(ctx context.Context, acct model.Account) (*lane, error) {
	a.mu.Lock()
	l := a.lanes[acct.ID]
	if l != nil {
		l.configure(acct)
		if l.open == 0 {
			l.gaveUp = false
		}
	}
	a.mu.Unlock()
	if l != nil {
		return l, nil
	}
	now := a.clk.Now()
	clock, err := a.journal.Clock(ctx, acct.ID)
	if err != nil {
		return nil, err
	}
	l = &lane{all: a, id: acct.ID, clock: clock, target: 1, lastOK: true}
	a.mu.Lock()
	l.lim = newLimiter(acct.Limits, a.rnd)
	a.mu.Unlock()
	since := now.Add(-max(l.lim.history(), 24*time.Hour))
	times, err := a.journal.RecentAttempts(ctx, acct.ID, since)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if known := a.lanes[acct.ID]; known != nil {
		return known, nil
	}
	l.lim.restore(times)
	l.reached = len(times) > 0
	l.configure(acct)
	a.lanes[acct.ID] = l
	return l, nil
}
