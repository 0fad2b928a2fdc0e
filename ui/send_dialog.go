package ui

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"hongyan/app/model"
)

// startDialog goes on with a campaign that has letters left, or checks a new one.
func (w *Window) startDialog() {
	if !w.progress.resumable() {
		w.checkDialog()
		return
	}
	t := w.t
	c, _ := w.progress.campaign()
	var d *popup
	fresh := widget.NewButton(t.T("ui.start.new"), func() {
		d.Hide()
		w.checkDialog()
	})
	d = w.popup(t.T("ui.cmd.start"), wrapped(t.T("ui.start.resume", "name", c.Name, "left", number(w.progress.snap.Counts.Left()))),
		widget.NewButton(t.T("ui.cancel"), func() { d.Hide() }), fresh,
		primary(t.T("ui.progress.resume"), theme.MediaPlayIcon(), func() {
			d.Hide()
			w.start(c.ID)
		}))
	w.fit(d, 480, 200)
}

// start sends, or goes on with, a campaign.
func (w *Window) start(id int64) {
	act(w.tasks, func(ctx context.Context) error { return w.svc.Start(ctx, id) }, func(err error) {
		if !w.needPassphrase(err, func() { w.start(id) }) {
			w.showError(err)
		}
		if err == nil {
			w.begun = id
		}
		w.showCampaign(id)
	})
}

// checkDialog shows what a new campaign would do, before anything leaves.
func (w *Window) checkDialog() {
	t := w.t
	if why := w.whyNoCampaignYet(); why != "" {
		w.message(t.T("ui.cmd.start"), t.T(why))
		return
	}
	if w.recipients.ownFilter() {
		w.filteredDialog()
		return
	}
	w.checkFor(w.recipients.query.ListID, w.recipients.segment)
}

// filteredDialog asks whom a campaign is for while a filter is in force that has no name: a campaign goes to lists and
// segments, and who sees only some people must not write to others by mistake.
func (w *Window) filteredDialog() {
	t, vm := w.t, w.recipients
	list := vm.query.ListID
	var d *popup
	all := widget.NewButton(t.T("ui.check.filtered.all"), func() {
		d.Hide()
		w.checkFor(list, 0)
	})
	some := primary(t.T("ui.check.filtered.some"), filterIcon, func() {
		d.Hide()
		w.segmentDialog(model.Segment{Filter: vm.query.Filter}, func(s model.Segment) { w.checkFor(list, s.ID) })
	})
	d = w.popup(t.T("ui.cmd.start"), container.NewVScroll(wrapped(t.T("ui.check.filtered", "n", number(len(vm.ids)), "filter", w.filterWords(vm.query.Filter)))),
		widget.NewButton(t.T("ui.cancel"), func() { d.Hide() }), all, some)
	w.fit(d, 560, 230)
}

