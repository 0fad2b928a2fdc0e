package model

import "time"

// CampaignState is where a campaign stands.
type CampaignState string

// The states of a campaign.
const (
	CampaignDraft   CampaignState = "draft" // its audience is being frozen
	CampaignReady   CampaignState = "ready" // frozen, never started
	CampaignRunning CampaignState = "running"
	CampaignPaused  CampaignState = "paused"  // by the user, by a fault, or by a crash
	CampaignStopped CampaignState = "stopped" // by the user, for good unless resumed
	CampaignDone    CampaignState = "done"    // nothing is queued or deferred any more
)

// Campaign is one sending of one letter to one audience. Letter is its own snapshot.
type Campaign struct {
	ID                               int64
	Name                             string
	State                            CampaignState
	Reason                           string // why it is paused: a key "pause.<Reason>" in the language files, or ""
	Detail                           string // e.g. the server's reply behind Reason
	Letter                           Letter
	ListID                           int64
	ListName                         string
	AccountIDs                       []int64
	Seed                             string // random, hex: Message-ID and boundaries derive from it and the recipient
	Schedule                         Schedule
	CreatedAt, StartedAt, FinishedAt time.Time
}

// Schedule bounds when a campaign may send; the zero value is "now, at any hour".
type Schedule struct {
	StartAt          time.Time
	StopAfter        time.Time
	Days             []time.Weekday // none: every day
	FromHour, ToHour int            // local hours [FromHour, ToHour); equal: all day
	DomainPerMinute  int            // letters a minute to one recipient domain; 0: no limit
}

// State is where one recipient of a campaign stands: see the delivery journal in docs/journal.md.
type State string

// The states of a delivery.
const (
	Queued     State = "queued"
	Attempting State = "attempting" // durable before the bytes that could deliver leave
	Accepted   State = "accepted"   // the server said 250 after the final dot
	Deferred   State = "deferred"   // refused for now; queued again at NextAt
	Rejected   State = "rejected"   // refused for good
	Unknown    State = "unknown"    // the final dot was sent and no reply was read: may have been delivered
	Skipped    State = "skipped"    // suppressed, duplicate, invalid, or removed by the user
)

// Step is the point of the ESMTP dialogue at which something happened.
type Step string

// The steps, in order.
const (
	StepConnect Step = "CONNECT" // DNS, TCP and the greeting
	StepTLS     Step = "TLS"
	StepEHLO    Step = "EHLO"
	StepAuth    Step = "AUTH"
	StepMail    Step = "MAIL"
	StepRcpt    Step = "RCPT"
	StepData    Step = "DATA"
	StepBody    Step = "BODY"    // the message is under way, its terminator not yet out
	StepDot     Step = "DOT"     // after the terminator
	StepCompose Step = "COMPOSE" // the letter could not be made for this recipient
)

// Scope says whom a reply is about. A reply is classified by step and scope, never by its first digit.
type Scope string

// The scopes.
const (
	ScopeNone         Scope = ""
	ScopeAuth         Scope = "auth"           // the login: stop the account, ask the user
	ScopeAccountRate  Scope = "account-rate"   // the account sends too much: rest
	ScopeAccountBlock Scope = "account-block"  // the account may not send: stop it, ask the user
	ScopeConnection   Scope = "connection"     // the line: reconnect with backoff
	ScopeContent      Scope = "content"        // the letter: the same one will fail for all
	ScopeHard         Scope = "recipient-hard" // the address is dead: suppress
	ScopeSoft         Scope = "recipient-soft" // this recipient, for now
	ScopeConfig       Scope = "config"         // settings or our bug: stop
	ScopeUnknown      Scope = "unknown"        // the outcome is not known
)

// Delivery is one recipient of one campaign.
type Delivery struct {
	ID         int64
	CampaignID int64
	ContactID  int64 // 0 once the contact is gone
	Email      string
	Address    string
	Name       string
	Fields     map[string]string
	State      State
	Reason     string // why it was skipped: "suppressed", "duplicate", "invalid", "consent", "removed"
	Attempts   int
	AccountID  int64
	Step       Step
	Code       int
	Enhanced   string
	Reply      string
	Scope      Scope
	NextAt     time.Time // with Deferred
	UpdatedAt  time.Time
}

// Outcome is how an attempt ended; the journal moves the delivery to State.
type Outcome struct {
	DeliveryID int64
	AccountID  int64
	State      State // Queued (nothing left us), Accepted, Deferred, Rejected, Unknown or Skipped
	Reason     string
	Step       Step
	Code       int
	Enhanced   string
	Reply      string
	Scope      Scope
	NextAt     time.Time
	At         time.Time
}

// Begun is when an attempt at a recipient began.
type Begun struct {
	Email string
	At    time.Time
}

// Attempt is one line of a delivery's history.
type Attempt struct {
	DeliveryID int64
	AccountID  int64
	Started    time.Time
	Ended      time.Time // zero while it is under way, or for ever after a crash
	State      State
	Step       Step
	Code       int
	Enhanced   string
	Reply      string
	Scope      Scope
}

// Counts are the deliveries of a campaign by state; they always add up to Total.
type Counts struct {
	Total      int `json:"total"`
	Queued     int `json:"queued"`
	Attempting int `json:"attempting"`
	Accepted   int `json:"accepted"`
	Deferred   int `json:"deferred"`
	Rejected   int `json:"rejected"`
	Unknown    int `json:"unknown"`
	Skipped    int `json:"skipped"`
}

// Left is how many may still be sent to.
func (c Counts) Left() int { return c.Queued + c.Attempting + c.Deferred }

// DeliveryQuery chooses deliveries of a campaign.
type DeliveryQuery struct {
	CampaignID int64
	States     []State // none: all
	Search     string
	AfterID    int64 // keyset: only ids above it
	Limit      int   // 0: 1000
}
