package store

import (
	"context"
	"database/sql"
	"slices"
	"strconv"
	"time"

	"hongyan/app/model"
)

// DeliveriesTo implements app.CampaignStore: what every campaign has of a normalised address, the newest campaign
// first. It asks each campaign's own index, so it needs none over all addresses, which every campaign would pay for.
// The second appearance of an address in a campaign's list says nothing of its own and is left out.
func (s *Store) DeliveriesTo(ctx context.Context, email string) ([]model.Delivery, error) {
	var all []model.Delivery
	err := s.deliveries.each(ctx, func(rows *sql.Rows) error {
		d, err := scanDelivery(rows)
		all = append(all, d)
		return err
	}, `SELECT `+prefixed+` FROM campaigns c CROSS JOIN deliveries d INDEXED BY deliveries_once
		ON d.campaign_id = c.id AND d.email = ? AND d.reason <> 'duplicate' ORDER BY c.id DESC`, email)
	return all, err
}

// prefixed is deliveryColumns of a table that is named d.
const prefixed = `d.id, d.campaign_id, d.contact_id, d.email, d.address, d.name, d.fields, d.state, d.reason, d.attempts,
	d.account_id, d.step, d.code, d.enhanced, d.reply, d.scope, d.next_at, d.updated`

// ImportsOf implements app.ContactStore: the imports that named a person, the first of them first.
func (s *Store) ImportsOf(ctx context.Context, contactID int64) ([]model.Import, error) {
	return s.imports(ctx, `WHERE id IN (SELECT import_id FROM contact_sources WHERE contact_id = ?) ORDER BY id`, contactID)
}

// OpenImports implements app.ContactStore: the imports that were cut off, the first of them first. One that is
// under way is among them.
func (s *Store) OpenImports(ctx context.Context) ([]model.Import, error) {
	return s.imports(ctx, `WHERE state = 'open' ORDER BY id`)
}

// KeepImport implements app.ContactStore: an import that was cut off counts as done, with what it brought until then.
// EInvalid for one that is not open.
func (s *Store) KeepImport(ctx context.Context, id int64) error {
	return s.app.write(ctx, func(t *tx) error { return closeImport(t, id) })
}

func closeImport(t *tx, id int64) error {
	n, err := t.changes(`UPDATE imports SET state = 'done', finished = ? WHERE id = ? AND state = 'open'`, time.Now().UnixMilli(), id)
	if err == nil && n != 1 {
		return model.E(model.EInvalid, nil, "field", "import", "value", idName(id))
	}
	return err
}

// RecordConsent implements app.ContactStore: it writes down how people agreed, where nothing is recorded yet, and
// says how many they were. Many are done in several transactions.
func (s *Store) RecordConsent(ctx context.Context, ids []int64, consent string, when time.Time) (int, error) {
	c := change{kind: model.ChangeConsent}
	return s.change(ctx, &c, ids, func(t *tx, which string) (int, error) {
		id, err := statement(t, consent)
		if err != nil {
			return 0, err
		}
		if err := c.nameOne(t, ids); err != nil {
			return 0, err
		}
		_, err = t.exec(`INSERT INTO change_contacts (`+changeColumns+`) SELECT ?, id, 'edited', ?, `+personColumns+` FROM contacts
			WHERE consent = 0 AND id IN (SELECT value FROM json_each(?))`, c.id, ms(when), which)
		if err != nil {
			return 0, err
		}
		return t.changes(`UPDATE contacts SET consent = ?, updated = ? WHERE consent = 0 AND id IN (SELECT value FROM json_each(?))`, id, ms(when), which)
	})
}

// EraseDeliveries implements app.CampaignStore: it takes out of every campaign what tells who somebody was: address,
// name, fields, and the servers' words, which repeat the address. That a letter went, when, and with which code
// stays, so that counts and limits hold. What was not sent yet is skipped. ECampaignRun, with nothing erased in that
// campaign, while a letter to them is under way.
func (s *Store) EraseDeliveries(ctx context.Context, contactID int64, email string) error {
	if s.journal == nil {
		return s.readOnly(s.deliveries)
	}
	var parts string
	if err := s.app.row(ctx, partsOf, []any{contactID}, &parts); err != nil {
		return coded(err, s.app.path)
	}
	campaigns, err := s.Campaigns(ctx)
	if err != nil {
		return err
	}
	for _, c := range campaigns {
		err := s.recount(ctx, c.ID, func(t *tx) error { return s.eraseIn(t, &c, email, parts) })
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) eraseIn(t *tx, c *model.Campaign, email, parts string) error {
	var ids []int64
	find := func(q string, who string) error {
		return t.each(func(rows *sql.Rows) error {
			var id int64
			var state model.State
			if err := rows.Scan(&id, &state); err != nil {
				return err
			}
			if state == model.Attempting || s.journal.isLeased(id) {
				return model.E(model.ECampaignRun, nil, "name", c.Name)
			}
			ids = append(ids, id)
			return nil
		}, q, c.ID, who)
	}
	if err := find(`SELECT id, state FROM deliveries INDEXED BY deliveries_once WHERE campaign_id = ? AND email = ? AND reason <> 'duplicate'`, email); err != nil {
		return err
	}
	// A second appearance is not in that index: it is looked for among those who were skipped.
	if err := find(`SELECT id, state FROM deliveries INDEXED BY deliveries_due WHERE campaign_id = ? AND state = 'skipped' AND email = ? AND reason = 'duplicate'`, email); err != nil {
		return err
	}
	// Letters to an address that they had before, or that was merged with theirs.
	if err := find(`SELECT id, state FROM deliveries INDEXED BY deliveries_campaign WHERE campaign_id = ? AND contact_id <> 0
		AND contact_id IN (SELECT value FROM json_each(?))`, parts); err != nil {
		return err
	}
	for _, id := range ids {
		_, err := t.exec(`UPDATE deliveries SET email = ?, address = '', name = '', fields = '', contact_id = 0, reply = '',
			reason = CASE WHEN state IN ('queued', 'deferred') THEN 'removed' ELSE reason END, next_at = 0,
			state = CASE WHEN state IN ('queued', 'deferred') THEN 'skipped' ELSE state END WHERE id = ?`, erased(id), id)
		if err != nil {
			return err
		}
		if _, err := t.exec(`UPDATE attempts SET reply = '' WHERE delivery_id = ?`, id); err != nil {
			return err
		}
	}
	return nil
}

// erased stands for the address of somebody who was erased: different in each row, and one that cannot exist
// (RFC 2606 §2).
func erased(id int64) string { return "erased-" + strconv.FormatInt(id, 10) + "@erased.invalid" }

// isLeased tells whether a delivery is taken by a runner.
func (j *journal) isLeased(id int64) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	_, yes := j.leases[id]
	return yes
}

// suppressedAtOnce is how many suppressions are stored in one transaction.
const suppressedAtOnce = 5_000

// SuppressAll implements app.SuppressionStore: Suppress for many, in several transactions. added is how many were new.
func (s *Store) SuppressAll(ctx context.Context, sups []model.Suppression) (added int, err error) {
	for part := range slices.Chunk(sups, suppressedAtOnce) {
		err := s.app.write(ctx, func(t *tx) error {
			for _, x := range part {
				n, err := suppress(t, x)
				if err != nil {
					return err
				}
				added += n
			}
			return nil
		})
		s.muted.forget() // who is in this part is not mailed while the next is stored
		if err != nil {
			return added, err
		}
	}
	return added, nil
}
