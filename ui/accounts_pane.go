package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"hongyan/ui/widgets"
)

// accountsPane lists the accounts and what each does.
type accountsPane struct {
	w      *Window
	root   fyne.CanvasObject
	table  *widgets.Table
	full   fyne.CanvasObject
	empty  fyne.CanvasObject
	wake   *widgets.Action
	why    *widgets.Action
	single []*widgets.Action // buttons for the selected account
}

func newAccountsPane(w *Window) *accountsPane {
	p := &accountsPane{w: w}
	t, vm := w.t, w.accounts
	cols := widgets.Columns{{Min: 90, Weight: 2}, {Min: 70, Weight: 1.4}, {Min: 66, Weight: 0.4}}
	p.table = widgets.NewTable(cols, func() int { return len(vm.accounts) }, p.cells)
	p.table.OnClick = func(i int, _ fyne.KeyModifier) {
		vm.current = vm.accounts[i].ID
		p.table.Refresh()
		w.sync()
		p.buttons()
	}
	p.table.OnOpen = func(i int) { w.accountDialog(vm.accounts[i]) }
	p.table.OnDelete = p.remove
	head := widgets.NewHeader(cols, []widgets.HeaderColumn{{Title: t.T("ui.account.name")}, {Title: t.T("ui.account.state")}, {Title: t.T("ui.account.today")}}, nil)
	p.full = container.NewBorder(head, nil, nil, nil, p.table)
	p.empty = widgets.NewEmpty(theme.AccountIcon(), t.T("ui.account.empty"), t.T("ui.account.empty.hint"),
		primary(t.T("ui.cmd.addaccount"), theme.ContentAddIcon(), func() { w.accountDialog(Account{}) }),
		widget.NewButtonWithIcon(t.T("ui.cmd.practice"), theme.ComputerIcon(), w.usePractice))

	act := func(key, label string, icon fyne.Resource, f func(a Account)) *widgets.Action {
		b := widgets.NewAction(label, icon, func() {
			if a, ok := vm.selected(); ok {
				f(a)
			}
		})
		b.Importance, b.Tip, b.OnHint = widget.LowImportance, t.T(key), w.step.hint
		p.single = append(p.single, b)
		return b
	}
	p.wake = widgets.NewAction(t.T("ui.account.wake"), theme.MediaReplayIcon(), func() { vm.wake(vm.current, w.showError) })
	p.wake.Importance, p.wake.Tip, p.wake.OnHint = widget.LowImportance, t.T("ui.account.wake.tip"), w.step.hint
	p.why = widgets.NewAction(t.T("ui.account.why"), theme.QuestionIcon(), func() {
		if a, ok := vm.selected(); ok {
			w.accountProblem(a)
		}
	})
	p.why.Importance, p.why.Tip, p.why.OnHint = widget.LowImportance, t.T("ui.account.why.tip"), w.step.hint
	add := widgets.NewAction(t.T("ui.add"), theme.ContentAddIcon(), func() { w.accountDialog(Account{}) })
	add.Importance, add.Tip, add.OnHint = widget.LowImportance, t.T("ui.cmd.addaccount.tip"), w.step.hint
	p.root = widgets.NewPane(t.T("ui.pane.accounts"), nil, container.NewStack(p.full, p.empty), p.why, p.wake, act("ui.account.test.tip", t.T("ui.account.test"), theme.ConfirmIcon(), w.doctorDialog),
		act("ui.account.edit", "", theme.DocumentCreateIcon(), w.accountDialog),
		act("ui.account.remove", "", theme.DeleteIcon(), func(Account) { p.remove() }), add)
	return p
}

func (p *accountsPane) cells(i int) ([]widgets.CellValue, bool) {
	a := p.w.accounts.accounts[i]
	key, until := a.status()
	color := widgets.ColorMuted
	switch key {
	case "ui.account.stopped", "ui.account.nosecret", "ui.account.nosignin":
		color = theme.ColorNameError
	case "ui.account.resting":
		color = theme.ColorNameWarning
	case "ui.account.fit":
		color = theme.ColorNameSuccess
	}
	name := a.Name
	if name != a.From && a.From != "" {
		name += "  <" + a.From + ">"
	}
	sent := number(a.SentDay)
	if a.Limits.PerDay > 0 {
		sent += " / " + number(a.Limits.PerDay)
	}
	return []widgets.CellValue{{Text: name}, {Text: p.w.t.T(key, "until", until), Color: color}, {Text: sent, Color: widgets.ColorMuted}},
		a.ID == p.w.accounts.current
}

func (p *accountsPane) refresh() {
	none := p.w.accounts.loaded && len(p.w.accounts.accounts) == 0
	show(p.empty, none)
	show(p.full, !none)
	p.table.Refresh()
	p.buttons()
}

func (p *accountsPane) buttons() {
	a, ok := p.w.accounts.selected()
	reason := ""
	if !ok {
		reason = p.w.t.T("ui.why.noaccount")
	}
	for _, b := range p.single {
		b.Allow(reason)
	}
	show(p.why, ok && a.troubled())
	show(p.wake, ok && a.troubled())
}

func (p *accountsPane) remove() {
	a, ok := p.w.accounts.selected()
	if !ok {
		return
	}
	t := p.w.t
	p.w.confirm(t.T("ui.account.remove"), t.T("ui.account.remove.ask", "name", a.Name), t.T("ui.remove"),
		func() { p.w.accounts.remove(a.ID, p.w.showError) })
}

// show makes o visible or not, and lays the containers out again in which it leaves a gap or needs room: Fyne does
// that by itself for what grows, not for what goes.
func show(o fyne.CanvasObject, visible bool, in ...*fyne.Container) {
	if visible == o.Visible() {
		return
	}
	if visible {
		o.Show()
	} else {
		o.Hide()
	}
	for _, c := range in {
		c.Layout.Layout(c.Objects, c.Size())
	}
}

// able enables or disables a button.
func able(b *widget.Button, on bool) {
	if on == b.Disabled() {
		if on {
			b.Enable()
		} else {
			b.Disable()
		}
	}
}
