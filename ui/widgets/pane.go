package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// NewPane frames a body with a title and buttons at the right.
func NewPane(title string, body fyne.CanvasObject, actions ...fyne.CanvasObject) fyne.CanvasObject {
	name := canvas.NewText(title, themed(theme.ColorNameForeground))
	name.TextStyle.Bold = true
	name.TextSize = theme.TextSize() + 1
	head := container.NewHBox(container.NewCenter(name), layout.NewSpacer(), container.NewHBox(actions...))
	bg := canvas.NewRectangle(themed(ColorCard))
	bg.CornerRadius = 6
	bg.StrokeColor = theme.Color(theme.ColorNameSeparator)
	bg.StrokeWidth = 1
	return container.NewStack(bg, container.NewPadded(container.NewBorder(head, nil, nil, nil, body)))
}

// NewEmpty says what to do where there is nothing to show yet: an icon, a line, a hint and buttons.
func NewEmpty(icon fyne.Resource, title, hint string, buttons ...fyne.CanvasObject) fyne.CanvasObject {
	head := widget.NewLabelWithStyle(title, fyne.TextAlignCenter, fyne.TextStyle{Bold: true})
	head.Wrapping = fyne.TextWrapWord
	body := widget.NewLabelWithStyle(hint, fyne.TextAlignCenter, fyne.TextStyle{})
	body.Wrapping = fyne.TextWrapWord
	img := canvas.NewImageFromResource(theme.NewDisabledResource(icon))
	img.FillMode = canvas.ImageFillContain
	img.SetMinSize(fyne.NewSize(26, 26))
	row := container.NewCenter(container.NewHBox(buttons...))
	return container.NewVBox(layout.NewSpacer(), container.NewCenter(img), head, body, row, layout.NewSpacer())
}

// Action is a button that can say why it is disabled: the reason goes to OnHint while the pointer is over it.
type Action struct {
	widget.Button
	Reason string // shown while disabled
	Tip    string // shown while enabled
	OnHint func(string)
}

// NewAction makes a button with an icon and a label.
func NewAction(label string, icon fyne.Resource, tapped func()) *Action {
	a := &Action{}
	a.Text, a.Icon, a.OnTapped = label, icon, tapped
	a.ExtendBaseWidget(a)
	return a
}

// Allow enables the button when reason is "", and disables it with the reason otherwise.
func (a *Action) Allow(reason string) {
	a.Reason = reason
	if (reason != "") == a.Disabled() {
		return
	}
	if reason == "" {
		a.Enable()
	} else {
		a.Disable()
	}
}

// MinSize keeps a button to its text: no wider.
func (a *Action) MinSize() fyne.Size {
	a.ExtendBaseWidget(a)
	return a.Button.MinSize()
}

// MouseIn is called by Fyne when the pointer comes.
func (a *Action) MouseIn(ev *desktop.MouseEvent) {
	a.Button.MouseIn(ev)
	if a.OnHint == nil {
		return
	}
	if a.Disabled() {
		a.OnHint(a.Reason)
	} else {
		a.OnHint(a.Tip)
	}
}

// MouseOut is called by Fyne when the pointer leaves.
func (a *Action) MouseOut() {
	a.Button.MouseOut()
	if a.OnHint != nil {
		a.OnHint("")
	}
}
