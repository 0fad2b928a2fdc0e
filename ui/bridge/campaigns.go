package bridge

import (
	"context"

	"hongyan/app"
	"hongyan/app/campaign"
	"hongyan/app/livelog"
	"hongyan/app/model"
	"hongyan/assets"
	"hongyan/ui"
)

// Check implements ui.CampaignService.
func (b *Bridge) Check(ctx context.Context, spec ui.CampaignSpec) (ui.Check, error) {
	c, err := b.App.Check(ctx, campaignSpec(spec))
	return ui.Check{People: c.People, Skipped: c.Skipped, SkippedWhy: c.SkippedWhy, Accounts: mapped(c.Accounts, account), Duration: c.Duration,
		Findings: mapped(c.Findings, func(f app.Finding) ui.Finding { return ui.Finding(f) })}, err
}

// CreateCampaign implements ui.CampaignService.
func (b *Bridge) CreateCampaign(ctx context.Context, spec ui.CampaignSpec) (*model.Campaign, error) {
	return b.App.CreateCampaign(ctx, campaignSpec(spec))
}

func campaignSpec(s ui.CampaignSpec) app.CampaignSpec {
	return app.CampaignSpec{Name: s.Name, ListID: s.ListID, SegmentID: s.SegmentID, Letter: s.Letter, AccountIDs: s.AccountIDs, Schedule: s.Schedule, Advertising: s.Advertising}
}

// Explain implements ui.CampaignService.
func (b *Bridge) Explain(d model.Delivery) ui.Diagnosis {
	return diagnosis(b.App.Explain(d))
}

// Report implements ui.CampaignService.
func (b *Bridge) Report(ctx context.Context, campaignID int64, path, lang string) error {
	return b.App.Report(ctx, campaignID, path, assets.For(lang))
}

// Snapshot implements ui.Live.
func (b *Bridge) Snapshot(id int64) ui.Snapshot {
	s := b.App.Snapshot(id)
	return ui.Snapshot{Counts: s.Counts, State: s.State, Reason: s.Reason, Detail: s.Detail, PerMinute: s.PerMinute, Left: s.Left, NextAt: s.NextAt,
		Senders: mapped(s.Senders, func(l campaign.Sender) ui.Sender {
			return ui.Sender{AccountID: l.AccountID, Name: l.Name, State: string(l.State), NextAt: l.NextAt, Why: l.Why}
		})}
}

var logKinds = map[livelog.Kind]ui.LogKind{
	livelog.Note: ui.LogNote, livelog.Client: ui.LogClient, livelog.Server: ui.LogServer, livelog.Error: ui.LogError,
}

// LogSince implements ui.Live.
func (b *Bridge) LogSince(seq uint64, limit int) ([]ui.LogLine, uint64) {
	lines, next := b.Log().Since(seq, limit)
	return mapped(lines, logLine), next
}
