package app

import (
	"context"
	"slices"
	"strings"

	"hongyan/app/compose"
	"hongyan/app/model"
)

// CreateCampaign takes a snapshot of the letter and freezes the audience: the people of the list and of the
// segment, as they are now; what becomes of either later changes nothing.
// It is not started. EExists when the name is taken; ENoRecipient when nobody can be written to; the errors of
// compose when the letter cannot be sent.
func (a *App) CreateCampaign(ctx context.Context, spec CampaignSpec) (*model.Campaign, error) {
	name, err := named("name", spec.Name)
	if err != nil {
		return nil, err
	}
	if len(spec.AccountIDs) == 0 {
		return nil, model.E(model.ENoAccount, nil)
	}
	for _, id := range spec.AccountIDs {
		if _, err := a.store.Account(ctx, id); err != nil {
			return nil, err
		}
	}
	letter, err := compose.Load(spec.Letter, 0)
	if err != nil {
		return nil, err
	}
	known, err := a.store.FieldNames(ctx, spec.ListID)
	if err != nil {
		return nil, err
	}
	compiled, err := compose.Compile(letter, compose.Options{})
	if err != nil {
		return nil, err
	}
	if err := compiled.Check(known); err != nil {
		return nil, err
	}
	camp := &model.Campaign{Name: name, State: model.CampaignDraft, Letter: letter, ListID: spec.ListID, AccountIDs: spec.AccountIDs,
		Seed: newSeed(), Schedule: spec.Schedule, CreatedAt: a.now()}
	if camp.ListName, err = a.audienceName(ctx, spec); err != nil {
		return nil, err
	}
	if err := a.store.CreateCampaign(ctx, camp); err != nil {
		return nil, err
	}
	if err := a.fill(ctx, camp, spec.SegmentID); err != nil {
		// A half-frozen draft would only puzzle; the caller hears why it is gone.
		if undo := a.store.RemoveDraft(context.WithoutCancel(ctx), camp.ID); undo != nil {
			return nil, undo
		}
		return nil, err
	}
	return a.store.Campaign(ctx, camp.ID)
}

// fill freezes the audience of a draft, which must have somebody to write to.
func (a *App) fill(ctx context.Context, camp *model.Campaign, segmentID int64) error {
	some, err := a.audience(ctx, camp, segmentID)
	if err != nil {
		return err
	}
	if !some {
		return model.E(model.ENoRecipient, nil, "list", camp.ListName)
	}
	return a.store.Freeze(ctx, camp.ID)
}

// audienceName says in words who a campaign goes to: the list, the segment, or both; "" is everybody.
func (a *App) audienceName(ctx context.Context, spec CampaignSpec) (string, error) {
	var names []string
	if spec.ListID != 0 {
		lists, err := a.store.Lists(ctx)
		if err != nil {
			return "", err
		}
		i := slices.IndexFunc(lists, func(l model.List) bool { return l.ID == spec.ListID })
		if i < 0 {
			return "", model.E(model.ENotFound, nil, "kind", "list", "name", "")
		}
		names = append(names, lists[i].Name)
	}
	if spec.SegmentID != 0 {
		s, err := a.store.Segment(ctx, spec.SegmentID)
		if err != nil {
			return "", err
		}
		names = append(names, s.Name)
	}
	return strings.Join(names, " · "), nil
}

// Campaigns lists every campaign, the newest first.
func (a *App) Campaigns(ctx context.Context) ([]model.Campaign, error) { return a.store.Campaigns(ctx) }

// Campaign finds a campaign.
func (a *App) Campaign(ctx context.Context, id int64) (*model.Campaign, error) {
	return a.store.Campaign(ctx, id)
}

// CampaignByName finds a campaign. ENotFound when there is none of that name.
func (a *App) CampaignByName(ctx context.Context, name string) (*model.Campaign, error) {
	return a.store.CampaignByName(ctx, name)
}

// Counts are the recipients of a campaign by state.
func (a *App) Counts(ctx context.Context, id int64) (model.Counts, error) {
	return a.store.Counts(ctx, id)
}

// Deliveries pages through the recipients of a campaign.
func (a *App) Deliveries(ctx context.Context, q model.DeliveryQuery) ([]model.Delivery, error) {
	return a.store.Deliveries(ctx, q)
}

// Attempts is the history of one recipient.
func (a *App) Attempts(ctx context.Context, deliveryID int64) ([]model.Attempt, error) {
	return a.store.Attempts(ctx, deliveryID)
}

// Retry queues recipients again that were refused, or, on the user's word, those who may have the letter
// already. ECampaignRun while the campaign runs. The campaign is not started.
func (a *App) Retry(ctx context.Context, id int64, from ...model.State) (int, error) {
	camp, err := a.store.Campaign(ctx, id)
	if err != nil {
		return 0, err
	}
	if a.isRunning(id) {
		return 0, model.E(model.ECampaignRun, nil, "name", camp.Name)
	}
	n, err := a.store.Requeue(ctx, id, from...)
	if err != nil || n == 0 || camp.State != model.CampaignDone {
		return n, err
	}
	return n, a.store.SetCampaignState(ctx, id, model.CampaignPaused, "", "")
}
