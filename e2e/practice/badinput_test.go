package practice

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unicode"

	"hongyan/e2e/ctl"
	"hongyan/smtpx/smtptest"
)

func han(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) })
}

// usageOrStopped stands for either: what is wrong with a folder may be its owner's choice of it, or not.
const usageOrStopped = -2

// sentence asserts that a refusal is one clear line on the error stream, in the language asked for.
func sentence(t *testing.T, r ctl.Result, lang string, code int, words ...string) {
	t.Helper()
	text := strings.TrimSpace(r.Err)
	if r.Code != code && (code != usageOrStopped || r.Code != ctl.Usage && r.Code != ctl.Stopped) {
		t.Errorf("%v: exit %d, want %d: %s%s", r.Args, r.Code, code, r.Out, r.Err)
	}
	if text == "" || strings.Contains(text, "\n") || !strings.HasPrefix(text, "hongyanctl: ") {
		t.Errorf("%v: not one line: %q", r.Args, r.Err)
	}
	if han(text) != (lang == "zh") {
		t.Errorf("%v: not in %s: %s", r.Args, lang, text)
	}
	plain(t, r)
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("%v: no %q in: %s", r.Args, w, text)
		}
	}
}

// plain asserts that nothing of the program's inside is shown.
func plain(t *testing.T, r ctl.Result) {
	t.Helper()
	for _, inside := range []string{"panic", "goroutine", ".go:", "runtime error", "SQLITE", "path=", "I/O error", "internal error", "%!"} {
		if strings.Contains(r.Err, inside) {
			t.Errorf("%v shows %q: %s", r.Args, inside, r.Err)
		}
	}
	if hole.MatchString(r.Err) {
		t.Errorf("%v leaves a hole in a sentence: %s", r.Args, r.Err)
	}
}

// hole is an argument of a sentence that nobody filled in: {path}, but not {{name}}, which is a field of a letter.
var hole = regexp.MustCompile(`(^|[^{])\{[a-z_]+\}($|[^}])`)

var languages = map[string]string{"zh": "zh_CN.UTF-8", "en": "en_US.UTF-8"}

func TestFilesThatCannotBeImported(t *testing.T) {
	t.Parallel()
	c := ctl.New(t)
	people(t, c, 1)
	huge := c.File("huge.csv", "")
	if err := os.Truncate(huge, 2<<30); err != nil {
		t.Fatal(err)
	}
	noise := make([]byte, 20_000)
	for i := range noise {
		noise[i] = byte(rand.New(rand.NewPCG(1, uint64(i))).Uint32())
	}
	for name, path := range map[string]string{
		"empty": c.File("empty.csv", ""), "folder": t.TempDir(), "huge": huge, "binary": c.File("photo.csv", "\x89PNG\r\n\x1a\n"+string(noise)),
		"missing": filepath.Join(t.TempDir(), "missing.csv"), "nothing": c.File("nothing.txt", "no address here\n"),
		"zeros": c.File("zeros.csv", strings.Repeat("\x00", 5000)),
	} {
		for lang, env := range languages {
			c.Env = append(c.Env, "LANG="+env)
			sentence(t, c.Run("import", path, "--list", "people", "--source", "s", "--consent", "c"), lang, ctl.Usage, filepath.Base(path))
		}
		sentence(t, c.Run("import", path, "--list", "new", "--source", "s", "--consent", "c", "--lang", "zh"), "zh", ctl.Usage)
		t.Log(name)
	}
	sentence(t, c.Run("import", c.File("a.txt", "a@example.com"), "--list", "people", "--lang", "en"), "en", ctl.Usage)
	if n := len(c.Contacts("people")); n != 1 {
		t.Errorf("%d people: something of a bad file came in", n)
	}
	if r := c.Run("list"); strings.Contains(r.Out, "new") {
		t.Errorf("a refused import left its list:\n%s", r.Out)
	}
}

