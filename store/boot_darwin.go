package store

import (
	"sync"
	"syscall"
)

// bootID tells one start of the machine from every other; "" where that cannot be told.
var bootID = sync.OnceValue(func() string {
	id, err := syscall.Sysctl("kern.bootsessionuuid")
	if err != nil {
		return ""
	}
	return id
})
