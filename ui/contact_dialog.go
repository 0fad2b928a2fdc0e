package ui

import (
	"context"
	"maps"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"hongyan/app/model"
	"hongyan/ui/widgets"
)

// contactForm is the page of one person: what is stored of them, where they came from, and what was sent to them.
type contactForm struct {
	w *Window
	d *popup
	c model.Contact

	addr, name, source, consent *widget.Entry
	fields                      map[string]*widget.Entry
	trouble, history            *widgets.Text
	letters                     []PersonLetter
	table                       *widgets.Table
	none                        *widget.Label
	tags                        *tagsField
	lists                       *widgets.Text
}

// contactDialog shows a person, or adds one to the list that is shown.
func (w *Window) contactDialog(c model.Contact) {
	t := w.t
	f := &contactForm{w: w, c: c, fields: map[string]*widget.Entry{}}
	entry := func(s string) *widget.Entry {
		e := widget.NewEntry()
		e.SetText(s)
		return e
	}
	f.addr, f.name, f.source, f.consent = entry(first(c.Address, c.Email)), entry(c.Name), entry(c.Source), entry(c.Consent)
	f.consent.SetPlaceHolder(t.T("ui.import.consent.hint"))
	missing := wrapped(t.T("ui.contact.consent.missing"))
	missing.Importance = widget.WarningImportance
	show(missing, c.ID != 0 && c.Consent == "")
	items := []*widget.FormItem{row(t.T("ui.contact.address"), f.addr, ""), row(t.T("ui.contact.name"), f.name, ""),
		row(t.T("ui.contact.source"), f.source, ""), row(t.T("ui.import.consent"), f.consent, "")}
	for _, k := range sortedKeys(c.Fields) {
		f.fields[k] = entry(c.Fields[k])
		items = append(items, row(k, f.fields[k], ""))
	}
	f.tags = newTagsField(w)
	items = append(items, row(t.T("ui.tags"), f.tags.root, ""))
	if c.ID != 0 {
		f.lists = wrapped("…")
		items = append(items, row(t.T("ui.contact.lists"), f.lists, ""))
	}
	f.trouble = wrapped("")
	f.trouble.Importance = widget.DangerImportance
	f.trouble.Hide()
	var body fyne.CanvasObject = container.NewVScroll(container.NewVBox(missing, widget.NewForm(items...), f.trouble))
	cancel := widget.NewButton(t.T("ui.cancel"), func() { f.d.Hide() })
	save := primary(t.T("ui.save"), nil, f.save)
	if c.ID == 0 {
		f.d = w.popup(t.T("ui.contact.new"), body, cancel, save)
		w.fit(f.d, 520, 400)
		w.win.Canvas().Focus(f.addr)
		return
	}
	tabs := container.NewAppTabs(container.NewTabItem(t.T("ui.contact.details"), body), container.NewTabItem(t.T("ui.contact.history"), f.record()))
	export := widget.NewButtonWithIcon(t.T("ui.contact.export"), theme.DocumentSaveIcon(), f.export)
	erase := widget.NewButtonWithIcon(t.T("ui.contact.erase"), theme.DeleteIcon(), f.askErase)
	f.d = w.popup(first(c.Name, c.Address, c.Email), tabs, erase, export, cancel, save)
	w.fit(f.d, 620, 480)
	w.win.Canvas().Focus(f.addr)
	background(w.tasks, func(ctx context.Context) (Person, error) { return w.svc.Person(ctx, c.ID) }, f.fill)
	background(w.tasks, f.belongs, f.fillGroups)
}

// belonging is what a person belongs to.
type belonging struct {
	tags  []model.Tag
	lists []model.List
}

func (f *contactForm) belongs(ctx context.Context) (b belonging, err error) {
	if b.tags, err = f.w.svc.TagsOf(ctx, f.c.ID); err != nil {
		return b, err
	}
	b.lists, err = f.w.svc.ListsOf(ctx, f.c.ID)
	return b, err
}

func (f *contactForm) fillGroups(b belonging, err error) {
	if err != nil {
		f.lists.SetText(f.w.t.Error(err))
		return
	}
	f.tags.set(b.tags)
	var names []string
	for _, l := range b.lists {
		names = append(names, l.Name)
	}
	f.lists.SetText(first(strings.Join(names, f.w.t.T("ui.list.sep")), f.w.t.T("ui.contact.nolists")))
}

// record is the part of the page that tells what was: where the person came from, and each letter.
func (f *contactForm) record() fyne.CanvasObject {
	t := f.w.t
	f.history = wrapped(t.T("ui.loading"))
	f.history.Selectable = true
	cols := widgets.Columns{{Min: 126}, {Min: 78}, {Min: 150, Weight: 1}}
	f.table = widgets.NewTable(cols, func() int { return len(f.letters) }, f.cells)
	f.table.OnClick = func(i int, _ fyne.KeyModifier) { f.open(f.letters[i]) }
	head := widgets.NewHeader(cols, []widgets.HeaderColumn{{Title: t.T("ui.contact.when")}, {Title: t.T("ui.account.state")}, {Title: t.T("ui.contact.letters")}}, nil)
	f.none = widget.NewLabelWithStyle(t.T("ui.contact.noletters"), fyne.TextAlignCenter, fyne.TextStyle{})
	f.none.Hide()
	top := container.NewVScroll(f.history)
	top.SetMinSize(fyne.NewSize(100, 96))
	return container.NewBorder(container.NewVBox(top, head), nil, nil, nil, container.NewStack(f.table, container.NewCenter(f.none)))
}

