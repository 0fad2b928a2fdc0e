package campaign

import (
	"sync"
	"time"
)

// Clock is the wall clock and timers of a runner, so that tests can hold time in their hands.
type Clock interface {
	// Now is the wall clock, without a monotonic reading: what the journal keeps across restarts and sleep is
	// told by the wall. A Clock that is an elapser too tells how much of that truly passed.
	Now() time.Time
	// After gives a channel that receives once d has passed, and a func that gives the timer up.
	After(d time.Duration) (<-chan time.Time, func())
}

// SystemClock is the machine's clock.
func SystemClock() Clock { return systemClock{} }

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now().Round(0) }

var begun = time.Now()

// Steady is Go's monotonic count; with Elapsed, systemClock is an elapser.
func (systemClock) Steady() time.Duration { return time.Since(begun) }

func (systemClock) After(d time.Duration) (<-chan time.Time, func()) {
	t := time.NewTimer(d)
	return t.C, func() { t.Stop() }
}

// signal wakes everybody who waits: take C before looking at the state that it guards.
type signal struct {
	mu sync.Mutex
	ch chan struct{}
}

func (s *signal) C() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ch == nil {
		s.ch = make(chan struct{})
	}
	return s.ch
}

func (s *signal) broadcast() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ch != nil {
		close(s.ch)
		s.ch = nil
	}
}

const (
	// jumpTick is how often the wall clock is compared with the monotonic one.
	jumpTick = 5 * time.Second
	// jumpLimit is the gap between the two above which the machine must have slept, or its clock was set.
	jumpLimit = 30 * time.Second
)

// watchJumps calls f whenever the wall clock and the timers disagree by more than jumpLimit: the machine
// slept (timers stop in suspend) or somebody set the clock.
func watchJumps(clk Clock, done <-chan struct{}, f func()) {
	last := clk.Now()
	for {
		t, stop := clk.After(jumpTick)
		select {
		case <-done:
			stop()
			return
		case <-t:
		}
		now := clk.Now()
		if gap := now.Sub(last) - jumpTick; gap > jumpLimit || gap < -jumpLimit {
			f()
		}
		last = now
	}
}
