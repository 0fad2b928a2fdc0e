package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// Flow lays objects out as words are: side by side, and on the next line where there is no room left.
type Flow struct{}

// Layout is called by Fyne.
func (Flow) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	gap, x, y, line := theme.Padding(), float32(0), float32(0), float32(0)
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		m := o.MinSize()
		m.Width = fyne.Min(m.Width, size.Width)
		if x > 0 && x+m.Width > size.Width {
			x, y, line = 0, y+line+gap, 0
		}
		o.Move(fyne.NewPos(x, y))
		o.Resize(m)
		x, line = x+m.Width+gap, fyne.Max(line, m.Height)
	}
}

// MinSize is the widest object, and the height of the lines at the last layout.
func (Flow) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var s fyne.Size
	for _, o := range objects {
		if o.Visible() {
			m := o.MinSize()
			s = s.Max(fyne.NewSize(m.Width, o.Position().Y+m.Height))
		}
	}
	return s
}
