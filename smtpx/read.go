package smtpx

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"syscall"
	"time"
)

// connReader reads for replyReader and keeps the read deadline at the oldest reply owed.
type connReader struct{ s *Session }

func (c connReader) Read(p []byte) (int, error) {
	c.s.mu.Lock()
	c.s.armLocked()
	c.s.mu.Unlock()
	return c.s.conn.Read(p)
}

// readLoop runs from the end of Dial to the end of the connection. It reads whenever the writer does not read for itself.
func (s *Session) readLoop() {
	s.mu.Lock()
	for !s.gone {
		if s.led || s.reading {
			s.turn.Wait()
		} else {
			s.readOne()
		}
	}
	s.mu.Unlock()
	s.settle()
}

// readOne reads a reply and deals with it. mu is held, but not meanwhile.
func (s *Session) readOne() {
	s.reading = true
	s.mu.Unlock()
	code, raw, err := s.in.next()
	if err != nil {
		s.readFailed(err)
	}
	gone := err != nil || !s.handle(code, raw)
	s.mu.Lock()
	s.reading, s.gone = false, gone
	if gone {
		s.lendLocked()
	}
	s.cond.Broadcast() // the writer may be waiting for its turn
}

func (s *Session) readFailed(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.phaseLocked()
	err = s.tr.cleaned(err)
	if len(s.q) > 0 {
		head := s.q[0]
		p = head.kind.phase()
		if head.kind == replyQuit {
			if errors.Is(err, ErrProtocol) {
				s.tr.note(EventNote, PhaseQuit, err.Error())
			}
			s.failLocked(&Error{Phase: p, Err: ErrClosed})
			return
		}
		if head.tx != nil && head.tx.bdat {
			// Some servers offer BDAT and then sit there: what waits for this reply is given up, and the next
			// letters go by DATA.
			s.noChunk = s.noChunk || isTimeout(err) && (head.kind == replyChunk || head.kind == replyDot)
		}
		if head.kind <= replyMail && s.sent > 1 && isHangup(err) {
			err = fmt.Errorf("%w: %w", ErrStale, err)
		}
	} else if len(s.active) == 0 && isHangup(err) {
		err = fmt.Errorf("%w: %w", ErrStale, err)
	}
	s.failLocked(&Error{Phase: p, Err: err})
}

// hangups are the ways in which a peer that went away shows. Windows has numbers of its own (WSAECONNABORTED and
// WSAECONNRESET), which mean nothing elsewhere.
var hangups = []error{io.EOF, io.ErrClosedPipe, syscall.ECONNRESET, syscall.EPIPE, syscall.Errno(10053), syscall.Errno(10054)}

func isHangup(err error) bool {
	return slices.ContainsFunc(hangups, func(h error) bool { return errors.Is(err, h) })
}