// checkFor shows what a campaign to a list and a segment would do.
func (w *Window) checkFor(listID, segmentID int64) {
	t := w.t
	spec := CampaignSpec{Letter: w.letter.letter, AccountIDs: w.accounts.proposed()}
	if listID == 0 && segmentID == 0 { // writing to everybody has to be chosen
		listID = w.recipients.lists[0].ID
	}
	var examine func()
	to := ""
	name := widget.NewEntry()
	var who *audienceChooser
	who = w.newAudience(listID, segmentID, func() {
		old := w.newName(to)
		to = who.name()
		if name.Text == old { // the user has not named it
			name.SetText(w.newName(to))
		}
		examine()
	})
	to = who.name()
	name.SetText(w.newName(to))
	list := container.NewVBox()
	result := container.NewVBox(widget.NewLabel(t.T("ui.check.running")))
	send := primary(t.T("ui.check.send"), theme.MailSendIcon(), nil)
	send.Disable()
	usable := w.accounts.usable()
	for _, a := range w.accounts.accounts {
		c := widget.NewCheck(accountLabel(a), nil)
		c.Checked = slices.Contains(spec.AccountIDs, a.ID)
		if !slices.Contains(usable, a.ID) {
			c.Disable()
		}
		c.OnChanged = func(on bool) {
			spec.AccountIDs = slices.DeleteFunc(slices.Clone(spec.AccountIDs), func(id int64) bool { return id == a.ID })
			if on {
				spec.AccountIDs = append(spec.AccountIDs, a.ID)
			}
			examine()
		}
		list.Add(c)
	}
	ad := widget.NewCheck(t.T("ui.check.advertising"), func(on bool) {
		spec.Advertising = on
		examine()
	})
	gen := 0
	when := w.newWhenForm(func() { examine() })
	examine = func() {
		gen++
		send.Disable()
		var ok bool
		if spec.Schedule, ok = when.read(w); !ok {
			return
		}
		spec.ListID, spec.SegmentID = who.ids()
		mine, s := gen, spec
		background(w.tasks, func(ctx context.Context) (Check, error) { return w.svc.Check(ctx, s) }, func(c Check, err error) {
			if mine != gen {
				return
			}
			result.RemoveAll()
			if err != nil {
				result.Add(w.finding(theme.NewErrorThemedResource(theme.ErrorIcon()), t.Error(err)))
				return
			}
			blocked := w.checkLines(result, to, c)
			send.SetText(t.T("ui.check.sendn", "n", number(c.People)))
			if !blocked && c.People > 0 {
				send.Enable()
			}
		})
	}
	var d *popup
	send.OnTapped = func() {
		send.Disable()
		spec.Name = strings.TrimSpace(name.Text)
		background(w.tasks, func(ctx context.Context) (*model.Campaign, error) { return w.svc.CreateCampaign(ctx, spec) },
			func(c *model.Campaign, err error) {
				if err != nil {
					send.Enable()
					w.showError(err)
					return
				}
				d.Hide()
				w.start(c.ID)
			})
	}
	form := widget.NewForm(row(t.T("ui.check.name"), name, ""), row(t.T("ui.check.list"), who.root, ""),
		row(t.T("ui.check.subject"), clipped(spec.Letter.Subject), ""), row(t.T("ui.check.accounts"), container.NewVBox(list, ad), ""))
	d = w.popup(t.T("ui.check.title"), container.NewBorder(form, nil, nil, nil, container.NewVScroll(container.NewVBox(when.root, widget.NewSeparator(), result))),
		widget.NewButton(t.T("ui.cancel"), func() { d.Hide() }), send)
	d.enter = nil // letters leave by a press of the mouse
	w.fit(d, 680, 560)
	examine()
}

func clipped(text string) *widget.Label {
	l := widget.NewLabel(text)
	l.Truncation = fyne.TextTruncateEllipsis
	return l
}

func accountLabel(a Account) string {
	if a.Name == a.From || a.From == "" {
		return a.Name
	}
	return a.Name + " <" + a.From + ">"
}

// whyNoCampaignYet is whyNoStart without the campaign that could be gone on with.
func (w *Window) whyNoCampaignYet() string {
	switch {
	case w.progress.running:
		return "ui.why.running"
	case len(w.accounts.accounts) == 0:
		return "ui.why.noaccount"
	case len(w.recipients.lists) == 0:
		return "ui.why.nolist"
	case w.letter.empty():
		return "ui.why.noletter"
	}
	return ""
}

// newName proposes a name that no campaign has.
func (w *Window) newName(list string) string {
	base := list + " " + time.Now().Format("2006-01-02")
	name := base
	for n := 2; slices.ContainsFunc(w.progress.campaigns, func(c model.Campaign) bool { return c.Name == name }); n++ {
		name = fmt.Sprintf("%s (%d)", base, n)
	}
	return name
}

func (w *Window) finding(icon fyne.Resource, text string) fyne.CanvasObject {
	return container.NewBorder(nil, nil, container.NewVBox(container.NewPadded(widget.NewIcon(icon))), nil, wrapped(text))
}

