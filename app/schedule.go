package app

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"hongyan/app/model"
)

// ScheduleText is a schedule as a person writes it; empty parts do not bound anything.
type ScheduleText struct {
	StartAt, StopAfter string // "2026-11-25 09:00", or "09:00" for the next such time
	Days               string // "mon-fri", "mon,wed", "1-5", "周一,周三"
	Hours              string // "9-18": from nine until just before eighteen, local time
	PerDomain          string // letters a minute to one recipient domain
}

// Parse reads a schedule; now is what times of day are counted from. EInvalid names the part that cannot be read.
func (s ScheduleText) Parse(now time.Time) (sch model.Schedule, err error) {
	if sch.StartAt, err = moment("start-at", s.StartAt, now); err != nil {
		return sch, err
	}
	if sch.StopAfter, err = moment("stop-after", s.StopAfter, now); err != nil {
		return sch, err
	}
	if !sch.StopAfter.IsZero() && !sch.StopAfter.After(now) || !sch.StopAfter.IsZero() && !sch.StopAfter.After(sch.StartAt) {
		return sch, invalid("stop-after", s.StopAfter)
	}
	if sch.Days, err = weekdays(s.Days); err != nil {
		return sch, err
	}
	if sch.FromHour, sch.ToHour, err = hours(s.Hours); err != nil {
		return sch, err
	}
	if text := strings.TrimSpace(s.PerDomain); text != "" {
		if sch.DomainPerMinute, err = strconv.Atoi(text); err != nil || sch.DomainPerMinute < 0 {
			return sch, invalid("per-domain", text)
		}
	}
	return sch, nil
}

func moment(field, text string, now time.Time) (time.Time, error) {
	if text = strings.TrimSpace(text); text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{"2006-01-02 15:04", "2006-01-02T15:04", "2006/1/2 15:04", time.RFC3339} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return t, nil
		}
	}
	t, err := time.ParseInLocation("15:04", text, time.Local)
	if err != nil {
		return time.Time{}, invalid(field, text)
	}
	l := now.Local()
	at := time.Date(l.Year(), l.Month(), l.Day(), t.Hour(), t.Minute(), 0, 0, time.Local)
	if !at.After(now) {
		at = time.Date(l.Year(), l.Month(), l.Day()+1, t.Hour(), t.Minute(), 0, 0, time.Local)
	}
	return at, nil
}

// dayNames are the ways to write the days, Sunday first as time.Weekday counts.
var dayNames = [7][]string{
	{"sun", "sunday", "0", "7", "周日", "周天", "星期日"}, {"mon", "monday", "1", "周一", "星期一"}, {"tue", "tuesday", "2", "周二", "星期二"},
	{"wed", "wednesday", "3", "周三", "星期三"}, {"thu", "thursday", "4", "周四", "星期四"}, {"fri", "friday", "5", "周五", "星期五"},
	{"sat", "saturday", "6", "周六", "星期六"},
}

func weekday(s string) (time.Weekday, bool) {
	for d, names := range dayNames {
		if slices.Contains(names, strings.ToLower(strings.TrimSpace(s))) {
			return time.Weekday(d), true
		}
	}
	return 0, false
}

func weekdays(text string) ([]time.Weekday, error) {
	var days []time.Weekday
	add := func(d time.Weekday) {
		if !slices.Contains(days, d) {
			days = append(days, d)
		}
	}
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(",，、; ", r) }) {
		from, to, ranged := strings.Cut(part, "-")
		first, ok := weekday(from)
		last := first
		if ranged && ok {
			last, ok = weekday(to)
		}
		if !ok {
			return nil, invalid("days", text)
		}
		for d := first; ; d = (d + 1) % 7 {
			add(d)
			if d == last {
				break
			}
		}
	}
	return days, nil
}

func hours(text string) (from, to int, err error) {
	if text = strings.TrimSpace(text); text == "" {
		return 0, 0, nil
	}
	a, b, ok := strings.Cut(text, "-")
	from, err1 := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(a), ":00"))
	to, err2 := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(b), ":00"))
	if !ok || err1 != nil || err2 != nil || from < 0 || from > 23 || to < 1 || to > 24 || from == to {
		return 0, 0, invalid("hours", text)
	}
	return from, to % 24, nil
}
