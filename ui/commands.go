package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"hongyan/app/model"
	"hongyan/ui/widgets"
)

// command is something the user can do, wherever it is offered: toolbar, menu, shortcut, next step.
type command struct {
	id   string // texts "ui.cmd.<id>" and "ui.cmd.<id>.tip"
	icon fyne.Resource
	run  func()
	why  func() string // key of the reason why it cannot be done now; "" when it can
	key  fyne.Shortcut

	w      *Window
	button *widgets.Action
	item   *fyne.MenuItem
}

func ctrl(k fyne.KeyName) fyne.Shortcut {
	return &desktop.CustomShortcut{KeyName: k, Modifier: fyne.KeyModifierShortcutDefault}
}

func shifted(k fyne.KeyName) fyne.Shortcut {
	return &desktop.CustomShortcut{KeyName: k, Modifier: fyne.KeyModifierShortcutDefault | fyne.KeyModifierShift}
}

func always() string { return "" }

func (w *Window) makeCommands() {
	add := func(id string, icon fyne.Resource, key fyne.Shortcut, why func() string, run func()) {
		c := &command{id: id, icon: icon, key: key, why: why, run: run, w: w}
		c.item = fyne.NewMenuItem(w.t.T("ui.cmd."+id), c.fire)
		c.item.Shortcut = key
		c.item.Icon = icon
		w.commands = append(w.commands, c)
	}
	w.commands = nil
	add("import", theme.DownloadIcon(), ctrl(fyne.KeyI), always, func() { w.importDialog("", "") })
	add("test", theme.MailSendIcon(), nil, w.whyNoTest, w.testDialog)
	add("start", theme.MediaPlayIcon(), ctrl(fyne.KeyReturn), w.whyNoStart, w.startDialog)
	add("pause", theme.MediaPauseIcon(), ctrl(fyne.KeyPeriod), w.progress.mayPause, func() { w.svc.Pause(w.progress.id) })
	add("stop", theme.MediaStopIcon(), nil, w.progress.mayPause, w.askStop)
	add("retry", theme.ViewRefreshIcon(), nil, w.progress.mayRetry, w.retryDialog)
	add("practice", theme.ComputerIcon(), nil, always, w.practiceDialog)
	add("settings", theme.SettingsIcon(), nil, always, w.settingsDialog)
	add("addaccount", theme.AccountIcon(), nil, always, func() { w.accountDialog(Account{}) })
	add("loadletter", theme.FolderOpenIcon(), nil, always, w.loadLetter)
	add("saveletter", theme.DocumentSaveIcon(), nil, w.whyNoLetter, w.saveLetter)
	add("report", theme.DocumentIcon(), nil, w.whyNoCampaign, w.report)
	add("exportlist", theme.UploadIcon(), nil, w.whyNoPeople, w.exportList)
	add("suppress", theme.CancelIcon(), nil, always, w.suppressDialog)
	add("support", theme.MailAttachmentIcon(), nil, always, w.supportDialog)
	add("undo", theme.ContentUndoIcon(), nil, w.whyNoUndo, w.undo)
	add("filter", filterIcon, shifted(fyne.KeyF), w.whyNoFilter, func() { w.filterDialog() })
	add("tags", tagIcon, nil, always, w.tagsDialog)
	add("help", theme.HelpIcon(), nil, always, w.helpDialog)
}

func (c *command) fire() {
	if c.w.win.Canvas().Overlays().Top() != nil { // by a key: a dialog is open, and what is behind it has to wait
		return
	}
	if reason := c.why(); reason != "" {
		c.w.step.hint(c.w.t.T(reason))
		return
	}
	c.run()
}

// refresh brings button and menu item up to date, and says whether the item changed.
func (c *command) refresh() bool {
	reason := c.why()
	off := reason != ""
	if c.button != nil {
		if reason != "" {
			reason = c.w.t.T(reason)
		}
		c.button.Allow(reason)
	}
	changed := c.item.Disabled != off
	if label := c.label(); label != c.item.Label {
		c.item.Label, changed = label, true
	}
	c.item.Disabled = off
	return changed
}

// label is what the menu says.
func (c *command) label() string {
	if c.id == "undo" {
		return c.w.undoLabel()
	}
	return c.w.t.T("ui.cmd." + c.id)
}

func (w *Window) command(id string) *command {
	for _, c := range w.commands {
		if c.id == id {
			return c
		}
	}
	return nil
}

