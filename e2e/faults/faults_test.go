package faults

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"hongyan/app/campaign"
	"hongyan/app/model"
	"hongyan/smtpx"
	"hongyan/smtpx/smtptest"
	"hongyan/store"
)

var update = flag.Bool("update", false, "write the table into docs/reliability.md")

const (
	document = "../../docs/reliability.md"
	begins   = "<!-- faults begin: make faults compares what follows, scripts/faults.sh -update writes it -->\n"
	ends     = "<!-- faults end -->\n"
)

// TestFaults plays each fault at each step, in lockstep and with pipelining, which must not differ, and compares with
// the table that users can read.
func TestFaults(t *testing.T) {
	rows, whole := make([]string, 0, len(steps)*len(faults)), true
	for _, step := range steps {
		for _, fault := range faults {
			if step == stepConnect && fault != faultReset && fault != faultStall {
				continue // nobody has spoken yet
			}
			row := ""
			for _, lockstep := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/lockstep=%v", step, fault, lockstep), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						got := play(t, step, fault, lockstep)
						if lockstep && got != row {
							t.Errorf("in lockstep:\n%s\nelse:\n%s", got, row)
						}
						row = got
					})
				})
			}
			whole = whole && row != "" // with -run only some are played
			rows = append(rows, fmt.Sprintf("| %s | %s | %s |", step, fault, row))
		}
	}
	if t.Failed() || !whole {
		return
	}
	table := "| step | fault | the letter | the account | the campaign |\n|---|---|---|---|---|\n" + strings.Join(rows, "\n") + "\n"
	compare(t, table)
}

func compare(t *testing.T, table string) {
	b, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(b), begins)
	was, tail, ok2 := strings.Cut(rest, ends)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the table", document)
	}
	if *update {
		if err := os.WriteFile(document, []byte(head+begins+table+ends+tail), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if d := cmp.Diff(strings.Split(was, "\n"), strings.Split(table, "\n")); d != "" {
		t.Errorf("the table in %s is another one (scripts/faults.sh -update writes it anew):\n%s", document, d)
	}
}

const (
	everyone = 3
	victim   = "b@example.org"
)

// bubble is the clock of a synctest bubble: what truly passes is not to be asked of the system.
type bubble struct{ campaign.Clock }

// play sends three letters through a server with one fault, and tells in words what came of it.
func play(t *testing.T, step, fault string, lockstep bool) string {
	cert, err := smtptest.NewCertificate()
	if err != nil {
		t.Fatal(err)
	}
	s := &server{step: step, fault: fault, cert: cert, taken: map[string]int{}}
	st, err := store.Open(t.Context(), t.TempDir(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = st.Close() }()
	acct, camp := prepare(t, st)
	clock := bubble{campaign.SystemClock()}
	r := campaign.New(campaign.Config{
		CampaignID: camp, Journal: st, Suppressor: st, Clock: clock, Accounts: campaign.NewAccounts(st, clock), Senders: []model.Account{acct},
		Message: func(d model.Delivery, a model.Account) (campaign.Mail, error) {
			return campaign.Mail{From: a.From, To: d.Email, Body: func(w io.Writer) error {
				_, err := io.WriteString(w, "Subject: x\r\n\r\n"+strings.Repeat("Fünfzig Oktetten sind eine Zeile in diesem Brief.\r\n", 1500))
				return err
			}}, nil
		},
		Dial: func(ctx context.Context, a model.Account, id int64, trace func(smtpx.Event)) (campaign.Session, error) {
			sess, err := smtpx.Dial(ctx, &smtpx.Config{Host: "localhost", Port: 587, TLS: smtpx.TLSStart, RootCAs: cert.Pool(), NoPipelining: lockstep,
				Auth: &smtpx.Auth{User: "u", Secret: "geheim"}, ConnID: id, Trace: trace, Dial: s.dial})
			if err != nil {
				return nil, err
			}
			return sess, nil
		},
	})
	done := make(chan error, 1)
	go func() { done <- r.Run(t.Context()) }()
	select {
	case err := <-done:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(72 * time.Hour):
		r.Stop()
		r.Stop()
		t.Fatalf("the campaign does not end: %+v, %v", r.Snapshot(), <-done)
	}
	if !s.played {
		t.Fatal("the fault was never played")
	}
	return s.result(t, st, r.Snapshot(), acct, camp)
}

func prepare(t *testing.T, st *store.Store) (model.Account, int64) {
	t.Helper()
	// A pause between letters, so that what comes behind a reply meets a connection that is idle.
	gap := 5 * time.Second
	acct := model.Account{Name: "a", From: "a@example.com", Host: "mail.example.com", Port: 587, TLS: model.TLSStart, Auth: model.AuthPassword,
		Profile: model.ProfileConsumer, Limits: model.Limits{GapMin: gap, GapMax: gap}}
	camp := &model.Campaign{Name: "c", Seed: "00", Letter: model.Letter{Subject: "s", Body: "b", Format: model.FormatText}}
	var ds []model.Delivery
	for _, to := range []string{"a@example.org", victim, "c@example.org"} {
		ds = append(ds, model.Delivery{Email: to, State: model.Queued})
	}
	for _, f := range []func() error{
		func() error { return st.SaveAccount(t.Context(), &acct) },
		func() error { return st.CreateCampaign(t.Context(), camp) },
		func() error { return st.AddDeliveries(t.Context(), camp.ID, ds) },
		func() error { return st.Freeze(t.Context(), camp.ID) },
	} {
		if err := f(); err != nil {
			t.Fatal(err)
		}
	}
	return acct, camp.ID
}

func (s *server) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	if s.due(stepConnect) {
		if s.fault == faultReset {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
		}
		<-ctx.Done()
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: ctx.Err()}
	}
	client, end := net.Pipe()
	l := &line{Conn: client, closed: make(chan struct{})}
	go s.serve(l, end)
	return l, nil
}

