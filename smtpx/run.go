package smtpx

import (
	"context"
	"errors"
	"io"
	"strconv"
	"time"
)

const (
	maxPending      = 100      // commands in flight
	maxPendingBytes = 32 << 10 // and their octets
	maxWindow       = 16
	chunkSize       = 64 << 10
)

// Run sends what src hands out until io.EOF (nil) or an error of the session. Each transaction taken from src gets
// exactly one Done, before Run returns. An error that wraps ErrStale says that the server hung up while nothing was
// under way, or before it had seen anything of the letter: a new session may go on.
//
// When ctx ends while letters are under way the connection is closed within moments, without a terminator for a
// letter that has none yet; when it ends between letters the session stays usable and the context's error is
// returned. To stop gently, let Next return io.EOF.
func (s *Session) Run(ctx context.Context, src Source) error {
	next, cancel := context.WithCancel(ctx)
	defer cancel()
	s.mu.Lock()
	switch {
	case s.dead != nil:
		defer s.mu.Unlock()
		for !s.settled {
			s.cond.Wait()
		}
		return s.dead
	case s.writing:
		defer s.mu.Unlock()
		return ErrBusy
	}
	s.writing, s.cancel = true, cancel
	s.mu.Unlock()
	over := false // guarded by mu: ctx may end when this Run is done and another has begun
	stop := context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if !over && len(s.active) > 0 {
			s.failLocked(&Error{Phase: s.phaseLocked(), Err: context.Cause(ctx)})
		}
	})
	w := &writer{Session: s, ctx: ctx, next: next, src: src}
	if s.cfg.Overlap {
		w.preparer, _ = src.(Preparer)
	}
	err := w.run()
	if s.Err() == nil && w.flush(PhaseMail, s.limit.BodyStall) {
		_ = s.wait(s.last()) // a dead session says so below
	}
	stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	over, s.writing, s.cancel = true, false, nil
	s.cond.Broadcast()
	if s.dead == nil {
		return err
	}
	for !s.settled {
		s.cond.Wait()
	}
	if err == nil && s.answered == s.pushed && errors.Is(s.dead, ErrStale) {
		return nil // the server hung up behind its last answer
	}
	return s.dead
}

// writer is the writing half of a session during Run.
type writer struct {
	*Session
	ctx, next context.Context
	src       Source
	preparer  Preparer // src, when there is use in it
	eof       error    // what Next ended with
}

// take asks the source; nil means that there is nothing now, and with w.eof set that there is nothing any more.
func (w *writer) take(wait bool) *Transaction {
	if w.eof != nil {
		return nil
	}
	if n := w.lim.mails; n > 0 && w.sent >= n {
		w.eof = &Error{Phase: PhaseMail, Err: ErrSessionFull}
		return nil
	}
	if wait {
		w.lend()
	}
	t, err := w.src.Next(w.next, wait)
	if err != nil {
		w.eof = err
	}
	return t
}

func (w *writer) run() error {
	for w.eof == nil {
		if e := w.Err(); e != nil {
			return e
		}
		t := w.take(true)
		if t == nil {
			continue
		}
		var err error
		if w.chunking() {
			err = w.chunks(t)
		} else {
			w.quick = w.tcp
			err = w.data(t)
			w.quick = false
		}
		if err != nil {
			return err
		}
	}
	if errors.Is(w.eof, io.EOF) {
		return nil
	}
	return w.eof
}

func (w *writer) pipelining() bool {
	_, ok := w.ext["PIPELINING"]
	return ok && !w.cfg.NoPipelining
}

func (w *writer) chunking() bool {
	_, ok := w.ext["CHUNKING"]
	w.mu.Lock()
	defer w.mu.Unlock()
	return ok && w.cfg.ChunkWindow > 0 && !w.noChunk
}

// data sends t by DATA, and with overlap the letters that the source grants behind it.
func (w *writer) data(t *Transaction) error {
	tx, err := w.envelope(t, true)
	for tx != nil && err == nil {
		if !w.flush(PhaseMail, w.limit.BodyStall) {
			return w.Err()
		}
		if w.preparer != nil && w.eof == nil {
			w.preparer.Prepare(w.next)
		}
		if err = w.wait(tx.dataSeq); err != nil {
			return err
		}
		if tx.dataCode/100 != 3 {
			return nil
		}
		if tx.ok == 0 {
			return w.nullDot(tx)
		}
		if err = w.body(tx); err != nil {
			return err
		}
		w.mu.Lock()
		overlap := w.cfg.Overlap && w.lastOK && w.pipelining()
		w.mu.Unlock()
		var nt *Transaction
		if overlap {
			nt = w.take(false)
		}
		seq := w.last()
		tx = nil
		if nt != nil {
			tx, err = w.envelope(nt, true)
		}
		if !w.flush(PhaseBody, w.limit.BodyStall) {
			return w.Err()
		}
		if tx == nil && !overlap {
			return w.wait(seq)
		}
	}
	return err
}

