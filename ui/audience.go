package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"hongyan/app/model"
)

// audienceChooser picks whom a campaign goes to: a list or everybody, and of those all or who belongs to a segment.
type audienceChooser struct {
	w        *Window
	lists    []model.List // as they were when it was opened
	segments []model.Segment
	list     *widget.Select
	segment  *widget.Select
	root     fyne.CanvasObject
}

func (w *Window) newAudience(list, segment int64, changed func()) *audienceChooser {
	t := w.t
	a := &audienceChooser{w: w, lists: w.recipients.lists, segments: w.recipients.segments}
	names, at := []string{t.T("ui.list.all")}, 0
	for i, l := range a.lists {
		names = append(names, listLabel(l))
		if l.ID == list {
			at = i + 1
		}
	}
	a.list = widget.NewSelect(names, nil)
	a.list.SetSelectedIndex(at)
	names, at = []string{t.T("ui.check.segment.all")}, 0
	for i, s := range a.segments {
		names = append(names, t.T("ui.segment.label", "name", s.Name))
		if s.ID == segment {
			at = i + 1
		}
	}
	a.segment = widget.NewSelect(names, nil)
	a.segment.SetSelectedIndex(at)
	a.list.OnChanged = func(string) { changed() }
	a.segment.OnChanged = func(string) { changed() }
	a.root = a.list
	if len(a.segments) > 0 {
		a.root = container.NewGridWithColumns(2, a.list, a.segment)
	}
	return a
}

// ids are those of the list and of the segment, 0 for everybody and for all.
func (a *audienceChooser) ids() (list, segment int64) {
	if i := a.list.SelectedIndex(); i > 0 {
		list = a.lists[i-1].ID
	}
	if i := a.segment.SelectedIndex(); i > 0 {
		segment = a.segments[i-1].ID
	}
	return list, segment
}

// name is what the audience is called.
func (a *audienceChooser) name() string {
	list, segment := "", ""
	if i := a.list.SelectedIndex(); i > 0 {
		list = a.lists[i-1].Name
	}
	if i := a.segment.SelectedIndex(); i > 0 {
		segment = a.segments[i-1].Name
	}
	switch {
	case list != "" && segment != "":
		return list + " · " + segment
	case list+segment == "":
		return a.w.t.T("ui.list.all")
	}
	return list + segment
}
