package store_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"hongyan/app/model"
	"hongyan/store"
)

func addContact(t testing.TB, s *store.Store, list int64, email, name string, fields map[string]string) *model.Contact {
	t.Helper()
	c := &model.Contact{Email: email, Address: email, Name: name, Fields: fields, Source: "by hand", Consent: "asked", CreatedAt: when(1), UpdatedAt: when(1)}
	must(t, s.SaveContact(ctx, c, list))
	return c
}

func newList(t testing.TB, s *store.Store, name string) *model.List {
	t.Helper()
	l, err := s.CreateList(ctx, name)
	must(t, err)
	return l
}

// emails gives the addresses of what a query finds, in its order.
func emails(t testing.TB, s *store.Store, q model.ContactQuery) []string {
	t.Helper()
	ids, err := s.ContactIDs(ctx, q)
	must(t, err)
	cs, err := s.Contacts(ctx, ids)
	must(t, err)
	got := make([]string, len(cs))
	for i, c := range cs {
		got[i] = c.Email
	}
	return got
}

func TestLists(t *testing.T) {
	s := fresh(t)
	b, a := newList(t, s, "客户"), newList(t, s, "Friends")
	_, err := s.CreateList(ctx, "客户")
	wantCode(t, err, model.EExists)
	x := addContact(t, s, a.ID, "x@example.com", "X", nil)
	all, err := s.Lists(ctx)
	must(t, err)
	a.Count = 1
	same(t, "lists", all, []model.List{*a, *b})
	of, err := s.ListsOf(ctx, x.ID)
	must(t, err)
	same(t, "lists of x", of, []model.List{*a})
	wantCode(t, s.RenameList(ctx, a.ID, "客户"), model.EExists)
	wantCode(t, s.RenameList(ctx, 99, "z"), model.ENotFound)
	must(t, s.RenameList(ctx, a.ID, "朋友"))
	got, err := s.ListByName(ctx, "朋友")
	must(t, err)
	if got.ID != a.ID || got.Count != 1 {
		t.Errorf("renamed list %+v", got)
	}
	_, err = s.ListByName(ctx, "Friends")
	wantCode(t, err, model.ENotFound)
	must(t, s.RemoveList(ctx, a.ID))
	wantCode(t, s.RemoveList(ctx, a.ID), model.ENotFound)
	same(t, "who was on no other list stays", emails(t, s, model.ContactQuery{}), []string{"x@example.com"})
	checkOrphans(t, s)
}

func TestSaveContact(t *testing.T) {
	s := fresh(t)
	l, m := newList(t, s, "l"), newList(t, s, "m")
	c := &model.Contact{Email: "zhang@xn--fiq228c.com", Address: "zhang@中文.com", Name: "张三", Fields: map[string]string{"城市": "<北京> & \"co\"", "b": ""},
		Source: "fair", Consent: "card", CreatedAt: when(1), UpdatedAt: when(2)}
	must(t, s.SaveContact(ctx, c, l.ID))
	got, err := s.ContactByEmail(ctx, c.Email)
	must(t, err)
	same(t, "stored", got, c)

	c.Name, c.Fields, c.Consent, c.UpdatedAt = "张四", nil, "", when(3)
	must(t, s.SaveContact(ctx, c, m.ID))
	got, err = s.ContactByEmail(ctx, c.Email)
	must(t, err)
	same(t, "changed", got, c)
	same(t, "it stays on its first list", emails(t, s, model.ContactQuery{ListID: l.ID}), []string{c.Email})
	same(t, "and is on the second", emails(t, s, model.ContactQuery{ListID: m.ID}), []string{c.Email})

	twin := &model.Contact{Email: c.Email, Address: c.Email, Name: "other"}
	wantCode(t, s.SaveContact(ctx, twin, l.ID), model.EExists)
	wantCode(t, s.SaveContact(ctx, twin, 0), model.EExists)
	d := addContact(t, s, 0, "d@example.com", "D", map[string]string{"k": "v"})
	d.Email = c.Email
	wantCode(t, s.SaveContact(ctx, d, 0), model.EExists)
	wantCode(t, s.SaveContact(ctx, &model.Contact{ID: 99, Email: "q@example.com"}, 0), model.ENotFound)
	wantCode(t, s.SaveContact(ctx, &model.Contact{Email: "q@example.com"}, 99), model.ENotFound)

	// Somebody known is put on another list: what is said newly is taken over, what is not said stays.
	known := &model.Contact{Email: "d@example.com", Address: "d@example.com", Fields: map[string]string{"k": "w", "n": "1"}, UpdatedAt: when(9)}
	must(t, s.SaveContact(ctx, known, l.ID))
	if known.ID != d.ID {
		t.Errorf("id %d, want that of the known %d", known.ID, d.ID)
	}
	got, err = s.ContactByEmail(ctx, "d@example.com")
	must(t, err)
	want := *d
	want.Email, want.Fields, want.UpdatedAt = "d@example.com", map[string]string{"k": "w", "n": "1"}, when(9)
	same(t, "merged", *got, want)
	checkOrphans(t, s)
}

