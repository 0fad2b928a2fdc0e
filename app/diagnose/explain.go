package diagnose

import (
	"errors"
	"maps"
	"regexp"
	"strconv"
	"strings"
	"time"

	"hongyan/app/model"
	"hongyan/app/provider"
	"hongyan/smtpx"
)

// Explain says what a failure means. It always has an answer: the last rules match anything.
func Explain(in Input) Diagnosis {
	in.complete()
	q := newQuery(in)
	for _, rules := range book.ranks {
		for _, r := range rules {
			if r.matches(q) {
				return r.diagnosis(q)
			}
		}
	}
	panic("diagnose: the rule book has no rule without a condition") // readRules has made sure of one
}

// ExplainError says what a failure of the network or of TLS means.
func ExplainError(host string, port int, tls model.TLSMode, step model.Step, err error) Diagnosis {
	return Explain(Input{Host: host, Port: port, TLS: tls, Step: step, Err: err})
}

// takeReply copies what the server said.
func (in *Input) takeReply(r *smtpx.Reply) {
	if r != nil {
		in.Code, in.Enhanced, in.Text = r.Code, r.Enhanced, strings.Join(r.Lines, "\n")
	}
}

var (
	codeStart     = regexp.MustCompile(`^\s*([2-5][0-9][0-9])(?:[ -]|$)`)
	enhancedStart = regexp.MustCompile(`^\s*#?([245]\.[0-9]{1,3}\.[0-9]{1,3})(?:\b|$)`)
)

// complete fills what is implied: a reply inside Err, a code or an enhanced code at the start of Text.
func (in *Input) complete() {
	if in.Code == 0 && in.Err != nil {
		if e, ok := errors.AsType[*smtpx.Error](in.Err); ok && e.Reply != nil {
			in.takeReply(e.Reply)
			in.Step = StepOf(e.Phase)
		}
	}
	if in.Step == "" && in.Code == 0 && in.Err != nil {
		if e, ok := errors.AsType[*smtpx.Error](in.Err); ok {
			in.Step = StepOf(e.Phase)
		}
	}
	if in.Now.IsZero() {
		in.Now = time.Now()
	}
	if p, ok := provider.ForHost(in.Host); ok && (in.Provider == "" || in.Provider == "other") {
		in.Provider = p.Key
	}
	rest := in.Text
	if m := codeStart.FindStringSubmatch(rest); m != nil {
		if in.Code == 0 {
			in.Code, _ = strconv.Atoi(m[1]) // three digits by the pattern
		}
		rest = rest[len(m[0]):]
	}
	if in.Enhanced == "" {
		if m := enhancedStart.FindStringSubmatch(rest); m != nil {
			in.Enhanced = m[1]
		}
	}
	if in.Step == "" && in.Code != 0 {
		in.Step = StepBounce
	}
	if in.Step == model.StepDot && in.Code == 0 {
		in.Unknown = true
	}
}

// query is an Input prepared for matching.
type query struct {
	Input
	text   string          // lower case, white space collapsed
	tokens map[string]bool // upper-case words such as DT:SPM
	fault  Fault
}

var tokenPattern = regexp.MustCompile(`[A-Z]{2}:[A-Z0-9]{2,4}\b`)

func newQuery(in Input) *query {
	q := &query{Input: in, text: strings.ToLower(strings.Join(strings.Fields(in.Text), " "))}
	for _, t := range tokenPattern.FindAllString(in.Text, -1) {
		if q.tokens == nil {
			q.tokens = map[string]bool{}
		}
		q.tokens[t] = true
	}
	if in.Unknown {
		q.fault = FaultUnknown
	} else if in.Code == 0 {
		q.fault = classify(in)
	}
	return q
}

func (r *rule) matches(q *query) bool {
	return !r.early(q) && anyOrNone(r.Provider, func(p string) bool { return p == q.Provider }) &&
		anyOrNone(r.Step, func(s string) bool { return s == string(q.Step) }) &&
		anyOrNone(r.Fault, func(f string) bool { return f == string(q.fault) }) &&
		anyOrNone(r.Reply, func(c string) bool { return q.Code != 0 && like(c, strconv.Itoa(q.Code)) }) &&
		anyOrNone(r.Enhanced, func(e string) bool { return likeEnhanced(e, q.Enhanced) }) &&
		anyOrNone(r.Token, func(t string) bool { return q.tokens[t] }) &&
		anyOrNone(r.Text, func(t string) bool { return hasWords(q.text, t) }) &&
		(len(r.Not) == 0 || !anyOrNone(r.Not, func(t string) bool { return hasWords(q.text, t) }))
}

