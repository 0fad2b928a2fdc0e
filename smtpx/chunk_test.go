package smtpx

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"
)

func chunkConfig(t *testing.T, window int, script func(*peer)) *Config {
	cfg := serve(t, func(p *peer) { p.hello("PIPELINING", "CHUNKING"); script(p) })
	cfg.ChunkWindow = window
	return cfg
}

// One round trip a letter: envelope, chunk and octets leave in one write.
func TestChunkingIsOneWrite(t *testing.T) {
	var cc *countingConn
	cfg := chunkConfig(t, 1, func(p *peer) {
		for range 2 {
			if got := p.chunks(); !strings.HasSuffix(got, "hello\r\n") {
				p.t.Errorf("server: %q", got)
			}
		}
		p.quit()
	})
	cfg.Dial = wrapDial(to(cfg), &cc)
	s := dial(t, cfg)
	before := len(cc.writes)
	q := newQueue(letter(t, 1), letter(t, 2))
	if err := s.Run(t.Context(), q); err != nil {
		t.Error(err)
	}
	q.check(t, Accepted, Accepted)
	if got := cc.writes[before:]; len(got) != 2 || !strings.HasPrefix(got[0], "MAIL") || !strings.HasSuffix(got[0], "BDAT 21 LAST\r\nSubject: 1\r\n\r\nhello\r\n") {
		t.Errorf("%q", got)
	}
}

// A long letter is cut into chunks; dots are not stuffed and binary lines stay lines.
func TestChunks(t *testing.T) {
	body := strings.Repeat(".one line of the letter\r\n", 10000)
	for _, pipelining := range []bool{true, false} {
		ext := []string{"CHUNKING"}
		if pipelining {
			ext = append(ext, "PIPELINING")
		}
		cfg := serve(t, func(p *peer) {
			p.hello(ext...)
			p.want("MAIL")
			p.say("250 ok\n")
			p.want("RCPT")
			p.say("250 ok\n")
			var got bytes.Buffer
			for {
				b, last := p.chunk()
				got.WriteString(b)
				if len(b) > chunkSize || !last && len(b) < chunkSize {
					p.t.Errorf("server: chunk of %d", len(b))
				}
				if !pipelining {
					p.silent()
				}
				p.say("250 ok\n")
				if last {
					break
				}
			}
			if got.String() != body {
				p.t.Errorf("server: %d octets, want %d", got.Len(), len(body))
			}
			p.quit()
		})
		cfg.ChunkWindow = 16
		tx := letter(t, 1)
		tx.Body = func(w io.Writer) error { _, err := io.WriteString(w, body); return err }
		if r := dial(t, cfg).Send(t.Context(), tx); r.Outcomes[0].Status != Accepted || r.Size != int64(len(body)) {
			t.Errorf("%v: %+v", pipelining, r)
		}
	}
}

// With a window, letters leave before the answers to those ahead.
func TestChunkWindow(t *testing.T) {
	const window = 4
	take := func(p *peer, first bool) {
		if !first {
			p.want("RSET")
		}
		p.want("MAIL")
		p.want("RCPT")
		_, _ = p.chunk()
	}
	cfg := chunkConfig(t, window, func(p *peer) {
		for i := range window {
			take(p, i == 0)
		}
		p.silent()
		p.say("250 ok\n250 ok\n250 one\n")
		take(p, false)
		p.say(strings.Repeat("250 ok\n", 4*(window-1)))
		p.say("250 ok\n250 ok\n550 no\n554 no recipients\n")
		p.quit()
	})
	s := dial(t, cfg)
	q := newQueue(letter(t, 1), letter(t, 2), letter(t, 3), letter(t, 4), letter(t, 5))
	if err := s.Run(t.Context(), q); err != nil {
		t.Error(err)
	}
	q.check(t, Accepted, Accepted, Accepted, Accepted, Permanent)
}

