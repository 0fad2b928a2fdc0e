package diagnose

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"hongyan/app/model"
	"hongyan/assets"
)

var errNothing = errors.New("nothing in particular")

// parts are the sentences of a text key: a few words for lists and groups, what happened, why, and what to do.
var parts = []string{".short", ".what", ".means", ".do"}

// TestEveryRuleHasSentences: no rule leaves the user without a cause and a next step, in either language.
func TestEveryRuleHasSentences(t *testing.T) {
	for _, lang := range assets.Languages {
		texts := assets.For(lang)
		for _, r := range book.all {
			for _, p := range parts {
				if !texts.Has("diag." + r.say() + p) {
					t.Errorf("%s: rule %s: no text diag.%s%s", lang, r.ID, r.say(), p)
				}
			}
		}
	}
}

// TestArgumentsAreFilled: what a rule says of a real input leaves no {place} open.
func TestArgumentsAreFilled(t *testing.T) {
	for _, r := range book.all {
		in := Input{Host: "smtp.example.com", Port: 465, Step: model.StepRcpt, Code: 550, Text: "no"}
		if len(r.Fault) > 0 {
			in = Input{Host: "smtp.example.com", Port: 465, Step: model.StepTLS, Err: errNothing}
		}
		d := r.diagnosis(newQuery(in))
		for _, lang := range assets.Languages {
			for _, p := range parts {
				if s := assets.For(lang).Args(d.TextKey+p, d.Args); strings.ContainsAny(s, "{}") {
					t.Errorf("%s: rule %s: %s", lang, r.ID, s)
				}
			}
		}
	}
}

// TestSentencesArePlain holds the texts to what a person in a list can read.
func TestSentencesArePlain(t *testing.T) {
	for _, lang := range assets.Languages {
		texts := assets.For(lang)
		for _, k := range texts.Keys() {
			if !strings.HasPrefix(k, "diag.") {
				continue
			}
			s := texts.T(k)
			short := strings.HasSuffix(k, ".short")
			end, limit := []string{".", ":", "}"}, 60
			if lang == "zh" {
				end, limit = []string{"。", "}"}, 16
			}
			if short && len([]rune(s)) > limit {
				t.Errorf("%s: %s is long for a list: %s", lang, k, s)
			}
			if ended := slices.ContainsFunc(end, func(e string) bool { return strings.HasSuffix(s, e) }); ended == short {
				t.Errorf("%s: %s: a sentence ends with a stop, a label does not: %s", lang, k, s)
			}
			if lang == "zh" && strings.ContainsAny(s, ",;!?") {
				t.Errorf("%s: half-width punctuation in Chinese: %s", k, s)
			}
		}
	}
}

// adviceKeys are the keys that the texts have advice for.
func adviceKeys() []string {
	var keys []string
	for _, k := range assets.For("en").Keys() {
		if short, ok := strings.CutSuffix(k, ".short"); ok && strings.HasPrefix(k, "diag.") {
			keys = append(keys, strings.TrimPrefix(short, "diag."))
		}
	}
	return keys
}
