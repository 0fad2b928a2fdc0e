package ui

import (
	"context"
	"slices"
	"strings"

	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"hongyan/app/model"
)

// contactDialog edits a person, or adds one to the list that is shown.
func (w *Window) contactDialog(c model.Contact) {
	t := w.t
	entry := func(s string) *widget.Entry {
		e := widget.NewEntry()
		e.SetText(s)
		return e
	}
	addr, name, source, consent := entry(first(c.Address, c.Email)), entry(c.Name), entry(c.Source), entry(c.Consent)
	items := []*widget.FormItem{row(t.T("ui.contact.address"), addr, ""), row(t.T("ui.contact.name"), name, ""),
		row(t.T("ui.contact.source"), source, ""), row(t.T("ui.import.consent"), consent, t.T("ui.import.consent.hint"))}
	var keys []string
	for k := range c.Fields {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	fields := map[string]*widget.Entry{}
	for _, k := range keys {
		fields[k] = entry(c.Fields[k])
		items = append(items, row(k, fields[k], ""))
	}
	trouble := wrapped("")
	trouble.Importance = widget.DangerImportance
	trouble.Hide()
	var d *popup
	save := primary(t.T("ui.save"), nil, func() {
		n := c
		n.Address, n.Name = strings.TrimSpace(addr.Text), strings.TrimSpace(name.Text)
		n.Email = "" // the address decides
		n.Source, n.Consent = strings.TrimSpace(source.Text), strings.TrimSpace(consent.Text)
		n.Fields = map[string]string{}
		for k, e := range fields {
			n.Fields[k] = e.Text
		}
		act(w.tasks, func(ctx context.Context) error { return w.svc.SaveContact(ctx, &n, w.recipients.query.ListID) }, func(err error) {
			if err != nil {
				trouble.SetText(t.Error(err))
				trouble.Show()
				return
			}
			d.Hide()
			w.recipients.load()
		})
	})
	title := t.T("ui.contact.new")
	if c.ID != 0 {
		title = t.T("ui.contact.editing")
	}
	d = w.popup(title, container.NewVScroll(container.NewVBox(widget.NewForm(items...), trouble)),
		widget.NewButton(t.T("ui.cancel"), func() { d.Hide() }), save)
	w.fit(d, 520, 400)
	w.win.Canvas().Focus(addr)
}
