package smtpx

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// The writer reads for itself while it waits. Whatever else it does, somebody must hear the server: these tests keep it
// busy at one place after the other.

// sending runs a session with a source in the background.
func sending(t *testing.T, ctx context.Context, s *Session, src Source) <-chan error { //nolint:revive // t goes first here
	t.Helper()
	end := make(chan error, 1)
	go func() { end <- s.Run(ctx, src) }()
	return end
}

// TestCancelWhileABodyIsMade: the session ends although the writer is in the middle of a letter.
func TestCancelWhileABodyIsMade(t *testing.T) {
	cfg := serve(t, func(p *peer) { p.hello("PIPELINING"); envelope(p); p.say("250 ok\n250 ok\n354 go\n"); p.eof() })
	ctx, cancel := context.WithCancel(t.Context())
	s, tx := dial(t, cfg), letter(t, 1)
	tx.Body = func(io.Writer) error { cancel(); waitClosed(s); return nil }
	q := newQueue(tx)
	if err := promptly(t, sending(t, ctx, s, q)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	q.check(t, NotSent)
}

// TestGoodbyeBehind354: a server that says why it goes, and resets the line before the body is written, is heard.
func TestGoodbyeBehind354(t *testing.T) {
	gone := make(chan struct{})
	cfg := serve(t, func(p *peer) {
		p.hello("PIPELINING")
		envelope(p)
		p.say("250 ok\n250 ok\n354 go\n")
		p.say("421 4.3.2 going down\n")
		_ = p.c.Close()
		close(gone)
	})
	tx := letter(t, 1)
	tx.Body = func(w io.Writer) error {
		<-gone
		for range 50 { // the first write may be taken by the system, the next ones bring an error
			if _, err := w.Write(bytes.Repeat([]byte("x\r\n"), 20<<10)); err != nil {
				return err
			}
			time.Sleep(time.Millisecond)
		}
		return nil
	}
	q := newQueue(tx)
	err := promptly(t, sending(t, t.Context(), dial(t, cfg), q))
	if e := asError(t, err); e.Reply == nil || e.Reply.Code != 421 {
		t.Error(err)
	}
	q.check(t, NotSent)
}

// TestWriteFailsAtOnce: the very first write behind a 354 fails, and the server has nothing to say.
func TestWriteFailsAtOnce(t *testing.T) {
	stop := make(chan struct{})
	cfg := serve(t, func(p *peer) { p.hello("PIPELINING"); envelope(p); p.say("250 ok\n250 ok\n354 go\n"); <-stop })
	defer close(stop)
	s := dial(t, cfg)
	tx := letter(t, 1)
	tx.Body = func(io.Writer) error { return s.raw.(*net.TCPConn).CloseWrite() }
	q := newQueue(tx)
	begun := time.Now()
	if err := <-sending(t, t.Context(), s, q); err == nil {
		t.Error("no error")
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("it took %v; the server is given a second to say why", took)
	}
	q.check(t, NotSent)
}

// TestRefusedWhileAWriteIsStuck: a server that refuses a large letter in its middle, and reads no more of it, is heard
// at once, not when the write has waited for minutes.
func TestRefusedWhileAWriteIsStuck(t *testing.T) {
	done := make(chan struct{})
	cfg := serve(t, func(p *peer) {
		p.hello("PIPELINING")
		envelope(p)
		p.say("250 ok\n250 ok\n354 go\n")
		p.want("x")
		p.say("552 5.3.4 too big\n")
		<-done
	})
	defer close(done)
	tx := letter(t, 1)
	tx.Body = endless
	q := newQueue(tx)
	_ = promptly(t, sending(t, t.Context(), dial(t, cfg), q))
	q.check(t, Permanent)
}

// TestRepliesWhileTheJournalIsAwaited: the result of a letter is told while the writer waits for leave to end the next.
func TestRepliesWhileTheJournalIsAwaited(t *testing.T) {
	cfg := serve(t, func(p *peer) {
		p.hello("PIPELINING")
		envelope(p)
		p.say("250 ok\n250 ok\n354 go\n")
		p.data()
		envelope(p)
		p.say("250 ok\n250 ok\n250 ok\n354 go\n")
		p.want("Subject")
		p.say("421 4.3.2 going down\n")
		p.eof()
	})
	cfg.Overlap = true
	q := newQueue(letter(t, 1), letter(t, 2))
	s := dial(t, cfg)
	q.list[1].BeforeDot = func() error {
		waitClosed(s)
		return nil
	}
	if e := asError(t, promptly(t, sending(t, t.Context(), s, q))); e.Reply == nil || e.Reply.Code != 421 {
		t.Error(e)
	}
	q.check(t, Accepted, NotSent)
}

// TestPrepare: the source is given time while a reply is awaited, not after.
func TestPrepare(t *testing.T) {
	prepared := make(chan struct{}, 8)
	cfg := serve(t, func(p *peer) {
		p.hello("PIPELINING")
		envelope(p)
		<-prepared
		p.say("250 ok\n250 ok\n354 go\n")
		p.data()
		envelope(p)
		<-prepared
		p.say("250 ok\n250 ok\n250 ok\n354 go\n")
		p.data()
		p.say("250 ok\n")
		p.quit()
	})
	cfg.Overlap = true
	q := newQueue(letter(t, 1), letter(t, 2))
	if err := <-sending(t, t.Context(), dial(t, cfg), preparing{q, prepared}); err != nil {
		t.Error(err)
	}
	q.check(t, Accepted, Accepted)
	if len(prepared) > 0 {
		t.Error("asked to prepare more often than a reply was awaited")
	}
}

type preparing struct {
	*queue
	prepared chan<- struct{}
}

func (p preparing) Prepare(context.Context) { p.prepared <- struct{}{} }
