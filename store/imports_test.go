package store_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"hongyan/app/model"
	"hongyan/store"
)

func begin(t testing.TB, s *store.Store, list, source, consent string) model.Importer {
	t.Helper()
	im, err := s.BeginImport(ctx, model.ImportSpec{ListName: list, Source: source, Consent: consent, FileName: "f.csv", Format: "csv", Charset: "GB18030"})
	must(t, err)
	return im
}

// add stores rows as one chunk.
func add(t testing.TB, im model.Importer, rows []model.Row) {
	t.Helper()
	must(t, im.Add(ctx, rows))
	must(t, im.Flush(ctx))
}

func finish(t testing.TB, im model.Importer) model.ImportReport {
	t.Helper()
	r, err := im.Finish(ctx)
	must(t, err)
	return r
}

func person(t testing.TB, s *store.Store, email string) model.Contact {
	t.Helper()
	c, err := s.ContactByEmail(ctx, email)
	must(t, err)
	return *c
}

func TestImportCountsEachRowOnce(t *testing.T) {
	s := fresh(t)
	must(t, s.Suppress(ctx, model.Suppression{Key: "dead@example.com", Reason: "bounce"}))
	must(t, s.Suppress(ctx, model.Suppression{Key: "@example.org", Reason: "user"}))
	other := newList(t, s, "other")
	addContact(t, s, other.ID, "elsewhere@example.com", "E", nil)

	im := begin(t, s, "l", "fair", "card")
	add(t, im, []model.Row{
		{Email: "a@example.com", Address: "A@example.com", Name: "甲", Fields: map[string]string{"city": "北京"}},
		{Email: "b@example.com"},
		{Email: "a@example.com", Name: "乙", Fields: map[string]string{"n": "1", "city": ""}}, // twice in one chunk
		{Email: "dead@example.com"}, {Email: "x@sub.example.org"},
		{Email: "elsewhere@example.com", Name: "E"},
	})
	add(t, im, []model.Row{
		{Email: "b@example.com", Name: "later"}, // twice in two chunks
		{Email: "dead@example.com"},
		{Email: "chat@example.com", NoConsent: true},
	})
	add(t, im, nil)
	r := finish(t, im)
	same(t, "report", r, model.ImportReport{ImportID: r.ImportID, ListID: r.ListID, Read: 9, Added: 4, Duplicate: 3, Suppressed: 2, Charset: "GB18030", Format: "csv"})
	same(t, "the list, in the file's order", emails(t, s, model.ContactQuery{ListID: r.ListID}),
		[]string{"elsewhere@example.com", "a@example.com", "b@example.com", "dead@example.com", "x@sub.example.org", "chat@example.com"})

	a := person(t, s, "a@example.com")
	if a.Address != "A@example.com" || a.Name != "乙" || a.Source != "fair" || a.Consent != "card" || a.ImportID != r.ImportID || a.CreatedAt.IsZero() {
		t.Errorf("a is %+v", a)
	}
	same(t, "fields merged", a.Fields, map[string]string{"city": "北京", "n": "1"})
	if b := person(t, s, "b@example.com"); b.Name != "later" {
		t.Errorf("b is %+v", b)
	}
	if c := person(t, s, "chat@example.com"); c.Consent != "" || c.Source != "fair" {
		t.Errorf("consent %q, source %q: nobody in a chat agreed", c.Consent, c.Source)
	}

	// The same again, with one name new, one field new, and the consent that was missing.
	im = begin(t, s, "l", "form", "ticked")
	add(t, im, []model.Row{
		{Email: "a@example.com", Name: "丙", NoConsent: true},
		{Email: "b@example.com", Fields: map[string]string{"k": "v"}, NoConsent: true},
		{Email: "chat@example.com"},
		{Email: "elsewhere@example.com", Name: "E", NoConsent: true},
	})
	r2 := finish(t, im)
	same(t, "second report", r2, model.ImportReport{ImportID: r2.ImportID, ListID: r.ListID, Read: 4, Updated: 3, Duplicate: 1, Charset: "GB18030", Format: "csv"})
	if c := person(t, s, "chat@example.com"); c.Consent != "ticked" || c.Source != "form" {
		t.Errorf("consent %q, source %q, want those of the form", c.Consent, c.Source)
	}
	if a := person(t, s, "a@example.com"); a.Consent != "card" || a.Name != "丙" {
		t.Errorf("a is %+v: an import without consent takes none away", a)
	}
	checkOrphans(t, s)

	all, err := s.Imports(ctx)
	must(t, err)
	want := []model.Import{
		{ID: r2.ImportID, ListID: r.ListID, State: model.ImportDone, Rows: 4, Updated: 3, Duplicate: 1,
			ImportSpec: model.ImportSpec{ListName: "l", Source: "form", Consent: "ticked", FileName: "f.csv", Format: "csv", Charset: "GB18030"}},
		{ID: r.ImportID, ListID: r.ListID, State: model.ImportDone, Rows: 9, Added: 4, Duplicate: 3, Suppressed: 2,
			ImportSpec: model.ImportSpec{ListName: "l", Source: "fair", Consent: "card", FileName: "f.csv", Format: "csv", Charset: "GB18030"}},
	}
	if d := cmp.Diff(want, all, cmpopts.IgnoreFields(model.Import{}, "StartedAt", "FinishedAt")); d != "" {
		t.Error(d)
	}
}

