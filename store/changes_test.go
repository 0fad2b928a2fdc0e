package store_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"hongyan/app/model"
	"hongyan/store"
)

// tables is what taking back must bring back, row by row.
func tables(t testing.TB, s *store.Store) map[string][]string {
	t.Helper()
	all, err := s.Tables()
	must(t, err)
	return all
}

func TestTags(t *testing.T) {
	s := fresh(t)
	for _, e := range "abc" {
		addContact(t, s, 0, string(e)+"@example.com", "", nil)
	}
	for _, c := range []struct {
		ids  []int64
		name string
		n    int
	}{{[]int64{1, 2}, "vip", 2}, {[]int64{2, 3, 99}, "vip", 1}, {[]int64{1}, "朋友", 1}, {nil, "nobody", 0}} {
		n, err := s.TagContacts(ctx, c.ids, c.name)
		must(t, err)
		if n != c.n {
			t.Errorf("%v %s: %d newly, want %d", c.ids, c.name, n, c.n)
		}
	}
	all, err := s.Tags(ctx)
	must(t, err)
	same(t, "tags", all, []model.Tag{{ID: 1, Name: "vip", Count: 3}, {ID: 2, Name: "朋友", Count: 1}})
	of, err := s.TagsOf(ctx, 1)
	must(t, err)
	same(t, "of one", of, all)
	wantCode(t, s.RenameTag(ctx, 1, "朋友"), model.EExists)
	wantCode(t, s.RenameTag(ctx, 9, "x"), model.ENotFound)
	must(t, s.RenameTag(ctx, 1, "VIP"))
	n, err := s.UntagContacts(ctx, []int64{1, 3}, 1)
	must(t, err)
	if of, err = s.TagsOf(ctx, 1); err != nil || n != 2 || len(of) != 1 {
		t.Errorf("untagged %d, left %+v, %v", n, of, err)
	}
	_, err = s.UntagContacts(ctx, []int64{1}, 9)
	wantCode(t, err, model.ENotFound)
	wantCode(t, s.RemoveTag(ctx, 9), model.ENotFound)
	_, err = s.TagByName(ctx, "vip")
	wantCode(t, err, model.ENotFound)

	was := tables(t, s)
	must(t, s.RemoveTag(ctx, 1))
	if all, err = s.Tags(ctx); err != nil || len(all) != 1 {
		t.Errorf("left %+v, %v", all, err)
	}
	ch, err := s.UndoChange(ctx)
	must(t, err)
	if ch.Kind != model.ChangeUntag || ch.What != "VIP" || ch.N != 1 {
		t.Errorf("taken back %+v", ch)
	}
	same(t, "the tag is back, with its number", tables(t, s), was)
	must(t, s.RemoveTag(ctx, 1))
	must(t, s.RenameTag(ctx, 2, "VIP"))
	_, err = s.UndoChange(ctx)
	must(t, err)
	if of, err = s.TagsOf(ctx, 2); err != nil || len(of) != 1 || of[0].ID != 1 || of[0].Name != "VIP 2" {
		t.Errorf("another has the name now, and of 2 there is %+v, %v", of, err)
	}
	checkOrphans(t, s)
}

func TestSegments(t *testing.T) {
	s := fresh(t)
	g := &model.Segment{Name: "上海的", Filter: model.Filter{Any: true, Conditions: []model.Condition{
		{What: model.WhereField, Field: "城市", Op: model.OpIs, Text: `上海 "<&>"`}, {What: model.WhereTag, ID: 3, Not: true}}}, UpdatedAt: when(1)}
	must(t, s.SaveSegment(ctx, g))
	wantCode(t, s.SaveSegment(ctx, &model.Segment{Name: "上海的", Filter: g.Filter}), model.EExists)
	other := &model.Segment{Name: "a", Filter: model.Filter{Conditions: []model.Condition{{What: model.WhereConsent}}}, UpdatedAt: when(2)}
	must(t, s.SaveSegment(ctx, other))
	all, err := s.Segments(ctx)
	must(t, err)
	same(t, "segments", all, []model.Segment{*other, *g})
	g.Name, g.Filter.Any = "a", false
	wantCode(t, s.SaveSegment(ctx, g), model.EExists)
	g.Name = "b"
	must(t, s.SaveSegment(ctx, g))
	got, err := s.SegmentByName(ctx, "b")
	must(t, err)
	same(t, "changed", got, g)
	must(t, s.RemoveSegment(ctx, g.ID))
	wantCode(t, s.RemoveSegment(ctx, g.ID), model.ENotFound)
	wantCode(t, s.SaveSegment(ctx, g), model.ENotFound)
	_, err = s.Segment(ctx, g.ID)
	wantCode(t, err, model.ENotFound)
}

