package app_test

import (
	"context"
	"net/mail"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hongyan/app"
	"hongyan/app/livelog"
	"hongyan/app/model"
	"hongyan/smtpx/smtptest"
)

func TestCampaignReachesEverybodyOnce(t *testing.T) {
	r := newRig(t)
	dir := t.TempDir()
	s, acct := r.server(smtptest.Options{Dir: dir})
	list := r.people("读书会", 150)
	if err := r.Suppress(t.Context(), []string{"user7@example.org"}, "user"); err != nil {
		t.Fatal(err)
	}
	c := r.campaign("一", list, acct.ID)
	if c.State != model.CampaignReady {
		t.Errorf("a new campaign is %s", c.State)
	}
	got := r.send(c)
	if diff := cmp.Diff(model.Counts{Total: 150, Accepted: 149, Skipped: 1}, got); diff != "" {
		t.Error(diff)
	}
	if n := once(t, s); n != 149 {
		t.Errorf("%d people got a letter", n)
	}
	if c, _ = r.Campaign(t.Context(), c.ID); c.State != model.CampaignDone || c.StartedAt.IsZero() || c.FinishedAt.IsZero() {
		t.Errorf("after the end: %+v", c)
	}
	if err := r.Start(t.Context(), c.ID); model.CodeOf(err) != model.ECampaignEnd {
		t.Errorf("started again: %v", err)
	}
	// What arrived is what the preview showed.
	ls, err := s.Letters(0, 200)
	if err != nil || len(ls) != 149 {
		t.Fatalf("%d letters, %v", len(ls), err)
	}
	raw, err := os.ReadFile(ls[0].Path)
	if err != nil {
		t.Fatal(err)
	}
	m, err := mail.ReadMessage(strings.NewReader(string(raw)))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range []string{"Date", "Message-Id", "List-Unsubscribe", "From", "To", "Subject"} {
		if m.Header.Get(h) == "" {
			t.Errorf("no %s in %s", h, raw[:200])
		}
	}
	if strings.Contains(string(raw), "{{") {
		t.Error("a field was left as it was written")
	}
}

func TestEveryTenthRefused(t *testing.T) {
	r := newRig(t)
	s, acct := r.server(smtptest.Options{Mood: smtptest.RefuseTenth})
	c := r.campaign("c", r.people("l", 100), acct.ID)
	got := r.send(c)
	if got.Rejected != 10 || got.Accepted != 90 || once(t, s) != 90 {
		t.Errorf("%+v", got)
	}
	// 550 5.1.1 at RCPT: the address is dead, and is not written to again.
	supp, err := r.Suppressions(t.Context())
	if err != nil || len(supp) != 10 {
		t.Errorf("%d addresses suppressed, %v", len(supp), err)
	}
	ds, err := r.Deliveries(t.Context(), model.DeliveryQuery{CampaignID: c.ID, States: []model.State{model.Rejected}})
	if err != nil || len(ds) != 10 {
		t.Fatalf("%d rejected, %v", len(ds), err)
	}
	d := ds[0]
	if d.Step != model.StepRcpt || d.Code != 550 || d.Enhanced != "5.1.1" || d.Scope != model.ScopeHard || d.Reply == "" {
		t.Errorf("%+v", d)
	}
	if x := r.Explain(d); x.State != model.Rejected || x.Scope != model.ScopeHard {
		t.Errorf("explained as %+v", x)
	}
	as, err := r.Attempts(t.Context(), d.ID)
	if err != nil || len(as) != 1 || as[0].Code != 550 || as[0].Ended.IsZero() {
		t.Errorf("history %+v, %v", as, err)
	}
	next := r.campaign("next", c.ListID, acct.ID)
	if n := r.counts(next); n.Skipped != 10 || n.Queued != 90 {
		t.Errorf("the next campaign: %+v", n)
	}
}