func (w *Window) makeToolbar() fyne.CanvasObject {
	box := container.NewWithoutLayout()
	put := func(id string) {
		c := w.command(id)
		c.button = widgets.NewAction(w.t.T("ui.cmd."+id), c.icon, c.fire)
		c.button.Tip = w.t.T("ui.cmd." + id + ".tip")
		c.button.OnHint = w.step.hint
		if id == "start" {
			c.button.Importance = widget.HighImportance
		}
		box.Add(c.button)
	}
	for _, id := range []string{"import", "test"} {
		put(id)
	}
	box.Add(widget.NewSeparator())
	for _, id := range []string{"start", "pause", "stop", "retry"} {
		put(id)
	}
	box.Layout = widgets.Bar{Right: len(box.Objects)}
	put("practice")
	other, label := "en", "English"
	if w.t.Lang() == "en" {
		other, label = "zh", "中文"
	}
	box.Add(widget.NewButton(label, func() { w.SetLanguage(other) }))
	put("settings")
	return box
}

func (w *Window) makeMenu() *fyne.MainMenu {
	t := w.t.T
	items := func(ids ...string) []*fyne.MenuItem {
		var out []*fyne.MenuItem
		for _, id := range ids {
			if id == "-" {
				out = append(out, fyne.NewMenuItemSeparator())
				continue
			}
			out = append(out, w.command(id).item)
		}
		return out
	}
	quit := fyne.NewMenuItem(t("ui.menu.quit"), w.askClose)
	quit.IsQuit = true
	file := fyne.NewMenu(t("ui.menu.file"), append(items("import", "exportlist", "suppress", "-", "addaccount", "-", "loadletter", "saveletter", "report", "-", "settings", "-"), quit)...)
	send := fyne.NewMenu(t("ui.menu.send"), items("test", "-", "start", "pause", "stop", "retry", "-", "practice")...)
	var panes []*fyne.MenuItem
	for i, name := range []string{"accounts", "recipients", "letter", "progress"} {
		item := fyne.NewMenuItem(t("ui.pane."+name), func() { w.focus(i + 1) })
		item.Shortcut = ctrl([]fyne.KeyName{fyne.Key1, fyne.Key2, fyne.Key3, fyne.Key4}[i])
		panes = append(panes, item)
	}
	find := fyne.NewMenuItem(t("ui.menu.find"), func() { w.win.Canvas().Focus(w.recipientsPane.search) })
	find.Shortcut = ctrl(fyne.KeyF)
	people := fyne.NewMenu(t("ui.pane.recipients"), append(items("undo", "-"), append([]*fyne.MenuItem{find}, items("filter", "tags")...)...)...)
	view := fyne.NewMenu(t("ui.menu.view"), append(panes, fyne.NewMenuItemSeparator(),
		fyne.NewMenuItem("中文", func() { w.SetLanguage("zh") }),
		fyne.NewMenuItem("English", func() { w.SetLanguage("en") }),
		fyne.NewMenuItemSeparator(),
		fyne.NewMenuItem(t("ui.look.light"), func() { w.SetLook("light") }),
		fyne.NewMenuItem(t("ui.look.dark"), func() { w.SetLook("dark") }))...)
	help := fyne.NewMenu(t("ui.menu.help"), items("help", "support")...)
	return fyne.NewMainMenu(file, people, send, view, help)
}

func (w *Window) whyNoFilter() string {
	if len(w.recipients.lists) == 0 && len(w.recipients.ids) == 0 && w.recipients.query.Filter.Empty() {
		return "ui.why.nolist"
	}
	return ""
}

func (w *Window) whyNoCampaign() string {
	if w.progress.id == 0 {
		return "ui.why.nocampaign"
	}
	return ""
}

func (w *Window) whyNoLetter() string {
	if w.letter.empty() {
		return "ui.why.noletter"
	}
	return ""
}

func (w *Window) whyNoTest() string {
	switch {
	case len(w.accounts.accounts) == 0:
		return "ui.why.noaccount"
	case w.letter.empty():
		return "ui.why.noletter"
	}
	return ""
}

func (w *Window) whyNoStart() string {
	switch {
	case w.progress.running:
		return "ui.why.running"
	case w.progress.resumable():
		return ""
	case len(w.accounts.accounts) == 0:
		return "ui.why.noaccount"
	case len(w.recipients.lists) == 0:
		return "ui.why.nolist"
	case w.letter.empty():
		return "ui.why.noletter"
	}
	return ""
}

// stepBar says, in one line, what to do next, and offers to do it. While the pointer is over a button it says
// what the button does, or why it cannot.
type stepBar struct {
	w       *Window
	root    fyne.CanvasObject
	label   *widget.Label
	button  *widget.Button
	other   *widget.Button
	buttons *fyne.Container
	over    string
	do      *command
}

