package journaltest

import (
	"fmt"
	"testing"
	"time"

	"hongyan/app/model"
)

func testCampaigns(t *testing.T, f Factory) {
	s := f.Open(t)
	c := &model.Campaign{Name: "春节", ListID: 7, ListName: "客户", AccountIDs: []int64{3, 1}, Seed: "ab", CreatedAt: at(1),
		Letter: model.Letter{ID: 4, Name: "n", Subject: "你好 <{{name}}>", Body: "b & \"q\"\n", Format: model.FormatHTML, FromName: "f", ReplyTo: "r@example.com", UpdatedAt: at(2),
			Attachments: []model.Attachment{{Path: "/a", Name: "a.pdf", Type: "application/pdf", Data: []byte{0, 1, 255}}, {Path: "/b", Name: "b.txt", Type: "text/plain"}}},
		Schedule: model.Schedule{StartAt: at(100), StopAfter: at(200), Days: []time.Weekday{time.Monday, time.Sunday}, FromHour: 22, ToHour: 6, DomainPerMinute: 7}}
	must(t, s.CreateCampaign(ctx, c))
	if c.ID == 0 || c.State != model.CampaignDraft {
		t.Fatalf("made: %+v", c)
	}
	got, err := s.Campaign(ctx, c.ID)
	must(t, err)
	same(t, "by id", got, c)
	got, err = s.CampaignByName(ctx, "春节")
	must(t, err)
	same(t, "by name", got, c)

	wantCode(t, s.CreateCampaign(ctx, &model.Campaign{Name: "春节"}), model.EExists)
	plain := &model.Campaign{Name: "plain", CreatedAt: at(3)}
	must(t, s.CreateCampaign(ctx, plain))
	all, err := s.Campaigns(ctx)
	must(t, err)
	listed := *c
	listed.Letter.Attachments = []model.Attachment{{Path: "/a", Name: "a.pdf", Type: "application/pdf"}, {Path: "/b", Name: "b.txt", Type: "text/plain"}}
	same(t, "newest first, without data", all, []model.Campaign{*plain, listed})

	_, err = s.Campaign(ctx, 99)
	wantCode(t, err, model.ENotFound)
	_, err = s.CampaignByName(ctx, "none")
	wantCode(t, err, model.ENotFound)
}

func testCampaignStates(t *testing.T, f Factory) {
	s := f.Open(t)
	id := ready(t, s, "c", 1)
	state := func(st model.CampaignState, reason, detail string) *model.Campaign {
		t.Helper()
		must(t, s.SetCampaignState(ctx, id, st, reason, detail))
		c, err := s.Campaign(ctx, id)
		must(t, err)
		if c.State != st || c.Reason != reason || c.Detail != detail {
			t.Fatalf("set %s %s %s, got %+v", st, reason, detail, c)
		}
		return c
	}
	began := time.Now().Add(-time.Millisecond)
	c := state(model.CampaignRunning, "", "")
	started := c.StartedAt
	if started.Before(began) || started.After(time.Now()) || !c.FinishedAt.IsZero() {
		t.Fatalf("running: started %v, finished %v", c.StartedAt, c.FinishedAt)
	}
	if c = state(model.CampaignPaused, "auth", "535 no"); !c.FinishedAt.IsZero() {
		t.Fatal("a pause is no end")
	}
	if c = state(model.CampaignStopped, "", ""); c.FinishedAt.Before(started) {
		t.Fatal("a stop is an end")
	}
	if c = state(model.CampaignRunning, "", ""); !c.StartedAt.Equal(started) || !c.FinishedAt.IsZero() {
		t.Fatalf("resumed: started %v, want %v; finished %v", c.StartedAt, started, c.FinishedAt)
	}
	if c = state(model.CampaignDone, "", ""); c.FinishedAt.Before(started) {
		t.Fatal("done is an end")
	}
	wantCode(t, s.SetCampaignState(ctx, 99, model.CampaignPaused, "", ""), model.ENotFound)
	wantCode(t, s.SetCampaignState(ctx, id, "odd", "", ""), model.EInvalid)
}

