package smtpx

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

const binary = "\x00\x00\x00\x1a\x00\x00\x00\x00" // what QQ and 163 say to QUIT and RSET

// 421 at any place of a pipeline with overlap: what was accepted stays so, what had no terminator was not sent.
func Test421InMidPipeline(t *testing.T) {
	const ok = "250 ok\n"
	for _, c := range []struct {
		name    string
		answers string // to the dot of the first letter and the envelope of the second
		want    []Status
		phase   Phase // of the second
	}{
		{"for the dot", "421 4.3.2 closing\n", []Status{Temporary, NotSent}, PhaseMail},
		{"at MAIL", ok + "421 4.7.0 closing\n", []Status{Accepted, NotSent}, PhaseMail},
		{"at RCPT", ok + ok + "421 4.7.0 closing\n", []Status{Accepted, NotSent}, PhaseRcpt},
		{"at DATA", ok + ok + ok + "421 4.7.0 closing\n", []Status{Accepted, NotSent}, PhaseData},
		{"and then replies as if nothing were", ok + "421 4.7.0 closing\n" + ok + "354 go\n", []Status{Accepted, NotSent}, PhaseMail},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := serve(t, func(p *peer) {
				p.hello("PIPELINING")
				envelope(p)
				p.say("250 ok\n250 ok\n354 go\n")
				p.data()
				envelope(p)
				p.say(c.answers)
				p.eof()
			})
			cfg.Overlap = true
			q := newQueue(letter(t, 1), letter(t, 2))
			if e := asError(t, dial(t, cfg).Run(t.Context(), q)); e.Reply == nil || e.Reply.Code != 421 || !e.Temporary() {
				t.Error(e)
			}
			q.check(t, c.want...)
			if o := q.res[2][0].Outcomes[0]; o.Reply == nil || o.Reply.Code != 421 || o.Phase != c.phase {
				t.Errorf("%+v", o)
			}
		})
	}
}

// EOF between the dot and its 250, with the next envelope under way: one letter is in doubt, and only that one.
func TestDotUnansweredUnderOverlap(t *testing.T) {
	cfg := serve(t, func(p *peer) {
		p.hello("PIPELINING")
		p.letter()
		for range 3 {
			p.want("")
		}
		p.say("250 ok\n250 ok\n354 go\n")
		p.data()
		envelope(p)
	})
	cfg.Overlap = true
	q := newQueue(letter(t, 1), letter(t, 2), letter(t, 3))
	if err := dial(t, cfg).Run(t.Context(), q); err == nil {
		t.Error("no error")
	}
	q.check(t, Accepted, Unknown, NotSent)
}

// A refused letter does not take the next one with it when both are in the pipeline, and nothing overlaps a letter
// once one was refused, until one is accepted again.
func TestRefusedUnderOverlap(t *testing.T) {
	cfg := serve(t, func(p *peer) {
		p.hello("PIPELINING")
		envelope(p)
		p.say("250 ok\n250 ok\n354 go\n")
		p.data()
		envelope(p) // overlapped
		p.say("554 5.7.1 spam\n250 ok\n250 ok\n354 go\n")
		p.data()
		p.silent() // the third waits
		p.say("250 ok\n")
		envelope(p)
		p.say("250 ok\n250 ok\n354 go\n")
		p.data()
		envelope(p) // overlapped again
		p.say("250 ok\n550 no\n250 ok\n503 nobody\n")
		p.quit()
	})
	cfg.Overlap = true
	q := newQueue(letter(t, 1), letter(t, 2), letter(t, 3), letter(t, 4))
	if err := dial(t, cfg).Run(t.Context(), q); err != nil {
		t.Error(err)
	}
	q.check(t, Permanent, Accepted, Accepted, Permanent)
	if o := q.res[4][0].Outcomes[0]; o.Phase != PhaseMail || o.Reply.Code != 550 {
		t.Errorf("%+v", o)
	}
}

// Without a grant there is no overlap: pause and limits stay with the caller.
func TestNoGrantNoOverlap(t *testing.T) {
	cfg := serve(t, func(p *peer) {
		p.hello("PIPELINING")
		envelope(p)
		p.say("250 ok\n250 ok\n354 go\n")
		p.data()
		p.silent()
		p.say("250 ok\n")
		p.quit()
	})
	cfg.Overlap = true
	g := &gated{queue: newQueue(letter(t, 1)), gate: make(chan struct{})}
	close(g.gate)
	if err := dial(t, cfg).Run(t.Context(), g); err != nil {
		t.Error(err)
	}
	g.check(t, Accepted)
}

