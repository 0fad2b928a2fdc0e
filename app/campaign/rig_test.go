package campaign_test

import (
	"context"
	"io"
	"strconv"
	"sync"
	"testing"
	"time"

	"hongyan/app/campaign"
	"hongyan/app/model"
	"hongyan/smtpx"
	"hongyan/store"
)

// clock is the wall clock of a test inside a synctest bubble: the bubble's time, which stands still in suspend,
// and what the wall is ahead of it.
type clock struct {
	mu     sync.Mutex
	ahead  time.Duration
	asleep time.Duration
	put    int // 1 when the wall clock was set forward
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Round(0).Add(c.ahead)
}

func (c *clock) After(d time.Duration) (<-chan time.Time, func()) {
	t := time.NewTimer(d)
	return t.C, func() { t.Stop() }
}

// Steady stands still while suspended.
func (c *clock) Steady() time.Duration { return time.Duration(time.Now().UnixNano()) }

// Elapsed is the time that truly passed, since long ago.
func (c *clock) Elapsed() time.Duration {
	return time.Duration(time.Now().UnixNano()) + c.slept()
}

// suspend lets time pass of which timers know nothing.
func (c *clock) suspend(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
	c.asleep += d
}

// set moves the wall clock alone.
func (c *clock) set(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
	if d > 0 {
		c.put = 1
	}
}

// putForward says whether the wall clock was set forward since it was asked the last time: 1 or 0.
func (c *clock) putForward() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.put
	c.put = 0
	return n
}

func (c *clock) slept() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asleep
}

// fate is what a server does with a letter. The zero value takes it.
type fate struct {
	at   smtpx.Phase // of code or cut
	code int
	enh  string
	text string
	cut  bool          // the connection ends; at PhaseDot the letter is taken first
	err  error         // of cut; default io.EOF
	wait time.Duration // before the reply to the dot, or before the cut
}

func refuse(at smtpx.Phase, code int, enh, text string) fate {
	return fate{at: at, code: code, enh: enh, text: text}
}

// mail is a letter that was begun.
type mail struct {
	account, conn int64
	at            time.Time // by truth
	era           int       // restarts before it that followed a clock set forward
}

// sent is a letter that a server took.
type sent struct {
	to      string
	account int64
	conn    int64
	at      time.Time
}

// tb is what *testing.T and *rapid.T have in common.
type tb interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Fatal(args ...any)
}

// world is a data folder, its accounts, and servers that do what the test says.
type world struct {
	tb
	ctx context.Context
	dir string
	clk *clock
	st  *store.Store
	acc *campaign.Accounts

	rtt    time.Duration
	login  func(a model.Account, n int) error              // nil: everybody may; n counts from 1
	judge  func(a model.Account, to string, n int) fate    // nil: takes everything; n counts all letters from 1
	sendOf func(d model.Delivery) (campaign.Mail, error)   // nil: a letter of one line
	before func(a model.Account, to string, p smtpx.Phase) // nil; called when a letter comes to a phase

	mu     sync.Mutex
	era    int // the journal's times before and after its beginning do not compare
	n      int
	mails  []mail        // MAIL commands seen
	lines  map[int64]int // connections open, by account
	most   map[int64]int // and the most at a time
	took   []sent
	logins []time.Time
}

func newWorld(t *testing.T) *world {
	w := worldIn(t, t.Context(), t.TempDir())
	t.Cleanup(func() { _ = w.st.Close() })
	return w
}

func worldIn(t tb, ctx context.Context, dir string) *world {
	w := &world{tb: t, ctx: ctx, dir: dir, clk: &clock{}, rtt: 10 * time.Millisecond}
	w.open(store.Options{})
	return w
}

func (w *world) Context() context.Context { return w.ctx }

// truth is the time of the world outside, which knows neither suspend nor a clock that was set back.
func (w *world) truth() time.Time { return time.Now().Round(0).Add(w.clk.slept()) }

func (w *world) open(o store.Options) {
	w.Helper()
	st, err := store.Open(w.Context(), w.dir, o)
	if err != nil {
		w.Fatal(err)
	}
	w.st, w.acc = st, campaign.NewAccounts(st, w.clk)
}

// restart is the end of the process and a new one.
func (w *world) restart() {
	w.Helper()
	w.mu.Lock()
	w.era += w.clk.putForward()
	w.mu.Unlock()
	if err := w.st.Close(); err != nil {
		w.Fatal(err)
	}
	w.open(store.Options{})
}

func (w *world) account(name string, l model.Limits) model.Account {
	w.Helper()
	a := model.Account{Name: name, From: name + "@example.com", Host: "mail.example.com", Port: 25, TLS: model.TLSNone, Auth: model.AuthNone,
		Profile: model.ProfileConsumer, Limits: l}
	if err := w.st.SaveAccount(w.Context(), &a); err != nil {
		w.Fatal(err)
	}
	return a
}

// campaign freezes one to n people at example.org.
func (w *world) campaign(name string, n int, s model.Schedule) int64 {
	w.Helper()
	var people []string
	for i := range n {
		people = append(people, name+strconv.Itoa(i)+"@example.org")
	}
	return w.campaignTo(name, people, s)
}

func (w *world) campaignTo(name string, people []string, s model.Schedule) int64 {
	w.Helper()
	c := &model.Campaign{Name: name, Seed: "00", Schedule: s, Letter: model.Letter{Subject: "s", Body: "b", Format: model.FormatText}}
	ds := make([]model.Delivery, len(people))
	for i, p := range people {
		ds[i] = model.Delivery{Email: p, State: model.Queued}
	}
	err := w.st.CreateCampaign(w.Context(), c)
	if err == nil {
		err = w.st.AddDeliveries(w.Context(), c.ID, ds)
	}
	if err == nil {
		err = w.st.Freeze(w.Context(), c.ID)
	}
	if err != nil {
		w.Fatal(err)
	}
	return c.ID
}