// nullDot ends a DATA that the server began although it took no recipient (RFC 2920 §3.1).
func (w *writer) nullDot(tx *txn) error {
	if !w.command(PhaseDot, tx.t.ID, ".") || !w.push(expect{tx: tx, kind: replyNull}) || !w.flush(PhaseDot, w.limit.BodyStall) {
		return w.Err()
	}
	return w.wait(w.last())
}

// body writes the message and its terminator into the buffer.
func (w *writer) body(tx *txn) error {
	w.setPhase(tx, PhaseBody)
	b := bodyWriter{w: &w.out, stuff: true}
	err := w.render(tx, &b)
	if w.out.err != nil {
		w.writeFailed(PhaseBody, w.out.err)
		return w.Err()
	}
	if err == nil {
		err = w.beforeDot(tx.t)
	}
	if err != nil {
		return w.abort(PhaseBody, err)
	}
	if !w.command(PhaseDot, tx.t.ID, ".") {
		return w.Err()
	}
	w.setPhase(tx, PhaseDot)
	tx.end = w.out.offset()
	if !w.push(expect{tx: tx, kind: replyDot}) {
		w.out.buf = w.out.buf[:0] // it must not leave a session that is dead
		return w.Err()
	}
	return nil
}

// beforeDot asks whether the terminator may go. Unless the answer is ready, what was written goes out meanwhile.
func (w *writer) beforeDot(t *Transaction) error {
	if t.BeforeDot == nil {
		return nil
	}
	if t.Ready == nil || !t.Ready() {
		if !w.flush(PhaseBody, w.limit.BodyStall) {
			return w.Err()
		}
		w.lend()
	}
	if err := t.BeforeDot(); err != nil {
		return errors.Join(ErrAborted, err)
	}
	return nil
}

func (w *writer) render(tx *txn, b *bodyWriter) error {
	if tx.t.Body != nil {
		if err := tx.t.Body(b); err != nil {
			return err
		}
	}
	err := b.end()
	tx.size = b.size
	w.tr.body(tx.t.ID, b.size)
	return err
}

// abort closes the session before a terminator, once earlier letters have their answers.
func (w *writer) abort(p Phase, err error) error {
	if !w.flush(p, w.limit.BodyStall) { // commands in front of the body may be in the buffer, whose answers are waited for
		return w.Err()
	}
	if e := w.wait(w.last()); e != nil {
		return e
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failLocked(&Error{Phase: p, Err: err})
	return w.dead
}

func (w *writer) setPhase(tx *txn, p Phase) {
	w.mu.Lock()
	tx.phase = p
	w.mu.Unlock()
}

// chunks sends t by BDAT, and what the source grants behind it, with a window of letters unanswered.
func (w *writer) chunks(t *Transaction) error {
	var seqs []uint64
	window := min(w.cfg.ChunkWindow, maxWindow)
	if !w.pipelining() {
		window = 1
	}
	for t != nil && w.chunking() {
		tx, err := w.envelope(t, false)
		if err != nil {
			return err
		}
		if tx != nil && w.silent() && (!w.flush(PhaseMail, w.limit.BodyStall) || w.wait(w.last()) != nil) {
			return w.Err()
		}
		if tx != nil {
			if err = w.chunked(tx); err != nil {
				return err
			}
			seqs = append(seqs, w.last())
		}
		if len(seqs) >= window {
			if !w.flush(PhaseBody, w.limit.BodyStall) {
				return w.Err()
			}
			if err = w.wait(seqs[0]); err != nil {
				return err
			}
			seqs = seqs[1:]
		}
		if t = w.take(false); t == nil && w.eof == nil {
			if !w.flush(PhaseBody, w.limit.BodyStall) {
				return w.Err()
			}
			t = w.take(true)
		}
	}
	if t != nil { // BDAT was refused in the meantime
		if !w.flush(PhaseBody, w.limit.BodyStall) {
			return w.Err()
		}
		if err := w.wait(w.last()); err != nil {
			return err
		}
		return w.data(t)
	}
	return nil
}

// suspicious is how long a server may have been silent before a letter that leaves whole, in one write, first asks
// whether anybody is there: on a connection that was lost unnoticed its fate would be unknown.
const suspicious = time.Second

func (w *writer) silent() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.active) == 1 && time.Since(w.heard) > suspicious
}

