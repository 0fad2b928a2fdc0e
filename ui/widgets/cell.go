package widgets

import (
	"sort"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Cell is one line of text that ends in an ellipsis where it does not fit. It is much cheaper than a label, and
// a list redraws many of them.
type Cell struct {
	widget.BaseWidget
	text  string
	style fyne.TextStyle
	color fyne.ThemeColorName
	small bool
	whole bool // never shortened
	draw  *canvas.Text
}

// NewCell makes a cell.
func NewCell(text string) *Cell {
	c := &Cell{text: text, color: theme.ColorNameForeground, draw: canvas.NewText("", nil)}
	c.ExtendBaseWidget(c)
	return c
}

// Set changes text, colour and style in one redraw.
func (c *Cell) Set(text string, color fyne.ThemeColorName, style fyne.TextStyle) {
	if c.text == text && c.color == color && c.style == style {
		return
	}
	c.text, c.color, c.style = text, color, style
	c.fit()
}

// NewWholeCell makes a cell that takes the width of its text instead of shortening it.
func NewWholeCell() *Cell {
	c := NewCell("")
	c.whole = true
	return c
}

// Shortened tells whether the text ends in an ellipsis at present.
func (c *Cell) Shortened() bool { return c.draw.Text != c.text }

// Text is the whole text, not only what fits.
func (c *Cell) Text() string { return c.text }

// CreateRenderer is called by Fyne.
func (c *Cell) CreateRenderer() fyne.WidgetRenderer {
	r := &cellRenderer{c}
	c.fit()
	return r
}

func (c *Cell) size() float32 {
	if c.small {
		return theme.CaptionTextSize()
	}
	return theme.TextSize()
}

func (c *Cell) fit() {
	size := c.size()
	width := c.Size().Width
	text := c.text
	measure := func(s string) float32 { return fyne.MeasureText(s, size, c.style).Width }
	if width > 0 && !c.whole && measure(text) > width {
		rs := []rune(text)
		n := sort.Search(len(rs), func(i int) bool { return measure(string(rs[:i+1])+"…") > width })
		text = string(rs[:n]) + "…"
	}
	c.draw.Text, c.draw.TextSize, c.draw.TextStyle, c.draw.Color = text, size, c.style, themed(c.color)
	c.draw.Refresh()
}

type cellRenderer struct{ c *Cell }

func (r *cellRenderer) Layout(size fyne.Size) {
	h := r.c.draw.MinSize().Height
	r.c.fit()
	r.c.draw.Move(fyne.NewPos(0, (size.Height-h)/2))
	r.c.draw.Resize(fyne.NewSize(size.Width, h))
}

func (r *cellRenderer) MinSize() fyne.Size {
	s := fyne.NewSize(1, fyne.MeasureText("Ag鸿", r.c.size(), r.c.style).Height)
	if r.c.whole {
		s.Width = fyne.MeasureText(r.c.text, r.c.size(), r.c.style).Width
	}
	return s
}
func (r *cellRenderer) Refresh()                     { r.c.fit() }
func (r *cellRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.c.draw} }
func (r *cellRenderer) Destroy()                     {}