// act does one thing by hand, drawn at random, to people who are there or, one of them, never were.
func act(rt *rapid.T, s *store.Store, i int) error {
	there, err := s.ContactIDs(ctx, model.ContactQuery{})
	if err != nil {
		return err
	}
	who := rapid.SliceOfNDistinct(rapid.SampledFrom(append(there, 1<<40)), 1, 4, rapid.ID[int64]).Draw(rt, "who")
	name := rapid.SampledFrom([]string{"l1", "l2", "new"}).Draw(rt, "name")
	lists, err := s.Lists(ctx)
	if err != nil {
		return err
	}
	list := rapid.SampledFrom(lists).Draw(rt, "list").ID
	switch what := rapid.IntRange(0, 9).Draw(rt, "what"); what {
	case 0:
		_, err = s.TagContacts(ctx, who, name)
	case 1, 2:
		tags, err := s.Tags(ctx)
		if err != nil || len(tags) == 0 {
			return err
		}
		tag := rapid.SampledFrom(tags).Draw(rt, "tag").ID
		if what == 1 {
			return s.RemoveTag(ctx, tag)
		}
		_, err = s.UntagContacts(ctx, who, tag)
		return err
	case 3:
		_, err = s.AddToList(ctx, who, name)
	case 4:
		err = s.RemoveContacts(ctx, who, list)
	case 5:
		err = s.RemoveContacts(ctx, who, 0)
	case 6:
		_, err = s.RecordConsent(ctx, who, "c"+name, when(1000+i))
	case 7:
		err = s.MergeContacts(ctx, who[0], who[1:], when(1000+i))
	default:
		c := &model.Contact{Email: fmt.Sprintf("p%d@example.com", rapid.IntRange(0, 11).Draw(rt, "address")), Name: name,
			Fields: map[string]string{"k": name}, Source: name, UpdatedAt: when(1000 + i), CreatedAt: when(1000 + i)}
		if what == 9 {
			c.ID = who[0]
		}
		err = s.SaveContact(ctx, c, list)
	}
	if code := model.CodeOf(err); code == model.EExists || code == model.ENotFound {
		return nil // refused, for a reason: it must have done nothing
	}
	return err
}

// withPeople is a store with eight people of two lists, by hand and by two imports.
func withPeople(t testing.TB) *store.Store {
	s := fresh(t)
	l := newList(t, s, "l1")
	newList(t, s, "l2")
	for i := range 3 {
		addContact(t, s, l.ID, fmt.Sprintf("p%d@example.com", i), "n", map[string]string{"a": "1"})
	}
	rows := func(from, to int, name string) (rows []model.Row) {
		for i := from; i < to; i++ {
			rows = append(rows, model.Row{Email: fmt.Sprintf("p%d@example.com", i), Name: name, NoConsent: i%2 == 0, Fields: map[string]string{"b": name}})
		}
		return rows
	}
	load(t, s, "l1", rows(1, 6, "x"), 10)
	load(t, s, "l2", rows(4, 8, "y"), 10)
	_, err := s.TagContacts(ctx, []int64{1, 5}, "l1")
	must(t, err)
	must(t, s.Suppress(ctx, model.Suppression{Key: "p3@example.com", Reason: "user"}))
	return s
}

// undoAll takes everything back down to a change.
func undoAll(s *store.Store, left int) error {
	for {
		all, err := s.Changes(ctx)
		if err != nil || len(all) <= left {
			return err
		}
		if _, err := s.UndoChange(ctx); err != nil {
			return err
		}
	}
}

