package ui

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"hongyan/app/model"
	"hongyan/ui/widgets"
)

// recipientsPane shows people: everybody, a list or a segment at a time.
type recipientsPane struct {
	w       *Window
	root    fyne.CanvasObject
	lists   *widget.Select
	search  *widget.Entry
	header  *widgets.Header
	table   *widgets.Table
	full    fyne.CanvasObject
	empty   fyne.CanvasObject
	none    fyne.CanvasObject // nothing matches
	count   *widget.Label
	tag     *widgets.Action
	remove  *widgets.Action
	actions *widgets.Action // menu of the selection
	more    *widgets.Action // menu of the list
	filter  *widgets.Action
	chip    *widgets.Chip // says whom the filter chooses
	notice  *notice
	strips  *fyne.Container // above the rows
	foot    *fyne.Container // below them
	filling bool
	pause   pause
}

func newRecipientsPane(w *Window) *recipientsPane {
	p := &recipientsPane{w: w}
	t, vm := w.t, w.recipients
	cols := widgets.Columns{{Min: 110, Weight: 2}, {Min: 60, Weight: 1}, {Min: 60, Weight: 1}}
	p.header = widgets.NewHeader(cols, []widgets.HeaderColumn{
		{Key: string(model.SortEmail), Title: t.T("ui.contact.address")},
		{Key: string(model.SortName), Title: t.T("ui.contact.name")},
		{Key: string(model.SortSource), Title: t.T("ui.contact.source")}},
		func(k string) {
			vm.sort(model.SortKey(k))
			p.header.Sorted(string(vm.query.Sort), vm.query.Desc)
		})
	p.header.Sorted(string(vm.query.Sort), vm.query.Desc)
	p.table = widgets.NewTable(cols, func() int { return len(vm.ids) }, p.cells)
	p.table.OnClick = func(i int, mod fyne.KeyModifier) {
		vm.click(i, mod&fyne.KeyModifierShortcutDefault != 0, mod&fyne.KeyModifierShift != 0)
		p.table.Refresh()
		p.counts()
	}
	p.table.OnAll = func() {
		vm.selectAll()
		p.table.Refresh()
		p.counts()
	}
	p.table.OnOpen = p.open
	p.table.OnEdit = p.edit
	p.table.OnMenu = p.rowMenu
	p.table.OnDelete = p.askRemove
	p.table.OnUndo = w.undo

	p.lists = widget.NewSelect(nil, func(string) {
		if !p.filling {
			p.choose(p.lists.SelectedIndex())
		}
	})
	p.search = widget.NewEntry()
	p.search.SetPlaceHolder(t.T("ui.search"))
	p.search.SetText(vm.query.Search)
	p.search.OnChanged = func(s string) {
		w.tasks.after(&p.pause, 200*time.Millisecond, func() { vm.search(s) })
	}
	p.search.OnSubmitted = vm.search
	p.count = widget.NewLabel("")
	p.count.Importance = widget.LowImportance
	p.count.Truncation = fyne.TextTruncateEllipsis
	p.tag = widgets.NewAction(t.T("ui.tag"), tagIcon, w.tagDialog)
	p.tag.Tip = t.T("ui.tag.tip")
	p.remove = widgets.NewAction(t.T("ui.remove"), theme.DeleteIcon(), p.askRemove)
	p.actions = widgets.NewAction(t.T("ui.more"), theme.MoreHorizontalIcon(), nil)
	p.actions.OnTapped = func() { w.menuAt(p.selectionMenu(), p.actions) }
	p.actions.Tip = t.T("ui.more.tip")
	p.filter = widgets.NewAction("", filterIcon, func() { w.filterDialog() })
	p.filter.Tip = t.T("ui.filter.tip")
	for _, b := range []*widgets.Action{p.tag, p.remove, p.actions, p.filter} {
		b.Importance, b.OnHint = widget.LowImportance, w.step.hint
	}
	p.chip = widgets.NewChip(filterIcon, "", true, p.clearFilter)
	p.chip.OnTapped, p.chip.OnHint = func() { w.filterDialog() }, w.step.hint
	p.notice = newNotice(w)
	p.strips = container.NewVBox(p.chip)
	p.foot = container.NewVBox(p.notice.root) // below the rows, so that they stay where they are when it comes
	p.more = widgets.NewAction("", theme.MoreVerticalIcon(), nil)
	p.more.OnTapped = func() { p.listMenu(p.more) }
	p.more.Importance, p.more.Tip, p.more.OnHint = widget.LowImportance, t.T("ui.list.more"), w.step.hint
	top := container.NewGridWithColumns(2, container.NewBorder(nil, nil, nil, p.more, p.lists), container.NewBorder(nil, nil, nil, p.filter, p.search))
	p.foot.Add(container.New(widgets.Bar{Right: 1, Grow: 150}, p.count, p.tag, p.remove, p.actions))
	p.none = container.NewCenter(widget.NewLabelWithStyle(t.T("ui.contact.nomatch"), fyne.TextAlignCenter, fyne.TextStyle{}))
	p.full = container.NewBorder(container.NewVBox(top, p.strips, p.header), p.foot, nil, nil, container.NewStack(p.table, p.none))
	p.empty = widgets.NewEmpty(theme.ListIcon(), t.T("ui.contact.empty"), t.T("ui.contact.empty.hint"),
		primary(t.T("ui.cmd.import"), theme.DownloadIcon(), func() { w.importDialog("", "") }),
		widget.NewButtonWithIcon(t.T("ui.import.paste"), theme.ContentPasteIcon(), w.pasteImport))

	imp := widgets.NewAction(t.T("ui.cmd.import"), theme.DownloadIcon(), func() { w.importDialog("", "") })
	add := widgets.NewAction(t.T("ui.add"), theme.ContentAddIcon(), func() { w.contactDialog(model.Contact{}) })
	add.Tip = t.T("ui.contact.add.tip")
	imp.Tip = t.T("ui.cmd.import.tip")
	for _, b := range []*widgets.Action{imp, add} {
		b.Importance, b.OnHint = widget.LowImportance, w.step.hint
	}
	p.root = widgets.NewPane(t.T("ui.pane.recipients"), nil, container.NewStack(p.full, p.empty), imp, add)
	return p
}