func TestLettersThatCannotBeSent(t *testing.T) {
	t.Parallel()
	s := start(t, smtptest.Options{})
	c := setup(t, s, 1)
	for _, bad := range []struct{ text, zh, en string }{
		{"", "l.md", "l.md"},
		{"---\nsubject: x {{nix}}\n---\nhello\n", "nix", "nix"},
		{"---\nsubject: hello\n---\nhello {{city\n", "1", "1"},
		{"---\nsubject: hello\n", "3", "3"},
		{"---\nsubject: hello\n---\n\x00\x01", "l.md", "l.md"},
		{"---\nsubject: \n---\nhello\n", "", ""},
	} {
		file := c.File("l.md", bad.text)
		for lang, word := range map[string]string{"zh": bad.zh, "en": bad.en} {
			r := c.Run("send", "--name", "bad", "--list", "people", "--letter", file, "--account", "me", "--lang", lang)
			if r.Code != ctl.Usage || r.Err == "" || !strings.Contains(r.Err, word) || han(r.Err) != (lang == "zh") {
				t.Errorf("%q, %s: exit %d: %s", bad.text, lang, r.Code, r.Err)
			}
			plain(t, r)
		}
	}
	if s.Count() != 0 {
		t.Errorf("%d letters went out", s.Count())
	}
}

func TestNamesThatDoNotExist(t *testing.T) {
	t.Parallel()
	s := start(t, smtptest.Options{})
	c := setup(t, s, 1)
	file := c.Data + "/../letter.md"
	for lang := range languages {
		for _, args := range [][]string{
			{"campaign", "status", "nowhere"}, {"campaign", "run", "nowhere"}, {"campaign", "retry", "nowhere", "--failed"}, {"list", "show", "nowhere"},
			{"account", "test", "nowhere"}, {"account", "remove", "nowhere"}, {"report", "nowhere", "--to", "x.csv"},
			{"send", "--list", "nowhere", "--letter", file, "--account", "me"}, {"send", "--list", "people", "--letter", file, "--account", "nowhere"},
		} {
			r := c.Run(append(args, "--lang", lang)...)
			sentence(t, r, lang, ctl.Usage, "nowhere")
			if rest := strings.NewReplacer("hongyanctl", "", "nowhere", "").Replace(r.Err); lang == "zh" && strings.ContainsAny(rest, "abcdefghijklmnopqrstuvwxyz") {
				t.Errorf("%v mixes languages: %s", r.Args, r.Err)
			}
		}
		sentence(t, c.Run("account", "add", "--name", "x", "--from", "a@example.org", "--host", "mail.example.org", "--tls", "none", "--no-auth", "--lang", lang), lang, ctl.Usage, "mail.example.org")
		sentence(t, c.Run("account", "add", "--name", "x", "--from", "not an address", "--host", "mail.example.org", "--tls", "implicit", "--no-auth", "--lang", lang), lang, ctl.Usage, "not an address")
	}
	for _, args := range [][]string{{"frobnicate"}, {"send"}, {"list", "--frob"}, {"campaign", "retry", "c"}, {"import"}, {"report", "c"}, {"campaign", "create"}} {
		if r := c.Run(args...); r.Code != ctl.Usage || strings.TrimSpace(r.Err) == "" || strings.Count(r.Err, "\n") != 1 {
			t.Errorf("%v: exit %d: %s", args, r.Code, r.Err)
		}
	}
}

// serve answers each connection with a line, or with silence.
func serve(t *testing.T, line string) (port string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, line)
			t.Cleanup(func() { _ = conn.Close() })
		}
	}()
	t.Cleanup(func() { _ = l.Close() })
	_, port, _ = net.SplitHostPort(l.Addr().String())
	return port
}

// closed is a port that nobody listens on.
func closed(t *testing.T) (port string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ = net.SplitHostPort(l.Addr().String())
	_ = l.Close()
	return port
}

func TestServersThatAreNone(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]struct{ host, port, tls, zh, en string }{
		"no such host":     {"no-such-host.invalid", "465", "implicit", "no-such-host.invalid", "no-such-host.invalid"},
		"closed port":      {"127.0.0.1", closed(t), "starttls", "端口", "port"},
		"web server":       {"127.0.0.1", serve(t, "HTTP/1.1 400 Bad Request\r\n\r\n"), "none", "不是", "not"},
		"another language": {"127.0.0.1", serve(t, "SSH-2.0-OpenSSH_9.2\r\n"), "starttls", "不是", "not"},
		"plain for TLS":    {"127.0.0.1", serve(t, "220 mail.example.com ESMTP\r\n"), "implicit", "TLS", "TLS"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := ctl.New(t)
			c.Run("account", "add", "--name", "a", "--from", "a@example.org", "--host", at.host, "--port", at.port, "--tls", at.tls, "--no-auth").Want(ctl.Done)
			for lang, word := range map[string]string{"zh": at.zh, "en": at.en} {
				r := c.Run("account", "test", "a", "--lang", lang).Want(ctl.Stopped)
				if text := r.Out + r.Err; !strings.Contains(text, word) || han(text) != (lang == "zh") {
					t.Errorf("%s: %s", lang, text)
				}
				plain(t, r)
			}
		})
	}
}