func (f *contactForm) fill(p Person, err error) {
	if err != nil {
		f.history.SetText(f.w.t.Error(err))
		return
	}
	f.history.SetText(f.w.origin(p))
	f.letters = p.Letters
	show(f.none, len(p.Letters) == 0)
	f.table.Refresh()
}

// origin says, line by line, when and how the program came to know somebody, and whether they may be mailed.
func (w *Window) origin(p Person) string {
	t := w.t
	day := func(at time.Time) string { return at.Local().Format("2006-01-02 15:04") }
	var lines []string
	if p.Suppressed != "" {
		lines = append(lines, t.T("ui.contact.never", "reason", w.reasonOf(p.Suppressed)))
	}
	if p.Contact.Consent == "" {
		lines = append(lines, t.T("ui.contact.consent.missing"))
	}
	for _, im := range p.Imports {
		lines = append(lines, t.T("ui.contact.imported", "at", day(im.StartedAt), "file", first(im.FileName, t.T("ui.import.pasted")), "list", im.ListName,
			"source", im.Source, "consent", first(im.Consent, t.T("ui.contact.noconsent"))))
	}
	if len(p.Imports) == 0 {
		lines = append(lines, t.T("ui.contact.byhand", "at", day(p.Contact.CreatedAt), "source", p.Contact.Source))
	}
	return strings.Join(lines, "\n")
}

func (f *contactForm) cells(i int) ([]widgets.CellValue, bool) {
	l, t := f.letters[i], f.w.t
	color := widgets.ColorMuted
	for _, o := range outcomes {
		if o.state == l.State {
			color = o.text
		}
	}
	return []widgets.CellValue{{Text: l.UpdatedAt.Local().Format("2006-01-02 15:04"), Color: widgets.ColorMuted}, {Text: t.T("ui.state." + string(l.State)), Color: color},
		{Text: l.Campaign + "  " + l.Subject}}, false
}

// open explains a letter that did not arrive.
func (f *contactForm) open(l PersonLetter) {
	switch l.State {
	case model.Rejected, model.Unknown, model.Deferred:
		f.w.problemDialog(Problem{State: l.State, Diagnosis: f.w.svc.Explain(l.Delivery), First: l.Delivery, N: 1})
	}
}

func (f *contactForm) save() {
	n := edited{f.c}
	n.Address, n.Name = strings.TrimSpace(f.addr.Text), strings.TrimSpace(f.name.Text)
	n.Email = "" // the address decides
	n.Source, n.Consent = strings.TrimSpace(f.source.Text), strings.TrimSpace(f.consent.Text)
	n.Fields = map[string]string{}
	for k, e := range f.fields {
		n.Fields[k] = e.Text
	}
	w := f.w
	put, take := f.tags.changes()
	act(w.tasks, func(ctx context.Context) error {
		if n.same(f.c) {
			return w.setTags(ctx, n.ID, put, take)
		}
		if err := w.svc.SaveContact(ctx, &n.Contact, w.recipients.query.ListID); err != nil {
			return err
		}
		return w.setTags(ctx, n.ID, put, take)
	}, func(err error) {
		if err != nil {
			f.trouble.SetText(w.t.Error(err))
			f.trouble.Show()
			return
		}
		f.d.Hide()
		w.recipients.load()
	})
}

// edited is a contact as the page has it.
type edited struct{ model.Contact }

// same reports whether nothing but tags is different, so that no change of the person is told of that was none.
func (e edited) same(was model.Contact) bool {
	return was.ID != 0 && e.Address == first(was.Address, was.Email) && e.Name == was.Name && e.Source == was.Source && e.Consent == was.Consent &&
		maps.Equal(e.Fields, was.Fields)
}

func (f *contactForm) export() {
	w, t := f.w, f.w.t
	w.saveFile(fileName(first(f.c.Address, f.c.Email))+".json", func(path string) {
		act(w.tasks, func(ctx context.Context) error { return w.svc.ExportPerson(ctx, f.c.ID, path) }, func(err error) {
			if err == nil {
				w.message(t.T("ui.contact.export"), t.T("ui.support.done", "path", path))
			}
			w.showError(err)
		})
	})
}

func (f *contactForm) askErase() {
	w, t := f.w, f.w.t
	w.confirm(t.T("ui.contact.erase"), t.T("ui.contact.erase.ask", "name", first(f.c.Address, f.c.Email)), t.T("ui.contact.erase"), func() {
		act(w.tasks, func(ctx context.Context) error { return w.svc.ErasePerson(ctx, f.c.ID) }, func(err error) {
			if err == nil {
				f.d.Hide()
				w.recipients.clearSelection()
			}
			w.recipients.load()
			w.showError(err)
		})
	})
}
