package ui

import (
	"context"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"hongyan/app/model"
)

// fieldsOf reads the names of the fields of a list.
func fieldsOf(svc RecipientService, list int64) func(context.Context) ([]string, error) {
	return func(ctx context.Context) ([]string, error) { return svc.FieldNames(ctx, list) }
}

// segmentDialog saves a filter under a name, and calls then with what was saved.
func (w *Window) segmentDialog(s model.Segment, then func(model.Segment)) {
	t := w.t
	title := t.T("ui.segment.save")
	if s.ID != 0 {
		title = t.T("ui.segment.change")
	}
	about := container.NewVBox(wrapped(t.T("ui.segment.text", "filter", w.filterWords(s.Filter))))
	if _, ok := w.recipients.list(); ok && s.ID == 0 && s.Filter.Any && len(s.Filter.Conditions) > 1 {
		about.Add(wrapped(t.T("ui.segment.everywhere")))
	}
	w.nameDialog(title, about, s.Name, func(ctx context.Context, name string) error {
		s.Name = name
		return w.svc.SaveSegment(ctx, &s)
	}, func() {
		vm := w.recipients
		vm.segments = slices.Clone(vm.segments) // known at once, before they are read again
		if i := slices.IndexFunc(vm.segments, func(o model.Segment) bool { return o.ID == s.ID }); i >= 0 {
			vm.segments[i] = s
		} else {
			vm.segments = append(vm.segments, s)
		}
		then(s)
	})
}

// nameDialog asks for a name and gives it to save, until that succeeds; a name that is taken is said in the dialog.
func (w *Window) nameDialog(title string, above *fyne.Container, name string, save func(ctx context.Context, name string) error, then func()) {
	t := w.t
	entry := widget.NewEntry()
	entry.SetText(name)
	trouble := wrapped("")
	trouble.Importance = widget.DangerImportance
	trouble.Hide()
	var d *popup
	ok := primary(t.T("ui.save"), nil, nil)
	able(ok, strings.TrimSpace(name) != "")
	entry.OnChanged = func(s string) { able(ok, strings.TrimSpace(s) != "") }
	ok.OnTapped = func() {
		to := strings.TrimSpace(entry.Text)
		if to == "" {
			return
		}
		act(w.tasks, func(ctx context.Context) error { return save(ctx, to) }, func(err error) {
			if err != nil {
				trouble.SetText(t.Error(err))
				trouble.Show()
				return
			}
			d.Hide()
			w.recipients.load()
			if then != nil {
				then()
			}
		})
	}
	entry.OnSubmitted = func(string) { ok.OnTapped() }
	body := container.NewVBox(widget.NewForm(row(t.T("ui.account.name"), entry, "")), trouble)
	height := float32(150)
	if above != nil {
		body.Objects = append(slices.Clone(above.Objects), body.Objects...)
		height = 230
	}
	d = w.popup(title, container.NewVScroll(body), widget.NewButton(t.T("ui.cancel"), func() { d.Hide() }), ok)
	w.fit(d, 460, height)
	w.win.Canvas().Focus(entry)
	entry.TypedShortcut(&fyne.ShortcutSelectAll{})
}

// showSegment turns the recipients pane to a segment, and remembers it.
func (w *Window) showSegment(s model.Segment) {
	w.recipients.setSegment(s)
	w.set(keyList, "0")
	w.set(keySegment, itoa(s.ID))
	w.recipientsPane.refresh()
	w.sync()
}

func (w *Window) renameSegment(s model.Segment) {
	w.nameDialog(w.t.T("ui.segment.rename"), nil, s.Name, func(ctx context.Context, name string) error {
		s.Name = name
		return w.svc.SaveSegment(ctx, &s)
	}, nil)
}

func (w *Window) askRemoveSegment(s model.Segment) {
	t := w.t
	w.confirm(t.T("ui.segment.remove"), t.T("ui.segment.remove.ask", "name", s.Name), t.T("ui.remove"), func() {
		act(w.tasks, func(ctx context.Context) error { return w.svc.RemoveSegment(ctx, s.ID) }, func(err error) {
			if err == nil && w.recipients.segment == s.ID {
				w.recipients.show(0)
				w.set(keySegment, "0")
			}
			w.recipients.load()
			w.showError(err)
		})
	})
}
