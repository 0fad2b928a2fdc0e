package app_test

import (
	"testing"

	"hongyan/app"
	"hongyan/app/model"
)

// TestCampaignOfSegment: a campaign goes to those of a list whom a segment chooses, or to all whom it chooses; the
// check says how many; and who that was is settled once.
func TestCampaignOfSegment(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	list := r.paste("Fair", "email,name,city\na@example.com,A,上海\nb@example.com,B,北京\nc@example.com,C,上海\n").ListID
	r.paste("Others", "email,name,city\nd@example.com,D,上海\n")
	acct := r.account("a", 1)
	c := r.person("c@example.com")
	if n, err := r.TagContacts(ctx, []int64{c.ID}, " no more "); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	tags, err := r.TagsOf(ctx, c.ID)
	if err != nil || len(tags) != 1 || tags[0].Name != "no more" {
		t.Fatalf("tags %+v, %v", tags, err)
	}
	s := &model.Segment{Name: "上海的", Filter: model.Filter{Conditions: []model.Condition{
		{What: model.WhereField, Field: "city", Op: model.OpIs, Text: "上海"}, {What: model.WhereTag, ID: tags[0].ID, Not: true}}}}
	if err := r.SaveSegment(ctx, s); err != nil || s.ID == 0 {
		t.Fatal(s.ID, err)
	}
	for _, want := range []struct {
		name      string
		list      int64
		people    int
		audience  string
		addresses []string
	}{
		{"list and segment", list, 1, "Fair · 上海的", []string{"a@example.com"}},
		{"segment", 0, 2, "上海的", []string{"a@example.com", "d@example.com"}},
	} {
		spec := app.CampaignSpec{Name: want.name, ListID: want.list, SegmentID: s.ID, Letter: letter, AccountIDs: []int64{acct.ID}}
		check, err := r.Check(ctx, spec)
		if err != nil || check.People != want.people || check.Skipped != 0 || check.Blocked() {
			t.Errorf("%s: check %+v, %v", want.name, check, err)
		}
		camp, err := r.CreateCampaign(ctx, spec)
		if err != nil || camp.ListName != want.audience {
			t.Fatalf("%s: %+v, %v", want.name, camp, err)
		}
		if _, err := r.TagContacts(ctx, []int64{r.person("a@example.com").ID}, "later"); err != nil {
			t.Fatal(err)
		}
		ds, err := r.Deliveries(ctx, model.DeliveryQuery{CampaignID: camp.ID})
		if err != nil || len(ds) != len(want.addresses) {
			t.Fatalf("%s: %+v, %v", want.name, ds, err)
		}
		for i, d := range ds {
			if d.Email != want.addresses[i] || d.State != model.Queued {
				t.Errorf("%s: %+v", want.name, d)
			}
		}
	}

	if err := r.RemoveTag(ctx, tags[0].ID); err != nil {
		t.Fatal(err)
	}
	spec := app.CampaignSpec{Name: "c", SegmentID: s.ID, Letter: letter, AccountIDs: []int64{acct.ID}}
	if check, err := r.Check(ctx, spec); err != nil || !check.Blocked() {
		t.Errorf("nobody knows who has a tag that is gone: %+v, %v", check, err)
	}
	if _, err := r.CreateCampaign(ctx, spec); model.CodeOf(err) != model.ENotFound {
		t.Errorf("created: %v", err)
	}
	if all, err := r.Campaigns(ctx); err != nil || len(all) != 2 {
		t.Errorf("a half-made campaign is left: %d, %v", len(all), err)
	}
	if ch, err := r.UndoChange(ctx); err != nil || ch.Kind != model.ChangeUntag || ch.What != "no more" {
		t.Errorf("taken back %+v, %v", ch, err)
	}
	if check, err := r.Check(ctx, spec); err != nil || check.People != 2 {
		t.Errorf("the tag is back: %+v, %v", check, err)
	}
	if err := r.SaveSegment(ctx, &model.Segment{Name: "all"}); model.CodeOf(err) != model.EInvalid {
		t.Errorf("a segment that chooses everybody: %v", err)
	}
	if err := r.SaveSegment(ctx, &model.Segment{Name: "上海的 ", Filter: s.Filter}); model.CodeOf(err) != model.EExists {
		t.Errorf("a name twice: %v", err)
	}
}

// TestMergeAndUndo: what is done by hand is taken back, one after the other.
func TestMergeAndUndo(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	r.paste("l", "email,name,city\na@example.com,,\nb@example.com,B,Rome\n")
	a, b := r.person("a@example.com"), r.person("b@example.com")
	if err := r.MergeContacts(ctx, a.ID, nil); model.CodeOf(err) != model.EInvalid {
		t.Errorf("merged with nobody: %v", err)
	}
	if err := r.MergeContacts(ctx, a.ID, []int64{b.ID}); err != nil {
		t.Fatal(err)
	}
	if got := r.person("a@example.com"); got.Name != "B" || got.Fields["city"] != "Rome" {
		t.Errorf("merged %+v", got)
	}
	if n, err := r.AddToList(ctx, []int64{a.ID}, "new"); n != 1 || err != nil {
		t.Errorf("put on a list: %d, %v", n, err)
	}
	all, err := r.Changes(ctx)
	if err != nil || len(all) != 2 || all[0].Kind != model.ChangeOnList || all[0].What != "new" || all[1].Kind != model.ChangeMerge {
		t.Fatalf("changes %+v, %v", all, err)
	}
	for range all {
		if _, err := r.UndoChange(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if got := r.person("b@example.com"); got.ID != b.ID || got.Name != "B" {
		t.Errorf("back is %+v", got)
	}
	if _, err := r.ListByName(ctx, "new"); model.CodeOf(err) != model.ENotFound {
		t.Errorf("the list that came with it: %v", err)
	}
	if _, err := r.UndoChange(ctx); model.CodeOf(err) != model.ENotFound {
		t.Errorf("nothing is left to take back: %v", err)
	}
}