// Whatever is done by hand: taken back, everything is as it was, to the last row.
func TestUndoChangesBringsEverythingBack(t *testing.T) {
	s := withPeople(t)
	kept, err := s.Changes(ctx)
	must(t, err)
	was := tables(t, s)
	rapid.Check(t, func(rt *rapid.T) {
		steps := rapid.IntRange(1, 12).Draw(rt, "steps")
		for i := range steps {
			if err := act(rt, s, i); err != nil {
				rt.Fatal(err)
			}
			if bad, err := s.Orphans(); err != nil || len(bad) > 0 {
				rt.Fatal(bad, err)
			}
		}
		if err := undoAll(s, len(kept)); err != nil {
			rt.Fatal(err)
		}
		now, err := s.Tables()
		if err != nil {
			rt.Fatal(err)
		}
		if d := cmp.Diff(was, now); d != "" {
			rt.Fatal(d)
		}
	})
}

// Imports that come and are undone between: nothing hangs in the air, and what an import says of people stays.
func TestUndoChangesBesideImports(t *testing.T) {
	s := withPeople(t)
	rapid.Check(t, func(rt *rapid.T) {
		load(t, s, "l1", []model.Row{{Email: "p0@example.com"}, {Email: "p1@example.com"}, {Email: "p2@example.com"}}, 10)
		var last []model.Row
		for i := range rapid.IntRange(1, 10).Draw(rt, "steps") {
			switch rapid.IntRange(0, 5).Draw(rt, "by") {
			case 0:
				last = nil
				for _, k := range rapid.SliceOfNDistinct(rapid.IntRange(0, 11), 1, 4, rapid.ID[int]).Draw(rt, "rows") {
					last = append(last, model.Row{Email: fmt.Sprintf("p%d@example.com", k), Name: fmt.Sprint("import", i)})
				}
				load(t, s, rapid.SampledFrom([]string{"l1", "l2", "new"}).Draw(rt, "into"), last, 10)
			case 1:
				ims, err := s.Imports(ctx)
				must(t, err)
				_, err = s.UndoImport(ctx, rapid.SampledFrom(ims).Draw(rt, "import").ID)
				must(t, err)
				last = nil
			case 2:
				if _, err := s.UndoChange(ctx); err != nil && model.CodeOf(err) != model.ENotFound {
					rt.Fatal(err)
				}
			default:
				last = nil
				if err := act(rt, s, i); err != nil {
					rt.Fatal(err)
				}
			}
			if bad, err := s.Orphans(); err != nil || len(bad) > 0 {
				rt.Fatal(bad, err)
			}
		}
		if err := undoAll(s, 0); err != nil {
			rt.Fatal(err)
		}
		if bad, err := s.Orphans(); err != nil || len(bad) > 0 {
			rt.Fatal(bad, err)
		}
		for _, r := range last { // the import was the last to say something
			if c, err := s.ContactByEmail(ctx, r.Email); err != nil || c.Name != r.Name {
				rt.Fatalf("%s is %+v, %v", r.Email, c, err)
			}
		}
	})
}

