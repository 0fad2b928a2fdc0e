package ui

import (
	"context"

	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"hongyan/app/model"
)

// askOpenImports asks what becomes of imports that were cut off when the program ended; then is called when it is known
// whether there was one.
func (w *Window) askOpenImports(then func()) {
	background(w.tasks, w.svc.OpenImports, func(open []model.Import, err error) {
		if err == nil {
			w.cutOffDialog(open)
		}
		w.showError(err)
		then()
	})
}

// cutOffDialog asks about one import after the other: go on with it, where the file is still known, keep what came of
// it, or take that back.
func (w *Window) cutOffDialog(open []model.Import) {
	if len(open) == 0 {
		return
	}
	t, im := w.t, open[0]
	var d *popup
	next := func(err error) {
		w.recipients.load()
		w.showError(err)
		w.cutOffDialog(open[1:])
	}
	keep := widget.NewButton(t.T("ui.cutoff.keep"), func() {
		d.Hide()
		act(w.tasks, func(ctx context.Context) error { return w.svc.KeepImport(ctx, im.ID) }, next)
	})
	undo := widget.NewButtonWithIcon(t.T("ui.import.undo"), theme.ContentUndoIcon(), func() {
		d.Hide()
		act(w.tasks, func(ctx context.Context) error {
			_, err := w.svc.UndoImport(ctx, im.ID)
			return err
		}, next)
	})
	buttons := []*widget.Button{keep, undo}
	choice := "ui.cutoff.choice"
	if im.Path != "" {
		choice = "ui.cutoff.choice.resume"
		buttons = append(buttons, primary(t.T("ui.cutoff.resume"), theme.MediaPlayIcon(), func() {
			d.Hide()
			w.resume(im, open[1:])
		}))
	} else {
		undo.Importance = widget.HighImportance
	}
	text := t.T("ui.cutoff.text") + "\n\n" + t.T("ui.cutoff.line", "file", first(im.FileName, t.T("ui.import.pasted")), "list", im.ListName, "n", number(im.Rows),
		"at", im.StartedAt.Local().Format("2006-01-02 15:04")) + "\n\n" + t.T(choice)
	d = w.popup(t.T("ui.cutoff.title"), container.NewVScroll(wrapped(text)), objects(buttons)...)
	w.fit(d, 560, 280)
}

// resume goes on with an import that was cut off. Where that cannot be, because the file has changed say, or the user
// stops it, it is asked about again.
func (w *Window) resume(im model.Import, rest []model.Import) {
	w.importing(im.ImportSpec, "ui.cutoff.stopping", func(ctx context.Context, progress func(done, total int64)) (model.ImportReport, error) {
		return w.svc.ResumeImport(ctx, im, progress)
	}, func(err error) {
		if err == nil {
			w.cutOffDialog(rest)
			return
		}
		if model.CodeOf(err) != model.ECancelled {
			im.Path = ""
		}
		w.cutOffDialog(append([]model.Import{im}, rest...))
	}, func() {})
}
