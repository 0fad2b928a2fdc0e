package diagnose

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"hongyan/app/model"
)

// ruleFiles is the knowledge: one file a family of servers; the fields are those of rule.
//
//go:embed rules/*.json
var ruleFiles embed.FS

// rule is one line of knowledge. Every condition that is given must hold; of the choices of one condition
// one is enough.
type rule struct {
	ID string `json:"id"`

	Provider []string `json:"provider"` // keys of presets, or a family
	Step     []string `json:"step"`
	Fault    []string `json:"fault"`    // a failure without a reply
	Reply    []string `json:"code"`     // 550, 55x, 5xx
	Enhanced []string `json:"enhanced"` // 5.1.1, x.2.2
	Token    []string `json:"token"`    // words of the form XX:YYY
	Text     []string `json:"text"`     // parts of the reply in lower case; "..." stands for anything
	Not      []string `json:"not"`      // parts that must not be there

	Scope    model.Scope    `json:"scope"`
	State    model.State    `json:"state"`
	Suppress string         `json:"suppress"`
	Retry    duration       `json:"retry"`
	Account  AccountEffect  `json:"account"`
	CoolDown duration       `json:"cooldown"`
	Tomorrow bool           `json:"tomorrow"`
	Campaign CampaignEffect `json:"campaign"`
	Code     model.Code     `json:"error"`
	Say      string         `json:"say"` // the key of its sentences, when not the ID
}

func (r *rule) say() string {
	if r.Say != "" {
		return r.Say
	}
	return r.ID
}

// duration is a time.Duration written as "15m".
type duration time.Duration

// UnmarshalJSON reads "15m".
func (d *duration) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	v, err := time.ParseDuration(s)
	*d = duration(v)
	return err
}

// rank orders rules from the most telling condition to none at all; within a rank no two rules may match the
// same reply.
func (r *rule) rank() int {
	text, prov, step := len(r.Text)+len(r.Token) > 0, len(r.Provider) > 0, len(r.Step) > 0
	code := len(r.Reply) > 0 && !slices.ContainsFunc(r.Reply, func(c string) bool { return c[1:] == "xx" })
	bit := func(b bool) int {
		if b {
			return 0
		}
		return 1
	}
	switch {
	case len(r.Fault) > 0:
		return 0 + bit(step)
	case prov && text:
		return 2 + bit(step)
	case prov:
		return 4 + bit(step)
	case text:
		return 6 + bit(step)
	case len(r.Enhanced) > 0:
		return 8 + bit(step)
	case code:
		return 10 + bit(step)
	case len(r.Reply) > 0:
		return 12 + bit(step)
	default:
		return 14 + bit(step)
	}
}

const rankCount = 16

type ruleBook struct {
	ranks [rankCount][]*rule
	all   []*rule
}

type ruleFile struct {
	Families map[string][]string `json:"families"`
	Rules    []*rule             `json:"rules"`
}

// book is read once; a mistake in it is one of the build, which every test of the package would show.
var book = mustRead()

func mustRead() *ruleBook {
	b, err := readRules()
	if err != nil {
		panic("diagnose: " + err.Error())
	}
	return b
}

func readRules() (*ruleBook, error) {
	names, err := ruleFiles.ReadDir("rules")
	if err != nil {
		return nil, err
	}
	var files []ruleFile
	families := map[string][]string{}
	for _, n := range names {
		data, err := ruleFiles.ReadFile("rules/" + n.Name())
		if err != nil {
			return nil, err
		}
		var f ruleFile
		if err := json.Unmarshal(data, &f); err != nil {
			return nil, fmt.Errorf("%s: %w", n.Name(), err)
		}
		for k, v := range f.Families {
			families[k] = v
		}
		files = append(files, f)
	}
	b := &ruleBook{}
	complete := false
	for _, f := range files {
		for _, r := range f.Rules {
			r.Provider = expand(r.Provider, families)
			if err := r.imply(); err != nil {
				return nil, err
			}
			b.all = append(b.all, r)
			b.ranks[r.rank()] = append(b.ranks[r.rank()], r)
			complete = complete || r.rank() == rankCount-1
		}
	}
	if !complete {
		return nil, errors.New("no rule without a condition: some reply would go unexplained")
	}
	return b, nil
}

func expand(keys []string, families map[string][]string) []string {
	var out []string
	for _, k := range keys {
		if f, ok := families[k]; ok {
			out = append(out, f...)
		} else {
			out = append(out, k)
		}
	}
	return out
}

// imply fills what a scope means where the rule does not say otherwise.
func (r *rule) imply() error {
	type effect struct {
		state    model.State
		account  AccountEffect
		campaign CampaignEffect
		suppress string
		retry    time.Duration
		cool     time.Duration
	}
	effects := map[model.Scope]effect{
		model.ScopeAuth:         {model.Queued, AccountStops, CampaignGoesOn, "", 0, 0},
		model.ScopeAccountRate:  {model.Queued, AccountRests, CampaignGoesOn, "", 0, 15 * time.Minute},
		model.ScopeAccountBlock: {model.Queued, AccountStops, CampaignGoesOn, "", 0, 0},
		model.ScopeConnection:   {model.Queued, AccountReconnects, CampaignGoesOn, "", 0, 30 * time.Second},
		model.ScopeContent:      {model.Rejected, AccountGoesOn, CampaignCounts, "", 0, 0},
		model.ScopeHard:         {model.Rejected, AccountGoesOn, CampaignGoesOn, "bounce", 0, 0},
		model.ScopeSoft:         {model.Deferred, AccountGoesOn, CampaignGoesOn, "", 15 * time.Minute, 0},
		model.ScopeConfig:       {model.Queued, AccountStops, CampaignGoesOn, "", 0, 0},
		model.ScopeUnknown:      {model.Unknown, AccountReconnects, CampaignGoesOn, "", 0, 30 * time.Second},
	}
	e, ok := effects[r.Scope]
	if !ok {
		return fmt.Errorf("rule %s: no such scope %q", r.ID, r.Scope)
	}
	if r.State == "" {
		r.State = e.state
	}
	if r.Account == "" {
		r.Account = e.account
	}
	if r.Campaign == "" {
		r.Campaign = e.campaign
	}
	switch r.Suppress {
	case "":
		r.Suppress = e.suppress
	case "no":
		r.Suppress = ""
	}
	if r.Retry == 0 && r.State == model.Deferred {
		r.Retry = duration(max(e.retry, 15*time.Minute))
	}
	if r.CoolDown == 0 && !r.Tomorrow && r.Account == e.account {
		r.CoolDown = duration(e.cool)
	}
	return nil
}
