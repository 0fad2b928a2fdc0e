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

// NewPane frames a body with a title, what stands beside it (or nil), and buttons at the right.
func NewPane(title string, beside, body fyne.CanvasObject, actions ...fyne.CanvasObject) fyne.CanvasObject {
	name := canvas.NewText(title, themed(theme.ColorNameForeground))
	name.TextStyle.Bold = true
	name.TextSize = theme.TextSize() + 1
	head := container.NewBorder(nil, nil, container.NewHBox(container.NewCenter(name)), container.NewHBox(actions...), beside)
	if beside == nil {
		head = container.New(Bar{Right: 1}, append([]fyne.CanvasObject{container.NewCenter(name)}, actions...)...)
	}
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
	return container.NewVScroll(container.NewVBox(layout.NewSpacer(), container.NewCenter(img), head, body, row, layout.NewSpacer()))
}

// Action is a button that can say why it is disabled: the reason goes to OnHint while the pointer is over it.
type Action struct {
	widget.Button
	Reason string // shown while disabled
	Tip    string // shown while enabled
	OnHint func(string)

	label string // all of it, while Text may be dropped for want of room
}

// NewAction makes a button with an icon and a label.
func NewAction(label string, icon fyne.Resource, tapped func()) *Action {
	a := &Action{}
	a.Text, a.label, a.Icon, a.OnTapped = label, label, icon, tapped
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

// SetLabel changes the label.
func (a *Action) SetLabel(label string) {
	a.label = label
	a.SetText(label)
}

// iconWidth is what the icon alone needs; an action without one keeps its label.
func (a *Action) iconWidth() float32 {
	if a.Icon == nil {
		return a.fullWidth()
	}
	return theme.IconInlineSize() + 2*theme.InnerPadding()
}

func (a *Action) fullWidth() float32 {
	if a.Text == a.label {
		return a.MinSize().Width
	}
	return a.iconWidth() + theme.Padding() + fyne.MeasureText(a.label, theme.TextSize(), fyne.TextStyle{Bold: true}).Width
}

// compact shows the icon alone, or the label again.
func (a *Action) compact(on bool) {
	text := a.label
	if on && a.Icon != nil {
		text = ""
	}
	if a.Text != text {
		a.SetText(text)
	}
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
