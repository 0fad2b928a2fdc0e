package smtpx

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

func TestLockstep(t *testing.T) {
	cfg := serve(t, func(p *peer) {
		p.hello("8BITMIME")
		p.letter()
		p.letter()
		p.quit()
	})
	s := dial(t, cfg)
	q := newQueue(letter(t, 1), letter(t, 2))
	if err := s.Run(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	q.check(t, Accepted, Accepted)
	if r := q.res[1][0]; r.Outcomes[0].Reply.Enhanced != "2.0.0" || r.Outcomes[0].Reply.Lines[0] != "queued as 1" || r.Size != 21 {
		t.Errorf("%+v %+v", r, r.Outcomes[0].Reply)
	}
}

func TestOverlapIsOneGroup(t *testing.T) {
	cfg := serve(t, func(p *peer) {
		p.hello("PIPELINING")
		p.want("MAIL")
		p.want("RCPT")
		p.want("DATA")
		p.say("250 ok\n250 ok\n354 go\n")
		p.data()
		p.want("MAIL") // before the answer to the dot
		p.want("RCPT")
		p.want("DATA")
		p.say("250 one\n250 ok\n250 ok\n354 go\n")
		p.data()
		p.say("250 two\n")
		p.quit()
	})
	cfg.Overlap = true
	s := dial(t, cfg)
	q := newQueue(letter(t, 1), letter(t, 2))
	if err := s.Run(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	q.check(t, Accepted, Accepted)
}

func TestRecipientsApart(t *testing.T) {
	cfg := serve(t, func(p *peer) {
		p.hello("PIPELINING")
		for range 5 {
			_, _ = p.br.ReadString('\n')
		}
		p.say("250 ok\n250 ok\n550 5.1.1 nobody\n451 later\n354 go\n")
		p.data()
		p.say("250 ok\n")
	})
	r := dial(t, cfg).Send(t.Context(), letter(t, 1, "a@x.org", "b@x.org", "c@x.org"))
	for i, want := range []Status{Accepted, Permanent, Temporary} {
		if r.Outcomes[i].Status != want {
			t.Errorf("%d: %+v", i, r.Outcomes[i])
		}
	}
	if o := r.Outcomes[1]; o.Phase != PhaseRcpt || o.Reply.Enhanced != "5.1.1" {
		t.Errorf("%+v", o)
	}
}

func TestNobodyAcceptedYet354(t *testing.T) {
	cfg := serve(t, func(p *peer) {
		p.hello("PIPELINING")
		p.want("MAIL")
		p.want("RCPT")
		p.want("DATA")
		p.say("250 ok\n550 no\n354 go\n")
		p.want(".")
		p.say("554 no recipients\n")
		p.letter()
		p.quit()
	})
	s := dial(t, cfg)
	q := newQueue(letter(t, 1), letter(t, 2))
	if err := s.Run(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	q.check(t, Permanent, Accepted)
}

func TestResetBetween(t *testing.T) {
	refuse := func(p *peer) {
		p.hello("PIPELINING")
		p.want("MAIL")
		p.want("RCPT")
		p.want("DATA")
		p.say("250 ok\n550 no\n503 no recipients\n")
		p.want("RSET")
	}
	t.Run("accepted", func(t *testing.T) {
		s := dial(t, serve(t, func(p *peer) { refuse(p); p.say("250 ok\n"); p.letter(); p.quit() }))
		q := newQueue(letter(t, 1), letter(t, 2))
		if err := s.Run(t.Context(), q); err != nil {
			t.Fatal(err)
		}
		q.check(t, Permanent, Accepted)
	})
	for name, answer := range map[string]string{"502": "502 what\n", "binary": "\x00\x00\x00\x1a\x00\x00\x00\x00"} {
		t.Run(name, func(t *testing.T) {
			s := dial(t, serve(t, func(p *peer) { refuse(p); p.say(answer); p.eof() }))
			q := newQueue(letter(t, 1), letter(t, 2))
			if err := s.Run(t.Context(), q); !errors.Is(err, ErrReset) && !errors.Is(err, ErrProtocol) {
				t.Error(err)
			}
			q.check(t, Permanent, NotSent)
			if o := q.res[2][0].Outcomes[0]; o.Reply != nil {
				t.Errorf("what was said to RSET is taken for a reply to the letter: %v", o)
			}
		})
	}
}

// What comes after the final 250 changes nothing.
func TestAfterAccepted(t *testing.T) {
	for name, end := range map[string]func(*peer){
		"eof":            func(*peer) {},
		"eof at quit":    func(p *peer) { p.want("QUIT") },
		"binary at quit": func(p *peer) { p.want("QUIT"); p.say("\x00\x00\x00\x1a\x00\x00\x00\x00") },
		"421 at quit":    func(p *peer) { p.want("QUIT"); p.say("421 go away\n") },
		"silence":        func(p *peer) { p.want("QUIT"); p.eof() },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := serve(t, func(p *peer) { p.hello(); p.letter(); end(p) })
			cfg.Timeouts.Quit = 50 * time.Millisecond
			var rec recorder
			cfg.Trace = rec.add
			s := dial(t, cfg)
			if r := s.Send(t.Context(), letter(t, 1)); r.Outcomes[0].Status != Accepted || r.Outcomes[0].Err != nil {
				t.Errorf("%+v", r)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			for _, e := range rec.all {
				if e.Kind == EventError && e.Phase == PhaseQuit {
					t.Errorf("an error is shown behind success: %+v", e)
				}
			}
		})
	}
}

func TestDeathAtEachPoint(t *testing.T) {
	const ask = "MAIL RCPT DATA"
	for _, c := range []struct {
		name   string
		script func(*peer)
		want   Status
		phase  Phase
	}{
		{"at mail", func(p *peer) { p.want("MAIL") }, NotSent, PhaseMail},
		{"421 at rcpt", func(p *peer) { p.want("MAIL"); p.say("250 ok\n421 closing\n"); p.eof() }, NotSent, PhaseRcpt},
		{"before 354", func(p *peer) { envelope(p); p.say("250 ok\n250 ok\n") }, NotSent, PhaseData},
		{"421 for 354", func(p *peer) { envelope(p); p.say("250 ok\n250 ok\n421 closing\n"); p.eof() }, NotSent, PhaseData},
		{"dot unanswered", func(p *peer) { envelope(p); p.say("250 ok\n250 ok\n354 go\n"); p.data() }, Unknown, PhaseDot},
		{"half an answer", func(p *peer) { envelope(p); p.say("250 ok\n250 ok\n354 go\n"); p.data(); p.say("25") }, Unknown, PhaseDot},
		{"garbage", func(p *peer) { envelope(p); p.say("250 ok\n250 ok\n354 go\n"); p.data(); p.say("\x00\x00\x00\x1a") }, Unknown, PhaseDot},
		{"421 to the dot", func(p *peer) { envelope(p); p.say("250 ok\n250 ok\n354 go\n"); p.data(); p.say("421 later\n"); p.eof() }, Temporary, PhaseDot},
		{"two codes", func(p *peer) { p.want("MAIL"); p.say("250-ok\n251 ok\n"); p.eof() }, NotSent, PhaseMail},
		{"250 to data", func(p *peer) { envelope(p); p.say("250 ok\n250 ok\n250 ok\n"); p.eof() }, NotSent, PhaseData},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := dial(t, serve(t, func(p *peer) { p.hello("PIPELINING"); c.script(p) }))
			q := newQueue(letter(t, 1))
			if err := s.Run(t.Context(), q); err == nil {
				t.Error("no error")
			}
			q.check(t, c.want)
			if o := q.res[1][0].Outcomes[0]; o.Phase != c.phase || o.Err == nil {
				t.Errorf("%s: %+v", ask, o)
			}
		})
	}
}

