package store

import (
	"strconv"
	"time"

	"hongyan/app/model"
)

// A server that answers at once takes twenty letters in the time of one sync. So that a sync need not be waited for
// with each of them, rows that will be next are reserved: a reservation is committed like an intent, together with
// whatever else is written, before its letters are asked for. A letter that is reserved may leave as soon as its mark
// is set (marks.go), which costs no sync.
//
// What a crash leaves: who was reserved and not marked had not begun, and stays queued; who was marked and has no
// result is unknown, as an intended letter is. When the marks are gone, with the power, every reserved letter without
// a result is unknown; therefore no more are reserved than leave within aheadTime, and none where letters are slow.
const (
	aheadTime  = 25 * time.Millisecond // how long reserved letters last: some syncs
	aheadLeast = 4                     // with fewer a letter waits for its own commit
	aheadMost  = 512
	paceTime   = 50 * time.Millisecond // over which it is measured how fast letters leave
)

// reservation is a set of deliveries whose intents are durable together.
type reservation struct {
	seq  int64
	open int // how many leases hold it
}

// ahead is the part of a journal that reserves. The journal's mu guards it.
type ahead struct {
	where func() *marks   // makes the marks, on first use
	asked bool            // where was called
	marks *marks          // nil while nothing was reserved, or where it cannot be
	hasty map[int64]int64 // by campaign: an account by which its letters leave fast
	order []*lease        // that could be reserved, in the order of their claims
	slots []int           // free
	ready int             // reserved and not begun
	spent []int64         // reservations whose rows can go

	begun int // letters since paced
	paced time.Time
	want  int  // how many to have ready
	fixed bool // that is given, for every campaign
}

// hurried reports whether a campaign's letters leave fast.
func (a *ahead) hurried(campaign int64) bool { return a.fixed || a.hasty[campaign] != 0 }

// hurry notes that a letter begins in a campaign that is in a hurry, and keeps the pace. mu is held.
func (a *ahead) hurry(l *lease, now time.Time) {
	a.hasty[l.campaign] = l.account
	a.begun++
	gone := now.Sub(a.paced)
	if gone < paceTime || a.fixed {
		return
	}
	if a.want = int(time.Duration(a.begun) * aheadTime / gone); a.want < aheadLeast {
		a.want = 0
	}
	a.want = min(a.want, aheadMost)
	a.begun, a.paced = 0, now
}

// wants reports whether it is time to reserve. mu is held.
func (j *journal) wants() bool {
	a := &j.ahead
	return a.want > 0 && a.ready*2 < a.want && len(a.order) > 0 && !a.broken()
}

func (a *ahead) broken() bool { return a.asked && (a.marks == nil || a.marks.broken.Load()) }

// choose takes the leases that come next. They hold nothing yet: see reserved. mu is held.
func (j *journal) choose() []*lease {
	a := &j.ahead
	if a.ready >= a.want || len(a.order) == 0 || a.broken() {
		return nil
	}
	if !a.asked {
		a.asked, a.marks = true, a.where()
		if a.marks == nil {
			return nil
		}
		for slot := range markSlots {
			a.slots = append(a.slots, slot)
		}
	}
	var chosen []*lease
	for len(a.order) > 0 && len(chosen) < a.want-a.ready {
		l := a.order[0]
		a.order[0], a.order = nil, a.order[1:]
		if j.leases[l.id] == l && !l.asked && !l.ended && a.hurried(l.campaign) {
			chosen = append(chosen, l)
		}
	}
	return chosen
}

// writeReservation stores who was chosen, and gives the number of the reservation.
func writeReservation(t *tx, chosen []*lease, account int64) (seq int64, err error) {
	text := []byte{'['}
	for i, l := range chosen {
		if i > 0 {
			text = append(text, ',')
		}
		text = strconv.AppendInt(text, l.id, 10)
		text = append(text, ',')
		text = strconv.AppendInt(text, int64(l.tries+1), 10)
	}
	return t.insert(`INSERT INTO reservations (account_id, at, members) VALUES (?, ?, ?)`, account, time.Now().UnixMilli(), string(append(text, ']')))
}

// reserved notes that a reservation is durable. mu is held.
func (j *journal) reserved(seq int64, chosen []*lease) {
	a := &j.ahead
	r := &reservation{seq: seq}
	for _, l := range chosen {
		if j.leases[l.id] != l || l.asked || l.ended || len(a.slots) == 0 {
			continue
		}
		last := len(a.slots) - 1
		l.held, l.slot, a.slots = r, a.slots[last], a.slots[:last]
		r.open++
		a.ready++
	}
	if r.open == 0 {
		a.spent = append(a.spent, seq)
	}
}

