package diagnose

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"

	"hongyan/app/model"
	"hongyan/smtpx"
)

// TestFaultsWithoutAListener are those that a test cannot bring about on every system, and those that the
// engine finds before it sends.
func TestFaultsWithoutAListener(t *testing.T) {
	dialed := func(addr string, err error) error {
		a := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(addr))
		return &smtpx.Error{Phase: smtpx.PhaseConnect, Err: &net.OpError{Op: "dial", Net: "tcp", Addr: a, Err: err}}
	}
	for _, c := range []struct {
		name string
		in   Input
		rule string
	}{
		{"unreachable", Input{Err: dialed("203.0.113.1:465", os.NewSyscallError("connect", syscall.ENETUNREACH))}, "net.unreachable"},
		{"unreachable on Windows", Input{Err: dialed("203.0.113.1:465", os.NewSyscallError("connectex", wsaHostUnreach))}, "net.unreachable"},
		{"refused on Windows", Input{Err: dialed("203.0.113.1:465", os.NewSyscallError("connectex", wsaConnRefused))}, "net.refused"},
		{"filtered on Windows", Input{Err: dialed("203.0.113.1:465", os.NewSyscallError("connectex", wsaTimedOut))}, "net.hangs"},
		{"filtered behind a proxy", Input{Proxy: true, Err: dialed("203.0.113.1:465", context.DeadlineExceeded)}, "net.proxy"},
		{"a proxy program's address", Input{Host: known, Err: dialed("198.18.0.7:465", context.DeadlineExceeded)}, "net.proxy"},
		{"a hotel's address for a known name", Input{Host: known, Err: dialed("10.0.0.1:465", context.DeadlineExceeded)}, "net.portal"},
		{"an office server on a private address", Input{Host: anyHost, Err: dialed("10.0.0.1:465", context.DeadlineExceeded)}, "net.hangs"},
		{"cut on Windows", Input{Step: model.StepBody, Err: os.NewSyscallError("wsarecv", wsaConnReset)}, "net.lost"},
		{"a bad host name", Input{Step: model.StepConnect, Err: smtpx.ErrParameter}, "net.host"},
		{"idle session gone", Input{Step: model.StepMail, Err: fmt.Errorf("%w: %w", smtpx.ErrStale, io.EOF)}, "net.again"},
		{"session full", Input{Step: model.StepMail, Err: smtpx.ErrSessionFull}, "net.session"},
		{"letter over SIZE", Input{Step: model.StepMail, Err: smtpx.ErrTooBig}, "local.size"},
		{"address in Chinese", Input{Step: model.StepMail, Err: smtpx.ErrNoSMTPUTF8}, "local.utf8"},
		{"REQUIRETLS", Input{Step: model.StepMail, Err: smtpx.ErrNoRequireTLS}, "local.tls"},
		{"address with a line end", Input{Step: model.StepRcpt, Err: smtpx.ErrParameter}, "local.address"},
		{"NUL in the letter", Input{Step: model.StepBody, Err: smtpx.ErrNUL}, "local.letter"},
		{"a letter that cannot be made", Input{Step: model.StepCompose, Err: errors.New("no")}, "local.letter"},
		{"stopped", Input{Step: model.StepBody, Err: &smtpx.Error{Phase: smtpx.PhaseBody, Err: context.Canceled}}, "local.stopped"},
		{"silence after the dot", Input{Step: model.StepDot, Err: os.ErrDeadlineExceeded}, "net.unknown"},
		{"stopped after the dot", Input{Step: model.StepDot, Err: context.Canceled, Unknown: true}, "net.unknown"},
		{"something new", Input{Step: model.StepMail, Err: errors.New("strange")}, "net.lost"},
		{"nothing at all", Input{}, "unclear"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.in.Host == "" {
				c.in.Host = anyHost
			}
			if c.in.Port == 0 {
				c.in.Port = 465
			}
			if d := Explain(c.in); d.Rule != c.rule {
				t.Errorf("rule %s, want %s", d.Rule, c.rule)
			}
		})
	}
}

// TestOnlyTheEndIsUnknown: without a reply a letter is in doubt after the dot and at no other step.
func TestOnlyTheEndIsUnknown(t *testing.T) {
	for p := smtpx.PhaseConnect; p <= smtpx.PhaseBody; p++ {
		for _, err := range []error{io.EOF, os.ErrDeadlineExceeded, context.Canceled, errors.New("x")} {
			d := Explain(FromOutcome("qq", smtpx.Outcome{Phase: p, Err: &smtpx.Error{Phase: p, Err: err}}))
			if d.State != model.Queued {
				t.Errorf("%s, %v: %s", p, err, d.State)
			}
		}
	}
	d := Explain(FromOutcome("qq", smtpx.Outcome{Phase: smtpx.PhaseDot, Status: smtpx.Unknown, Err: io.EOF}))
	if key, _ := d.Next(); d.State != model.Unknown || key != "diag.next.ask" {
		t.Errorf("after the dot: %s, %s", d.State, key)
	}
}

// TestReplyInsideAnError: a server that says why and hangs up is quoted, at the step where it said it.
func TestReplyInsideAnError(t *testing.T) {
	err := &smtpx.Error{Phase: smtpx.PhaseAuth, Reply: &smtpx.Reply{Code: 550, Lines: []string{"User has no permission"}}, Err: io.EOF}
	d := Explain(Input{Provider: "163", Step: model.StepMail, Err: err})
	if d.Rule != "netease.auth.off" || d.Args["reply"] != "User has no permission" || d.Args["step"] != "AUTH" {
		t.Errorf("%+v", d)
	}
	if d := Explain(Input{Host: "smtp.exmail.qq.com", Step: model.StepAuth, Text: "535 authentication failed, system busy"}); d.Rule != "exmail.auth" {
		t.Errorf("the provider was not found by its host: %s", d.Rule)
	}
}
