package window

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"hongyan/e2e/proc"
)

// root is the project's folder.
var root = func() string {
	_, self, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(self), "..", "..")
}()

// screen is a virtual screen with one window on it.
type screen struct {
	t     *testing.T
	set   *proc.Set
	env   []string
	app   *proc.Process
	win   string // the window's id
	lang  string
	shots int
}

// program is the window to be driven: the one that HONGYAN names, else one that is built now.
func program(t *testing.T) string {
	t.Helper()
	for _, tool := range []string{"Xvfb", "xdotool", "xclip", "import"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("%s is not installed: make test installs it, or: apt-get install xvfb xdotool xclip imagemagick", tool)
		}
	}
	if bin := os.Getenv("HONGYAN"); bin != "" {
		abs, err := filepath.Abs(bin)
		if err != nil {
			t.Fatal(err)
		}
		return abs
	}
	bin := filepath.Join(t.TempDir(), "hongyan")
	cmd := exec.Command("go", "build", "-tags", "x11,migrated_fynedo", "-o", bin, ".")
	cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("the window does not build: %v\n%s", err, out)
	}
	return bin
}

// open starts a screen and the window in a language, with its practice server and a fresh data folder.
func open(t *testing.T, bin, lang string) (s *screen, data string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "hy-window-")
	if err != nil {
		t.Fatal(err)
	}
	set, err := proc.NewSet(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(set.Outputs())
		}
		if err := set.Stop(); err != nil {
			t.Error(err)
		}
	})
	s = &screen{t: t, set: set, lang: lang}
	base := []string{"HOME=" + dir, "XDG_CONFIG_HOME=" + dir, "XDG_CACHE_HOME=" + dir, "TMPDIR=" + dir, "PATH=/usr/local/bin:/usr/bin:/bin",
		"LANG=C.UTF-8", "LC_ALL=C.UTF-8", "LIBGL_ALWAYS_SOFTWARE=1", "HONGYAN_PASSPHRASE=passphrase of the tests"}
	number := filepath.Join(dir, "display")
	// -displayfd lets the server find a free number; the shell passes the file as descriptor 3.
	x, err := set.Start(base, "/bin/sh", "-c", `exec Xvfb -displayfd 3 -screen 0 1280x800x24 -nolisten tcp -noreset 3>"$0"`, number)
	if err != nil {
		t.Fatal(err)
	}
	s.until("the virtual screen", func() bool {
		select {
		case <-x.Done:
			t.Fatalf("Xvfb ended: %v\n%s", x.Err, x.Output())
		default:
		}
		b, err := os.ReadFile(number)
		if err != nil || !strings.HasSuffix(string(b), "\n") {
			return false
		}
		s.env = append(base, "DISPLAY=:"+strings.TrimSpace(string(b)))
		return true
	})
	data = filepath.Join(dir, "data")
	if s.app, err = set.Start(s.env, bin, "--practice", "--lang", lang, "--data", data); err != nil {
		t.Fatal(err)
	}
	s.until("the window", func() bool {
		s.mustRun()
		id, err := s.try("xdotool", "search", "--onlyvisible", "--name", "鸿雁 Hongyan")
		s.win = strings.TrimSpace(id)
		return err == nil && s.win != "" && !strings.Contains(s.win, "\n")
	})
	s.do("xdotool", "windowfocus", "--sync", s.win)
	return s, data
}

// mustRun fails the test when the window is gone.
func (s *screen) mustRun() {
	s.t.Helper()
	select {
	case <-s.app.Done:
		s.t.Fatalf("the window ended: %v\n%s", s.app.Err, s.app.Output())
	default:
	}
}

// until waits for what the window does; a virtual screen on a busy machine is slow.
func (s *screen) until(what string, ok func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			if s.win != "" {
				s.shot("failed")
			}
			s.t.Fatalf("%s: %s did not happen", s.lang, what)
		}
	}
}

func (s *screen) try(name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = s.env
	out, err := cmd.Output()
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		err = fmt.Errorf("%w: %s", err, e.Stderr)
	}
	return string(out), err
}

func (s *screen) do(name string, args ...string) {
	s.t.Helper()
	if _, err := s.try(name, args...); err != nil {
		s.t.Fatalf("%s %v: %v", name, args, err)
	}
}

// keys presses keys one after the other, and waits until the window has shown that it heard them.
func (s *screen) keys(keys ...string) {
	s.t.Helper()
	before := s.picture()
	s.do("xdotool", append([]string{"key", "--delay", "60"}, keys...)...)
	s.until("an answer to "+strings.Join(keys, " "), func() bool {
		s.mustRun()
		return s.picture() != before
	})
	s.settle()
}

// paste puts text into the clipboard and presses Ctrl+V.
func (s *screen) paste(text string) {
	s.t.Helper()
	file := filepath.Join(s.set.Dir, "clipboard.txt")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	// xclip stays behind to serve the clipboard until another takes it over: a process of the set, not of the test.
	if _, err := s.set.Start(s.env, "/usr/bin/xclip", "-quiet", "-selection", "clipboard", "-in", file); err != nil {
		s.t.Fatal(err)
	}
	s.until("the clipboard", func() bool {
		got, err := s.try("xclip", "-selection", "clipboard", "-out")
		return err == nil && got == text
	})
	s.keys("ctrl+v")
}

// picture is a sum over what is on the screen.
func (s *screen) picture() string {
	s.t.Helper()
	sum, err := s.try("import", "-silent", "-window", "root", "-depth", "8", "-format", "%#", "info:")
	if err != nil || sum == "" {
		s.t.Fatalf("no picture of the screen: %v", err)
	}
	return sum
}

// settle waits until the picture stands still, but for a cursor that blinks.
func (s *screen) settle() {
	s.t.Helper()
	last := s.picture()
	for range 20 {
		s.mustRun()
		time.Sleep(60 * time.Millisecond)
		now := s.picture()
		if now == last {
			return
		}
		last = now
	}
}

// shot takes a picture of the whole screen.
func (s *screen) shot(name string) {
	s.t.Helper()
	dir := filepath.Join(root, "shots")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		s.t.Fatal(err)
	}
	s.shots++
	s.do("import", "-silent", "-window", "root", filepath.Join(dir, fmt.Sprintf("%s-%d-%s.png", s.lang, s.shots, name)))
}

// clear removes the pictures of an earlier run.
func clearShots(t *testing.T) {
	t.Helper()
	old, err := filepath.Glob(filepath.Join(root, "shots", "[ze][hn]-*.png"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range old {
		if err := os.Remove(f); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
}

// quit asks the window to end and asserts that it does so cleanly.
func (s *screen) quit() {
	s.t.Helper()
	if err := s.app.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	select {
	case <-s.app.Done:
		if s.app.Err != nil {
			s.t.Errorf("the window ended with %v\n%s", s.app.Err, s.app.Output())
		}
	case <-time.After(30 * time.Second):
		s.t.Error("the window did not end")
	}
}
