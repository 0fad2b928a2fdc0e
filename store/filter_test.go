package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hongyan/app/model"
	"hongyan/store"
)

func where(cs ...model.Condition) model.ContactQuery {
	return model.ContactQuery{Filter: model.Filter{Conditions: cs}}
}

// found gives the local parts of the addresses that a query finds, in one word.
func found(t testing.TB, s *store.Store, q model.ContactQuery) string {
	t.Helper()
	var b strings.Builder
	for _, e := range emails(t, s, q) {
		local, _, _ := strings.Cut(e, "@")
		b.WriteString(local)
	}
	return b.String()
}

func TestFilter(t *testing.T) {
	s := fresh(t)
	l := newList(t, s, "l")
	day := func(d int) time.Time { return time.Date(2026, 11, d, 12, 0, 0, 0, time.Local) }
	for i, c := range []model.Contact{
		{Email: "a@example.com", Name: "Élise", Fields: map[string]string{"city": "Orléans", "n": "9", "born": "1990-02-01"}, Source: "Fair", Consent: "card"},
		{Email: "b@example.com", Name: "张 伟", Fields: map[string]string{"city": "new york", "n": "10.5", "born": "1990/10/1"}, Source: "web form"},
		{Email: "c@xn--fiq228c.com", Address: "c@中文.com", Fields: map[string]string{"city": "York", "n": "ten", "born": "soon"}, Consent: "card"},
		{Email: "d@mail.qq.com", Name: "100% off_", Fields: map[string]string{"city": `a "b" \c`, `od"d`: "x", "n": "-3"}, Source: "fair", Consent: "asked"},
		{Email: "e@qq.com", Fields: map[string]string{"city": "  ", "town": "York"}, Source: "fair", Consent: "asked"},
	} {
		c.CreatedAt, c.UpdatedAt = day(20+i), day(20+i)
		if c.Address == "" {
			c.Address = c.Email
		}
		list := l.ID
		if i > 2 {
			list = 0
		}
		must(t, s.SaveContact(ctx, &c, list))
	}
	_, err := s.TagContacts(ctx, []int64{2, 4}, "vip")
	must(t, err)
	tag, err := s.TagByName(ctx, "vip")
	must(t, err)
	must(t, s.Suppress(ctx, model.Suppression{Key: "@qq.com", Reason: "user"}))
	must(t, s.Suppress(ctx, model.Suppression{Key: "b@example.com", Reason: "bounce"}))
	field := func(name string, op model.ConditionOp, text string) model.Condition {
		return model.Condition{What: model.WhereField, Field: name, Op: op, Text: text}
	}
	word := func(what model.ConditionKind, op model.ConditionOp, text string) model.Condition {
		return model.Condition{What: what, Op: op, Text: text}
	}
	for _, c := range []struct {
		c    model.Condition
		want string
	}{
		{word(model.WhereAddress, model.OpContains, "EXAMPLE"), "ab"},
		{word(model.WhereAddress, model.OpEnds, "@qq.com"), "e"},
		{word(model.WhereAddress, model.OpIs, "C@中文.com"), "c"},
		{word(model.WhereAddress, model.OpEnds, "fiq228c.com"), "c"},
		{word(model.WhereAddress, model.OpStarts, "a"), "a"},
		{word(model.WhereName, model.OpIs, "éLISE"), "a"},
		{word(model.WhereName, model.OpStarts, "张"), "b"},
		{word(model.WhereName, model.OpContains, "% OFF_"), "d"},
		{word(model.WhereName, model.OpContains, "_"), "d"},
		{word(model.WhereName, model.OpEmpty, ""), "ce"},
		{field("city", model.OpContains, "york"), "bc"},
		{field("city", model.OpIs, "York"), "c"},
		{field("city", model.OpEnds, "É"), ""},
		{field("city", model.OpContains, "LÉA"), "a"},
		{field("city", model.OpIs, `A "B" \C`), "d"},
		{field("city", model.OpContains, `\c`), "d"},
		{field("city", model.OpContains, `"`), "d"},
		{field("city", model.OpStarts, "new"), "b"},
		{field("city", model.OpEmpty, ""), "e"},
		{field("town", model.OpEmpty, ""), "abcd"},
		{field("ity", model.OpContains, "york"), ""},
		{field(`d"d`, model.OpIs, "x"), ""},
		{field(`od"d`, model.OpIs, "x"), "d"},
		{field("n", model.OpMore, "9"), "b"},
		{field("n", model.OpLess, "10"), "ad"},
		{field("n", model.OpLess, "2026-1-1"), ""},
		{field("born", model.OpMore, "1990-02-01"), "b"},
		{field("born", model.OpLess, "1990-10-01"), "a"},
		{word(model.WhereSource, model.OpIs, "FAIR"), "ade"},
		{word(model.WhereSource, model.OpEmpty, ""), "c"},
		{word(model.WhereSource, model.OpContains, "form"), "b"},
		{word(model.WhereAdded, model.OpBefore, "2026-11-22"), "ab"},
		{word(model.WhereAdded, model.OpAfter, "2026-11-22"), "cde"},
		{model.Condition{What: model.WhereList, ID: l.ID}, "abc"},
		{model.Condition{What: model.WhereTag, ID: tag.ID}, "bd"},
		{model.Condition{What: model.WhereConsent}, "acde"},
		{model.Condition{What: model.WhereSuppressed}, "bde"},
		{model.Condition{What: model.WhereSent}, ""},
		{model.Condition{What: model.WhereBounced}, "b"},
	} {
		if got := found(t, s, where(c.c)); got != c.want {
			t.Errorf("%+v: %q, want %q", c.c, got, c.want)
		}
		rest := ""
		for _, r := range "abcde" {
			if !strings.ContainsRune(c.want, r) {
				rest += string(r)
			}
		}
		c.c.Not = true
		if got := found(t, s, where(c.c)); got != rest {
			t.Errorf("%+v: %q, want %q", c.c, got, rest)
		}
	}
	q := where(model.Condition{What: model.WhereTag, ID: tag.ID}, model.Condition{What: model.WhereConsent})
	if got := found(t, s, q); got != "d" {
		t.Errorf("all of two conditions: %q", got)
	}
	q.Filter.Any, q.Sort, q.Desc = true, model.SortEmail, true
	if got := found(t, s, q); got != "edcba" {
		t.Errorf("any of two conditions: %q", got)
	}
	q.ListID, q.Search = l.ID, "york"
	if got := found(t, s, q); got != "cb" {
		t.Errorf("on a list, searched, and any of two conditions: %q", got)
	}
}

