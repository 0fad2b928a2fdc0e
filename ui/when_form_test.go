package ui

import (
	"slices"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// TestWhenToSend: the schedule that is written is the one that is checked; what cannot be read is said, and nothing
// can be sent meanwhile.
func TestWhenToSend(t *testing.T) {
	r := newRig(t, "en", shop("en"))
	r.w.checkDialog()
	r.run()
	if s := r.svc.checked.Schedule; !s.StartAt.IsZero() || s.Days != nil || s.FromHour != s.ToHour {
		t.Errorf("left alone it is %+v", s)
	}
	walk(r.top(), func(o fyne.CanvasObject) {
		if a, ok := o.(*widget.Accordion); ok {
			a.OpenAll()
		}
	})
	r.run()
	r.entry(r.text("ui.when.hours.hint")).SetText("9-18")
	r.entry(r.text("ui.when.domain.hint")).SetText("20")
	for _, day := range []string{"Mon", "Fri"} {
		walk(r.top(), func(o fyne.CanvasObject) {
			if c, ok := o.(*widget.Check); ok && c.Text == day {
				c.SetChecked(true)
			}
		})
	}
	r.run()
	s := r.svc.checked.Schedule
	if s.FromHour != 9 || s.ToHour != 18 || s.DomainPerMinute != 20 || !slices.Equal(s.Days, []time.Weekday{time.Monday, time.Friday}) {
		t.Errorf("checked %+v", s)
	}
	r.entry(r.text("ui.when.start.hint")).SetText("soon")
	r.run()
	r.wants("soon")
	r.entry(r.text("ui.when.start.hint")).SetText("")
	r.entry(r.text("ui.when.hours.hint")).SetText("")
	r.run()
	if s := r.svc.checked.Schedule; s.FromHour != s.ToHour {
		t.Errorf("taken back, but %+v", s)
	}
}
