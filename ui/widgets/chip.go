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

// Chip is a word or a line in a rounded frame that can be pressed and taken away.
type Chip struct {
	widget.BaseWidget
	OnTapped func()            // nil: it cannot be pressed
	OnHint   func(text string) // hears the whole text while the pointer is over it

	cell *Cell
	body *fyne.Container
}

// NewChip makes a chip with an icon (or nil). Where line is set it takes what width there is and shortens its text;
// else it is as wide as the text. onClose is called by its cross; nil shows none.
func NewChip(icon fyne.Resource, text string, line bool, onClose func()) *Chip {
	c := &Chip{cell: NewCell(text)}
	c.cell.whole = !line
	var left, right fyne.CanvasObject
	if icon != nil {
		left = container.NewCenter(sized(icon))
	}
	if onClose != nil {
		b := NewAction("", theme.CancelIcon(), onClose)
		b.Importance = widget.LowImportance
		right = b
	}
	c.body = container.NewBorder(nil, nil, left, right, container.New(layout.NewCustomPaddedLayout(0, 0, 2, 2), c.cell))
	c.ExtendBaseWidget(c)
	return c
}

// sized is an icon as high as a line of text.
func sized(icon fyne.Resource) fyne.CanvasObject {
	i := canvas.NewImageFromResource(icon)
	i.FillMode = canvas.ImageFillContain
	i.SetMinSize(fyne.NewSquareSize(theme.TextSize()))
	return i
}

// SetText changes what it says.
func (c *Chip) SetText(text string) { c.cell.Set(text, theme.ColorNameForeground, fyne.TextStyle{}) }

// Text is the whole text.
func (c *Chip) Text() string { return c.cell.Text() }

// CreateRenderer is called by Fyne.
func (c *Chip) CreateRenderer() fyne.WidgetRenderer {
	bg := canvas.NewRectangle(theme.Color(theme.ColorNameButton))
	bg.CornerRadius = 6
	return widget.NewSimpleRenderer(container.NewStack(bg, container.New(layout.NewCustomPaddedLayout(0, 0, 6, 2), c.body)))
}

// Tapped is called by Fyne.
func (c *Chip) Tapped(*fyne.PointEvent) {
	if c.OnTapped != nil {
		c.OnTapped()
	}
}

// MouseIn is called by Fyne when the pointer comes.
func (c *Chip) MouseIn(*desktop.MouseEvent) {
	if c.OnHint != nil {
		c.OnHint(c.Text())
	}
}

// MouseMoved is called by Fyne.
func (c *Chip) MouseMoved(*desktop.MouseEvent) {}

// MouseOut is called by Fyne when the pointer leaves.
func (c *Chip) MouseOut() {
	if c.OnHint != nil {
		c.OnHint("")
	}
}

// NewStrip puts a quiet background behind a line of a pane.
func NewStrip(o fyne.CanvasObject) *fyne.Container {
	bg := canvas.NewRectangle(themed(theme.ColorNameHeaderBackground))
	bg.CornerRadius = 6
	return container.NewStack(bg, container.New(layout.NewCustomPaddedLayout(0, 0, 6, 2), o))
}
