package ui

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"hongyan/app/model"
	"hongyan/ui/widgets"
)

// filterForm is the dialog that puts a filter together, a row a condition.
type filterForm struct {
	w       *Window
	d       *popup
	vm      *filterVM
	segment model.Segment // that is changed; with ID 0 a new one is saved
	fields  []string

	head    *fyne.Container
	body    *fyne.Container
	rows    *fyne.Container
	all     *widget.RadioGroup
	count   *widgets.Text
	save    *widget.Button
	ok      *widget.Button
	filling bool
}

// filterDialog asks whom the recipients pane shows: everybody, unless the conditions say otherwise.
func (w *Window) filterDialog() *filterForm {
	t, vm := w.t, w.recipients
	f := &filterForm{w: w, vm: newFilterVM(w.svc, w.tasks, vm.query.ListID, vm.query.Filter)}
	f.segment, _ = vm.shownSegment()
	f.rows = container.NewVBox()
	f.all = widget.NewRadioGroup([]string{t.T("ui.filter.all"), t.T("ui.filter.any")}, func(string) {
		if !f.filling {
			f.vm.any = f.all.Selected == f.all.Options[1]
			f.vm.later()
		}
	})
	f.all.Horizontal, f.all.Required = true, true
	f.count = wrapped("")
	add := widget.NewButtonWithIcon(t.T("ui.filter.add"), theme.ContentAddIcon(), func() {
		f.vm.add()
		f.fill()
		f.focus(len(f.vm.rows) - 1)
	})
	clearAll := widget.NewButtonWithIcon(t.T("ui.filter.clear"), theme.ContentClearIcon(), func() {
		f.vm.rows = nil
		f.vm.add()
		f.vm.later()
		f.fill()
	})
	add.Importance, clearAll.Importance = widget.LowImportance, widget.LowImportance
	f.save = widget.NewButtonWithIcon(t.T("ui.segment.save"), theme.DocumentSaveIcon(), f.keep)
	f.ok = primary(t.T("ui.filter.show"), filterIcon, f.apply)
	cancel := widget.NewButton(t.T("ui.cancel"), func() { f.d.Hide() })
	f.head = container.NewVBox(wrapped(t.T("ui.filter.text")), f.all)
	foot := container.NewVBox(container.NewHBox(add, clearAll), f.count)
	f.body = container.NewBorder(f.head, foot, nil, nil, container.NewVScroll(f.rows))
	f.d = w.popup(t.T("ui.filter.title"), f.body, cancel, f.save, f.ok)
	f.d.SetOnClosed(f.vm.close)
	f.vm.changed = f.sync
	f.fill()
	w.fit(f.d, 680, 460)
	f.focus(0)
	f.vm.count()
	background(w.tasks, fieldsOf(w.svc, vm.query.ListID), func(names []string, err error) {
		f.fields = names
		f.fill()
		w.showError(err)
	})
	return f
}

// fill makes the rows anew.
func (f *filterForm) fill() {
	f.filling = true
	f.rows.RemoveAll()
	for i := range f.vm.rows {
		f.rows.Add(f.row(i))
	}
	f.all.SetSelected(f.all.Options[0])
	if f.vm.any {
		f.all.SetSelected(f.all.Options[1])
	}
	show(f.all, len(f.vm.rows) > 1, f.body, f.head)
	f.filling = false
	f.sync()
}

