package practice

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hongyan/assets"
	"hongyan/e2e/ctl"
	"hongyan/smtpx/smtptest"
)

// The way of somebody who tries the program: the practice server as a process of its own, the sample list and the
// sample letter.
func TestTheSampleCampaign(t *testing.T) {
	t.Parallel()
	c := ctl.New(t)
	server := c.Start("", "practice", "--addr", "127.0.0.1:0", "--json")
	var info struct{ Addr, Dir, Mood string }
	eventually(t, "the practice server's address", func() bool {
		line, err := bufio.NewReader(strings.NewReader(server.Output())).ReadString('\n')
		return err == nil && json.Unmarshal([]byte(line), &info) == nil
	})
	host, port, _ := strings.Cut(info.Addr, ":")
	if host != "127.0.0.1" || info.Mood != "normal" {
		t.Errorf("%+v", info)
	}
	c.Run("account", "add", "--name", "练习", "--from", "practice@example.org", "--host", host, "--port", port, "--tls", "starttls",
		"--no-auth", "--ca", filepath.Join(info.Dir, "certificate.pem")).Want(ctl.Done)
	var in ctl.Imported
	c.Run("import", c.File("customers-gbk.csv", string(assets.SampleList())), "--list", "读者", "--source", "登记簿", "--consent", "当面同意", "--json").Want(ctl.Done).JSON(&in)
	if in.Read != in.Added+in.Updated+in.Duplicate+in.Invalid+in.Suppressed || in.Added < 300 || in.Invalid == 0 || in.Duplicate == 0 || !strings.EqualFold(in.Charset, "gb18030") {
		t.Errorf("imported %+v", in)
	}
	var end ctl.Counts
	c.Run("send", "--name", "周六", "--list", "读者", "--letter", c.File("letter.md", string(assets.SampleLetter("zh"))), "--account", "练习", "--quiet", "--json").Want(ctl.Done).JSON(&end)
	if end != c.Status("周六") || end.State != "done" || end.Accepted != in.Added || end.Total != in.Added {
		t.Errorf("%+v, imported %+v", end, in)
	}
	got := map[string]smtptest.Letter{}
	if err := smtptest.ReadLog(filepath.Join(info.Dir, "index.jsonl"), func(l smtptest.Letter) bool {
		if _, twice := got[l.To[0]]; twice || len(l.To) != 1 {
			t.Errorf("%v got more than one letter", l.To)
		}
		got[l.To[0]] = l
		return true
	}); err != nil {
		t.Fatal(err)
	}
	if len(got) != in.Added {
		t.Errorf("%d people got a letter, %d were imported", len(got), in.Added)
	}
	for _, p := range c.Contacts("读者") {
		if p.Source != "登记簿" || p.Consent != "当面同意" {
			t.Errorf("%+v", p)
		}
	}
	l := got["user2@example.com"]
	b, err := os.ReadFile(filepath.Join(info.Dir, l.File))
	if err != nil || int64(len(b)) != l.Size {
		t.Errorf("the letter to user2 has %d of %d octets, %v", len(b), l.Size, err)
	}
	server.Interrupt()
	if r := server.Wait(); r.Code != ctl.Done {
		t.Errorf("the practice server ended with %d: %s", r.Code, r.Err)
	}
}

func TestMoodSlow(t *testing.T) {
	t.Parallel()
	s := start(t, smtptest.Options{Mood: smtptest.Slow, Delay: 10 * time.Millisecond})
	c := setup(t, s, 10)
	c.Run(send(c)...).Want(ctl.Done)
	if n := c.Status("c"); n.Accepted != 10 || n.State != "done" {
		t.Errorf("%+v", n)
	}
	fair(t, c, s)
}

