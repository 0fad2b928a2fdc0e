package main

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"hongyan/app"
	"hongyan/app/model"
)

// whereNames are the kinds that name something by its name; the name may be left out where it is false.
var whereNames = map[model.ConditionKind]bool{model.WhereList: true, model.WhereTag: true, model.WhereSent: false}

// whereBare are the kinds that stand alone.
var whereBare = []model.ConditionKind{model.WhereBounced, model.WhereConsent, model.WhereSuppressed}

// parseWhere reads a condition. name is what it names: a list, a tag or a campaign, or "".
func parseWhere(text string) (c model.Condition, name string, err error) {
	bad := func(what string) (model.Condition, string, error) {
		return model.Condition{}, "", usage("--where " + strconv.Quote(text) + ": " + what)
	}
	kind, rest, ok := word(text)
	if ok && kind == "not" {
		c.Not = true
		kind, rest, ok = word(rest)
	}
	if !ok || kind == "" {
		return bad("a condition is missing, such as: field city is Rome")
	}
	c.What = model.ConditionKind(kind)
	if slices.Contains(whereBare, c.What) {
		if rest != "" {
			return bad("nothing may follow " + kind)
		}
		return c, "", nil
	}
	if needed, names := whereNames[c.What]; names {
		if name, ok = tail(rest); !ok || name == "" && (needed || rest != "") {
			return bad("a name has to follow " + kind)
		}
		return c, name, nil
	}
	ops, _ := c.What.Ops()
	if ops == nil {
		return bad(kind + " is no condition; it begins with address, name, field, source, added, list, tag, sent, bounced, consent or suppressed")
	}
	if c.What == model.WhereField {
		if c.Field, rest, ok = word(rest); !ok || c.Field == "" {
			return bad("the name of a field has to follow")
		}
	}
	op, rest, _ := word(rest)
	if c.Op = model.ConditionOp(op); !slices.Contains(ops, c.Op) {
		return bad(kind + " is compared by one of: " + joined(ops))
	}
	if c.Text, ok = tail(rest); !ok || (c.Text == "") != (c.Op == model.OpEmpty) || c.Op == model.OpEmpty && rest != "" {
		if c.Op == model.OpEmpty {
			return bad("nothing may follow empty")
		}
		return bad("what to compare with has to follow " + op)
	}
	return c, "", nil
}

func joined(ops []model.ConditionOp) string {
	words := make([]string, len(ops))
	for i, op := range ops {
		words[i] = string(op)
	}
	return strings.Join(words, ", ")
}

// word takes a word, which may be in quotes, off the front of a text. It is false for quotes that are not closed.
func word(text string) (w, rest string, ok bool) {
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, `"`) {
		i := strings.IndexFunc(text, unicode.IsSpace)
		if i < 0 {
			return text, "", true
		}
		return text[:i], strings.TrimSpace(text[i:]), true
	}
	quoted, err := strconv.QuotedPrefix(text)
	if err != nil {
		return "", "", false
	}
	w, err = strconv.Unquote(quoted)
	return w, strings.TrimSpace(text[len(quoted):]), err == nil
}

// tail reads all that is left: as it stands, or in quotes.
func tail(text string) (string, bool) {
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, `"`) {
		return text, true
	}
	w, rest, ok := word(text)
	return w, ok && rest == ""
}

// whereText writes a condition as parseWhere reads it.
func whereText(c model.Condition, name string) string {
	parts := make([]string, 0, 5)
	if c.Not {
		parts = append(parts, "not")
	}
	parts = append(parts, string(c.What))
	last := name
	if ops, _ := c.What.Ops(); ops != nil {
		if c.What == model.WhereField {
			parts = append(parts, quoted(c.Field, strings.ContainsFunc(c.Field, unicode.IsSpace)))
		}
		parts, last = append(parts, string(c.Op)), c.Text
		if c.Op == model.OpEmpty {
			last = ""
		}
	}
	if last != "" {
		parts = append(parts, quoted(last, false))
	}
	return strings.Join(parts, " ")
}

