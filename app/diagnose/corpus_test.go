package diagnose

import (
	"bufio"
	"encoding/json"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"hongyan/app/model"
	"hongyan/app/provider"
	"hongyan/smtpx"
)

// known reply of a server: what it said, to whom, and what is to be made of it. Hosts, addresses and numbers are
// made up where they stood for somebody. testdata/replies.jsonl has one a line.
type knownReply struct {
	Provider string     `json:"provider"` // key of the preset, "" for any other server
	Step     model.Step `json:"step"`
	Raw      string     `json:"raw"` // the octets, with the escapes of a Go string
	Source   string     `json:"source"`
	Rule     string     `json:"rule"`
	Scope    string     `json:"scope"`
	Say      string     `json:"say"` // key of the advice
}

func (k knownReply) input(t *testing.T) Input {
	t.Helper()
	raw, err := strconv.Unquote(`"` + strings.ReplaceAll(k.Raw, `"`, `\"`) + `"`)
	if err != nil {
		t.Fatalf("%s: %v", k.Raw, err)
	}
	reply, err := smtpx.ParseReply([]byte(raw + "\r\n"))
	if err != nil {
		t.Fatalf("%s: %v", k.Raw, err)
	}
	in := Input{Provider: k.Provider, Step: k.Step}
	in.takeReply(reply)
	return in
}

func knownReplies(t *testing.T) []knownReply {
	t.Helper()
	f, err := os.Open("testdata/replies.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []knownReply
	for sc := bufio.NewScanner(f); sc.Scan(); {
		var k knownReply
		if err := json.Unmarshal(sc.Bytes(), &k); err != nil {
			t.Fatalf("%s: %v", sc.Text(), err)
		}
		all = append(all, k)
	}
	return all
}

var steps = []model.Step{model.StepConnect, model.StepTLS, model.StepEHLO, model.StepAuth, model.StepMail, model.StepRcpt, model.StepData, model.StepBody, model.StepDot, StepBounce}

// providers are the keys of presets that rules treat apart, and "" for a server that is none.
func providers() []string {
	keys := []string{""}
	for _, p := range provider.All() {
		if alone := func(r *rule) bool { return slices.Contains(r.Provider, p.Key) }; slices.ContainsFunc(book.all, alone) {
			twin := func(k string) bool {
				return !slices.ContainsFunc(book.all, func(r *rule) bool { return slices.Contains(r.Provider, k) != slices.Contains(r.Provider, p.Key) })
			}
			if !slices.ContainsFunc(keys, twin) {
				keys = append(keys, p.Key)
			}
		}
	}
	return keys
}

func TestKnownReplies(t *testing.T) {
	all := knownReplies(t)
	if len(all) < 500 {
		t.Errorf("only %d replies", len(all))
	}
	seen := map[string]bool{}
	for _, k := range all {
		if id := k.Provider + " " + string(k.Step) + " " + k.Raw; seen[id] {
			t.Errorf("twice: %s", id)
		} else {
			seen[id] = true
		}
		if _, ok := provider.ByKey(k.Provider); !ok && k.Provider != "" || !slices.Contains(steps, k.Step) || k.Source == "" {
			t.Errorf("provider, step or source of %+v", k)
		}
		d := Explain(k.input(t))
		if d.Rule != k.Rule || string(d.Scope) != k.Scope || d.TextKey != "diag."+k.Say {
			t.Errorf("%s at %s: %s\n got %s, %s, %s\nwant %s, diag.%s, %s", k.Provider, k.Step, k.Raw, d.Rule, d.TextKey, d.Scope, k.Rule, k.Say, k.Scope)
		}
	}
}

// deciders are the rules of the first rank that has one for q.
func deciders(q *query) []*rule {
	for _, rules := range book.ranks {
		var found []*rule
		for _, r := range rules {
			if r.matches(q) {
				found = append(found, r)
			}
		}
		if len(found) > 0 {
			return found
		}
	}
	return nil
}

func idsOf(rules []*rule) string {
	var ids []string
	for _, r := range rules {
		ids = append(ids, r.ID)
	}
	return strings.Join(ids, " and ")
}

// TestOneRuleDecides: whoever says it and at whatever step, a known reply is never claimed by two rules of one rank,
// so the order of the files decides nothing. And what is said before a recipient was named is not about one.
func TestOneRuleDecides(t *testing.T) {
	reported := map[string]bool{}
	report := func(ids, what string, q *query, p string, s model.Step) {
		if !reported[ids] {
			reported[ids] = true
			t.Errorf("%s %s: %q of %q at %s", ids, what, q.Text, p, s)
		}
	}
	for _, k := range knownReplies(t) {
		in := k.input(t)
		in.complete()
		q := newQuery(in)
		for _, p := range providers() {
			for _, s := range steps {
				q.Provider, q.Step = p, s
				rules := deciders(q)
				if len(rules) != 1 {
					report(idsOf(rules), "match", q, p, s)
					continue
				}
				early := slices.Index(steps, s) < slices.Index(steps, model.StepRcpt)
				if r := rules[0]; early && (r.Scope == model.ScopeHard || r.Scope == model.ScopeSoft) && r.ID != "x.utf8.mail" {
					report(r.ID, "is held against a recipient", q, p, s)
				}
			}
		}
	}
}

// TestEveryRuleIsReached: a rule that decides no known reply and no fault would be dead.
func TestEveryRuleIsReached(t *testing.T) {
	reached := map[string]bool{Explain(Input{}).Rule: true}
	for _, k := range knownReplies(t) {
		reached[Explain(k.input(t)).Rule] = true
	}
	for _, r := range book.all {
		for _, f := range r.Fault {
			q := &query{fault: Fault(f)}
			if len(r.Step) > 0 {
				q.Step = model.Step(r.Step[0])
			}
			if ids := idsOf(deciders(q)); ids != r.ID {
				t.Errorf("fault %s is decided by %s, not by %s", f, ids, r.ID)
			}
			reached[r.ID] = true
		}
	}
	for _, r := range book.all {
		if !reached[r.ID] {
			t.Errorf("rule %s is never reached", r.ID)
		}
	}
}

// TestEveryAdviceIsUsed: a sentence that no rule says, or a step or provider that is none, is a slip.
func TestEveryAdviceIsUsed(t *testing.T) {
	said, ids := map[string]bool{}, map[string]bool{}
	for _, r := range book.all {
		said[r.say()] = true
		if ids[r.ID] {
			t.Errorf("two rules are called %s", r.ID)
		}
		ids[r.ID] = true
		for _, s := range r.Step {
			if !slices.Contains(steps, model.Step(s)) {
				t.Errorf("rule %s: step %s", r.ID, s)
			}
		}
		for _, p := range r.Provider {
			if _, ok := provider.ByKey(p); !ok {
				t.Errorf("rule %s: provider %s", r.ID, p)
			}
		}
		for _, w := range slices.Concat(r.Text, r.Not) {
			if w != strings.ToLower(w) {
				t.Errorf("rule %s: %q is not in lower case and never found", r.ID, w)
			}
		}
	}
	for _, key := range signInTexts {
		said[strings.TrimPrefix(key, "diag.")] = true
	}
	for _, key := range adviceKeys() {
		if !said[key] {
			t.Errorf("nothing says diag.%s", key)
		}
	}
}