func (p *recipientsPane) cells(i int) ([]widgets.CellValue, bool) {
	c, ok := p.w.recipients.row(i)
	if !ok {
		return []widgets.CellValue{{Text: "…", Color: widgets.ColorMuted}}, p.w.recipients.selected(i)
	}
	source := widgets.CellValue{Text: c.Source, Color: widgets.ColorMuted}
	if c.Consent == "" {
		source = widgets.CellValue{Text: p.w.t.T("ui.contact.noconsent"), Color: theme.ColorNameWarning}
	}
	return []widgets.CellValue{{Text: first(c.Address, c.Email)}, {Text: c.Name}, source}, p.w.recipients.selected(i)
}

// choose shows what stands at a place of the chooser: everybody, a list, or a segment.
func (p *recipientsPane) choose(i int) {
	w, vm := p.w, p.w.recipients
	if i > len(vm.lists) {
		w.showSegment(vm.segments[i-len(vm.lists)-1])
		return
	}
	id := int64(0)
	if i > 0 {
		id = vm.lists[i-1].ID
	}
	vm.setList(id)
	w.set(keyList, itoa(id))
	w.set(keySegment, "0")
	p.strip()
	w.sync()
}

// clearFilter shows everybody of the list again.
func (p *recipientsPane) clearFilter() {
	p.w.set(keySegment, "0")
	p.w.recipients.setFilter(model.Filter{})
	p.w.sync()
}

func (p *recipientsPane) refresh() {
	vm, t := p.w.recipients, p.w.t
	none := vm.loaded && len(vm.ids) == 0 && vm.query.Search == "" && vm.query.Filter.Empty() && len(vm.lists) == 0
	show(p.empty, none)
	show(p.full, !none)
	show(p.none, vm.loaded && len(vm.ids) == 0 && !none)

	p.filling = true
	options, chosen := []string{t.T("ui.list.all")}, 0
	for i, l := range vm.lists {
		options = append(options, listLabel(l))
		if l.ID == vm.query.ListID {
			chosen = i + 1
		}
	}
	for i, s := range vm.segments {
		options = append(options, t.T("ui.segment.label", "name", s.Name))
		if s.ID == vm.segment {
			chosen = len(vm.lists) + i + 1
		}
	}
	p.lists.SetOptions(options)
	p.lists.SetSelectedIndex(chosen)
	p.filling = false
	p.strip()
	p.table.Refresh()
	p.counts()
}

func listLabel(l model.List) string { return l.Name + "  (" + number(l.Count) + ")" }

// strip says whom the filter chooses, where there is one.
func (p *recipientsPane) strip() {
	f := p.w.recipients.query.Filter
	was := p.chip.Visible()
	p.chip.SetText(p.w.filterWords(f))
	show(p.chip, !f.Empty())
	if was != p.chip.Visible() {
		p.relayout()
	}
}

// relayout gives the table what the lines above it leave.
func (p *recipientsPane) relayout() {
	p.strips.Refresh()
	p.foot.Refresh()
	p.full.Refresh()
}

// rows redraws rows that have arrived, if they are still to be seen.
func (p *recipientsPane) rows(from, to int) {
	for i := from; i < to; i++ {
		p.table.RefreshItem(i)
	}
}

func (p *recipientsPane) counts() {
	vm, t := p.w.recipients, p.w.t
	n := vm.selectedCount()
	text := t.T("ui.contact.count", "n", number(len(vm.ids)))
	switch {
	case vm.working > 0:
		text = t.T("ui.working")
	case vm.loading:
		text = t.T("ui.loading")
	}
	if n > 0 {
		text += "  " + t.T("ui.contact.selected", "n", number(n))
	}
	put(p.count, text)
	reason := ""
	if n == 0 {
		reason = t.T("ui.why.noselection")
	}
	p.tag.Allow(reason)
	p.remove.Allow(reason)
	p.actions.Allow(reason)
}

func (p *recipientsPane) askRemove() {
	vm, t := p.w.recipients, p.w.t
	n := vm.selectedCount()
	if n == 0 {
		return
	}
	text := t.T("ui.contact.remove.ask", "n", number(n))
	if l, ok := vm.list(); ok {
		text = t.T("ui.contact.remove.asklist", "n", number(n), "list", l.Name)
	}
	p.w.confirm(t.T("ui.remove"), text, t.T("ui.remove"), func() {
		p.w.backToPeople()
		vm.remove(p.w.showError)
	})
}

func (p *recipientsPane) askSuppress() {
	vm, t := p.w.recipients, p.w.t
	n := vm.selectedCount()
	if n == 0 {
		return
	}
	p.w.confirm(t.T("ui.contact.suppress"), t.T("ui.contact.suppress.ask", "n", number(n)), t.T("ui.contact.suppress"),
		func() { vm.suppress(p.w.showError) })
}
