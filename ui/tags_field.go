package ui

import (
	"context"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"hongyan/app/model"
	"hongyan/ui/widgets"
)

// tagsField shows the tags of one person, each with a cross, and takes more. What is changed counts when the page is
// saved.
type tagsField struct {
	w     *Window
	root  fyne.CanvasObject
	chips *fyne.Container
	entry *widget.SelectEntry
	was   []model.Tag
	names []string
}

func newTagsField(w *Window) *tagsField {
	f := &tagsField{w: w, entry: widget.NewSelectEntry(w.recipients.tagNames())}
	f.chips = container.New(widgets.Flow{})
	f.entry.SetPlaceHolder(w.t.T("ui.tag.hint"))
	f.entry.OnSubmitted = func(string) { f.put() }
	add := widget.NewButtonWithIcon(w.t.T("ui.add"), theme.ContentAddIcon(), f.put)
	f.root = container.NewVBox(f.chips, container.NewBorder(nil, nil, nil, add, f.entry))
	f.fill()
	return f
}

func (f *tagsField) set(tags []model.Tag) {
	f.was, f.names = tags, nil
	for _, g := range tags {
		f.names = append(f.names, g.Name)
	}
	f.fill()
}

func (f *tagsField) fill() {
	f.chips.RemoveAll()
	for _, name := range f.names {
		f.chips.Add(widgets.NewChip(nil, name, false, func() {
			f.names = slices.DeleteFunc(slices.Clone(f.names), func(n string) bool { return n == name })
			f.fill()
		}))
	}
	show(f.chips, len(f.names) > 0)
	f.root.Refresh()
}

// put adds the tag that is typed.
func (f *tagsField) put() {
	name := strings.TrimSpace(f.entry.Text)
	if g, ok := f.w.recipients.tagNamed(name); ok {
		name = g.Name
	}
	f.entry.SetText("")
	if name == "" || slices.ContainsFunc(f.names, func(n string) bool { return strings.EqualFold(n, name) }) {
		return
	}
	f.names = append(f.names, name)
	f.fill()
}

// changes are the tags that are new, by name, and those that are gone, by id. What is typed and not yet added counts.
func (f *tagsField) changes() (put []string, take []int64) {
	f.put()
	for _, n := range f.names {
		if !slices.ContainsFunc(f.was, func(g model.Tag) bool { return g.Name == n }) {
			put = append(put, n)
		}
	}
	for _, g := range f.was {
		if !slices.Contains(f.names, g.Name) {
			take = append(take, g.ID)
		}
	}
	return put, take
}

// setTags puts tags on one person and takes others off.
func (w *Window) setTags(ctx context.Context, contact int64, put []string, take []int64) error {
	ids := []int64{contact}
	for _, name := range put {
		if _, err := w.svc.TagContacts(ctx, ids, name); err != nil {
			return err
		}
	}
	for _, id := range take {
		if _, err := w.svc.UntagContacts(ctx, ids, id); err != nil {
			return err
		}
	}
	return nil
}
