//go:build unix

package contacts

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"hongyan/app/model"
)

// A pipe that nobody writes to, links that lead in a circle, a file without permission: none may hang.
func TestBadFilesUnix(t *testing.T) {
	dir := t.TempDir()
	pipe, loop, locked := filepath.Join(dir, "pipe.csv"), filepath.Join(dir, "loop.csv"), filepath.Join(dir, "locked.csv")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(loop, loop); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(locked, []byte("a@example.com\n"), 0); err != nil {
		t.Fatal(err)
	}
	want := map[string]model.Code{pipe: model.EFileFormat, loop: model.EFileUnreadable, locked: model.EFileUnreadable}
	if os.Geteuid() == 0 {
		delete(want, locked) // root reads everything
	}
	for path, code := range want {
		if _, err := Open(path, Options{}); model.CodeOf(err) != code {
			t.Errorf("%s: %v", filepath.Base(path), err)
		}
	}
}
