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

// backToPeople gives the keyboard back to the list of people once a dialog about them is closed.
func (w *Window) backToPeople() {
	if len(w.open) == 0 {
		w.win.Canvas().Focus(w.recipientsPane.table)
	}
}

// tagNamed finds a tag by its name; letters in either case are the same.
func (vm *recipientsVM) tagNamed(name string) (model.Tag, bool) {
	for _, g := range vm.tags {
		if strings.EqualFold(g.Name, strings.TrimSpace(name)) {
			return g, true
		}
	}
	return model.Tag{}, false
}

func (vm *recipientsVM) tagNames() []string {
	names := make([]string, len(vm.tags))
	for i, g := range vm.tags {
		names[i] = g.Name
	}
	return names
}

// someSelected is how many people are selected; where nobody is, the user is told so.
func (w *Window) someSelected() int {
	n := w.recipients.selectedCount()
	if n == 0 {
		w.step.hint(w.t.T("ui.why.noselection"))
	}
	return n
}

// tagDialog puts a tag on the selected people, or takes it off.
func (w *Window) tagDialog() {
	t, vm := w.t, w.recipients
	n := w.someSelected()
	if n == 0 {
		return
	}
	entry := widget.NewSelectEntry(vm.tagNames())
	entry.SetPlaceHolder(t.T("ui.tag.hint"))
	var d *popup
	off := widget.NewButton(t.T("ui.tag.off"), func() {
		g, ok := vm.tagNamed(entry.Text)
		if !ok {
			return
		}
		d.Hide()
		vm.with(func(ctx context.Context, ids []int64) (int, error) { return w.svc.UntagContacts(ctx, ids, g.ID) }, func(_ int, err error) { w.showError(err) })
	})
	on := primary(t.T("ui.tag.on"), tagIcon, func() {
		name := strings.TrimSpace(entry.Text)
		if name == "" {
			return
		}
		d.Hide()
		vm.with(func(ctx context.Context, ids []int64) (int, error) { return w.svc.TagContacts(ctx, ids, name) }, func(_ int, err error) { w.showError(err) })
	})
	check := func(s string) {
		_, known := vm.tagNamed(s)
		able(on, strings.TrimSpace(s) != "")
		able(off, known)
	}
	check("")
	entry.OnChanged = check
	entry.OnSubmitted = func(string) { on.OnTapped() }
	d = w.popup(t.T("ui.tag.title"), container.NewVBox(wrapped(counted(t, "ui.tag.text", n)), entry), widget.NewButton(t.T("ui.cancel"), func() { d.Hide() }), off, on)
	d.SetOnClosed(w.backToPeople)
	w.fit(d, 460, 190)
	w.win.Canvas().Focus(entry)
}

// addToListDialog puts the selected people on another list too, or on a new one.
func (w *Window) addToListDialog() {
	t, vm := w.t, w.recipients
	n := w.someSelected()
	if n == 0 {
		return
	}
	var names []string
	for _, l := range vm.lists {
		if l.ID != vm.query.ListID {
			names = append(names, l.Name)
		}
	}
	entry := widget.NewSelectEntry(names)
	entry.SetPlaceHolder(t.T("ui.list.add.hint"))
	var d *popup
	ok := primary(t.T("ui.add"), theme.ContentAddIcon(), func() {
		name := strings.TrimSpace(entry.Text)
		if name == "" {
			return
		}
		d.Hide()
		vm.with(func(ctx context.Context, ids []int64) (int, error) { return w.svc.AddToList(ctx, ids, name) }, func(_ int, err error) { w.showError(err) })
	})
	able(ok, false)
	entry.OnChanged = func(s string) { able(ok, strings.TrimSpace(s) != "") }
	entry.OnSubmitted = func(string) { ok.OnTapped() }
	d = w.popup(t.T("ui.list.add"), container.NewVBox(wrapped(counted(t, "ui.list.add.text", n)), entry), widget.NewButton(t.T("ui.cancel"), func() { d.Hide() }), ok)
	d.SetOnClosed(w.backToPeople)
	w.fit(d, 460, 190)
	w.win.Canvas().Focus(entry)
}

