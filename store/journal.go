package store

import (
	"context"
	"sync"
	"time"

	"hongyan/app/model"
)

// journal is the writing side of the delivery journal. One goroutine (commit.go) commits whatever waits:
// intents at once, results within settleDelay or as soon as settleBatch of them wait or an intent is going
// out anyway.
//
// Locks: a database's turn is taken before mu, never after it.
type journal struct {
	db *database

	mu      sync.Mutex
	leases  map[int64]*lease // by delivery
	cursor  map[int64]int64  // by campaign: where the next claim looks on; see claim
	ahead   ahead
	live    map[int64]*tallies // by campaign, once asked for
	intents []*intent          // waiting for a commit
	results []*result          // waiting for a commit, oldest first
	flying  []*result          // in the commit that is under way
	given   uint64             // results ever taken by Settle
	kept    uint64             // of these, how many are durable
	urgent  bool               // somebody waits for the results
	fault   error              // why the last commit failed; nil once one succeeds
	dead    bool               // the fault is one that only opening the journal again clears
	closed  bool
	looked  time.Time     // when the files were there
	settled chan struct{} // closed and renewed after each commit, good or bad

	wake chan struct{} // capacity 1
	done chan struct{} // closed when the goroutine has ended
}

const (
	settleDelay = 50 * time.Millisecond
	settleBatch = 64
	retryDelay  = 500 * time.Millisecond
	lookDelay   = 5 * time.Millisecond // between two looks whether the files are there, in a hurry
)

// lease is a delivery that this process has taken.
type lease struct {
	id       int64
	campaign int64
	account  int64
	disk     model.State // the state that the file holds
	tries    int         // attempts so far, with the one under way once it is intended
	asked    bool        // Intend was called
	intended bool        // and its row is durable
	ended    bool        // Settle was called

	held   *reservation // that makes it durable; see ahead.go
	slot   int          // of its mark, while it is held or its result is remembered
	aside  bool         // its result is remembered there, and its beginning is in the file
	begun  bool         // it is not ready any more
	marked bool         // it left ahead: its row still says what it said before
	at     time.Time    // when the attempt began
}

// seen is the state that a lease counts as.
func (l *lease) seen() model.State {
	if l.marked {
		return model.Attempting
	}
	return l.disk
}

type intent struct {
	id, account int64
	at          time.Time
	lease       *lease
	err         error
	done        chan struct{}
}

// Wait implements model.Pending.
func (i *intent) Wait() error {
	<-i.done
	return i.err
}

// Ready implements model.Pending.
func (i *intent) Ready() bool {
	select {
	case <-i.done:
		return true
	default:
		return false
	}
}

// durable is a write that is on the disk already.
type durable struct{}

// Wait implements model.Pending.
func (durable) Wait() error { return nil }

// Ready implements model.Pending.
func (durable) Ready() bool { return true }

type result struct {
	o     model.Outcome
	lease *lease

	// Set by the commit that writes it:
	n        int  // the attempt it ends, when intended; else the last one
	intended bool // its intent is on the disk, or goes there with it
}

// tallies are the deliveries of a campaign by state, with the results that are not yet on the disk.
type tallies map[model.State]int

func newJournal(db *database, where func() *marks) *journal {
	j := &journal{
		db:      db,
		leases:  make(map[int64]*lease),
		cursor:  make(map[int64]int64),
		ahead:   ahead{where: where, hasty: make(map[int64]int64)},
		live:    make(map[int64]*tallies),
		settled: make(chan struct{}),
		wake:    make(chan struct{}, 1),
		done:    make(chan struct{}),
	}
	go j.run()
	return j
}

