package campaign

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	"hongyan/app/model"
	"hongyan/smtpx"
)

// The reasons for which a campaign is paused; each has a text "pause.<reason>" in the language files.
const (
	PauseUser        = "user"        // the user paused it, or the program was closed
	PauseWait        = "wait"        // the next letter may leave only later than the user waits; Detail is when
	PauseContent     = "content"     // the same refusal of the letter several times in a row
	PauseCompose     = "compose"     // the letter cannot be made
	PauseAuth        = "auth"        // every account waits for the user: logins are refused
	PauseBlocked     = "blocked"     // every account waits for the user: sending is blocked
	PauseConfig      = "config"      // every account waits for the user: settings do not fit the server
	PauseUnreachable = "unreachable" // no server was ever reached
	PauseNoAccount   = "no_account"  // no account can be used, for different reasons
	PauseLate        = "late"        // its time was missed; the user is asked
	PauseStopAfter   = "stop_after"  // its end time came
	PauseFault       = "fault"       // the journal cannot be written; Detail is the error code
	PauseCrash       = "crash"       // the program ended while it ran
	PauseCopied      = "copied"      // the data folder looks like a copy
)

// PauseReasons are all reasons.
var PauseReasons = []string{PauseUser, PauseWait, PauseContent, PauseCompose, PauseAuth, PauseBlocked, PauseConfig, PauseUnreachable,
	PauseNoAccount, PauseLate, PauseStopAfter, PauseFault, PauseCrash, PauseCopied}

// Mail is a letter made for one recipient.
type Mail struct {
	From string // the envelope's addresses
	To   string
	Size int64 // octets, or 0 when not known
	// Body writes the message; it is called at most once.
	Body     func(w io.Writer) error
	EightBit bool // the message has octets above 127
	UTF8     bool // a header field has them
}

// Session is one connection that has logged in; *smtpx.Session is one.
type Session interface {
	// Run sends what src hands out until io.EOF or an error of the session. Every transaction that it took
	// has its result when it returns.
	Run(ctx context.Context, src smtpx.Source) error
	Close() error
}

// DialFunc connects to the server of an account, secures the line and logs in. An error of the server or of
// the network is an *smtpx.Error; anything else is taken for a fault of ours, such as a password that cannot
// be read.
type DialFunc func(ctx context.Context, acct model.Account, connID int64, trace func(smtpx.Event)) (Session, error)

// Config is what a runner needs. Trace and Clock may be left out; Clock is the one of Accounts.
type Config struct {
	CampaignID int64
	Journal    Journal
	Suppressor Suppressor
	Accounts   *Accounts
	// Senders are the campaign's accounts, as they are stored now.
	Senders []model.Account
	// Message makes the letter for a recipient. It is called from many goroutines.
	Message func(d model.Delivery, acct model.Account) (Mail, error)
	Dial    DialFunc
	// Trace gives the listener to the sessions of an account; livelog.Log.Listen is one.
	Trace func(accountID int64) func(smtpx.Event)
	Clock Clock
	// DomainPerMinute is how many letters a minute may go to one recipient domain; 0: no limit.
	DomainPerMinute int
}

// stopGrace is how long Stop waits for replies to final dots that are out.
const stopGrace = time.Minute

// flushGrace is how long the end of a run waits for the journal.
const flushGrace = 15 * time.Second

// Runner is one campaign at work. Its methods are safe for concurrent use; Run may be called once.
type Runner struct {
	cfg   Config
	clk   Clock // for its timers
	truth *trueTime
	camp  *model.Campaign
	kick  chan struct{} // wakes the manager
	done  chan struct{} // closed when Run returns

	mu      sync.Mutex
	rnd     *rand.Rand
	lanes   []*lane
	sender  map[*lane]*senderStat
	conns   map[*conn]struct{}
	counts  model.Counts
	rate    rate
	end     *ending // set once the run is to end
	halting bool    // no further dot may go out
	started bool
	final   bool // Run has returned
	queue   queue
	flying  int                // letters handed out whose fate is open
	rowsAt  time.Time          // when, in true time, the journal has rows again that it had not before; zero: not known
	shut    bool               // the schedule was closed at the last look
	dry     bool               // the journal had no more rows at the last look
	lost    map[int64]int      // letters whose connection was lost, and how often in a row
	same    map[string]*streak // refusals of the same kind in a row, by what they are about
	sent    int                // letters begun by this run
	pace    pace
}

// streak counts the same thing in a row.
type streak struct {
	what string
	n    int
}

// ending is how a run is to end.
type ending struct {
	state          model.CampaignState
	reason, detail string
	err            error
}

