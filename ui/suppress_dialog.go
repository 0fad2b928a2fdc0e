package ui

import (
	"context"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"hongyan/app/model"
	"hongyan/ui/widgets"
)

// suppressForm is the dialog of those who are never mailed.
type suppressForm struct {
	w   *Window
	d   *popup
	all []model.Suppression // in the order of the store
	gen int

	shown    []model.Suppression // what the search leaves
	chosen   map[int64]bool
	anchor   int
	table    *widgets.Table
	search   *widget.Entry
	add      *widget.Entry
	count    *widget.Label
	remove   *widget.Button
	pause    pause
	export   *widget.Button
	quiet    fyne.CanvasObject // said while the list is empty
	trouble  *widgets.Text
	contents *fyne.Container
}

// suppressDialog shows the list of addresses and domains that no campaign ever mails.
func (w *Window) suppressDialog() {
	t := w.t
	f := &suppressForm{w: w, chosen: map[int64]bool{}, anchor: -1}
	f.search, f.add = widget.NewEntry(), widget.NewEntry()
	f.search.SetPlaceHolder(t.T("ui.search"))
	f.search.OnChanged = func(string) { w.tasks.after(&f.pause, 200*time.Millisecond, f.filter) }
	f.add.SetPlaceHolder(t.T("ui.suppress.add.hint"))
	f.add.OnSubmitted = func(string) { f.put() }
	put := widget.NewButtonWithIcon(t.T("ui.add"), theme.ContentAddIcon(), f.put)
	f.trouble = wrapped("")
	f.trouble.Importance = widget.DangerImportance
	f.trouble.Hide()
	f.count = widget.NewLabel("")
	f.count.Importance = widget.LowImportance

	cols := widgets.Columns{{Min: 150, Weight: 2}, {Min: 90, Weight: 1}, {Min: 86}}
	f.table = widgets.NewTable(cols, func() int { return len(f.shown) }, f.cells)
	f.table.OnClick = f.click
	f.table.OnAll = func() {
		for _, s := range f.shown {
			f.chosen[s.ID] = true
		}
		f.sync()
	}
	f.table.OnDelete = f.askRemove
	head := widgets.NewHeader(cols, []widgets.HeaderColumn{{Title: t.T("ui.suppress.key")}, {Title: t.T("ui.suppress.reason")}, {Title: t.T("ui.suppress.since")}}, nil)
	f.quiet = container.NewCenter(widget.NewLabelWithStyle(t.T("ui.suppress.empty"), fyne.TextAlignCenter, fyne.TextStyle{}))

	f.remove = widget.NewButtonWithIcon(t.T("ui.remove"), theme.DeleteIcon(), f.askRemove)
	f.export = widget.NewButtonWithIcon(t.T("ui.suppress.export"), theme.DocumentSaveIcon(), f.save)
	file := widget.NewButtonWithIcon(t.T("ui.suppress.import"), theme.FolderOpenIcon(), func() {
		w.openFile(func(path string) { f.take(path, "") })
	})
	paste := widget.NewButtonWithIcon(t.T("ui.import.paste"), theme.ContentPasteIcon(), func() { f.take("", w.app.Clipboard().Content()) })
	f.contents = container.NewVBox(wrapped(t.T("ui.suppress.text")), container.NewBorder(nil, nil, nil, put, f.add), f.trouble,
		container.NewBorder(nil, nil, nil, f.count, f.search), head)
	f.d = w.popup(t.T("ui.cmd.suppress"), container.NewBorder(f.contents, nil, nil, nil, container.NewStack(f.table, f.quiet)),
		file, paste, f.export, f.remove, primary(t.T("ui.close"), nil, func() { f.d.Hide() }))
	f.sync()
	w.fit(f.d, 640, 560)
	f.load()
}

func (f *suppressForm) load() {
	background(f.w.tasks, f.w.svc.Suppressions, func(all []model.Suppression, err error) {
		if err != nil {
			f.w.showError(err)
			return
		}
		f.all = all
		f.filter()
	})
}

// filter looks for what is searched in the background: the list may be long.
func (f *suppressForm) filter() {
	f.gen++
	gen, all, want := f.gen, f.all, strings.ToLower(strings.TrimSpace(f.search.Text))
	background(f.w.tasks, func(context.Context) ([]model.Suppression, error) { return matching(all, want), nil },
		func(found []model.Suppression, _ error) {
			if gen == f.gen {
				f.shown, f.anchor = found, -1
				f.sync()
			}
		})
}

