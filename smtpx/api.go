package smtpx

import (
	"context"
	"crypto/x509"
	"io"
	"net"
	"time"
)

// TLSMode says how a session is protected.
type TLSMode int

// TLS from the first byte (RFC 8314 §3.3), STARTTLS that fails closed (RFC 3207), or none at all.
const (
	TLSImplicit TLSMode = iota
	TLSStart
	TLSNone
)

// Phase is the part of a session in which something happened.
type Phase int

// The phases of a session, in order.
const (
	PhaseConnect  Phase = iota // DNS and TCP
	PhaseGreeting              // the server's 220
	PhaseTLS
	PhaseEHLO
	PhaseAuth
	PhaseMail
	PhaseRcpt
	PhaseData // DATA and its 354, or BDAT
	PhaseBody // the message is under way, its terminator not yet out
	PhaseDot  // after the terminator
	PhaseQuit
)

// Config is how to reach and speak to one server. The zero value of an optional field means its default.
type Config struct {
	Host       string
	Port       int
	TLS        TLSMode
	ServerName string         // for SNI and verification; default Host
	RootCAs    *x509.CertPool // default: the system's
	// Fingerprint, when set, is the SHA-256 of the server's leaf certificate; it replaces verification
	// against RootCAs.
	Fingerprint []byte
	LegacyRSA   bool   // offer RSA key exchange suites as well, for servers that know nothing newer
	LocalName   string // the EHLO name; default an address literal
	Auth        *Auth  // nil: no login
	// AllowPlainAuth lets a login happen without TLS on a host that is not loopback.
	AllowPlainAuth bool

	NoPipelining bool // speak in lockstep even where PIPELINING is offered
	Overlap      bool // issue the next envelope behind a body that is under way (1 round trip a letter)
	// ChunkWindow, when above 0, sends bodies by BDAT where CHUNKING is offered, with up to that many
	// letters unanswered (at most 16).
	ChunkWindow int

	Timeouts Timeouts
	// Trace is called synchronously for each event; nil: nothing is formatted.
	Trace func(Event)
	// ConnID names the session in events; 0: a process-wide counter.
	ConnID int64
	// Dial replaces the TCP dialer.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Timeouts are the deadlines of each phase; 0 means the default of that phase.
type Timeouts struct {
	Connect, Greeting, TLS, EHLO, Auth, Mail, Rcpt, Data, BodyStall, Dot, Quit time.Duration
}

// Auth is a login. Exactly one mechanism is tried: the best of Mechanisms (default: all that Secret or Token
// allow, strongest first) that the server offers.
type Auth struct {
	User       string
	Secret     string
	Token      func(ctx context.Context) (string, error) // an OAuth2 access token, for XOAUTH2 and OAUTHBEARER
	Mechanisms []string
}

// Reply is what a server said, RFC 5321 §4.2.
type Reply struct {
	Code     int
	Enhanced string   // RFC 3463, "" when there is none or its class does not fit Code
	Lines    []string // text of each line, code and enhanced code taken off, decoded, control characters escaped
	Raw      []byte   // as received
}

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

// Outcome is what became of one recipient of a transaction.
type Outcome struct {
	Status Status
	Phase  Phase
	Reply  *Reply // nil when the server said nothing
	Err    error  // nil for Accepted
}

// Result is what became of a transaction. Outcomes has one entry for each address of To.
type Result struct {
	Outcomes []Outcome
	Size     int64 // octets of the message sent, before dot-stuffing
}

// Transaction is one letter to one or several recipients.
type Transaction struct {
	ID   int64 // shown in events
	From Address
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
	// BeforeDot is called when all but the terminator is out, with BDAT before the last chunk's octets. An
	// error from it means that the terminator is not sent: the session is closed and the letter is NotSent.
	BeforeDot func() error
	// Done gets the result, from the session's reading goroutine, as soon as it is known. Exactly once.
	Done func(Result)
}

// Source hands transactions to a session.
type Source interface {
	// Next returns the next transaction. With wait it blocks until there is one, ctx ends or there will be
	// none any more (nil, io.EOF). Without wait it returns (nil, nil) when none is granted at once.
	Next(ctx context.Context, wait bool) (*Transaction, error)
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