// New makes a runner.
func New(cfg Config) *Runner {
	if cfg.Clock == nil {
		cfg.Clock = SystemClock()
	}
	if cfg.Trace == nil {
		cfg.Trace = func(int64) func(smtpx.Event) { return nil }
	}
	return &Runner{
		cfg: cfg, clk: cfg.Clock, truth: cfg.Accounts.truth, kick: make(chan struct{}, 1), done: make(chan struct{}),
		rnd:    rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())), // #nosec G404 -- waits, no secret
		sender: map[*lane]*senderStat{}, conns: map[*conn]struct{}{},
		lost: map[int64]int{}, same: map[string]*streak{},
		queue: queue{perMinute: cfg.DomainPerMinute},
	}
}

// Run sends until nothing is left, or until it is paused or stopped; Snapshot then says which, and why. That is
// an orderly end, and the result nil. An error is a fault of the journal, or a campaign that cannot be run; it
// is a *model.Error. When ctx ends the campaign is paused as by Pause, without waiting for letters under way
// longer than Stop does.
func (r *Runner) Run(ctx context.Context) error {
	r.mu.Lock()
	again := r.started
	r.started = true
	r.mu.Unlock()
	if again {
		return model.E(model.EInternal, errors.New("a runner runs once"))
	}
	defer close(r.done)
	if err := r.prepare(ctx); err != nil {
		r.finish(&ending{state: model.CampaignPaused, reason: PauseFault, detail: string(model.CodeOf(err)), err: err})
		return coded(err)
	}
	r.mu.Lock()
	e := r.end
	r.mu.Unlock()
	if e == nil {
		stop := context.AfterFunc(ctx, func() { r.halt(&ending{state: model.CampaignPaused, reason: PauseUser}) })
		defer stop()
		done := make(chan struct{})
		var watch sync.WaitGroup
		watch.Go(func() { watchJumps(r.clk, done, func() { r.jumped(context.WithoutCancel(ctx)) }) })
		// The work below must be able to end in order after ctx has ended: Stop and Pause end it.
		r.manage(context.WithoutCancel(ctx))
		close(done)
		watch.Wait()
	}
	return r.conclude(context.WithoutCancel(ctx))
}

// prepare loads the campaign and its accounts. The end is set already where the campaign is not to start.
func (r *Runner) prepare(ctx context.Context) error {
	c, err := r.cfg.Journal.Campaign(ctx, r.cfg.CampaignID)
	if err != nil {
		return err
	}
	counts, err := r.cfg.Journal.Counts(ctx, c.ID)
	if err != nil {
		return err
	}
	r.mu.Lock()
	r.camp, r.counts = c, counts
	r.rate.start(r.truth.now())
	r.mu.Unlock()
	switch {
	case c.State == model.CampaignDraft:
		return model.E(model.EInvalid, nil, "field", "campaign", "value", c.Name)
	case counts.Left() == 0:
		return model.E(model.ECampaignEnd, nil, "name", c.Name)
	}
	for _, acct := range r.cfg.Senders {
		l, err := r.cfg.Accounts.lane(ctx, acct)
		if err != nil {
			return err
		}
		r.mu.Lock()
		r.lanes = append(r.lanes, l)
		r.sender[l] = &senderStat{}
		r.mu.Unlock()
	}
	if err := r.recallDomains(ctx); err != nil {
		return err
	}
	if _, wall := r.truth.both(); c.Reason != PauseLate && late(c, wall) {
		r.finishAs(&ending{state: model.CampaignPaused, reason: PauseLate})
		return nil
	}
	return r.cfg.Journal.SetCampaignState(ctx, c.ID, model.CampaignRunning, "", "")
}

// recallDomains finds out what the run before this one sent to whose domain, where a minute may hold only so much.
func (r *Runner) recallDomains(ctx context.Context) error {
	if r.cfg.DomainPerMinute == 0 {
		return nil
	}
	since := r.truth.earliest(r.truth.now().Add(-time.Minute))
	for _, acct := range r.cfg.Senders {
		begun, err := r.cfg.Journal.RecentRecipients(ctx, r.cfg.CampaignID, acct.ID, since)
		if err != nil {
			return err
		}
		for i := range begun {
			begun[i].At = r.truth.past(begun[i].At)
		}
		r.mu.Lock()
		r.queue.recall(begun)
		r.mu.Unlock()
	}
	return nil
}