func TestContactIDs(t *testing.T) {
	s := fresh(t)
	l, few := newList(t, s, "l"), newList(t, s, "few")
	for i, name := range []string{"delta", "Alpha", "charlie", "BRAVO", "100% \"off\"_x"} {
		c := &model.Contact{Email: fmt.Sprintf("%c%d@example.com", 'e'-rune(i), i), Name: name, Fields: map[string]string{"city": []string{"北京", "上海"}[i%2]},
			Source: []string{"web", "fair", ""}[i%3], Consent: "yes", CreatedAt: when(i), UpdatedAt: when(i)}
		if i == 2 {
			c.Fields["quote\"d"] = `back\slash "CO" 100%`
		}
		must(t, s.SaveContact(ctx, c, l.ID))
	}
	for i := range 100 { // so that "few" is few beside the whole
		addContact(t, s, 0, fmt.Sprintf("zz%02d@example.net", i), "zz", nil)
	}
	must(t, s.SaveContact(ctx, &model.Contact{Email: "c2@example.com", Name: "charlie"}, few.ID))
	must(t, s.SaveContact(ctx, &model.Contact{Email: "b3@example.com", Name: "BRAVO"}, few.ID))
	const e0, d1, c2, b3, a4 = "e0@example.com", "d1@example.com", "c2@example.com", "b3@example.com", "a4@example.com"
	for _, c := range []struct {
		q    model.ContactQuery
		want []string
	}{
		{model.ContactQuery{ListID: l.ID}, []string{e0, d1, c2, b3, a4}},
		{model.ContactQuery{ListID: l.ID, Sort: model.SortAdded, Desc: true}, []string{a4, b3, c2, d1, e0}},
		{model.ContactQuery{ListID: l.ID, Sort: model.SortEmail}, []string{a4, b3, c2, d1, e0}},
		{model.ContactQuery{ListID: l.ID, Sort: model.SortName}, []string{a4, d1, b3, c2, e0}},
		{model.ContactQuery{ListID: l.ID, Sort: model.SortName, Desc: true}, []string{e0, c2, b3, d1, a4}},
		{model.ContactQuery{ListID: l.ID, Sort: model.SortSource}, []string{c2, d1, a4, e0, b3}},
		{model.ContactQuery{ListID: few.ID, Sort: model.SortEmail}, []string{b3, c2}},
		{model.ContactQuery{ListID: few.ID, Sort: model.SortName}, []string{b3, c2}},
		{model.ContactQuery{ListID: few.ID, Sort: model.SortSource}, []string{c2, b3}},
		{model.ContactQuery{ListID: 99, Sort: model.SortEmail}, nil},
		{model.ContactQuery{Search: "EXAMPLE.COM", Sort: model.SortEmail}, []string{a4, b3, c2, d1, e0}},
		{model.ContactQuery{Search: "上海", Sort: model.SortName}, []string{d1, b3}},
		{model.ContactQuery{Search: "上海", Sort: model.SortSource}, []string{d1, b3}},
		{model.ContactQuery{Search: "alph", ListID: l.ID}, []string{d1}},
		{model.ContactQuery{Search: "100%"}, []string{c2, a4}},
		{model.ContactQuery{Search: `"off"_`}, []string{a4}},
		{model.ContactQuery{Search: `k\slash "co"`}, []string{c2}},
		{model.ContactQuery{Search: "city"}, nil}, // a field's name is not its value
		{model.ContactQuery{Search: `","`}, nil},
		{model.ContactQuery{Search: "nobody"}, nil},
	} {
		same(t, fmt.Sprintf("%+v", c.q), emails(t, s, c.q), c.want)
	}
	_, err := s.ContactIDs(ctx, model.ContactQuery{Sort: "id; DROP TABLE contacts"})
	wantCode(t, err, model.EInvalid)

	for _, sort := range []model.SortKey{model.SortAdded, model.SortEmail, model.SortName, model.SortSource} {
		ids, err := s.ContactIDs(ctx, model.ContactQuery{Sort: sort})
		must(t, err)
		if len(ids) != 105 {
			t.Errorf("sorted by %s: %d ids, want all 105", sort, len(ids))
		}
	}
}

