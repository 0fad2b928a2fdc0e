package store

import (
	"context"
	"time"

	"hongyan/app/model"
)

// run is the journal's writing goroutine.
func (j *journal) run() {
	defer close(j.done)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var at time.Time // when to commit at the latest; zero while nothing waits
	for {
		select {
		case <-j.wake:
		case <-timer.C:
		}
		now := time.Now()
		due, closed := j.due(now, &at)
		if due && j.commit() != nil {
			at = time.Now().Add(retryDelay)
		} else if due {
			at = time.Time{}
		}
		if closed {
			return
		}
		if j.due(time.Now(), &at); at.IsZero() {
			timer.Reset(time.Hour)
		} else {
			timer.Reset(time.Until(at))
		}
	}
}

// due tells whether to commit now, and keeps at up to date.
func (j *journal) due(now time.Time, at *time.Time) (due, closed bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	waiting := len(j.intents) + len(j.results) + len(j.ahead.spent)
	switch {
	case j.dead:
		*at = time.Time{}
		return false, j.closed
	case j.closed:
		return waiting > 0, true
	case waiting == 0 && j.fault == nil && !j.wants():
		*at = time.Time{}
		return false, false
	case at.IsZero():
		*at = now.Add(settleDelay)
	}
	if j.fault != nil {
		return !now.Before(*at), false // a disk that is full is not asked again for every letter
	}
	return len(j.intents) > 0 || len(j.results) >= j.enough() || j.urgent || j.wants() || !now.Before(*at), false
}

// enough is how many results are written at once at the latest. mu is held.
func (j *journal) enough() int { return max(settleBatch, j.ahead.want) }

// batch is what one transaction writes.
type batch struct {
	intents []*intent
	results []*result
	chosen  []*lease // to be reserved
	account int64    // by which, it is expected
	spent   []int64  // reservations that are not needed any more

	seq int64 // of the reservation, once it is written
}

// take takes what waits. mu is held.
func (j *journal) take() *batch {
	b := &batch{intents: j.intents, results: j.results, chosen: j.choose(), spent: j.ahead.spent}
	if len(b.chosen) > 0 {
		b.account = j.ahead.hasty[b.chosen[0].campaign]
	}
	j.intents, j.results, j.flying, j.ahead.spent, j.urgent = nil, nil, b.results, nil, false
	return b
}

// commit writes what waits in one transaction.
func (j *journal) commit() error {
	var failed error
	err := j.db.inTurn(context.Background(), func() error {
		j.mu.Lock()
		b := j.take()
		j.mu.Unlock()
		failed = j.db.transact(context.Background(), b.write)
		if sqliteFull(failed) && j.db.shorten(context.Background()) { // the log takes what is free, until it is copied back
			failed = j.db.transact(context.Background(), b.write)
		}
		j.mu.Lock()
		defer j.mu.Unlock()
		if failed != nil {
			j.note(failed, b)
			return nil
		}
		j.fault = nil
		for _, in := range b.intents {
			j.intended(in)
		}
		for _, r := range b.results {
			if r.o.State == model.Queued {
				delete(j.cursor, r.lease.campaign)
			}
			j.end(r.lease)
		}
		if len(b.chosen) > 0 {
			j.reserved(b.seq, b.chosen)
		}
		j.kept += uint64(len(b.results))
		j.flying = nil
		j.signal()
		return nil
	})
	if err == nil {
		err = failed
	}
	return err
}

// write writes a batch.
func (b *batch) write(t *tx) (err error) {
	begun := make(map[*lease]*intent, len(b.intents))
	for _, in := range b.intents {
		if err := writeIntent(t, in); err != nil {
			return err
		}
		begun[in.lease] = in
	}
	var marked []*result
	for _, r := range b.results {
		if r.lease.marked {
			marked = append(marked, r)
			continue
		}
		// A server may refuse a recipient before the intent is on the disk: then both are in here.
		r.n, r.intended = r.lease.tries, r.lease.intended
		if in := begun[r.lease]; in != nil && in.err == nil {
			r.n, r.intended = r.lease.tries+1, true
		}
		if err := writeResult(t, r); err != nil {
			return err
		}
	}
	if err := writeMarked(t, marked); err != nil {
		return err
	}
	if len(b.chosen) > 0 {
		if b.seq, err = writeReservation(t, b.chosen, b.account); err != nil {
			return err
		}
	}
	for _, seq := range b.spent {
		if _, err := t.exec(`DELETE FROM reservations WHERE seq = ?`, seq); err != nil {
			return err
		}
	}
	if len(b.intents)+len(b.results)+len(b.chosen)+len(b.spent) == 0 {
		return setMeta(t, "probe", time.Now().UTC().Format(time.RFC3339)) // does the disk take writes again?
	}
	return nil
}

