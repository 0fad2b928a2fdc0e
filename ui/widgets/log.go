package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
)

// Log shows lines as they come and stays at the end, unless the user has scrolled up to read.
type Log struct {
	Object fyne.CanvasObject
	table  *Table
	length func() int
	follow bool
	shown  int
}

// NewLog makes a log of length() lines, each drawn by row.
func NewLog(columns Columns, length func() int, row func(i int) []CellValue) *Log {
	l := &Log{length: length, follow: true}
	l.table = NewTable(columns, length, func(i int) ([]CellValue, bool) { return row(i), false })
	l.Object = container.NewStack(l.table)
	return l
}

// Refresh shows what is new.
func (l *Log) Refresh() {
	n := l.length()
	if n >= l.shown && l.shown > 0 {
		rowHeight := NewCell("").MinSize().Height + theme.Padding()
		end := rowHeight*float32(l.shown) - l.table.Size().Height
		l.follow = l.table.GetScrollOffset() >= end-3*rowHeight
	}
	l.shown = n
	l.table.Refresh()
	if l.follow && n > 0 {
		l.table.ScrollToBottom()
	}
}
