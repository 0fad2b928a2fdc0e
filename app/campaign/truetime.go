package campaign

import (
	"sync"
	"time"

	"hongyan/app/model"
)

// elapser is a Clock that also counts the time that truly passed, from any beginning, sleep of the machine included,
// and whatever the wall clock is set to; 0 means that it cannot be told. Where a system has no such count that Go
// can read (neither Linux, macOS nor Windows), a clock that was set forward is taken for sleep.
type elapser interface {
	Elapsed() time.Duration
	// Steady counts too and cannot be set, costs little, and may stand still in sleep.
	Steady() time.Duration
}

const (
	// truthSlack is how far true time and the wall clock may drift apart before that is taken for a clock that was
	// set. It stays far below windowSlack, and above the step of Windows' count.
	truthSlack = 100 * time.Millisecond
	// glance is how long the cheap count is believed where the wall clock agrees with it to within glanceSlack: letters
	// that leave by tens of thousands a second ask for the time more often than the system is asked for it.
	glance      = 50 * time.Millisecond
	glanceSlack = 100 * time.Microsecond
	// spansKept is how far back it is known how the wall clock was set: a little more than the longest window.
	spansKept = 25 * time.Hour
)

// trueTime measures the time that truly passed. Its times look like the wall clock's, and are the wall clock's until
// that is set while the process lives. Everything that a runner keeps in memory (beginnings of letters, rests, waits)
// is in true time. Schedules, what the journal stores and what people are shown go by the wall clock.
// It is safe for concurrent use.
type trueTime struct {
	clk   Clock
	count elapser // nil where it cannot be told

	mu     sync.Mutex
	anchor time.Time     // true time when the count of clk was 0
	spans  []span        // ascending in true time; at least one
	seen   time.Time     // what the wall clock showed when all was compared
	steady time.Duration // ... and the cheap count
}

func newTrueTime(clk Clock) *trueTime {
	s := &trueTime{clk: clk, spans: []span{{from: clk.Now()}}}
	if e, ok := clk.(elapser); ok {
		if d := e.Elapsed(); d != 0 {
			s.count, s.anchor = e, s.spans[0].from.Add(-d)
		}
	}
	return s
}

// span is a time in which the wall clock was left alone. It keeps to whole milliseconds, as the journal's times do.
type span struct {
	from  time.Time     // by the wall clock
	ahead time.Duration // true time minus the wall clock's
}

func (s span) began() time.Time { return s.from.Add(s.ahead) }

func (s *trueTime) now() time.Time {
	now, _ := s.both()
	return now
}

// both is the present in true time and by the wall clock; wall(now) is the latter.
func (s *trueTime) both() (now, wall time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	wall = s.clk.Now()
	if s.count == nil {
		return wall, wall
	}
	steady := s.count.Steady()
	d := steady - s.steady
	if off := wall.Sub(s.seen) - d; d < glance && off <= glanceSlack && off >= -glanceSlack {
		return wall.Add(s.ahead()), wall
	}
	before := s.count.Elapsed()
	s.steady, wall = s.count.Steady(), s.clk.Now()
	s.seen = wall
	off := wall.Add(s.ahead()).Sub(s.anchor)
	if off >= before-truthSlack && off <= before+truthSlack {
		return s.anchor.Add(off), wall
	}
	// The process may have been held up, or the machine slept, before the wall clock was read.
	if after := s.count.Elapsed(); off < before || off > after+truthSlack {
		s.set(wall, s.anchor.Add(after))
	}
	return wall.Add(s.ahead()), wall
}

// set notes that the wall clock was set. s.mu is held.
func (s *trueTime) set(wall, now time.Time) {
	s.spans = append(s.spans, span{wall.Truncate(time.Millisecond), now.Sub(wall).Round(time.Millisecond)})
	for len(s.spans) > 2 && s.spans[1].began().Before(now.Add(-spansKept)) {
		s.spans = s.spans[1:]
	}
}

// ahead is true time minus the wall clock's at present. s.mu is held.
func (s *trueTime) ahead() time.Duration { return s.spans[len(s.spans)-1].ahead }

// wall is what the wall clock shows at a true time if nobody sets it any more. The zero time stays zero.
func (s *trueTime) wall(now time.Time) time.Time {
	if now.IsZero() {
		return now
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return now.Add(-s.ahead())
}

// due is the true time at which the wall clock shows wall if nobody sets it any more. The zero time stays zero.
func (s *trueTime) due(wall time.Time) time.Time {
	if wall.IsZero() {
		return wall
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return wall.Add(s.ahead())
}

// past is the true time of something that happened when the wall clock showed wall. A time that it showed twice is
// taken for the latest, so that limits err on the safe side. It is monotonic.
func (s *trueTime) past(wall time.Time) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	var latest time.Time
	for i, x := range s.spans {
		if i > 0 && wall.Before(x.from.Add(-truthSlack)) {
			continue
		}
		t := wall.Add(x.ahead)
		if i+1 < len(s.spans) && t.After(s.spans[i+1].began()) {
			t = s.spans[i+1].began()
		}
		if i == 0 || t.After(latest) {
			latest = t
		}
	}
	return latest
}

// earliest is a time of the wall clock before which nothing happened since a true time: the earliest that it can have
// shown then.
func (s *trueTime) earliest(since time.Time) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	wall := since
	for i, x := range s.spans {
		if t := since.Add(-x.ahead); i == 0 || t.Before(wall) {
			wall = t
		}
	}
	return wall
}

// clock gives the clock of an account, as the journal has it, in true time.
func (s *trueTime) clock(c model.Clock) model.Clock {
	if c.State == model.ClockResting {
		at := s.past(c.At)
		c.At, c.Until = at, c.Until.Add(at.Sub(c.At))
	}
	return c
}

// stored gives a clock as the journal is to have it.
func (s *trueTime) stored(c model.Clock) model.Clock {
	c.At, c.Until = s.wall(c.At), s.wall(c.Until)
	return c
}