// note takes back what could not be written: intents fail, results wait for the next try. mu is held.
func (j *journal) note(err error, b *batch) {
	j.dead = j.dead || inDoubt(err)
	j.fault = coded(err, j.db.path)
	for _, in := range b.intents {
		in.err = j.fault
		if j.dead {
			in.lease.asked = true // what the file holds is not known: nobody may send this one
		} else {
			in.lease.asked = false
		}
		close(in.done)
	}
	if j.dead { // nobody will ask for another commit: whoever came meanwhile would wait for ever
		for _, in := range j.intents {
			in.err = j.fault
			close(in.done)
		}
		j.intents = nil
	}
	j.results = append(b.results, j.results...)
	j.ahead.order = append(b.chosen, j.ahead.order...)
	j.ahead.spent = append(b.spent, j.ahead.spent...)
	j.flying = nil
	j.signal()
}

func (j *journal) signal() {
	close(j.settled)
	j.settled = make(chan struct{})
}

// intended notes that an intent is durable. mu is held.
func (j *journal) intended(in *intent) {
	defer close(in.done)
	l := in.lease
	if in.err != nil { // the row was not one to be sent; nothing was written
		l.asked = false
		return
	}
	if !l.ended {
		j.move(l.campaign, l.disk, model.Attempting)
	}
	l.disk, l.intended, l.tries = model.Attempting, true, l.tries+1
}

func writeIntent(t *tx, in *intent) error {
	when := ms(in.at)
	n, err := t.changes(`UPDATE deliveries SET state = 'attempting', account_id = ?, attempts = attempts + 1,
		tries = ?, next_at = 0, updated = ? WHERE id = ? AND state IN ('queued', 'deferred')`,
		in.account, in.lease.tries+1, when, in.id)
	if err != nil {
		return err
	}
	if n != 1 {
		in.err = model.E(model.EInternal, nil, "detail", "a delivery was intended that is not to be sent")
		return nil
	}
	_, err = t.exec(`INSERT INTO attempts (delivery_id, n, account_id, started, intended, state) VALUES (?, ?, ?, ?, 1, 'attempting')`,
		in.id, in.lease.tries+1, in.account, when)
	return err
}

func writeResult(t *tx, r *result) error {
	o := r.o
	when := ms(o.At)
	next := int64(0)
	if o.State == model.Deferred {
		next = ms(o.NextAt)
	}
	// An attempt that reached no server leaves a line in the history only when it decided something.
	counted := 0
	if !r.intended && o.Step != "" && o.State != model.Queued && o.State != model.Skipped {
		counted = 1
	}
	// One by which nothing left us does not count: the waits between refusals grow with their number.
	more := counted
	if r.intended && o.State == model.Queued {
		more = -1
	}
	reason, args := "", []any{}
	if o.Reason != "" {
		reason, args = setReason, append(args, o.Reason)
	}
	args = append(args, string(o.State), o.AccountID, string(o.Step), o.Code, o.Enhanced, o.Reply, string(o.Scope), next, when, more, counted, o.DeliveryID)
	n, err := t.changes(`UPDATE deliveries SET `+reason+`state = ?, account_id = ?, step = ?, code = ?, enhanced = ?, reply = ?,
		scope = ?, next_at = ?, updated = ?, attempts = attempts + ?, tries = tries + ?
		WHERE id = ? AND state IN ('queued', 'deferred', 'attempting')`, args...)
	if err != nil || n != 1 {
		return err
	}
	switch {
	case r.intended:
		_, err = t.exec(`UPDATE attempts SET ended = ?, state = ?, step = ?, code = ?, enhanced = ?, reply = ?, scope = ?
			WHERE delivery_id = ? AND n = ? AND ended = 0`,
			when, string(o.State), string(o.Step), o.Code, o.Enhanced, o.Reply, string(o.Scope), o.DeliveryID, r.n)
	case counted == 1:
		_, err = t.exec(`INSERT INTO attempts (delivery_id, n, account_id, started, ended, intended, state, step, code, enhanced, reply, scope)
			VALUES (?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?)`,
			o.DeliveryID, r.n+1, o.AccountID, when, when, string(o.State), string(o.Step), o.Code, o.Enhanced, o.Reply, string(o.Scope))
	}
	return err
}

// close commits what waits and ends the goroutine. Its error is why results were lost.
func (j *journal) close() error {
	j.mu.Lock()
	j.closed = true
	j.mu.Unlock()
	j.nudge()
	<-j.done
	j.mu.Lock()
	for _, in := range j.intents {
		in.err = errClosed(j.db.path)
		close(in.done)
	}
	j.intents = nil
	lost, fault := len(j.results) > 0 || j.dead, j.fault
	var open []*intent // letters of which only their marks tell
	for id, l := range j.leases {
		if l.marked && !l.ended {
			open = append(open, &intent{id: id, account: l.account, at: l.at, lease: l})
		}
	}
	m := j.ahead.marks
	j.mu.Unlock()
	if m != nil && !lost {
		if err := j.db.write(context.Background(), func(t *tx) error { return disclose(t, open) }); err != nil {
			return err
		}
		m.remove()
	} else if m != nil {
		m.unmap()
	}
	if lost {
		return fault
	}
	return nil
}

// disclose ends the reservations: letters that are still open are intended in their own rows.
func disclose(t *tx, open []*intent) error {
	for _, in := range open {
		if err := writeIntent(t, in); err != nil {
			return err
		}
	}
	_, err := t.exec(`DELETE FROM reservations`)
	return err
}