// matching are the suppressions that have want, in lower case, in their address or domain.
func matching(all []model.Suppression, want string) []model.Suppression {
	if want == "" {
		return all
	}
	var found []model.Suppression
	for _, s := range all {
		if strings.Contains(strings.ToLower(s.Key), want) {
			found = append(found, s)
		}
	}
	return found
}

func (f *suppressForm) sync() {
	t := f.w.t
	text := t.T("ui.suppress.count", "n", number(len(f.shown)))
	if n := len(f.chosen); n > 0 {
		text += "  " + t.T("ui.contact.selected", "n", number(n))
	}
	put(f.count, text)
	able(f.remove, len(f.chosen) > 0)
	able(f.export, len(f.all) > 0)
	show(f.quiet, len(f.all) == 0)
	f.table.Refresh()
}

// reasonOf is why somebody is on the list, in words.
func (w *Window) reasonOf(reason string) string {
	if key := "ui.suppress.by." + reason; w.t.Has(key) {
		return w.t.T(key)
	}
	return reason
}

func (f *suppressForm) cells(i int) ([]widgets.CellValue, bool) {
	s := f.shown[i]
	return []widgets.CellValue{{Text: s.Key}, {Text: f.w.reasonOf(s.Reason), Color: widgets.ColorMuted},
		{Text: s.At.Local().Format(time.DateOnly), Color: widgets.ColorMuted}}, f.chosen[s.ID]
}

// click chooses as lists do: alone, with ctrl in addition, with shift from the last click on.
func (f *suppressForm) click(i int, mod fyne.KeyModifier) {
	id := f.shown[i].ID
	switch {
	case mod&fyne.KeyModifierShift != 0 && f.anchor >= 0:
		f.chosen = map[int64]bool{}
		for j := min(i, f.anchor); j <= max(i, f.anchor); j++ {
			f.chosen[f.shown[j].ID] = true
		}
	case mod&fyne.KeyModifierShortcutDefault != 0:
		if f.chosen[id] {
			delete(f.chosen, id)
		} else {
			f.chosen[id] = true
		}
		f.anchor = i
	default:
		f.chosen, f.anchor = map[int64]bool{id: true}, i
	}
	f.sync()
}

// put adds what stands in the field: addresses or domains, as many as there are.
func (f *suppressForm) put() {
	keys := strings.FieldsFunc(f.add.Text, func(r rune) bool { return strings.ContainsRune(" \t\r\n,;，；、", r) })
	if len(keys) == 0 {
		return
	}
	act(f.w.tasks, func(ctx context.Context) error { return f.w.svc.Suppress(ctx, keys, "user") }, func(err error) {
		if err != nil {
			f.trouble.SetText(f.w.t.Error(err))
		} else {
			f.add.SetText("")
		}
		show(f.trouble, err != nil, f.contents)
		f.contents.Refresh()
		f.load()
	})
}

// take brings a file or text in, and says how many there were.
func (f *suppressForm) take(path, text string) {
	if path == "" && strings.TrimSpace(text) == "" {
		return
	}
	t := f.w.t
	background(f.w.tasks, func(ctx context.Context) (SuppressionImport, error) {
		return f.w.svc.ImportSuppressions(ctx, path, text)
	},
		func(r SuppressionImport, err error) {
			f.load()
			if err != nil {
				f.w.showError(err)
				return
			}
			f.w.message(t.T("ui.suppress.import"), t.T("ui.suppress.imported", "read", number(r.Read), "added", number(r.Added), "refused", number(r.Refused)))
		})
}

func (f *suppressForm) save() {
	f.w.saveFile("never-mailed.csv", func(path string) {
		background(f.w.tasks, func(ctx context.Context) (int, error) { return f.w.svc.ExportSuppressions(ctx, path) }, func(n int, err error) {
			if err == nil {
				f.w.message(f.w.t.T("ui.suppress.export"), f.w.t.T("ui.exported", "n", number(n), "path", path))
			}
			f.w.showError(err)
		})
	})
}

func (f *suppressForm) askRemove() {
	if len(f.chosen) == 0 {
		return
	}
	t := f.w.t
	var ids []int64
	for id := range f.chosen {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	f.w.confirm(t.T("ui.suppress.remove"), t.T("ui.suppress.remove.ask", "n", number(len(ids))), t.T("ui.remove"), func() {
		act(f.w.tasks, func(ctx context.Context) error {
			for _, id := range ids {
				if err := f.w.svc.RemoveSuppression(ctx, id); err != nil && model.CodeOf(err) != model.ENotFound {
					return err
				}
			}
			return nil
		}, func(err error) {
			f.chosen = map[int64]bool{}
			f.load()
			f.w.showError(err)
		})
	})
}
