package campaign

import (
	"math/rand/v2"
	"time"

	"hongyan/app/model"
)

// windowSlack widens every window: the server counts arrivals, which come later than our beginnings by a
// varying time, and a restored time may have lost its fraction of a second.
const windowSlack = time.Second

// keptAnyway is how far back beginnings are kept where no limit asks for them: limits may be set while a
// campaign runs, and the journal does not yet know the very latest.
const keptAnyway = 10 * time.Second

type window struct {
	length time.Duration
	limit  int
}

// limiter decides when a letter may begin, from the beginnings before it. It knows no clock: every method is
// told the true time. It is not safe for concurrent use.
//
// A grant is a reservation until the letter begins (MAIL FROM is written) and is then stamped with the time
// of that; a reservation counts as a beginning at the present moment, so a letter that waits for its
// connection cannot slip out of a window.
type limiter struct {
	windows        []window
	gapMin, gapMax time.Duration
	times          []time.Time // beginnings, ascending, none older than the longest window
	reserved       int
	notBefore      time.Time // the random gap after the latest beginning
	rnd            *rand.Rand
}

func newLimiter(l model.Limits, rnd *rand.Rand) *limiter {
	lim := &limiter{rnd: rnd}
	lim.configure(l)
	return lim
}

func (l *limiter) configure(lim model.Limits) {
	l.windows = nil
	for _, w := range []window{{time.Minute, lim.PerMinute}, {time.Hour, lim.PerHour}, {24 * time.Hour, lim.PerDay}} {
		if w.limit > 0 {
			l.windows = append(l.windows, window{w.length + windowSlack, w.limit})
		}
	}
	l.gapMin, l.gapMax = max(lim.GapMin, 0), max(lim.GapMin, lim.GapMax, 0)
}

// history is how far back beginnings matter.
func (l *limiter) history() time.Duration {
	h := l.gapMax
	for _, w := range l.windows {
		h = max(h, w.length)
	}
	return h
}

// restore adds the beginnings that the journal knows to those that are known here; the latest of these may not
// have reached the journal yet.
func (l *limiter) restore(times []time.Time) {
	own := l.times
	if len(own) > 0 {
		first := own[0].Truncate(time.Millisecond) // the journal's precision
		for len(times) > 0 && !times[len(times)-1].Before(first) {
			times = times[:len(times)-1]
		}
	}
	l.times = append(append(make([]time.Time, 0, len(times)+len(own)), times...), own...)
	if n := len(l.times); n > 0 && l.gapMax > 0 && l.notBefore.IsZero() {
		l.notBefore = l.times[n-1].Add(l.gap())
	}
}

func (l *limiter) gap() time.Duration {
	if l.gapMax <= l.gapMin {
		return l.gapMin
	}
	return l.gapMin + time.Duration(l.rnd.Int64N(int64(l.gapMax-l.gapMin)+1))
}

// next is the earliest time at which a letter may be granted. known is false when that depends on a letter
// that is granted but has not begun.
func (l *limiter) next(now time.Time) (at time.Time, known bool) {
	l.rewind(now)
	if l.reserved > 0 && l.gapMax > 0 {
		return now, false
	}
	at = now
	if l.notBefore.After(at) {
		at = l.notBefore
	}
	for _, w := range l.windows {
		if l.reserved >= w.limit {
			return now, false
		}
		if i := len(l.times) - (w.limit - l.reserved); i >= 0 {
			if t := l.times[i].Add(w.length); t.After(at) {
				at = t
			}
		}
	}
	return at, true
}

// reserve grants one letter if that is allowed at now; otherwise it says when, as next does.
func (l *limiter) reserve(now time.Time) (ok bool, at time.Time, known bool) {
	at, known = l.next(now)
	if !known || at.After(now) {
		return false, at, known
	}
	l.reserved++
	return true, now, true
}

// commit turns a reservation into a beginning at now.
func (l *limiter) commit(now time.Time) {
	l.rewind(now)
	l.reserved--
	if l.gapMax > 0 {
		l.notBefore = now.Add(l.gap())
	}
	old := now.Add(-max(l.history(), keptAnyway))
	i := 0
	for i < len(l.times) && l.times[i].Before(old) {
		i++
	}
	l.times = append(l.times[i:], now)
}

// cancel gives a reservation back.
func (l *limiter) cancel() { l.reserved-- }

// room is how many letters could begin within d from now; unlimited is reported as many.
func (l *limiter) room(now time.Time, d time.Duration, many int) int {
	n := many
	for _, w := range l.windows {
		n = min(n, l.free(w, now, d))
	}
	if avg := (l.gapMin + l.gapMax) / 2; avg > 0 {
		n = min(n, int(d/avg)+1)
	}
	return n
}

// within is about how many letters could begin within d from now; bounded is false when nothing limits them.
func (l *limiter) within(now time.Time, d time.Duration) (n float64, bounded bool) {
	if d <= 0 {
		return 0, len(l.windows) > 0 || l.gapMax > 0
	}
	lower := func(x float64) {
		if !bounded || x < n {
			n, bounded = x, true
		}
	}
	for _, w := range l.windows {
		first := min(d, w.length)
		free := l.free(w, now, first)
		lower(float64(free) + float64(w.limit)*float64(d-first)/float64(w.length))
	}
	if avg := (l.gapMin + l.gapMax) / 2; avg > 0 {
		lower(1 + float64(d)/float64(avg))
	}
	return n, bounded
}

// free is how many letters a window could take within d from now.
func (l *limiter) free(w window, now time.Time, d time.Duration) int {
	in := l.reserved
	for i := len(l.times) - 1; i >= 0 && l.times[i].Add(w.length).After(now.Add(d)); i-- {
		in++
	}
	return max(w.limit-in, 0)
}

// rewind keeps beginnings out of the future: after a clock was set back they would block the account for as long
// as it was wrong. Those of another process may lie there, and where true time cannot be told, all.
func (l *limiter) rewind(now time.Time) {
	for i := len(l.times) - 1; i >= 0 && l.times[i].After(now); i-- {
		l.times[i] = now
	}
	if limit := now.Add(l.gapMax); l.notBefore.After(limit) {
		l.notBefore = limit
	}
}
