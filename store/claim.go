package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"hongyan/app/model"
)

// This file is the reading side of the delivery journal, and its face: what campaign.Journal asks for.

const deliveryColumns = `id, campaign_id, contact_id, email, address, name, fields, state, reason, attempts,
	account_id, step, code, enhanced, reply, scope, next_at, updated`

// scanDelivery reads deliveryColumns and whatever the query has after them.
func scanDelivery(rows *sql.Rows, more ...any) (model.Delivery, error) {
	var d model.Delivery
	var fields string
	var next, updated int64
	err := rows.Scan(append([]any{&d.ID, &d.CampaignID, &d.ContactID, &d.Email, &d.Address, &d.Name, &fields, &d.State, &d.Reason,
		&d.Attempts, &d.AccountID, &d.Step, &d.Code, &d.Enhanced, &d.Reply, &d.Scope, &next, &updated}, more...)...)
	if err != nil {
		return d, err
	}
	d.Address, d.NextAt, d.UpdatedAt = addressOf(d.Address, d.Email), at(next), at(updated)
	d.Fields, err = fieldsOf(fields)
	return d, err
}

// claimColumns are those that a letter is made and judged by.
const claimColumns = `id, contact_id, email, address, name, fields, state, attempts, next_at, tries`

func scanClaimed(rows *sql.Rows, campaign int64) (d model.Delivery, tries int, err error) {
	var fields sql.RawBytes
	var next int64
	d.CampaignID = campaign
	if err = rows.Scan(&d.ID, &d.ContactID, &d.Email, &d.Address, &d.Name, &fields, &d.State, &d.Attempts, &next, &tries); err != nil {
		return d, 0, err
	}
	d.Address, d.NextAt = addressOf(d.Address, d.Email), at(next)
	d.Fields, err = fieldsOf(string(fields))
	return d, tries, err
}

// Claim implements campaign.Journal.
func (s *Store) Claim(ctx context.Context, campaignID int64, n int, now time.Time) ([]model.Delivery, error) {
	if s.journal == nil {
		return nil, s.readOnly(s.deliveries)
	}
	return s.journal.claim(ctx, campaignID, n, now)
}

// claim reads in the writer's turn: a row that is committed between reading and leasing would else be handed out
// although it was sent.
func (j *journal) claim(ctx context.Context, campaign int64, n int, now time.Time) ([]model.Delivery, error) {
	if n <= 0 {
		return nil, nil
	}
	if err := j.err(); err != nil {
		return nil, err
	}
	var got []model.Delivery
	err := j.db.inTurn(ctx, func() error {
		j.mu.Lock()
		most := n + j.taken(campaign)
		j.mu.Unlock()
		t := &tx{d: j.db, ctx: ctx}
		take := func(rows *sql.Rows) error {
			d, tries, err := scanClaimed(rows, campaign)
			if err == nil && len(got) < n && j.lease(&d, tries) {
				got = append(got, d)
			}
			return err
		}
		// Who was asked to come back at a time comes first: behind a long queue it would be tomorrow.
		err := t.each(take, `SELECT `+claimColumns+` FROM deliveries INDEXED BY deliveries_due
			WHERE campaign_id = ? AND state = 'deferred' AND next_at <= ? ORDER BY next_at, id LIMIT ?`, campaign, ms(now), most)
		if err != nil || len(got) == n {
			return err
		}
		return j.next(t, campaign, n, most, &got, take)
	})
	if err != nil {
		ids := make([]int64, len(got))
		for i := range got {
			ids[i] = got[i].ID
		}
		j.release(campaign, ids)
		return nil, coded(err, j.db.path)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.wants() {
		j.nudge()
	}
	return got, nil
}

// next takes rows of the queue, up to n in got, in their order. It looks on from where it was the last time, so that rows
// which are under way are not read again and again; from the beginning when one came back, and when that was the end.
func (j *journal) next(t *tx, campaign int64, n, most int, got *[]model.Delivery, take func(*sql.Rows) error) error {
	const q = `SELECT ` + claimColumns + ` FROM deliveries INDEXED BY deliveries_due
		WHERE campaign_id = ? AND state = 'queued' AND next_at = 0 AND id > ? ORDER BY id LIMIT ?`
	j.mu.Lock()
	from := j.cursor[campaign]
	j.mu.Unlock()
	if from > 0 {
		if err := t.each(take, q, campaign, from, n-len(*got)); err != nil {
			return err
		}
	}
	if len(*got) < n {
		if err := t.each(take, q, campaign, 0, most); err != nil {
			return err
		}
	}
	if len(*got) == n {
		last := (*got)[n-1]
		if last.State == model.Queued {
			j.mu.Lock()
			j.cursor[campaign] = last.ID
			j.mu.Unlock()
		}
	}
	return nil
}

// lease takes a delivery, unless it is taken.
func (j *journal) lease(d *model.Delivery, tries int) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, yes := j.leases[d.ID]; yes {
		return false
	}
	l := &lease{id: d.ID, campaign: d.CampaignID, disk: d.State, tries: tries}
	j.leases[d.ID] = l
	if j.ahead.hurried(d.CampaignID) {
		j.ahead.order = append(j.ahead.order, l)
	}
	return true
}

