package smtpx

import (
	"context"
	"strconv"
	"strings"
)

// check refuses what cannot be sent here, before anything of it is written.
func (w *writer) check(t *Transaction) error {
	utf := t.UTF8 || t.From.NeedsUTF8()
	for _, a := range t.To {
		utf = utf || a.NeedsUTF8()
		if a.IsZero() {
			return ErrRecipients
		}
	}
	if n := w.lim.rcpts; len(t.To) == 0 || n > 0 && len(t.To) > n {
		return ErrRecipients
	}
	if n := w.lim.domains; n > 0 && domains(t.To, n) > n {
		return ErrRecipients
	}
	if _, ok := w.ext["SMTPUTF8"]; utf && !ok {
		return ErrNoSMTPUTF8
	}
	if _, ok := w.ext["REQUIRETLS"]; t.RequireTLS && (!ok || w.tls == nil) {
		return ErrNoRequireTLS
	}
	if v, ok := w.ext["SIZE"]; ok {
		if n, err := strconv.ParseInt(v, 10, 64); err == nil && n > 0 && t.Size > n {
			return ErrTooBig
		}
	}
	if t.Return != "" && t.Return != "FULL" && t.Return != "HDRS" || len(t.EnvelopeID) > 100 {
		return ErrParameter
	}
	if t.Notify != "" && t.Notify != "NEVER" {
		for _, n := range strings.Split(t.Notify, ",") {
			if n != "SUCCESS" && n != "FAILURE" && n != "DELAY" {
				return ErrParameter
			}
		}
	}
	return nil
}

// domains counts the domains of to, as far as one beyond most.
func domains(to []Address, most int) int {
	seen := map[string]struct{}{}
	for _, a := range to {
		if seen[strings.ToLower(a.domain)] = struct{}{}; len(seen) > most {
			break
		}
	}
	return len(seen)
}

// refuseHere gives t its result without the server.
func (w *writer) refuseHere(t *Transaction, e *Error) {
	w.tr.note(EventError, e.Phase, e.Error())
	if t.Done != nil {
		t.Done(refused(t, e.Phase, nil, e))
	}
}

// envelope writes [RSET] MAIL RCPT... [DATA] for t: in lockstep waiting for each answer, else into the buffer. It
// returns no txn when t already has its result.
func (w *writer) envelope(t *Transaction, data bool) (*txn, error) {
	if err := w.check(t); err != nil {
		w.refuseHere(t, &Error{Phase: PhaseMail, Err: err})
		return nil, nil //nolint:nilerr // the letter's error is not the session's
	}
	tx := &txn{t: t, out: make([]Outcome, len(t.To)), taken: make([]bool, len(t.To)), phase: PhaseMail}
	w.mu.Lock()
	if err := w.ctx.Err(); err != nil && len(w.active) == 0 && w.dead == nil {
		w.mu.Unlock()
		w.refuseHere(t, &Error{Phase: PhaseMail, Err: context.Cause(w.ctx)})
		return nil, err
	}
	w.active = append(w.active, tx) // from here on the reader answers for it
	w.sent++
	// With letters unanswered in the window nobody knows yet whether the server is between transactions.
	rset := w.reset || !data && len(w.q) > 0
	w.reset = false
	w.mu.Unlock()
	if t.Begin != nil {
		t.Begin()
	}
	if rset && !w.rset(tx) {
		return nil, w.Err()
	}
	if !w.room(1) {
		return nil, w.Err()
	}
	w.mailFrom(t)
	if ok, err := w.step(tx, PhaseMail, expect{tx: tx, kind: replyMail}); !ok {
		return nil, err
	}
	for i := range t.To {
		if !w.room(1) {
			return nil, w.Err()
		}
		w.rcptTo(t, i)
		if ok, err := w.step(tx, PhaseRcpt, expect{tx: tx, kind: replyRcpt, rcpt: i}); !ok {
			return nil, err
		}
	}
	if !data {
		return tx, nil
	}
	w.cmd = append(w.cmd[:0], "DATA"...)
	if !w.room(1) || !w.emit(PhaseData, t.ID) || !w.push(expect{tx: tx, kind: replyData}) {
		return nil, w.Err()
	}
	tx.dataSeq = w.last()
	return tx, nil
}

// rset drops what the server may still have of the letter before tx. Its reply is waited for in lockstep only.
func (w *writer) rset(tx *txn) bool {
	return w.room(1) && w.command(PhaseMail, tx.t.ID, "RSET") && w.push(expect{tx: tx, kind: replyRset}) &&
		(w.pipelining() || w.flush(PhaseMail, w.limit.BodyStall) && w.wait(w.last()) == nil)
}

// step sends the command in w.cmd. In lockstep it waits for the answer, and is false when the transaction ends
// there.
func (w *writer) step(tx *txn, p Phase, e expect) (bool, error) {
	if !w.emit(p, tx.t.ID) || !w.push(e) {
		return false, w.Err()
	}
	if w.pipelining() {
		return true, nil
	}
	if !w.flush(p, w.limit.BodyStall) {
		return false, w.Err()
	}
	if err := w.wait(w.last()); err != nil {
		return false, err
	}
	w.mu.Lock()
	ended := !tx.mailOK || e.kind == replyRcpt && e.rcpt == len(tx.out)-1 && tx.ok == 0
	if ended {
		w.reset = tx.mailOK
		w.lastOK = false
		w.dropLocked(tx)
	}
	w.mu.Unlock()
	if ended && tx.t.Done != nil {
		tx.t.Done(Result{Outcomes: tx.out})
	}
	return !ended, nil
}

func (w *writer) mailFrom(t *Transaction) {
	b := append(w.cmd[:0], "MAIL FROM:<"...)
	b = append(b, t.From.String()...)
	b = append(b, '>')
	if _, ok := w.ext["SIZE"]; ok && t.Size > 0 {
		b = strconv.AppendInt(append(b, " SIZE="...), t.Size, 10)
	}
	utf := t.UTF8 || t.From.NeedsUTF8()
	for _, a := range t.To {
		utf = utf || a.NeedsUTF8()
	}
	if _, ok := w.ext["8BITMIME"]; ok && (t.EightBit || utf) {
		b = append(b, " BODY=8BITMIME"...)
	}
	if utf {
		b = append(b, " SMTPUTF8"...)
	}
	if t.RequireTLS {
		b = append(b, " REQUIRETLS"...)
	}
	if _, ok := w.ext["DSN"]; ok {
		if t.Return != "" {
			b = append(append(b, " RET="...), t.Return...)
		}
		if t.EnvelopeID != "" {
			b = appendXtext(append(b, " ENVID="...), t.EnvelopeID)
		}
	}
	w.cmd = b
}

func (w *writer) rcptTo(t *Transaction, i int) {
	a := t.To[i]
	b := append(w.cmd[:0], "RCPT TO:<"...)
	b = append(append(b, a.local...), '@')
	b = append(append(b, a.domain...), '>')
	if _, ok := w.ext["DSN"]; ok && t.Notify != "" {
		b = append(append(b, " NOTIFY="...), t.Notify...)
		if !a.NeedsUTF8() {
			b = appendXtext(append(b, " ORCPT=rfc822;"...), a.String())
		}
	}
	w.cmd = b
}

// appendXtext appends s as xtext, RFC 3461 §4.
func appendXtext(b []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < '!' || c > '~' || c == '+' || c == '=' {
			b = append(b, '+', hex[c>>4], hex[c&15])
		} else {
			b = append(b, c)
		}
	}
	return b
}
