package model

import "time"

// TLSMode says how a session to the server is protected.
type TLSMode string

// The modes: TLS from the first byte (RFC 8314), STARTTLS that fails closed (RFC 3207), or none (loopback only).
const (
	TLSImplicit TLSMode = "implicit"
	TLSStart    TLSMode = "starttls"
	TLSNone     TLSMode = "none"
)

// Profile says how hard a server may be driven.
type Profile string

// ProfileConsumer is polite: one connection, no overlap. ProfileRelay is for an own server: overlap,
// CHUNKING where offered, several connections.
const (
	ProfileConsumer Profile = "consumer"
	ProfileRelay    Profile = "relay"
)

// AuthKind says what an account logs in with.
type AuthKind string

// The kinds of login.
const (
	AuthPassword AuthKind = "password" // a password or an authorization code
	AuthOAuth2   AuthKind = "oauth2"   // a token from the provider's sign-in page
	AuthNone     AuthKind = "none"     // no login at all (a relay that knows us by address)
)

// Limits are what an account may do; 0 means no limit. PerMinute, PerHour and PerDay are letters (one
// recipient each) in any window of that length; PerSession is letters over one connection.
type Limits struct {
	Connections, PerMinute, PerHour, PerDay, PerSession int
	// GapMin and GapMax bound the random pause between two letters of the account.
	GapMin, GapMax time.Duration
}

// Account is a mailbox that letters are sent from. Its password is never here: see app/secrets.
type Account struct {
	ID                        int64 // 0 until stored
	Name                      string
	From                      string // the address in From and in MAIL FROM
	FromName                  string
	Provider                  string // key of a Preset, or "" for a free form
	Host                      string
	Port                      int
	TLS                       TLSMode
	User                      string // the login; usually From
	Auth                      AuthKind
	Profile                   Profile
	Limits                    Limits
	CAFile                    string // extra CA certificates, PEM
	Fingerprint               string // pinned SHA-256 of the server's certificate, hex; "" for none
	LegacyTLS, AllowPlaintext bool
	CreatedAt, UpdatedAt      time.Time
}

// ClockState says whether an account may send at present.
type ClockState string

// An account is fit, rests until a time, or waits for the user.
const (
	ClockFit     ClockState = "fit"
	ClockResting ClockState = "resting" // until Clock.Until
	ClockStopped ClockState = "stopped" // until the user acts
)

// Clock is the durable cool-down of an account: a restart resets no ban.
type Clock struct {
	AccountID int64
	State     ClockState
	Until     time.Time // with ClockResting
	Scope     Scope     // why
	Step      Step
	Code      int
	Enhanced  string
	Reply     string // what the server said, secrets masked
	At        time.Time
}

// Preset is a provider as Hongyan knows it. Texts for people are keyed by Key in the language files:
// "provider.<key>" is its name, "provider.<key>.help" how to get an authorization code.
type Preset struct {
	Key     string
	Domains []string // mail domains that belong to it, the first is the usual one
	Host    string
	Port    int
	TLS     TLSMode
	Auth    []AuthKind // the first is offered first
	Limits  Limits     // safe starting limits, not the provider's own
	HelpURL string
}
