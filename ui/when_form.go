package ui

import (
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"hongyan/app"
	"hongyan/app/model"
	"hongyan/ui/widgets"
)

// whenForm asks when a campaign may send. Left alone it means now, at any hour.
type whenForm struct {
	root    fyne.CanvasObject
	start   *widget.Entry
	stop    *widget.Entry
	hours   *widget.Entry
	domain  *widget.Entry
	days    []*widget.Check
	trouble *widgets.Text
}

// newWhenForm calls changed after each change.
func (w *Window) newWhenForm(changed func()) *whenForm {
	t := w.t
	f := &whenForm{trouble: wrapped("")}
	f.trouble.Importance = widget.DangerImportance
	f.trouble.Hide()
	var p pause
	entry := func(hint string) *widget.Entry {
		e := widget.NewEntry()
		e.SetPlaceHolder(t.T(hint))
		e.OnChanged = func(string) { w.tasks.after(&p, 400*time.Millisecond, changed) }
		return e
	}
	f.start, f.stop = entry("ui.when.start.hint"), entry("ui.when.stop.hint")
	f.hours, f.domain = entry("ui.when.hours.hint"), entry("ui.when.domain.hint")
	days := container.NewGridWithColumns(7)
	for _, name := range strings.Fields(t.T("ui.when.days.names")) { // Monday first
		c := widget.NewCheck(name, func(bool) { changed() })
		f.days = append(f.days, c)
		days.Add(c)
	}
	form := widget.NewForm(row(t.T("ui.when.start"), f.start, ""), row(t.T("ui.when.stop"), f.stop, ""), row(t.T("ui.when.days"), days, ""),
		row(t.T("ui.when.hours"), f.hours, ""), row(t.T("ui.when.domain"), f.domain, ""))
	f.root = widget.NewAccordion(widget.NewAccordionItem(t.T("ui.when.title"), container.NewVBox(form, f.trouble)))
	return f
}

// read gives the schedule, and says on the form what cannot be read.
func (f *whenForm) read(w *Window) (model.Schedule, bool) {
	text := app.ScheduleText{StartAt: f.start.Text, StopAfter: f.stop.Text, Hours: f.hours.Text, PerDomain: f.domain.Text}
	sch, err := text.Parse(time.Now())
	if err != nil {
		f.trouble.SetText(w.t.Error(err))
		f.trouble.Show()
		return sch, false
	}
	f.trouble.Hide()
	for i, c := range f.days {
		if c.Checked {
			sch.Days = append(sch.Days, time.Weekday((i+1)%7))
		}
	}
	slices.Sort(sch.Days)
	if len(sch.Days) == len(f.days) {
		sch.Days = nil // every day
	}
	return sch, true
}
