package campaign

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"hongyan/app/model"
)

// setClock is a wall clock that can be set, beside the time that truly passes.
type setClock struct {
	wall    time.Time
	elapsed time.Duration
	asleep  time.Duration // of elapsed
	stall   time.Duration // the process is held up for so long around the next reading of the wall clock
}

func (c *setClock) Now() time.Time {
	c.pass(c.stall / 2)
	wall := c.wall
	c.pass(c.stall / 2)
	c.stall = 0
	return wall
}

func (c *setClock) Elapsed() time.Duration                         { return c.elapsed }
func (c *setClock) Steady() time.Duration                          { return c.elapsed - c.asleep }
func (c *setClock) After(time.Duration) (<-chan time.Time, func()) { return nil, func() {} }
func (c *setClock) pass(d time.Duration)                           { c.wall, c.elapsed = c.wall.Add(d), c.elapsed+d }

// wallOnly is a clock that cannot tell what truly passed.
type wallOnly struct{ *setClock }

func (wallOnly) Elapsed() {}

// TestTrueTime sets the wall clock at random, by a little and by years: true time keeps to what passed within its slack,
// and what the journal kept by the wall clock is never taken for older than it is.
func TestTrueTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		begun := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
		clk := &setClock{wall: begun, elapsed: time.Hour}
		truth := newTrueTime(clk)
		var stamps []time.Time // in the order of their true times
		var happened []time.Time
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			by := time.Duration(rapid.IntRange(1, 20_000_000).Draw(t, "ms")) * time.Millisecond
			stall := time.Duration(0)
			switch rapid.IntRange(0, 9).Draw(t, "step") {
			case 0:
				clk.wall = clk.wall.Add(by)
			case 1:
				clk.wall = clk.wall.Add(-by)
			case 2:
				clk.wall = clk.wall.Add(by % (50 * time.Millisecond)) // as a time server does
			case 3:
				stall = by
			case 5:
				clk.pass(by)
				clk.asleep += by
			case 6: // so little that the cheap count is believed
				clk.pass(by % (glance / 2))
			case 4: // just as the wall clock is set
				clk.wall, stall = clk.wall.Add(by), by/2
			default:
				clk.pass(by / 10)
			}
			clk.stall = stall
			now, wall := truth.both()
			want := begun.Add(clk.elapsed - time.Hour)
			if d := now.Sub(want); d > truthSlack+glanceSlack || d < -truthSlack-glanceSlack-stall {
				t.Fatalf("true time is %v off", d)
			}
			if stall == 0 && !wall.Equal(clk.wall) || !truth.wall(now).Equal(wall) || !truth.due(wall).Equal(now) {
				t.Fatalf("the wall clock shows %v, not %v or %v", clk.wall, wall, truth.wall(now))
			}
			stamps, happened = append(stamps, wall.Truncate(time.Millisecond)), append(happened, now)
		}
		now := truth.now()
		for i, s := range stamps {
			was := truth.past(s)
			if i > 0 && stamps[i-1].Before(s) && truth.past(stamps[i-1]).After(was) {
				t.Fatalf("%v is taken for later than %v", stamps[i-1], s)
			}
			if now.Sub(happened[i]) > spansKept {
				continue
			}
			if was.Before(happened[i].Add(-truthSlack - 2*time.Millisecond)) {
				t.Fatalf("what happened at %v is taken for %v", happened[i], was)
			}
			if e := truth.earliest(happened[i]); e.After(s.Add(truthSlack + 2*time.Millisecond)) {
				t.Fatalf("from %v on nothing would be found of %v", e, s)
			}
		}
	})
}

// TestAStallIsNoClockThatWasSet: a process that is held up while it reads the clocks learns nothing wrong.
func TestAStallIsNoClockThatWasSet(t *testing.T) {
	clk := &setClock{wall: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC), elapsed: time.Hour}
	truth := newTrueTime(clk)
	clk.stall = time.Minute
	now, wall := truth.both()
	if !now.Equal(wall) || len(truth.spans) != 1 {
		t.Errorf("%v is %v by the wall clock; %+v", now, wall, truth.spans)
	}
}

// TestWithoutACountTheWallIsBelieved: where true time cannot be told, it is the wall clock's.
func TestWithoutACountTheWallIsBelieved(t *testing.T) {
	clk := wallOnly{&setClock{wall: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)}}
	truth := newTrueTime(clk)
	clk.wall = clk.wall.Add(time.Hour)
	c := model.Clock{State: model.ClockResting, At: clk.wall, Until: clk.wall.Add(time.Minute)}
	if now := truth.now(); !now.Equal(clk.wall) || truth.stored(truth.clock(c)) != c {
		t.Errorf("%v, want %v", now, clk.wall)
	}
}

// TestTheSystemTellsTrueTime: on the systems that Hongyan is made for the count is there, and it counts.
func TestTheSystemTellsTrueTime(t *testing.T) {
	e, ok := SystemClock().(elapser)
	if !ok {
		t.Skip("no count that Go can read")
	}
	begun, first := time.Now(), e.Elapsed()
	time.Sleep(20 * time.Millisecond)
	d, passed := e.Elapsed()-first, time.Since(begun)
	if first <= 0 || d <= 0 || d > passed+20*time.Millisecond {
		t.Errorf("%v, and %v of %v later", first, d, passed)
	}
}