// early says that a rule about recipients meets a reply from before one was named: "invalid user" is the sender
// then, and must not cost anybody their place on a list. A rule that names the step is taken at its word.
func (r *rule) early(q *query) bool {
	if r.Scope != model.ScopeHard && r.Scope != model.ScopeSoft || len(r.Step) > 0 || q.Code == 0 {
		return false
	}
	switch q.Step {
	case model.StepConnect, model.StepTLS, model.StepEHLO, model.StepAuth, model.StepMail:
		return true
	}
	return false
}

// anyOrNone is true when there is no condition, or when one of its choices holds.
func anyOrNone(choices []string, f func(string) bool) bool {
	for _, c := range choices {
		if f(c) {
			return true
		}
	}
	return len(choices) == 0
}

// hasWords finds the parts of want, which "..." stands between, in this order.
func hasWords(text, want string) bool {
	for part := range strings.SplitSeq(want, "...") {
		i := strings.Index(text, part)
		if i < 0 {
			return false
		}
		text = text[i+len(part):]
	}
	return true
}

// like compares a code with a pattern in which x stands for any digit.
func like(pattern, code string) bool {
	if len(pattern) != len(code) {
		return false
	}
	for i := range len(pattern) {
		if pattern[i] != 'x' && pattern[i] != code[i] {
			return false
		}
	}
	return true
}

// likeEnhanced compares part by part; x stands for any number.
func likeEnhanced(pattern, code string) bool {
	p, c := strings.Split(pattern, "."), strings.Split(code, ".")
	if len(p) != len(c) {
		return false
	}
	for i := range p {
		if p[i] != "x" && p[i] != c[i] {
			return false
		}
	}
	return true
}

// diagnosis fills in what the scope implies and the rule leaves open.
func (r *rule) diagnosis(q *query) Diagnosis {
	d := Diagnosis{
		Rule: r.ID, Scope: r.Scope, State: r.State, Suppress: r.Suppress,
		RetryAfter: time.Duration(r.Retry), Account: r.Account, CoolDown: time.Duration(r.CoolDown), Tomorrow: r.Tomorrow,
		Campaign: r.Campaign, TextKey: "diag." + r.say(), Args: q.args(), Code: r.code(q),
	}
	if q.Step == StepBounce {
		d.bounced()
	}
	// What is refused for now after the dot was read whole: the row waits, it does not go out again at once.
	if q.Step == model.StepDot && q.Code != 0 && d.State == model.Queued && r.Scope == model.ScopeConnection {
		d.State = model.Deferred
		d.RetryAfter = max(d.RetryAfter, d.CoolDown, 5*time.Minute)
	}
	return d
}

// bounced turns the meaning of a reply into that of a bounce: the letter was given up by a server on the way, so
// it is over for this recipient, and the account that handed it in is not the one that was refused.
func (d *Diagnosis) bounced() {
	d.State, d.RetryAfter, d.CoolDown, d.Tomorrow = model.Rejected, 0, 0, false
	if d.Account != AccountGoesOn {
		d.Account = AccountGoesOn
		if d.Campaign == CampaignGoesOn {
			d.Campaign = CampaignCounts
		}
	}
}

func (q *query) args() map[string]string {
	a := map[string]string{"reply": strings.Join(strings.Fields(q.Text), " "), "host": "?", "port": "?"}
	if q.Code != 0 {
		a["code"] = strconv.Itoa(q.Code)
	}
	if q.Enhanced != "" {
		a["enhanced"] = q.Enhanced
	}
	if q.Step != "" {
		a["step"] = string(q.Step)
	}
	if q.Host != "" {
		a["host"] = q.Host
	}
	if q.Port != 0 {
		a["port"] = strconv.Itoa(q.Port)
	}
	maps.Copy(a, q.fault.args(q.Input))
	return a
}

// code is the error code that a failure of this rule has outside of a delivery.
func (r *rule) code(q *query) model.Code {
	switch {
	case r.Code != "":
		return r.Code
	case r.Scope == model.ScopeAuth:
		return model.EAuth
	case q.Code != 0:
		return model.EReplied
	default:
		return model.EConnLost
	}
}
