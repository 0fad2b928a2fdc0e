package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// pasteEntry is an entry that may hand what is pasted to somebody who knows better where it belongs, and that
// leaves the Tab key to the dialogue even when it has several lines: no tab is ever wanted in a list of people.
type pasteEntry struct {
	widget.Entry
	pasted func(into *pasteEntry, text string) (taken bool)
}

func newPasteEntry(pasted func(into *pasteEntry, text string) bool) *pasteEntry {
	e := &pasteEntry{pasted: pasted}
	e.ExtendBaseWidget(e)
	return e
}

// AcceptsTab implements fyne.Tabbable.
func (e *pasteEntry) AcceptsTab() bool { return false }

// TypedShortcut implements fyne.Shortcutable.
func (e *pasteEntry) TypedShortcut(s fyne.Shortcut) {
	if p, ok := s.(*fyne.ShortcutPaste); ok && e.pasted(e, p.Clipboard.Content()) {
		return
	}
	e.Entry.TypedShortcut(s)
}
