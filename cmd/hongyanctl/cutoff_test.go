package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hongyan/app/model"
	"hongyan/store"
)

// cutOffImport imports a file of three people, undoes that, and begins it anew up to the first of them.
func (p *program) cutOffImport(path, list string) {
	p.t.Helper()
	ctx := p.t.Context()
	if err := os.WriteFile(path, []byte("email,name\na@example.com,A\nb@example.com,B\nc@example.com,C\n"), 0o600); err != nil {
		p.t.Fatal(err)
	}
	p.want(exitDone, "", "import", path, "--list", list, "--source", "s", "--consent", "c")
	st, err := store.Open(ctx, p.data, store.Options{})
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() {
		if err := st.Close(); err != nil {
			p.t.Error(err)
		}
	}()
	all, err := st.Imports(ctx)
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := st.UndoImport(ctx, all[0].ID); err != nil {
		p.t.Fatal(err)
	}
	im, err := st.BeginImport(ctx, all[0].ImportSpec)
	if err == nil {
		err = im.Add(ctx, []model.Row{{Line: 2, Email: "a@example.com", Name: "A"}})
	}
	if err == nil {
		err = im.Flush(ctx)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

func TestImportCutOff(t *testing.T) {
	p := newProgram(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "one.csv")
	p.want(exitUsage, "", "import", "--resume") // there is none
	p.cutOffImport(path, "one")
	if _, errs := p.want(exitDone, "", "import", path, "--dry-run", "--list", "x", "--source", "s", "--consent", "c"); !strings.Contains(errs, path) || !strings.Contains(errs, "--resume") {
		t.Errorf("an import beside a cut-off one says %q", errs)
	}
	out, _ := p.want(exitDone, "", "import", "--resume", "--json")
	if !strings.HasPrefix(out, `{"read":3,"added":3,"updated":0,"duplicate":0,"invalid":0,"suppressed":0,`) {
		t.Errorf("gone on with: %s", out)
	}

	other := filepath.Join(dir, "two.csv")
	p.cutOffImport(path, "two")
	p.cutOffImport(other, "three")
	out, _ = p.want(exitUsage, "", "import", "--resume")
	if !strings.Contains(out, path) || !strings.Contains(out, other) {
		t.Errorf("of several it says %q", out)
	}
	p.want(exitUsage, "", "import", "--resume", "three.csv")
	moved := filepath.Join(t.TempDir(), "two.csv")
	if err := os.Rename(other, moved); err != nil {
		t.Fatal(err)
	}
	p.want(exitUsage, "", "import", "--resume", other)
	p.want(exitDone, "", "import", "--resume", moved)
	if err := os.WriteFile(path, []byte("email\nz@example.com\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, errs := p.want(exitUsage, "", "import", "--resume"); !strings.Contains(errs, "not the file") {
		t.Errorf("a changed file: %q", errs)
	}
	if out, _ = p.want(exitDone, "", "import", "--undo"); !strings.Contains(out, "undone") {
		t.Errorf("undone: %q", out)
	}
	p.want(exitUsage, "", "list", "show", "two")
	p.cutOffImport(other, "four")
	p.want(exitDone, "", "import", "--keep", "#8", "--json")
	if out, _ = p.want(exitDone, "", "list", "show", "four"); strings.Count(out, "\n") != 1 {
		t.Errorf("kept %q", out)
	}
}

// TestDryRun: it counts what an import would do, and makes no folder.
func TestDryRun(t *testing.T) {
	p := newProgram(t)
	p.data = filepath.Join(p.data, "none")
	path := filepath.Join(t.TempDir(), "f.csv")
	if err := os.WriteFile(path, []byte("email,name\na@example.com,A\nb@example.com,B\na@example.com,A\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	dry := func(want string) {
		t.Helper()
		out, _ := p.want(exitDone, "", "import", path, "--dry-run", "--json", "--list", "l", "--source", "s", "--consent", "c")
		if !strings.HasPrefix(out, want) {
			t.Errorf("said %s, want %s", out, want)
		}
	}
	dry(`{"read":3,"added":2,"updated":0,"duplicate":1,"invalid":0,"suppressed":0,`)
	if _, err := os.Stat(p.data); !os.IsNotExist(err) {
		t.Errorf("it made the folder: %v", err)
	}
	p.want(exitDone, "", "import", path, "--list", "l", "--source", "s", "--consent", "c")
	dry(`{"read":3,"added":0,"updated":0,"duplicate":3,"invalid":0,"suppressed":0,`)
}
