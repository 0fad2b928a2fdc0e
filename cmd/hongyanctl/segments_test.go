package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSegments: people are chosen by conditions, tagged, merged, and all of it is taken back.
func TestSegments(t *testing.T) {
	p := newProgram(t)
	dir := t.TempDir()
	list, letter, out := filepath.Join(dir, "p.csv"), filepath.Join(dir, "l.md"), filepath.Join(dir, "out.csv")
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(list, "email,name,home town\na@example.com,A,Rome\nb@example.com,B,New York\nc@example.com,,Rome\n")
	write(letter, "---\nsubject: Hi\n---\nHello. Unsubscribe by answering.\n")
	says := func(code int, words string, args ...string) {
		t.Helper()
		if got, _ := p.want(code, "", args...); !strings.Contains(got, words) {
			t.Errorf("%s prints %q, want %q", strings.Join(args, " "), got, words)
		}
	}
	p.want(exitDone, "", "import", list, "--list", "L", "--source", "s", "--consent", "c")
	says(exitDone, `{"added":2,"tag":"vip"}`, "tag", "add", "vip", "--where", `field "home town" is rome`, "--json")
	says(exitDone, `{"count":2,"tag":"vip"}`, "tag", "list", "--json")
	says(exitDone, `{"segment":"named","any":false,"where":["tag vip","not name empty"],"count":1}`,
		"segment", "save", "named", "--where", "tag vip", "--where", "not name empty", "--json")
	says(exitDone, `"count":3}`, "segment", "save", "either", "--any", "--where", "tag vip", "--where", "name is b", "--json")
	says(exitDone, `"where":["tag vip","name is b"]`, "segment", "list", "--json")
	says(exitDone, "a@example.com\tA\n", "list", "show", "L", "--segment", "named")
	says(exitDone, "b@example.com\tB\n", "list", "show", "--where", "name is B")
	says(exitDone, `"exported":1`, "export", "--segment", "named", "--to", out, "--json")
	if b, err := os.ReadFile(out); err != nil || strings.Count(string(b), "@") != 1 {
		t.Errorf("exported %q, %v", b, err)
	}
	p.want(exitDone, "", "account", "add", "--name", "A", "--from", "d@example.com", "--host", "127.0.0.1", "--port", "1", "--tls", "none", "--auth", "none")
	says(exitDone, `"total":1,"queued":1`, "campaign", "create", "--name", "C", "--segment", "named", "--letter", letter, "--account", "A", "--json")

	says(exitDone, `{"kept":"b@example.com","merged":1}`, "merge", "b@example.com", "A@example.com", "--json")
	says(exitDone, `{"removed":2,"tag":"vip"}`, "tag", "remove", "vip", "--json")
	p.want(exitUsage, "", "segment", "show", "named") // nobody knows who had the tag
	says(exitDone, `{"kind":"untag","n":2,"what":"vip"`, "undo", "--json")
	says(exitDone, `{"kind":"merge","n":1,"what":"b@example.com"`, "undo", "--list", "--json")
	p.want(exitDone, "", "undo")
	says(exitDone, `"count":1}`, "segment", "show", "named", "--json")
	says(exitDone, `{"removed":1,"tag":"vip"}`, "tag", "remove", "vip", "--where", "not name empty", "--json")
	p.want(exitDone, "", "undo")
	p.want(exitDone, "", "undo") // the tag itself
	p.want(exitUsage, "", "undo")
	p.want(exitDone, "", "segment", "remove", "either")

	page := filepath.Join(dir, "page.html")
	write(page, "<table><tr><th>name</th><th>email</th></tr><tr><td>K</td><td>k@example.com</td></tr></table>")
	if _, text := p.want(exitDone, "", "import", page, "--list", "P", "--source", "s", "--consent", "yes", "--lang", "en"); !strings.Contains(text, `consent "how" --list "P"`) {
		t.Errorf("the import of a page says %q", text)
	}
	p.want(exitUsage, "", "campaign", "create", "--name", "P", "--list", "P", "--letter", letter, "--account", "A")
	says(exitDone, `{"consent":"asked by phone","recorded":1}`, "consent", " asked by phone ", "--list", "P", "--json")
	says(exitDone, `"total":1,"queued":1`, "campaign", "create", "--name", "P", "--list", "P", "--letter", letter, "--account", "A", "--json")

	for _, args := range [][]string{
		{"consent", "x"}, {"consent", "--list", "P"}, {"consent", " ", "--list", "P"},
		{"tag", "add", "vip"}, {"tag", "remove", "vip"}, {"segment", "save", "x"}, {"segment", "save", "x", "--where", "city is Rome"},
		{"segment", "save", "x", "--where", "tag nobody"}, {"segment", "show", "either"}, {"list", "show", "--any"}, {"list", "show"},
		{"export", "--to", out}, {"merge", "a@example.com"}, {"merge", "a@example.com", "a@example.com"}, {"merge", "a@example.com", "z@example.com"},
		{"campaign", "create", "--name", "D", "--letter", letter, "--account", "A"},
		// An empty variable of a script chooses nobody, and not everybody.
		{"campaign", "create", "--name", "D", "--letter", letter, "--account", "A", "--list", "L", "--segment", ""},
		{"tag", "remove", "vip", "--list="}, {"list", "show", ""}, {"export", "", "--to", out}, {"export", "", "--segment", "named", "--to", out},
	} {
		p.want(exitUsage, "", args...)
	}
}
