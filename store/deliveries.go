package store

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"hongyan/app/model"
)

// requeuedAtOnce is how many rows one UPDATE has: SQLite keeps in memory each page as it was before the statement.
const requeuedAtOnce = 20_000

// deliveriesAtOnce is how many rows one INSERT has; SQLite takes 32766 values in a statement.
const deliveriesAtOnce = 100

// AddDeliveries implements app.CampaignStore. The chunk is one transaction. EInvalid for a campaign that is no
// draft, and for a delivery that is neither queued nor skipped.
func (s *Store) AddDeliveries(ctx context.Context, campaignID int64, ds []model.Delivery) error {
	for i := range ds {
		if st := ds[i].State; st != model.Queued && st != model.Skipped {
			return model.E(model.EInvalid, nil, "field", "state", "value", string(st))
		}
	}
	return s.recount(ctx, campaignID, func(t *tx) error {
		if err := draft(t, campaignID); err != nil {
			return err
		}
		var last int64
		if err := t.row(`SELECT coalesce(max(id), 0) FROM deliveries`, nil, &last); err != nil {
			return err
		}
		for part := range slices.Chunk(ds, deliveriesAtOnce) {
			if err := addDeliveries(t, campaignID, last, part); err != nil {
				return err
			}
			last += int64(len(part))
		}
		return nil
	})
}

const deliveryHoles = "(?,?,?,?,?,?,?,?,?,?)"

// addDeliveries gives part the ids from last+1 on. Rows that the unique index refuses are those whose address is
// there already: they become skipped rows.
func addDeliveries(t *tx, campaign, last int64, part []model.Delivery) error {
	now := time.Now()
	row := func(args []any, i int, state model.State, reason string) []any {
		d := &part[i]
		when := d.UpdatedAt
		if when.IsZero() {
			when = now
		}
		return append(args, last+1+int64(i), campaign, d.ContactID, d.Email, shown(d.Address, d.Email), d.Name, fieldsText(d.Fields),
			string(state), reason, ms(when))
	}
	const into = `INSERT INTO deliveries (id, campaign_id, contact_id, email, address, name, fields, state, reason, updated) VALUES `
	args := make([]any, 0, 10*len(part))
	for i := range part {
		args = row(args, i, part[i].State, part[i].Reason)
	}
	n, err := t.changes(into+strings.Repeat(deliveryHoles+",", len(part)-1)+deliveryHoles+` ON CONFLICT DO NOTHING`, args...)
	if err != nil || n == len(part) {
		return err
	}
	stored := make([]bool, len(part))
	err = t.each(func(rows *sql.Rows) error {
		var id int64
		err := rows.Scan(&id)
		stored[id-last-1] = true
		return err
	}, `SELECT id FROM deliveries WHERE id BETWEEN ? AND ?`, last+1, last+int64(len(part)))
	if err != nil {
		return err
	}
	for i := range part {
		if stored[i] {
			continue
		}
		if _, err := t.exec(into+deliveryHoles, row(nil, i, model.Skipped, "duplicate")...); err != nil {
			return err
		}
	}
	return nil
}

// defaultPage is the page of deliveries when no limit is given.
const defaultPage = 1000

// Deliveries implements app.CampaignStore: a page in order of ids. Search looks at address, name and reply.
func (s *Store) Deliveries(ctx context.Context, q model.DeliveryQuery) ([]model.Delivery, error) {
	limit := q.Limit
	if limit <= 0 {
		limit = defaultPage
	}
	filter, args := "", []any{q.CampaignID, q.AfterID}
	if q.Search != "" {
		p := like(q.Search)
		filter = ` AND (email LIKE ? ESCAPE '\' OR address LIKE ? ESCAPE '\' OR name LIKE ? ESCAPE '\' OR reply LIKE ? ESCAPE '\')`
		args = append(args, p, p, p, p)
	}
	var page []model.Delivery
	get := func(index, more string, extra ...any) error {
		return s.deliveries.each(ctx, func(rows *sql.Rows) error {
			d, err := scanDelivery(rows)
			page = append(page, d)
			return err
		}, `SELECT `+deliveryColumns+` FROM deliveries INDEXED BY `+index+` WHERE campaign_id = ? AND id > ?`+filter+more+` ORDER BY id LIMIT ?`,
			append(append(slices.Clone(args), extra...), limit)...)
	}
	if len(q.States) == 0 {
		err := get("deliveries_campaign", "")
		return page, err
	}
	states := slices.Clone(q.States)
	slices.Sort(states)
	for _, st := range slices.Compact(states) {
		// Only what is deferred has a time to wait for: the others stand in order of ids in the index.
		more := ` AND state = ? AND next_at = 0`
		if st == model.Deferred {
			more = ` AND state = ?`
		}
		if err := get("deliveries_due", more, string(st)); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(page, func(a, b model.Delivery) int { return cmp.Compare(a.ID, b.ID) })
	return page[:min(limit, len(page))], nil
}

// Attempts implements app.CampaignStore: the history of a delivery, the first attempt first.
func (s *Store) Attempts(ctx context.Context, deliveryID int64) ([]model.Attempt, error) {
	var all []model.Attempt
	err := s.deliveries.each(ctx, func(rows *sql.Rows) error {
		a := model.Attempt{DeliveryID: deliveryID}
		var started, ended int64
		err := rows.Scan(&a.AccountID, &started, &ended, &a.State, &a.Step, &a.Code, &a.Enhanced, &a.Reply, &a.Scope)
		a.Started, a.Ended = at(started), at(ended)
		all = append(all, a)
		return err
	}, `SELECT account_id, started, ended, state, step, code, enhanced, reply, scope FROM attempts WHERE delivery_id = ? ORDER BY n`, deliveryID)
	return all, err
}

// Requeue implements app.CampaignStore. Only what was rejected, deferred or is unknown can be queued again, and
// nothing that is leased; a campaign that was done is then paused. Its history stays, its attempts count anew.
func (s *Store) Requeue(ctx context.Context, campaignID int64, from ...model.State) (int, error) {
	for _, st := range from {
		if st != model.Rejected && st != model.Unknown && st != model.Deferred {
			return 0, model.E(model.EInvalid, nil, "field", "state", "value", string(st))
		}
	}
	if s.journal == nil {
		return 0, s.readOnly(s.deliveries)
	}
	total := 0
	err := s.recount(ctx, campaignID, func(t *tx) error {
		total = 0
		leased := toJSON(s.journal.leased(campaignID))
		for _, st := range from {
			for {
				n, err := t.changes(`UPDATE deliveries SET state = 'queued', reason = '', attempts = 0, next_at = 0, step = '', code = 0,
					enhanced = '', reply = '', scope = '', updated = ? WHERE id IN (SELECT id FROM deliveries INDEXED BY deliveries_due
					WHERE campaign_id = ? AND state = ? AND id NOT IN (SELECT value FROM json_each(?)) LIMIT ?)`,
					time.Now().UnixMilli(), campaignID, string(st), leased, requeuedAtOnce)
				if err != nil {
					return err
				}
				if total += n; n < requeuedAtOnce {
					break
				}
			}
		}
		if total == 0 {
			return nil
		}
		_, err := t.exec(`UPDATE campaigns SET state = 'paused', reason = 'user', detail = '', finished = 0 WHERE id = ? AND state = 'done'`, campaignID)
		return err
	})
	if err != nil {
		return 0, err
	}
	return total, nil
}