// Release implements campaign.Journal.
func (s *Store) Release(campaignID int64, ids []int64) {
	if s.journal != nil {
		s.journal.release(campaignID, ids)
	}
}

// Intend implements campaign.Journal.
func (s *Store) Intend(deliveryID, accountID int64, at time.Time) model.Pending {
	return s.intend(deliveryID, accountID, at, false)
}

// Hasten implements campaign.Journal.
func (s *Store) Hasten(deliveryID, accountID int64, at time.Time) model.Pending {
	return s.intend(deliveryID, accountID, at, true)
}

func (s *Store) intend(deliveryID, accountID int64, at time.Time, hasty bool) model.Pending {
	if s.journal == nil {
		in := &intent{err: s.readOnly(s.deliveries), done: make(chan struct{})}
		close(in.done)
		return in
	}
	return s.journal.intend(deliveryID, accountID, at, hasty)
}

// Settle implements campaign.Journal.
func (s *Store) Settle(o model.Outcome) {
	if s.journal != nil {
		s.journal.settle(o)
	}
}

// Flush implements campaign.Journal.
func (s *Store) Flush(ctx context.Context) error {
	if s.journal == nil {
		return nil
	}
	return s.journal.flush(ctx)
}

// Err implements campaign.Journal.
func (s *Store) Err() error {
	if s.journal == nil {
		return s.readOnly(s.deliveries)
	}
	return s.journal.err()
}

func (s *Store) readOnly(d *database) error { return model.E(model.EReadOnly, nil, "path", d.path) }

// Counts implements campaign.Journal. It counts results that are not yet on the disk as if they were.
func (s *Store) Counts(ctx context.Context, campaignID int64) (model.Counts, error) {
	var t tallies
	var err error
	if s.journal == nil {
		t, err = countStates(ctx, s.deliveries, campaignID)
	} else {
		t, err = s.journal.tally(ctx, campaignID)
	}
	return t.counts(), coded(err, s.deliveries.path)
}

// countStates counts what the file holds.
func countStates(ctx context.Context, d *database, campaign int64) (tallies, error) {
	t := make(tallies)
	err := d.each(ctx, func(rows *sql.Rows) error {
		var s model.State
		var n int
		err := rows.Scan(&s, &n)
		t[s] = n
		return err
	}, `SELECT state, count(*) FROM deliveries INDEXED BY deliveries_due WHERE campaign_id = ? GROUP BY state`, campaign)
	return t, err
}

