package smtpx

import (
	"context"
	"io"
	"time"
)

// Status is the fate of a letter for one recipient.
type Status int

// The fates. NotSent means that nothing that could deliver the letter left us.
const (
	NotSent Status = iota
	Accepted
	Temporary
	Permanent
	Unknown // the terminator was sent and no reply was read
)

var statusNames = [...]string{"not sent", "accepted", "temporary", "permanent", "unknown"}

// String is the status in words.
func (s Status) String() string {
	if s < 0 || int(s) >= len(statusNames) {
		return "invalid"
	}
	return statusNames[s]
}

// Outcome is what became of one recipient of a transaction.
type Outcome struct {
	Status Status
	Phase  Phase
	Reply  *Reply // what the server said about the letter, or the 421 with which it left; nil when it said nothing
	Err    error  // nil for Accepted
}

// String is the outcome in one line, for a log.
func (o Outcome) String() string {
	s := o.Status.String() + " in " + o.Phase.String()
	switch {
	case o.Reply != nil:
		s += ": " + o.Reply.String()
	case o.Err != nil:
		s += ": " + o.Err.Error()
	}
	return s
}

// Result is what became of a transaction. Outcomes has one entry for each address of To.
type Result struct {
	Outcomes []Outcome
	Size     int64 // octets of the message sent, before dot-stuffing
}

// Transaction is one letter to one or several recipients.
type Transaction struct {
	ID   int64   // shown in events
	From Address // the zero Address is the null reverse-path
	To   []Address
	Size int64 // octets, for SIZE=; 0: not known
	// Body writes the message; it may be called once, from the session's writing goroutine. Line ends are
	// made CRLF and dots are stuffed by the session.
	Body     func(w io.Writer) error
	EightBit bool // the body has octets above 127: BODY=8BITMIME where offered
	UTF8     bool // a header field has them: SMTPUTF8
	// RequireTLS asks for RFC 8689.
	RequireTLS bool
	Return     string // DSN RET: "", "FULL" or "HDRS"
	EnvelopeID string // DSN ENVID
	Notify     string // DSN NOTIFY: "", "NEVER" or a list of SUCCESS, FAILURE, DELAY
	// Begin, when set, is called when MAIL FROM is about to be written: a journal can start to make its
	// intent durable while the envelope makes its round trip. It must not block.
	Begin func()
	// BeforeDot is called when all but the terminator is out, or ready to go, with BDAT before the last chunk's octets. An
	// error from it means that the terminator is not sent: the session is closed and the letter is NotSent.
	BeforeDot func() error
	// Ready, when set, reports that BeforeDot will not wait. The octets before the terminator need not go out
	// ahead of it then: all leave in one write. It must not block.
	Ready func() bool
	// Done gets the result as soon as it is known, exactly once: from the goroutine that reads at that moment, the
	// session's own or that of Run, or from the goroutine of Run when the letter was refused before anything of it
	// was written. It must not wait for Run or Close.
	Done func(Result)
}

// Source hands transactions to a session.
type Source interface {
	// Next returns the next transaction. With wait it blocks until there is one, ctx ends or there will be
	// none any more (nil, io.EOF). Without wait it returns (nil, nil) when none is granted at once.
	Next(ctx context.Context, wait bool) (*Transaction, error)
}

// Preparer is a Source that has something to do for the letter after the one under way. Prepare is called from the
// session's writing goroutine while a reply is awaited behind which Next will be called. It must not block, and nothing
// is taken by it: Next may never be called.
type Preparer interface {
	Prepare(ctx context.Context)
}

// EventKind says what an Event is.
type EventKind int

// The kinds of event.
const (
	EventConnect EventKind = iota // Text: remote address
	EventTLS                      // Text: version, suite, certificate
	EventCommand                  // Text: as written; secrets are never part of it
	EventReply                    // Text: the reply's lines
	EventBody                     // Bytes: octets of the message
	EventNote                     // Text: something worth knowing, such as garbage after QUIT
	EventError                    // Text
	EventClose
)

// Event is one thing that happened in a session.
type Event struct {
	Time   time.Time
	Conn   int64
	Letter int64 // Transaction.ID, or 0
	Kind   EventKind
	Phase  Phase
	Code   int // of a reply
	Bytes  int64
	Text   string
}