// MAIL refused, whatever follows: it is MAIL's reply that counts.
func TestMailRefused(t *testing.T) {
	for _, c := range []struct {
		rest string
		want error
	}{{"503 no MAIL\n503 no MAIL\n", nil}, {"250 ok\n503 no\n", nil}, {"503 no\n354 go\n", nil}, {"250 ok\n354 go\n", ErrProtocol}} {
		s := dial(t, serve(t, func(p *peer) {
			p.hello("PIPELINING")
			envelope(p)
			p.say("553 5.7.1 Mail from must equal authorized user\n" + c.rest)
			if strings.HasSuffix(c.rest, "354 go\n") && c.want == nil {
				p.want(".")
				p.say("554 no\n")
			}
			_, _ = p.br.ReadString('\n')
		}))
		r := s.Send(t.Context(), letter(t, 1))
		if o := r.Outcomes[0]; o.Status != Permanent || o.Phase != PhaseMail || o.Reply.Code != 553 {
			t.Errorf("%q: %+v", c.rest, o)
		}
		if !errors.Is(s.Err(), c.want) {
			t.Errorf("%q: %v", c.rest, s.Err())
		}
	}
}

// DATA refused after recipients were taken: RSET goes in front of the next envelope, in the same write.
func TestDataRefused(t *testing.T) {
	s := dial(t, serve(t, func(p *peer) {
		p.hello("PIPELINING")
		envelope(p)
		p.say("250 ok\n250 ok\n451 4.3.0 later\n")
		p.want("RSET")
		envelope(p)
		p.say("250 ok\n250 ok\n250 ok\n354 go\n")
		p.data()
		p.say("250 ok\n")
		p.quit()
	}))
	q := newQueue(letter(t, 1), letter(t, 2))
	if err := s.Run(t.Context(), q); err != nil {
		t.Error(err)
	}
	q.check(t, Temporary, Accepted)
	if o := q.res[1][0].Outcomes[0]; o.Phase != PhaseData || o.Reply.Enhanced != "4.3.0" {
		t.Errorf("%+v", o)
	}
}

// After success there is no RSET and no NOOP, which some servers do not know or count.
func TestNothingBetweenLetters(t *testing.T) {
	for _, overlap := range []bool{false, true} {
		var rec recorder
		cfg := serve(t, func(p *peer) {
			p.hello("PIPELINING")
			for range 5 {
				p.letter()
			}
			p.quit()
		})
		cfg.Overlap, cfg.Trace = overlap, rec.add
		s := dial(t, cfg)
		q := newQueue(letter(t, 1), letter(t, 2), letter(t, 3), letter(t, 4), letter(t, 5))
		if err := s.Run(t.Context(), q); err != nil {
			t.Error(err)
		}
		q.check(t, Accepted, Accepted, Accepted, Accepted, Accepted)
		_ = s.Close()
		for _, e := range rec.all {
			if e.Kind == EventCommand && (e.Text == "RSET" || e.Text == "NOOP") {
				t.Errorf("%+v", e)
			}
		}
	}
}

// Replies that nobody asked for.
func TestUnsolicited(t *testing.T) {
	for _, c := range []struct {
		name, say string
		code      int
		is        error
	}{
		{"421 while idle", "421 4.4.2 timeout\n", 421, ErrUnsolicited},
		{"250 while idle", "250 surprise\n", 250, ErrUnsolicited},
		{"binary while idle", binary, 0, ErrProtocol},
		{"EOF while idle", "", 0, ErrStale},
	} {
		t.Run(c.name, func(t *testing.T) {
			var rec recorder
			cfg := serve(t, func(p *peer) {
				p.hello("PIPELINING")
				p.letter()
				p.say(c.say)
				if c.say != "" {
					p.eof()
				}
			})
			cfg.Trace = rec.add
			s := dial(t, cfg)
			if o := s.Send(t.Context(), letter(t, 1)).Outcomes[0]; o.Status != Accepted {
				t.Errorf("%+v", o)
			}
			waitDead(t, s)
			q := newQueue(letter(t, 2))
			e := asError(t, s.Run(t.Context(), q))
			if !errors.Is(e, c.is) || (e.Reply == nil) != (c.code == 0) || c.code != 0 && e.Reply.Code != c.code {
				t.Error(e)
			}
			if len(q.list) != 1 {
				t.Error("a letter was taken for a session that is dead")
			}
			if c.code != 0 && !strings.Contains(rec.text(), fmt.Sprint(" ", c.code, " ")) {
				t.Errorf("not in the trace:\n%s", rec.text())
			}
		})
	}
}

