package ui

import (
	"path/filepath"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
)

// TestPasteFindsItsField: people know neither which of the two fields they are in nor that there are two.
func TestPasteFindsItsField(t *testing.T) {
	file := filepath.Join(t.TempDir(), "名单 1.csv")
	for _, c := range []struct{ name, into, pasted, path, text string }{
		{"people into the path", "path", "甲 a@example.com\nb@example.com", "", "甲 a@example.com\nb@example.com"},
		{"a path into the people", "text", file + "\n", file, ""},
		{"a link to a file", "text", "file://" + file, file, ""},
		{"a path into the path", "path", file, file, ""},
		{"several files", "text", "file://" + file + "\r\n/x/b.csv\n", file, ""},
		{"several files into the path", "path", file + "\n/x/b.csv", file, ""},
		{"a link as file managers write it", "path", "file:///x/%E5%90%8D%E5%8D%95%201.csv", "/x/名单 1.csv", ""},
		{"people into the people", "text", "a@example.com", "", "a@example.com"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, "zh", shop("zh"))
			r.w.importDialog("", "")
			r.run()
			var path, text *pasteEntry
			walk(r.top(), func(o fyne.CanvasObject) {
				if e, ok := o.(*pasteEntry); ok {
					if e.MultiLine {
						text = e
					} else {
						path = e
					}
				}
			})
			into := map[string]*pasteEntry{"path": path, "text": text}[c.into]
			clip := test.NewClipboard()
			clip.SetContent(c.pasted)
			into.TypedShortcut(&fyne.ShortcutPaste{Clipboard: clip})
			if path.Text != c.path || text.Text != c.text {
				t.Errorf("path %q, text %q", path.Text, text.Text)
			}
			if into.AcceptsTab() {
				t.Error("the Tab key does not leave the field")
			}
		})
	}
}
