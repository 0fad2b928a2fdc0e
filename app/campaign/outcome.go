package campaign

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"hongyan/app/diagnose"
	"hongyan/app/model"
	"hongyan/smtpx"
)

// backoff is the wait after the first, second, ... refusal for now; after one more the recipient is given up.
var backoff = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour}

// ruleRetry is the longest wait that a rule asks for by default; a longer one is meant, such as for a full
// mailbox, and outranks backoff.
const ruleRetry = 15 * time.Minute

// poison is how many lost connections in a row a letter may be in before it waits like one that was refused for
// now: something in it may be what makes the line fail.
const poison = 3

type verdictKind int

const (
	verdictRefused   verdictKind = iota // the server, the line or we ourselves: see the diagnosis
	verdictAccepted                     // 250 after the dot
	verdictWithdrawn                    // by a stop or pause, before the dot
	verdictStale                        // the connection had ended before; nothing is to be learned from it
	verdictLocal                        // it can never be sent like this
)

type verdict struct {
	kind verdictKind
	out  model.Outcome
	diag diagnose.Diagnosis
}

// neverSent are refusals of smtpx itself that no other attempt would change.
var neverSent = []error{smtpx.ErrNoSMTPUTF8, smtpx.ErrNoRequireTLS, smtpx.ErrTooBig, smtpx.ErrParameter,
	smtpx.ErrNUL, smtpx.ErrLongLine, smtpx.ErrRecipients, smtpx.ErrAddress}

// aboutRecipient are those of neverSent that are about one address: they never stop a campaign.
var aboutRecipient = []error{smtpx.ErrNoSMTPUTF8, smtpx.ErrAddress, smtpx.ErrParameter}

// justAgain are ends of a session that say nothing about letter, line or account.
var justAgain = []error{smtpx.ErrStale, smtpx.ErrSessionFull, smtpx.ErrReset, smtpx.ErrClosed, smtpx.ErrChunking}

func isAny(err error, of []error) bool {
	for _, e := range of {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// judge says what an outcome means for its recipient. r.mu is held.
func (r *Runner) judge(l *letter, o smtpx.Outcome, now time.Time) verdict {
	out := model.Outcome{State: model.Queued, Step: diagnose.StepOf(o.Phase)}
	if o.Reply != nil {
		out.Code, out.Enhanced, out.Reply = o.Reply.Code, o.Reply.Enhanced, replyText(o.Reply)
	} else if o.Err != nil {
		out.Reply = clip(o.Err.Error())
	}
	silent := o.Reply == nil && o.Status == smtpx.NotSent
	switch {
	case o.Status == smtpx.Accepted:
		out.State = model.Accepted
		return verdict{kind: verdictAccepted, out: out}
	case l.failure != nil && o.Status == smtpx.NotSent:
		out.State, out.Step, out.Scope, out.Reply = model.Rejected, model.StepCompose, model.ScopeContent, clip(l.failure.Error())
		return verdict{kind: verdictLocal, out: out}
	case silent && isAny(o.Err, neverSent):
		out.State, out.Step, out.Scope = model.Rejected, model.StepCompose, model.ScopeContent
		return verdict{kind: verdictLocal, out: out}
	case silent && (errors.Is(o.Err, errWithdrawn) || r.halting || l.c.drop || l.c.ctx.Err() != nil):
		return verdict{kind: verdictWithdrawn, out: out}
	case silent && isAny(o.Err, justAgain), l.suspect && o.Status != smtpx.Unknown && o.Phase <= smtpx.PhaseMail &&
		(o.Reply == nil || o.Reply.Code == 421):
		return verdict{kind: verdictStale, out: out}
	}
	in := diagnose.FromOutcome(l.c.acct.Provider, o)
	in.Host, in.Port, in.TLS = l.c.acct.Host, l.c.acct.Port, l.c.acct.TLS
	v := verdict{diag: diagnose.Explain(in), out: out}
	v.out.State, v.out.Scope = v.diag.State, v.diag.Scope
	// What is certain about the bytes outranks what a reply seems to mean.
	switch {
	case o.Status == smtpx.Unknown:
		v.out.State, v.out.Scope = model.Unknown, model.ScopeUnknown
	case v.out.State == model.Unknown || v.out.State == model.Accepted:
		v.out.State = model.Queued
	}
	if silent && v.out.State == model.Queued && l.begun {
		n := r.lost[l.d.ID] + 1
		if n < poison {
			r.lost[l.d.ID] = n
		} else {
			delete(r.lost, l.d.ID)
			v.out.State, v.out.Scope = model.Deferred, model.ScopeSoft
		}
	}
	if v.out.State == model.Deferred {
		r.postpone(l, &v, now)
	}
	return v
}

// postpone sets the time of the next attempt, or gives the recipient up.
func (r *Runner) postpone(l *letter, v *verdict, now time.Time) {
	n := l.d.Attempts // those before this one
	if n >= len(backoff) {
		v.out.State = model.Rejected
		return
	}
	d := backoff[n]
	if v.diag.RetryAfter > ruleRetry {
		d = max(d, v.diag.RetryAfter)
	}
	d += time.Duration(r.rnd.Int64N(int64(d)/5 + 1))
	d = min(d, longestRetry)
	v.out.NextAt = r.truth.wall(now).Add(d)
	if domainWide(v.out) {
		r.queue.refused(&l.d, now)
	}
}

// domainWide says whether a refusal for now is likely to meet everybody at the domain: a policy or a system
// that is busy, not one full mailbox (RFC 3463 §3).
func domainWide(o model.Outcome) bool {
	for _, p := range []string{"4.3.", "4.4.", "4.7.", "5.7."} {
		if strings.HasPrefix(o.Enhanced, p) {
			return true
		}
	}
	return o.Enhanced == "" && o.Code == 451
}

// pauseReason is why a campaign pauses when its accounts, or its letter, fail with a scope.
func pauseReason(s model.Scope) string {
	switch s {
	case model.ScopeAuth:
		return PauseAuth
	case model.ScopeAccountBlock, model.ScopeAccountRate:
		return PauseBlocked
	case model.ScopeContent:
		return PauseContent
	case model.ScopeConfig:
		return PauseConfig
	default:
		return PauseUnreachable
	}
}

// replyText is what a server said, its codes taken off.
func replyText(r *smtpx.Reply) string { return clip(strings.Join(r.Lines, "\n")) }

// clip keeps a text from filling the journal.
func clip(s string) string {
	const most = 2000
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// said is a reply in one line, with its codes.
func said(o model.Outcome) string {
	var parts []string
	if o.Code != 0 {
		parts = append(parts, strconv.Itoa(o.Code))
	}
	if o.Enhanced != "" {
		parts = append(parts, o.Enhanced)
	}
	return strings.Join(append(parts, strings.Fields(o.Reply)...), " ")
}
