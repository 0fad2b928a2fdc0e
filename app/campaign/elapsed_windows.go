package campaign

import (
	"time"

	"golang.org/x/sys/windows"
)

// Elapsed implements elapser: GetTickCount64 cannot be set, and counts sleep and hibernation, in steps of about 16 ms.
func (systemClock) Elapsed() time.Duration { return windows.DurationSinceBoot() }
