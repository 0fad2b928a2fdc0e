package ui

import (
	"context"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"hongyan/app/model"
)

// listMenu offers what can be done with the list that is shown.
func (p *recipientsPane) listMenu(at fyne.CanvasObject) {
	w, t := p.w, p.w.t
	l, ok := w.recipients.list()
	rename := fyne.NewMenuItem(t.T("ui.list.rename"), func() { w.renameList(l) })
	rename.Icon, rename.Disabled = theme.DocumentCreateIcon(), !ok
	remove := fyne.NewMenuItem(t.T("ui.list.remove"), func() { w.askRemoveList(l) })
	remove.Icon, remove.Disabled = theme.DeleteIcon(), !ok
	all := fyne.NewMenuItem(t.T("ui.list.selectall"), p.table.OnAll)
	all.Disabled = len(w.recipients.ids) == 0
	export := fyne.NewMenuItem(t.T("ui.cmd.exportlist"), w.exportList)
	export.Icon, export.Disabled = theme.UploadIcon(), len(w.recipients.ids) == 0
	consent := fyne.NewMenuItem(t.T("ui.contact.consent"), w.consentDialog)
	consent.Icon, consent.Disabled = theme.ConfirmIcon(), w.recipients.selectedCount() == 0
	never := fyne.NewMenuItem(t.T("ui.cmd.suppress"), w.suppressDialog)
	never.Icon = theme.CancelIcon()
	pos := w.app.Driver().AbsolutePositionForObject(at)
	widget.ShowPopUpMenuAtPosition(fyne.NewMenu("", all, consent, fyne.NewMenuItemSeparator(), rename, remove, export, fyne.NewMenuItemSeparator(), never), w.win.Canvas(), pos.AddXY(0, at.Size().Height))
}

func (w *Window) renameList(l model.List) {
	t := w.t
	name := widget.NewEntry()
	name.SetText(l.Name)
	var d *popup
	save := func() {
		to := strings.TrimSpace(name.Text)
		if to == "" {
			return
		}
		act(w.tasks, func(ctx context.Context) error { return w.svc.RenameList(ctx, l.ID, to) }, func(err error) {
			if err == nil {
				d.Hide()
			}
			w.recipients.load()
			w.showError(err)
		})
	}
	name.OnSubmitted = func(string) { save() }
	d = w.popup(t.T("ui.list.rename"), widget.NewForm(row(t.T("ui.account.name"), name, "")),
		widget.NewButton(t.T("ui.cancel"), func() { d.Hide() }), primary(t.T("ui.save"), nil, save))
	w.fit(d, 420, 150)
	w.win.Canvas().Focus(name)
}

func (w *Window) askRemoveList(l model.List) {
	t := w.t
	w.confirm(t.T("ui.list.remove"), t.T("ui.list.remove.ask", "list", l.Name, "n", number(l.Count)), t.T("ui.remove"), func() {
		act(w.tasks, func(ctx context.Context) error { return w.svc.RemoveList(ctx, l.ID) }, func(err error) {
			w.recipients.clearSelection()
			w.recipients.load()
			w.showError(err)
		})
	})
}
