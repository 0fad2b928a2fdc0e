package ui

import (
	"slices"
	"strings"

	"hongyan/app/model"
)

// filterWords says in one line whom a filter chooses.
func (w *Window) filterWords(f model.Filter) string {
	parts := make([]string, len(f.Conditions))
	for i, c := range f.Conditions {
		parts[i] = w.conditionWords(c)
	}
	sep := w.t.T("ui.filter.and")
	if f.Any {
		sep = w.t.T("ui.filter.or")
	}
	return strings.Join(parts, sep)
}

func (w *Window) conditionWords(c model.Condition) string {
	t, y := w.t, wayOf(c)
	switch y.value {
	case listValue, tagValue, campaignValue:
		value := w.valueName(y.value, c.ID)
		if y.value == campaignValue && c.ID == 0 {
			return t.T("ui.filter.says."+y.key("sent.any"), "value", value)
		}
		return t.T("ui.filter.says."+y.key(c.What), "value", value)
	case noValue:
		if y.op == "" {
			return t.T("ui.filter.says." + y.key(c.What))
		}
		return t.T("ui.filter.says.bare", "what", w.subjectName(c.What, c.Field), "way", w.wayName(c.What, y))
	}
	return t.T("ui.filter.says", "what", w.subjectName(c.What, c.Field), "way", w.wayName(c.What, y), "value", c.Text)
}

// subjectName is what a condition looks at, in words.
func (w *Window) subjectName(what model.ConditionKind, field string) string {
	if what == model.WhereField {
		return w.t.T("ui.filter.what.field", "name", field)
	}
	return w.t.T("ui.filter.what." + string(what))
}

func (w *Window) wayName(what model.ConditionKind, y way) string {
	key := "ui.filter.way." + y.key(what)
	if !w.t.Has(key) && y.not {
		y.not = false
		return w.t.T("ui.filter.not", "way", w.wayName(what, y))
	}
	return w.t.T(key)
}

// choice is something with a name that a condition can compare with.
type choice struct {
	id   int64
	name string
}

// choices are the lists, tags or campaigns that there are.
func (w *Window) choices(k valueKind) (out []choice) {
	switch k {
	case listValue:
		for _, l := range w.recipients.lists {
			out = append(out, choice{l.ID, l.Name})
		}
	case tagValue:
		for _, g := range w.recipients.tags {
			out = append(out, choice{g.ID, g.Name})
		}
	case campaignValue:
		out = append(out, choice{0, w.t.T("ui.filter.sent.any")})
		for _, c := range w.progress.campaigns {
			out = append(out, choice{c.ID, c.Name})
		}
	}
	return out
}

func (w *Window) valueName(k valueKind, id int64) string {
	all := w.choices(k)
	if i := slices.IndexFunc(all, func(c choice) bool { return c.id == id }); i >= 0 {
		return all[i].name
	}
	return w.t.T("ui.filter.gone")
}
