package layers

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	root    = "../.."
	module  = "hongyan"
	maxLine = 500
)

// pkg is what go list tells of a package.
type pkg struct {
	ImportPath string
	Dir        string
	Name       string
	Doc        string
	Standard   bool
	Imports    []string // of the package itself
	Deps       []string // of those too, all the way down
	Error      *struct{ Err string }
}

func (p pkg) ours() bool {
	return p.ImportPath == module || strings.HasPrefix(p.ImportPath, module+"/")
}

func list(t *testing.T) map[string]pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Dir,Name,Doc,Standard,Imports,Deps,Error", "-tags", "x11,migrated_fynedo", "./...")
	cmd.Dir = root
	// With cgo the window's main is listed too; listing compiles nothing.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	all := map[string]pkg{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if p.Error != nil {
			t.Errorf("%s: %s", p.ImportPath, p.Error.Err)
		}
		all[p.ImportPath] = p
	}
	return all
}

// under says whether path is one of prefixes or lies below one.
func under(path string, prefixes ...string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return path == p || strings.HasPrefix(path, p+"/") })
}

// rule is what the packages of a folder may know.
type rule struct {
	in     []string // these packages and what lies below
	not    []string // but not these
	only   []string // when set: of all dependencies that are not the standard library, only these
	never  []string // no dependency at all, however far down
	direct []string // no import of their own
}

var rules = []rule{
	{in: []string{"hongyan/app/model"}, only: []string{"hongyan/app/model"}},
	{in: []string{"hongyan/smtpx"}, not: []string{"hongyan/smtpx/smtptest"}, only: []string{"hongyan/smtpx", "golang.org/x/net/idna", "golang.org/x/text"}, never: []string{"hongyan/smtpx/smtptest", "database/sql"}},
	{in: []string{"hongyan/smtpx/smtptest"}, only: []string{"hongyan/smtpx", "golang.org/x"}, never: []string{"database/sql"}},
	{in: []string{"hongyan/assets"}, only: []string{"hongyan/assets", "golang.org/x/sys"}},
	{in: []string{"hongyan/store"}, never: []string{"hongyan/smtpx", "hongyan/ui", "hongyan/cmd", "hongyan/assets", "fyne.io"}, direct: []string{"hongyan/app"}},
	{in: []string{"hongyan/app"}, never: []string{"hongyan/store", "hongyan/ui", "hongyan/cmd", "hongyan/assets", "fyne.io", "modernc.org/sqlite", "database/sql"}},
	{in: []string{"hongyan/ui"}, never: []string{"hongyan/store", "hongyan/cmd", "fyne.io/fyne/v2/app", "modernc.org/sqlite", "database/sql"}, direct: []string{"hongyan/smtpx"}},
	{in: []string{"hongyan/ui/widgets"}, direct: []string{"hongyan/app", "hongyan/assets"}},
	{in: []string{"hongyan/cmd"}, never: []string{"hongyan/ui", "fyne.io"}},
}

func (r rule) applies(p pkg) bool {
	return under(p.ImportPath, r.in...) && !under(p.ImportPath, r.not...)
}

// breaches lists what p imports against r.
func (r rule) breaches(p pkg, all map[string]pkg) []string {
	var bad []string
	for _, d := range p.Deps {
		if under(d, r.never...) || len(r.only) > 0 && !all[d].Standard && !under(d, r.only...) {
			bad = append(bad, d)
		}
	}
	for _, d := range p.Imports {
		// The plain types are for everybody.
		if under(d, r.direct...) && !under(d, "hongyan/app/model") {
			bad = append(bad, d)
		}
	}
	return bad
}

func TestWhoMayKnowWhom(t *testing.T) {
	all := list(t)
	for _, r := range rules {
		for _, p := range all {
			if p.ours() && r.applies(p) {
				for _, d := range r.breaches(p, all) {
					t.Errorf("%s must not depend on %s", p.ImportPath, d)
				}
			}
		}
	}
	for _, p := range all {
		if p.ours() && p.ImportPath != module && slices.Contains(p.Imports, "fyne.io/fyne/v2/app") {
			t.Errorf("%s imports fyne.io/fyne/v2/app, which needs GL: only the window's main may", p.ImportPath)
		}
	}
}

func TestTheRulesBite(t *testing.T) {
	all := map[string]pkg{"fmt": {Standard: true}}
	for _, c := range []struct {
		from, dep string
		direct    bool
		bad       bool
	}{
		{"hongyan/app/model", "fmt", true, false}, {"hongyan/app/model", "golang.org/x/text", true, true},
		{"hongyan/smtpx", "hongyan/app/model", false, true}, {"hongyan/smtpx", "golang.org/x/text/encoding", false, false},
		{"hongyan/smtpx/smtptest", "hongyan/smtpx", true, false}, {"hongyan/smtpx/smtptest", "hongyan/store", false, true},
		{"hongyan/store", "hongyan/app/model", true, false}, {"hongyan/store", "hongyan/app", true, true}, {"hongyan/store", "hongyan/app/campaign", true, true},
		{"hongyan/app/campaign", "hongyan/store", false, true}, {"hongyan/app", "fyne.io/fyne/v2", false, true}, {"hongyan/app", "hongyan/smtpx", true, false},
		{"hongyan/ui", "hongyan/smtpx", false, false}, {"hongyan/ui", "hongyan/smtpx", true, true}, {"hongyan/ui", "fyne.io/fyne/v2/app", false, true},
		{"hongyan/cmd/hongyanctl", "fyne.io/fyne/v2/lang", false, true}, {"hongyan/cmd/hongyanctl", "hongyan/store", true, false},
		{"hongyan/assets", "hongyan/app/model", false, true},
	} {
		p := pkg{ImportPath: c.from, Deps: []string{c.dep}}
		if c.direct {
			p.Imports = p.Deps
		}
		var bad []string
		for _, r := range rules {
			if r.applies(p) {
				bad = append(bad, r.breaches(p, all)...)
			}
		}
		if (len(bad) > 0) != c.bad {
			t.Errorf("%s -> %s (direct: %v): breaches %q, want some: %v", c.from, c.dep, c.direct, bad, c.bad)
		}
	}
}

func TestEachPackageSaysWhatItIsFor(t *testing.T) {
	for _, p := range list(t) {
		if !p.ours() {
			continue
		}
		if p.Doc == "" {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
		if _, err := os.Stat(filepath.Join(p.Dir, "doc.go")); err != nil && p.ImportPath != module {
			t.Errorf("%s has no doc.go", p.ImportPath)
		}
	}
}

func TestFilesStayShort(t *testing.T) {
	seen := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := d.Name(); d.IsDir() && path != root && (strings.HasPrefix(name, ".") && name != ".." || name == "testdata" || name == "bin") {
			return filepath.SkipDir
		}
		if filepath.Ext(path) != ".go" {
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		seen++
		if n := bytes.Count(b, []byte("\n")); n > maxLine {
			t.Errorf("%s has %d lines: split it, %d are the most", path, n, maxLine)
		}
		return nil
	})
	if err != nil || seen == 0 {
		t.Fatalf("%d files, %v", seen, err)
	}
}