func envelope(p *peer) {
	p.want("MAIL")
	p.want("RCPT")
	p.want("DATA")
}

// A server that hangs up when a reused connection asks for more has seen nothing of the letter.
func TestStale(t *testing.T) {
	s := dial(t, serve(t, func(p *peer) { p.hello(); p.letter(); p.want("MAIL") }))
	q := newQueue(letter(t, 1), letter(t, 2))
	err := s.Run(t.Context(), q)
	if !errors.Is(err, ErrStale) || !asError(t, err).Temporary() {
		t.Error(err)
	}
	q.check(t, Accepted, NotSent)
}

func TestSpokeInMidBody(t *testing.T) {
	s := dial(t, serve(t, func(p *peer) {
		p.hello("PIPELINING")
		envelope(p)
		p.say("250 ok\n250 ok\n354 go\n552 5.3.4 too big\n")
		p.eof()
	}))
	tx := letter(t, 1)
	tx.BeforeDot = func() error {
		for s.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		return nil
	}
	if o := s.Send(t.Context(), tx).Outcomes[0]; o.Status != Permanent || o.Reply.Enhanced != "5.3.4" {
		t.Errorf("%+v", o)
	}
}

func TestBeforeDotRefuses(t *testing.T) {
	for _, chunks := range []int{0, 1} {
		t.Run(fmt.Sprint(chunks), func(t *testing.T) {
			saw := make(chan string, 1)
			cfg := serve(t, func(p *peer) {
				p.hello("PIPELINING", "CHUNKING")
				if chunks == 0 {
					envelope(p)
					p.say("250 ok\n250 ok\n354 go\n")
				} else {
					p.want("MAIL")
					p.want("RCPT")
					p.say("250 ok\n250 ok\n")
				}
				b, _ := io.ReadAll(p.br)
				saw <- string(b)
			})
			cfg.ChunkWindow = chunks
			tx := letter(t, 1)
			full := errors.New("disk full")
			tx.BeforeDot = func() error { return full }
			s := dial(t, cfg)
			o := s.Send(t.Context(), tx).Outcomes[0]
			if o.Status != NotSent || !errors.Is(o.Err, full) || !errors.Is(s.Err(), ErrAborted) {
				t.Errorf("%+v", o)
			}
			if b := <-saw; strings.Contains(b, "\r\n.\r\n") || strings.Contains(b, "LAST") {
				t.Errorf("sent %q", b)
			}
		})
	}
}

