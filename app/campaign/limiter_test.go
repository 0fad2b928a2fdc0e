package campaign

import (
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hongyan/app/model"
)

// TestNoWindowHoldsMoreThanItsLimit drives a limiter with letters that begin some time after their grant, or
// never, and forgets it now and then as a restart does; the journal's whole seconds are all that survives.
func TestNoWindowHoldsMoreThanItsLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limits := model.Limits{
			PerMinute: rapid.IntRange(0, 5).Draw(t, "minute"),
			PerHour:   rapid.IntRange(0, 20).Draw(t, "hour"),
			PerDay:    rapid.IntRange(0, 60).Draw(t, "day"),
			GapMin:    time.Duration(rapid.IntRange(0, 30).Draw(t, "gapMin")) * time.Second,
		}
		limits.GapMax = limits.GapMin + time.Duration(rapid.IntRange(0, 30).Draw(t, "gapMore"))*time.Second
		rnd := rand.New(rand.NewPCG(1, 2))
		now := time.Date(2026, 11, 24, 23, 50, 0, 0, time.UTC)
		lim := newLimiter(limits, rnd)
		var begun []time.Time
		reserved := 0
		for range rapid.IntRange(1, 300).Draw(t, "steps") {
			switch rapid.IntRange(0, 9).Draw(t, "step") {
			case 0: // restart: reservations are gone, beginnings come from the journal
				lim, reserved = newLimiter(limits, rnd), 0
				var kept []time.Time
				for _, b := range begun {
					if b.After(now.Add(-lim.history())) {
						kept = append(kept, b.Truncate(time.Second))
					}
				}
				lim.restore(kept)
			case 1:
				if reserved > 0 {
					lim.cancel()
					reserved--
				}
			case 2, 3, 4:
				if reserved > 0 {
					lim.commit(now)
					begun = append(begun, now)
					reserved--
				}
			case 5:
				now = now.Add(time.Duration(rapid.IntRange(0, 4000).Draw(t, "seconds")) * time.Second)
			case 6: // to the very moment that next promises
				if at, known := lim.next(now); known {
					now = at
				}
			default:
				ok, at, known := lim.reserve(now)
				if ok {
					reserved++
				} else if known && !at.After(now) {
					t.Fatalf("refused now, promised for %v at %v", at, now)
				}
			}
			now = now.Add(time.Duration(rapid.IntRange(0, 1500).Draw(t, "ms")) * time.Millisecond)
		}
		for i, b := range begun {
			for _, w := range []window{{time.Minute, limits.PerMinute}, {time.Hour, limits.PerHour}, {24 * time.Hour, limits.PerDay}} {
				if w.limit > 0 && i >= w.limit && b.Sub(begun[i-w.limit]) < w.length {
					t.Fatalf("%d letters within %v, the limit is %d", w.limit+1, b.Sub(begun[i-w.limit]), w.limit)
				}
			}
			if i > 0 && limits.GapMin > time.Second && b.Sub(begun[i-1]) < limits.GapMin-time.Second {
				t.Fatalf("gap of %v, at least %v was asked for", b.Sub(begun[i-1]), limits.GapMin)
			}
		}
	})
}

// TestClockSetBack holds that a clock which was wrong does not block an account for as long as it was wrong.
func TestClockSetBack(t *testing.T) {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	lim := newLimiter(model.Limits{PerMinute: 1, GapMin: time.Second, GapMax: 2 * time.Second}, rand.New(rand.NewPCG(1, 2)))
	if ok, _, _ := lim.reserve(now); !ok {
		t.Fatal("the first letter was refused")
	}
	lim.commit(now)
	now = now.AddDate(-4, 0, 0)
	at, known := lim.next(now)
	if want := now.Add(time.Minute + windowSlack); !known || !at.Equal(want) {
		t.Fatalf("next letter at %v (known %v), want %v", at, known, want)
	}
}

func TestGate(t *testing.T) {
	day := func(d, h int) time.Time { return time.Date(2026, 11, d, h, 0, 0, 0, time.Local) } // 24 Nov 2026 is a Tuesday
	workdays := model.Schedule{Days: []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday}, FromHour: 9, ToHour: 18}
	for _, c := range []struct {
		name    string
		s       model.Schedule
		now     time.Time
		open    bool
		until   time.Time
		expired bool
	}{
		{"no schedule", model.Schedule{}, day(24, 3), true, time.Time{}, false},
		{"before the start", model.Schedule{StartAt: day(25, 9)}, day(24, 3), false, day(25, 9), false},
		{"in hours", workdays, day(24, 10), true, day(24, 18), false},
		{"after hours", workdays, day(24, 18), false, day(25, 9), false},
		{"over the weekend", workdays, day(27, 19), false, day(30, 9), false},
		{"over midnight", model.Schedule{FromHour: 22, ToHour: 6}, day(24, 23), true, day(25, 6), false},
		{"the end comes first", model.Schedule{FromHour: 9, ToHour: 18, StopAfter: day(24, 12)}, day(24, 10), true, day(24, 12), false},
		{"the end is past", model.Schedule{StopAfter: day(24, 12)}, day(24, 12), false, time.Time{}, true},
		{"the end comes while shut", model.Schedule{FromHour: 9, ToHour: 18, StopAfter: day(24, 20)}, day(24, 19), false, time.Time{}, true},
	} {
		open, until, expired := gate(c.s, c.now)
		if open != c.open || !until.Equal(c.until) || expired != c.expired {
			t.Errorf("%s: open %v until %v expired %v, want %v %v %v", c.name, open, until, expired, c.open, c.until, c.expired)
		}
	}
}
