package disk

import (
	"flag"
	"os"
	"strings"
	"testing"
	"time"
	"unicode"

	"hongyan/e2e/ctl"
)

var update = flag.Bool("update", false, "write the table into docs/reliability.md")

// fault is what is done to the disk while a campaign is sent.
type fault struct {
	name string
	// place makes the folder for the data folder; it skips where that cannot be done. nil: any.
	place func(t *testing.T) string
	// strike does the damage while p sends, and mend takes it away.
	strike func(s *story, p *ctl.Proc) (mend func())
	// goesOn is set where the run must not even notice.
	goesOn bool
	// late is set where the run meets the fault only when it comes to it.
	late bool
}

// TestDisk strikes in the middle of a run. It must end before the next letter with one sentence, in the language of the
// user, and status 3; once the disk is mended the campaign must go on until everybody has one letter.
func TestDisk(t *testing.T) {
	rows := make([]string, len(faults))
	t.Run("faults", func(t *testing.T) {
		for i, f := range faults {
			for _, lang := range []string{"zh", "en"} {
				t.Run(f.name+"/"+lang, func(t *testing.T) {
					t.Parallel()
					row := play(t, f, lang)
					if lang == "en" {
						rows[i] = row
					}
				})
			}
		}
	})
	if !t.Failed() {
		compare(t, rows)
	}
}

// play gives the row of the table.
func play(t *testing.T, f fault, lang string) string {
	dir := ""
	if f.place != nil {
		dir = f.place(t)
	}
	s := begin(t, dir)
	p := s.send(lang)
	mend := f.strike(s, p)
	struck := s.srv.Count()
	began := time.Now()
	r := p.Wait()
	t.Logf("it ended after %s", time.Since(began).Round(time.Second/10))
	if f.goesOn {
		r.Want(ctl.Done)
		mend()
		return "| " + f.name + " | nothing | the run goes on | " + s.finished() + " |"
	}
	told := s.told(r, lang, ctl.Stopped)
	s.left(r)
	if after := s.srv.Count() - struck; after > atRisk && !f.late {
		t.Errorf("%d letters went out after the fault", after)
	}
	mend()
	s.Run("campaign", "run", "c", "--quiet", "--lang", lang).Want(ctl.Usage) // not without a word about it; it puts the journal in order
	s.fair()
	m := s.Status("c")
	switch {
	case m.State != "paused" || m.Total != people || m.Queued == 0 || m.Accepted < 50 || m.Rejected+m.Deferred+m.Skipped > 0:
		t.Errorf("the campaign stands at %+v", m)
	case m.Unknown > 0:
		t.Errorf("%d are unknown that could have been known: %+v", m.Unknown, m)
	}
	return "| " + f.name + " | " + told + " | accepted or queued | " + s.resumed() + " |"
}

// told gives what the user was told: one line, in their language, and the status.
func (s *story) told(r ctl.Result, lang string, code int) string {
	s.Helper()
	text := strings.TrimSpace(r.Err)
	s.Logf("exit %d: %s", r.Code, text)
	if r.Code != code {
		s.Errorf("exit %d, want %d", r.Code, code)
	}
	line, ok := strings.CutPrefix(text, "hongyanctl: ")
	if !ok || strings.Contains(line, "\n") {
		s.Errorf("not one line: %q", text)
	}
	rest := strings.ReplaceAll(line, s.Data, "")
	han := strings.ContainsFunc(rest, func(r rune) bool { return unicode.Is(unicode.Han, r) })
	if han != (lang == "zh") {
		s.Errorf("not in %s: %s", lang, line)
	}
	for _, inside := range []string{"SQL", "sqlite", "panic", "goroutine", ".go:", "{", "%!", "内部", "inside", "I/O"} {
		if strings.Contains(rest, inside) {
			s.Errorf("shows %q: %s", inside, line)
		}
	}
	return strings.ReplaceAll(line, s.Data+string(os.PathSeparator), "")
}

// left asserts that the counts that the run prints at its end add up.
func (s *story) left(r ctl.Result) {
	s.Helper()
	var n ctl.Counts
	r.JSON(&n)
	if n.Queued+n.Attempting+n.Accepted+n.Deferred+n.Rejected+n.Unknown+n.Skipped != people {
		s.Errorf("the counts do not add up: %+v", n)
	}
}

// resumed sends the rest.
func (s *story) resumed() string {
	s.Helper()
	r := s.Run("campaign", "run", "c", "--resume", "--quiet")
	if n := s.Status("c"); n.Unknown > 0 {
		r.Want(ctl.Some)
	} else {
		r.Want(ctl.Done)
	}
	return s.finished()
}

// finished asserts that everybody was served once.
func (s *story) finished() string {
	s.Helper()
	n := s.Status("c")
	if n.State != "done" || n.Accepted+n.Unknown != people || n.Unknown > atRisk {
		s.Errorf("the campaign ends with %+v", n)
	}
	s.fair()
	return "everybody once"
}

const (
	document = "../../docs/reliability.md"
	begins   = "<!-- disk begins: go test ./e2e/disk compares what follows, with -update as root it writes it -->\n"
	ends     = "<!-- disk ends -->\n"
	head     = "| while it sends | the user is told | the recipients | mended and resumed |\n|---|---|---|---|\n"
)

// compare holds the rows to the table that users can read. A row that could not be played here is not compared.
func compare(t *testing.T, rows []string) {
	b, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(b), begins)
	was, after, ok2 := strings.Cut(rest, ends)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the table", document)
	}
	if *update {
		for i, row := range rows {
			if row == "" {
				t.Fatalf("%s was not played", faults[i].name)
			}
		}
		text := before + begins + head + strings.Join(rows, "\n") + "\n" + ends + after
		if err := os.WriteFile(document, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	table := strings.Split(strings.TrimSuffix(strings.TrimPrefix(was, head), "\n"), "\n")
	if len(table) != len(rows) {
		t.Fatalf("%s has %d rows of %d", document, len(table), len(rows))
	}
	for i, row := range rows {
		if row != "" && row != table[i] {
			t.Errorf("%s is another one:\n%s\nnow:\n%s", document, table[i], row)
		}
	}
}