// TestAPortThatHangs: whoever waits hears within half a minute that nobody speaks there.
func TestAPortThatHangs(t *testing.T) {
	t.Parallel()
	port := serve(t, "")
	for lang, word := range map[string]string{"zh": "没有", "en": "answer"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			c := ctl.New(t)
			c.Run("account", "add", "--name", "a", "--from", "a@example.org", "--host", "127.0.0.1", "--port", port, "--tls", "none", "--no-auth").Want(ctl.Done)
			r := c.Run("account", "test", "a", "--lang", lang).Want(ctl.Stopped)
			if text := r.Out + r.Err; !strings.Contains(text, word) || han(text) != (lang == "zh") {
				t.Errorf("%s", text)
			}
			plain(t, r)
		})
	}
}

func TestWrongPassword(t *testing.T) {
	t.Parallel()
	s := start(t, smtptest.Options{RequireAuth: true, Password: "right"})
	c := ctl.New(t)
	ca := c.File("ca.pem", string(s.CertPEM()))
	c.RunIn("wrong secret\n", "account", "add", "--name", "me", "--from", "me@example.org", "--host", "127.0.0.1", "--port", strconv.Itoa(s.Port()),
		"--tls", "starttls", "--password-stdin", "--ca", ca).Want(ctl.Done)
	people(t, c, 3)
	c.File("letter.md", letter)
	for lang := range languages {
		r := c.Run("account", "test", "me", "--lang", lang).Want(ctl.Stopped)
		if text := r.Out + r.Err; han(text) != (lang == "zh") || strings.Contains(text, "wrong secret") {
			t.Errorf("%s", text)
		}
	}
	if r := c.Run(send(c)...).Want(ctl.Stopped); strings.TrimSpace(r.Err) == "" {
		t.Error("a run that stopped does not say why where it prints JSON")
	}
	if n := c.Status("c"); n.Queued != 3 || n.State != "paused" {
		t.Errorf("%+v", n)
	}
	// Without the passphrase the password cannot be read.
	c.Env = append(c.Env, "HONGYAN_PASSPHRASE=another")
	sentence(t, c.Run("campaign", "run", "c", "--resume", "--lang", "zh"), "zh", ctl.Usage)
	c.Env = append(c.Env, "HONGYAN_PASSPHRASE=")
	sentence(t, c.Run("campaign", "run", "c", "--resume", "--lang", "en"), "en", ctl.Usage, "passphrase")
}

