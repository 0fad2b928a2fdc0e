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
)

// mostMerged is how many people can be brought together at once: more are a slip.
const mostMerged = 20

// selectionMenu is what can be done with those who are selected.
func (p *recipientsPane) selectionMenu() *fyne.Menu {
	w := p.w
	n := w.recipients.selectedCount()
	item := w.menuItem
	at := p.w.recipients.cursor
	return fyne.NewMenu("",
		item("ui.contact.open", theme.AccountIcon(), n == 1 && at >= 0, func() { p.open(at) }),
		item("ui.contact.edit", theme.DocumentCreateIcon(), n == 1 && at >= 0, func() { p.edit(at) }),
		fyne.NewMenuItemSeparator(),
		item("ui.tag.title", tagIcon, n > 0, w.tagDialog),
		item("ui.list.add", theme.ContentAddIcon(), n > 0, w.addToListDialog),
		item("ui.merge", theme.ContentCopyIcon(), n > 1, w.mergeDialog),
		fyne.NewMenuItemSeparator(),
		item("ui.contact.consent", theme.ConfirmIcon(), n > 0, w.consentDialog),
		item("ui.contact.suppress", theme.CancelIcon(), n > 0, p.askSuppress),
		item("ui.remove", theme.DeleteIcon(), n > 0, p.askRemove))
}

// menuItem is an item of a menu that opens in a pane; where ok is false it can be seen and not chosen.
func (w *Window) menuItem(key string, icon fyne.Resource, ok bool, do func()) *fyne.MenuItem {
	m := fyne.NewMenuItem(w.t.T(key), do)
	m.Icon, m.Disabled = icon, !ok
	return m
}

// rowMenu opens the menu of a row; one that is not selected is selected first, alone.
func (p *recipientsPane) rowMenu(i int, at fyne.Position) {
	if !p.w.recipients.selected(i) {
		p.table.Click(i, 0)
	}
	widget.ShowPopUpMenuAtPosition(p.selectionMenu(), p.w.win.Canvas(), at)
}

// menuAt opens a menu below, or where there is no room above, a button.
func (w *Window) menuAt(m *fyne.Menu, at fyne.CanvasObject) {
	pos := w.app.Driver().AbsolutePositionForObject(at)
	widget.ShowPopUpMenuAtPosition(m, w.win.Canvas(), pos.AddXY(0, at.Size().Height))
}

// open shows the page of the person in row i.
func (p *recipientsPane) open(i int) {
	if c, ok := p.w.recipients.row(i); ok {
		p.w.contactDialog(c)
	}
}

// edit changes address and name in the row itself.
func (p *recipientsPane) edit(i int) {
	w := p.w
	c, ok := w.recipients.row(i)
	if !ok {
		return
	}
	p.editFrom(i, c, []string{first(c.Address, c.Email), c.Name})
}

// editFrom opens the row of a person for changes, with what the fields hold at first.
func (p *recipientsPane) editFrom(i int, c model.Contact, values []string) {
	w := p.w
	was := first(c.Address, c.Email)
	p.table.ScrollTo(i)
	p.table.Edit(i, 1, values, func(v []string) {
		w.backToPeople()
		addr, name := strings.TrimSpace(v[0]), strings.TrimSpace(v[1])
		if addr == was && name == c.Name {
			return
		}
		to := c
		to.Address, to.Name = addr, name
		if addr != was {
			to.Email = "" // the address decides
		}
		act(w.tasks, func(ctx context.Context) error { return w.svc.SaveContact(ctx, &to, 0) }, func(err error) {
			if err == nil || w.closing {
				w.recipients.load()
				return
			}
			w.message(w.t.T("ui.error.title"), w.t.Error(err)).SetOnClosed(func() { // what was typed is not lost
				if now, ok := w.recipients.row(i); ok && now.ID == c.ID {
					p.editFrom(i, c, v)
				}
			})
		})
	})
}

// mergeDialog brings the selected people together into one of them, whom the user picks.
func (w *Window) mergeDialog() {
	t, vm := w.t, w.recipients
	n := vm.selectedCount()
	if n < 2 || n > mostMerged {
		w.message(t.T("ui.merge"), t.T("ui.merge.howmany", "n", number(mostMerged)))
		return
	}
	chosen, current := vm.selection(), vm.current()
	background(w.tasks, func(ctx context.Context) ([]model.Contact, error) { return w.svc.Contacts(ctx, chosen()) }, func(cs []model.Contact, err error) {
		if err != nil || len(cs) < 2 {
			w.showError(err)
			return
		}
		w.mergeAsk(cs, current)
	})
}

func (w *Window) mergeAsk(cs []model.Contact, current int64) {
	t := w.t
	names := make([]string, len(cs))
	for i, c := range cs {
		names[i] = first(c.Address, c.Email)
		if c.Name != "" {
			names[i] = c.Name + "  <" + names[i] + ">"
		}
	}
	result := wrapped("")
	at := max(0, slices.IndexFunc(cs, func(c model.Contact) bool { return c.ID == current }))
	pick := widget.NewRadioGroup(names, nil)
	pick.Required = true
	pick.OnChanged = func(s string) {
		at = max(0, slices.Index(names, s))
		result.SetText(counted(t, "ui.merge.result", len(cs)-1, "address", first(cs[at].Address, cs[at].Email)))
	}
	pick.SetSelected(names[at])
	var d *popup
	ok := primary(t.T("ui.merge.do"), nil, func() {
		d.Hide()
		var others []int64
		for i, c := range cs {
			if i != at {
				others = append(others, c.ID)
			}
		}
		w.recipients.merge(cs[at].ID, others, w.showError)
	})
	d = w.popup(t.T("ui.merge"), container.NewBorder(wrapped(t.T("ui.merge.text", "n", number(len(cs)))), result, nil, nil, container.NewVScroll(pick)),
		widget.NewButton(t.T("ui.cancel"), func() { d.Hide() }), ok)
	d.SetOnClosed(w.backToPeople)
	w.fit(d, 520, fyne.Min(460, 230+float32(len(cs))*24))
}
