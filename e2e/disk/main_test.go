package disk

import (
	"fmt"
	"os"
	"path/filepath"
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

const (
	people      = 2000
	connections = 3
	// atRisk is the most that may leave, or end, between two commits of the journal: 50 ms at what the server takes.
	atRisk = 100

	letter = "---\nsubject: 您好，{{name|朋友}}\n---\n{{name|朋友}}，周六见。\n\n如不想再收到，请回复「退订」。\n"
)

// story is a campaign whose disk fails.
type story struct {
	testing.TB
	*ctl.Ctl
	srv *smtptest.Server
}

// begin makes a data folder in dir, with a campaign that has not begun. A letter takes some milliseconds, so that a run
// can be caught in the middle.
func begin(t *testing.T, dir string) *story {
	t.Helper()
	srv, err := smtptest.Start(smtptest.Options{TLS: smtpx.TLSNone, NoAuth: true, Mood: smtptest.Slow, Delay: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Close() })
	s := &story{t, ctl.New(t), srv}
	home := filepath.Dir(s.Data)
	if dir != "" {
		s.Data = filepath.Join(dir, "data")
	}
	var b strings.Builder
	b.WriteString("name,email\n")
	for i := range people {
		fmt.Fprintf(&b, "人%d,p%04d@example.com\n", i, i)
	}
	for name, text := range map[string]string{"people.csv": b.String(), "letter.md": letter} {
		if err := os.WriteFile(filepath.Join(home, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.Run("account", "add", "--name", "me", "--from", "me@example.org", "--host", "127.0.0.1", "--port", strconv.Itoa(srv.Port()),
		"--tls", "none", "--no-auth", "--profile", "relay", "--connections", strconv.Itoa(connections)).Want(ctl.Done)
	s.Run("import", filepath.Join(home, "people.csv"), "--list", "people", "--source", "test", "--consent", "asked").Want(ctl.Done)
	s.Run("campaign", "create", "--name", "c", "--list", "people", "--letter", filepath.Join(home, "letter.md"), "--account", "me").Want(ctl.Done)
	return s
}

// file is a file of the data folder.
func (s *story) file(name string) string { return filepath.Join(s.Data, name) }

// send starts the run, and returns when some letters are out.
func (s *story) send(lang string) *ctl.Proc {
	s.Helper()
	p := s.Start("", "campaign", "run", "c", "--resume", "--quiet", "--json", "--lang", lang)
	more := s.srv.Count() + 50
	for deadline := time.Now().Add(30 * time.Second); s.srv.Count() < more; time.Sleep(time.Millisecond) {
		if p.Ended() || time.Now().After(deadline) {
			s.Fatalf("the run does not get going: %+v", p.Wait())
		}
	}
	return p
}

// fair compares the journal with what the server counted: nobody twice, nobody lost, and no claim that is not true.
func (s *story) fair() {
	s.Helper()
	got, err := s.srv.CountByRecipient()
	if err != nil {
		s.Fatal(err)
	}
	rows := s.Report("c")
	if len(rows) != people {
		s.Errorf("%d people in the report", len(rows))
	}
	for who, r := range rows {
		n := got[who]
		if n > 1 || n == 1 && r.State != "accepted" && r.State != "unknown" || n == 0 && r.State == "accepted" {
			s.Errorf("%s got %d letters and is %s", who, n, r.State)
		}
		delete(got, who)
	}
	if len(got) > 0 {
		s.Errorf("letters went to people who are not in the campaign: %v", got)
	}
}
