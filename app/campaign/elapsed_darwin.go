package campaign

import (
	"time"

	"golang.org/x/sys/unix"
)

// Elapsed implements elapser: CLOCK_MONOTONIC_RAW cannot be set, and goes on in sleep, as mach_continuous_time does.
// The clock of Go's runtime, mach_absolute_time, stops there.
func (systemClock) Elapsed() time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC_RAW, &t) != nil {
		return 0
	}
	return time.Duration(t.Nano())
}
