package ui

import (
	"os"
	"path/filepath"
	"sync"

	"hongyan/app/model"
)

// tempFiles are files made for other programs to open. They hold what people write to each other, so they go when
// the window closes. It is safe for concurrent use.
type tempFiles struct {
	mu   sync.Mutex
	dirs []string
}

// file writes content to a new file that only this user can read, in a folder of its own so that it keeps its name.
func (t *tempFiles) file(name, content string) (string, error) {
	dir, err := os.MkdirTemp("", "hongyan-")
	if err != nil {
		return "", model.E(model.EFileUnwritable, err, "path", os.TempDir(), "detail", err.Error())
	}
	t.mu.Lock()
	t.dirs = append(t.dirs, dir)
	t.mu.Unlock()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		return "", model.E(model.EFileUnwritable, err, "path", path, "detail", err.Error())
	}
	return path, nil
}

// remove deletes all of them.
func (t *tempFiles) remove() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, d := range t.dirs {
		_ = os.RemoveAll(d) // another program may hold one; the system clears its folder some day
	}
	t.dirs = nil
}
