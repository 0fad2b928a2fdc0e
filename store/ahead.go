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
	slots []int           // of the marks, free
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
	return a.want > 0 && a.ready*2 < a.want && len(a.order) > 0 && !a.barred()
}

// barred reports that there are no marks here. mu is held.
func (a *ahead) barred() bool { return a.asked && a.marks == nil }

// open makes the marks on first use, and reports whether there are any. mu is held.
func (a *ahead) open() bool {
	if a.asked {
		return a.marks != nil
	}
	a.asked, a.marks = true, a.where()
	if a.marks == nil {
		return false
	}
	for slot := range markSlots {
		a.slots = append(a.slots, slot)
	}
	return true
}

// slot takes a slot that is free. mu is held.
func (a *ahead) slot() (slot int, ok bool) {
	last := len(a.slots) - 1
	if last < 0 {
		return 0, false
	}
	slot, a.slots = a.slots[last], a.slots[:last]
	return slot, true
}

// choose takes the leases that come next. They hold nothing yet: see reserved. mu is held.
func (j *journal) choose() []*lease {
	a := &j.ahead
	if a.ready >= a.want || len(a.order) == 0 || !a.open() {
		return nil
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
		if j.leases[l.id] != l || l.asked || l.ended {
			continue
		}
		slot, ok := a.slot()
		if !ok {
			continue
		}
		l.held, l.slot = r, slot
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
	if l.aside {
		a.marks.clear(l.slot) // the next attempt may bear the same number
	}
	if l.held == nil {
		if l.aside {
			a.slots = append(a.slots, l.slot)
		}
		return
	}
	a.begins(l)
	a.slots = append(a.slots, l.slot)
	if l.held.open--; l.held.open == 0 {
		a.spent = append(a.spent, l.held.seq)
	}
	l.held = nil
}

// mark lets a reserved letter begin: it sets its mark. mu is held.
func (j *journal) mark(l *lease) {
	l.marked = true
	j.ahead.marks.begin(l.slot, mark{id: l.id, n: int64(l.tries + 1), account: l.account, started: ms(l.at), seq: l.held.seq})
	j.move(l.campaign, l.disk, model.Attempting)
}

// remember sets the result of an attempt in memory beside the file, where it outlives the process: until the next commit,
// and for as long as the file takes none. mu is held.
func (j *journal) remember(l *lease, o *model.Outcome) {
	a := &j.ahead
	if !l.asked || !a.open() {
		return
	}
	if !l.marked {
		k := mark{id: l.id, n: int64(l.tries + 1), account: l.account, started: ms(l.at)}
		if l.intended {
			k.n--
		}
		l.aside = true
		if l.held == nil {
			if l.slot, l.aside = a.slot(); !l.aside {
				return
			}
		}
		a.marks.begin(l.slot, k)
	}
	a.marks.end(l.slot, o)
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
