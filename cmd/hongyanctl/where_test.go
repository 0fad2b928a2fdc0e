package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"hongyan/app/model"
)

func TestParseWhere(t *testing.T) {
	for _, c := range []struct {
		text string
		want model.Condition
		name string
	}{
		{"field city is 上海", model.Condition{What: model.WhereField, Field: "city", Op: model.OpIs, Text: "上海"}, ""},
		{` field "home town" contains New  York `, model.Condition{What: model.WhereField, Field: "home town", Op: model.OpContains, Text: "New  York"}, ""},
		{`not field 城市 empty`, model.Condition{What: model.WhereField, Not: true, Field: "城市", Op: model.OpEmpty}, ""},
		{"field age more 18", model.Condition{What: model.WhereField, Field: "age", Op: model.OpMore, Text: "18"}, ""},
		{"address ends @qq.com", model.Condition{What: model.WhereAddress, Op: model.OpEnds, Text: "@qq.com"}, ""},
		{`name is " x "`, model.Condition{What: model.WhereName, Op: model.OpIs, Text: " x "}, ""},
		{"added after 2026-11-25", model.Condition{What: model.WhereAdded, Op: model.OpAfter, Text: "2026-11-25"}, ""},
		{"list Autumn fair", model.Condition{What: model.WhereList}, "Autumn fair"},
		{"not tag vip", model.Condition{What: model.WhereTag, Not: true}, "vip"},
		{"sent", model.Condition{What: model.WhereSent}, ""},
		{"not sent C", model.Condition{What: model.WhereSent, Not: true}, "C"},
		{"bounced", model.Condition{What: model.WhereBounced}, ""},
	} {
		got, name, err := parseWhere(c.text)
		if err != nil || name != c.name {
			t.Errorf("%s: name %q, %v", c.text, name, err)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: %s", c.text, d)
		}
	}
	for text, why := range map[string]string{
		"":                         "missing",
		"not":                      "missing",
		"city is x":                "city is no condition",
		"field":                    "name of a field",
		`field "city is x`:         "name of a field",
		"field city":               "compared by one of",
		"field city equals x":      "compared by one of: contains, is",
		"field city is":            "has to follow is",
		`field city is ""`:         "has to follow is",
		`field city is "x" y`:      "has to follow is",
		"field city empty x":       "nothing may follow",
		"name more 3":              "compared by one of",
		"list":                     "a name",
		`sent ""`:                  "a name",
		"bounced twice":            "nothing may follow",
		"added after":              "has to follow",
		"suppressed \"":            "nothing may follow",
		"not not bounced":          "not is no condition",
		"Field city is x":          "no condition",
		"added contains 2026-1-1 ": "before, after",
	} {
		_, _, err := parseWhere(text)
		if model.CodeOf(err) != model.EUsage || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: %v, want one about %q", text, err, why)
		}
	}
}

// What is written can be read, and is the same.
func TestWhereText(t *testing.T) {
	text := rapid.OneOf(rapid.StringN(1, 8, -1), rapid.SampledFrom([]string{`"`, " x", "a b", `a "b"`, "\n", "\\", "not", "is", "\xff"}))
	rapid.Check(t, func(rt *rapid.T) {
		c := model.Condition{Not: rapid.Bool().Draw(rt, "not")}
		name := ""
		kinds := append([]model.ConditionKind{model.WhereAddress, model.WhereName, model.WhereField, model.WhereSource, model.WhereAdded,
			model.WhereList, model.WhereTag, model.WhereSent}, whereBare...)
		c.What = rapid.SampledFrom(kinds).Draw(rt, "what")
		if needed, names := whereNames[c.What]; names && (needed || rapid.Bool().Draw(rt, "named")) {
			name = text.Draw(rt, "name")
		}
		if ops, _ := c.What.Ops(); ops != nil {
			if c.What == model.WhereField {
				c.Field = text.Draw(rt, "field")
			}
			if c.Op = rapid.SampledFrom(ops).Draw(rt, "op"); c.Op != model.OpEmpty {
				c.Text = text.Draw(rt, "text")
			}
		}
		written := whereText(c, name)
		got, gotName, err := parseWhere(written)
		if err != nil || got != c || gotName != name {
			rt.Fatalf("%+v %q is written %s, and read %+v %q, %v", c, name, written, got, gotName, err)
		}
	})
}

func FuzzWhere(f *testing.F) {
	for _, text := range []string{"field city is 上海", `not field "a b" more 3`, "sent", `tag "x`, "\xff", "added before 2026-11-25"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, name, err := parseWhere(text)
		if err != nil {
			return
		}
		again, sameName, err := parseWhere(whereText(c, name))
		if err != nil || again != c || sameName != name {
			t.Errorf("%q is %+v %q, and written again %+v %q, %v", text, c, name, again, sameName, err)
		}
	})
}
