package ui

import (
	"context"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"hongyan/app/model"
)

// settingsDialog chooses language, look and font.
func (w *Window) settingsDialog() {
	t := w.t
	langs, looks := []string{"zh", "en"}, []string{"system", "light", "dark"}
	lang := widget.NewSelect([]string{"中文", "English"}, nil)
	lang.SetSelectedIndex(0)
	if t.Lang() == "en" {
		lang.SetSelectedIndex(1)
	}
	look := widget.NewSelect([]string{t.T("ui.look.system"), t.T("ui.look.light"), t.T("ui.look.dark")}, nil)
	for i, l := range looks {
		if l == w.look.Variant {
			look.SetSelectedIndex(i)
		}
	}
	font := widget.NewEntry()
	font.SetText(w.svc.Setting(keyFont))
	font.SetPlaceHolder(t.T("ui.settings.font.hint"))
	browse := widget.NewButtonWithIcon("", theme.FolderOpenIcon(), func() {
		w.openFile(font.SetText, ".ttf", ".otf", ".ttc")
	})
	var d *popup
	d = w.popup(t.T("ui.cmd.settings"), widget.NewForm(row(t.T("ui.settings.lang"), lang, ""), row(t.T("ui.settings.look"), look, ""),
		row(t.T("ui.settings.font"), container.NewBorder(nil, nil, nil, browse, font), "")),
		widget.NewButton(t.T("ui.cancel"), func() { d.Hide() }), primary(t.T("ui.save"), nil, func() {
			d.Hide()
			chosen, variant, file := langs[lang.SelectedIndex()], looks[max(0, look.SelectedIndex())], font.Text
			w.set(keyFont, file)
			w.set(keyLang, chosen)
			w.t = textsFor(chosen)
			w.SetLook(variant)
		}))
	w.fit(d, 500, 260)
}

// helpDialog says what to do in which order, and where things lie.
func (w *Window) helpDialog() {
	t := w.t
	text := widget.NewRichTextFromMarkdown(t.T("ui.help.text"))
	text.Wrapping = fyne.TextWrapWord
	about := wrapped(t.T("ui.help.about", "version", w.opt.Version, "dir", w.opt.DataDir))
	about.Selectable = true
	folder := widget.NewButtonWithIcon(t.T("ui.help.folder"), theme.FolderOpenIcon(), func() {
		w.openPath(w.opt.DataDir, nil)
	})
	var d *popup
	d = w.popup(t.T("ui.cmd.help"), container.NewVScroll(container.NewVBox(text, about)), folder, primary(t.T("ui.close"), nil, func() { d.Hide() }))
	w.fit(d, 620, 480)
}

// needPassphrase asks for the passphrase when err is for want of it, and calls again once it is there.
func (w *Window) needPassphrase(err error, again func()) bool {
	if model.CodeOf(err) != model.ENeedPhrase {
		return false
	}
	w.askPassphrase(again)
	return true
}

// askPassphrase opens the secrets where the system keeps no passwords for us, and calls then.
func (w *Window) askPassphrase(then func()) {
	t := w.t
	entry := widget.NewPasswordEntry()
	state := wrapped(t.T("ui.phrase.text"))
	var d *popup
	unlock := func() {
		phrase := entry.Text
		act(w.tasks, func(context.Context) error { return w.svc.UnlockSecrets(phrase) }, func(err error) {
			if err != nil {
				state.Importance = widget.DangerImportance
				state.SetText(t.Error(err))
				return
			}
			d.Hide()
			w.accounts.load()
			then()
		})
	}
	entry.OnSubmitted = func(string) { unlock() }
	d = w.popup(t.T("ui.phrase.title"), container.NewVBox(state, entry), widget.NewButton(t.T("ui.phrase.later"), func() { d.Hide() }),
		primary(t.T("ui.ok"), nil, unlock))
	w.fit(d, 480, 220)
	w.win.Canvas().Focus(entry)
}