// NextWake implements campaign.Journal. A delivery that is leased does not count: whoever has it will see to it.
func (s *Store) NextWake(ctx context.Context, campaignID int64) (t time.Time, ok bool, err error) {
	const q = `SELECT next_at FROM deliveries INDEXED BY deliveries_due WHERE campaign_id = ? AND state = 'deferred'
		AND id NOT IN (SELECT value FROM json_each(?)) ORDER BY next_at LIMIT 1`
	var due int64
	if s.journal == nil {
		err = s.deliveries.row(ctx, q, []any{campaignID, "[]"}, &due)
	} else {
		j := s.journal
		var waiting time.Time // of the results that are not on the disk yet
		err = j.db.inTurn(ctx, func() error {
			ids := j.leased(campaignID)
			j.mu.Lock()
			for _, r := range j.results {
				if r.lease.campaign == campaignID && r.o.State == model.Deferred && (waiting.IsZero() || r.o.NextAt.Before(waiting)) {
					waiting = r.o.NextAt
				}
			}
			j.mu.Unlock()
			return (&tx{d: j.db, ctx: ctx}).row(q, []any{campaignID, toJSON(ids)}, &due)
		})
		if !waiting.IsZero() && (err == nil && ms(waiting) < due || errors.Is(err, sql.ErrNoRows)) {
			return at(ms(waiting)), true, nil
		}
	}
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, false, nil
	}
	if err != nil {
		return time.Time{}, false, coded(err, s.deliveries.path)
	}
	return at(due), true, nil
}

// RecentAttempts implements campaign.Journal.
func (s *Store) RecentAttempts(ctx context.Context, accountID int64, since time.Time) ([]time.Time, error) {
	var times []time.Time
	read := func(rows *sql.Rows) error {
		var started int64
		err := rows.Scan(&started)
		times = append(times, at(started))
		return err
	}
	const q = `SELECT started FROM attempts WHERE account_id = ? AND intended = 1 AND started > ? ORDER BY started`
	if s.journal == nil {
		return times, s.deliveries.each(ctx, read, q, accountID, ms(since))
	}
	j := s.journal
	err := j.db.inTurn(ctx, func() error { // no commit may come between the file and what is not in it yet
		if err := (&tx{d: j.db, ctx: ctx}).each(read, q, accountID, ms(since)); err != nil {
			return err
		}
		j.mu.Lock()
		defer j.mu.Unlock()
		times = append(times, j.sinceMarked(accountID, since)...)
		return nil
	})
	slices.SortFunc(times, time.Time.Compare)
	return times, coded(err, s.deliveries.path)
}

// RecentRecipients implements campaign.Journal. Letters that only their marks know (ahead.go) are not among them: it is
// asked before a campaign begins to send.
func (s *Store) RecentRecipients(ctx context.Context, campaignID, accountID int64, since time.Time) ([]model.Begun, error) {
	var begun []model.Begun
	err := s.deliveries.each(ctx, func(rows *sql.Rows) error {
		var b model.Begun
		var started int64
		err := rows.Scan(&b.Email, &started)
		b.At = at(started)
		begun = append(begun, b)
		return err
	}, `SELECT d.email, a.started FROM attempts a INDEXED BY attempts_pace JOIN deliveries d ON d.id = a.delivery_id
		WHERE a.account_id = ? AND a.intended = 1 AND a.started > ? AND d.campaign_id = ? ORDER BY a.started`, accountID, ms(since), campaignID)
	return begun, coded(err, s.deliveries.path)
}

// Clock implements campaign.Journal. An account of which nothing is known is fit.
func (s *Store) Clock(ctx context.Context, accountID int64) (model.Clock, error) {
	c := model.Clock{AccountID: accountID, State: model.ClockFit}
	var until, when int64
	err := s.deliveries.row(ctx, `SELECT state, until, scope, step, code, enhanced, reply, at FROM clocks WHERE account_id = ?`,
		[]any{accountID}, &c.State, &until, &c.Scope, &c.Step, &c.Code, &c.Enhanced, &c.Reply, &when)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return c, coded(err, s.deliveries.path)
	}
	c.Until, c.At = at(until), at(when)
	return c, nil
}

// SetClock implements campaign.Journal.
func (s *Store) SetClock(ctx context.Context, c model.Clock) error {
	switch c.State {
	case model.ClockFit, model.ClockResting, model.ClockStopped:
	default:
		return model.E(model.EInvalid, nil, "field", "clock", "value", string(c.State))
	}
	return s.deliveries.write(ctx, func(t *tx) error {
		_, err := t.exec(`INSERT OR REPLACE INTO clocks (account_id, state, until, scope, step, code, enhanced, reply, at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			c.AccountID, string(c.State), ms(c.Until), string(c.Scope), string(c.Step), c.Code, c.Enhanced, c.Reply, ms(c.At))
		return err
	})
}