// begins takes a lease out of those that are ready. mu is held.
func (a *ahead) begins(l *lease) {
	if l.held != nil && !l.begun {
		l.begun = true
		a.ready--
	}
}

// end ends a lease: what it held is free again. mu is held.
func (j *journal) end(l *lease) {
	delete(j.leases, l.id)
	a := &j.ahead
	if l.held == nil {
		return
	}
	a.begins(l)
	a.slots = append(a.slots, l.slot)
	if l.held.open--; l.held.open == 0 {
		a.spent = append(a.spent, l.held.seq)
	}
	l.held = nil
}

// mark lets a reserved letter begin: it sets its mark. false when that failed, and the letter has to wait for a commit
// of its own. Neither mu nor anything else is held.
func (j *journal) mark(l *lease, k mark, slot int) bool {
	ok := j.ahead.marks.set(slot, k)
	j.mu.Lock()
	defer j.mu.Unlock()
	if !ok {
		return false
	}
	l.marked = true
	if !l.ended {
		j.move(l.campaign, l.disk, model.Attempting)
	}
	return true
}

// sinceMarked lists the beginnings after since, by an account, of letters that the file does not know of yet.
// mu is held.
func (j *journal) sinceMarked(account int64, since time.Time) []time.Time {
	var times []time.Time
	for _, l := range j.leases {
		if l.marked && l.account == account && ms(l.at) > ms(since) {
			times = append(times, at(ms(l.at)))
		}
	}
	return times
}

// bulkRows is how many results are written by one statement, at most; fewer are written by some of these.
var bulkRows = []int{64, 16, 4, 1}

// writeMarked stores the results of letters that had left ahead: the attempt and its result at once.
func writeMarked(t *tx, results []*result) error {
	for len(results) > 0 {
		n := 1
		for _, n = range bulkRows {
			if n <= len(results) {
				break
			}
		}
		if err := writeBulk(t, results[:n]); err != nil {
			return err
		}
		results = results[n:]
	}
	return nil
}

func writeBulk(t *tx, results []*result) error {
	stmts := bulkStatements[len(results)]
	args := make([]any, 0, 12*len(results))
	for _, r := range results {
		o := &r.o
		next, more := int64(0), 1
		switch o.State {
		case model.Deferred:
			next = ms(o.NextAt)
		case model.Queued:
			more = 0 // nothing left us: see writeResult
		}
		args = append(args, o.DeliveryID, string(o.State), o.Reason, o.AccountID, string(o.Step), o.Code, o.Enhanced, o.Reply,
			string(o.Scope), next, ms(o.At), more, r.lease.tries+1)
	}
	if _, err := t.exec(stmts[0], args...); err != nil {
		return err
	}
	args = args[:0]
	for _, r := range results {
		o := &r.o
		args = append(args, o.DeliveryID, r.lease.tries+1, r.lease.account, ms(r.lease.at), ms(o.At), string(o.State), string(o.Step), o.Code,
			o.Enhanced, o.Reply, string(o.Scope))
	}
	_, err := t.exec(stmts[1], args...)
	return err
}

// bulkStatements are the two statements of writeBulk, by the number of results.
var bulkStatements = func() map[int][2]string {
	all := make(map[int][2]string, len(bulkRows))
	for _, n := range bulkRows {
		all[n] = [2]string{
			`WITH v(id, state, reason, account, step, code, enhanced, reply, scope, next, at, more, n) AS (VALUES ` + rowsOf("("+holes(13)+")", n) + `)
			UPDATE deliveries SET state = v.state, reason = v.reason, account_id = v.account, step = v.step, code = v.code, enhanced = v.enhanced,
				reply = v.reply, scope = v.scope, next_at = v.next, updated = v.at, attempts = attempts + v.more, tries = v.n
			FROM v WHERE deliveries.id = v.id AND deliveries.state IN ('queued', 'deferred')`,
			`INSERT INTO attempts (delivery_id, n, account_id, started, ended, state, step, code, enhanced, reply, scope, intended)
			VALUES ` + rowsOf("("+holes(11)+",1)", n) + ` ON CONFLICT DO NOTHING`,
		}
	}
	return all
}()
