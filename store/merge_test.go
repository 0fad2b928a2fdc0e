package store_test

import (
	"testing"

	"hongyan/app/model"
)

func TestMergeContacts(t *testing.T) {
	s := fresh(t)
	l, m := newList(t, s, "l"), newList(t, s, "m")
	keep := &model.Contact{Email: "keep@example.com", Address: "keep@example.com", Fields: map[string]string{"city": "Rome", "phone": ""}, CreatedAt: when(1), UpdatedAt: when(1)}
	must(t, s.SaveContact(ctx, keep, l.ID))
	gone := &model.Contact{Email: "gone@example.com", Address: "gone@example.com", Name: "First", Fields: map[string]string{"city": "Oslo", "phone": "1"},
		Source: "fair", Consent: "withdrawn", CreatedAt: when(1), UpdatedAt: when(1)}
	must(t, s.SaveContact(ctx, gone, m.ID))
	other := &model.Contact{Email: "other@example.com", Address: "other@example.com", Name: "Second", Fields: map[string]string{"phone": "2", "job": "x"},
		Source: "form", Consent: "ticked", CreatedAt: when(1), UpdatedAt: when(1)}
	must(t, s.SaveContact(ctx, other, l.ID))
	r := load(t, s, "m", []model.Row{{Email: "other@example.com", NoConsent: true}}, 1)
	_, err := s.TagContacts(ctx, []int64{gone.ID, other.ID}, "vip")
	must(t, err)
	must(t, s.Suppress(ctx, model.Suppression{Key: "gone@example.com", Reason: "unsubscribe"}))
	letter := mailed(t, s, "c", "x@example.com", "y@example.com", "other@example.com")
	for range 3 {
		sendTo(t, s, letter, model.Outcome{State: model.Accepted, Step: model.StepDot, Code: 250})
	}
	was := tables(t, s)

	wantCode(t, s.MergeContacts(ctx, keep.ID, []int64{gone.ID, keep.ID}, when(5)), model.EInvalid)
	wantCode(t, s.MergeContacts(ctx, 99, []int64{gone.ID}, when(5)), model.ENotFound)
	wantCode(t, s.MergeContacts(ctx, keep.ID, []int64{gone.ID, 99}, when(5)), model.ENotFound)
	same(t, "after what was refused", tables(t, s), was)

	must(t, s.MergeContacts(ctx, keep.ID, []int64{gone.ID, other.ID, gone.ID}, when(5)))
	want := *keep
	want.Name, want.Source, want.Consent, want.UpdatedAt = "First", "form", "ticked", when(5)
	want.Fields = map[string]string{"city": "Rome", "phone": "1", "job": "x"}
	same(t, "what keep has, and the first who has what it lacks", person(t, s, "keep@example.com"), want)
	same(t, "everybody", emails(t, s, model.ContactQuery{}), []string{"keep@example.com"})
	same(t, "l", emails(t, s, model.ContactQuery{ListID: l.ID}), []string{"keep@example.com"})
	same(t, "m", emails(t, s, model.ContactQuery{ListID: m.ID}), []string{"keep@example.com"})
	tags, err := s.TagsOf(ctx, keep.ID)
	must(t, err)
	if len(tags) != 1 || tags[0].Count != 1 {
		t.Errorf("tags %+v", tags)
	}
	ims, err := s.ImportsOf(ctx, keep.ID)
	must(t, err)
	if len(ims) != 1 || ims[0].ID != r.ImportID {
		t.Errorf("imports %+v", ims)
	}
	for email, never := range map[string]bool{"keep@example.com": false, "gone@example.com": true, "other@example.com": false} {
		if _, yes, err := s.Suppressed(ctx, email); err != nil || yes != never {
			t.Errorf("%s never mailed: %v, %v", email, yes, err)
		}
	}
	sent := where(model.Condition{What: model.WhereSent, ID: letter.ID})
	same(t, "a letter to one of them was a letter to keep", emails(t, s, sent), []string{"keep@example.com"})
	checkOrphans(t, s)

	ch, err := s.UndoChange(ctx)
	must(t, err)
	if ch.Kind != model.ChangeMerge || ch.N != 2 || ch.What != "keep@example.com" {
		t.Errorf("taken back: %+v", ch)
	}
	same(t, "taken back", tables(t, s), was)
	checkOrphans(t, s)
}
