package practice

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"hongyan/e2e/ctl"
	"hongyan/smtpx"
	"hongyan/smtpx/smtptest"
)

func TestMain(m *testing.M) {
	code := m.Run()
	ctl.Clean()
	os.Exit(code)
}

const letter = "---\nsubject: 您好，{{name|朋友}}\nfrom-name: 读书会\n---\n{{name|朋友}}，周六见。\n\n.一行以点开头\n\n如不想再收到，请回复「退订」。\n"

// start runs a practice server inside the test: its moods can be quicker than those that people rehearse with.
func start(t *testing.T, o smtptest.Options) *smtptest.Server {
	t.Helper()
	o.TLS = smtpx.TLSStart
	s, err := smtptest.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// setup is a data folder with an account for the server and a list of n people.
func setup(t *testing.T, s *smtptest.Server, n int, account ...string) *ctl.Ctl {
	t.Helper()
	c := ctl.New(t)
	ca := c.File("ca.pem", string(s.CertPEM()))
	c.Run(append([]string{"account", "add", "--name", "me", "--from", "me@example.org", "--host", "127.0.0.1", "--port", strconv.Itoa(s.Port()),
		"--tls", "starttls", "--no-auth", "--ca", ca}, account...)...).Want(ctl.Done)
	people(t, c, n)
	c.File("letter.md", letter)
	return c
}

func people(t *testing.T, c *ctl.Ctl, n int) {
	t.Helper()
	var b strings.Builder
	b.WriteString("name,email\n")
	for i := range n {
		fmt.Fprintf(&b, "人%d,p%04d@example.com\n", i, i)
	}
	var got ctl.Imported
	c.Run("import", c.File("people.csv", b.String()), "--list", "people", "--source", "test", "--consent", "asked", "--json").Want(ctl.Done).JSON(&got)
	if got.Added != n || got.Invalid != 0 {
		t.Fatalf("imported %+v", got)
	}
}

// send are the words of a campaign "c" for that folder.
func send(c *ctl.Ctl, more ...string) []string {
	return append([]string{"send", "--name", "c", "--list", "people", "--letter", c.Data + "/../letter.md", "--account", "me", "--quiet", "--json"}, more...)
}

// fair compares the journal with what the server counted: nobody twice, nobody lost, and no claim that is not true.
// It returns how many are unknown.
func fair(t *testing.T, c *ctl.Ctl, s *smtptest.Server) (unknown int) {
	t.Helper()
	got, err := s.CountByRecipient()
	if err != nil {
		t.Fatal(err)
	}
	for who, n := range got {
		if n > 1 {
			t.Errorf("%s got %d letters", who, n)
		}
	}
	rows := c.Report("c")
	for who, r := range rows {
		switch n := got[who]; r.State {
		case "accepted":
			if n != 1 {
				t.Errorf("%s is accepted and got %d letters", who, n)
			}
		case "unknown":
			unknown++
		default:
			if n != 0 {
				t.Errorf("%s is %s and got %d letters", who, r.State, n)
			}
		}
		delete(got, who)
	}
	if len(got) > 0 {
		t.Errorf("letters went to people who are not in the campaign: %v", got)
	}
	return unknown
}

// eventually waits for something that another process does.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not happen", what)
		}
	}
}
