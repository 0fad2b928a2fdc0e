package awake

import (
	"runtime"
	"sync"

	"golang.org/x/sys/windows"
)

// The flags of SetThreadExecutionState (learn.microsoft.com/windows/win32/api/winbase).
const (
	continuous     = 0x80000000
	systemRequired = 0x00000001
)

var setThreadExecutionState = windows.NewLazySystemDLL("kernel32.dll").NewProc("SetThreadExecutionState")

// Hold keeps the machine awake until release is called, which may be done more than once, or until the process ends. The
// state belongs to a thread, so one is kept for it.
func Hold(string) (release func()) {
	end := make(chan struct{})
	go func() {
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		_, _, _ = setThreadExecutionState.Call(continuous | systemRequired)
		<-end
		_, _, _ = setThreadExecutionState.Call(continuous)
	}()
	return sync.OnceFunc(func() { close(end) })
}