func TestContactsInTheOrderAsked(t *testing.T) {
	s := fresh(t)
	load(t, s, "l", people(1200), 1200) // more than one query's worth
	want, err := s.ContactIDs(ctx, model.ContactQuery{})
	must(t, err)
	for i := range len(want) / 2 {
		want[i], want[len(want)-1-i] = want[len(want)-1-i], want[i]
	}
	must(t, s.RemoveContacts(ctx, want[:1], 0))
	got, err := s.Contacts(ctx, want)
	must(t, err)
	ids := make([]int64, len(got))
	for i, c := range got {
		ids[i] = c.ID
	}
	same(t, "ids, without the one that is gone", ids, want[1:])
}

func TestEachContact(t *testing.T) {
	s := fresh(t)
	l := newList(t, s, "l")
	for _, e := range []string{"b@example.com", "a@example.com", "c@example.com"} {
		addContact(t, s, l.ID, e, "", map[string]string{"k": e})
	}
	addContact(t, s, 0, "d@example.com", "", nil)
	walk := func(list int64) (got []string) {
		must(t, s.EachContact(ctx, list, func(c *model.Contact) error {
			got = append(got, c.Email)
			if c.Consent != "asked" || c.Source != "by hand" {
				t.Errorf("%s: source %q, consent %q", c.Email, c.Source, c.Consent)
			}
			return s.Suppress(ctx, model.Suppression{Key: c.Email, Reason: "user"}) // writing meanwhile is no trouble
		}))
		return got
	}
	same(t, "list", walk(l.ID), []string{"b@example.com", "a@example.com", "c@example.com"})
	same(t, "all", walk(0), []string{"b@example.com", "a@example.com", "c@example.com", "d@example.com"})
	stop := errors.New("stop")
	n := 0
	if err := s.EachContact(ctx, 0, func(*model.Contact) error { n++; return stop }); !errors.Is(err, stop) || n != 1 {
		t.Errorf("error %v after %d, want its own after 1", err, n)
	}
}

