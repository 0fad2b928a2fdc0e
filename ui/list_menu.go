package ui

import (
	"context"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"hongyan/app/model"
)

// listMenu offers what can be done with the list or segment that is shown.
func (p *recipientsPane) listMenu(at fyne.CanvasObject) {
	w, vm := p.w, p.w.recipients
	item := w.menuItem
	l, isList := vm.list()
	s, isSegment := vm.shownSegment()
	some := len(vm.ids) > 0
	items := []*fyne.MenuItem{item("ui.list.selectall", nil, some, p.table.OnAll), fyne.NewMenuItemSeparator()}
	if isSegment {
		items = append(items, item("ui.segment.change", filterIcon, true, func() { w.filterDialog() }),
			item("ui.segment.rename", theme.DocumentCreateIcon(), true, func() { w.renameSegment(s) }),
			item("ui.segment.remove", theme.DeleteIcon(), true, func() { w.askRemoveSegment(s) }))
	} else {
		items = append(items, item("ui.list.rename", theme.DocumentCreateIcon(), isList, func() { w.renameList(l) }),
			item("ui.list.remove", theme.DeleteIcon(), isList, func() { w.askRemoveList(l) }),
			item("ui.segment.save", filterIcon, vm.ownFilter(), func() {
				w.segmentDialog(model.Segment{Filter: vm.onList(vm.query.Filter)}, w.showSegment)
			}))
	}
	w.menuAt(fyne.NewMenu("", append(items, item("ui.cmd.exportlist", theme.UploadIcon(), some, w.exportList), fyne.NewMenuItemSeparator(),
		item("ui.tags.title", tagIcon, true, w.tagsDialog), item("ui.domains", theme.SearchIcon(), some, w.domainsDialog),
		item("ui.cmd.suppress", theme.CancelIcon(), true, w.suppressDialog))...), at)
}

func (w *Window) renameList(l model.List) {
	w.nameDialog(w.t.T("ui.list.rename"), nil, l.Name, func(ctx context.Context, name string) error { return w.svc.RenameList(ctx, l.ID, name) }, nil)
}

func (w *Window) askRemoveList(l model.List) {
	t := w.t
	w.confirm(t.T("ui.list.remove"), t.T("ui.list.remove.ask", "list", l.Name, "n", number(l.Count)), t.T("ui.remove"), func() {
		act(w.tasks, func(ctx context.Context) error { return w.svc.RemoveList(ctx, l.ID) }, func(err error) {
			w.recipients.clearSelection()
			w.recipients.load()
			w.showError(err)
		})
	})
}