// handle deals with one reply; it is false when it was the last.
func (s *Session) handle(code int, raw []byte) bool {
	s.mu.Lock()
	if s.dead != nil {
		s.mu.Unlock()
		return false
	}
	if len(s.q) == 0 {
		s.unsolicitedLocked(s.tr.parse(code, raw))
		s.mu.Unlock()
		return false
	}
	e := s.q[0]
	s.q = s.q[:copy(s.q, s.q[1:])]
	s.qBytes -= e.size
	s.popped++
	s.heard = time.Now()
	s.mu.Unlock()

	var r *Reply
	if s.tr.fn != nil || code/100 > 3 || e.kind == replyDot {
		if r = s.said[e.kind]; r == nil || !bytes.Equal(r.Raw, raw) {
			r = s.tr.parse(code, raw)
			s.said[e.kind] = r
		}
		s.tr.reply(e.kind.phase(), e.letter(), r)
	}

	s.mu.Lock()
	fail, done := s.answerLocked(e, code, r)
	if fail == nil && code == 421 { // the server goes
		fail = &Error{Phase: e.kind.phase(), Reply: r}
	}
	if fail != nil {
		s.failLocked(fail)
	}
	if done {
		s.dropLocked(e.tx)
	}
	s.mu.Unlock()
	if done && e.tx.t.Done != nil {
		e.tx.t.Done(Result{Outcomes: e.tx.out, Size: e.tx.size})
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	s.answered++
	if s.answered >= s.target {
		s.cond.Broadcast()
	}
	if s.dead == nil && s.writeErr != nil && len(s.q) == 0 {
		s.failLocked(s.writeErr)
	}
	return s.dead == nil
}

func (e expect) letter() int64 {
	if e.tx == nil {
		return 0
	}
	return e.tx.t.ID
}

// unsolicitedLocked deals with a reply that nobody asked for. In the middle of a body it is the server's last
// word about the letter, since the terminator will not follow.
func (s *Session) unsolicitedLocked(r *Reply) {
	p := s.phaseLocked()
	s.tr.reply(p, 0, r)
	e := &Error{Phase: p, Reply: r, Err: ErrUnsolicited}
	if len(s.active) > 0 && (p == PhaseBody || s.active[0].dataCode/100 == 3) && r.Code >= 400 && r.Code != 421 {
		s.active[0].refuse(p, r)
	}
	s.failLocked(e)
}

// answerLocked applies a reply. fail ends the session, done says that the transaction has its result.
func (s *Session) answerLocked(e expect, code int, r *Reply) (fail *Error, done bool) {
	tx, good := e.tx, code/100 == 2
	broken := func() *Error { return &Error{Phase: e.kind.phase(), Reply: r, Err: ErrProtocol} }
	if code == 421 && e.kind != replyDot && e.kind != replyQuit {
		if tx != nil {
			tx.barred = true
		}
		return nil, false // settle tells the transaction
	}
	switch e.kind {
	case replyRset:
		if !good {
			return &Error{Phase: PhaseMail, Reply: r, Err: ErrReset}, false
		}
	case replyMail:
		switch {
		case good:
			tx.mailOK, tx.phase = true, max(tx.phase, PhaseRcpt) // with BDAT the writer may be far ahead
		case code < 400:
			return broken(), false
		default:
			tx.refuse(PhaseMail, r)
		}
	case replyRcpt:
		if tx.mailOK && e.rcpt == len(tx.out)-1 {
			tx.phase = max(tx.phase, PhaseData)
		}
		switch {
		case good:
			tx.taken[e.rcpt] = true
			tx.ok++
		case code < 400:
			return broken(), false
		case tx.out[e.rcpt].Status == NotSent:
			tx.out[e.rcpt] = refusal(PhaseRcpt, r)
		}
	case replyData:
		if good {
			return broken(), false
		}
		tx.dataCode = code
		if code/100 == 3 {
			if tx.ok > 0 && tx.mailOK {
				return nil, false
			}
			if tx.ok > 0 {
				return broken(), false // a lone dot would deliver an empty letter
			}
		} else {
			tx.refuse(PhaseData, r)
			s.reset = s.reset || tx.mailOK
		}
		s.lastOK = false
		return nil, true
	case replyChunk:
		if !good && tx.first == nil {
			tx.first = r
		}
	case replyDot:
		return s.terminatedLocked(tx, code, r, broken)
	case replyQuit:
		return &Error{Phase: PhaseQuit, Err: ErrClosed}, false // whatever the code is
	case replyNull:
	}
	return nil, false
}

// terminatedLocked applies the reply to the terminator: it alone decides.
func (s *Session) terminatedLocked(tx *txn, code int, r *Reply, broken func() *Error) (*Error, bool) {
	s.lastOK = code/100 == 2
	if code/100 == 3 {
		return broken(), false
	}
	if s.lastOK {
		for i := range tx.out {
			if tx.taken[i] {
				tx.out[i] = Outcome{Status: Accepted, Phase: PhaseDot, Reply: r}
			}
		}
		return nil, true
	}
	if !tx.bdat {
		tx.refuse(PhaseDot, r)
		return nil, true
	}
	s.reset = true
	if tx.first != nil {
		r = tx.first
	}
	s.bdatRefusedLocked(tx, r)
	return nil, true
}

// bdatRefusedLocked tells a letter that is refused from a server that offers CHUNKING and knows no BDAT.
func (s *Session) bdatRefusedLocked(tx *txn, r *Reply) {
	if tx.ok == 0 || !tx.mailOK || r.Code < 500 || r.Code > 504 {
		tx.refuse(PhaseDot, r)
		return
	}
	s.noChunk = true
	err := &Error{Phase: PhaseData, Reply: r, Err: ErrChunking}
	for i := range tx.out {
		if tx.taken[i] {
			tx.out[i] = Outcome{Status: NotSent, Phase: PhaseData, Err: err} // the reply is about BDAT, not about the letter
		}
	}
}

func refusal(p Phase, r *Reply) Outcome {
	o := Outcome{Status: Permanent, Phase: p, Reply: r, Err: &Error{Phase: p, Reply: r}}
	if r.Code/100 == 4 {
		o.Status = Temporary
	}
	return o
}

// refuse gives the reply to every recipient that has none yet.
func (tx *txn) refuse(p Phase, r *Reply) {
	for i := range tx.out {
		if tx.out[i].Status == NotSent && tx.out[i].Err == nil {
			tx.out[i] = refusal(p, r)
		}
	}
}

func (s *Session) dropLocked(tx *txn) {
	for i, t := range s.active {
		if t == tx {
			s.active = append(s.active[:i], s.active[i+1:]...)
			return
		}
	}
}

// settle gives every transaction that is left its result, once the writer has stopped: then it is known which
// terminators left.
func (s *Session) settle() {
	s.mu.Lock()
	if s.dead == nil {
		s.failLocked(&Error{Phase: s.phaseLocked(), Err: ErrClosed})
	}
	for s.writing {
		s.cond.Wait()
	}
	left := s.active
	s.active = nil
	s.mu.Unlock()
	why, bye := s.dead, s.dead.Reply
	if bye != nil && bye.Code != 421 { // such as 502 to RSET: it was not about these letters
		why, bye = &Error{Phase: s.dead.Phase, Err: s.dead.Err}, nil
	}
	for _, tx := range left {
		o := Outcome{Status: NotSent, Phase: min(tx.phase, PhaseBody), Reply: bye, Err: why}
		if tx.end > 0 && tx.end <= s.out.flushed && !tx.barred {
			o.Status, o.Phase, o.Reply = Unknown, PhaseDot, nil
		}
		for i := range tx.out {
			if tx.out[i].Status == NotSent && tx.out[i].Err == nil {
				tx.out[i] = o
			}
		}
		if tx.t.Done != nil {
			tx.t.Done(Result{Outcomes: tx.out, Size: tx.size})
		}
	}
	s.mu.Lock()
	s.settled = true
	s.cond.Broadcast()
	s.mu.Unlock()
}