func TestImporterRefuses(t *testing.T) {
	s := fresh(t)
	_, err := s.BeginImport(ctx, model.ImportSpec{Source: "s"})
	wantCode(t, err, model.EInvalid)
	im := begin(t, s, "l", "s", "c")
	wantCode(t, im.Add(ctx, []model.Row{{Email: "a@example.com"}, {Address: "nothing"}}), model.EInvalid)
	same(t, "a chunk is all or nothing", emails(t, s, model.ContactQuery{}), []string{})
	r := finish(t, im)
	_, err = im.Finish(ctx)
	wantCode(t, err, model.EInvalid)
	must(t, im.Add(ctx, []model.Row{{Email: "a@example.com"}}))
	wantCode(t, im.Flush(ctx), model.EInvalid)
	_, err = s.UndoImport(ctx, r.ImportID+1)
	wantCode(t, err, model.ENotFound)

	im = begin(t, s, "l", "s", "c")
	must(t, s.RemoveList(ctx, r.ListID))
	must(t, im.Add(ctx, []model.Row{{Email: "a@example.com"}}))
	wantCode(t, im.Flush(ctx), model.ENotFound)
}

func TestAbortUndoesEveryChunk(t *testing.T) {
	s := fresh(t)
	im := begin(t, s, "l", "s", "c")
	for part := range slices.Chunk(people(300), 100) {
		add(t, im, part)
	}
	must(t, im.Abort(ctx))
	must(t, im.Abort(ctx)) // twice does no harm
	same(t, "contacts", emails(t, s, model.ContactQuery{}), []string{})
	lists, err := s.Lists(ctx)
	must(t, err)
	same(t, "the list that it made", lists, []model.List{})
	checkOrphans(t, s)
}

func TestUndoKeepsWhatOthersBrought(t *testing.T) {
	s := fresh(t)
	l, m := newList(t, s, "l"), newList(t, s, "m")
	before := addContact(t, s, l.ID, "known@example.com", "Known", map[string]string{"k": "old"})
	im := begin(t, s, "l", "fair", "card")
	add(t, im, []model.Row{
		{Email: "known@example.com", Name: "Changed", Fields: map[string]string{"k": "new"}},
		{Email: "alone@example.com"}, {Email: "moved@example.com"}, {Email: "twice@example.com"}, {Email: "edited@example.com", Name: "first"},
	})
	r := finish(t, im)
	moved := person(t, s, "moved@example.com")
	must(t, s.SaveContact(ctx, &moved, m.ID))
	im = begin(t, s, "l", "form", "ticked")
	add(t, im, []model.Row{{Email: "twice@example.com", NoConsent: true}})
	r2 := finish(t, im)

	n, err := s.UndoImport(ctx, r.ImportID)
	must(t, err)
	if n != 2 {
		t.Errorf("%d people removed, want alone and edited", n)
	}
	same(t, "known is as before", person(t, s, "known@example.com"), *before)
	same(t, "l", emails(t, s, model.ContactQuery{ListID: l.ID}), []string{"known@example.com", "twice@example.com"})
	same(t, "m", emails(t, s, model.ContactQuery{ListID: m.ID}), []string{"moved@example.com"})
	if c := person(t, s, "twice@example.com"); c.ImportID != r2.ImportID {
		t.Errorf("twice belongs to import %d, want %d", c.ImportID, r2.ImportID)
	}
	if n, err = s.UndoImport(ctx, r.ImportID); n != 0 || err != nil {
		t.Errorf("undone twice: %d, %v", n, err)
	}
	checkOrphans(t, s)
}

