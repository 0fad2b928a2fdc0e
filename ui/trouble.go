package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Trouble makes the window that says why there is no main window: one sentence, with a way to copy it. lang is as
// in Options. Closing it ends the program.
func Trouble(a fyne.App, lang string, err error) fyne.Window {
	t := textsFor(lang)
	a.Settings().SetTheme(NewTheme("light", ""))
	win := a.NewWindow(t.T("ui.trouble.title"))
	win.SetIcon(Icon())
	win.SetMaster()
	text := t.Error(err)
	label := wrapped(text)
	label.Selectable = true
	icon := container.NewVBox(container.NewPadded(widget.NewIcon(theme.NewErrorThemedResource(theme.ErrorIcon()))))
	buttons := container.NewHBox(layout.NewSpacer(),
		widget.NewButtonWithIcon(t.T("ui.copy"), theme.ContentCopyIcon(), func() { a.Clipboard().SetContent(text) }),
		primary(t.T("ui.close"), nil, win.Close))
	win.SetContent(container.NewBorder(bold(t.T("ui.trouble.title")), buttons, icon, nil, container.NewVScroll(label)))
	win.Resize(fyne.NewSize(520, 240))
	return win
}