// TestChanges: they are listed, the oldest are forgotten with all their rows, and they are there after a restart.
func TestChanges(t *testing.T) {
	s := fresh(t)
	load(t, s, "l", people(6_000), 6_000)
	ids, err := s.ContactIDs(ctx, model.ContactQuery{})
	must(t, err)
	_, err = s.UndoChange(ctx)
	wantCode(t, err, model.ENotFound)
	start := tables(t, s)
	must(t, s.RemoveContacts(ctx, ids[:5_500], 0)) // several transactions
	dir := s.Dir()
	must(t, s.Close())
	s = open(t, dir, store.Options{})
	all, err := s.Changes(ctx)
	must(t, err)
	if len(all) != 1 || all[0].Kind != model.ChangeRemove || all[0].N != 5_500 || all[0].What != "" || all[0].At.IsZero() {
		t.Fatalf("changes %+v", all)
	}
	ch, err := s.UndoChange(ctx)
	must(t, err)
	same(t, "taken back", ch, all[0])
	same(t, "everything", tables(t, s), start)

	must(t, s.RemoveContacts(ctx, ids[:5_500], 1))
	for i := range 20 {
		_, err := s.TagContacts(ctx, ids[i:i+1], "t")
		must(t, err)
	}
	all, err = s.Changes(ctx)
	must(t, err)
	if len(all) != 20 || slices.ContainsFunc(all, func(c model.Change) bool { return c.Kind != model.ChangeTag || c.N != 1 || c.What != "t" }) {
		t.Errorf("changes %+v", all)
	}
	if rows, dead, err := s.ChangeRows(); rows != 20 || dead != 0 || err != nil {
		t.Errorf("%d rows are kept, %d of changes that are gone, %v", rows, dead, err)
	}
	if n, err := s.TagContacts(ctx, ids[:20], "t"); n != 0 || err != nil {
		t.Errorf("tagged %d again, %v", n, err)
	}
	if again, err := s.Changes(ctx); err != nil || len(again) != 20 || again[0].ID != all[0].ID {
		t.Errorf("what changed nobody is no change: %+v, %v", again[0], err)
	}
}

// TestUndoKeepsWhatAnImportChanged: an edit is not taken back over what an import said later; neither does somebody go
// whom an import has named since.
func TestUndoKeepsWhatAnImportChanged(t *testing.T) {
	s := fresh(t)
	l := newList(t, s, "l")
	c := addContact(t, s, l.ID, "a@example.com", "before", nil)
	c.Name = "by hand"
	must(t, s.SaveContact(ctx, c, 0))
	load(t, s, "l", []model.Row{{Email: "a@example.com", Name: "imported"}}, 1)
	must(t, undoAll(s, 0))
	got := person(t, s, "a@example.com")
	if got.Name != "imported" {
		t.Errorf("name %q, want what the import said", got.Name)
	}
	same(t, "the list", emails(t, s, model.ContactQuery{ListID: l.ID}), []string{"a@example.com"})
	checkOrphans(t, s)
}

// TestEraseContact: what was kept for taking back goes too.
func TestEraseContact(t *testing.T) {
	s := fresh(t)
	l := newList(t, s, "l")
	a := addContact(t, s, l.ID, "a@example.com", "A", nil)
	b := addContact(t, s, l.ID, "b@example.com", "B", nil)
	a.Name = "AA"
	must(t, s.SaveContact(ctx, a, 0))
	must(t, s.MergeContacts(ctx, a.ID, []int64{b.ID}, when(9)))
	must(t, s.EraseContact(ctx, a.ID))
	all, err := s.Changes(ctx)
	must(t, err)
	for _, c := range all {
		if c.What != "" {
			t.Errorf("%s still says %q", c.Kind, c.What)
		}
	}
	rows, _, err := s.ChangeRows()
	must(t, err)
	if rows != 0 {
		t.Errorf("%d rows are left", rows)
	}
	must(t, undoAll(s, 0))
	same(t, "everybody", emails(t, s, model.ContactQuery{}), []string{})
}

// TestChangesScanNothing: what is done to one of a million people, and taken back, looks at no other.
func TestChangesScanNothing(t *testing.T) {
	s := fresh(t)
	l := newList(t, s, "l")
	var ids []int64
	for _, e := range "abcd" {
		ids = append(ids, addContact(t, s, l.ID, string(e)+"@example.com", "", nil).ID)
	}
	all := func(_ int, err error) { t.Helper(); must(t, err) }
	all(s.TagContacts(ctx, ids, "t"))
	all(s.UntagContacts(ctx, ids[:1], 1))
	all(s.AddToList(ctx, ids, "m"))
	all(s.RecordConsent(ctx, ids, "c", when(2)))
	must(t, s.MergeContacts(ctx, ids[0], ids[1:2], when(3)))
	must(t, s.RemoveContacts(ctx, ids[:1], l.ID))
	must(t, s.RemoveContacts(ctx, ids[2:3], 0))
	must(t, s.EraseContact(ctx, ids[3]))
	must(t, undoAll(s, 0))
	bad, err := s.LongScans()
	must(t, err)
	for _, b := range bad {
		t.Error(b)
	}
}
