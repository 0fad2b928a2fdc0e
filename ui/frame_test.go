package ui

import (
	"fmt"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"hongyan/ui/widgets"
)

// frame lays out what has changed its least size since the last frame, as the driver of a real window does before
// it draws; the test canvas leaves that out. It ends when nothing changes any more.
func (r *rig) frame() {
	if r.sizes == nil {
		r.sizes = map[fyne.CanvasObject]fyne.Size{}
	}
	for range 8 {
		changed := false
		roots := append([]fyne.CanvasObject{r.w.win.Content()}, r.w.win.Canvas().Overlays().List()...)
		for _, o := range roots {
			if r.measure(o) {
				relay(o)
				changed = true
			}
		}
		if !changed {
			return
		}
	}
}

// measure lays out o when the least size of one of its children is new, children first, and says whether its own is.
func (r *rig) measure(o fyne.CanvasObject) bool {
	if !o.Visible() {
		return false
	}
	again := false
	for _, c := range children(o) {
		again = r.measure(c) || again
	}
	if again {
		relay(o)
	}
	least := o.MinSize()
	if r.sizes[o] == least {
		return false
	}
	r.sizes[o] = least
	return true
}

func children(o fyne.CanvasObject) []fyne.CanvasObject {
	switch c := o.(type) {
	case *fyne.Container:
		return c.Objects
	case fyne.Widget:
		return test.WidgetRenderer(c).Objects()
	}
	return nil
}

func relay(o fyne.CanvasObject) {
	switch c := o.(type) {
	case *fyne.Container:
		if c.Layout != nil {
			c.Layout.Layout(c.Objects, c.Size())
		}
	case fyne.Widget:
		test.WidgetRenderer(c).Layout(c.Size())
	}
}

// clipped lists texts that are not seen whole: labels, buttons and titles that are smaller than they need to be, or
// that lie beside the window. What can be scrolled to, and what is meant to end in an ellipsis, counts as seen.
func (r *rig) clipped() []string {
	var bad []string
	size := r.w.win.Canvas().Size()
	var look func(o fyne.CanvasObject, at fyne.Position, within fyne.Size, scrolled bool)
	look = func(o fyne.CanvasObject, at fyne.Position, within fyne.Size, scrolled bool) {
		if !o.Visible() {
			return
		}
		name, need := "", fyne.Size{}
		switch x := o.(type) {
		case *widgets.Text:
			name, need = x.Full(), x.MinSize()
		case *widget.Label:
			name, need = x.Text, x.MinSize()
		case *widget.Button:
			name, need = "button "+x.Text, x.MinSize()
		case *widgets.Action:
			name, need = "button "+x.Text, x.MinSize()
		case *widget.Check:
			name, need = "check "+x.Text, x.MinSize()
		case *widget.Hyperlink:
			name, need = "link "+x.Text, x.MinSize()
		case *widgets.Header:
			for _, c := range children(children(x)[0].(*fyne.Container).Objects[0]) {
				if cell := children(c)[0].(*widgets.Cell); cell.Shortened() {
					bad = append(bad, "title "+cell.Text()+" is shortened")
				}
			}
		case *canvas.Text:
			name, need = "text "+x.Text, x.MinSize()
		}
		if name == "text " || name == "button " { // an icon alone, or nothing
			name = ""
		}
		if name != "" && (o.Size().Width < need.Width-1 || o.Size().Height < need.Height-1) {
			bad = append(bad, fmt.Sprintf("%s: needs %v, has %v", name, need, o.Size()))
		}
		if name != "" && !scrolled && (at.X < -1 || at.Y < -1 || at.X+o.Size().Width > size.Width+1 || at.Y+o.Size().Height > size.Height+1) {
			bad = append(bad, fmt.Sprintf("%s at %v %v is outside the window", name, at, o.Size()))
		}
		switch o.(type) {
		case fyne.Scrollable:
			scrolled = true
		case *widget.RichText:
			return // it breaks its lines by itself
		}
		for _, c := range children(o) {
			look(c, at.Add(c.Position()), o.Size(), scrolled)
		}
	}
	look(r.w.win.Content(), fyne.Position{}, size, false)
	for _, o := range r.w.win.Canvas().Overlays().List() {
		look(o, o.Position(), size, false)
	}
	return bad
}
