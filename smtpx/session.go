package smtpx

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// Session is one connection that has greeted, secured itself and logged in. One transaction source may use it at
// a time; Close may be called at any time.
type Session struct {
	cfg   Config
	limit Timeouts
	id    int64
	raw   net.Conn // the TCP connection
	conn  net.Conn // raw, or TLS over it
	tls   *tls.ConnectionState
	in    replyReader
	out   outBuffer
	tr    tracer
	said  [replyQuit + 1]*Reply // the latest of each kind; whoever reads has it

	ext      map[string]string // EHLO keywords in upper case
	lim      limits
	cmd      []byte // the command being built
	chunk    []byte // the BDAT chunk being filled
	sent     int    // transactions begun; the writing goroutine's
	loud     int    // octets written since everything was answered; the writing goroutine's
	tcp      bool   // raw is a socket of the system, which takes some octets without being read from
	quick    bool   // the writer may read for itself; the writing goroutine's
	mu       sync.Mutex
	cond     *sync.Cond
	turn     *sync.Cond // where readLoop waits for its turn
	reading  bool       // somebody is reading
	led      bool       // it is the writer that reads, or will: see wait
	gone     bool       // nothing can be read any more
	q        []expect   // replies owed, oldest first
	qBytes   int        // octets of the commands in q
	pushed   uint64     // number of replies ever owed
	popped   uint64     // ... of which have been read
	answered uint64     // ... and dealt with
	target   uint64     // the answer that the writer waits for
	armed    uint64     // the reply that the read deadline is for
	dead     *Error
	writeErr *Error // the write that failed, while the reader still takes what the server had to say
	writing  bool   // Run is at work
	settled  bool   // the reader is gone and every transaction has its result
	active   []*txn
	cancel   context.CancelFunc // of the Next that Run may be waiting in
	reset    bool               // the server has a transaction open that must be dropped first
	noChunk  bool
	lastOK   bool
	heard    time.Time // when the latest reply came
}

// expect is a reply that the server owes us.
type expect struct {
	tx   *txn
	kind replyKind
	rcpt int
	size int
}

type replyKind uint8

const (
	replyRset replyKind = iota
	replyMail
	replyRcpt
	replyData
	replyNull // to the lone dot after a 354 that nobody can use
	replyChunk
	replyDot // to the terminator: the final dot, or the last chunk
	replyQuit
)

var replyPhases = [...]Phase{PhaseMail, PhaseMail, PhaseRcpt, PhaseData, PhaseDot, PhaseData, PhaseDot, PhaseQuit}

func (k replyKind) phase() Phase { return replyPhases[k] }

func (s *Session) timeout(k replyKind) time.Duration {
	switch k {
	case replyRcpt:
		return s.limit.Rcpt
	case replyData, replyChunk:
		return s.limit.Data
	case replyNull, replyDot:
		return s.limit.Dot
	case replyQuit:
		return s.limit.Quit
	default:
		return s.limit.Mail
	}
}

// txn is a transaction under way.
type txn struct {
	t        *Transaction
	out      []Outcome
	taken    []bool // RCPT was accepted
	ok       int    // how many
	phase    Phase
	mailOK   bool
	dataCode int
	dataSeq  uint64
	end      int64 // offset in the stream behind the terminator; 0: not written
	size     int64
	bdat     bool
	barred   bool   // the server left (421) before it could take the letter, though all of it may be out
	first    *Reply // the first refused chunk
}

// Extension says whether the server offers an extension, and its parameter.
func (s *Session) Extension(name string) (string, bool) {
	v, ok := s.ext[strings.ToUpper(name)]
	return v, ok
}

// TLS is the state of the protected connection, nil without TLS.
func (s *Session) TLS() *tls.ConnectionState { return s.tls }

// Err is why the session cannot be used any more, or nil.
func (s *Session) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dead == nil {
		return nil
	}
	return s.dead
}

// Sent is how many transactions were begun.
func (s *Session) Sent() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sent
}