// result tells what became of the letter, the account and the campaign, and holds it to what must be true of each.
func (s *server) result(t *testing.T, st *store.Store, snap campaign.Snapshot, acct model.Account, camp int64) string {
	t.Helper()
	ds, err := st.Deliveries(t.Context(), model.DeliveryQuery{CampaignID: camp})
	if err != nil {
		t.Fatal(err)
	}
	letter := "not touched"
	for _, d := range ds {
		n := s.taken[d.Email]
		if n > 1 || n == 1 && d.State != model.Accepted && d.State != model.Unknown || n == 0 && d.State == model.Accepted {
			t.Errorf("%s got %d letters and is %s", d.Email, n, d.State)
		}
		if d.Email != victim {
			continue
		}
		hist, err := st.Attempts(t.Context(), d.ID)
		if err != nil {
			t.Fatal(err)
		}
		if len(hist) > 0 && s.step != stepQuit && indexOf(s.step) >= indexOf(stepMail) {
			letter = string(hist[0].State)
			if hist[0].State != d.State {
				letter += ", then " + string(d.State)
			}
		}
	}
	clock, err := st.Clock(t.Context(), acct.ID)
	if err != nil {
		t.Fatal(err)
	}
	account := "goes on"
	switch {
	case clock.State == model.ClockStopped:
		account = "stops (" + string(clock.Scope) + ")"
	case clock.State == model.ClockResting:
		account = "rests " + clock.Until.Sub(clock.At).Round(time.Minute).String() + " (" + string(clock.Scope) + ")"
		account = strings.ReplaceAll(account, "m0s", "m")
	case s.sessions > 1 || s.step == stepConnect:
		account = "connects again"
	}
	end := string(snap.State)
	if snap.Reason != "" {
		end += " (" + snap.Reason + ")"
	}
	c := snap.Counts
	if c.Accepted != everyone {
		end += fmt.Sprintf(": %d accepted", c.Accepted)
	}
	for _, x := range []struct {
		n    int
		name string
	}{{c.Unknown, "unknown"}, {c.Rejected, "rejected"}, {c.Queued, "queued"}, {c.Deferred, "deferred"}} {
		if x.n > 0 {
			end += fmt.Sprintf(", %d %s", x.n, x.name)
		}
	}
	return letter + " | " + account + " | " + end
}

func indexOf(step string) int {
	for i, s := range steps {
		if s == step {
			return i
		}
	}
	return -1
}
