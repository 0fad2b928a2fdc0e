package postfix

import (
	"bytes"
	"fmt"
	"net/mail"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hongyan/app/compose"
	"hongyan/assets"
	"hongyan/e2e/ctl"
	"hongyan/e2e/mailserver"
)

const fromName = "读书会编辑部"

// account adds an account for one of the two ports.
func account(t *testing.T, c *ctl.Ctl, tls, password string, more ...string) {
	t.Helper()
	port := server.SMTPS
	if tls == "starttls" {
		port = server.Submission
	}
	c.RunIn(password+"\n", append([]string{"account", "add", "--name", "me", "--from", mailserver.User, "--from-name", fromName,
		"--host", server.Host, "--port", strconv.Itoa(port), "--tls", tls, "--user", mailserver.User, "--password-stdin", "--ca", server.CAFile}, more...)...).Want(ctl.Done)
}

func importList(t *testing.T, c *ctl.Ctl, file string) ctl.Imported {
	t.Helper()
	var in ctl.Imported
	c.Run("import", file, "--list", "readers", "--source", "desk", "--consent", "signed up", "--json").Want(ctl.Done).JSON(&in)
	return in
}

// The sample list and the sample letter, over both ports: each recipient has exactly one letter, and it is, octet by
// octet, what compose makes for them.
func TestTheSampleCampaignArrives(t *testing.T) {
	for name, flags := range map[string][]string{
		"starttls": {"--profile", "relay", "--connections", "4"},
		"implicit": {"--profile", "consumer"},
	} {
		t.Run(name, func(t *testing.T) {
			fresh(t)
			c := ctl.New(t)
			account(t, c, name, mailserver.Password, flags...)
			if r := c.Run("account", "test", "me").Want(ctl.Done); strings.Contains(r.Out+r.Err, mailserver.Password) {
				t.Error("the password is shown")
			}
			in := importList(t, c, c.File("customers-gbk.csv", string(assets.SampleList())))
			if in.Added < 300 {
				t.Fatalf("%+v", in)
			}
			file := c.File("letter.md", string(assets.SampleLetter("zh")))
			var end ctl.Counts
			r := c.Run("send", "--name", "Saturday", "--list", "readers", "--letter", file, "--account", "me", "--json").Want(ctl.Done)
			r.JSON(&end)
			want := ctl.Counts{Campaign: "Saturday", State: "done", Total: in.Added, Accepted: in.Added}
			if diff := cmp.Diff(want, end); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(want, c.Status("Saturday")); diff != "" {
				t.Error(diff)
			}
			letters, err := server.Await(in.Added, within)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, c, file, letters)
			overIMAP, err := server.IMAP()
			if err != nil {
				t.Fatal(err)
			}
			compare(t, c, file, overIMAP)
		})
	}
}

// compare makes each recipient's letter again and holds it against the one in the mailbox. Of a letter only its date
// and its id are taken from what arrived.
func compare(t *testing.T, c *ctl.Ctl, file string, letters []mailserver.Letter) {
	t.Helper()
	l, err := compose.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := compose.Compile(l, compose.Options{})
	if err != nil {
		t.Fatal(err)
	}
	left := map[string]ctl.Contact{}
	for _, p := range c.Contacts("readers") {
		left[address(t, p.Address).String()] = p
	}
	if len(letters) != len(left) {
		t.Errorf("%d letters for %d people", len(letters), len(left))
	}
	ids := map[string]bool{}
	for _, got := range letters {
		p, ok := left[got.To]
		if !ok {
			t.Errorf("%s got a letter too many", got.To)
			continue
		}
		delete(left, got.To)
		m, err := mail.ReadMessage(bytes.NewReader(got.Raw))
		if err != nil {
			t.Errorf("%s: %v", got.To, err)
			continue
		}
		date, err := m.Header.Date()
		id := m.Header.Get("Message-ID")
		if err != nil || ids[id] {
			t.Errorf("%s: date %v, id %s", got.To, err, id)
		}
		ids[id] = true
		want, err := compiled.Render(compose.Recipient{Email: p.Address, Name: p.Name, Fields: p.Fields}, compose.Envelope{
			From: mailserver.User, FromName: fromName, MessageID: id, Date: date, UnsubscribeMailto: "mailto:" + mailserver.User + "?subject=unsubscribe"})
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(want.Raw, got.Raw) {
			t.Errorf("%s (-composed +read):\n%.3000s", got.To, cmp.Diff(string(want.Raw), string(got.Raw)))
		}
		if p.Name != "" && !strings.Contains(want.Subject, p.Name) {
			t.Errorf("%s: the subject %q has no name", got.To, want.Subject)
		}
		if got.From != mailserver.User {
			t.Errorf("%s: the envelope is from %s", got.To, got.From)
		}
	}
	for who := range left {
		t.Errorf("%s got no letter", who)
	}
}