// checkLines writes the findings and says whether one of them forbids the send.
func (w *Window) checkLines(to *fyne.Container, list string, c Check) (blocked bool) {
	t := w.t
	ok := theme.NewSuccessThemedResource(theme.ConfirmIcon())
	warn := theme.NewWarningThemedResource(theme.WarningIcon())
	stop := theme.NewErrorThemedResource(theme.ErrorIcon())
	for _, f := range c.Findings {
		if f.Blocker {
			blocked = true
			to.Add(w.finding(stop, t.Args(f.Key, f.Args)))
		}
	}
	to.Add(w.finding(ok, t.T("ui.check.people", "n", number(c.People), "list", list)))
	if c.Duration > 0 {
		to.Add(w.finding(ok, t.T("ui.check.duration", "time", duration(t, c.Duration))))
	}
	if c.Skipped > 0 {
		var why []string
		for _, k := range sortedKeys(c.SkippedWhy) {
			why = append(why, t.T("ui.skip."+k)+" "+number(c.SkippedWhy[k]))
		}
		to.Add(w.finding(theme.InfoIcon(), t.T("ui.check.skipped", "n", number(c.Skipped), "why", strings.Join(why, ", "))))
	}
	for _, f := range c.Findings {
		if !f.Blocker {
			to.Add(w.finding(warn, t.Args(f.Key, f.Args)))
		}
	}
	if blocked {
		to.Add(w.finding(theme.InfoIcon(), t.T("ui.check.blocked")))
	}
	return blocked
}

func (w *Window) askStop() {
	t := w.t
	w.confirm(t.T("ui.cmd.stop"), t.T("ui.stop.ask"), t.T("ui.cmd.stop"), func() { w.svc.Stop(w.progress.id) })
}

// retryDialog queues failed recipients again, or, after a plain warning, those whose fate is not known.
func (w *Window) retryDialog() {
	t, c := w.t, w.progress.snap.Counts
	var d *popup
	again := func(from model.State) func() {
		return func() {
			d.Hide()
			id := w.progress.id
			background(w.tasks, func(ctx context.Context) (int, error) { return w.svc.Retry(ctx, id, from) }, func(n int, err error) {
				if err != nil {
					w.showError(err)
				} else if n > 0 {
					w.start(id)
				}
			})
		}
	}
	failed := primary(t.T("ui.retry.failed", "n", number(c.Rejected)), theme.ViewRefreshIcon(), again(model.Rejected))
	unknown := widget.NewButton(t.T("ui.retry.unknown", "n", number(c.Unknown)), func() {
		d.Hide()
		w.confirm(t.T("ui.cmd.retry"), t.T("ui.retry.unknown.ask", "n", number(c.Unknown)), t.T("ui.retry.unknown", "n", number(c.Unknown)), again(model.Unknown))
	})
	if c.Rejected == 0 {
		failed.Disable()
	}
	if c.Unknown == 0 {
		unknown.Disable()
	}
	d = w.popup(t.T("ui.cmd.retry"), wrapped(t.T("ui.retry.text", "failed", number(c.Rejected), "unknown", number(c.Unknown))),
		widget.NewButton(t.T("ui.cancel"), func() { d.Hide() }), unknown, failed)
	d.enter = nil
	w.fit(d, 560, 220)
}

// report writes who got the letter and who did not, for a spreadsheet or a browser.
func (w *Window) report() {
	t, id := w.t, w.progress.id
	c, _ := w.progress.campaign()
	var d *popup
	to := func(ext string) func() {
		return func() {
			d.Hide()
			w.saveFile(strings.Map(fileRune, c.Name)+ext, func(path string) {
				act(w.tasks, func(ctx context.Context) error { return w.svc.Report(ctx, id, path, t.Lang()) }, func(err error) {
					if err == nil && ext == ".html" {
						w.openPath(path, nil)
					}
					w.showError(err)
				})
			})
		}
	}
	d = w.popup(t.T("ui.cmd.report"), wrapped(t.T("ui.report.text")), widget.NewButton(t.T("ui.cancel"), func() { d.Hide() }),
		widget.NewButtonWithIcon(t.T("ui.report.csv"), theme.GridIcon(), to(".csv")), primary(t.T("ui.report.html"), theme.DocumentIcon(), to(".html")))
	w.fit(d, 460, 180)
}

// fileRune keeps a name of a campaign usable as a name of a file.
func fileRune(r rune) rune {
	if r < ' ' || strings.ContainsRune(`\/:*?"<>|`, r) {
		return '_'
	}
	return r
}
