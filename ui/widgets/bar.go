package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// Bar lays a toolbar out: objects from the left, those from index Right on at the right. Where they need more than
// there is, the actions show their icons alone, first those at the right, then all; hints still say what each does.
type Bar struct {
	Right int
	Grow  float32 // above 0: the last object at the left fills the middle, and labels give way below this width
}

// Layout is called by Fyne.
func (b Bar) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	if size.Width == 0 {
		return
	}
	full, right := b.widths(objects)
	switch {
	case full <= size.Width:
		b.compact(objects, len(objects))
	case full-right <= size.Width:
		b.compact(objects, b.Right)
	default:
		b.compact(objects, 0)
	}
	gap := theme.Padding()
	place := func(o fyne.CanvasObject, x float32) {
		o.Move(fyne.NewPos(x, 0))
		o.Resize(fyne.NewSize(o.MinSize().Width, size.Height))
	}
	end := size.Width
	for i := len(objects) - 1; i >= b.Right; i-- {
		if !objects[i].Visible() {
			continue
		}
		end -= objects[i].MinSize().Width
		place(objects[i], end)
		end -= gap
	}
	x := float32(0)
	for i, o := range objects[:b.Right] {
		if !o.Visible() {
			continue
		}
		place(o, x)
		if b.Grow > 0 && i == b.Right-1 {
			o.Resize(fyne.NewSize(fyne.Max(o.MinSize().Width, end-x), size.Height))
		}
		x += o.MinSize().Width + gap
	}
}

// widths are what all objects need with their labels, and what is saved by dropping those at the right.
func (b Bar) widths(objects []fyne.CanvasObject) (full, right float32) {
	for i, o := range objects {
		if !o.Visible() {
			continue
		}
		w := o.MinSize().Width
		if b.Grow > 0 && i == b.Right-1 {
			w = fyne.Max(w, b.Grow)
		}
		if a, ok := o.(*Action); ok {
			w = a.fullWidth()
			if i >= b.Right {
				right += w - a.iconWidth()
			}
		}
		full += w + theme.Padding()
	}
	return full, right
}

// compact drops the labels of the actions from index on.
func (b Bar) compact(objects []fyne.CanvasObject, from int) {
	for i, o := range objects {
		if a, ok := o.(*Action); ok {
			a.compact(i >= from)
		}
	}
}

// MinSize is the width with icons alone.
func (b Bar) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var s fyne.Size
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		w := o.MinSize().Width
		if a, ok := o.(*Action); ok {
			w = a.iconWidth()
		}
		s.Width += w + theme.Padding()
		s.Height = fyne.Max(s.Height, o.MinSize().Height)
	}
	return s
}
