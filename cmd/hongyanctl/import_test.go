package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// write makes a file of a test.
func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// importLines reads the lines of import --json, without times.
func importLines(t *testing.T, out string) (all []importLine) {
	t.Helper()
	for line := range strings.Lines(out) {
		var l importLine
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		l.Seconds = 0
		all = append(all, l)
	}
	return all
}

func TestImportSeveral(t *testing.T) {
	p, dir := newProgram(t), t.TempDir()
	one := write(t, dir, "one.csv", "email,name\na@example.com,A\nb@example.com,B\nbroken@,C\n")
	two := write(t, dir, "two.txt", "b@example.com d@example.com")
	rejects := filepath.Join(dir, "rejects.csv")
	out, _ := p.want(exitDone, "", "import", one, two, "--list", "L", "--source", "s", "--consent", "c", "--json", "--rejects", rejects)
	want := []importLine{
		{File: one, Read: 3, Added: 2, Invalid: 1, Charset: "utf-8"},
		{File: two, Read: 2, Added: 1, Duplicate: 1, Charset: "utf-8"},
		{Read: 5, Added: 3, Duplicate: 1, Invalid: 1, Charset: "utf-8"},
	}
	if d := cmp.Diff(want, importLines(t, out)); d != "" {
		t.Error(d)
	}
	if b, err := os.ReadFile(rejects); err != nil || !strings.Contains(string(b), "one.csv: broken@") {
		t.Errorf("%s, %v", b, err)
	}
	if out, _ = p.want(exitDone, "", "import", two, "--list", "L", "--source", "s", "--consent", "c", "--json"); strings.Contains(out, "file") || len(importLines(t, out)) != 1 {
		t.Errorf("of one file: %s", out)
	}
	out, _ = p.want(exitDone, "", "import", one, two, "--list", "L", "--source", "s", "--consent", "c")
	if !strings.Contains(out, one+": 3 read") || !strings.Contains(out, "2 imports: 5 read") {
		t.Errorf("for people: %s", out)
	}
}

// TestImportSeveralFails: the first file that fails is named, those before it stay, those behind it are not read.
func TestImportSeveralFails(t *testing.T) {
	p, dir := newProgram(t), t.TempDir()
	one := write(t, dir, "one.csv", "a@example.com\n")
	empty := write(t, dir, "nobody.txt", "nobody here")
	three := write(t, dir, "three.csv", "c@example.com\n")
	args := []string{"--list", "L", "--source", "s", "--consent", "c"}
	out, errs := p.want(exitUsage, "", append([]string{"import", one, empty, three}, args...)...)
	if !strings.HasPrefix(errs, "hongyanctl: "+empty+": ") || strings.Count(errs, "\n") != 1 || strings.Contains(out, three) {
		t.Errorf("%q, %q", out, errs)
	}
	if out, _ = p.want(exitDone, "", "list", "show", "L"); strings.TrimSpace(out) != "a@example.com" {
		t.Errorf("the list is %q", out)
	}
	gone := filepath.Join(dir, "gone.csv")
	if _, errs = p.want(exitUsage, "", append([]string{"import", gone, three}, args...)...); !strings.Contains(errs, gone) {
		t.Errorf("%q", errs)
	}
}

func TestImportFolder(t *testing.T) {
	theirs, p, dir := newProgram(t), newProgram(t), t.TempDir()
	give := []string{"--source", "there", "--consent", "signed up"}
	theirs.want(exitDone, "", append([]string{"import", write(t, dir, "a.csv", "email,name\na@example.com,张三\nb@example.com,李四\n"), "--list", "all"}, give...)...)
	theirs.want(exitDone, "", append([]string{"import", write(t, dir, "b.csv", "b@example.com\n"), "--list", "few"}, give...)...)

	take := []string{"--list", "taken", "--source", "the old computer"}
	file := write(t, dir, "c.csv", "c@example.com\n")
	out, _ := p.want(exitDone, "", append([]string{"import", theirs.data, "--sheet", "few", "--json"}, take...)...)
	if d := cmp.Diff([]importLine{{Read: 1, Added: 1, Charset: "utf-8"}}, importLines(t, out)); d != "" {
		t.Error(d)
	}
	out, _ = p.want(exitDone, "", append([]string{"import", filepath.Join(theirs.data, "app.db"), file, "--json", "--consent", "c"}, take...)...)
	want := []importLine{{File: filepath.Join(theirs.data, "app.db"), Read: 2, Added: 1, Duplicate: 1, Charset: "utf-8"}, {File: file, Read: 1, Added: 1, Charset: "utf-8"},
		{Read: 3, Added: 2, Duplicate: 1, Charset: "utf-8"}}
	if d := cmp.Diff(want, importLines(t, out)); d != "" {
		t.Error(d)
	}
	out, _ = p.want(exitDone, "", "list", "show", "taken", "--json")
	for line := range strings.Lines(out) {
		agreed := `"consent":"signed up"`
		if strings.Contains(line, "c@example.com") {
			agreed = `"consent":"c"`
		}
		if !strings.Contains(line, agreed) {
			t.Error(line)
		}
	}
	for sheet, path := range map[string]string{"nobody's": theirs.data, "few": file} {
		if _, errs := p.want(exitUsage, "", append([]string{"import", path, "--sheet", sheet}, take...)...); !strings.Contains(errs, sheet) {
			t.Errorf("%q", errs)
		}
	}
	if _, errs := p.want(exitUsage, "", append([]string{"import", p.data}, take...)...); !strings.Contains(errs, "open here") {
		t.Errorf("of itself: %q", errs)
	}
}
