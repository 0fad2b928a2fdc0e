package diagnose

import (
	"time"

	"hongyan/app/model"
	"hongyan/smtpx"
)

// Input is one thing that went wrong.
type Input struct {
	// Provider is the key of the preset of the server that spoke; "" where it is not known. In a bounce it
	// is the provider of the recipient's server, not of the account.
	Provider string
	Step     model.Step
	Code     int    // 0 when the server said nothing
	Enhanced string // "5.1.1", or "" (then it is looked for at the start of Text)
	Text     string // the reply, decoded; several lines joined by a newline or a space
	Err      error  // why there is no reply
	// Unknown is set when the final dot was sent and no reply was read.
	Unknown bool

	Host  string // for the sentences, and for faults of the network
	Port  int
	TLS   model.TLSMode
	Proxy bool      // the system is set up with a proxy
	Now   time.Time // to judge a certificate's time by; the zero time means the present
}

// StepBounce is the step of what a bounce mail says: the words of the recipient's server, at some step that is not
// told. A reply without a step is taken for one.
const StepBounce model.Step = "BOUNCE"

// AccountEffect is what a failure means for the account.
type AccountEffect string

// An account goes on, reconnects first, rests for CoolDown, or stops until the user acts.
const (
	AccountGoesOn     AccountEffect = "goes-on"
	AccountReconnects AccountEffect = "reconnects" // after CoolDown, doubled at each failure in a row
	AccountRests      AccountEffect = "rests"      // model.ClockResting until Until(now)
	AccountStops      AccountEffect = "stops"      // model.ClockStopped: never retried in a loop
)

// CampaignEffect is what a failure means for the campaign.
type CampaignEffect string

// A campaign goes on, counts (and pauses after PauseAfter of the kind in a row), or pauses at once.
const (
	CampaignGoesOn CampaignEffect = "goes-on"
	CampaignCounts CampaignEffect = "counts"
	CampaignPauses CampaignEffect = "pauses"
)

// PauseAfter is how many failures with CampaignCounts in a row pause a campaign: the same letter would fail for all.
const PauseAfter = 3

// Diagnosis is what a failure means.
type Diagnosis struct {
	Rule  string      // id of the rule that matched
	Scope model.Scope // whom it is about
	Code  model.Code  // the error code of the same thing, with Args

	// State is what becomes of the recipient: Queued, Deferred (after RetryAfter), Rejected or Unknown.
	State      model.State
	RetryAfter time.Duration
	// Suppress is the reason to keep with the address ("bounce", "unsubscribe", "complaint"), or "".
	Suppress string

	Account  AccountEffect
	CoolDown time.Duration
	// Tomorrow is set when the account rests until the provider's day is over; CoolDown is 0 then.
	Tomorrow bool

	Campaign CampaignEffect

	// TextKey + ".what", ".means" and ".do" are the sentences; Args fill their {arg} places.
	TextKey string
	Args    map[string]string
}

// Permanent says whether the recipient will not be tried again.
func (d Diagnosis) Permanent() bool { return d.State == model.Rejected }

// Err is the diagnosis as a coded error with cause (or nil) behind it.
func (d Diagnosis) Err(cause error) error {
	e := model.E(d.Code, cause)
	e.Args = d.Args
	return e
}

// beijing is the day that Chinese providers count by.
var beijing = time.FixedZone("CST", 8*60*60)

// Until is when the account may go on: now when it is not to rest, the zero time when only the user can tell.
func (d Diagnosis) Until(now time.Time) time.Time {
	switch {
	case d.Account == AccountStops:
		return time.Time{}
	case d.Tomorrow:
		t := now.In(beijing)
		return time.Date(t.Year(), t.Month(), t.Day()+1, 0, 10, 0, 0, beijing).In(now.Location())
	default:
		return now.Add(d.CoolDown)
	}
}

// Next is the text key (with its argument n) of when Hongyan tries again by itself: "diag.next.minutes",
// "diag.next.hours", "diag.next.tomorrow", "diag.next.soon", "diag.next.user", "diag.next.never" or "diag.next.ask".
func (d Diagnosis) Next() (key string, n int) {
	wait := d.RetryAfter
	if d.CoolDown > wait {
		wait = d.CoolDown
	}
	switch {
	case d.State == model.Unknown:
		return "diag.next.ask", 0
	case d.Code == model.ECancelled:
		return "diag.next.user", 0
	case d.State == model.Rejected:
		return "diag.next.never", 0
	case d.Account == AccountStops || d.Campaign == CampaignPauses:
		return "diag.next.user", 0
	case d.Tomorrow:
		return "diag.next.tomorrow", 0
	case wait >= 2*time.Hour:
		return "diag.next.hours", int(wait.Round(time.Hour) / time.Hour)
	case wait >= time.Minute:
		return "diag.next.minutes", int(wait.Round(time.Minute) / time.Minute)
	default:
		return "diag.next.soon", 0
	}
}

// Consequences are the text keys of what happens to the recipient, the account and the campaign, in this order. What
// simply goes on is not mentioned.
func (d Diagnosis) Consequences() []string {
	keys := []string{"diag.then." + string(d.State)}
	if d.Suppress != "" {
		keys = append(keys, "diag.then.suppress."+d.Suppress)
	}
	if d.Account != AccountGoesOn {
		keys = append(keys, "diag.then.account."+string(d.Account))
	}
	if d.Campaign != CampaignGoesOn {
		keys = append(keys, "diag.then.campaign."+string(d.Campaign))
	}
	return keys
}

// StepOf translates the engine's phase.
func StepOf(p smtpx.Phase) model.Step {
	switch p {
	case smtpx.PhaseConnect, smtpx.PhaseGreeting:
		return model.StepConnect
	case smtpx.PhaseTLS:
		return model.StepTLS
	case smtpx.PhaseEHLO:
		return model.StepEHLO
	case smtpx.PhaseAuth:
		return model.StepAuth
	case smtpx.PhaseMail:
		return model.StepMail
	case smtpx.PhaseRcpt:
		return model.StepRcpt
	case smtpx.PhaseData:
		return model.StepData
	case smtpx.PhaseBody:
		return model.StepBody
	default:
		return model.StepDot
	}
}

// FromOutcome makes the Input of a letter's outcome.
func FromOutcome(provider string, o smtpx.Outcome) Input {
	in := Input{Provider: provider, Step: StepOf(o.Phase), Err: o.Err, Unknown: o.Status == smtpx.Unknown}
	in.takeReply(o.Reply)
	return in
}
