package ui

// What follows is for tests that stand outside, where the window works over the real use cases.

// StartImport opens the import with a file. ready tells when it can be run; both are called on the window's goroutine.
func (w *Window) StartImport(path, list string) (ready func() bool, run func()) {
	f := w.importDialog(path, "")
	f.list.SetText(list)
	f.source.SetText("a fair")
	f.consent.SetText("signed up")
	return func() bool { return !f.ok.Disabled() }, f.run
}

// ImportEnded tells whether the report of an import is shown, and closes it.
func (w *Window) ImportEnded() bool {
	if len(w.open) == 0 || w.open[len(w.open)-1].escape == nil {
		return false
	}
	w.open[len(w.open)-1].escape()
	return true
}

// People is how many people are shown.
func (w *Window) People() int { return len(w.recipients.ids) }

// Wheel scrolls the list of people a step.
func (w *Window) Wheel(step int) { w.recipientsPane.table.ScrollToOffset(float32(40 * step)) }

// CloseFor closes the window and calls then when it is gone.
func (w *Window) CloseFor(then func()) {
	w.win.SetOnClosed(then)
	w.askClose()
}
