package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// Column is the width of one column: Min in Fyne units, and a share (Weight) of what is left over.
type Column struct {
	Min    float32
	Weight float32
}

// Columns lays objects out side by side by fixed columns, so that a header and all rows agree.
type Columns []Column

// Layout places objects[i] in column i.
func (c Columns) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	gap := theme.Padding()
	left := size.Width - gap*float32(len(c)+1)
	var weight float32
	for _, col := range c {
		left -= col.Min
		weight += col.Weight
	}
	if left < 0 {
		left = 0
	}
	x := gap
	for i, o := range objects {
		if i >= len(c) {
			break
		}
		w := c[i].Min
		if weight > 0 {
			w += left * c[i].Weight / weight
		}
		o.Move(fyne.NewPos(x, 0))
		o.Resize(fyne.NewSize(w, size.Height))
		x += w + gap
	}
}

// MinSize is the sum of the columns' least widths.
func (c Columns) MinSize(objects []fyne.CanvasObject) fyne.Size {
	gap := theme.Padding()
	s := fyne.NewSize(gap, 0)
	for i, o := range objects {
		if i < len(c) {
			s.Width += c[i].Min + gap
		}
		s.Height = fyne.Max(s.Height, o.MinSize().Height)
	}
	return s
}
