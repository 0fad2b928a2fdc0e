package campaign

import (
	"math/rand/v2"
	"time"

	"hongyan/app/model"
)

// Pace is what an account may do from now on: its limits, its attempts of late (ascending), and when its rest
// ends; a zero Rest means that it may begin at once.
type Pace struct {
	Limits model.Limits
	Recent []time.Time
	Rest   time.Time
}

// Estimate is about how long n letters take under the limits of the accounts, in the hours of a schedule; 0 when
// nothing limits them, or when they will never all go.
func Estimate(now time.Time, accounts []Pace, s model.Schedule, n int) time.Duration {
	lims := make([]*limiter, len(accounts))
	for i, p := range accounts {
		lims[i] = newLimiter(p.Limits, rand.New(rand.NewPCG(0, 0))) // #nosec G404 -- an estimate needs no chance at all
		lims[i].times = p.Recent
	}
	limited := true
	d, ok := shortest(func(d time.Duration) float64 {
		sum := 0.0
		for i, l := range lims {
			c, bounded := l.within(now, d-max(accounts[i].Rest.Sub(now), 0))
			if !bounded {
				limited = false
			}
			sum += c
		}
		return sum
	}, float64(n))
	if !limited || !ok {
		return 0
	}
	return stretch(s, now, d)
}

// shortest is the least time in which can reaches n, to a second; ok is false beyond the horizon.
func shortest(can func(time.Duration) float64, n float64) (d time.Duration, ok bool) {
	if can(horizon) < n {
		return 0, false
	}
	lo, hi := time.Duration(0), horizon
	for hi-lo > time.Second {
		if mid := (lo + hi) / 2; can(mid) >= n {
			hi = mid
		} else {
			lo = mid
		}
	}
	return hi, true
}

// stretch lays a time of sending over the hours in which a schedule lets letters go; 0 when it will not be
// finished in its time.
func stretch(s model.Schedule, now time.Time, work time.Duration) time.Duration {
	t := now
	for range 1000 {
		open, until, expired := gate(s, t)
		switch {
		case expired || !open && until.IsZero():
			return 0
		case open && (until.IsZero() || until.Sub(t) >= work):
			return t.Add(work).Sub(now)
		case open:
			work -= until.Sub(t)
		}
		t = until
	}
	return 0
}