// row is one condition: what it looks at, how, with what, and a cross.
func (f *filterForm) row(i int) fyne.CanvasObject {
	w, c := f.w, f.vm.rows[i]
	type subject struct {
		what  model.ConditionKind
		field string
	}
	var subjects []subject
	var names []string
	add := func(k model.ConditionKind, field string) {
		subjects = append(subjects, subject{k, field})
		names = append(names, w.subjectName(k, field))
	}
	for _, k := range conditionKinds {
		add(k, "")
	}
	fields := f.fields
	if c.Field != "" && !slices.Contains(fields, c.Field) {
		fields = append(slices.Clone(fields), c.Field)
	}
	for _, name := range fields {
		add(model.WhereField, name)
	}
	what := widget.NewSelect(names, nil)
	what.SetSelectedIndex(slices.Index(subjects, subject{c.What, c.Field}))
	what.OnChanged = func(string) {
		s := subjects[what.SelectedIndex()]
		f.vm.look(i, s.what, s.field)
		f.fill()
		f.focus(i)
	}

	ways := slices.Clone(waysOf(c.What))
	mine := wayOf(c)
	if !slices.Contains(ways, mine) {
		ways = append(ways, mine)
	}
	names = nil
	for _, y := range ways {
		names = append(names, w.wayName(c.What, y))
	}
	how := widget.NewSelect(names, nil)
	how.SetSelectedIndex(slices.Index(ways, mine))
	how.OnChanged = func(string) {
		f.vm.compare(i, ways[how.SelectedIndex()])
		f.fill()
		f.focus(i)
	}
	drop := widget.NewButtonWithIcon("", theme.CancelIcon(), func() {
		f.vm.remove(i)
		if len(f.vm.rows) == 0 {
			f.vm.add()
		}
		f.fill()
	})
	drop.Importance = widget.LowImportance
	cols := widgets.Columns{{Min: 130, Weight: 1}, {Min: 130, Weight: 1}, {Min: 130, Weight: 2}}
	return container.NewBorder(nil, nil, nil, drop, container.New(cols, what, how, f.value(i, mine.value)))
}

// value is the field or chooser of what row i compares with.
func (f *filterForm) value(i int, k valueKind) fyne.CanvasObject {
	w, c := f.w, f.vm.rows[i]
	switch k {
	case noValue:
		return widget.NewLabel("")
	case textValue, dayValue:
		e := widget.NewEntry()
		e.SetText(c.Text)
		if k == dayValue {
			e.SetPlaceHolder(w.t.T("ui.filter.day"))
		}
		e.OnChanged = func(s string) { f.vm.value(i, s, 0) }
		e.OnSubmitted = func(string) { f.apply() }
		return e
	}
	all := w.choices(k)
	names := make([]string, len(all))
	for j, ch := range all {
		names[j] = ch.name
	}
	s := widget.NewSelect(names, nil)
	s.PlaceHolder = w.t.T("ui.filter.choose")
	if len(all) == 0 {
		s.PlaceHolder = w.t.T("ui.filter.none")
		s.Disable()
	}
	if j := slices.IndexFunc(all, func(ch choice) bool { return ch.id == c.ID }); j >= 0 {
		s.SetSelectedIndex(j)
	}
	s.OnChanged = func(string) { f.vm.value(i, "", all[s.SelectedIndex()].id) }
	return s
}

// focus puts the keyboard into the field of row i, where it has one.
func (f *filterForm) focus(i int) {
	row := f.rows.Objects[i].(*fyne.Container)
	if e, ok := row.Objects[0].(*fyne.Container).Objects[2].(*widget.Entry); ok {
		f.w.win.Canvas().Focus(e)
	}
}

// sync says how many people there are, and what may be done.
func (f *filterForm) sync() {
	t := f.w.t
	text, importance := t.T("ui.filter.count", "n", number(f.vm.n)), widget.SuccessImportance
	if l, ok := f.w.recipients.list(); ok {
		text = t.T("ui.filter.count.list", "n", number(f.vm.n), "list", l.Name)
	}
	switch {
	case f.vm.counting:
		text, importance = t.T("ui.filter.counting"), widget.MediumImportance
	case f.vm.err != nil:
		text, importance = t.Error(f.vm.err), widget.DangerImportance
	case f.vm.n == 0:
		importance = widget.WarningImportance
	}
	if f.vm.unfinished() > 0 && !f.vm.filter().Empty() {
		text += t.T("ui.filter.unfinished")
	}
	f.count.Importance = importance
	f.count.SetText(text)
	f.count.Refresh()
	able(f.save, !f.vm.filter().Empty() && f.vm.err == nil)
	able(f.ok, f.vm.err == nil)
}

// apply shows those whom the filter chooses.
func (f *filterForm) apply() {
	if f.ok.Disabled() {
		return
	}
	f.d.Hide()
	f.w.recipients.setFilter(f.vm.filter())
	f.w.sync()
}

// keep saves the filter under a name, and shows who belongs to it.
func (f *filterForm) keep() {
	s := f.segment
	s.Filter = f.vm.filter()
	if s.ID == 0 {
		s.Filter = f.w.recipients.onList(s.Filter)
	}
	f.w.segmentDialog(s, func(s model.Segment) {
		f.d.Hide()
		f.w.showSegment(s)
	})
}
