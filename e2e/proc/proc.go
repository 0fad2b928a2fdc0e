package proc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Set is a temporary folder and the programs that work in it.
type Set struct {
	Dir   string
	procs []*Process
	guard *watchdog
}

// NewSet takes over dir, which must exist: Stop removes it.
func NewSet(dir string) (*Set, error) {
	g, err := newWatchdog(dir)
	if err != nil {
		return nil, err
	}
	return &Set{Dir: dir, guard: g}, nil
}

// Process is a program that leads a process group: what it starts ends with it.
type Process struct {
	Name string
	Done chan struct{} // closed when it has ended
	Err  error         // once Done is closed

	cmd *exec.Cmd
	out string // file of what it prints
}

// Start runs a program with env as its whole environment. What it prints goes to a file of the folder.
func (s *Set) Start(env []string, path string, args ...string) (*Process, error) {
	p := &Process{Name: filepath.Base(path), Done: make(chan struct{})}
	p.out = filepath.Join(s.Dir, fmt.Sprintf("%s.%d.out", p.Name, len(s.procs)))
	// A file and not a pipe: Wait would wait for every child that holds a pipe.
	out, err := os.Create(p.out)
	if err != nil {
		return nil, err
	}
	defer func() { _ = out.Close() }()
	// Postfix closes every descriptor that it may have; where a container allows a billion it takes seconds.
	p.cmd = exec.Command("/bin/sh", append([]string{"-c", `ulimit -n 4096; exec "$0" "$@"`, path}, args...)...)
	p.cmd.Dir, p.cmd.Env = s.Dir, env
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	s.procs = append(s.procs, p)
	go func() {
		p.Err = p.cmd.Wait()
		close(p.Done)
	}()
	return p, s.guard.watch(p.cmd.Process.Pid)
}

// PID is the process group too.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Signal sends a signal to the program alone.
func (p *Process) Signal(sig os.Signal) error { return p.cmd.Process.Signal(sig) }

// Output is what it printed so far.
func (p *Process) Output() string {
	b, err := os.ReadFile(p.out)
	if err != nil {
		return ""
	}
	return string(b)
}

// Outputs is what all programs printed, for a test that failed.
func (s *Set) Outputs() string {
	var b strings.Builder
	for _, p := range s.procs {
		if out := p.Output(); out != "" {
			fmt.Fprintf(&b, "-- %s said:\n%s\n", p.Name, out)
		}
	}
	return b.String()
}

// Stop ends all programs, the last started first, and removes the folder.
func (s *Set) Stop() error {
	var err error
	for i := len(s.procs) - 1; i >= 0; i-- {
		err = errors.Join(err, s.procs[i].Stop())
	}
	s.procs = nil
	if s.Dir != "" {
		err = errors.Join(err, removeAll(s.Dir))
		s.Dir = ""
	}
	s.guard.dismiss()
	return err
}

// Stop kills the whole process group, and returns when it is gone. Nothing that it could still write is wanted.
func (p *Process) Stop() error {
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		_ = syscall.Kill(-p.PID(), syscall.SIGKILL)
		if !Alive(p.PID()) {
			<-p.Done
			return nil
		}
	}
	return fmt.Errorf("%s: some of its processes did not end", p.Name)
}

// Alive says whether a process of the group still runs. Asking with signal 0 is not enough: an orphan that has ended
// stays a zombie until the first process of the machine reaps it, which in a container may be never.
func Alive(group int) bool {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return false
	}
	for _, path := range stats {
		b, err := os.ReadFile(path)
		if err != nil {
			continue // ended meanwhile
		}
		// The name, in brackets, may hold anything; behind it: state, parent, group.
		f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
		if len(f) > 2 && f[2] == strconv.Itoa(group) && f[0] != "Z" && f[0] != "X" {
			return true
		}
	}
	return false
}

// removeAll removes the folder; a daemon that is just ending may still make a file in it.
func removeAll(dir string) error {
	err := os.RemoveAll(dir)
	for range 20 {
		if err == nil || !errors.Is(err, syscall.ENOTEMPTY) {
			break
		}
		err = os.RemoveAll(dir)
	}
	return err
}

// watchdog is a small process that ends the groups it was told of, and removes the folder, once the process
// that made it is gone.
type watchdog struct {
	cmd *exec.Cmd
	in  io.WriteCloser
}

// guardScript reads a group a line. "done" says that all is cleaned up already.
const guardScript = `groups=
while read -r g; do
	[ "$g" != done ] || exit 0
	groups="$groups -$g"
done
[ -z "$groups" ] || kill -s KILL -- $groups
until rm -rf -- "$1"; do sleep 0.1; done`

func newWatchdog(dir string) (*watchdog, error) {
	cmd := exec.Command("/bin/sh", "-c", guardScript, "sh", dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // an interrupt at the terminal must not end it first
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	return &watchdog{cmd, in}, cmd.Start()
}

func (w *watchdog) watch(group int) error {
	_, err := fmt.Fprintln(w.in, group)
	return err
}

func (w *watchdog) dismiss() {
	if w == nil || w.in == nil {
		return
	}
	_, _ = io.WriteString(w.in, "done\n")
	_ = w.in.Close()
	w.in = nil
	_ = w.cmd.Wait()
}
