package campaign

import (
	"slices"
	"strings"
	"time"

	"hongyan/app/model"
)

// queue holds claimed deliveries until a connection takes them, in order, but passing over domains that are to
// be left alone for now. It is not safe for concurrent use.
type queue struct {
	rows      []model.Delivery
	perMinute int
	domains   map[string]*domain
	sweepAt   int // how many domains are too many
}

// domain is a recipient domain that is throttled.
type domain struct {
	times []time.Time // beginnings within the last minute, when there is a limit
	until time.Time   // no letter before
	soft  int         // refusals for now in a row
}

// domainPatience is how many refusals for now in a row make a domain rest.
const domainPatience = 3

// domainRest is the rest of a domain after domainPatience refusals, doubled with each one more up to
// longestDomainRest.
const (
	domainRest        = time.Minute
	longestDomainRest = time.Hour
)

// sweepFrom is how many domains are remembered before it is looked whether that is still of use.
const sweepFrom = 1024

func domainOf(d *model.Delivery) string {
	_, dom, _ := strings.Cut(d.Email[max(strings.LastIndexByte(d.Email, '@'), 0):], "@")
	return dom
}

// free is when a letter may go to a domain.
func (q *queue) free(dom string, now time.Time) time.Time {
	s := q.domains[dom]
	if s == nil {
		return now
	}
	s.rewind(now)
	at := s.until
	if n := len(s.times); q.perMinute > 0 && n >= q.perMinute {
		if t := s.times[n-q.perMinute].Add(time.Minute); t.After(at) {
			at = t
		}
	}
	return at
}

// pop takes the first row that may be sent at now; without one, at is when there will be, zero for an empty queue.
func (q *queue) pop(now time.Time) (d model.Delivery, ok bool, at time.Time) {
	i, at := q.find(now)
	if i < 0 {
		return d, false, at
	}
	d = q.rows[i]
	if i == 0 {
		q.rows[0] = model.Delivery{}
		q.rows = q.rows[1:]
	} else {
		q.rows = append(q.rows[:i], q.rows[i+1:]...)
	}
	if q.perMinute > 0 {
		s := q.state(domainOf(&d))
		cut := 0
		for cut < len(s.times) && !s.times[cut].After(now.Add(-time.Minute)) {
			cut++
		}
		s.times = append(s.times[cut:], now)
		q.sweep(now)
	}
	return d, true, now
}

func (q *queue) find(now time.Time) (i int, at time.Time) {
	if len(q.domains) == 0 && len(q.rows) > 0 {
		return 0, now
	}
	for i := range q.rows {
		t := q.free(domainOf(&q.rows[i]), now)
		if !t.After(now) {
			return i, now
		}
		if at.IsZero() || t.Before(at) {
			at = t
		}
	}
	return -1, at
}

// rewind keeps a clock that was set back from making a rest longer than it was meant to be.
func (s *domain) rewind(now time.Time) {
	for i := len(s.times) - 1; i >= 0 && s.times[i].After(now); i-- {
		s.times[i] = now
	}
	if limit := now.Add(longestDomainRest); s.until.After(limit) {
		s.until = limit
	}
}

// sweep forgets domains of which there is nothing to remember any more: a campaign may meet a million of them.
func (q *queue) sweep(now time.Time) {
	if len(q.domains) < q.sweepAt {
		return
	}
	for dom, s := range q.domains {
		if s.soft == 0 && !s.until.After(now) && (len(s.times) == 0 || !s.times[len(s.times)-1].After(now.Add(-time.Minute))) {
			delete(q.domains, dom)
		}
	}
	q.sweepAt = max(2*len(q.domains), sweepFrom)
}

func (q *queue) state(dom string) *domain {
	s := q.domains[dom]
	if s == nil {
		if q.domains == nil {
			q.domains = map[string]*domain{}
		}
		s = &domain{}
		q.domains[dom] = s
	}
	return s
}

// recall notes letters that went to their domains before this run.
func (q *queue) recall(begun []model.Begun) {
	for _, b := range begun {
		s := q.state(domainOf(&model.Delivery{Email: b.Email}))
		s.times = append(s.times, b.At)
	}
	for _, s := range q.domains {
		slices.SortFunc(s.times, time.Time.Compare)
	}
}

// refused notes a refusal for now by a recipient's domain: several in a row make it rest, because a server that
// defers everybody is not helped by more.
func (q *queue) refused(d *model.Delivery, now time.Time) {
	s := q.state(domainOf(d))
	s.soft++
	if over := s.soft - domainPatience; over >= 0 {
		s.until = now.Add(min(domainRest<<min(over, 6), longestDomainRest))
	}
}

// took notes that a recipient's domain took a letter.
func (q *queue) took(d *model.Delivery) {
	dom := domainOf(d)
	s := q.domains[dom]
	if s == nil {
		return
	}
	s.soft, s.until = 0, time.Time{}
	if q.perMinute == 0 {
		delete(q.domains, dom)
	}
}

// drain empties the queue and gives the ids of what was in it.
func (q *queue) drain() []int64 {
	ids := make([]int64, len(q.rows))
	for i := range q.rows {
		ids[i] = q.rows[i].ID
	}
	q.rows = nil
	return ids
}
