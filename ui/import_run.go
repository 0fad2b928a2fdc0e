package ui

import (
	"context"
	"path/filepath"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"hongyan/app/model"
	"hongyan/ui/widgets"
)

// spec is what the user says about the import.
func (f *importForm) spec() model.ImportSpec {
	spec := model.ImportSpec{ListName: strings.TrimSpace(f.list.Text), Source: strings.TrimSpace(f.source.Text), Consent: strings.TrimSpace(f.consent.Text),
		Format: f.preview.Format, Charset: f.preview.Charset}
	if f.in.Path != "" {
		spec.FileName = filepath.Base(f.in.Path)
	}
	return spec
}

// run imports what is given; the file that follows is asked about once the report has been seen. A file that could not
// be imported, or was given up on the way, is asked about again.
func (f *importForm) run() {
	in, spec := f.in, f.spec()
	f.listTold = true
	f.d.Hide()
	f.w.importing(spec, "ui.import.cancelling", func(ctx context.Context, progress func(done, total int64)) (model.ImportReport, error) {
		return f.w.svc.Import(ctx, in, spec, progress)
	}, func(err error) {
		if err != nil {
			f.again()
		}
	}, f.next)
}

// importing runs an import with a bar and a way to cancel; stopping is the key of what is said then. It calls ended
// before it says how it ended, and seen once a report has been read.
func (w *Window) importing(spec model.ImportSpec, stopping string, work func(ctx context.Context, progress func(done, total int64)) (model.ImportReport, error),
	ended func(error), seen func()) {
	t := w.t
	bar := widget.NewProgressBar()
	label := widget.NewLabel(t.T("ui.import.running"))
	ctx, stop := context.WithCancel(w.tasks.ctx)
	d := w.popup(t.T("ui.import.title"), container.NewVBox(label, bar), widget.NewButton(t.T("ui.cancel"), func() {
		label.SetText(t.T(stopping))
		stop()
	}))
	d.escape = nil // a long import is not given up by a slip of the finger
	w.fit(d, 420, 150)
	var shown int64
	progress := func(done, total int64) {
		// One call in a hundred parts of the whole is enough for the eye.
		if total > 0 && (done-shown)*100 < total {
			return
		}
		shown = done
		w.tasks.Do(func() {
			if total > 0 {
				bar.SetValue(float64(done) / float64(total))
			}
		})
	}
	background(w.tasks, func(context.Context) (model.ImportReport, error) { return work(ctx, progress) }, func(r model.ImportReport, err error) {
		stop()
		d.Hide()
		if err == nil {
			w.recipients.show(r.ListID)
			w.set(keyList, itoa(r.ListID))
			w.set(keySegment, "0")
		}
		w.recipients.load()
		ended(err)
		if err != nil {
			w.showError(err)
			return
		}
		w.importReport(spec, r, seen)
	})
}

// importReport says how an import ended, row by row where rows were refused; it calls seen when it is closed.
func (w *Window) importReport(spec model.ImportSpec, r model.ImportReport, seen func()) {
	t := w.t
	head := wrapped(t.T("ui.import.report", "list", spec.ListName, "read", number(r.Read), "added", number(r.Added), "updated", number(r.Updated),
		"duplicate", number(r.Duplicate), "invalid", number(r.Invalid), "suppressed", number(r.Suppressed)))
	head.TextStyle.Bold = true
	var body fyne.CanvasObject = container.NewStack()
	if len(r.Rejects) > 0 {
		cols := widgets.Columns{{Min: 50}, {Min: 130, Weight: 1}, {Min: 160, Weight: 1}}
		table := widgets.NewTable(cols, func() int { return len(r.Rejects) }, func(i int) ([]widgets.CellValue, bool) {
			j := r.Rejects[i]
			reason := t.T("reject." + j.Reason)
			if j.Hint != "" {
				reason += "  → " + j.Hint
			}
			return []widgets.CellValue{{Text: number(j.Line), Color: widgets.ColorMuted}, {Text: strings.ReplaceAll(j.Text, "\n", " ")}, {Text: reason, Color: theme.ColorNameWarning}}, false
		})
		head := widgets.NewHeader(cols, []widgets.HeaderColumn{{Title: t.T("ui.import.line")}, {Title: t.T("ui.import.row")}, {Title: t.T("ui.import.reason")}}, nil)
		body = container.NewBorder(head, nil, nil, nil, table)
	}
	var d *popup
	undo := widget.NewButtonWithIcon(t.T("ui.import.undo"), theme.ContentUndoIcon(), func() {
		d.Hide()
		background(w.tasks, func(ctx context.Context) (int, error) { return w.svc.UndoImport(ctx, r.ImportID) }, func(n int, err error) {
			w.recipients.load()
			if err == nil {
				w.message(t.T("ui.import.undo"), t.T("ui.import.undone", "n", number(n)))
			}
			w.showError(err)
		})
	})
	save := widget.NewButtonWithIcon(t.T("ui.import.saverejects"), theme.DocumentSaveIcon(), func() {
		w.saveFile("rejects.csv", func(path string) {
			act(w.tasks, func(context.Context) error { return w.svc.SaveRejects(path, r) }, w.showError)
		})
	})
	show(save, len(r.Rejects) > 0)
	d = w.popup(t.T("ui.import.done"), container.NewBorder(head, nil, nil, nil, body), undo, save, primary(t.T("ui.ok"), nil, func() { d.Hide() }))
	d.escape = d.Hide
	d.SetOnClosed(seen)
	height := float32(200)
	if len(r.Rejects) > 0 {
		height = 440
	}
	w.fit(d, 640, height)
}