func TestFieldNames(t *testing.T) {
	s := fresh(t)
	l := newList(t, s, "l")
	addContact(t, s, l.ID, "a@example.com", "", map[string]string{"city": "x", `q"u\o`: `v"\`, "空": "1"})
	addContact(t, s, l.ID, "b@example.com", "", map[string]string{"city": "{\"not\":\"a field\"}", "空": ""})
	addContact(t, s, l.ID, "c@example.com", "", map[string]string{"city": ","})
	addContact(t, s, 0, "d@example.com", "", map[string]string{"else": "1"})
	got, err := s.FieldNames(ctx, l.ID)
	must(t, err)
	same(t, "of a list", got, []string{"city", "空", `q"u\o`})
	got, err = s.FieldNames(ctx, 0)
	must(t, err)
	same(t, "of everybody", got, []string{"city", "空", "else", `q"u\o`})
}

func TestRemoveContacts(t *testing.T) {
	s := fresh(t)
	l, m := newList(t, s, "l"), newList(t, s, "m")
	load(t, s, "l", []model.Row{{Email: "a@example.com", Name: "A"}, {Email: "b@example.com"}}, 10)
	load(t, s, "l", []model.Row{{Email: "a@example.com", Name: "new"}}, 10) // leaves a row in import_before
	a, err := s.ContactByEmail(ctx, "a@example.com")
	must(t, err)
	must(t, s.SaveContact(ctx, a, m.ID))
	must(t, s.RemoveContacts(ctx, []int64{a.ID}, l.ID))
	same(t, "off the list", emails(t, s, model.ContactQuery{ListID: l.ID}), []string{"b@example.com"})
	same(t, "but on the other", emails(t, s, model.ContactQuery{ListID: m.ID}), []string{"a@example.com"})
	must(t, s.Suppress(ctx, model.Suppression{Key: "a@example.com", Reason: "unsubscribe"}))
	must(t, s.RemoveContacts(ctx, []int64{a.ID}, 0))
	_, err = s.ContactByEmail(ctx, "a@example.com")
	wantCode(t, err, model.ENotFound)
	why, yes, err := s.Suppressed(ctx, "a@example.com")
	must(t, err)
	if !yes || why != "unsubscribe" {
		t.Errorf("suppressed %v %q: it must survive the contact", yes, why)
	}
	checkOrphans(t, s)
}

func TestSuppressions(t *testing.T) {
	s := fresh(t)
	for _, k := range []string{"a@example.com", "@Example.ORG", "@b.example.net"} {
		must(t, s.Suppress(ctx, model.Suppression{Key: k, Reason: "user", Detail: "d", At: when(1)}))
	}
	must(t, s.Suppress(ctx, model.Suppression{Key: "x@mail.example.org", Reason: "bounce", At: when(2)}))
	must(t, s.Suppress(ctx, model.Suppression{Key: "a@example.com", Reason: "bounce", At: when(3)})) // the first reason stays
	for _, c := range []struct {
		email, reason string
		yes           bool
	}{
		{"a@example.com", "user", true}, {"a@EXAMPLE.com", "user", true}, {"b@example.com", "", false},
		{"x@example.org", "user", true}, {"x@mail.example.org", "bounce", true}, {"y@deep.mail.example.org", "user", true},
		{"x@notexample.org", "", false}, {"x@example.net", "", false}, {"x@b.example.net", "user", true}, {"x@a.b.example.net", "user", true},
		{"x@ab.example.net", "", false}, {`"@example.org"@ok.com`, "", false}, {"x@org", "", false}, {"12345", "", false},
	} {
		why, yes, err := s.Suppressed(ctx, c.email)
		must(t, err)
		if yes != c.yes || why != c.reason {
			t.Errorf("%s: %v %q, want %v %q", c.email, yes, why, c.yes, c.reason)
		}
	}
	for _, bad := range []string{"", "nobody", "@", "a@"} {
		wantCode(t, s.Suppress(ctx, model.Suppression{Key: bad}), model.EInvalid)
	}
	all, err := s.Suppressions(ctx)
	must(t, err)
	want := []model.Suppression{{Key: "@b.example.net", Reason: "user", Detail: "d", At: when(1)}, {Key: "@example.org", Reason: "user", Detail: "d", At: when(1)},
		{Key: "a@example.com", Reason: "user", Detail: "d", At: when(1)}, {Key: "x@mail.example.org", Reason: "bounce", At: when(2)}}
	if d := cmp.Diff(want, all, cmpopts.IgnoreFields(model.Suppression{}, "ID")); d != "" {
		t.Error(d)
	}
	must(t, s.RemoveSuppression(ctx, all[1].ID))
	wantCode(t, s.RemoveSuppression(ctx, all[1].ID), model.ENotFound)
	if _, yes, _ := s.Suppressed(ctx, "x@example.org"); yes {
		t.Error("still suppressed after its removal")
	}
}
