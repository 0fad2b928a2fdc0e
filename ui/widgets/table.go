package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// CellValue is what one cell shows.
type CellValue struct {
	Text  string
	Color fyne.ThemeColorName // "" is the foreground
	Bold  bool
	Mono  bool
	Small bool // in the size of captions
}

// Table is a list of any length with fixed columns, drawn from recycled rows. Which rows are selected is the
// caller's business: it hears every click with its modifiers and says in Row what each row looks like.
type Table struct {
	widget.List
	columns Columns
	row     func(i int) (cells []CellValue, selected bool)

	// OnClick hears a press on row i; OnOpen a double click or Return.
	OnClick func(i int, mod fyne.KeyModifier)
	OnOpen  func(i int)
	// OnMenu hears a secondary click on row i.
	OnMenu func(i int, at fyne.Position)
	// OnAll hears Ctrl+A, OnDelete the delete key, OnUndo Ctrl+Z, OnEdit F2 with the row it is for.
	OnAll    func()
	OnDelete func()
	OnUndo   func()
	OnEdit   func(i int)

	current int
	rows    []*tableRow // as many as fit on the screen
}

// NewTable makes a table of length() rows.
func NewTable(columns Columns, length func() int, row func(i int) ([]CellValue, bool)) *Table {
	t := &Table{columns: columns, row: row}
	t.Length = length
	t.CreateItem = func() fyne.CanvasObject {
		r := newTableRow(t)
		t.rows = append(t.rows, r)
		return r
	}
	t.UpdateItem = func(i widget.ListItemID, o fyne.CanvasObject) {
		if i < 0 || i >= length() {
			return
		}
		o.(*tableRow).show(i)
	}
	t.HideSeparators = true
	t.ExtendBaseWidget(t)
	return t
}

// Click does what a press of the mouse on row i does.
func (t *Table) Click(i int, mod fyne.KeyModifier) {
	t.current = i
	if t.OnClick != nil {
		t.OnClick(i, mod)
	}
}

// TypedKey moves the selection and opens or deletes rows.
func (t *Table) TypedKey(ev *fyne.KeyEvent) {
	if ev.Name == fyne.KeyEscape { // not for a table: the dialog that it is in may go
		if c := fyne.CurrentApp().Driver().CanvasForObject(t); c != nil && c.OnTypedKey() != nil {
			c.OnTypedKey()(ev)
		}
		return
	}
	n := t.Length()
	if n == 0 {
		return
	}
	move := func(i int) {
		i = max(0, min(i, n-1))
		t.ScrollTo(i)
		t.Click(i, 0)
	}
	switch ev.Name {
	case fyne.KeyDown:
		move(t.current + 1)
	case fyne.KeyUp:
		move(t.current - 1)
	case fyne.KeyPageDown:
		move(t.current + 20)
	case fyne.KeyPageUp:
		move(t.current - 20)
	case fyne.KeyHome:
		move(0)
	case fyne.KeyEnd:
		move(n - 1)
	case fyne.KeyReturn, fyne.KeyEnter:
		if t.OnOpen != nil && t.current < n {
			t.OnOpen(t.current)
		}
	case fyne.KeyF2:
		if t.OnEdit != nil && t.current < n {
			t.OnEdit(t.current)
		}
	case fyne.KeyDelete:
		if t.OnDelete != nil {
			t.OnDelete()
		}
	}
}

// TypedShortcut selects all rows on Ctrl+A, and takes back what was done on Ctrl+Z.
func (t *Table) TypedShortcut(s fyne.Shortcut) {
	do := t.OnAll
	switch s.(type) {
	case *fyne.ShortcutSelectAll:
	case *fyne.ShortcutUndo:
		do = t.OnUndo
	default:
		return
	}
	if do != nil {
		do()
	}
}

type tableRow struct {
	widget.BaseWidget
	table *Table
	index int
	bg    *canvas.Rectangle
	cells []*Cell
	box   *fyne.Container
}

func newTableRow(t *Table) *tableRow {
	r := &tableRow{table: t, bg: canvas.NewRectangle(nil)}
	r.bg.CornerRadius, r.bg.Hidden = 3, true
	var objects []fyne.CanvasObject
	for range t.columns {
		c := NewCell("")
		r.cells = append(r.cells, c)
		objects = append(objects, c)
	}
	r.box = container.New(t.columns, objects...)
	r.ExtendBaseWidget(r)
	return r
}

func (r *tableRow) show(i int) {
	r.index = i
	values, selected := r.table.row(i)
	for j, c := range r.cells {
		var v CellValue
		if j < len(values) {
			v = values[j]
		}
		if v.Color == "" {
			v.Color = theme.ColorNameForeground
		}
		c.small = v.Small
		c.Set(v.Text, v.Color, fyne.TextStyle{Bold: v.Bold, Monospace: v.Mono})
	}
	r.bg.FillColor = theme.Color(theme.ColorNameSelection)
	r.bg.Hidden = !selected
	r.bg.Refresh()
}

func (r *tableRow) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(container.NewStack(r.bg, r.box))
}

func (r *tableRow) MouseDown(ev *desktop.MouseEvent) {
	if ev.Button == desktop.MouseButtonPrimary {
		r.table.Click(r.index, ev.Modifier)
	}
}

func (r *tableRow) MouseUp(*desktop.MouseEvent) {}

// Tapped takes the keyboard for the table: it comes after the press has cleared the focus.
func (r *tableRow) Tapped(*fyne.PointEvent) {
	if c := fyne.CurrentApp().Driver().CanvasForObject(r.table); c != nil {
		c.Focus(r.table)
	}
}

func (r *tableRow) DoubleTapped(*fyne.PointEvent) {
	if r.table.OnOpen != nil {
		r.table.OnOpen(r.index)
	}
}

func (r *tableRow) TappedSecondary(ev *fyne.PointEvent) {
	if r.table.OnMenu != nil {
		r.table.OnMenu(r.index, ev.AbsolutePosition)
	}
}