func TestUndoKeepsLaterChanges(t *testing.T) {
	s := fresh(t)
	l := newList(t, s, "l")
	addContact(t, s, l.ID, "known@example.com", "Known", nil)
	r := load(t, s, "l", []model.Row{{Email: "known@example.com", Name: "Imported"}}, 10)
	c := person(t, s, "known@example.com")
	c.Name, c.UpdatedAt = "By hand", when(5)
	must(t, s.SaveContact(ctx, &c, 0))
	_, err := s.UndoImport(ctx, r.ImportID)
	must(t, err)
	if c := person(t, s, "known@example.com"); c.Name != "By hand" {
		t.Errorf("name %q: what was changed since stays", c.Name)
	}
}

// everything is what undoing must bring back.
type everything struct {
	Contacts map[string]model.Contact
	Members  map[string][]string
}

func snapshot(t testing.TB, s *store.Store) everything {
	e := everything{Contacts: map[string]model.Contact{}, Members: map[string][]string{}}
	must(t, s.EachContact(ctx, 0, func(c *model.Contact) error {
		e.Contacts[c.Email] = *c
		return nil
	}))
	lists, err := s.Lists(ctx)
	must(t, err)
	for _, l := range lists {
		e.Members[l.Name] = emails(t, s, model.ContactQuery{ListID: l.ID, Sort: model.SortEmail})
	}
	return e
}

// Whatever imports come, in whatever order they are undone: in the end everything is as it was, and at no time
// does a row hang on one that is gone.
func TestUndoBringsEverythingBack(t *testing.T) {
	s := fresh(t)
	l := newList(t, s, "l0")
	for i := range 4 {
		addContact(t, s, l.ID, fmt.Sprintf("p%d@example.com", i), "before", map[string]string{"a": "before"})
	}
	must(t, s.Suppress(ctx, model.Suppression{Key: "p1@example.com", Reason: "user"}))
	was := snapshot(t, s)
	row := rapid.Custom(func(t *rapid.T) model.Row {
		r := model.Row{Email: fmt.Sprintf("p%d@example.com", rapid.IntRange(0, 7).Draw(t, "who")), NoConsent: rapid.Bool().Draw(t, "chat")}
		r.Name = rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "name")
		r.Fields = rapid.MapOfN(rapid.SampledFrom([]string{"a", "b"}), rapid.SampledFrom([]string{"", "1", "2"}), 0, 2).Draw(t, "fields")
		return r
	})
	rapid.Check(t, func(rt *rapid.T) {
		var live []int64
		undo := func(i int) {
			if _, err := s.UndoImport(ctx, live[i]); err != nil {
				rt.Fatal(err)
			}
			live = slices.Delete(live, i, i+1)
			if bad, err := s.Orphans(); err != nil || len(bad) > 0 {
				rt.Fatal(bad, err)
			}
		}
		for range rapid.IntRange(1, 4).Draw(rt, "imports") {
			spec := model.ImportSpec{ListName: rapid.SampledFrom([]string{"l0", "l1", "l2"}).Draw(rt, "list"), Source: "s",
				Consent: rapid.SampledFrom([]string{"c1", "c2"}).Draw(rt, "consent")}
			im, err := s.BeginImport(ctx, spec)
			if err != nil {
				rt.Fatal(err)
			}
			for _, chunk := range rapid.SliceOfN(rapid.SliceOfN(row, 1, 5), 0, 2).Draw(rt, "chunks") {
				if err := errors.Join(im.Add(ctx, chunk), im.Flush(ctx)); err != nil {
					rt.Fatal(err)
				}
			}
			r, err := im.Finish(ctx)
			if err != nil {
				rt.Fatal(err)
			}
			if sum := r.Added + r.Updated + r.Duplicate + r.Suppressed; sum != r.Read {
				rt.Fatalf("%+v adds up to %d", r, sum)
			}
			live = append(live, r.ImportID)
			if len(live) > 1 && rapid.Bool().Draw(rt, "undo one meanwhile") {
				undo(rapid.IntRange(0, len(live)-1).Draw(rt, "which"))
			}
		}
		for len(live) > 0 {
			undo(rapid.IntRange(0, len(live)-1).Draw(rt, "which"))
		}
		if d := cmp.Diff(was, snapshot(t, s), cmpopts.EquateEmpty()); d != "" {
			rt.Fatal(d)
		}
	})
}