func newStepBar(w *Window) *stepBar {
	s := &stepBar{w: w, label: widget.NewLabel("")}
	s.label.Truncation = fyne.TextTruncateEllipsis
	s.button = primary("", nil, func() {
		if s.do != nil {
			s.do.fire()
		}
	})
	s.other = widget.NewButton("", nil)
	bg := canvas.NewRectangle(theme.Color(theme.ColorNameHeaderBackground))
	icon := container.NewCenter(widget.NewIcon(theme.NavigateNextIcon()))
	s.buttons = container.NewHBox(s.other, s.button)
	s.root = container.NewStack(bg, container.NewBorder(nil, nil, container.NewPadded(icon), container.New(layout.NewCustomPaddedLayout(2, 2, 4, 4), s.buttons), s.label))
	return s
}

func (s *stepBar) hint(text string) {
	s.over = text
	s.refresh()
}

// nextStep chooses what to say: the key of the sentence, its arguments and the command that does it.
func (w *Window) nextStep() (key string, args []string, cmd string) {
	p := w.progress
	switch {
	case p.running:
		return "ui.step.running", []string{"done", number(p.snap.Counts.Total - p.snap.Counts.Left()), "total", number(p.snap.Counts.Total)}, "pause"
	case w.accounts.loaded && len(w.accounts.accounts) == 0:
		return "ui.step.account", nil, "addaccount"
	case p.resumable() && p.snap.Reason != "" && p.snap.Reason != "user":
		return "ui.step.paused", []string{"reason", w.t.Pause(p.snap.Reason, p.snap.Detail), "left", number(p.snap.Counts.Left())}, "start"
	case p.resumable() && p.snap.State != "ready":
		return "ui.step.resume", []string{"left", number(p.snap.Counts.Left())}, "start"
	case len(w.recipients.lists) == 0:
		return "ui.step.import", nil, "import"
	case w.letter.empty():
		return "ui.step.letter", nil, "loadletter"
	case w.letter.err != nil:
		return "ui.step.fix", []string{"error", w.t.Error(w.letter.err)}, ""
	case w.ended != nil && *w.ended == w.mark() && p.snap.Counts.Rejected+p.snap.Counts.Unknown > 0:
		key = "ui.step.failed"
		if p.snap.Counts.Unknown > 0 {
			key = "ui.step.unsure"
		}
		return key, []string{"n", number(p.snap.Counts.Rejected), "unsure", number(p.snap.Counts.Unknown)}, "report"
	case w.ended != nil && *w.ended == w.mark() && p.snap.State == model.CampaignDone:
		return "ui.step.done", []string{"n", number(p.snap.Counts.Accepted)}, "report"
	}
	shown := number(len(w.recipients.ids))
	if w.recipients.stale {
		shown = "…"
	}
	if w.recipients.ownFilter() {
		return "ui.step.filtered", []string{"n", shown}, "start"
	}
	if s, ok := w.recipients.shownSegment(); ok {
		return "ui.step.start", []string{"list", s.Name, "n", shown}, "start"
	}
	list, ok := w.recipients.list()
	if !ok {
		return "ui.step.list", nil, "start"
	}
	return "ui.step.start", []string{"list", list.Name, "n", number(list.Count)}, "start"
}

func (s *stepBar) refresh() {
	key, args, cmd := s.w.nextStep()
	s.do = s.w.command(cmd)
	text := s.w.t.T(key, args...)
	if s.over != "" {
		text = s.over
	}
	put(s.label, text)
	if s.do != nil {
		label := "ui.cmd." + cmd
		if key == "ui.step.resume" || key == "ui.step.paused" {
			label = "ui.progress.resume"
		}
		if text := s.w.t.T(label); s.button.Text != text {
			s.button.Icon = s.do.icon
			s.button.SetText(text)
		}
	}
	show(s.button, s.do != nil, s.buttons)
	// Beside the next step: a rehearsal for who has no account yet, the reason where an account was stopped.
	label, run := "", func() {}
	stopped, some := s.w.accounts.stopped()
	switch {
	case key == "ui.step.account":
		label, run = "ui.cmd.practice", s.w.usePractice
	case key == "ui.step.paused" && some:
		label, run = "ui.account.why", func() { s.w.accountProblem(stopped) }
	}
	s.other.OnTapped = run
	if label != "" && s.other.Text != s.w.t.T(label) {
		s.other.SetText(s.w.t.T(label))
	}
	show(s.other, label != "", s.buttons)
}