func TestPauseAndResume(t *testing.T) {
	r := newRig(t)
	seen := make(chan struct{}, 1000)
	s, acct := r.server(smtptest.Options{Mood: smtptest.Slow, Delay: 2 * time.Millisecond, OnLetter: func(smtptest.Letter) { seen <- struct{}{} }})
	c := r.campaign("c", r.people("l", 200), acct.ID)
	if err := r.Start(t.Context(), c.ID); err != nil {
		t.Fatal(err)
	}
	if err := r.Start(t.Context(), c.ID); model.CodeOf(err) != model.ECampaignRun {
		t.Errorf("started twice: %v", err)
	}
	for range 5 {
		<-seen
	}
	if !slices.Equal(r.Running(), []int64{c.ID}) {
		t.Errorf("running: %v", r.Running())
	}
	if _, err := r.Retry(t.Context(), c.ID, model.Rejected); model.CodeOf(err) != model.ECampaignRun {
		t.Errorf("retry while it runs: %v", err)
	}
	r.Pause(c.ID)
	got := r.ended(c)
	if got.Accepted < 5 || got.Queued == 0 || got.Attempting+got.Unknown != 0 || got.Accepted != once(t, s) {
		t.Errorf("paused at %+v, the server has %d", got, once(t, s))
	}
	if c, _ = r.Campaign(t.Context(), c.ID); c.State != model.CampaignPaused || c.Reason != "user" {
		t.Errorf("%s %s", c.State, c.Reason)
	}
	if lines, _ := r.Log().Since(0, 10_000); !slices.ContainsFunc(lines, func(l livelog.Line) bool {
		return strings.Contains(l.String(), "> MAIL FROM:<desk@example.com>")
	}) {
		t.Error("the log does not show the dialogue")
	}
	r.close()
	r2 := open(t, r.dir)
	if err := s.SetMood(smtptest.Normal); err != nil {
		t.Fatal(err)
	}
	if got := r2.send(c); got.Accepted != 200 || once(t, s) != 200 {
		t.Errorf("resumed after a restart: %+v, the server has %d", got, once(t, s))
	}
}

func TestStopThenRetryNothingTwice(t *testing.T) {
	r := newRig(t)
	s, acct := r.server(smtptest.Options{Mood: smtptest.DropLine})
	c := r.campaign("c", r.people("l", 60), acct.ID)
	if err := r.Start(t.Context(), c.ID); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(300*time.Millisecond, func() { r.Stop(c.ID) })
	got := r.ended(c)
	delivered := once(t, s)
	// Whoever got a letter is known to have it, or is known to be in doubt.
	if got.Accepted > delivered || delivered > got.Accepted+got.Unknown {
		t.Errorf("%+v, the server has %d", got, delivered)
	}
}

// TestAskedByAnotherProcess: to pause or to stop.
func TestAskedByAnotherProcess(t *testing.T) {
	for state, ask := range map[model.CampaignState]func(*rig, context.Context, int64) error{
		model.CampaignPaused:  func(r *rig, ctx context.Context, id int64) error { return r.RequestPause(ctx, id) },
		model.CampaignStopped: func(r *rig, ctx context.Context, id int64) error { return r.RequestStop(ctx, id) },
	} {
		t.Run(string(state), func(t *testing.T) { testAsked(t, state, ask) })
	}
}

func testAsked(t *testing.T, state model.CampaignState, ask func(*rig, context.Context, int64) error) {
	r := newRig(t)
	seen := make(chan struct{}, 1000)
	_, acct := r.server(smtptest.Options{Mood: smtptest.Slow, Delay: 20 * time.Millisecond, OnLetter: func(smtptest.Letter) { seen <- struct{}{} }})
	c := r.campaign("c", r.people("l", 100), acct.ID)
	if err := r.Start(t.Context(), c.ID); err != nil {
		t.Fatal(err)
	}
	<-seen
	if err := ask(r, t.Context(), c.ID); err != nil {
		t.Fatal(err)
	}
	if got := r.ended(c); got.Queued == 0 {
		t.Errorf("%+v", got)
	}
	if now, err := r.Campaign(t.Context(), c.ID); err != nil || now.State != state {
		t.Errorf("%+v, error %v, want %s", now, err, state)
	}
}