func TestDamagedAndForeignDatabases(t *testing.T) {
	t.Parallel()
	s := start(t, smtptest.Options{})
	c := setup(t, s, 500)
	c.Run(send(c)...).Want(ctl.Done)
	for _, name := range []string{"app.db", "deliveries.db"} {
		path := filepath.Join(c.Data, name)
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for how, bad := range map[string][]byte{
			"a head of noise": append(bytes.Repeat([]byte{0xa5}, 4096), whole[4096:]...),
			"no database":     []byte("this is a letter, not a database\n"),
			"pages of noise":  append(append([]byte(nil), whole[:4096]...), bytes.Repeat([]byte{0xa5}, len(whole)-4096)...),
			"half of it":      whole[:len(whole)/2/4096*4096],
		} {
			if err := os.WriteFile(path, bad, 0o600); err != nil {
				t.Fatal(err)
			}
			for lang := range languages {
				r := c.Run("campaign", "status", "c", "--lang", lang)
				if how == "half of it" && r.Code == ctl.Done {
					continue // the half that is left may be all that is asked for
				}
				sentence(t, r, lang, usageOrStopped, name)
			}
			if after, err := os.ReadFile(path); err != nil || how != "half of it" && !bytes.Equal(after, bad) {
				t.Errorf("%s, %s: the file was changed", name, how)
			}
		}
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if n := c.Status("c"); n.Accepted != 500 {
		t.Errorf("%+v", n)
	}
}

func TestASecondInstance(t *testing.T) {
	t.Parallel()
	s := start(t, slowly())
	c := setup(t, s, 100)
	p := c.Start("", send(c)...)
	eventually(t, "the first letter", func() bool { return s.Count() > 0 })
	for lang := range languages {
		sentence(t, c.Run("import", c.File("more.txt", "x@example.com"), "--list", "people", "--source", "s", "--consent", "c", "--lang", lang), lang, ctl.Usage, c.Data)
	}
	if n := c.Status("c"); n.State != "running" || n.Accepted == 0 { // looking is allowed
		t.Errorf("%+v", n)
	}
	p.Interrupt()
	p.Wait().Want(ctl.Stopped)
	c.Run("import", c.File("more.txt", "x@example.com"), "--list", "people", "--source", "s", "--consent", "c").Want(ctl.Done)
}

func TestReadOnlyFolder(t *testing.T) {
	t.Parallel()
	s := start(t, smtptest.Options{})
	c := setup(t, s, 2)
	if os.Getuid() == 0 {
		disk := tmpfs(t, "16m")
		if out, err := exec.Command("cp", "-a", c.Data+"/.", disk).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if err := syscall.Mount("", disk, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
			t.Fatal(err)
		}
		c.Data = disk
	} else if err := errors.Join(os.Chmod(c.Data, 0o500), os.Chmod(filepath.Join(c.Data, "app.db"), 0o400), os.Chmod(filepath.Join(c.Data, "deliveries.db"), 0o400)); err != nil {
		t.Fatal(err)
	}
	for lang := range languages {
		sentence(t, c.Run("import", c.File("more.txt", "x@example.com"), "--list", "people", "--source", "s", "--consent", "c", "--lang", lang), lang, ctl.Stopped, c.Data)
	}
	if os.Getuid() != 0 {
		if err := os.Chmod(c.Data, 0o700); err != nil { // or it could not be removed
			t.Fatal(err)
		}
	}
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("only root can make a small disk; the store's own tests fill one too")
	}
	const people = 500
	s := start(t, smtptest.Options{})
	c := setup(t, s, people)
	disk := tmpfs(t, "16m")
	if out, err := exec.Command("cp", "-a", c.Data+"/.", disk).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	home := c.Data
	c.Data = disk
	// The rest of the disk goes to another file, but for what a small letter needs.
	filler, err := os.Create(filepath.Join(disk, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	zeros := make([]byte, 4096)
	for err == nil {
		_, err = filler.Write(zeros)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	for lang := range languages {
		sentence(t, c.Run("import", c.File("more.txt", strings.Repeat("x", 50)+"@example.com"), "--list", "people", "--source", "s", "--consent", "c", "--lang", lang), lang, ctl.Stopped, disk)
	}
	// With a little room a campaign begins, and stops before a letter that it could not keep account of.
	st, err := filler.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(filler.Truncate(st.Size()-700<<10), filler.Close()); err != nil {
		t.Fatal(err)
	}
	r := c.Run("send", "--name", "c", "--list", "people", "--letter", home+"/../letter.md", "--account", "me", "--quiet")
	if r.Code != ctl.Stopped && r.Code != ctl.Done {
		t.Errorf("exit %d: %s", r.Code, r.Err)
	}
	plain(t, r)
	if err := os.Remove(filler.Name()); err != nil {
		t.Fatal(err)
	}
	t.Logf("exit %d with %d letters out: %s", r.Code, s.Count(), strings.TrimSpace(r.Err))
	if c.Run("campaign", "status", "c").Code == ctl.Done {
		if r.Code != ctl.Done {
			c.Run("campaign", "run", "c", "--resume", "--quiet")
		}
	} else { // there was no room for the audience, so there is no campaign
		c.Run(append(send(c), "--letter", home+"/../letter.md")...).Want(ctl.Done)
	}
	if n := c.Status("c"); n.Accepted+n.Unknown != people || n.Unknown > 1 {
		t.Errorf("%+v", n)
	}
	fair(t, c, s)
}

// tmpfs is a small disk for the test.
func tmpfs(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("no disk can be made here (%v): the store's own tests cover a disk that is full or read-only", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}