// running is a runner at work.
type running struct {
	*campaign.Runner
	w    *world
	id   int64
	done chan struct{}
	err  error
}

func (w *world) config(id int64, accounts ...model.Account) campaign.Config {
	return campaign.Config{
		CampaignID: id, Journal: w.st, Suppressor: w.st, Accounts: w.acc, Senders: accounts, Clock: w.clk, Dial: w.dial,
		Message: func(d model.Delivery, a model.Account) (campaign.Mail, error) {
			if w.sendOf != nil {
				return w.sendOf(d)
			}
			return letterTo(a, d), nil
		},
	}
}

func letterTo(a model.Account, d model.Delivery) campaign.Mail {
	return campaign.Mail{From: a.From, To: d.Email, Body: func(out io.Writer) error {
		_, err := io.WriteString(out, "Subject: x\r\n\r\nx\r\n")
		return err
	}}
}

func (w *world) start(id int64, accounts ...model.Account) *running {
	return w.startWith(w.config(id, accounts...))
}

func (w *world) startWith(cfg campaign.Config) *running { return w.ready(cfg).begin(w.Context()) }

// ready makes a run that is begun by begin.
func (w *world) ready(cfg campaign.Config) *running {
	return &running{Runner: campaign.New(cfg), w: w, id: cfg.CampaignID, done: make(chan struct{})}
}

func (r *running) begin(ctx context.Context) *running {
	go func() {
		defer close(r.done)
		r.err = r.Run(ctx)
	}()
	return r
}

// ends waits for the end of a run and asserts how it ended.
func (r *running) ends(state model.CampaignState, reason string) campaign.Snapshot {
	r.w.Helper()
	r.within(100 * 24 * time.Hour)
	s := r.Snapshot()
	if s.State != state || s.Reason != reason {
		r.w.Errorf("the campaign is %s %q (%s), want %s %q; error %v", s.State, s.Reason, s.Detail, state, reason, r.err)
	}
	if reason != campaign.PauseFault {
		if r.err != nil {
			r.w.Errorf("Run: %v", r.err)
		}
		c, err := r.w.st.Campaign(r.w.Context(), r.id)
		if err != nil {
			r.w.Fatal(err)
		}
		if c.State != state || c.Reason != reason {
			r.w.Errorf("stored as %s %q, want %s %q", c.State, c.Reason, state, reason)
		}
	}
	return s
}

// within waits for the end of a run.
func (r *running) within(d time.Duration) {
	r.w.Helper()
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-r.done:
	case <-t.C:
		s := r.Snapshot()
		r.Stop()
		r.Stop()
		<-r.done
		r.w.Fatalf("the campaign does not end; it was %+v", s)
	}
}

// counts asks the journal, and asserts that it adds up.
func (w *world) counts(id int64) model.Counts {
	w.Helper()
	c, err := w.st.Counts(w.Context(), id)
	if err != nil {
		w.Fatal(err)
	}
	if c.Queued+c.Attempting+c.Accepted+c.Deferred+c.Rejected+c.Unknown+c.Skipped != c.Total {
		w.Errorf("the counts do not add up: %+v", c)
	}
	return c
}

func (w *world) want(id int64, want model.Counts) {
	w.Helper()
	if got := w.counts(id); got != want {
		w.Errorf("counts %+v, want %+v", got, want)
	}
}

// rows are the deliveries of a campaign by address.
func (w *world) rows(id int64) map[string]model.Delivery {
	w.Helper()
	ds, err := w.st.Deliveries(w.Context(), model.DeliveryQuery{CampaignID: id, Limit: 1 << 20})
	if err != nil {
		w.Fatal(err)
	}
	m := map[string]model.Delivery{}
	for _, d := range ds {
		m[d.Email] = d
	}
	return m
}

// once asserts that nobody got two letters, and gives who got one.
func (w *world) once() map[string]sent {
	w.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	got := map[string]sent{}
	for _, s := range w.took {
		if _, twice := got[s.to]; twice {
			w.Errorf("%s got two letters", s.to)
		}
		got[s.to] = s
	}
	return got
}

func (w *world) letters() []sent {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]sent(nil), w.took...)
}

func (w *world) loginTimes() []time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]time.Time(nil), w.logins...)
}

func (w *world) dial(ctx context.Context, a model.Account, _ int64, _ func(smtpx.Event)) (campaign.Session, error) {
	w.mu.Lock()
	w.logins = append(w.logins, w.clk.Now())
	n := len(w.logins)
	w.count(a.ID, 1)
	w.mu.Unlock()
	err := pass(ctx, w.rtt)
	if err != nil {
		err = &smtpx.Error{Phase: smtpx.PhaseConnect, Err: err}
	} else if w.login != nil {
		err = w.login(a, n)
	}
	if err != nil {
		w.mu.Lock()
		w.count(a.ID, -1)
		w.mu.Unlock()
		return nil, err
	}
	return &session{w: w, a: a, id: int64(n)}, nil
}

// count notes a connection more or less. w.mu is held.
func (w *world) count(account int64, d int) {
	if w.lines == nil {
		w.lines, w.most = map[int64]int{}, map[int64]int{}
	}
	w.lines[account] += d
	w.most[account] = max(w.most[account], w.lines[account])
}

func refusedLogin(code int, enh, text string) error {
	return &smtpx.Error{Phase: smtpx.PhaseAuth, Reply: &smtpx.Reply{Code: code, Enhanced: enh, Lines: []string{text}}}
}

func pass(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
