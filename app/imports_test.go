package app_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"hongyan/app"
	"hongyan/app/contacts"
	"hongyan/app/model"
	"hongyan/store"
)

// small opens a folder whose imports are stored a few rows at a time.
func small(t *testing.T, dir string, rows int) *rig {
	t.Helper()
	st, err := store.Open(t.Context(), dir, store.Options{ChunkRows: rows})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, dir: dir, store: st, App: app.New(app.Options{Dir: dir, Store: st, Version: "test"})}
	t.Cleanup(r.close)
	return r
}

// counted is the part of a report that a prospect has.
func counted(r model.ImportReport) model.Prospect {
	return model.Prospect{Read: r.Read, Added: r.Added, Updated: r.Updated, Duplicate: r.Duplicate, Invalid: r.Invalid, Suppressed: r.Suppressed}
}

// TestProspect: whatever is there and whatever comes, what an import is said to do beforehand is what it does, and to
// ask changes nothing.
func TestProspect(t *testing.T) {
	t.Parallel()
	r := small(t, t.TempDir(), 3) // so that a few rows are several chunks
	if err := r.Suppress(t.Context(), []string{"p1@example.com", "@never.example"}, "user"); err != nil {
		t.Fatal(err)
	}
	row := rapid.Custom(func(t *rapid.T) string {
		address := rapid.SampledFrom([]string{"p0@example.com", "p1@example.com", "P2@example.com", "p3@example.com", "p4@never.example",
			"p5@deep.never.example", `"odd, ""one"`, "p6@example.com", "nobody"}).Draw(t, "address")
		return strings.Join([]string{address, rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "name"), rapid.SampledFrom([]string{"", "1", "2"}).Draw(t, "a")}, ",")
	})
	rapid.Check(t, func(rt *rapid.T) {
		ctx := t.Context()
		text := "email,name,a\np9@example.com,,\n" + strings.Join(rapid.SliceOfN(row, 0, 12).Draw(rt, "rows"), "\n") + "\n"
		spec := model.ImportSpec{ListName: rapid.SampledFrom([]string{"l0", "l1", "l2"}).Draw(rt, "list"),
			Source: rapid.SampledFrom([]string{"s1", "s2", "c1"}).Draw(rt, "source"), Consent: rapid.SampledFrom([]string{"c1", "c2"}).Draw(rt, "consent")}
		src, err := contacts.FromText(text, contacts.Options{Format: contacts.FormatCSV})
		if err != nil {
			rt.Fatal(err)
		}
		before := fmt.Sprint(everybody(rt, r))
		said, err := r.Prospect(ctx, src, spec)
		if err != nil {
			rt.Fatal(err)
		}
		dry, err := r.Import(ctx, src, spec, true, nil)
		if err != nil {
			rt.Fatal(err)
		}
		if after := fmt.Sprint(everybody(rt, r)); after != before {
			rt.Fatalf("asking changed %s to %s", before, after)
		}
		report, err := r.Import(ctx, src, spec, false, nil)
		if err != nil {
			rt.Fatal(err)
		}
		if said != counted(report) || counted(dry) != said {
			rt.Fatalf("said %+v, dry %+v, did %+v", said, counted(dry), counted(report))
		}
		if rapid.Bool().Draw(rt, "undo") {
			if _, err := r.UndoImport(ctx, report.ImportID); err != nil {
				rt.Fatal(err)
			}
		}
	})
}

func everybody(t interface{ Fatal(...any) }, r *rig) (all []model.Contact) {
	err := r.store.EachContact(context.Background(), 0, func(c *model.Contact) error {
		all = append(all, *c)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestProspectOfLittle(t *testing.T) {
	r := newRig(t)
	r.people("l", 3)
	src, err := contacts.FromText("user1@example.org\nnew@example.org\nuser1@example.org\n", contacts.Options{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.Prospect(t.Context(), src, model.ImportSpec{}) // nothing is said yet
	if want := (model.Prospect{Read: 3, Added: 2, Duplicate: 1}); err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	got, err = r.Prospect(t.Context(), src, model.ImportSpec{ListName: "l"})
	if want := (model.Prospect{Read: 3, Added: 1, Duplicate: 2}); err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := r.Prospect(ctx, src, model.ImportSpec{}); model.CodeOf(err) != model.ECancelled {
		t.Errorf("cancelled: %v", err)
	}
	if src, err = contacts.FromText("nobody here\n", contacts.Options{}); err != nil {
		t.Fatal(err)
	}
	if got, err := r.Prospect(t.Context(), src, model.ImportSpec{}); err != nil || got.Added != 0 {
		t.Errorf("nobody: %+v, %v", got, err)
	}
	if lists, err := r.Lists(t.Context()); err != nil || len(lists) != 1 {
		t.Errorf("lists %+v, %v", lists, err)
	}
}