func testAudience(t *testing.T, f Factory) {
	s := f.Open(t)
	c := &model.Campaign{Name: "c"}
	must(t, s.CreateCampaign(ctx, c))
	other := ready(t, s, "other", 3) // the same addresses elsewhere are no duplicates
	first := model.Delivery{ContactID: 9, Email: "a@example.com", Address: "A@example.com", Name: "甲", Fields: map[string]string{"城市": "北京", "k": "\"<&"}, State: model.Queued, UpdatedAt: at(1)}
	must(t, s.AddDeliveries(ctx, c.ID, []model.Delivery{first, recipient(0), first}))
	var many []model.Delivery
	for i := range 250 {
		many = append(many, recipient(i)) // the first is there already
	}
	many = append(many, model.Delivery{Email: "s@example.com", State: model.Skipped, Reason: "suppressed"}, model.Delivery{Email: "s@example.com", State: model.Queued}, recipient(17))
	same(t, "counted before", counts(t, s, c.ID), model.Counts{Total: 3, Queued: 2, Skipped: 1})
	must(t, s.AddDeliveries(ctx, c.ID, many))
	want := model.Counts{Total: 256, Queued: 251, Skipped: 5}
	same(t, "counts", counts(t, s, c.ID), want)

	page, err := s.Deliveries(ctx, model.DeliveryQuery{CampaignID: c.ID, States: []model.State{model.Skipped}})
	must(t, err)
	var why []string
	for _, d := range page {
		why = append(why, d.Email+" "+d.Reason)
	}
	same(t, "skipped", why, []string{"a@example.com duplicate", "r000@example.com duplicate", "s@example.com suppressed", "s@example.com duplicate", "r017@example.com duplicate"})
	all, err := s.Deliveries(ctx, model.DeliveryQuery{CampaignID: c.ID, Limit: 1})
	must(t, err)
	first.ID, first.CampaignID = all[0].ID, c.ID
	same(t, "the first", all, []model.Delivery{first})

	wantCode(t, s.AddDeliveries(ctx, c.ID, []model.Delivery{{Email: "z@example.com", State: model.Accepted}}), model.EInvalid)
	wantCode(t, s.AddDeliveries(ctx, 99, many), model.ENotFound)
	wantCode(t, s.AddDeliveries(ctx, other, many), model.EInvalid)
	must(t, s.Freeze(ctx, c.ID))
	wantCode(t, s.Freeze(ctx, c.ID), model.EInvalid)
	wantCode(t, s.Freeze(ctx, 99), model.ENotFound)
	wantCode(t, s.AddDeliveries(ctx, c.ID, []model.Delivery{recipient(300)}), model.EInvalid)
	same(t, "nothing came in after", counts(t, s, c.ID), want)
}

func testRemoveDraft(t *testing.T, f Factory) {
	s := f.Open(t)
	c := &model.Campaign{Name: "c", Letter: model.Letter{Attachments: []model.Attachment{{Name: "a", Data: []byte("x")}}}}
	must(t, s.CreateCampaign(ctx, c))
	must(t, s.AddDeliveries(ctx, c.ID, []model.Delivery{recipient(0)}))
	kept := ready(t, s, "kept", 2)
	same(t, "counts", counts(t, s, c.ID), model.Counts{Total: 1, Queued: 1})
	must(t, s.RemoveDraft(ctx, c.ID))
	same(t, "counts after", counts(t, s, c.ID), model.Counts{})
	_, err := s.Campaign(ctx, c.ID)
	wantCode(t, err, model.ENotFound)
	wantCode(t, s.RemoveDraft(ctx, c.ID), model.ENotFound)
	wantCode(t, s.RemoveDraft(ctx, kept), model.EInvalid)
	same(t, "the other", counts(t, s, kept), model.Counts{Total: 2, Queued: 2})
	again := &model.Campaign{Name: "c"}
	must(t, s.CreateCampaign(ctx, again))
	if again.ID == c.ID {
		t.Error("an id was used again: log lines and counts would be another's")
	}
}

func testPages(t *testing.T, f Factory) {
	s := f.Open(t)
	ready(t, s, "before", 5)
	id := ready(t, s, "c", 10)
	ready(t, s, "after", 5)
	ds := claim(t, s, id, 6, at(0))
	for i, o := range []model.Outcome{
		{State: model.Rejected, Step: model.StepRcpt, Reply: "User unknown 100%"}, {State: model.Deferred, NextAt: at(900), Step: model.StepRcpt},
		{State: model.Accepted, Step: model.StepDot}, {State: model.Deferred, NextAt: at(300), Step: model.StepRcpt}, {State: model.Rejected, Step: model.StepRcpt},
	} {
		o.DeliveryID, o.AccountID, o.At = ds[i].ID, 1, at(1)
		s.Settle(o)
	}
	flush(t, s)
	first := ds[0].ID
	for _, c := range []struct {
		q    model.DeliveryQuery
		want []int64
	}{
		{model.DeliveryQuery{}, []int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}},
		{model.DeliveryQuery{Limit: 3}, []int64{0, 1, 2}},
		{model.DeliveryQuery{Limit: 3, AfterID: first + 2}, []int64{3, 4, 5}},
		{model.DeliveryQuery{States: []model.State{model.Rejected}}, []int64{0, 4}},
		{model.DeliveryQuery{States: []model.State{model.Rejected}, AfterID: first}, []int64{4}},
		{model.DeliveryQuery{States: []model.State{model.Deferred}}, []int64{1, 3}},
		{model.DeliveryQuery{States: []model.State{model.Rejected, model.Deferred, model.Rejected}, Limit: 3}, []int64{0, 1, 3}},
		{model.DeliveryQuery{States: []model.State{model.Queued}, Limit: 2}, []int64{5, 6}},
		{model.DeliveryQuery{States: []model.State{model.Unknown}}, nil},
		{model.DeliveryQuery{Search: "R00"}, []int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}},
		{model.DeliveryQuery{Search: "r008"}, []int64{8}},
		{model.DeliveryQuery{Search: "unknown 100%"}, []int64{0}},
		{model.DeliveryQuery{Search: "r_08"}, nil},
		{model.DeliveryQuery{Search: "r00", States: []model.State{model.Accepted}}, []int64{2}},
	} {
		c.q.CampaignID = id
		page, err := s.Deliveries(ctx, c.q)
		must(t, err)
		for i := range c.want {
			c.want[i] += first
		}
		same(t, fmt.Sprintf("%+v", c.q), ids(page), c.want)
	}
}