func TestMoodRefuseTenth(t *testing.T) {
	t.Parallel()
	s := start(t, smtptest.Options{Mood: smtptest.RefuseTenth})
	c := setup(t, s, 30)
	c.Run(send(c)...).Want(ctl.Some)
	if n := c.Status("c"); n.Accepted != 27 || n.Rejected != 3 || n.State != "done" {
		t.Errorf("%+v", n)
	}
	fair(t, c, s)
	for who, r := range c.Report("c") {
		if r.State == "rejected" && (r.Code != "550 5.1.1" || r.Step != "RCPT" || r.Why == "" || r.Reply == "") {
			t.Errorf("%s: %+v", who, r)
		}
	}
	// These addresses are dead now, whatever the user asks for: a retry leaves them out and says so.
	if err := s.SetMood(smtptest.Normal); err != nil {
		t.Fatal(err)
	}
	c.Run("campaign", "retry", "c", "--failed").Want(ctl.Done)
	c.Run("campaign", "run", "c", "--quiet", "--resume").Want(ctl.Done)
	if n := c.Status("c"); n.Accepted != 27 || n.Skipped != 3 {
		t.Errorf("%+v", n)
	}
	fair(t, c, s)
}

// The line drops at each step in turn, some of them after the final dot: what is not known is not sent again.
func TestMoodDropLine(t *testing.T) {
	for name, profile := range map[string]struct {
		flags []string
		most  int // unknown: before the reply, instead of it, and just after it
	}{
		"consumer": {nil, 3},
		// With BDAT all of a small letter is out before the server has read any of it: each drop may leave one.
		"relay": {[]string{"--profile", "relay", "--connections", "3"}, 8},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const people = 40
			s := start(t, smtptest.Options{Mood: smtptest.DropLine})
			c := setup(t, s, people, profile.flags...)
			c.Run(send(c)...).Want(ctl.Some)
			n := c.Status("c")
			unknown := fair(t, c, s)
			if n.State != "done" || n.Accepted+n.Unknown != people || n.Unknown != unknown || n.Unknown == 0 || n.Unknown > profile.most {
				t.Errorf("%+v", n)
			}
		})
	}
}

// Every mailbox is full, for now: the run waits, and can be ended while it does.
func TestMoodFull(t *testing.T) {
	t.Parallel()
	s := start(t, smtptest.Options{Mood: smtptest.Full})
	c := setup(t, s, 5)
	p := c.Start("", send(c)...)
	eventually(t, "the deferral of all", func() bool {
		return s.Count() == 0 && !p.Ended() && c.Run("campaign", "status", "c", "--json").Code == 0 && c.Status("c").Deferred == 5
	})
	p.Interrupt()
	if r := p.Wait(); r.Code != ctl.Stopped {
		t.Errorf("exit %d: %s", r.Code, r.Err)
	}
	if n := c.Status("c"); n.Deferred != 5 || n.State != "paused" {
		t.Errorf("%+v", n)
	}
	fair(t, c, s)
}

// The server asks the account to wait: it rests, by a clock that a restart does not reset, and nobody is given up.
func TestMoodWait(t *testing.T) {
	t.Parallel()
	s := start(t, smtptest.Options{Mood: smtptest.Wait, WaitFor: time.Hour})
	c := setup(t, s, 5)
	p := c.Start("", send(c)...)
	resting := func() bool {
		var a struct{ State string }
		return json.Unmarshal([]byte(c.Run("account", "list", "--json").Out), &a) == nil && a.State == "resting"
	}
	eventually(t, "the rest of the account", resting)
	if p.Ended() {
		t.Error("the run ended instead of waiting")
	}
	c.Run("campaign", "pause", "c").Want(ctl.Done)
	if r := p.Wait(); r.Code != ctl.Stopped {
		t.Errorf("exit %d: %s", r.Code, r.Err)
	}
	if n := c.Status("c"); n.Queued+n.Deferred != 5 || n.State != "paused" {
		t.Errorf("%+v", n)
	}
	p = c.Start("", "campaign", "run", "c", "--resume", "--quiet")
	eventually(t, "the second run", func() bool { return c.Status("c").State == "running" })
	if !resting() {
		t.Error("a restart made the account forget its rest")
	}
	p.Interrupt()
	p.Wait()
	fair(t, c, s)
}