// A server that offers CHUNKING and knows no BDAT gets the same letters by DATA, and the caller can remember it.
func TestChunkingFallsBack(t *testing.T) {
	for _, answer := range []string{"502 5.5.1 what\n", "500 what\n", "503 what\n", "504 what\n"} {
		cfg := chunkConfig(t, 1, func(p *peer) {
			p.want("MAIL")
			p.want("RCPT")
			_, _ = p.chunk()
			p.say("250 ok\n250 ok\n" + answer)
			p.want("RSET")
			p.say("250 ok\n")
			p.letter()
			p.quit()
		})
		s := dial(t, cfg)
		q := newQueue(letter(t, 1), letter(t, 2))
		if err := s.Run(t.Context(), q); err != nil {
			t.Error(err)
		}
		q.check(t, NotSent, Accepted)
		if o := q.res[1][0].Outcomes[0]; !errors.Is(o.Err, ErrChunking) || o.Reply != nil || asError(t, o.Err).Reply == nil || !s.ChunkingFailed() {
			t.Errorf("%+v", o)
		}
	}
	// That nobody is there to get the letter is not a refusal of BDAT.
	for _, answers := range []string{"250 ok\n550 nobody\n503 no recipients\n", "553 not you\n503 no MAIL\n502 no MAIL\n"} {
		s := dial(t, chunkConfig(t, 1, func(p *peer) {
			p.want("MAIL")
			p.want("RCPT")
			_, _ = p.chunk()
			p.say(answers)
			p.quit()
		}))
		if o := s.Send(t.Context(), letter(t, 1)).Outcomes[0]; o.Status != Permanent || s.ChunkingFailed() {
			t.Errorf("%q: %v, CHUNKING given up: %v", answers, o, s.ChunkingFailed())
		}
	}
	// A refusal of the letter is not one of BDAT.
	s := dial(t, chunkConfig(t, 1, func(p *peer) {
		p.want("MAIL")
		p.want("RCPT")
		_, _ = p.chunk()
		p.say("250 ok\n250 ok\n550 5.7.1 spam\n")
		p.want("RSET")
		p.say("250 ok\n")
		_ = p.chunks()
		p.quit()
	}))
	q := newQueue(letter(t, 1), letter(t, 2))
	if err := s.Run(t.Context(), q); err != nil {
		t.Error(err)
	}
	q.check(t, Permanent, Accepted)
	if s.ChunkingFailed() {
		t.Error("CHUNKING was given up")
	}
}

// A server that never answers BDAT, as some Exchange does: the letter is unknown, and CHUNKING is given up.
func TestChunkingStalls(t *testing.T) {
	cfg := chunkConfig(t, 1, func(p *peer) {
		p.want("MAIL")
		p.want("RCPT")
		_, _ = p.chunk()
		p.say("250 ok\n250 ok\n")
		p.eof()
	})
	cfg.Timeouts.Dot = 50 * time.Millisecond
	s := dial(t, cfg)
	q := newQueue(letter(t, 1))
	if e := asError(t, s.Run(t.Context(), q)); !e.Timeout() || e.Phase != PhaseDot {
		t.Error(e)
	}
	q.check(t, Unknown)
	if !s.ChunkingFailed() {
		t.Error("CHUNKING would be tried again")
	}
}

// A server that refuses the first of many chunks is not sent the rest.
func TestChunkRefusedMidway(t *testing.T) {
	for _, c := range []struct {
		answers string
		want    Status
	}{{"250 ok\n250 ok\n552 5.3.4 too big\n", Permanent}, {"250 ok\n550 5.1.1 nobody\n554 no recipients\n", Permanent}, {"250 ok\n250 ok\n452 4.3.1 full\n", Temporary}, {"250 ok\n250 ok\n502 what\n", NotSent}} {
		refused := make(chan struct{})
		cfg := chunkConfig(t, 1, func(p *peer) {
			p.want("MAIL")
			p.want("RCPT")
			_, last := p.chunk()
			p.say(c.answers)
			close(refused)
			for line := p.want(""); line != "RSET"; line = p.want("") { // chunks that were on their way
				var n int64
				if _, err := fmt.Sscanf(line, "BDAT %d", &n); err != nil || last || strings.Contains(line, "LAST") {
					p.t.Errorf("server: %q", line)
					return
				}
				_, _ = io.CopyN(io.Discard, p.br, n)
				p.say("503 no\n")
			}
			p.say("250 ok\n")
			if c.want == NotSent {
				p.letter()
			} else {
				_ = p.chunks()
			}
			p.quit()
		})
		s := dial(t, cfg)
		tx := letter(t, 1)
		lines := 0
		tx.Body = func(w io.Writer) error {
			for ; lines < 100000; lines++ {
				if lines == 8000 { // the first chunk is out
					<-refused
					for !s.refusedChunk() {
						runtime.Gosched()
					}
				}
				if _, err := io.WriteString(w, "one line of a very long letter\r\n"); err != nil {
					return err
				}
			}
			return nil
		}
		q := newQueue(tx, letter(t, 2))
		if err := s.Run(t.Context(), q); err != nil {
			t.Error(err)
		}
		q.check(t, c.want, Accepted)
		if lines == 100000 {
			t.Error("the whole letter was written")
		}
	}
}

func (s *Session) refusedChunk() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.active) > 0 && s.active[0].first != nil
}

// A letter that cannot be made is dropped before its last chunk, and the session goes on.
func TestChunkedBodyRefused(t *testing.T) {
	cfg := chunkConfig(t, 1, func(p *peer) {
		p.want("MAIL")
		p.want("RCPT")
		p.say("250 ok\n250 ok\n")
		p.want("RSET")
		p.say("250 ok\n")
		_ = p.chunks()
		p.quit()
	})
	bad := letter(t, 1)
	bad.Body = func(w io.Writer) error { _, err := io.WriteString(w, "a\x00b"); return err }
	q := newQueue(bad, letter(t, 2))
	if err := dial(t, cfg).Run(t.Context(), q); err != nil {
		t.Error(err)
	}
	q.check(t, NotSent, Accepted)
	if o := q.res[1][0].Outcomes[0]; !errors.Is(o.Err, ErrNUL) || o.Phase != PhaseBody {
		t.Errorf("%+v", o)
	}
}

