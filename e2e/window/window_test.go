package window

import (
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // what the window left is read back

	"hongyan/assets"
	"hongyan/smtpx/smtptest"
)

// ask reads one row of a database that the window may be using.
func ask(t *testing.T, file, query string, to ...any) error {
	t.Helper()
	u := url.URL{Scheme: "file", OmitHost: true, Path: file, RawQuery: "mode=ro&_pragma=busy_timeout(5000)"}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	return db.QueryRow(query).Scan(to...)
}

func repeat(key string, n int) []string {
	return slices.Repeat([]string{key}, n)
}

func TestAFirstCampaignByHand(t *testing.T) {
	bin := program(t)
	clearShots(t)
	for _, words := range []struct{ lang, list, source, consent string }{
		{"zh", "周六读者", "前台登记簿", "当面同意收信"},
		{"en", "Saturday readers", "Front desk register", "Agreed at the desk"},
	} {
		t.Run(words.lang, func(t *testing.T) {
			t.Parallel()
			s, data := open(t, bin, words.lang)
			app, deliveries := filepath.Join(data, "app.db"), filepath.Join(data, "deliveries.db")
			var sample int
			s.until("the sample list", func() bool {
				s.mustRun()
				return ask(t, app, "SELECT count(*) FROM list_members", &sample) == nil && sample > 300
			})
			s.settle()
			s.shot("practice")

			// The list is brought in by its path, pasted from a file manager.
			file := filepath.Join(s.set.Dir, "customers-gbk.csv")
			if err := os.WriteFile(file, assets.SampleList(), 0o600); err != nil {
				t.Fatal(err)
			}
			s.keys("ctrl+i")
			// Backwards from the path there are the cancel button, consent, source and list; forwards from there the
			// list's arrow, source, consent, cancel and the path again.
			s.keys("shift+Tab", "shift+Tab")
			s.paste(words.consent)
			s.keys("shift+Tab")
			s.paste(words.source)
			s.keys("shift+Tab", "ctrl+a")
			s.paste(words.list)
			s.keys(repeat("Tab", 5)...)
			s.paste(file)
			s.settle()
			s.shot("import")
			// Backwards again: six columns, charset, format, the table, and then the last of all, the button that imports.
			s.keys(repeat("shift+Tab", 10)...)
			s.keys("space")
			var members int
			s.until("the import", func() bool {
				s.mustRun()
				err := ask(t, app, fmt.Sprintf("SELECT count(*) FROM list_members m JOIN lists l ON l.id = m.list_id WHERE l.name = '%s'", words.list), &members)
				return err == nil && members == sample
			})
			var consent string
			if err := ask(t, app, "SELECT consent FROM imports ORDER BY id DESC LIMIT 1", &consent); err != nil || consent != words.consent {
				t.Errorf("the import says %q, %v", consent, err)
			}
			s.settle()
			s.shot("imported")
			s.keys("shift+Tab", "space")

			s.keys("ctrl+Return")
			s.settle()
			s.shot("check")
			s.keys("shift+Tab", "space")
			var total, accepted, other int
			s.until("the campaign", func() bool {
				s.mustRun()
				err := ask(t, deliveries, "SELECT count(*), count(*) FILTER (WHERE state = 'accepted'), count(*) FILTER (WHERE state IN ('rejected', 'unknown', 'skipped')) FROM deliveries", &total, &accepted, &other)
				if err == nil && accepted > 0 && accepted < total && s.shots < 5 {
					s.shot("sending")
				}
				return err == nil && total > 0 && accepted+other == total
			})
			var name, state string
			s.until("the end of the campaign", func() bool {
				return ask(t, deliveries, "SELECT name, state FROM campaigns", &name, &state) == nil && state == "done"
			})
			if total != members || accepted != members || !strings.HasPrefix(name, words.list) {
				t.Errorf("%s: %d of %d accepted, %d otherwise; the list has %d", name, accepted, total, other, members)
			}
			s.settle()
			s.shot("done")

			got := map[string]int{}
			if err := smtptest.ReadLog(filepath.Join(data, "practice", "index.jsonl"), func(l smtptest.Letter) bool {
				got[l.To[0]]++
				return true
			}); err != nil {
				t.Fatal(err)
			}
			for who, n := range got {
				if n != 1 {
					t.Errorf("%s got %d letters", who, n)
				}
			}
			if len(got) != members {
				t.Errorf("%d people got a letter, %d are on the list", len(got), members)
			}
			s.quit()
		})
	}
}