// chunked writes one message as chunks of at most chunkSize octets.
func (w *writer) chunked(tx *txn) error {
	tx.bdat = true
	w.setPhase(tx, PhaseBody)
	if w.chunk == nil {
		w.chunk = make([]byte, 0, chunkSize)
	}
	w.chunk = w.chunk[:0]
	b := bodyWriter{w: &chunkWriter{w, tx}}
	err := w.render(tx, &b)
	if e := w.Err(); e != nil {
		return e
	}
	if errors.Is(err, errChunk) {
		return w.chunkRefused(tx)
	}
	if err != nil {
		return w.withdraw(tx, err)
	}
	if err = w.beforeDot(tx.t); err != nil {
		return w.abort(PhaseBody, err)
	}
	w.setPhase(tx, PhaseDot)
	if !w.bdat(tx, " LAST", replyDot) {
		return w.Err()
	}
	return nil
}

// errChunk ends the writing of a message of which the server has refused a part.
var errChunk = errors.New("chunk refused")

// chunkRefused gives a letter its result without sending the rest of it.
func (w *writer) chunkRefused(tx *txn) error {
	if err := w.unfinished(tx); err != nil {
		return err
	}
	w.mu.Lock()
	w.lastOK = false
	w.bdatRefusedLocked(tx, tx.first)
	w.mu.Unlock()
	if tx.t.Done != nil {
		tx.t.Done(Result{Outcomes: tx.out, Size: tx.size})
	}
	return nil
}

// withdraw drops a letter that cannot be made, and keeps the session.
func (w *writer) withdraw(tx *txn, err error) error {
	if e := w.unfinished(tx); e != nil {
		return e
	}
	w.refuseHere(tx.t, &Error{Phase: PhaseBody, Err: err})
	return nil
}

// unfinished ends a transaction whose last chunk has not been written: RSET will go before the next (RFC 3030 §2).
func (w *writer) unfinished(tx *txn) error {
	if !w.flush(PhaseBody, w.limit.BodyStall) {
		return w.Err()
	}
	if e := w.wait(w.last()); e != nil {
		return e
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reset = true
	w.dropLocked(tx)
	return nil
}

type chunkWriter struct {
	w  *writer
	tx *txn
}

func (c *chunkWriter) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		if len(c.w.chunk) == chunkSize {
			c.w.mu.Lock()
			refused := c.tx.first != nil
			c.w.mu.Unlock()
			if refused {
				return 0, errChunk
			}
			if !c.w.bdat(c.tx, "", replyChunk) {
				return 0, c.w.Err()
			}
			c.w.chunk = c.w.chunk[:0]
		}
		k := min(len(p), chunkSize-len(c.w.chunk))
		c.w.chunk = append(c.w.chunk, p[:k]...)
		p = p[k:]
	}
	return n, nil
}

// bdat writes one chunk. Its reply may come before its octets are all out.
func (w *writer) bdat(tx *txn, last string, kind replyKind) bool {
	if !w.room(1) {
		return false
	}
	w.cmd = append(strconv.AppendInt(append(w.cmd[:0], "BDAT "...), int64(len(w.chunk)), 10), last...)
	if !w.emit(PhaseData, tx.t.ID) || !w.push(expect{tx: tx, kind: kind}) {
		return false
	}
	if kind == replyDot {
		tx.end = w.out.offset() + int64(len(w.chunk))
	}
	if _, err := w.out.Write(w.chunk); err != nil {
		w.writeFailed(PhaseBody, err)
		return false
	}
	return kind == replyDot || w.pipelining() || w.flush(PhaseBody, w.limit.BodyStall) && w.wait(w.last()) == nil
}

// room waits until there may be n more commands in flight.
func (w *writer) room(n int) bool {
	w.mu.Lock()
	full := len(w.q)+n > maxPending || w.qBytes > maxPendingBytes
	half := w.answered + uint64(len(w.q)/2) //#nosec G115 -- a length is not negative
	dead := w.dead != nil
	w.mu.Unlock()
	if dead || full && (!w.flush(PhaseRcpt, w.limit.BodyStall) || w.wait(half) != nil) {
		return false
	}
	return true
}