func waitDead(t *testing.T, s *Session) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.settled {
		s.cond.Wait()
	}
}

// Every reply may be 1 MB long, or never end; the session ends, and says what it was about.
func TestEndlessReplies(t *testing.T) {
	long := map[string]string{"line": "250 " + strings.Repeat("x", 1<<20), "lines": strings.Repeat("250-x\n", 200000) + "250 x\n"}
	for name, say := range long {
		for _, c := range []struct {
			before string
			want   Status
			phase  Phase
		}{{"", NotSent, PhaseMail}, {"250 ok\n", NotSent, PhaseRcpt}, {"250 ok\n250 ok\n354 go\n", Unknown, PhaseDot}} {
			s := dial(t, serve(t, func(p *peer) {
				p.hello("PIPELINING")
				envelope(p)
				p.say(c.before)
				if c.want == Unknown {
					p.data()
				}
				p.say(say)
			}))
			o := s.Send(t.Context(), letter(t, 1)).Outcomes[0]
			if o.Status != c.want || o.Phase != c.phase || !errors.Is(o.Err, ErrProtocol) {
				t.Errorf("%s after %q: %+v", name, c.before, o)
			}
		}
	}
}

// The deadline of each phase holds, names the phase, and starts anew at each reply.
func TestStallInEachPhase(t *testing.T) {
	const d = 60 * time.Millisecond
	for _, c := range []struct {
		name   string
		script func(*peer)
		adjust func(*Config)
		want   Status
		phase  Phase
	}{
		{"mail", func(p *peer) { envelope(p) }, func(c *Config) { c.Timeouts.Mail = d }, NotSent, PhaseMail},
		{"rcpt", func(p *peer) { envelope(p); p.say("250 ok\n") }, func(c *Config) { c.Timeouts.Rcpt = d }, NotSent, PhaseRcpt},
		{"data", func(p *peer) { envelope(p); p.say("250 ok\n250 ok\n") }, func(c *Config) { c.Timeouts.Data = d }, NotSent, PhaseData},
		{"half a reply", func(p *peer) { envelope(p); p.say("250 ok\n250 ok\n354") }, func(c *Config) { c.Timeouts.Data = d }, NotSent, PhaseData},
		{"body", func(p *peer) { envelope(p); p.say("250 ok\n250 ok\n354 go\n") }, func(c *Config) { c.Timeouts.BodyStall = d }, NotSent, PhaseBody},
		{"dot", func(p *peer) { envelope(p); p.say("250 ok\n250 ok\n354 go\n"); p.data() }, func(c *Config) { c.Timeouts.Dot = d }, Unknown, PhaseDot},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			stop := make(chan struct{})
			cfg := serve(t, func(p *peer) { p.hello("PIPELINING"); c.script(p); <-stop })
			c.adjust(cfg)
			tx := letter(t, 1)
			if c.phase == PhaseBody {
				tx.Body = endless
			}
			s := dial(t, cfg)
			q := newQueue(tx)
			begin := time.Now()
			e := asError(t, s.Run(t.Context(), q))
			took := time.Since(begin)
			close(stop)
			if !e.Timeout() || e.Phase != c.phase {
				t.Errorf("%v: %v", e.Phase, e)
			}
			if took < d || took > 5*time.Second {
				t.Errorf("took %v", took)
			}
			q.check(t, c.want)
			if o := q.res[1][0].Outcomes[0]; o.Phase != c.phase || o.Err == nil {
				t.Errorf("%+v", o)
			}
		})
	}
}

func endless(w io.Writer) error {
	line := strings.Repeat("x\r\n", 10000)
	for {
		if _, err := io.WriteString(w, line); err != nil {
			return err
		}
	}
}

