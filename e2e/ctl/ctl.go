package ctl

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Exit codes of the contract.
const (
	Done    = 0
	Some    = 1 // some recipients failed or are unknown
	Usage   = 2 // wrong use or bad input
	Stopped = 3 // the run was stopped early
)

// Timeout bounds one call: a test must never hang.
const Timeout = 2 * time.Minute

var (
	built   sync.Once
	program string
	problem error
)

// Binary is the program: the one that HONGYANCTL names, else one that is built once for this test run.
func Binary(tb testing.TB) string {
	tb.Helper()
	built.Do(func() {
		if program = os.Getenv("HONGYANCTL"); program != "" {
			program, problem = filepath.Abs(program)
			return
		}
		_, self, _, _ := runtime.Caller(0)
		dir, err := os.MkdirTemp("", "hongyanctl-")
		if err != nil {
			problem = err
			return
		}
		program = filepath.Join(dir, "hongyanctl")
		cmd := exec.Command("go", "build", "-o", program, "./cmd/hongyanctl")
		cmd.Dir = filepath.Join(filepath.Dir(self), "..", "..")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			problem = errors.New("hongyanctl does not build: " + string(out))
		}
	})
	if problem != nil {
		tb.Fatal(problem)
	}
	return program
}

// Clean removes what Binary built; TestMain calls it at the end.
func Clean() {
	if program != "" && os.Getenv("HONGYANCTL") == "" {
		_ = os.RemoveAll(filepath.Dir(program))
	}
}

// Ctl is hongyanctl on one data folder.
type Ctl struct {
	Data string
	Env  []string // after those that New sets
	tb   testing.TB
	bin  string
}

// Passphrase opens the secrets file of the tests: there is no keychain in their environment.
const Passphrase = "鸿雁 passphrase of the tests"

// New makes a fresh data folder.
func New(tb testing.TB) *Ctl {
	tb.Helper()
	home := tb.TempDir()
	return &Ctl{Data: filepath.Join(home, "data"), tb: tb, bin: Binary(tb), Env: []string{
		"HOME=" + home, "XDG_CONFIG_HOME=" + home, "TMPDIR=" + home, "PATH=/usr/bin:/bin", "LANG=en_US.UTF-8",
		"HONGYAN_PASSPHRASE=" + Passphrase,
	}}
}

// Result is how a call ended.
type Result struct {
	tb       testing.TB
	Args     []string
	Code     int // -1: killed by a signal
	Out, Err string
}

// Run calls hongyanctl with --data in front of the flags and waits.
func (c *Ctl) Run(args ...string) Result {
	c.tb.Helper()
	return c.RunIn("", args...)
}

// RunIn is Run with a standard input.
func (c *Ctl) RunIn(stdin string, args ...string) Result {
	c.tb.Helper()
	return c.Start(stdin, args...).Wait()
}

// output may be read while the call goes on.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// Proc is a call under way.
type Proc struct {
	cmd      *exec.Cmd
	out, err output
	stop     context.CancelFunc
	done     chan struct{}
	res      Result
}

// Start calls hongyanctl and does not wait. The call is killed at the end of the test.
func (c *Ctl) Start(stdin string, args ...string) *Proc {
	c.tb.Helper()
	return c.StartRaw(stdin, append(args, "--data", c.Data)...)
}

// StartRaw is Start with the arguments as they are.
func (c *Ctl) StartRaw(stdin string, args ...string) *Proc {
	c.tb.Helper()
	ctx, stop := context.WithTimeout(context.Background(), Timeout)
	p := &Proc{cmd: exec.CommandContext(ctx, c.bin, args...), stop: stop, done: make(chan struct{})}
	p.cmd.Env = c.Env
	p.cmd.Stdin = strings.NewReader(stdin)
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.err
	p.cmd.WaitDelay = 5 * time.Second
	p.res = Result{tb: c.tb, Args: args}
	if err := p.cmd.Start(); err != nil {
		stop()
		c.tb.Fatal(err)
	}
	go func() {
		defer close(p.done)
		err := p.cmd.Wait()
		p.res.Code, p.res.Out, p.res.Err = p.cmd.ProcessState.ExitCode(), p.out.String(), p.err.String()
		if ctx.Err() != nil {
			p.res.Err += "\n(ended by the test)"
		} else if _, exit := errors.AsType[*exec.ExitError](err); err != nil && !exit {
			p.res.Err += "\n(" + err.Error() + ")"
		}
	}()
	c.tb.Cleanup(func() { stop(); <-p.done })
	return p
}

