package ui

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/storage"
)

// TestEditOutside: what is saved in another editor appears here, while it is open and when it is done, and the file
// is gone when the window is.
func TestEditOutside(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	r := newRig(t, "en", shop("en"))
	r.w.editOutside()
	r.run()
	r.wants("The letter is open in your own editor:")
	found, err := filepath.Glob(filepath.Join(os.TempDir(), "hongyan-*", "letter.md"))
	if err != nil || len(found) != 1 {
		t.Fatalf("files %v, %v", found, err)
	}
	save := func(text string, at time.Time) {
		t.Helper()
		if err := os.WriteFile(found[0], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(found[0], at, at); err != nil {
			t.Fatal(err)
		}
	}
	save("first, {{name}}", r.svc.at(1))
	r.run()
	if got := r.w.letterPane.body.Text; got != "first, {{name}}" {
		t.Errorf("after a save the editor holds %q", got)
	}
	r.run()
	save("second, {{name}}", r.svc.at(2))
	r.tap("Done")
	if got := r.w.letter.letter.Body; got != "second, {{name}}" {
		t.Errorf("at the end the letter is %q", got)
	}
	save("third", r.svc.at(3))
	r.run()
	r.run()
	if got := r.w.letter.letter.Body; got != "second, {{name}}" {
		t.Errorf("it is still watched: %q", got)
	}
	r.w.askClose()
	r.waitGone()
	if _, err := os.Stat(found[0]); !os.IsNotExist(err) {
		t.Errorf("the letter lies about in %s: %v", found[0], err)
	}
}

func TestAttachments(t *testing.T) {
	r := newRig(t, "en", shop("en"))
	r.w.attach("/home/shop/map.png")
	r.w.attach("/home/shop/plan.pdf")
	r.w.attachDialog()
	r.run()
	r.wants("map.png", "plan.pdf")
	if r.w.letterPane.attach.Text != "2" {
		t.Errorf("the button says %q", r.w.letterPane.attach.Text)
	}
	r.tap("") // the first bin
	r.run()
	if a := r.w.letter.letter.Attachments; len(a) != 1 {
		t.Errorf("left %+v", a)
	}
	r.tap("Close")
	r.noDialog()
}

// TestFolderRemembered: the folder of the last file is where the next dialog opens.
func TestFolderRemembered(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "people.csv"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, "en", shop("en"))
	r.w.keepFolder(storage.NewFileURI(filepath.Join(dir, "people.csv")))
	if got := r.svc.settings[keyFolder]; got != dir {
		t.Errorf("kept %q, want %q", got, dir)
	}
	r.w.openFile(func(string) {}, ".csv")
	r.run()
	if !strings.Contains(r.said(), filepath.Base(dir)) {
		t.Error("the dialog opened somewhere else")
	}
}

// TestTicker: one call waits at most, the next comes once it has run, and none after the window has closed.
func TestTicker(t *testing.T) {
	f := shop("en")
	calls := make(chan func(), 16)
	r := &rig{t: t, svc: f, app: fyne.CurrentApp(), closed: make(chan struct{})}
	r.w = New(r.app, f, Options{Lang: "en", Dispatch: func(f func()) { calls <- f }, Tick: time.Millisecond, timer: r.timer})
	done := make(chan struct{})
	go func() {
		r.w.ticker()
		close(done)
	}()
	for range 3 {
		call := <-calls
		if n := len(calls); n != 0 {
			t.Errorf("%d more calls wait", n)
		}
		call()
	}
	close(r.w.stopTick)
	<-done
	for len(calls) > 0 {
		(<-calls)()
	}
	r.w.tasks.Close()
	r.w.win.Close()
}