func TestSomeDoNotExist(t *testing.T) {
	fresh(t)
	c := ctl.New(t)
	account(t, c, "starttls", mailserver.Password)
	var b strings.Builder
	for i := range 20 {
		name := "reader"
		if i%7 == 0 {
			name = "unknown"
		}
		fmt.Fprintf(&b, "%s%d@example.com\n", name, i)
	}
	b.WriteString("known@strict.test\nother@strict.test\n")
	importList(t, c, c.File("list.txt", b.String()))
	var end ctl.Counts
	c.Run("send", "--name", "c", "--list", "readers", "--letter", c.File("l.txt", "---\nsubject: hello\n---\nhello\n"), "--account", "me", "--json").Want(ctl.Some).JSON(&end)
	if want := (ctl.Counts{Campaign: "c", State: "done", Total: 22, Accepted: 18, Rejected: 4}); end != want {
		t.Errorf("%+v", end)
	}
	for who, r := range c.Report("c") {
		bad := strings.HasPrefix(who, "unknown") || who == "other@strict.test"
		if bad != (r.State == "rejected") || bad && (r.Code != "550 5.1.1" || r.Step != "RCPT" || !strings.Contains(r.Reply, "User unknown")) {
			t.Errorf("%s: %+v", who, r)
		}
	}
	if _, err := server.Await(18, within); err != nil {
		t.Error(err)
	}
}

// A wrong password is tried once, stops the account, and says so; nobody is marked as failed.
func TestWrongPassword(t *testing.T) {
	fresh(t)
	c := ctl.New(t)
	const wrong = "not the password"
	account(t, c, "starttls", wrong)
	importList(t, c, c.File("list.txt", "a@example.com\nb@example.com\n"))
	check := c.Run("account", "test", "me").Want(ctl.Stopped)
	if !strings.Contains(check.Out+check.Err, "authentication failed") {
		t.Errorf("the server's reply is not shown: %s%s", check.Out, check.Err)
	}
	r := c.Run("send", "--name", "c", "--list", "readers", "--letter", c.File("l.txt", "---\nsubject: hello\n---\nhello\n"), "--account", "me").Want(ctl.Stopped)
	if n := c.Status("c"); n.Queued != 2 || n.Total != 2 || n.State != "paused" {
		t.Errorf("%+v", n)
	}
	if n := strings.Count(r.Err, "> AUTH "); n != 1 {
		t.Errorf("%d logins:\n%s", n, r.Err)
	}
	if strings.Contains(check.Out+check.Err+r.Out+r.Err, wrong) {
		t.Error("the password is shown")
	}
	var a struct{ State string }
	if c.Run("account", "list", "--json").Want(ctl.Done).JSONLoose(&a); a.State != "stopped" {
		t.Errorf("the account is %s", a.State)
	}
	if _, err := server.Await(0, within); err != nil {
		t.Error(err)
	}
}

func TestTheLetterIsTooBigForTheServer(t *testing.T) {
	fresh(t)
	c := ctl.New(t)
	account(t, c, "implicit", mailserver.Password)
	importList(t, c, c.File("list.txt", "a@example.com\nb@example.com\n"))
	pdf := c.File("big.pdf", "%PDF-1.4\n"+strings.Repeat("x", 3<<20))
	r := c.Run("send", "--name", "c", "--list", "readers", "--letter", c.File("l.txt", "---\nsubject: hello\n---\nhello\n"), "--account", "me", "--attach", pdf)
	if r.Code != ctl.Some && r.Code != ctl.Stopped {
		t.Errorf("exit %d\n%s%s", r.Code, r.Out, r.Err)
	}
	if n := c.Status("c"); n.Accepted != 0 || n.Unknown != 0 || n.Total != 2 {
		t.Errorf("%+v", n)
	}
	if _, err := server.Await(0, within); err != nil {
		t.Error(err)
	}
}

// An authority that nobody knows: the login is never sent.
func TestACertificateThatNobodySigned(t *testing.T) {
	c := ctl.New(t)
	for name, port := range map[string]int{"starttls": server.Submission, "implicit": server.SMTPS} {
		c.RunIn(mailserver.Password+"\n", "account", "add", "--name", name, "--from", mailserver.User, "--host", server.Host, "--port", strconv.Itoa(port), "--tls", name, "--password-stdin").Want(ctl.Done)
		if r := c.Run("account", "test", name).Want(ctl.Stopped); strings.Contains(r.Out, "AUTH PLAIN") || !strings.Contains(strings.ToLower(r.Out+r.Err), "certificate") {
			t.Errorf("%s: %s%s", name, r.Out, r.Err)
		}
	}
}