// Wait waits for the end.
func (p *Proc) Wait() Result {
	<-p.done
	return p.res
}

// Output is what it printed so far.
func (p *Proc) Output() string { return p.out.String() }

// PID is the process of the call.
func (p *Proc) PID() int { return p.cmd.Process.Pid }

// Ended says whether the call is over.
func (p *Proc) Ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// Kill is kill -9; it waits until the process is gone.
func (p *Proc) Kill() { _ = p.cmd.Process.Kill(); <-p.done }

// Interrupt is what Ctrl+C does.
func (p *Proc) Interrupt() { _ = p.cmd.Process.Signal(syscall.SIGINT) }

// Want asserts the exit code.
func (r Result) Want(code int) Result {
	r.tb.Helper()
	if r.Code != code {
		r.tb.Fatalf("hongyanctl %s: exit %d, want %d\nout: %s\nerr: %s", strings.Join(r.Args, " "), r.Code, code, tail(r.Out), tail(r.Err))
	}
	return r
}

func tail(s string) string {
	if len(s) > 4000 {
		return "..." + s[len(s)-4000:]
	}
	return s
}

// JSON reads the last line of the output into v, strictly: a key that v does not know is an error.
func (r Result) JSON(v any) {
	r.tb.Helper()
	r.json(v, true)
}

// JSONLoose reads of the last line of the output what v knows.
func (r Result) JSONLoose(v any) {
	r.tb.Helper()
	r.json(v, false)
}

func (r Result) json(v any, strict bool) {
	r.tb.Helper()
	lines := strings.Split(strings.TrimSpace(r.Out), "\n")
	d := json.NewDecoder(strings.NewReader(lines[len(lines)-1]))
	if strict {
		d.DisallowUnknownFields()
	}
	if err := d.Decode(v); err != nil {
		r.tb.Fatalf("hongyanctl %s: %v\nout: %s\nerr: %s", strings.Join(r.Args, " "), err, tail(r.Out), tail(r.Err))
	}
}

// Counts is the last line of campaign status --json.
type Counts struct {
	Campaign   string `json:"campaign"`
	State      string `json:"state"`
	Total      int    `json:"total"`
	Queued     int    `json:"queued"`
	Attempting int    `json:"attempting"`
	Accepted   int    `json:"accepted"`
	Deferred   int    `json:"deferred"`
	Rejected   int    `json:"rejected"`
	Unknown    int    `json:"unknown"`
	Skipped    int    `json:"skipped"`
}

// Status asks how a campaign stands, and asserts that the counts add up.
func (c *Ctl) Status(campaign string) Counts {
	c.tb.Helper()
	var n Counts
	c.Run("campaign", "status", campaign, "--json").Want(Done).JSON(&n)
	if n.Queued+n.Attempting+n.Accepted+n.Deferred+n.Rejected+n.Unknown+n.Skipped != n.Total {
		c.tb.Errorf("the counts do not add up: %+v", n)
	}
	return n
}

// Imported is the last line of import --json.
type Imported struct {
	Read       int     `json:"read"`
	Added      int     `json:"added"`
	Updated    int     `json:"updated"`
	Duplicate  int     `json:"duplicate"`
	Invalid    int     `json:"invalid"`
	Suppressed int     `json:"suppressed"`
	Charset    string  `json:"charset"`
	Seconds    float64 `json:"seconds"`
}

// Contact is a line of list show --json.
type Contact struct {
	Email   string            `json:"email"`
	Address string            `json:"address"`
	Name    string            `json:"name"`
	Fields  map[string]string `json:"fields"`
	Source  string            `json:"source"`
	Consent string            `json:"consent"`
}

// Contacts reads a list.
func (c *Ctl) Contacts(list string) []Contact {
	c.tb.Helper()
	var all []Contact
	out := c.Run("list", "show", list, "--json").Want(Done).Out
	for line := range strings.Lines(out) {
		var p Contact
		if err := json.Unmarshal([]byte(line), &p); err != nil {
			c.tb.Fatalf("%q: %v", line, err)
		}
		all = append(all, p)
	}
	return all
}

// File writes a file into the folder of the test.
func (c *Ctl) File(name, text string) string {
	c.tb.Helper()
	path := filepath.Join(filepath.Dir(c.Data), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		c.tb.Fatal(err)
	}
	return path
}
