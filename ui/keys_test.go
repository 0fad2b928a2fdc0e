package ui

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"

	"hongyan/app/model"
	"hongyan/assets"
)

// settingKeys look like keys of texts and are keys of settings.
var settingKeys = map[string]bool{keyGeometry: true, keyLang: true, keyTheme: true, keyFont: true, keyFolder: true, keyList: true, keySegment: true, keyCampaign: true}

// usedKeys collects the string constants of the package that name texts: whole keys, and beginnings that end in a
// dot and are completed at run time.
func usedKeys(t *testing.T) (whole, begun map[string]bool) {
	whole, begun = map[string]bool{}, map[string]bool{}
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), f.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			s, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Fatal(err)
			}
			topic, rest, ok := strings.Cut(s, ".")
			switch {
			case !ok || settingKeys[s] || strings.ContainsAny(rest, " /"):
			case topic == "ui" || topic == "sender" || topic == "pause":
				if strings.HasSuffix(s, ".") {
					begun[s] = true
				} else {
					whole[s] = true
				}
			}
			return true
		})
	}
	return whole, begun
}

// TestKeys: every text that the window names is there, and every text of the window is named.
func TestKeys(t *testing.T) {
	whole, begun := usedKeys(t)
	if len(whole) < 200 || len(begun) < 8 {
		t.Fatalf("found only %d keys and %d beginnings", len(whole), len(begun))
	}
	for _, lang := range assets.Languages {
		texts := assets.For(lang)
		for k := range whole {
			if !texts.Has(k) {
				t.Errorf("%s: no text %s", lang, k)
			}
		}
		used := func(k string) bool {
			if whole[k] || whole[strings.TrimSuffix(k, ".one")] { // the form for one of something
				return true
			}
			for b := range begun {
				if strings.HasPrefix(k, b) {
					return true
				}
			}
			return false
		}
		for _, k := range texts.Keys() {
			if strings.HasPrefix(k, "ui.") && !used(k) {
				t.Errorf("%s: the text %s is never used", lang, k)
			}
		}
	}
}

// TestCompletedKeys: what completes a beginning has a text too.
func TestCompletedKeys(t *testing.T) {
	var keys []string
	for _, o := range outcomes {
		keys = append(keys, "ui.state."+string(o.state))
	}
	for _, m := range moods {
		keys = append(keys, "ui.mood."+m)
	}
	for _, m := range tlsModes {
		keys = append(keys, "ui.tls."+string(m))
	}
	for _, f := range formats {
		keys = append(keys, "ui.format."+string(f))
	}
	for _, k := range conditionKinds {
		keys = append(keys, "ui.filter.what."+string(k))
		for _, y := range waysOf(k) {
			keys = append(keys, "ui.filter.way."+y.key(k))
			if y.op == "" {
				keys = append(keys, "ui.filter.says."+y.key(k))
			}
		}
	}
	for _, y := range waysOf(model.WhereField) {
		keys = append(keys, "ui.filter.way."+y.key(model.WhereField))
	}
	for _, k := range []model.ChangeKind{model.ChangeEdit, model.ChangeAdd, model.ChangeRemove, model.ChangeOffList, model.ChangeOnList, model.ChangeTag,
		model.ChangeUntag, model.ChangeMerge, model.ChangeConsent} {
		keys = append(keys, "ui.change."+string(k))
	}
	for _, k := range columnKinds {
		keys = append(keys, "ui.column."+k)
	}
	for _, s := range []string{"draft", "ready", "running", "paused", "stopped", "done"} {
		keys = append(keys, "ui.campaign."+s)
	}
	for _, s := range []string{"suppressed", "duplicate", "invalid", "consent", "removed"} {
		keys = append(keys, "ui.skip."+s)
	}
	r := newRig(t, "en", newFake())
	for _, c := range r.w.commands {
		keys = append(keys, "ui.cmd."+c.id, "ui.cmd."+c.id+".tip")
	}
	for _, lang := range assets.Languages {
		for _, k := range keys {
			if !assets.For(lang).Has(k) {
				t.Errorf("%s: no text %s", lang, k)
			}
		}
	}
}
