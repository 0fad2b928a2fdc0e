package mailserver

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// process is a program that leads a process group of its own: what it starts ends with it.
type process struct {
	name string
	cmd  *exec.Cmd
	out  string // file of what it prints
	done chan struct{}
	err  error // once done is closed
}

func (s *Server) run(path string, args ...string) (*process, error) {
	p := &process{name: filepath.Base(path), done: make(chan struct{})}
	p.out = filepath.Join(s.dir, "log", p.name+".out")
	// A file and not a pipe: Wait would wait for every child that holds a pipe.
	out, err := os.Create(p.out)
	if err != nil {
		return nil, err
	}
	defer func() { _ = out.Close() }()
	// Postfix closes every descriptor that it may have; where a container allows a billion it takes seconds.
	// #nosec G204 -- the system's own program
	p.cmd = exec.Command("/bin/sh", append([]string{"-c", `ulimit -n 4096; exec "$0" "$@"`, path}, args...)...)
	p.cmd.Dir = s.dir
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	s.procs = append(s.procs, p)
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	return p, s.guard.watch(p.cmd.Process.Pid)
}

func (p *process) output() string {
	b, err := os.ReadFile(p.out)
	if err != nil {
		return ""
	}
	return string(b)
}

// stop ends the whole process group, and returns when it is gone. Nothing that it could still write is wanted.
func (p *process) stop() error {
	group := p.cmd.Process.Pid
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		_ = syscall.Kill(-group, syscall.SIGKILL)
		if !alive(group) {
			<-p.done
			return nil
		}
	}
	return fmt.Errorf("%s: some of its processes did not end", p.name)
}

// alive says whether a process of the group still runs. Asking with signal 0 is not enough: an orphan that has ended
// stays a zombie until the first process of the machine reaps it, which in a container may be never.
func alive(group int) bool {
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
		if len(f) > 2 && f[2] == itoa(group) && f[0] != "Z" && f[0] != "X" {
			return true
		}
	}
	return false
}

// watchdog is a small process that ends the groups it was told of, and removes the folder, once the process
// that made it is gone, however that went.
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
