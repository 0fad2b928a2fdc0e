package campaign

import (
	"slices"
	"time"

	"hongyan/app/model"
)

// lateGrace is how long after its time a campaign still starts by itself. Later than that the machine slept
// or was off, and the user is asked.
const lateGrace = 10 * time.Minute

// gate says whether a schedule lets letters go at now. When it is open, until is when that may change; when
// it is shut, until is when it opens; expired means that it never will again. The zero until means never.
func gate(s model.Schedule, now time.Time) (open bool, until time.Time, expired bool) {
	if !s.StopAfter.IsZero() && !now.Before(s.StopAfter) {
		return false, time.Time{}, true
	}
	if now.Before(s.StartAt) {
		return false, s.StartAt, false
	}
	open = inHours(s, now)
	until = nextEdge(s, now)
	if !s.StopAfter.IsZero() && (until.IsZero() || s.StopAfter.Before(until)) {
		if !open {
			return false, time.Time{}, true // shut until after the end
		}
		until = s.StopAfter
	}
	return open, until, false
}

func inHours(s model.Schedule, t time.Time) bool {
	l := t.Local()
	if len(s.Days) > 0 && !slices.Contains(s.Days, l.Weekday()) {
		return false
	}
	from, to, h := s.FromHour, s.ToHour, l.Hour()
	switch {
	case from == to:
		return true
	case from < to:
		return h >= from && h < to
	default: // over midnight
		return h >= from || h < to
	}
}

// nextEdge is the first full local hour after t at which inHours changes, or zero when it never does.
func nextEdge(s model.Schedule, t time.Time) time.Time {
	if len(s.Days) == 0 && s.FromHour == s.ToHour {
		return time.Time{} // the usual case, and this is asked for every letter
	}
	was := inHours(s, t)
	l := t.Local()
	for i := 1; i <= 8*24; i++ {
		edge := time.Date(l.Year(), l.Month(), l.Day(), l.Hour()+i, 0, 0, 0, time.Local)
		if edge.After(t) && inHours(s, edge) != was {
			return edge
		}
	}
	return time.Time{}
}

// late says whether a scheduled start was missed by more than lateGrace. The start is the first moment from
// StartAt on at which the schedule lets letters go: StartAt itself may lie outside of its hours.
func late(c *model.Campaign, now time.Time) bool {
	if !c.StartedAt.IsZero() || c.Schedule.StartAt.IsZero() {
		return false
	}
	start := c.Schedule.StartAt
	if open, until, _ := gate(c.Schedule, start); !open {
		start = until
	}
	return !start.IsZero() && now.After(start.Add(lateGrace))
}