// When a connection dies under a window of letters, each that was wholly sent is unknown.
func TestChunkWindowDies(t *testing.T) {
	for _, c := range []struct {
		answers string
		want    []Status
	}{
		{"", []Status{Unknown, Unknown, Unknown}},
		{"250 ok\n250 ok\n250 done\n250 ok\n250 ok\n", []Status{Accepted, Unknown, Unknown}},
		{"250 ok\n250 ok\n421 4.7.0 too many\n", []Status{Temporary, Unknown, Unknown}},
		{"250 ok\n550 no\n554 none\n250 ok\n250 ok\n550 no\n554 none\n", []Status{Permanent, Permanent, Unknown}},
	} {
		cfg := chunkConfig(t, 3, func(p *peer) {
			for i := range 3 {
				if i > 0 {
					p.want("RSET")
				}
				p.want("MAIL")
				p.want("RCPT")
				_, _ = p.chunk()
			}
			p.say(c.answers)
		})
		q := newQueue(letter(t, 1), letter(t, 2), letter(t, 3))
		if err := dial(t, cfg).Run(t.Context(), q); err == nil {
			t.Error("no error")
		}
		q.check(t, c.want...)
	}
}

// gated is a Source whose second letter comes only when the test says so.
type gated struct {
	*queue
	gate chan struct{}
	n    int
}

func (g *gated) Next(ctx context.Context, wait bool) (*Transaction, error) {
	if g.n++; g.n > 1 {
		if !wait {
			return nil, nil
		}
		select {
		case <-g.gate:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return g.queue.Next(ctx, wait)
}

// A letter does not wait for company: with nothing granted behind it, it leaves.
func TestWindowDoesNotHoldBack(t *testing.T) {
	for _, window := range []int{0, 16} {
		taken := make(chan struct{})
		cfg := chunkConfig(t, window, func(p *peer) {
			if window == 0 {
				p.letter()
			} else {
				_ = p.chunks()
			}
			close(taken)
			if window == 0 {
				p.letter()
			} else {
				_ = p.chunks()
			}
			p.quit()
		})
		cfg.Overlap = true
		g := &gated{queue: newQueue(letter(t, 1), letter(t, 2)), gate: make(chan struct{})}
		go func() { <-taken; close(g.gate) }()
		if err := dial(t, cfg).Run(t.Context(), g); err != nil {
			t.Error(err)
		}
		g.check(t, Accepted, Accepted)
	}
}

// After a pause the envelope is answered before the letter leaves: a connection that was lost in the meantime, behind
// a router that forgot it, must not make its fate unknown.
func TestChunkingAsksAfterAPause(t *testing.T) {
	s := dial(t, chunkConfig(t, 1, func(p *peer) {
		_ = p.chunks()
		p.want("MAIL")
		p.want("RCPT")
		p.silent()
	}))
	if o := s.Send(t.Context(), letter(t, 1)).Outcomes[0]; o.Status != Accepted {
		t.Errorf("%+v", o)
	}
	s.mu.Lock()
	s.heard = s.heard.Add(-2 * suspicious)
	s.mu.Unlock()
	if o := s.Send(t.Context(), letter(t, 2)).Outcomes[0]; o.Status != NotSent || !errors.Is(o.Err, ErrStale) {
		t.Errorf("%+v", o)
	}
}

// A letter whose MAIL was answered by 421 was not taken, although all of it had left.
func TestChunked421(t *testing.T) {
	s := dial(t, chunkConfig(t, 1, func(p *peer) {
		p.want("MAIL")
		p.want("RCPT")
		_, _ = p.chunk()
		p.say("421 4.7.0 Maximum message count per session reached\n")
	}))
	if o := s.Send(t.Context(), letter(t, 1)).Outcomes[0]; o.Status != NotSent || o.Reply == nil || o.Reply.Code != 421 {
		t.Errorf("%+v", o)
	}
}

// A server that is busy with one letter need not read the next one meanwhile.
func TestWindowWaitsForABusyServer(t *testing.T) {
	const stall = 40 * time.Millisecond
	cfg := chunkConfig(t, 2, func(p *peer) {
		p.want("MAIL")
		p.want("RCPT")
		_, _ = p.chunk()
		time.Sleep(4 * stall)
		p.say("250 ok\n250 ok\n250 one\n")
		_ = p.chunks()
		p.quit()
	})
	cfg.Timeouts.BodyStall = stall
	long := letter(t, 2)
	line := strings.Repeat("x", 998) + "\n"
	long.Body = func(w io.Writer) error {
		for range 16 << 10 { // more than the buffers of the system hold
			if _, err := io.WriteString(w, line); err != nil {
				return err
			}
		}
		return nil
	}
	q := newQueue(letter(t, 1), long)
	if err := dial(t, cfg).Run(t.Context(), q); err != nil {
		t.Error(err)
	}
	q.check(t, Accepted, Accepted)
}