func (j *journal) nudge() {
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

func (j *journal) move(campaign int64, from, to model.State) {
	if t, ok := j.live[campaign]; ok && from != to {
		(*t)[from]--
		(*t)[to]++
	}
}

func (j *journal) intend(id, account int64, at time.Time, hasty bool) model.Pending {
	j.mu.Lock()
	defer j.mu.Unlock()
	l, err := j.ask(id, account, at, hasty)
	if err == nil && l.held != nil && hasty {
		j.mark(l)
		if j.wants() {
			j.nudge()
		}
		return durable{}
	}
	in := &intent{id: id, account: account, at: at, lease: l, err: err, done: make(chan struct{})}
	if err != nil {
		close(in.done)
		return in
	}
	j.intents = append(j.intents, in)
	j.nudge()
	return in
}

// ask takes a lease for an attempt. mu is held.
func (j *journal) ask(id, account int64, at time.Time, hasty bool) (*lease, error) {
	l := j.leases[id]
	switch {
	case j.closed:
		return nil, errClosed(j.db.path)
	case j.fault != nil:
		return nil, j.fault
	case l == nil || l.asked || l.ended:
		// One intent per claim: a second could let two connections send the same letter.
		return nil, model.E(model.EInternal, nil, "detail", "a delivery was intended that is not leased, or twice")
	}
	l.asked, l.account, l.at = true, account, at
	j.ahead.begins(l)
	if hasty {
		j.ahead.hurry(l, time.Now())
	} else {
		delete(j.ahead.hasty, l.campaign)
	}
	return l, nil
}

func (j *journal) settle(o model.Outcome) {
	j.mu.Lock()
	defer j.mu.Unlock()
	l := j.leases[o.DeliveryID]
	if l == nil || l.ended || j.closed || !settles(o.State) {
		return
	}
	l.ended = true
	if o.AccountID == 0 {
		o.AccountID = l.account
	}
	j.ahead.begins(l)
	j.remember(l, &o)
	r := &result{o: o, lease: l}
	j.move(l.campaign, l.seen(), o.State)
	j.results = append(j.results, r)
	j.given++
	if len(j.results) == 1 || len(j.results) >= j.enough() {
		j.nudge()
	}
}

// settles reports whether an attempt can end in a state.
func settles(s model.State) bool {
	switch s {
	case model.Queued, model.Accepted, model.Deferred, model.Rejected, model.Unknown, model.Skipped:
		return true
	}
	return false
}

func errClosed(path string) error {
	return model.E(model.EInternal, nil, "path", path, "detail", "the journal is closed")
}

// flush returns when every result given before it is durable, or when that fails.
func (j *journal) flush(ctx context.Context) error {
	j.mu.Lock()
	want := j.given
	for {
		if j.kept >= want {
			j.mu.Unlock()
			return nil
		}
		if j.fault != nil {
			err := j.fault
			j.mu.Unlock()
			return err
		}
		j.urgent = true
		next := j.settled
		j.nudge()
		j.mu.Unlock()
		select {
		case <-next:
		case <-j.done:
			j.mu.Lock()
			defer j.mu.Unlock()
			if j.kept < want {
				return errClosed(j.db.path)
			}
			return nil
		case <-ctx.Done():
			return coded(ctx.Err(), j.db.path)
		}
		j.mu.Lock()
	}
}

func (j *journal) err() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.fault != nil {
		return j.fault
	}
	// The runner asks before each letter. Where these leave fast, looking at the files costs as much as the rest.
	now := time.Now()
	if j.ahead.want > 0 && now.Sub(j.looked) < lookDelay {
		return nil
	}
	err := j.db.present()
	if err == nil {
		j.looked = now
	}
	return err
}

// tally counts a campaign: on the disk, with what waits to get there.
func (j *journal) tally(ctx context.Context, campaign int64) (tallies, error) {
	j.mu.Lock()
	if t, ok := j.live[campaign]; ok {
		c := t.copy()
		j.mu.Unlock()
		return c, nil
	}
	j.mu.Unlock()
	var c tallies
	// No commit may come between counting and noting the count, so this takes the writer's turn.
	err := j.db.inTurn(ctx, func() error {
		t, err := countStates(ctx, j.db, campaign)
		if err != nil {
			return err
		}
		j.mu.Lock()
		defer j.mu.Unlock()
		for _, rs := range [][]*result{j.flying, j.results} {
			for _, r := range rs {
				if r.lease.campaign == campaign {
					t[r.lease.disk]--
					t[r.o.State]++
				}
			}
		}
		for _, l := range j.leases {
			if l.campaign == campaign && l.marked && !l.ended {
				t[l.disk]--
				t[model.Attempting]++
			}
		}
		j.live[campaign] = &t
		c = t.copy()
		return nil
	})
	return c, err
}

func (t tallies) copy() tallies {
	c := make(tallies, len(t))
	for s, n := range t {
		c[s] = n
	}
	return c
}

func (t tallies) counts() model.Counts {
	c := model.Counts{
		Queued:     t[model.Queued],
		Attempting: t[model.Attempting],
		Accepted:   t[model.Accepted],
		Deferred:   t[model.Deferred],
		Rejected:   t[model.Rejected],
		Unknown:    t[model.Unknown],
		Skipped:    t[model.Skipped],
	}
	for _, n := range t {
		c.Total += n
	}
	return c
}

// forget drops the count of a campaign whose deliveries were changed by other ways than the journal's.
func (j *journal) forget(campaign int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.live, campaign)
	delete(j.cursor, campaign)
}

// release gives claimed deliveries back; one that was intended stays taken until it is settled.
func (j *journal) release(campaign int64, ids []int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, id := range ids {
		if l := j.leases[id]; l != nil && l.campaign == campaign && !l.asked && !l.ended {
			j.end(l)
			delete(j.cursor, campaign)
		}
	}
	if len(j.leases) == 0 {
		j.ahead.order = nil
	}
	if len(j.ahead.spent) > 0 {
		j.nudge()
	}
}

// leased lists the deliveries of a campaign that are taken.
func (j *journal) leased(campaign int64) []int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	ids := []int64{}
	for id, l := range j.leases {
		if l.campaign == campaign {
			ids = append(ids, id)
		}
	}
	return ids
}

// taken is how many leases a campaign has. mu is held.
func (j *journal) taken(campaign int64) int {
	n := 0
	for _, l := range j.leases {
		if l.campaign == campaign {
			n++
		}
	}
	return n
}