// conclude makes what was learned durable and stores how the campaign stands.
func (r *Runner) conclude(ctx context.Context) error {
	r.mu.Lock()
	e := *r.end
	r.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, flushGrace)
	defer cancel()
	if err := r.cfg.Journal.Flush(ctx); err != nil && e.err == nil {
		e = ending{model.CampaignPaused, PauseFault, string(model.CodeOf(err)), err}
	}
	if counts, err := r.cfg.Journal.Counts(ctx, r.cfg.CampaignID); err == nil {
		r.mu.Lock()
		r.counts = counts
		r.mu.Unlock()
	} else if e.err == nil {
		e = ending{model.CampaignPaused, PauseFault, string(model.CodeOf(err)), err}
	}
	err := r.cfg.Journal.SetCampaignState(ctx, r.cfg.CampaignID, e.state, e.reason, e.detail)
	if err != nil && e.err == nil {
		e = ending{model.CampaignPaused, PauseFault, string(model.CodeOf(err)), err}
	}
	r.finish(&e)
	return coded(e.err)
}

// finish sets the final state.
func (r *Runner) finish(e *ending) {
	r.mu.Lock()
	r.end, r.final = e, true
	r.mu.Unlock()
}

// coded makes sure that the caller gets a *model.Error.
func coded(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*model.Error](err); ok {
		return err
	}
	return model.E(model.EInternal, err)
}

// Pause ends the run once the letters under way have their replies; no new one is begun.
func (r *Runner) Pause() { r.finishAs(&ending{state: model.CampaignPaused, reason: PauseUser}) }

// PauseUntil pauses a run whose next letter may leave at a time that is too long to wait for.
func (r *Runner) PauseUntil(at time.Time) {
	r.finishAs(&ending{state: model.CampaignPaused, reason: PauseWait, detail: at.Local().Format("2006-01-02 15:04")})
}

// Stop ends the run at once. Letters whose final dot is not out are withdrawn and stay queued; replies to dots
// that are out are waited for, up to a minute. A second Stop does not wait, which leaves these letters unknown.
func (r *Runner) Stop() { r.halt(&ending{state: model.CampaignStopped}) }

// finishAs ends the run when the letters under way are done. The first reason stays, but a fault outranks it.
func (r *Runner) finishAs(e *ending) {
	r.mu.Lock()
	news := r.end == nil || r.end.err == nil && e.err != nil
	if news {
		r.end = e
	}
	r.mu.Unlock()
	if !news {
		return // nor is anybody woken: whoever looks would find the same fault, and say so again
	}
	r.wake()
	r.cfg.Accounts.sig.broadcast()
}

// fail ends the run for a fault of the journal.
func (r *Runner) fail(err error) {
	r.finishAs(&ending{model.CampaignPaused, PauseFault, string(model.CodeOf(err)), err})
}

func (r *Runner) halt(e *ending) {
	r.mu.Lock()
	again := r.halting
	r.halting = true
	if r.end == nil || r.end.err == nil && e.state == model.CampaignStopped {
		r.end = e
	}
	for c := range r.conns {
		if again || c.dots == 0 {
			c.cancel()
		}
	}
	r.mu.Unlock()
	r.wake()
	r.cfg.Accounts.sig.broadcast()
	if again {
		return
	}
	go func() { // the replies that are waited for may never come
		t, stop := r.clk.After(stopGrace)
		defer stop()
		select {
		case <-t:
			r.cut()
		case <-r.done:
		}
	}()
}

// cut closes every connection, whatever is under way.
func (r *Runner) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.conns {
		c.cancel()
	}
}

// jumped is called when the machine slept or the clock was set: connections are likely dead without a sign, so
// they are given up, but a reply to a final dot that is out is still waited for. Rests last as long as they were meant
// to: the journal is told when they end by the wall clock as it is now.
func (r *Runner) jumped(ctx context.Context) {
	r.mu.Lock()
	for c := range r.conns {
		c.drop = true
		if c.dots == 0 {
			c.cancel()
		}
	}
	r.mu.Unlock()
	r.wake()
	r.cfg.Accounts.sig.broadcast()
	if err := r.cfg.Accounts.restate(ctx, r.lanes); err != nil {
		r.fail(err)
	}
}

// counter is the count of a state. r.mu is held.
func (r *Runner) counter(s model.State) *int {
	switch s {
	case model.Queued:
		return &r.counts.Queued
	case model.Attempting:
		return &r.counts.Attempting
	case model.Accepted:
		return &r.counts.Accepted
	case model.Deferred:
		return &r.counts.Deferred
	case model.Rejected:
		return &r.counts.Rejected
	case model.Skipped:
		return &r.counts.Skipped
	default:
		return &r.counts.Unknown
	}
}

// wake makes the manager look again.
func (r *Runner) wake() {
	select {
	case r.kick <- struct{}{}:
	default:
	}
}