func TestWrongPasswordStopsTheAccountOnce(t *testing.T) {
	r := newRig(t)
	s, _ := r.server(smtptest.Options{RequireAuth: true, Password: "right"})
	acct := &model.Account{Name: "login", From: "desk@example.com", Host: "127.0.0.1", Port: s.Port(), TLS: model.TLSNone}
	if err := r.SaveAccount(t.Context(), acct, "wrong", true); err != nil {
		t.Fatal(err)
	}
	c := r.campaign("c", r.people("l", 20), acct.ID)
	if got := r.send(c); got.Queued != 20 {
		t.Errorf("%+v", got)
	}
	c, _ = r.Campaign(t.Context(), c.ID)
	if c.State != model.CampaignPaused || c.Reason != "auth" || !strings.Contains(c.Detail, "535") {
		t.Errorf("%s %s %q", c.State, c.Reason, c.Detail)
	}
	views, err := r.Accounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range views {
		if v.ID == acct.ID && v.Clock.State != model.ClockStopped {
			t.Errorf("the account is %s", v.Clock.State)
		}
	}
	check, err := r.Check(t.Context(), app.CampaignSpec{ListID: c.ListID, Letter: letter, AccountIDs: []int64{acct.ID}})
	if err != nil || !check.Blocked() {
		t.Errorf("check %+v, %v", check.Findings, err)
	}
	// The right one, and it goes on by itself where it was.
	if err := r.SaveAccount(t.Context(), acct, "right", true); err != nil {
		t.Fatal(err)
	}
	if got := r.send(c); got.Accepted != 20 || once(t, s) != 20 {
		t.Errorf("%+v", got)
	}
	lines, _ := r.Log().Since(0, 10_000)
	for _, l := range lines {
		if strings.Contains(l.Text, "wrong") || strings.Contains(l.Text, "right") {
			t.Errorf("a password stands in the log: %s", l)
		}
	}
}

func TestRetryFailed(t *testing.T) {
	r := newRig(t)
	s, acct := r.server(smtptest.Options{Mood: smtptest.RefuseTenth})
	c := r.campaign("c", r.people("l", 30), acct.ID)
	if got := r.send(c); got.Rejected != 3 {
		t.Fatalf("%+v", got)
	}
	if err := s.SetMood(smtptest.Normal); err != nil {
		t.Fatal(err)
	}
	supp, _ := r.Suppressions(t.Context())
	for _, x := range supp {
		if err := r.RemoveSuppression(t.Context(), x.ID); err != nil {
			t.Fatal(err)
		}
	}
	n, err := r.Retry(t.Context(), c.ID, model.Rejected)
	if err != nil || n != 3 {
		t.Fatalf("%d queued again, %v", n, err)
	}
	if got := r.send(c); got.Accepted != 30 || once(t, s) != 30 {
		t.Errorf("%+v", got)
	}
}

func TestNoUsableAccount(t *testing.T) {
	r := newRig(t)
	acct := r.account("gone", 1)
	c := r.campaign("c", r.people("l", 3), acct.ID)
	if err := r.RemoveAccount(t.Context(), acct.ID); err != nil {
		t.Fatal(err)
	}
	if err := r.Start(t.Context(), c.ID); model.CodeOf(err) != model.ENoAccount {
		t.Errorf("got %v", err)
	}
}

// TestAwake: the machine is held awake as long as a campaign runs, and not a moment longer.
func TestAwake(t *testing.T) {
	var held, released atomic.Int32
	r := openWith(t, t.TempDir(), app.Options{Awake: func(string) func() {
		held.Add(1)
		return func() { released.Add(1) }
	}})
	_, acct := r.server(smtptest.Options{})
	c := r.campaign("c", r.people("l", 3), acct.ID)
	if held.Load() != 0 {
		t.Error("it is held before anything is sent")
	}
	r.send(c)
	for deadline := time.Now().Add(10 * time.Second); released.Load() == 0 && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
	}
	if held.Load() != 1 || released.Load() != 1 {
		t.Errorf("held %d times, released %d times", held.Load(), released.Load())
	}
}