// ChunkingFailed says whether the server offered CHUNKING and then refused BDAT.
func (s *Session) ChunkingFailed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.noChunk
}

// Close says QUIT, waits a short while, and closes. What the server answers changes nothing, and the error, there
// for io.Closer, is always nil. Close during Run ends it as a cancelled context does.
func (s *Session) Close() error {
	if s.Err() != nil {
		return nil //nolint:nilerr // Run has told it
	}
	s.mu.Lock()
	if s.writing {
		s.failLocked(&Error{Phase: s.phaseLocked(), Err: ErrClosed})
		for !s.settled {
			s.cond.Wait()
		}
		s.mu.Unlock()
		return nil
	}
	s.writing = true
	s.mu.Unlock()
	if s.command(PhaseQuit, 0, "QUIT") && s.push(expect{kind: replyQuit}) && s.flush(PhaseQuit, s.limit.Quit) {
		_ = s.wait(s.last())
	}
	s.mu.Lock()
	s.failLocked(&Error{Phase: PhaseQuit, Err: ErrClosed})
	s.writing = false
	s.cond.Broadcast()
	for !s.settled {
		s.cond.Wait()
	}
	s.mu.Unlock()
	return nil
}

// Send sends one letter and waits for its result. tx.Done is called as well when it is set.
func (s *Session) Send(ctx context.Context, tx *Transaction) Result {
	var res Result
	got := false
	t := *tx
	t.Done = func(r Result) {
		res, got = r, true
		if tx.Done != nil {
			tx.Done(r)
		}
	}
	err := s.Run(ctx, &single{&t})
	if !got {
		t.Done(refused(&t, PhaseMail, nil, err))
	}
	return res
}

type single struct{ t *Transaction }

func (s *single) Next(context.Context, bool) (*Transaction, error) {
	t := s.t
	s.t = nil
	if t == nil {
		return nil, io.EOF
	}
	return t, nil
}

func refused(t *Transaction, p Phase, r *Reply, err error) Result {
	out := make([]Outcome, len(t.To))
	for i := range out {
		out[i] = Outcome{Phase: p, Reply: r, Err: err}
	}
	return Result{Outcomes: out}
}

// failLocked ends the session: the first cause stays.
func (s *Session) failLocked(e *Error) {
	if s.dead == nil {
		if s.writeErr != nil && e.Reply == nil && !errors.Is(e.Err, context.Canceled) && !errors.Is(e.Err, ErrStale) {
			e = s.writeErr
		}
		s.dead = e
		s.tr.failed(e)
		_ = s.raw.Close()
		if s.cancel != nil {
			s.cancel()
		}
	}
	s.lendLocked()
	s.cond.Broadcast()
}

// phaseLocked is where the oldest unfinished transaction stands.
func (s *Session) phaseLocked() Phase {
	if len(s.active) > 0 {
		return s.active[0].phase
	}
	return PhaseMail
}

// push notes a reply that the command just written will bring. It is false on a dead session.
func (s *Session) push(e expect) bool {
	e.size = len(s.cmd)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dead != nil {
		return false
	}
	s.q = append(s.q, e)
	s.qBytes += e.size
	s.pushed++
	if len(s.q) == 1 && s.reading {
		s.armLocked()
	}
	return true
}

// armLocked sets the read deadline for the oldest reply owed, or none.
func (s *Session) armLocked() {
	if s.writeErr != nil {
		return
	}
	if len(s.q) == 0 {
		if s.armed != 0 {
			s.armed = 0
			_ = s.raw.SetReadDeadline(time.Time{})
		}
		return
	}
	if s.armed != s.popped+1 {
		s.armed = s.popped + 1
		_ = s.raw.SetReadDeadline(time.Now().Add(s.timeout(s.q[0].kind)))
	}
}

