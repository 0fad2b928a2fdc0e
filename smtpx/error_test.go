package smtpx

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
)

func TestErrorKinds(t *testing.T) {
	reset := &net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	for _, c := range []struct {
		err                          Error
		temporary, timeout, canceled bool
	}{
		{Error{Reply: &Reply{Code: 451}}, true, false, false},
		{Error{Reply: &Reply{Code: 550}}, false, false, false},
		{Error{Reply: &Reply{Code: 550}, Err: io.EOF}, false, false, false},
		{Error{Err: io.EOF}, true, false, false},
		{Error{Err: io.ErrUnexpectedEOF}, true, false, false},
		{Error{Err: fmt.Errorf("%w: %w", ErrStale, io.EOF)}, true, false, false},
		{Error{Err: reset}, true, false, false},
		{Error{Err: os.ErrDeadlineExceeded}, true, true, false},
		{Error{Err: context.DeadlineExceeded}, true, true, false},
		{Error{Err: context.Canceled}, false, false, true},
		{Error{Err: ErrFingerprint}, false, false, false},
		{Error{Err: ErrProtocol}, false, false, false},
	} {
		if c.err.Temporary() != c.temporary || c.err.Timeout() != c.timeout || c.err.Canceled() != c.canceled {
			t.Errorf("%v: temporary %v, timeout %v, canceled %v", &c.err, c.err.Temporary(), c.err.Timeout(), c.err.Canceled())
		}
		if c.err.Err != nil && !errors.Is(&c.err, c.err.Err) {
			t.Errorf("%v hides its cause", &c.err)
		}
	}
}

func TestTexts(t *testing.T) {
	r := &Reply{Code: 550, Enhanced: "5.1.1", Lines: []string{"no", "body"}}
	for _, c := range []struct{ got, want string }{
		{(&Error{Phase: PhaseRcpt, Reply: r, Err: ErrReset}).Error(), "rcpt: 550 5.1.1 no / body: " + ErrReset.Error()},
		{Outcome{Status: Permanent, Phase: PhaseRcpt, Reply: r, Err: ErrReset}.String(), "permanent in rcpt: 550 5.1.1 no / body"},
		{Outcome{Status: Unknown, Phase: PhaseDot, Err: io.EOF}.String(), "unknown in dot: EOF"},
		{Outcome{}.String(), "not sent in connect"},
		{Phase(-1).String() + Phase(99).String() + Status(-1).String() + Status(99).String(), "unknownunknowninvalidinvalid"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}
