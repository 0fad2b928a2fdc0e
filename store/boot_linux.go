package store

import (
	"os"
	"strings"
	"sync"
)

// bootID tells one start of the machine from every other (random(4)); "" where that cannot be told.
var bootID = sync.OnceValue(func() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
})
