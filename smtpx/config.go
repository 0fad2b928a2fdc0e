package smtpx

import (
	"context"
	"crypto/x509"
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

var phaseNames = [...]string{"connect", "greeting", "tls", "ehlo", "auth", "mail", "rcpt", "data", "body", "dot", "quit"}

// String is the phase's name in lower case.
func (p Phase) String() string {
	if p < 0 || int(p) >= len(phaseNames) {
		return "unknown"
	}
	return phaseNames[p]
}

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

	// TrySender, when set, asks after the login whether the server would take a letter from this address: one MAIL
	// FROM, whose refusal is Dial's error. RSET goes before the first letter of a session made so.
	TrySender Address

	NoPipelining bool // speak in lockstep even where PIPELINING is offered
	Overlap      bool // issue the next envelope behind a body that is under way (1 round trip a letter)
	// ChunkWindow, when above 0, sends bodies by BDAT where CHUNKING is offered, with up to that many
	// letters unanswered (at most 16).
	ChunkWindow int

	Timeouts Timeouts
	// Trace is called synchronously for each event, from the writing and from the reading goroutine, possibly
	// at once; nil: nothing is formatted.
	Trace func(Event)
	// ConnID names the session in events; 0: a process-wide counter.
	ConnID int64
	// Dial replaces the TCP dialer.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Timeouts are the deadlines of each phase; 0 means the default of that phase. BodyStall bounds one write of at
// most 32 KB. Dot has a long default (RFC 5321 §4.5.3.2.6), because giving up early makes duplicates.
type Timeouts struct {
	Connect, Greeting, TLS, EHLO, Auth, Mail, Rcpt, Data, BodyStall, Dot, Quit time.Duration
}

func (t Timeouts) withDefaults() Timeouts {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&t.Connect, 15*time.Second)
	def(&t.Greeting, time.Minute)
	def(&t.TLS, 20*time.Second)
	def(&t.EHLO, time.Minute)
	def(&t.Auth, time.Minute)
	def(&t.Mail, 2*time.Minute)
	def(&t.Rcpt, 2*time.Minute)
	def(&t.Data, 2*time.Minute)
	def(&t.BodyStall, time.Minute)
	def(&t.Dot, 10*time.Minute)
	def(&t.Quit, 2*time.Second)
	return t
}