func TestFilterRefuses(t *testing.T) {
	s := fresh(t)
	for _, c := range []struct {
		c    model.Condition
		code model.Code
		name string
	}{
		{model.Condition{}, model.EInvalid, "filter"},
		{model.Condition{What: "size"}, model.EInvalid, "filter"},
		{model.Condition{What: model.WhereName}, model.EInvalid, "filter"},
		{model.Condition{What: model.WhereName, Op: model.OpMore, Text: "3"}, model.EInvalid, "filter"},
		{model.Condition{What: model.WhereName, Op: model.OpIs}, model.EInvalid, "filter.text"},
		{model.Condition{What: model.WhereName, Op: model.OpIs, Text: strings.Repeat("x", 60_000)}, model.EInvalid, "filter.text"},
		{model.Condition{What: model.WhereField, Op: model.OpIs, Text: "x"}, model.EInvalid, "filter"},
		{model.Condition{What: model.WhereField, Field: "n", Op: model.OpMore, Text: "Inf"}, model.EInvalid, "filter.number"},
		{model.Condition{What: model.WhereAdded, Op: model.OpAfter, Text: "yesterday"}, model.EInvalid, "filter.day"},
		{model.Condition{What: model.WhereList, ID: 7}, model.ENotFound, "list"},
		{model.Condition{What: model.WhereTag, ID: 7, Not: true}, model.ENotFound, "tag"},
		{model.Condition{What: model.WhereSent, ID: 7}, model.ENotFound, "campaign"},
	} {
		_, err := s.ContactIDs(ctx, where(c.c))
		wantCode(t, err, c.code)
		if e, ok := errors.AsType[*model.Error](err); !ok || e.Args["field"]+e.Args["kind"] != c.name {
			t.Errorf("%+v: %v", c.c, err)
		}
		if c.code == model.EInvalid {
			wantCode(t, s.SaveSegment(ctx, &model.Segment{Name: "x", Filter: model.Filter{Conditions: []model.Condition{c.c}}}), model.EInvalid)
		}
	}
}

