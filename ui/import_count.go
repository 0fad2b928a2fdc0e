package ui

import (
	"context"
	"time"

	"fyne.io/fyne/v2/widget"

	"hongyan/app/model"
)

// countLater counts a moment after the last key.
func (f *importForm) countLater() {
	f.giveUp()
	f.w.tasks.after(&f.counting, 400*time.Millisecond, func() {
		if f.opened {
			f.count()
		}
	})
}

// count tells what the import would do, as soon as it is known: how many are new, and how many are not.
func (f *importForm) count() {
	f.giveUp()
	gen, in, spec := f.counts, f.in, f.spec()
	f.tell(widget.MediumImportance, f.w.t.T("ui.import.counting"))
	f.stop = background(f.w.tasks, func(ctx context.Context) (model.Prospect, error) { return f.w.svc.Prospect(ctx, in, spec) }, func(p model.Prospect, err error) {
		if gen != f.counts {
			return // given up, for another count or for good
		}
		if err != nil {
			f.tell(widget.WarningImportance, f.w.t.Error(err))
			return
		}
		key := "ui.import.prospect"
		if p.Partial {
			key = "ui.import.prospect.partial"
		}
		f.tell(widget.MediumImportance, f.w.t.T(key, "read", number(p.Read), "added", number(p.Added), "updated", number(p.Updated),
			"duplicate", number(p.Duplicate), "invalid", number(p.Invalid), "suppressed", number(p.Suppressed)))
	})
}

func (f *importForm) tell(i widget.Importance, text string) {
	f.prospect.Importance = i
	f.prospect.SetText(text)
	f.sample.Refresh()
}

// giveUp ends a count that is under way.
func (f *importForm) giveUp() {
	f.counts++
	if f.stop != nil {
		f.stop()
		f.stop = nil
	}
}
