package campaign

import "time"

const (
	rateBucket  = 5 * time.Second
	rateBuckets = 121 // ten minutes, and the bucket that is being filled
	rateRecent  = 12  // buckets of the last minute
	rateEnough  = 10  // letters within the last minute that make it a good sample
)

// rate counts letters by time, to tell the pace. It is not safe for concurrent use.
type rate struct {
	began  time.Time
	first  int64 // number of the bucket that buckets[first%rateBuckets] holds ... of the newest
	counts [rateBuckets]int
}

func (r *rate) start(now time.Time) {
	*r = rate{began: now, first: bucketOf(now)}
}

func bucketOf(t time.Time) int64 { return t.UnixNano() / int64(rateBucket) }

// roll empties the buckets between the newest and now.
func (r *rate) roll(now time.Time) {
	b := bucketOf(now)
	if b < r.first || b-r.first > rateBuckets { // long ago, or the clock was set back
		r.counts = [rateBuckets]int{}
		if b < r.first {
			r.began = now
		}
	} else {
		for i := r.first + 1; i <= b; i++ {
			r.counts[i%rateBuckets] = 0
		}
	}
	r.first = b
}

func (r *rate) add(now time.Time) {
	r.roll(now)
	r.counts[r.first%rateBuckets]++
}

// perMinute is the pace of the last minute, or of the last ten where a minute holds too few to tell.
func (r *rate) perMinute(now time.Time) float64 {
	r.roll(now)
	recent, all := 0, 0
	for i := range int64(rateBuckets) {
		n := r.counts[((r.first-i)%rateBuckets+rateBuckets)%rateBuckets]
		all += n
		if i <= rateRecent {
			recent += n
		}
	}
	n, span := all, (rateBuckets-1)*rateBucket
	if recent >= rateEnough {
		n, span = recent, rateRecent*rateBucket
	}
	span += time.Duration(now.UnixNano() % int64(rateBucket))
	if since := now.Sub(r.began); since < span {
		span = max(since, time.Second)
	}
	return float64(n) * float64(time.Minute) / float64(span)
}