// TestFilterCancelled: a long look ends when nobody waits for it any more.
func TestFilterCancelled(t *testing.T) {
	s := fresh(t)
	load(t, s, "l", people(12_000), 12_000) // enough for several ranges
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	_, err := s.ContactIDs(stopped, where(model.Condition{What: model.WhereField, Field: "city", Op: model.OpIs, Text: "北京"}))
	wantCode(t, err, model.ECancelled)
	got, err := s.ContactIDs(ctx, where(model.Condition{What: model.WhereField, Field: "grade", Op: model.OpLess, Text: "3"}))
	must(t, err)
	if len(got) != 6000 || !slices.IsSorted(got) {
		t.Errorf("%d people in several ranges, want 6000 in order", len(got))
	}
}

// TestNobodyWhoCameLater: who is not something is not somebody of whom nothing was asked, because they came since.
func TestNobodyWhoCameLater(t *testing.T) {
	for _, highest := range []int64{0, 1, 62, 63, 64, 65, 130} {
		got := store.NotUpTo(highest)
		if int64(len(got)) != highest || highest > 0 && got[highest-1] != highest {
			t.Errorf("up to %d: %v", highest, got)
		}
	}
}

// TestFilterMailed: who got a letter, and who bounced.
func TestFilterMailed(t *testing.T) {
	s := fresh(t)
	for _, e := range "abcd" {
		addContact(t, s, 0, string(e)+"@example.com", "", nil)
	}
	all := []string{"a@example.com", "b@example.com", "c@example.com", "d@example.com"}
	first, second := mailed(t, s, "first", all...), mailed(t, s, "second", all...)
	hard := model.Outcome{State: model.Rejected, Step: model.StepRcpt, Code: 550, Scope: model.ScopeHard}
	content := model.Outcome{State: model.Rejected, Step: model.StepDot, Code: 554, Scope: model.ScopeContent}
	ok := model.Outcome{State: model.Accepted, Step: model.StepDot, Code: 250}
	for _, o := range []model.Outcome{hard, hard, ok, ok} { // to a, b, c, d
		sendTo(t, s, first, o)
	}
	sent := func(id int64) string { return found(t, s, where(model.Condition{What: model.WhereSent, ID: id})) }
	bounced := func() string { return found(t, s, where(model.Condition{What: model.WhereBounced})) }
	if sent(first.ID) != "cd" || sent(second.ID) != "" || sent(0) != "cd" || bounced() != "ab" {
		t.Errorf("first: sent %q, bounced %q", sent(first.ID), bounced())
	}
	for _, o := range []model.Outcome{ok, content, hard} { // to a, b, c; d is not tried
		sendLater(t, s, second, o)
	}
	if sent(first.ID) != "cd" || sent(second.ID) != "a" || sent(0) != "acd" {
		t.Errorf("second: sent %q, of any %q", sent(second.ID), sent(0))
	}
	if got := bounced(); got != "c" {
		t.Errorf("bounced %q, want only c: a got the next one, that to b was refused for its content", got)
	}
	must(t, s.RemoveContacts(ctx, []int64{3}, 0))
	if sent(0) != "ad" || bounced() != "" {
		t.Errorf("who is gone is found: %q, %q", sent(0), bounced())
	}
	addContact(t, s, 0, "c@example.com", "", nil)
	if got := sent(first.ID); got != "dc" {
		t.Errorf("the first went to %q: c is there again, with another id and the same address", got)
	}
	third := mailed(t, s, "third", "a@example.com", "b@example.com")
	sendTo(t, s, third, model.Outcome{State: model.Unknown, Step: model.StepDot, Scope: model.ScopeUnknown})
	not := found(t, s, where(model.Condition{What: model.WhereSent, ID: third.ID, Not: true}))
	if got := sent(third.ID); got != "" || not != "bdc" {
		t.Errorf("the third went to %q and not to %q: a may have got it, which is neither", got, not)
	}
}

