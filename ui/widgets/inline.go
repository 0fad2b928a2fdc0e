package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Edit opens fields over the first len(values) cells of row i, with the keyboard in field at. Return and a press
// elsewhere end it with done, Escape without. Nothing happens where the row is not to be seen.
func (t *Table) Edit(i, at int, values []string, done func(values []string)) {
	r := t.drawn(i)
	c := fyne.CurrentApp().Driver().CanvasForObject(t)
	if r == nil || c == nil || at >= len(values) {
		return
	}
	e := &inline{canvas: c, done: done}
	for j, v := range values {
		cell := r.cells[j]
		f := &inlineEntry{in: e}
		f.Text = v
		f.OnSubmitted = func(string) { e.end(true) }
		f.ExtendBaseWidget(f)
		pos := fyne.CurrentApp().Driver().AbsolutePositionForObject(cell)
		h := f.MinSize().Height
		f.Resize(fyne.NewSize(cell.Size().Width, h))
		f.Move(fyne.NewPos(pos.X-theme.InnerPadding(), pos.Y+(cell.Size().Height-h)/2))
		e.fields = append(e.fields, f)
	}
	e.ExtendBaseWidget(e)
	e.Resize(c.Size())
	c.Overlays().Add(e)
	c.Focus(e.fields[at])
	e.fields[at].TypedShortcut(&fyne.ShortcutSelectAll{})
}

// drawn is the row that shows line i at present, or nil.
func (t *Table) drawn(i int) *tableRow {
	for _, r := range t.rows {
		if r.index == i && r.Visible() && fyne.CurrentApp().Driver().CanvasForObject(r) != nil {
			pos, top := fyne.CurrentApp().Driver().AbsolutePositionForObject(r), fyne.CurrentApp().Driver().AbsolutePositionForObject(t)
			if pos.Y >= top.Y-1 && pos.Y < top.Y+t.Size().Height {
				return r
			}
		}
	}
	return nil
}

// inline covers the canvas while fields are open over a row: a press beside them ends it.
type inline struct {
	widget.BaseWidget
	canvas fyne.Canvas
	fields []*inlineEntry
	done   func([]string)
	ended  bool
}

func (e *inline) CreateRenderer() fyne.WidgetRenderer {
	var objects []fyne.CanvasObject
	for _, f := range e.fields {
		objects = append(objects, f)
	}
	return &inlineRenderer{objects}
}

func (e *inline) MouseDown(*desktop.MouseEvent) { e.end(true) }

func (e *inline) MouseUp(*desktop.MouseEvent) {}

func (e *inline) end(keep bool) {
	if e.ended {
		return
	}
	e.ended = true
	values := make([]string, len(e.fields))
	for i, f := range e.fields {
		values[i] = f.Text
	}
	e.canvas.Overlays().Remove(e)
	if keep {
		e.done(values)
	}
}

// inlineRenderer leaves the fields where Edit put them.
type inlineRenderer struct{ objects []fyne.CanvasObject }

func (r *inlineRenderer) Layout(fyne.Size)             {}
func (r *inlineRenderer) MinSize() fyne.Size           { return fyne.Size{} }
func (r *inlineRenderer) Refresh()                     {}
func (r *inlineRenderer) Objects() []fyne.CanvasObject { return r.objects }
func (r *inlineRenderer) Destroy()                     {}

// inlineEntry is a field of inline.
type inlineEntry struct {
	widget.Entry
	in *inline
}

// TypedKey gives up at Escape.
func (f *inlineEntry) TypedKey(ev *fyne.KeyEvent) {
	if ev.Name == fyne.KeyEscape {
		f.in.end(false)
		return
	}
	f.Entry.TypedKey(ev)
}
