package app_test

import (
	"bufio"
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"hongyan/app"
	"hongyan/app/contacts"
	"hongyan/app/model"
	"hongyan/store"
)

// childEnv makes the test binary a child that imports until it is killed: a folder, and a file to begin with or "" to
// go on.
const childEnv = "HONGYAN_APP_TEST_CHILD"

func TestMain(m *testing.M) {
	if what, ok := os.LookupEnv(childEnv); ok {
		dir, file, _ := strings.Cut(what, "\n")
		if err := importAsChild(context.Background(), dir, file); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const killChunk = 300 // rows

var killSpec = model.ImportSpec{ListName: "l", Source: "fair", Consent: "card"}

// importAsChild says "read" now and then.
func importAsChild(ctx context.Context, dir, file string) error {
	st, err := store.Open(ctx, dir, store.Options{ChunkRows: killChunk})
	if err != nil {
		return err
	}
	a := app.New(app.Options{Dir: dir, Store: st})
	progress := func(int64, int64) { fmt.Println("read") }
	if file == "" {
		open, err := a.OpenImports(ctx)
		if err != nil || len(open) != 1 {
			return fmt.Errorf("open %+v: %w", open, err)
		}
		_, err = a.ResumeImport(ctx, open[0].ID, nil, progress)
		return err
	}
	src, err := contacts.Open(file, contacts.Options{})
	if err != nil {
		return err
	}
	_, err = a.Import(ctx, src, killSpec, false, progress)
	return err
}

// kill lets a child work until it has said n lines, kills it, and reports whether it was killed before its end.
func kill(t *testing.T, dir, file string, n int) bool {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+dir+"\n"+file)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if said = append(said, lines.Text()); len(said) == n {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	err = cmd.Wait()
	if err != nil && (len(said) < n || strings.HasPrefix(said[len(said)-1], "error")) {
		t.Fatalf("the child said %q, %v", said, err)
	}
	return err != nil
}

// folders makes data folders with people who are known, on the list or not, and people who are never mailed.
func folders(t *testing.T, n int) (dirs []string) {
	t.Helper()
	r := open(t, filepath.Join(t.TempDir(), "data"))
	r.paste("l", "email,name,city\nu1@example.com,One,Rome\nu2@example.com,用户2,城市2\n")
	r.paste("other", "email,name\nu3@example.com,\nu4@example.com,Four\n")
	if err := r.Suppress(t.Context(), []string{"u5@example.com", "u1@example.com", "@never.example"}, "user"); err != nil {
		t.Fatal(err)
	}
	r.close()
	for range n {
		dir := filepath.Join(t.TempDir(), "copy")
		if err := os.CopyFS(dir, os.DirFS(r.dir)); err != nil {
			t.Fatal(err)
		}
		dirs = append(dirs, dir)
	}
	return dirs
}

// bigFile writes a CSV that a child reads in many steps: with people who come again in later chunks and say more, refused
// rows, and people who are never mailed.
func bigFile(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("email,name,city,note\n")
	note := strings.Repeat("长", 60)
	for i := range 12_000 {
		switch {
		case i%97 == 0:
			fmt.Fprintf(&b, "not an address %d,,,\n", i)
		case i%41 == 0:
			fmt.Fprintf(&b, "u%d@example.com,again%d,,\n", i/2, i)
		case i%53 == 0:
			fmt.Fprintf(&b, "u%d@never.example,,,\n", i)
		default:
			fmt.Fprintf(&b, "u%d@example.com,用户%d,城市%d,%s\n", i, i, i%7, note)
		}
	}
	path := filepath.Join(t.TempDir(), "名单 ?#.csv")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// state is what an import leaves behind, without the times.
type state struct {
	People  []model.Contact
	Lists   []model.List
	Imports []model.Import
	On      map[string][]int64
}

func stateOf(t *testing.T, r *rig) state {
	t.Helper()
	s := state{People: everybody(t, r), On: map[string][]int64{}}
	var err error
	if s.Lists, err = r.Lists(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, l := range s.Lists {
		if s.On[l.Name], err = r.ContactIDs(t.Context(), model.ContactQuery{ListID: l.ID}); err != nil {
			t.Fatal(err)
		}
	}
	if s.Imports, err = r.store.Imports(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

var noTimes = cmp.Options{cmpopts.IgnoreFields(model.Contact{}, "CreatedAt", "UpdatedAt"), cmpopts.IgnoreFields(model.List{}, "CreatedAt"),
	cmpopts.IgnoreFields(model.Import{}, "StartedAt", "FinishedAt"), cmpopts.IgnoreFields(model.ImportReport{}, "Seconds")}

// TestKilledImportGoesOn: an import that is killed at random moments, again and again, and gone on with, ends as one that
// nothing disturbed.
func TestKilledImportGoesOn(t *testing.T) {
	t.Parallel()
	file, dirs := bigFile(t), folders(t, 3)
	quiet := small(t, dirs[0], killChunk)
	src, err := contacts.Open(file, contacts.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = src.Close() }()
	report, err := quiet.Import(t.Context(), src, killSpec, false, nil)
	if err != nil || report.Added == 0 || report.Duplicate == 0 || report.Updated == 0 || report.Suppressed == 0 || report.Invalid == 0 {
		t.Fatalf("report %+v, %v", report, err)
	}
	want := stateOf(t, quiet)
	random := rand.New(rand.NewPCG(1, uint64(os.Getpid()))) //#nosec G404 -- moments
	for _, dir := range dirs[1:] {
		if !kill(t, dir, file, 1+random.IntN(3)) {
			t.Fatal("the import came to its end before it was killed")
		}
		kills := 1
		for range 2 {
			if !kill(t, dir, "", 1+random.IntN(4)) {
				break
			}
			kills++
		}
		r := small(t, dir, killChunk)
		all, err := r.OpenImports(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(all) == 1 {
			if all[0].Rows%killChunk != 0 || all[0].Path != file {
				t.Errorf("after %d kills: %+v", kills, all[0])
			}
			got, err := r.ResumeImport(t.Context(), all[0].ID, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(report, got, noTimes); d != "" {
				t.Errorf("after %d kills the report is another: %s", kills, d)
			}
		}
		if d := cmp.Diff(want, stateOf(t, r), noTimes); d != "" {
			t.Errorf("after %d kills: %s", kills, d)
		}
	}
}

// imported imports a file into an empty folder, and gives the record of that too.
func imported(t *testing.T, file string) (r *rig, report model.ImportReport, spec model.ImportSpec, err error) {
	t.Helper()
	r = newRig(t)
	src, err := contacts.Open(file, contacts.Options{})
	if err != nil {
		return r, report, spec, err
	}
	defer func() { _ = src.Close() }()
	if report, err = r.Import(t.Context(), src, killSpec, false, nil); err != nil {
		return r, report, spec, err
	}
	all, err := r.store.Imports(t.Context())
	return r, report, all[0].ImportSpec, err
}

// cut begins an import of a file and leaves it after some rows.
func cut(t *testing.T, r *rig, file string, spec model.ImportSpec, rows int) model.Import {
	t.Helper()
	src, err := contacts.Open(file, contacts.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = src.Close() }()
	im, err := r.store.BeginImport(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	err = src.Read(t.Context(), func(row model.Row) error {
		if n++; n > rows {
			return nil
		}
		return im.Add(t.Context(), []model.Row{row})
	}, func(model.Reject) error { return nil }, nil)
	if err == nil {
		err = im.Flush(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	open, err := r.OpenImports(t.Context())
	if err != nil || len(open) == 0 {
		t.Fatal(open, err)
	}
	return open[len(open)-1]
}

// TestResumeReadsAlike: whatever the shape of a file, an import of it that is gone on with is the same as a whole one.
func TestResumeReadsAlike(t *testing.T) {
	t.Parallel()
	n := 0
	alike := func(path string) {
		whole, report, spec, err := imported(t, path)
		if err != nil {
			return // some samples are refused on purpose
		}
		n++
		r := newRig(t)
		im := cut(t, r, path, spec, 2)
		got, err := r.ResumeImport(t.Context(), im.ID, nil, nil)
		if err != nil {
			t.Fatal(path, err)
		}
		got.Updated, got.Duplicate = got.Updated+got.Duplicate, 0 // a smaller chunk may tell them apart in another way
		report.Updated, report.Duplicate = report.Updated+report.Duplicate, 0
		if d := cmp.Diff(report, got, noTimes); d != "" {
			t.Error(path, d)
		}
		if d := cmp.Diff(everybody(t, whole), everybody(t, r), noTimes); d != "" {
			t.Error(path, d)
		}
	}
	dir := t.TempDir()
	var late strings.Builder
	for i := range 500 {
		fmt.Fprintf(&late, "{\"email\":\"p%d@example.com\"}\n", i)
	}
	late.WriteString(`{"email":"late@example.com","city":"Rome"}` + "\n")
	for name, text := range map[string]string{ // tables that change on the way
		"below.csv": "email,name,city\na@example.com,A,Rome\nb@example.com,B,Rome\nc@example.com,C,Rome\n\nname,phone,email\nD,13800138000,d@example.com\n",
		"late.json": late.String(),
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		alike(path)
	}
	if n != 2 {
		t.Fatal("a sample was refused")
	}
	err := filepath.WalkDir("contacts/testdata", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "fuzz" || d.Name() == "expected"):
			return fs.SkipDir
		case !d.IsDir():
			alike(path)
		}
		return nil
	})
	if err != nil || n < 7 {
		t.Errorf("%d files, %v", n, err)
	}
}

func TestResumeRefuses(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	code := func(what string, err error, want model.Code) {
		t.Helper()
		if model.CodeOf(err) != want {
			t.Errorf("%s: %v, want %s", what, err, want)
		}
	}
	_, err := r.ResumeImport(ctx, 7, nil, nil)
	code("nothing", err, model.ENotFound)
	done := r.paste("l", "a@example.com\n")
	_, err = r.ResumeImport(ctx, done.ImportID, nil, nil)
	code("a finished one", err, model.EInvalid)
	if _, err := r.store.BeginImport(ctx, killSpec); err != nil {
		t.Fatal(err)
	}
	open, err := r.OpenImports(ctx)
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.ResumeImport(ctx, open[0].ID, nil, nil)
	code("a pasted one", err, model.EImportPasted)

	path := filepath.Join(t.TempDir(), "f.csv")
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const text = "email,name\nb@example.com,B\nc@example.com,C\nd@example.com,D\n"
	write(path, text)
	_, _, spec, err := imported(t, path)
	if err != nil {
		t.Fatal(err)
	}
	im := cut(t, r, path, spec, 2)
	before := everybody(t, r)
	write(path, strings.Replace(text, "d@", "e@", 1))
	_, err = r.ResumeImport(ctx, im.ID, nil, nil)
	code("a changed file", err, model.EImportChanged)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	_, err = r.ResumeImport(ctx, im.ID, nil, nil)
	code("no file", err, model.EFileMissing)
	if d := cmp.Diff(before, everybody(t, r)); d != "" {
		t.Errorf("what was refused changed something: %s", d)
	}

	moved := filepath.Join(t.TempDir(), "moved.csv")
	write(moved, text)
	src, err := contacts.Open(moved, contacts.Options{Mapping: map[int]contacts.Role{1: contacts.RoleIgnore}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = src.Close() }()
	stopped, stop := context.WithCancel(ctx)
	stop()
	_, err = r.ResumeImport(stopped, im.ID, src, nil)
	code("cancelled", err, model.ECancelled)
	report, err := r.ResumeImport(ctx, im.ID, src, nil)
	if err != nil || report.Added != 3 || report.Read != 3 {
		t.Errorf("moved: %+v, %v", report, err)
	}
	if d := r.person("d@example.com"); d.Name != "D" {
		t.Errorf("%+v: the columns are those of the beginning", d)
	}
}

// TestTwoGoOnWithOne: of two who go on with the same import one stores, and nothing is counted twice.
func TestTwoGoOnWithOne(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "f.csv")
	if err := os.WriteFile(path, []byte("email\na@example.com\nb@example.com\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, spec, err := imported(t, path)
	if err != nil {
		t.Fatal(err)
	}
	im := cut(t, r, path, spec, 1)
	other, _, err := r.store.ResumeImport(ctx, im.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Add(ctx, []model.Row{{Line: 3, Email: "b@example.com"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.ResumeImport(ctx, im.ID, nil, nil); err != nil {
		t.Fatal(err)
	}
	if err := other.Flush(ctx); model.CodeOf(err) != model.EInvalid {
		t.Errorf("the second: %v", err)
	}
	if all, err := r.store.Imports(ctx); err != nil || all[0].Rows != 2 || all[0].Added != 2 {
		t.Errorf("imports %+v, %v", all, err)
	}
}
