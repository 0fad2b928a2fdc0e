package ui

import (
	"context"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"hongyan/ui/widgets"
)

// domainsForm is the dialog that asks which domains take mail.
type domainsForm struct {
	w      *Window
	d      *popup
	report DomainReport
	stop   context.CancelFunc

	say       *widgets.Text
	bar       *widget.ProgressBar
	table     *widgets.Table
	list      *fyne.Container
	begin     *widget.Button
	tag, mute *widget.Button
}

// domainsDialog offers to look the domains of those who are shown up.
func (w *Window) domainsDialog() {
	t := w.t
	f := &domainsForm{w: w, say: wrapped(t.T("ui.domains.text")), bar: widget.NewProgressBar()}
	f.bar.Hide()
	cols := widgets.Columns{{Min: 120, Weight: 1}, {Min: 150, Weight: 3}, {Min: 60}}
	f.table = widgets.NewTable(cols, func() int { return len(f.report.Dead) }, func(i int) ([]widgets.CellValue, bool) {
		d := f.report.Dead[i]
		return []widgets.CellValue{{Text: d.Domain}, {Text: t.T(d.Key), Color: theme.ColorNameWarning}, {Text: number(len(d.People)), Color: widgets.ColorMuted}}, false
	})
	head := widgets.NewHeader(cols, []widgets.HeaderColumn{{Title: t.T("ui.domains.domain")}, {Title: t.T("ui.domains.why")}, {Title: t.T("ui.problem.n")}}, nil)
	f.list = container.NewBorder(head, nil, nil, nil, f.table)
	f.list.Hide()
	f.begin = primary(t.T("ui.domains.start", "n", number(len(w.recipients.ids))), theme.SearchIcon(), f.run)
	f.tag = widget.NewButtonWithIcon(t.T("ui.domains.tag"), tagIcon, f.askTag)
	f.mute = widget.NewButtonWithIcon(t.T("ui.domains.mute"), theme.CancelIcon(), f.askMute)
	f.tag.Hide()
	f.mute.Hide()
	f.d = w.popup(t.T("ui.domains.title"), container.NewBorder(container.NewVBox(f.say, f.bar), nil, nil, nil, f.list), f.mute, f.tag,
		widget.NewButton(t.T("ui.close"), func() { f.d.Hide() }), f.begin)
	f.d.SetOnClosed(func() {
		if f.stop != nil {
			f.stop()
		}
	})
	w.fit(f.d, 620, 190)
}

// run asks, with a bar; who closes the dialog ends it.
func (f *domainsForm) run() {
	w, t := f.w, f.w.t
	f.begin.Disable()
	f.bar.SetValue(0)
	f.bar.Show()
	q := w.recipients.query
	shown := 0
	progress := func(done, total int) {
		if total == 0 || done < total && (done-shown)*100 < total {
			return // one call in a hundred parts is enough for the eye
		}
		shown = done
		w.tasks.Do(func() {
			f.bar.SetValue(float64(done) / float64(total))
			f.say.SetText(t.T("ui.domains.running", "done", number(done), "total", number(total)))
		})
	}
	f.stop = background(w.tasks, func(ctx context.Context) (DomainReport, error) { return w.svc.LookUpDomains(ctx, q, progress) }, func(r DomainReport, err error) {
		f.bar.Hide()
		f.begin.Enable()
		if err != nil {
			f.say.SetText(t.T("ui.domains.text"))
			w.showError(err)
			return
		}
		f.show(r)
	})
}

func (f *domainsForm) show(r DomainReport) {
	t := f.w.t
	f.report = r
	f.say.Importance = widget.WarningImportance
	switch {
	case r.Offline:
		f.say.SetText(t.T("ui.domains.offline"))
	case len(r.Dead) == 0:
		f.say.Importance = widget.SuccessImportance
		f.say.SetText(t.T("ui.domains.good", "n", number(r.Domains), "unknown", number(r.Unknown)))
	default:
		f.say.SetText(t.T("ui.domains.bad", "people", number(len(f.people())), "n", number(len(r.Dead)), "unknown", number(r.Unknown)))
	}
	f.say.Refresh()
	some := len(r.Dead) > 0
	show(f.list, some)
	show(f.begin, r.Offline, f.d.buttons)
	show(f.tag, some, f.d.buttons)
	show(f.mute, some, f.d.buttons)
	if some {
		f.d.grow(620, 420)
	}
	f.table.Refresh()
}

// people are those whose domain takes no mail.
func (f *domainsForm) people() (ids []int64) {
	for _, d := range f.report.Dead {
		ids = append(ids, d.People...)
	}
	return ids
}

func (f *domainsForm) askTag() {
	w, ids := f.w, f.people()
	w.nameDialog(w.t.T("ui.domains.tag"), nil, "", func(ctx context.Context, name string) error {
		_, err := w.svc.TagContacts(ctx, slices.Clone(ids), name)
		return err
	}, f.d.Hide)
}

func (f *domainsForm) askMute() {
	w, t := f.w, f.w.t
	w.confirm(t.T("ui.domains.mute"), t.T("ui.domains.mute.ask", "n", number(len(f.report.Dead)), "people", number(len(f.people()))), t.T("ui.domains.mute"), func() {
		var keys []string
		for _, d := range f.report.Dead {
			keys = append(keys, "@"+d.Domain)
		}
		act(w.tasks, func(ctx context.Context) error { return w.svc.Suppress(ctx, keys, "user") }, func(err error) {
			if err == nil {
				f.d.Hide()
			}
			w.showError(err)
		})
	})
}
