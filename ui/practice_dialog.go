package ui

import (
	"context"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"hongyan/app/model"
	"hongyan/assets"
	"hongyan/ui/widgets"
)

// moods are how the practice server may behave, the first is the usual one.
var moods = []string{"normal", "slow", "refuse-tenth", "drop-line", "wait", "full"}

// practiceDialog shows the practice server and the letters that it received.
func (w *Window) practiceDialog() {
	t := w.t
	var letters []PracticeLetter
	state := wrapped("")
	toggle := primary("", nil, nil)
	cols := widgets.Columns{{Min: 62}, {Min: 120, Weight: 1}, {Min: 160, Weight: 2}, {Min: 56}}
	table := widgets.NewTable(cols, func() int { return len(letters) }, func(i int) ([]widgets.CellValue, bool) {
		l := letters[i]
		return []widgets.CellValue{{Text: l.At.Local().Format("15:04:05"), Color: widgets.ColorMuted}, {Text: l.To}, {Text: l.Subject}, {Text: size(l.Size), Color: widgets.ColorMuted}}, false
	})
	table.OnClick = func(i int, _ fyne.KeyModifier) { w.practiceLetter(letters[i].Path) }
	head := widgets.NewHeader(cols, []widgets.HeaderColumn{{Title: t.T("ui.practice.at")}, {Title: t.T("ui.practice.to")}, {Title: t.T("ui.letter.subject")}, {Title: t.T("ui.practice.size")}}, nil)
	names := make([]string, len(moods))
	for i, m := range moods {
		names[i] = t.T("ui.mood." + m)
	}
	mood := widget.NewSelect(names, nil)
	refresh := func() {
		info := w.svc.Practice()
		if info.Running {
			state.SetText(t.T("ui.practice.on", "addr", info.Addr, "n", number(info.Count)))
			toggle.SetText(t.T("ui.practice.stop"))
			mood.Enable()
		} else {
			state.SetText(t.T("ui.practice.off"))
			toggle.SetText(t.T("ui.practice.start"))
			mood.Disable()
		}
		background(w.tasks, func(context.Context) ([]PracticeLetter, error) { return w.svc.PracticeLetters(0, 1000) },
			func(ls []PracticeLetter, err error) {
				letters = ls
				table.Refresh()
				w.showError(err)
			})
	}
	mood.SetSelectedIndex(0)
	for i, m := range moods {
		if m == w.svc.Practice().Mood {
			mood.SetSelectedIndex(i)
		}
	}
	mood.OnChanged = func(string) {
		act(w.tasks, func(context.Context) error { return w.svc.SetPracticeMood(moods[mood.SelectedIndex()]) }, w.showError)
	}
	toggle.OnTapped = func() {
		if w.svc.Practice().Running {
			act(w.tasks, func(context.Context) error { return w.svc.StopPractice() }, func(err error) {
				w.showError(err)
				refresh()
			})
			return
		}
		w.startPractice(refresh)
	}
	folder := widget.NewButtonWithIcon(t.T("ui.practice.folder"), theme.FolderOpenIcon(), func() {
		w.openPath(w.svc.Practice().Dir, nil)
	})
	top := container.NewVBox(state, container.NewBorder(nil, nil, widget.NewLabel(t.T("ui.practice.mood")), container.NewHBox(
		widget.NewButtonWithIcon("", theme.ViewRefreshIcon(), refresh), toggle), mood), head)
	var d *popup
	d = w.popup(t.T("ui.practice.title"), container.NewBorder(top, nil, nil, nil, table), folder, primary(t.T("ui.close"), nil, func() { d.Hide() }))
	w.slow = refresh
	d.SetOnClosed(func() { w.slow = nil })
	w.fit(d, 720, 500)
	refresh()
}

// startPractice starts the server and makes the account that sends to it.
func (w *Window) startPractice(then func()) {
	background(w.tasks, func(ctx context.Context) (*model.Account, error) {
		if !w.svc.Practice().Running {
			if _, err := w.svc.StartPractice(""); err != nil {
				return nil, err
			}
		}
		return w.svc.PracticeAccount(ctx)
	}, func(a *model.Account, err error) {
		w.showError(err)
		if err == nil {
			w.accounts.current = a.ID
			w.accounts.load()
		}
		then()
	})
}

// usePractice is the rehearsal in one click: server, account, and where there is none, a sample list and letter.
func (w *Window) usePractice() { w.startPractice(w.preparePracticeData) }

// preparePractice is what the flag --practice asks for.
func (w *Window) preparePractice() { w.startPractice(w.preparePracticeData) }

// preparePracticeData imports the sample list and opens the sample letter where there are none yet.
func (w *Window) preparePracticeData() {
	if w.letter.empty() {
		lang := w.t.Lang()
		background(w.tasks, func(context.Context) (string, error) {
			return w.temp.file("letter.md", string(assets.SampleLetter(lang)))
		},
			func(path string, err error) {
				if err != nil {
					w.showError(err)
					return
				}
				w.readLetter(path)
			})
	}
	background(w.tasks, func(ctx context.Context) (int64, error) {
		lists, err := w.svc.Lists(ctx)
		if err != nil || len(lists) > 0 {
			return 0, err
		}
		path, err := w.temp.file("customers-gbk.csv", string(assets.SampleList()))
		if err != nil {
			return 0, err
		}
		r, err := w.svc.Import(ctx, ImportInput{Path: path},
			model.ImportSpec{ListName: w.t.T("ui.practice.list"), Source: w.t.T("ui.practice.source"), Consent: w.t.T("ui.practice.consent")},
			func(int64, int64) {})
		return r.ListID, err
	}, func(id int64, err error) {
		w.showError(err)
		if id != 0 {
			w.recipients.query.ListID = id
			w.set(keyList, itoa(id))
		}
		w.recipients.load()
	})
}