// tagsForm is the dialog of all tags.
type tagsForm struct {
	w      *Window
	d      *popup
	tags   []model.Tag
	at     int // chosen, or -1
	table  *widgets.Table
	none   *widget.Label
	rename *widget.Button
	remove *widget.Button
	show   *widget.Button
}

// tagsDialog lists the tags, and renames or removes them.
func (w *Window) tagsDialog() {
	t := w.t
	f := &tagsForm{w: w, at: -1, tags: slices.Clone(w.recipients.tags)}
	cols := widgets.Columns{{Min: 160, Weight: 1}, {Min: 80}}
	f.table = widgets.NewTable(cols, func() int { return len(f.tags) }, func(i int) ([]widgets.CellValue, bool) {
		return []widgets.CellValue{{Text: f.tags[i].Name}, {Text: number(f.tags[i].Count), Color: widgets.ColorMuted}}, i == f.at
	})
	f.table.OnClick = func(i int, _ fyne.KeyModifier) {
		f.at = i
		f.sync()
	}
	f.table.OnOpen = func(int) { f.showPeople() }
	f.table.OnDelete = f.askRemove
	head := widgets.NewHeader(cols, []widgets.HeaderColumn{{Title: t.T("ui.filter.what.tag")}, {Title: t.T("ui.problem.n")}}, nil)
	f.none = widget.NewLabelWithStyle(t.T("ui.tags.none"), fyne.TextAlignCenter, fyne.TextStyle{})
	f.rename = widget.NewButtonWithIcon(t.T("ui.tags.rename"), theme.DocumentCreateIcon(), f.askRename)
	f.remove = widget.NewButtonWithIcon(t.T("ui.remove"), theme.DeleteIcon(), f.askRemove)
	f.show = widget.NewButtonWithIcon(t.T("ui.tags.show"), filterIcon, f.showPeople)
	f.d = w.popup(t.T("ui.tags.title"), container.NewBorder(head, nil, nil, nil, container.NewStack(f.table, container.NewCenter(f.none))),
		f.show, f.rename, f.remove, primary(t.T("ui.close"), nil, func() { f.d.Hide() }))
	f.sync()
	w.fit(f.d, 520, 400)
}

func (f *tagsForm) sync() {
	for _, b := range []*widget.Button{f.rename, f.remove, f.show} {
		able(b, f.at >= 0 && f.at < len(f.tags))
	}
	show(f.none, len(f.tags) == 0)
	f.table.Refresh()
}

// load reads the tags again, for the dialog and for the window.
func (f *tagsForm) load() {
	f.w.recipients.load()
	background(f.w.tasks, f.w.svc.Tags, func(tags []model.Tag, err error) {
		if err == nil {
			f.tags = tags
		}
		f.sync()
		f.w.showError(err)
	})
}

func (f *tagsForm) askRename() {
	g := f.tags[f.at]
	f.w.nameDialog(f.w.t.T("ui.tags.rename"), nil, g.Name, func(ctx context.Context, name string) error { return f.w.svc.RenameTag(ctx, g.ID, name) }, f.load)
}

func (f *tagsForm) askRemove() {
	if f.remove.Disabled() {
		return
	}
	g, t := f.tags[f.at], f.w.t
	f.w.confirm(t.T("ui.tags.remove"), counted(t, "ui.tags.remove.ask", g.Count, "tag", g.Name), t.T("ui.remove"), func() {
		act(f.w.tasks, func(ctx context.Context) error { return f.w.svc.RemoveTag(ctx, g.ID) }, func(err error) {
			f.at = -1
			f.load()
			f.w.showError(err)
		})
	})
}

// showPeople shows who has the tag that is chosen.
func (f *tagsForm) showPeople() {
	if f.show.Disabled() {
		return
	}
	f.d.Hide()
	f.w.recipients.show(0)
	f.w.recipients.setFilter(model.Filter{Conditions: []model.Condition{{What: model.WhereTag, ID: f.tags[f.at].ID}}})
	f.w.set(keyList, "0")
	f.w.set(keySegment, "0")
	f.w.sync()
}