// Waiting for the answer to the dot is not cut short by the deadlines of other phases.
func TestDotHasItsOwnPatience(t *testing.T) {
	const d = 40 * time.Millisecond
	cfg := serve(t, func(p *peer) {
		p.hello("PIPELINING")
		envelope(p)
		p.say("250 ok\n250 ok\n354 go\n")
		p.data()
		time.Sleep(3 * d)
		p.say("250 ok\n")
		p.quit()
	})
	cfg.Timeouts = Timeouts{Mail: d, Rcpt: d, Data: d, BodyStall: d}
	if o := dial(t, cfg).Send(t.Context(), letter(t, 1)).Outcomes[0]; o.Status != Accepted {
		t.Errorf("%+v", o)
	}
	if got := (Timeouts{}).withDefaults(); got.Dot != 600*time.Second || got.Connect != 15*time.Second || got.Quit != 2*time.Second {
		t.Errorf("%+v", got)
	}
}

// A letter that is refused in mid-body ends there, however much of it is left.
func TestRefusedInMidBody(t *testing.T) {
	s := dial(t, serve(t, func(p *peer) {
		p.hello("PIPELINING")
		envelope(p)
		p.say("250 ok\n250 ok\n354 go\n")
		p.want("x")
		p.say("552 5.3.4 too big\n")
	}))
	tx := letter(t, 1)
	tx.Body = endless
	if o := s.Send(t.Context(), tx).Outcomes[0]; o.Status != Permanent || o.Reply.Code != 552 || o.Phase != PhaseBody {
		t.Errorf("%+v", o)
	}
}

// The server goes in mid-body: the letter was surely not sent.
func TestEOFInMidBody(t *testing.T) {
	s := dial(t, serve(t, func(p *peer) {
		p.hello("PIPELINING")
		envelope(p)
		p.say("250 ok\n250 ok\n354 go\n")
		p.want("x")
	}))
	tx := letter(t, 1)
	tx.Body = endless
	if o := s.Send(t.Context(), tx).Outcomes[0]; o.Status != NotSent || o.Phase != PhaseBody || o.Err == nil {
		t.Errorf("%+v", o)
	}
}

// Cancelled after 354, nothing that ends the letter leaves.
func TestStopAfter354(t *testing.T) {
	saw := make(chan string, 1)
	s := dial(t, serve(t, func(p *peer) {
		p.hello("PIPELINING")
		envelope(p)
		p.say("250 ok\n250 ok\n354 go\n")
		b, _ := io.ReadAll(p.br)
		saw <- string(b)
	}))
	ctx, cancel := context.WithCancel(t.Context())
	tx := letter(t, 1)
	tx.BeforeDot = func() error {
		cancel()
		waitClosed(s)
		return nil
	}
	q := newQueue(tx)
	if err := s.Run(ctx, q); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	q.check(t, NotSent)
	if b := <-saw; !strings.HasSuffix(b, "hello\r\n") || strings.Contains(b, "\r\n.\r\n") {
		t.Errorf("sent %q", b)
	}
}

// waitClosed waits until the session knows that it is over.
func waitClosed(s *Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.dead == nil {
		s.cond.Wait()
	}
}

// One session, one source: a second Run is told so, and Close ends the first.
func TestBusyAndClose(t *testing.T) {
	begun := make(chan struct{})
	s := dial(t, serve(t, func(p *peer) { p.hello("PIPELINING"); envelope(p); close(begun); p.eof() }))
	q := newQueue(letter(t, 1))
	end := make(chan error, 1)
	go func() { end <- s.Run(t.Context(), q) }()
	<-begun
	if err := s.Run(t.Context(), newQueue()); !errors.Is(err, ErrBusy) {
		t.Error(err)
	}
	if o := s.Send(t.Context(), letter(t, 2)).Outcomes[0]; o.Status != NotSent || !errors.Is(o.Err, ErrBusy) {
		t.Errorf("%+v", o)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-end; !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	q.check(t, NotSent)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if o := s.Send(t.Context(), letter(t, 3)).Outcomes[0]; o.Status != NotSent || !errors.Is(o.Err, ErrClosed) {
		t.Errorf("%+v", o)
	}
}

// A source that waits is woken when the server goes.
func TestIdleServerGoes(t *testing.T) {
	hang := make(chan struct{})
	s := dial(t, serve(t, func(p *peer) { p.hello("PIPELINING"); p.letter(); <-hang }))
	g := &gated{queue: newQueue(letter(t, 1), letter(t, 2)), gate: make(chan struct{})}
	g.queue.list[0].Done = nil
	end := make(chan error, 1)
	go func() { end <- s.Run(t.Context(), g) }()
	for s.Sent() == 0 {
		time.Sleep(time.Millisecond)
	}
	close(hang)
	if err := <-end; !errors.Is(err, ErrStale) {
		t.Error(err)
	}
}
