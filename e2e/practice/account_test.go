package practice

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"hongyan/e2e/ctl"
	"hongyan/smtpx/smtptest"
)

// An account that is refused stops while another one ends the campaign: the run and the list say which, why and what to
// do, and once it is mended it sends again, in the campaigns that it was in.
func TestAnAccountThatStopped(t *testing.T) {
	t.Parallel()
	good, strict := start(t, smtptest.Options{}), start(t, smtptest.Options{RequireAuth: true, Password: "right"})
	c := setup(t, good, 6)
	c.RunIn("wrong secret\n", "account", "add", "--name", "other", "--from", "other@example.org", "--host", "127.0.0.1", "--port", strconv.Itoa(strict.Port()),
		"--tls", "starttls", "--password-stdin", "--ca", c.File("strict.pem", string(strict.CertPEM()))).Want(ctl.Done)
	r := c.Run("send", "--name", "c", "--list", "people", "--letter", c.Data+"/../letter.md", "--account", "other,me", "--quiet", "--lang", "zh").Want(ctl.Done)
	if strings.Count(r.Err, "\n") != 1 || !strings.Contains(r.Err, "账号“other”已停止") || strings.Contains(r.Err, "“me”") {
		t.Errorf("the end of the run says %q", r.Err)
	}
	if r := c.Run("account", "list", "--lang", "en").Want(ctl.Done); !strings.Contains(r.Out, "why: ") || strings.Contains(r.Out+r.Err, "wrong secret") {
		t.Errorf("%s", r.Out)
	}
	stopped := func() (n int) {
		for line := range strings.Lines(c.Run("account", "list", "--json").Out) {
			var a struct{ State, Why string }
			if err := json.Unmarshal([]byte(line), &a); err != nil || (a.Why != "") != (a.State == "stopped") {
				t.Errorf("%s: %v", line, err)
			}
			if a.State == "stopped" {
				n++
			}
		}
		return n
	}
	if stopped() != 1 {
		t.Errorf("%d accounts are stopped, want 1", stopped())
	}
	c.Run("account", "test", "other").Want(ctl.Stopped)
	if stopped() != 1 {
		t.Error("a test that fails let the account go on")
	}

	c.RunIn("right\n", "account", "edit", "other", "--password-stdin").Want(ctl.Done)
	if stopped() != 0 {
		t.Error("an account that was mended is still stopped")
	}
	c.Run("account", "test", "other").Want(ctl.Done)
	c.Run(append(send(c), "--name", "c2", "--account", "other")...).Want(ctl.Done)
	if n := strict.Count(); n != 6 {
		t.Errorf("%d letters went by the account that was mended, want 6", n)
	}
}

// What is mended at the server's end is found out by a test, which lets the account go on.
func TestATestWakesAnAccount(t *testing.T) {
	t.Parallel()
	s := start(t, smtptest.Options{RequireAuth: true, Password: "right"})
	c := ctl.New(t)
	c.RunIn("new\n", "account", "add", "--name", "me", "--from", "me@example.org", "--host", "127.0.0.1", "--port", strconv.Itoa(s.Port()),
		"--tls", "starttls", "--password-stdin", "--ca", c.File("ca.pem", string(s.CertPEM()))).Want(ctl.Done)
	people(t, c, 3)
	c.File("letter.md", letter)
	c.Run(send(c)...).Want(ctl.Stopped)
	c.Run("campaign", "run", "c", "--resume", "--quiet").Want(ctl.Stopped)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = start(t, smtptest.Options{RequireAuth: true, Password: "new", Addr: "127.0.0.1:" + strconv.Itoa(s.Port()), Certificate: s.Certificate()})
	if r := c.Run("account", "test", "me", "--lang", "zh").Want(ctl.Done); !strings.Contains(r.Out, "可以重新发信") {
		t.Errorf("%s", r.Out)
	}
	c.Run("campaign", "run", "c", "--resume", "--quiet").Want(ctl.Done)
	fair(t, c, s)
}

func TestAccountEdit(t *testing.T) {
	t.Parallel()
	c := ctl.New(t)
	c.RunIn("secret\n", "account", "add", "--name", "qq", "--from", "12345@qq.com", "--password-stdin").Want(ctl.Done)
	account := func() (a struct {
		Name, From, Host, TLS, Profile, State string
		Port                                  int
		Secret                                bool `json:"has_secret"`
	}) {
		if err := json.Unmarshal([]byte(c.Run("account", "list", "--json").Want(ctl.Done).Out), &a); err != nil {
			t.Fatal(err)
		}
		return a
	}
	want := account()
	c.Run("account", "edit", "qq", "--name", "school", "--per-day", "40", "--tls", "starttls", "--port", "587").Want(ctl.Done)
	want.Name, want.TLS, want.Port = "school", "starttls", 587
	if got := account(); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	for _, bad := range [][]string{{"--tls", "ssl"}, {"--profile", "fast"}, {"--auth", "magic"}, {"--provider", "qqq"}} {
		for _, verb := range [][]string{{"account", "edit", "school"}, {"account", "add", "--from", "a@qq.com", "--password-stdin"}} {
			r := c.Run(append(verb, bad...)...).Want(ctl.Usage)
			if !strings.Contains(r.Err, bad[0]) || !strings.Contains(r.Err, bad[1]) {
				t.Errorf("%v: %s", bad, r.Err)
			}
		}
	}
	if got := account(); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// The pace at which the mailboxes of a domain are written to holds over a pause and in another process.
func TestPerDomainHolds(t *testing.T) {
	t.Parallel()
	s := start(t, smtptest.Options{})
	c := setup(t, s, 3)
	p := c.Start("", send(c, "--per-domain", "1", "--max-wait", "0")...)
	eventually(t, "the first letter", func() bool { return s.Count() == 1 })
	c.Run("campaign", "pause", "c").Want(ctl.Done)
	p.Wait().Want(ctl.Stopped)
	r := c.Run("campaign", "run", "c", "--resume", "--quiet", "--max-wait", "1s", "--lang", "zh")
	if r.Code != ctl.Stopped || !strings.Contains(r.Out, "才能发，到时再继续") {
		t.Errorf("exit %d: %s%s", r.Code, r.Out, r.Err)
	}
	time.Sleep(time.Second) // the time is what is tested
	if n := s.Count(); n != 1 {
		t.Errorf("%d letters went to a domain within a minute, want 1", n)
	}
	fair(t, c, s)
}
