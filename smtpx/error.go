package smtpx

import (
	"context"
	"errors"
	"io"
	"net"
)

// The causes that a program may want to tell apart; they come wrapped in an [Error].
var (
	ErrNoSTARTTLS   = errors.New("the server does not offer STARTTLS")
	ErrInjected     = errors.New("the server sent data between STARTTLS and the handshake")
	ErrNoAuth       = errors.New("the server offers no login")
	ErrNoMechanism  = errors.New("the server offers no login mechanism that this account can use")
	ErrPlainAuth    = errors.New("refusing to log in without TLS")
	ErrAuthProtocol = errors.New("the server broke the login protocol")
	ErrFingerprint  = errors.New("the server's certificate is not the pinned one")
	ErrProtocol     = errors.New("not an SMTP reply")
	ErrUnsolicited  = errors.New("the server spoke without being asked")
	ErrReset        = errors.New("the server does not accept RSET after a refused letter")
	ErrStale        = errors.New("the idle connection was closed; nothing was sent, a new one is safe to try")
	ErrBusy         = errors.New("the session is in use")
	ErrClosed       = errors.New("the session is closed")
	ErrSessionFull  = errors.New("the server's limit of letters a session is reached")
	ErrRecipients   = errors.New("no recipient, or more than the server takes in one letter")
	ErrNoSMTPUTF8   = errors.New("the letter needs SMTPUTF8, which the server does not offer")
	ErrNoRequireTLS = errors.New("the letter needs REQUIRETLS, which the server does not offer")
	ErrTooBig       = errors.New("the letter is larger than the server takes")
	ErrParameter    = errors.New("bad envelope parameter")
	ErrChunking     = errors.New("the server refused BDAT; the session goes on with DATA")
	ErrNUL          = errors.New("the message has a NUL octet")
	ErrLongLine     = errors.New("the message has a line of more than 998 octets")
	ErrAborted      = errors.New("the letter was withdrawn before its end")
)

// Error is how a session fails: where, what the server said if it said anything, and the cause.
type Error struct {
	Phase Phase
	Reply *Reply
	Err   error
}

// Error is the technical line for the log.
func (e *Error) Error() string {
	s := e.Phase.String()
	if e.Reply != nil {
		s += ": " + e.Reply.String()
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Temporary says whether the same thing may succeed later: a 4yz reply, or trouble with the connection.
func (e *Error) Temporary() bool {
	if e.Reply != nil {
		return e.Reply.Code/100 == 4
	}
	var ne net.Error
	return errors.As(e.Err, &ne) || isHangup(e.Err) || errors.Is(e.Err, io.ErrUnexpectedEOF)
}

// Timeout says whether a deadline passed.
func (e *Error) Timeout() bool { return isTimeout(e.Err) }

func isTimeout(err error) bool {
	var ne net.Error // as context.DeadlineExceeded is
	return errors.As(err, &ne) && ne.Timeout()
}

// Canceled says whether the caller's context ended it.
func (e *Error) Canceled() bool { return errors.Is(e.Err, context.Canceled) }
