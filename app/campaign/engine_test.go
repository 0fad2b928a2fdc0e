package campaign_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"hongyan/app/campaign"
	"hongyan/app/model"
	"hongyan/smtpx"
	"hongyan/smtpx/smtptest"
)

// fast is a clock that runs three hundred times as fast as the machine's: the runner's waits take moments, the real
// engine and the real server notice nothing.
type fast struct{ begun time.Time }

func (f fast) Now() time.Time { return f.begun.Add(300 * time.Since(f.begun)).Round(0) }

func (f fast) After(d time.Duration) (<-chan time.Time, func()) {
	t := time.NewTimer(d / 300)
	return t.C, func() { t.Stop() }
}

// engines are the ways in which the engine speaks.
var engines = map[string]smtpx.Config{
	"lockstep":   {NoPipelining: true},
	"pipelining": {},
	"overlap":    {Overlap: true},
	"chunks":     {Overlap: true, ChunkWindow: 1},
	"window":     {ChunkWindow: 8},
}

// TestTheRealEngine drives the real engine and a real journal through a server that ends connections at every step,
// that asks to wait, and that refuses people: nobody twice, nobody forgotten, and everybody's fate is known or in doubt.
func TestTheRealEngine(t *testing.T) {
	for name, engine := range engines {
		for _, mood := range []smtptest.Mood{smtptest.DropLine, smtptest.RefuseTenth} {
			if engine.ChunkWindow > 1 && mood == smtptest.RefuseTenth {
				// Envelopes that are under way behind a letter of which every recipient is refused are refused
				// themselves ("nested MAIL"): a wide window is for recipients who are known.
				continue
			}
			t.Run(fmt.Sprintf("%s %s", name, mood), func(t *testing.T) {
				t.Parallel()
				w := worldIn(t, t.Context(), t.TempDir())
				defer func() { _ = w.st.Close() }()
				clk := fast{time.Now().Round(0)}
				w.acc = campaign.NewAccounts(w.st, clk)
				srv, err := smtptest.Start(smtptest.Options{TLS: smtpx.TLSNone, NoAuth: true, Mood: mood, Log: filepath.Join(t.TempDir(), "log")})
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = srv.Close() }()
				a := w.account("a", model.Limits{Connections: 3})
				a.Profile = model.ProfileRelay
				id := w.campaign("c", 150, model.Schedule{})
				cfg := w.config(id, a)
				cfg.Clock = clk
				cfg.Dial = func(ctx context.Context, a model.Account, n int64, trace func(smtpx.Event)) (campaign.Session, error) {
					c := engine
					c.Host, c.Port, c.TLS, c.ConnID, c.Trace = "127.0.0.1", srv.Port(), smtpx.TLSNone, n, trace
					s, err := smtpx.Dial(ctx, &c)
					if err != nil {
						return nil, err
					}
					return s, nil
				}
				r := campaign.New(cfg)
				done := make(chan error, 1)
				go func() { done <- r.Run(t.Context()) }()
				select {
				case err = <-done:
				case <-time.After(30 * time.Second):
					r.Stop()
					r.Stop()
					err = errors.Join(errors.New("it does not end"), <-done)
				}
				if s := r.Snapshot(); err != nil || s.State != model.CampaignDone {
					t.Fatalf("error %v, %+v", err, s)
				}
				checkFates(t, w, id, srv, mood)
			})
		}
	}
}

func checkFates(t *testing.T, w *world, id int64, srv *smtptest.Server, mood smtptest.Mood) {
	got, err := srv.CountByRecipient()
	if err != nil {
		t.Fatal(err)
	}
	n := w.counts(id)
	for to, d := range w.rows(id) {
		switch k := got[to]; {
		case k > 1:
			t.Errorf("%s got %d letters", to, k)
		case k == 1 && d.State != model.Accepted && d.State != model.Unknown:
			t.Errorf("%s was reached and is %s", to, d.State)
		case k == 0 && d.State == model.Accepted:
			t.Errorf("%s is accepted and got nothing", to)
		}
	}
	if n.Left() != 0 || n.Skipped != 0 {
		t.Errorf("%+v", n)
	}
	switch mood {
	case smtptest.RefuseTenth:
		// A machine that stalls looks to a fast clock as if it had slept: then letters are withdrawn and tried again.
		if n.Unknown != 0 || n.Rejected < 15 || n.Rejected > 25 {
			t.Errorf("%+v, want about every tenth rejected", n)
		}
	default:
		if n.Rejected != 0 || n.Unknown == 0 {
			t.Errorf("%+v, want some unknown, and nobody rejected for a line that was cut", n)
		}
	}
}
