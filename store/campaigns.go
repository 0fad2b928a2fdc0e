package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"hongyan/app/model"
)

// letterJSON is a letter as a campaign keeps it; its attachments have a table of their own.
type letterJSON struct {
	ID       int64        `json:"id,omitempty"`
	Name     string       `json:"name,omitempty"`
	Subject  string       `json:"subject"`
	Body     string       `json:"body"`
	Format   model.Format `json:"format"`
	FromName string       `json:"from_name,omitempty"`
	ReplyTo  string       `json:"reply_to,omitempty"`
	Updated  int64        `json:"updated,omitempty"`
}

// scheduleJSON is a schedule as it is stored.
type scheduleJSON struct {
	Start int64          `json:"start,omitempty"`
	Stop  int64          `json:"stop,omitempty"`
	Days  []time.Weekday `json:"days,omitempty"`
	From  int            `json:"from,omitempty"`
	To    int            `json:"to,omitempty"`

	PerDomain int `json:"per_domain,omitempty"` // letters a minute
}

// CreateCampaign implements app.CampaignStore. It sets the ID, and the State to draft.
func (s *Store) CreateCampaign(ctx context.Context, c *model.Campaign) error {
	if c.CreatedAt.IsZero() {
		c.CreatedAt = time.Now()
	}
	l := c.Letter
	letter := toJSON(letterJSON{l.ID, l.Name, l.Subject, l.Body, l.Format, l.FromName, l.ReplyTo, ms(l.UpdatedAt)})
	accounts := c.AccountIDs
	if accounts == nil {
		accounts = []int64{}
	}
	p := c.Schedule
	var id int64
	err := s.deliveries.write(ctx, func(t *tx) (err error) {
		id, err = t.insert(`INSERT INTO campaigns (name, state, reason, detail, letter, list_id, list_name, account_ids, seed, schedule, created)
			VALUES (?, 'draft', '', '', ?, ?, ?, ?, ?, ?, ?)`,
			c.Name, letter, c.ListID, c.ListName, toJSON(accounts), c.Seed,
			toJSON(scheduleJSON{ms(p.StartAt), ms(p.StopAfter), p.Days, p.FromHour, p.ToHour, p.DomainPerMinute}), ms(c.CreatedAt))
		if taken(err) {
			return model.E(model.EExists, nil, "kind", "campaign", "name", c.Name)
		}
		if err != nil {
			return err
		}
		for n, a := range l.Attachments {
			data := a.Data
			if data == nil {
				data = []byte{} // nil would be NULL
			}
			if _, err := t.exec(`INSERT INTO attachments (campaign_id, n, path, name, type, data) VALUES (?, ?, ?, ?, ?, ?)`,
				id, n, a.Path, a.Name, a.Type, data); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		c.ID, c.State = id, model.CampaignDraft
	}
	return err
}

const campaignColumns = `id, name, state, reason, detail, letter, list_id, list_name, account_ids, seed, schedule, created, started, finished`

func scanCampaign(rows *sql.Rows) (model.Campaign, error) {
	var c model.Campaign
	var letter, accounts, schedule string
	var created, started, finished int64
	err := rows.Scan(&c.ID, &c.Name, &c.State, &c.Reason, &c.Detail, &letter, &c.ListID, &c.ListName, &accounts, &c.Seed, &schedule,
		&created, &started, &finished)
	if err != nil {
		return c, err
	}
	var l letterJSON
	var p scheduleJSON
	err = errors.Join(json.Unmarshal([]byte(letter), &l), json.Unmarshal([]byte(accounts), &c.AccountIDs), json.Unmarshal([]byte(schedule), &p))
	c.Letter = model.Letter{ID: l.ID, Name: l.Name, Subject: l.Subject, Body: l.Body, Format: l.Format, FromName: l.FromName,
		ReplyTo: l.ReplyTo, UpdatedAt: at(l.Updated)}
	c.Schedule = model.Schedule{StartAt: at(p.Start), StopAfter: at(p.Stop), Days: p.Days, FromHour: p.From, ToHour: p.To, DomainPerMinute: p.PerDomain}
	c.CreatedAt, c.StartedAt, c.FinishedAt = at(created), at(started), at(finished)
	return c, err
}

// campaigns reads campaigns with the names of their attachments, and with their data where it is asked for.
func (s *Store) campaigns(ctx context.Context, data bool, where string, args ...any) ([]model.Campaign, error) {
	var all []model.Campaign
	err := s.deliveries.each(ctx, func(rows *sql.Rows) error {
		c, err := scanCampaign(rows)
		all = append(all, c)
		return err
	}, `SELECT `+campaignColumns+` FROM campaigns `+where, args...)
	if err != nil {
		return nil, err
	}
	column := "x''"
	if data {
		column = "data"
	}
	for i := range all {
		l := &all[i].Letter
		err := s.deliveries.each(ctx, func(rows *sql.Rows) error {
			var a model.Attachment
			err := rows.Scan(&a.Path, &a.Name, &a.Type, &a.Data)
			if !data {
				a.Data = nil
			}
			l.Attachments = append(l.Attachments, a)
			return err
		}, `SELECT path, name, type, `+column+` FROM attachments WHERE campaign_id = ? ORDER BY n`, all[i].ID)
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Campaigns implements app.CampaignStore.
func (s *Store) Campaigns(ctx context.Context) ([]model.Campaign, error) {
	return s.campaigns(ctx, false, "ORDER BY id DESC")
}

// Campaign implements campaign.Journal. The attachments have their data. ENotFound when there is no such campaign.
func (s *Store) Campaign(ctx context.Context, id int64) (*model.Campaign, error) {
	found, err := s.campaigns(ctx, true, "WHERE id = ?", id)
	return one(found, err, "campaign", idName(id))
}

// CampaignByName implements app.CampaignStore, like Campaign.
func (s *Store) CampaignByName(ctx context.Context, name string) (*model.Campaign, error) {
	found, err := s.campaigns(ctx, true, "WHERE name = ?", name)
	return one(found, err, "campaign", name)
}

// SetCampaignState implements campaign.Journal. Running sets StartedAt, once, and forgets FinishedAt; done and
// stopped set FinishedAt.
func (s *Store) SetCampaignState(ctx context.Context, id int64, state model.CampaignState, reason, detail string) error {
	switch state {
	case model.CampaignDraft, model.CampaignReady, model.CampaignRunning, model.CampaignPaused, model.CampaignStopped, model.CampaignDone:
	default:
		return model.E(model.EInvalid, nil, "field", "state", "value", string(state))
	}
	return s.deliveries.write(ctx, func(t *tx) error {
		n, err := t.changes(`UPDATE campaigns SET state = ?1, reason = ?2, detail = ?3,
			started = CASE WHEN ?1 = 'running' AND started = 0 THEN ?5 ELSE started END,
			finished = CASE WHEN ?1 = 'running' THEN 0 WHEN ?1 IN ('done', 'stopped') THEN ?5 ELSE finished END
			WHERE id = ?4`, string(state), reason, detail, id, time.Now().UnixMilli())
		if err == nil && n == 0 {
			err = model.E(model.ENotFound, nil, "kind", "campaign", "name", idName(id))
		}
		return err
	})
}

// draft makes sure, within a transaction, that a campaign's audience is still open.
func draft(t *tx, id int64) error {
	var name string
	var state model.CampaignState
	err := t.row(`SELECT name, state FROM campaigns WHERE id = ?`, []any{id}, &name, &state)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return model.E(model.ENotFound, nil, "kind", "campaign", "name", idName(id))
	case err != nil:
		return err
	case state != model.CampaignDraft:
		return model.E(model.EInvalid, nil, "field", "campaign", "value", name)
	}
	return nil
}

// Freeze implements app.CampaignStore. EInvalid for a campaign that is no draft.
func (s *Store) Freeze(ctx context.Context, campaignID int64) error {
	return s.deliveries.write(ctx, func(t *tx) error {
		if err := draft(t, campaignID); err != nil {
			return err
		}
		_, err := t.exec(`UPDATE campaigns SET state = 'ready' WHERE id = ?`, campaignID)
		return err
	})
}

// RemoveDraft implements app.CampaignStore. EInvalid for a campaign that is no draft.
func (s *Store) RemoveDraft(ctx context.Context, campaignID int64) error {
	return s.recount(ctx, campaignID, func(t *tx) error {
		if err := draft(t, campaignID); err != nil {
			return err
		}
		for _, q := range []string{
			`DELETE FROM deliveries WHERE campaign_id = ?`, // no letter of a draft was ever tried: there are no attempts
			`DELETE FROM attachments WHERE campaign_id = ?`,
			`DELETE FROM campaigns WHERE id = ?`,
		} {
			if _, err := t.exec(q, campaignID); err != nil {
				return err
			}
		}
		return nil
	})
}

// recount is write for a transaction that changes the deliveries of a campaign by other ways than the journal's.
func (s *Store) recount(ctx context.Context, campaign int64, f func(*tx) error) error {
	d := s.deliveries
	return d.inTurn(ctx, func() error {
		defer s.journal.forget(campaign) // in the turn: nobody may count the old and keep it
		return coded(d.transact(ctx, f), d.path)
	})
}