// owed is how long the oldest reply owed may take. A server that is busy with a letter need not read what comes
// behind it: as long as that one may take its time, what is written may wait.
func (s *Session) owed() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.q) == 0 {
		return 0
	}
	return s.timeout(s.q[0].kind)
}

func (s *Session) last() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pushed
}

// wait blocks until the answer number seq has been dealt with.
func (s *Session) wait(seq uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.target = seq
	if s.led && !s.quick {
		s.lendLocked()
	}
	for s.answered < seq && s.dead == nil {
		if s.led = s.quick; s.led && !s.reading {
			s.readOne()
		} else {
			s.cond.Wait()
		}
	}
	if s.dead != nil {
		return s.dead
	}
	if s.answered == s.pushed {
		s.loud = 0
	}
	return nil
}

// lend lets readLoop read, because the writer is about to do something that may take its time.
func (s *Session) lend() {
	s.mu.Lock()
	s.lendLocked()
	s.mu.Unlock()
}

func (s *Session) lendLocked() {
	s.led = false
	s.turn.Signal()
}

// quiet is how many octets a socket surely takes at once when everything before was answered.
const quiet = 16 << 10

// aboutToWrite keeps a server heard while a write may have to wait for it: its last word about a letter, or about
// the connection, can come in the middle.
func (s *Session) aboutToWrite(n int) {
	if s.loud += n; s.loud > quiet {
		s.lend()
	}
}

// command puts one line into the buffer.
func (s *Session) command(p Phase, letter int64, line string) bool {
	s.cmd = append(s.cmd[:0], line...)
	return s.emit(p, letter)
}

// emit puts s.cmd into the buffer.
func (s *Session) emit(p Phase, letter int64) bool {
	s.tr.command(p, letter, s.cmd)
	s.cmd = append(s.cmd, crlf...)
	_, err := s.out.Write(s.cmd)
	if err != nil {
		s.writeFailed(p, err)
	}
	return err == nil
}

// flush sends what is buffered.
func (s *Session) flush(p Phase, d time.Duration) bool {
	s.out.stall = d
	err := s.out.flush()
	s.out.stall = s.limit.BodyStall
	if err != nil {
		s.writeFailed(p, err)
	}
	return err == nil
}

// writeFailed lets the reader take what the server has already said, for a second, before the session ends: a
// 421 explains more than a broken pipe, and earlier letters may have their answer on the way.
func (s *Session) writeFailed(p Phase, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dead == nil && s.writeErr == nil {
		s.writeErr = &Error{Phase: p, Err: err}
		_ = s.raw.SetReadDeadline(time.Now().Add(time.Second))
	}
	s.lendLocked()
	for s.dead == nil {
		s.cond.Wait()
	}
}

// outBuffer collects what goes to the server.
type outBuffer struct {
	conn    net.Conn
	buf     []byte
	flushed int64                // octets that have surely or possibly left
	stall   time.Duration        // how long one write may take
	owed    func() time.Duration // at least as long as this, when set
	before  func(n int)          // is told how many octets are about to be written
	err     error
}

const outSize = 32 << 10

// Write implements io.Writer.
func (o *outBuffer) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 && o.err == nil {
		if len(o.buf) == outSize {
			_ = o.flush()
			continue
		}
		k := min(len(p), outSize-len(o.buf))
		o.buf = append(o.buf, p[:k]...)
		p = p[k:]
	}
	return n - len(p), o.err
}

// offset is where in the stream the next octet goes.
func (o *outBuffer) offset() int64 { return o.flushed + int64(len(o.buf)) }

func (o *outBuffer) flush() error {
	if o.err != nil || len(o.buf) == 0 {
		return o.err
	}
	d := o.stall
	if o.owed != nil {
		d = max(d, o.owed())
	}
	if o.before != nil {
		o.before(len(o.buf))
	}
	_ = o.conn.SetWriteDeadline(time.Now().Add(d))
	n, err := o.conn.Write(o.buf)
	o.flushed += int64(n)
	o.buf = o.buf[:0]
	o.err = err
	return err
}
