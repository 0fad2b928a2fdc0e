package ui

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"hongyan/app/model"
	"hongyan/ui/widgets"
)

// noticeTime is how long the line about what was done stays.
const noticeTime = 20 * time.Second

// changeWords says what was done to people.
func (w *Window) changeWords(c model.Change) string {
	return counted(w.t, "ui.change."+string(c.Kind), c.N, "what", c.What)
}

// undo takes back what was done last to people by hand, and says what that was.
func (w *Window) undo() {
	if len(w.open) > 0 {
		return // a dialog has the keyboard
	}
	if reason := w.whyNoUndo(); reason != "" {
		w.step.hint(w.t.T(reason))
		return
	}
	w.recipients.undo(func(c model.Change, err error) {
		if err != nil {
			w.showError(err)
			return
		}
		w.recipientsPane.notice.say(w.t.T("ui.undone", "what", w.changeWords(c)), false)
	})
}

func (w *Window) whyNoUndo() string {
	switch {
	case w.recipients.working > 0:
		return "ui.working"
	case len(w.recipients.changes) == 0:
		return "ui.why.noundo"
	}
	return ""
}

// undoLabel is what the menu says: what would be taken back.
func (w *Window) undoLabel() string {
	if len(w.recipients.changes) == 0 {
		return w.t.T("ui.cmd.undo")
	}
	return w.t.T("ui.undo.what", "what", w.changeWords(w.recipients.changes[0]))
}

// notice is the line of the recipients pane about what was done just now, with a way back.
type notice struct {
	w     *Window
	root  *fyne.Container
	text  *widgets.Cell
	back  *widget.Button
	pause pause
}

func newNotice(w *Window) *notice {
	n := &notice{w: w, text: widgets.NewCell("")}
	n.back = widget.NewButtonWithIcon(w.t.T("ui.undo"), theme.ContentUndoIcon(), w.undo)
	off := widget.NewButtonWithIcon("", theme.CancelIcon(), n.hide)
	n.back.Importance, off.Importance = widget.LowImportance, widget.LowImportance
	n.root = widgets.NewStrip(container.NewBorder(nil, nil, nil, container.NewHBox(n.back, off), n.text))
	n.root.Hide()
	return n
}

// say shows a text; undo offers to take it back.
func (n *notice) say(text string, undo bool) {
	n.text.Set(text, theme.ColorNameForeground, fyne.TextStyle{})
	show(n.back, undo)
	n.root.Show()
	n.w.recipientsPane.relayout()
	n.w.tasks.after(&n.pause, noticeTime, n.hide)
}

func (n *notice) hide() {
	if n.root.Visible() {
		n.root.Hide()
		n.w.recipientsPane.relayout()
	}
}
