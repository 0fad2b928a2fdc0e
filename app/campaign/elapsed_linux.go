package campaign

import (
	"time"

	"golang.org/x/sys/unix"
)

// Elapsed implements elapser: CLOCK_BOOTTIME cannot be set, and goes on in suspend (clock_gettime(2)).
func (systemClock) Elapsed() time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &t) != nil {
		return 0
	}
	return time.Duration(t.Nano())
}
