package ui

import (
	"path/filepath"
	"strings"

	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// namesShown is how many of the files that follow are named: the first rows of the one at hand need the room.
const namesShown = 6

// importFiles asks about what in says and then about the files that follow, one after the other. What was told before
// about list, source and consent is kept; before is nil for the first.
func (w *Window) importFiles(in ImportInput, rest []string, before *importForm) {
	f := w.importDialog(in.Path, in.Text)
	f.rest = rest
	if before != nil {
		if before.listTold {
			f.list.SetText(before.list.Text)
			f.listTold = true
		}
		f.source.SetText(before.source.Text)
		f.consent.SetText(before.consent.Text)
	}
	f.followed()
}

// queue makes what tells about the files that follow, and the buttons that change them.
func (f *importForm) queue() {
	t := f.w.t
	f.follow = wrapped("")
	f.another = widget.NewButtonWithIcon(t.T("ui.import.another"), theme.ContentAddIcon(), func() {
		f.w.openFile(func(p string) { f.add([]string{p}) })
	})
	f.skip = widget.NewButton(t.T("ui.import.skip"), func() {
		f.d.Hide()
		f.next()
	})
	f.cancel = widget.NewButton(t.T("ui.cancel"), func() { f.d.Hide() })
}

// add takes more files: they follow, and where nothing is given yet the first is the one at hand.
func (f *importForm) add(paths []string) {
	if f.path.Text == "" && strings.TrimSpace(f.in.Text) == "" {
		f.path.SetText(paths[0])
		paths = paths[1:]
	}
	f.rest = append(f.rest, paths...)
	f.followed()
}

// followed shows which files follow, and that leaving this one can mean two things then.
func (f *importForm) followed() {
	show(f.another, strings.TrimSpace(f.path.Text) != "")
	more := len(f.rest) > 0
	show(f.follow, more)
	show(f.skip, more)
	leave := "ui.cancel"
	if more {
		leave = "ui.import.stop"
		var names []string
		for _, p := range f.rest[:min(len(f.rest), namesShown)] {
			names = append(names, filepath.Base(p))
		}
		list := strings.Join(names, f.w.t.T("ui.import.follow.and"))
		if len(f.rest) > namesShown {
			list += "…"
		}
		f.follow.SetText(f.w.t.T("ui.import.follow", "n", number(len(f.rest)), "files", list))
	}
	f.cancel.SetText(f.w.t.T(leave))
	f.body.Refresh()
}

// next asks about the file that follows, if there is one.
func (f *importForm) next() {
	if len(f.rest) > 0 {
		f.w.importFiles(ImportInput{Path: f.rest[0]}, f.rest[1:], f)
	}
}

// again asks once more about a file that could not be imported, where others follow: it can be put right or skipped.
func (f *importForm) again() {
	if len(f.rest) > 0 {
		f.w.importFiles(ImportInput{Path: f.in.Path, Text: f.in.Text}, f.rest, f)
	}
}
