package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Header is the row above a Table. A column with a key can be tapped to sort by it.
type Header struct {
	widget.BaseWidget
	row   *fyne.Container
	cells []*headerCell
}

// HeaderColumn is one title; Key "" means that it cannot be sorted by.
type HeaderColumn struct{ Key, Title string }

// NewHeader makes a header over columns; onSort hears the key that was tapped.
func NewHeader(columns Columns, titles []HeaderColumn, onSort func(key string)) *Header {
	h := &Header{}
	var objects []fyne.CanvasObject
	for _, t := range titles {
		c := &headerCell{col: t, onSort: onSort, cell: NewCell(t.Title)}
		c.cell.Set(t.Title, ColorMuted, fyne.TextStyle{Bold: true})
		c.ExtendBaseWidget(c)
		h.cells = append(h.cells, c)
		objects = append(objects, c)
	}
	h.row = container.New(columns, objects...)
	h.ExtendBaseWidget(h)
	return h
}

// CreateRenderer is called by Fyne.
func (h *Header) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(container.NewVBox(h.row, widget.NewSeparator()))
}

// Sorted marks the column that the table is sorted by.
func (h *Header) Sorted(key string, desc bool) {
	for _, c := range h.cells {
		title, color := c.col.Title, ColorMuted
		if c.col.Key != "" && c.col.Key == key {
			color = theme.ColorNamePrimary
			if desc {
				title += " ▼"
			} else {
				title += " ▲"
			}
		}
		c.cell.Set(title, color, fyne.TextStyle{Bold: true})
	}
}

// Tap does what a tap on the column with key does.
func (h *Header) Tap(key string) {
	for _, c := range h.cells {
		if c.col.Key == key {
			c.Tapped(nil)
		}
	}
}

type headerCell struct {
	widget.BaseWidget
	cell   *Cell
	col    HeaderColumn
	onSort func(string)
}

func (c *headerCell) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(c.cell) }

func (c *headerCell) Tapped(*fyne.PointEvent) {
	if c.col.Key != "" && c.onSort != nil {
		c.onSort(c.col.Key)
	}
}

// HeadIfRoom lays a header (the first object) above a body (the second). Where there is little height the header
// gives way: it explains, and the body is what is wanted.
type HeadIfRoom struct{}

// Layout is called by Fyne.
func (HeadIfRoom) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	head, body := objects[0], objects[1]
	h := head.MinSize().Height
	if size.Height < 3*h {
		head.Hide()
		h = 0
	} else {
		head.Show()
		head.Resize(fyne.NewSize(size.Width, h))
	}
	body.Move(fyne.NewPos(0, h))
	body.Resize(fyne.NewSize(size.Width, size.Height-h))
}

// MinSize is the body's.
func (HeadIfRoom) MinSize(objects []fyne.CanvasObject) fyne.Size { return objects[1].MinSize() }