// quoted puts a text into quotes where it needs them.
func quoted(text string, need bool) string {
	if need || text == "" || text[0] == '"' || strings.TrimSpace(text) != text || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		return strconv.Quote(text)
	}
	return text
}

// pick are the flags that choose people.
type pick struct {
	list, segment string
	where         listFlag
	any           bool
}

func (p *pick) declare(c *cli, list bool) {
	if list {
		c.flags.StringVar(&p.list, "list", "", "flag.who.list")
	}
	c.flags.StringVar(&p.segment, "segment", "", "flag.who.segment")
	p.declareWhere(c)
}

func (p *pick) declareWhere(c *cli) {
	c.flags.Var(&p.where, "where", "flag.who.where") // the small language that parseWhere reads
	c.flags.BoolVar(&p.any, "any", false, "flag.who.any")
}

// chosen says whether anybody in particular is meant.
func (p *pick) chosen() bool { return p.list != "" || p.segment != "" || len(p.where) > 0 }

// query is what the flags choose. Names that are not there are ENotFound.
func (p *pick) query(ctx context.Context, h *app.App) (q model.ContactQuery, err error) {
	if p.list != "" {
		l, err := h.ListByName(ctx, p.list)
		if err != nil {
			return q, err
		}
		q.ListID = l.ID
	}
	if q.Filter, err = p.filter(ctx, h); err != nil || p.segment == "" {
		return q, err
	}
	s, err := h.SegmentByName(ctx, p.segment)
	switch {
	case err != nil:
		return q, err
	case q.Filter.Empty():
		q.Filter = s.Filter
		return q, nil
	case (q.Filter.Any && len(q.Filter.Conditions) > 1) || (s.Filter.Any && len(s.Filter.Conditions) > 1):
		return q, usage("--segment and --where go together only where all conditions have to hold")
	}
	q.Filter = model.Filter{Conditions: append(slices.Clone(s.Filter.Conditions), q.Filter.Conditions...)}
	return q, nil
}

// filter is what --where and --any say.
func (p *pick) filter(ctx context.Context, h *app.App) (model.Filter, error) {
	f := model.Filter{Any: p.any}
	if p.any && len(p.where) == 0 {
		return f, usage("--any needs --where")
	}
	for _, text := range p.where {
		c, name, err := parseWhere(text)
		if err != nil {
			return f, err
		}
		switch {
		case name == "":
		case c.What == model.WhereList:
			var l *model.List
			if l, err = h.ListByName(ctx, name); err == nil {
				c.ID = l.ID
			}
		case c.What == model.WhereTag:
			var t *model.Tag
			if t, err = h.TagByName(ctx, name); err == nil {
				c.ID = t.ID
			}
		default:
			var m *model.Campaign
			if m, err = h.CampaignByName(ctx, name); err == nil {
				c.ID = m.ID
			}
		}
		if err != nil {
			return f, err
		}
		f.Conditions = append(f.Conditions, c)
	}
	return f, nil
}

// whereTexts writes a filter as the flags take it. What is gone is named by its number.
func whereTexts(ctx context.Context, h *app.App, f model.Filter) ([]string, error) {
	lists, err := h.Lists(ctx)
	if err != nil {
		return nil, err
	}
	tags, err := h.Tags(ctx)
	if err != nil {
		return nil, err
	}
	campaigns, err := h.Campaigns(ctx)
	if err != nil {
		return nil, err
	}
	names := map[model.ConditionKind]map[int64]string{model.WhereList: {}, model.WhereTag: {}, model.WhereSent: {}}
	for _, l := range lists {
		names[model.WhereList][l.ID] = l.Name
	}
	for _, t := range tags {
		names[model.WhereTag][t.ID] = t.Name
	}
	for _, m := range campaigns {
		names[model.WhereSent][m.ID] = m.Name
	}
	texts := make([]string, len(f.Conditions))
	for i, c := range f.Conditions {
		name, known := names[c.What][c.ID]
		if c.ID != 0 && !known {
			name = "#" + strconv.FormatInt(c.ID, 10)
		}
		texts[i] = whereText(c, name)
	}
	return texts, nil
}