// sendLater is sendTo at a later time.
func sendLater(t testing.TB, s *store.Store, c *model.Campaign, o model.Outcome) {
	t.Helper()
	ds, err := s.Claim(ctx, c.ID, 1, when(50))
	must(t, err)
	must(t, s.Intend(ds[0].ID, 1, when(50)).Wait())
	o.DeliveryID, o.At = ds[0].ID, when(60)
	s.Settle(o)
	must(t, s.Flush(ctx))
}

// Whatever is asked, the same people are found as by looking at each of them: by one scan, and by several of ranges.
func TestFilterFindsWhatHolds(t *testing.T) {
	t.Run("one scan", findsWhatHolds)
	t.Run("ranges", func(t *testing.T) {
		store.CutFrom(t, 100)
		findsWhatHolds(t)
	})
}

func findsWhatHolds(t *testing.T) {
	s := fresh(t)
	texts := []string{"", "a", "A", "ab", "É", "北京", "%", "_", `"`, `\`, `a"b`, "10", "9.5", "2026-01-02", " x "}
	domains := []string{"example.com", "b.example", "not-b.example", "c.b.example"}
	rows := make([]model.Row, 0, 400)
	for i := range 400 {
		e := fmt.Sprintf("u%d@%s", i, domains[i/3%len(domains)])
		rows = append(rows, model.Row{Email: e, Address: e, Name: texts[i%len(texts)], NoConsent: i%7 == 0,
			Fields: map[string]string{"f": texts[i*7%len(texts)] + texts[i*3%len(texts)], `g"`: texts[i*5%len(texts)]}})
	}
	load(t, s, "l", rows[:300], 300)
	must(t, s.RemoveContacts(ctx, []int64{5, 6, 7, 100, 101, 222}, 0))
	load(t, s, "m", rows[250:], 150)
	var all []model.Contact
	must(t, s.EachContact(ctx, 0, func(c *model.Contact) error { all = append(all, *c); return nil }))
	onList, tagged := make(map[int64]bool), make(map[int64]bool)
	list, err := s.ListByName(ctx, "m")
	must(t, err)
	must(t, s.EachContact(ctx, list.ID, func(c *model.Contact) error { onList[c.ID] = true; return nil }))
	var some []int64
	for i, c := range all {
		if i > 40 && i < 140 || i%50 == 0 {
			some, tagged[c.ID] = append(some, c.ID), true
		}
	}
	_, err = s.TagContacts(ctx, some, "t")
	must(t, err)
	tag, err := s.TagByName(ctx, "t")
	must(t, err)
	for _, key := range []string{"@b.example", "u0@example.com", "u110@example.com", "u4@b.example", "nobody@example.com"} {
		must(t, s.Suppress(ctx, model.Suppression{Key: key, Reason: "user"}))
	}
	ops := []model.ConditionOp{model.OpContains, model.OpIs, model.OpStarts, model.OpEnds, model.OpEmpty}
	holds := func(c model.Condition, p model.Contact) bool {
		v, text := strings.ToLower(p.Name), strings.ToLower(c.Text)
		switch c.What {
		case model.WhereList:
			return onList[p.ID] != c.Not
		case model.WhereTag:
			return tagged[p.ID] != c.Not
		case model.WhereConsent:
			return (p.Consent != "") != c.Not
		case model.WhereSuppressed:
			return (strings.HasSuffix(p.Email, "@b.example") || strings.HasSuffix(p.Email, ".b.example") ||
				p.Email == "u0@example.com" || p.Email == "u110@example.com") != c.Not
		case model.WhereField:
			v = strings.ToLower(p.Fields[c.Field])
		case model.WhereAddress:
			v = p.Email
		case model.WhereSource:
			v = strings.ToLower(p.Source)
		}
		yes := false
		switch c.Op {
		case model.OpContains:
			yes = strings.Contains(v, text)
		case model.OpIs:
			yes = v == text
		case model.OpStarts:
			yes = strings.HasPrefix(v, text)
		case model.OpEnds:
			yes = strings.HasSuffix(v, text)
		case model.OpEmpty:
			yes = strings.TrimSpace(v) == ""
		}
		return yes != c.Not
	}
	finds := func(text string, p model.Contact) bool {
		yes := strings.Contains(p.Email+"\n"+strings.ToLower(p.Name), text)
		for _, v := range p.Fields {
			yes = yes || strings.Contains(strings.ToLower(v), text)
		}
		return yes
	}
	kinds := []model.ConditionKind{model.WhereName, model.WhereField, model.WhereField, model.WhereAddress, model.WhereSource,
		model.WhereList, model.WhereTag, model.WhereConsent, model.WhereSuppressed}
	rapid.Check(t, func(rt *rapid.T) {
		q := model.ContactQuery{Search: rapid.SampledFrom([]string{"", "", "a", "9", "u12"}).Draw(rt, "search")}
		q.Sort = rapid.SampledFrom([]model.SortKey{model.SortAdded, model.SortEmail}).Draw(rt, "sort")
		if rapid.Bool().Draw(rt, "of a list") {
			q.ListID = list.ID
		}
		f := model.Filter{Any: rapid.Bool().Draw(rt, "any")}
		for range rapid.IntRange(1, 4).Draw(rt, "conditions") {
			c := model.Condition{What: rapid.SampledFrom(kinds).Draw(rt, "what"),
				Not: rapid.Bool().Draw(rt, "not"), Op: rapid.SampledFrom(ops).Draw(rt, "op"), Text: rapid.SampledFrom(texts[1:]).Draw(rt, "text"),
				Field: rapid.SampledFrom([]string{"f", `g"`, "none"}).Draw(rt, "field")}
			switch {
			case c.What == model.WhereList:
				c.ID = list.ID
			case c.What == model.WhereTag:
				c.ID = tag.ID
			case c.What == model.WhereAddress && c.Op == model.OpEmpty:
				c.Op = model.OpContains
			}
			f.Conditions = append(f.Conditions, c)
		}
		q.Filter = f
		var want []model.Contact
		for _, p := range all {
			n := 0
			for _, c := range f.Conditions {
				if holds(c, p) {
					n++
				}
			}
			if (n == len(f.Conditions) || f.Any && n > 0) && finds(q.Search, p) && (q.ListID == 0 || onList[p.ID]) {
				want = append(want, p)
			}
		}
		if q.Sort == model.SortEmail {
			slices.SortFunc(want, func(a, b model.Contact) int { return strings.Compare(a.Email, b.Email) })
		}
		ids := make([]int64, len(want))
		for i, p := range want {
			ids[i] = p.ID
		}
		got, err := s.ContactIDs(ctx, q)
		if err != nil || !slices.Equal(got, ids) {
			rt.Fatalf("%+v: found %v, want %v, %v", q, got, ids, err)
		}
	})
}
