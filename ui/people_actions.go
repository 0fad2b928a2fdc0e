package ui

import (
	"context"
	"strings"

	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// whyNoPeople says why there is nobody to export.
func (w *Window) whyNoPeople() string {
	if len(w.recipients.ids) == 0 {
		return "ui.why.nolist"
	}
	return ""
}

// exportList writes those who are shown to a file, as they are searched, filtered and sorted.
func (w *Window) exportList() {
	t, name, q := w.t, w.t.T("ui.list.all"), w.recipients.query
	if l, ok := w.recipients.list(); ok {
		name = l.Name
	}
	if s, ok := w.recipients.shownSegment(); ok {
		name = s.Name
	}
	w.saveFile(fileName(name)+".csv", func(path string) {
		background(w.tasks, func(ctx context.Context) (int, error) { return w.svc.ExportPeople(ctx, q, path) }, func(n int, err error) {
			if err == nil {
				w.message(t.T("ui.cmd.exportlist"), t.T("ui.exported", "n", number(n), "path", path))
			}
			w.showError(err)
		})
	})
}

// fileName makes a name fit for a file on every system.
func fileName(name string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`<>:"/\|?*`, r) {
			return '-'
		}
		return r
	}, name)
}

// consentDialog writes down how the selected people agreed, where that is not recorded yet.
func (w *Window) consentDialog() {
	t := w.t
	selected := w.someSelected()
	if selected == 0 {
		return
	}
	entry := widget.NewEntry()
	entry.SetPlaceHolder(t.T("ui.import.consent.hint"))
	var d *popup
	ok := primary(t.T("ui.save"), nil, nil)
	ok.Disable()
	save := func() {
		consent := strings.TrimSpace(entry.Text)
		if consent == "" {
			return
		}
		w.recipients.with(func(ctx context.Context, ids []int64) (int, error) { return w.svc.RecordConsent(ctx, ids, consent) }, func(n int, err error) {
			d.Hide()
			if err == nil {
				w.message(t.T("ui.contact.consent"), t.T("ui.contact.consent.done", "n", number(n)))
			}
			w.showError(err)
		})
	}
	ok.OnTapped = save
	entry.OnSubmitted = func(string) { save() }
	entry.OnChanged = func(s string) { able(ok, strings.TrimSpace(s) != "") }
	d = w.popup(t.T("ui.contact.consent"), container.NewVScroll(container.NewVBox(wrapped(t.T("ui.contact.consent.text", "n", number(selected))),
		widget.NewForm(row(t.T("ui.import.consent"), entry, "")))), widget.NewButton(t.T("ui.cancel"), func() { d.Hide() }), ok)
	w.fit(d, 520, 260)
	w.win.Canvas().Focus(entry)
}

// supportDialog saves the file for whoever helps.
func (w *Window) supportDialog() {
	t := w.t
	hide := widget.NewCheck(t.T("ui.support.hide"), nil)
	hide.SetChecked(true)
	var d *popup
	save := primary(t.T("ui.save"), theme.DocumentSaveIcon(), func() {
		d.Hide()
		w.saveFile("hongyan-support.zip", func(path string) {
			act(w.tasks, func(ctx context.Context) error { return w.svc.SupportBundle(ctx, path, hide.Checked) }, func(err error) {
				if err == nil {
					w.message(t.T("ui.cmd.support"), t.T("ui.support.done", "path", path))
				}
				w.showError(err)
			})
		})
	})
	d = w.popup(t.T("ui.cmd.support"), container.NewVScroll(container.NewVBox(wrapped(t.T("ui.support.text")), hide)),
		widget.NewButton(t.T("ui.cancel"), func() { d.Hide() }), save)
	w.fit(d, 520, 280)
}
