//go:build !windows

package awake

import (
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// command is the system's own tool that holds the machine awake for as long as the program behind it runs. That one
// reads until its input ends, as it does when we release it and when we die.
func command(why string) *exec.Cmd {
	if runtime.GOOS == "darwin" {
		return exec.Command("caffeinate", "-i", "cat")
	}
	// Only falling asleep for want of a user is kept off (systemd-inhibit(1)).
	return exec.Command("systemd-inhibit", "--what=idle", "--mode=block", "--who=Hongyan", "--why="+why, "cat") // #nosec G204 -- a text of ours
}

// endGrace is how long the tool may take to end by itself.
const endGrace = time.Second

// Hold keeps the machine awake until release is called, which may be done more than once, or until the process ends.
// why is shown where the system lists what keeps it awake. Where that cannot be had nothing happens: the letters matter
// more.
func Hold(why string) (release func()) {
	cmd := command(why)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a Ctrl+C is for us: letters under way are finished first
	in, err := cmd.StdinPipe()
	if err != nil || cmd.Start() != nil {
		return func() {}
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // it was refused, or released
		close(ended)
	}()
	return sync.OnceFunc(func() {
		_ = in.Close()
		select {
		case <-ended:
		case <-time.After(endGrace):
			_ = cmd.Process.Kill()
		}
	})
}