func TestBodyRefused(t *testing.T) {
	for name, bad := range map[string]string{"nul": "a\x00b", "long": strings.Repeat("x", 999)} {
		t.Run(name, func(t *testing.T) {
			s := dial(t, serve(t, func(p *peer) { p.hello("PIPELINING"); envelope(p); p.say("250 ok\n250 ok\n354 go\n"); p.eof() }))
			tx := letter(t, 1)
			tx.Body = func(w io.Writer) error { _, err := io.WriteString(w, bad); return err }
			o := s.Send(t.Context(), tx).Outcomes[0]
			if o.Status != NotSent || o.Phase != PhaseBody || !errors.Is(o.Err, ErrNUL) && !errors.Is(o.Err, ErrLongLine) {
				t.Errorf("%+v", o)
			}
		})
	}
}

// Cancelling closes the connection within 100 ms wherever the session stands.
func TestCancel(t *testing.T) {
	stages := []struct {
		name   string
		script func(*peer)
		want   Status
	}{
		{"mail", func(p *peer) { p.want("MAIL") }, NotSent},
		{"rcpt", func(p *peer) { envelope(p); p.say("250 ok\n") }, NotSent},
		{"data", func(p *peer) { envelope(p); p.say("250 ok\n250 ok\n") }, NotSent},
		{"body", func(p *peer) { envelope(p); p.say("250 ok\n250 ok\n354 go\n") }, NotSent},
		{"dot", func(p *peer) { envelope(p); p.say("250 ok\n250 ok\n354 go\n"); p.data() }, Unknown},
	}
	for _, c := range stages {
		t.Run(c.name, func(t *testing.T) {
			there := make(chan struct{})
			gone := make(chan struct{})
			s := dial(t, serve(t, func(p *peer) { p.hello("PIPELINING"); c.script(p); close(there); <-gone }))
			defer close(gone)
			tx := letter(t, 1)
			if c.name == "body" {
				tx.Body = func(w io.Writer) error {
					for line := bytes.Repeat([]byte("x\r\n"), 10000); ; {
						if _, err := w.Write(line); err != nil {
							return err
						}
					}
				}
			}
			ctx, cancel := context.WithCancel(t.Context())
			q := newQueue(tx)
			end := make(chan error, 1)
			go func() { end <- s.Run(ctx, q) }()
			<-there
			time.Sleep(20 * time.Millisecond)
			cancel()
			err := promptly(t, end)
			if !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			q.check(t, c.want)
		})
	}
}

func TestCancelBetweenLettersKeepsSession(t *testing.T) {
	s := dial(t, serve(t, func(p *peer) { p.hello(); p.letter(); p.quit() }))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Run(ctx, newQueue(letter(t, 1))); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if o := s.Send(t.Context(), letter(t, 2)).Outcomes[0]; o.Status != Accepted {
		t.Errorf("%+v", o)
	}
}

func TestStall(t *testing.T) {
	cfg := serve(t, func(p *peer) { p.hello(); p.want("MAIL"); p.eof() })
	cfg.Timeouts.Mail = 30 * time.Millisecond
	s := dial(t, cfg)
	q := newQueue(letter(t, 1))
	if e := asError(t, s.Run(t.Context(), q)); !e.Timeout() || e.Phase != PhaseMail {
		t.Error(e)
	}
	q.check(t, NotSent)
}

func TestRepliesByteByByte(t *testing.T) {
	s := dial(t, serve(t, func(p *peer) {
		p.hello("PIPELINING")
		envelope(p)
		for _, c := range "250-a\r\n250 ok\n250 ok\r\n354 go\r\n" {
			p.say(string(c))
			time.Sleep(100 * time.Microsecond)
		}
		p.data()
		p.say("250 ok\n")
	}))
	if o := s.Send(t.Context(), letter(t, 1)).Outcomes[0]; o.Status != Accepted {
		t.Errorf("%+v", o)
	}
}
