package ui

import (
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"hongyan/app/model"
	"hongyan/ui/widgets"
)

// progressPane shows where a campaign stands: counts, bar, pace, conversation and failures.
type progressPane struct {
	w        *Window
	root     fyne.CanvasObject
	campaign *widget.Select
	state    *widget.Label
	resume   *widget.Button
	export   *widgets.Action
	meter    *widgets.Meter
	legend   []*widgets.Cell
	pace     *widget.Label
	spark    *widgets.Spark
	tabs     *container.AppTabs
	tools    *fyne.Container // of the log
	head     *fyne.Container // campaign and state, beside the title
	buttons  *fyne.Container // of the campaign
	top      *fyne.Container
	log      *widgets.Log
	problems *widgets.Table
	senders  *widgets.Table
	quiet    fyne.CanvasObject // no line in the log
	some     fyne.CanvasObject // failures
	calm     fyne.CanvasObject // no failures
	full     fyne.CanvasObject
	empty    fyne.CanvasObject
	shown    []Problem
	filling  bool
}

// The outcomes in the order of the bar.
var outcomes = []struct {
	state model.State
	color fyne.ThemeColorName // in the bar
	text  fyne.ThemeColorName // of words, which need more contrast
	count func(model.Counts) int
}{
	{model.Accepted, widgets.ColorAccepted, theme.ColorNameSuccess, func(c model.Counts) int { return c.Accepted }},
	{model.Deferred, widgets.ColorDeferred, theme.ColorNameWarning, func(c model.Counts) int { return c.Deferred }},
	{model.Rejected, widgets.ColorRejected, theme.ColorNameError, func(c model.Counts) int { return c.Rejected }},
	{model.Unknown, widgets.ColorUnknown, widgets.ColorUnknown, func(c model.Counts) int { return c.Unknown }},
	{model.Skipped, widgets.ColorSkipped, widgets.ColorMuted, func(c model.Counts) int { return c.Skipped }},
	{model.Queued, widgets.ColorQueued, widgets.ColorMuted, func(c model.Counts) int { return c.Queued + c.Attempting }},
}

func newProgressPane(w *Window) *progressPane {
	p := &progressPane{w: w}
	t, vm := w.t, w.progress
	p.campaign = widget.NewSelect(nil, func(string) {
		if i := p.campaign.SelectedIndex(); i >= 0 && i < len(vm.campaigns) && !p.filling {
			w.set(keyCampaign, itoa(vm.campaigns[i].ID))
			vm.show(vm.campaigns[i].ID)
		}
	})
	p.state = widget.NewLabel("")
	p.state.Truncation = fyne.TextTruncateEllipsis
	p.resume = primary(t.T("ui.progress.resume"), theme.MediaPlayIcon(), func() { w.start(vm.id) })
	p.export = widgets.NewAction(t.T("ui.cmd.report"), theme.DocumentIcon(), w.report)
	p.export.Importance, p.export.Tip, p.export.OnHint = widget.LowImportance, t.T("ui.cmd.report.tip"), w.step.hint
	p.meter = widgets.NewMeter()
	legend := container.New(layout.NewRowWrapLayoutWithCustomPadding(16, 0))
	for range outcomes {
		c := widgets.NewWholeCell()
		p.legend = append(p.legend, c)
		legend.Add(c)
	}
	p.pace = widget.NewLabel("")
	p.pace.Wrapping = fyne.TextWrapWord
	p.spark = widgets.NewSpark()
	paceRow := container.NewBorder(nil, nil, nil, container.New(layout.NewGridWrapLayout(fyne.NewSize(120, 18)), p.spark), p.pace)

	p.log = widgets.NewLog(widgets.Columns{{Min: 66}, {Min: 12}, {Min: 100, Weight: 1}}, func() int { return len(vm.log) }, p.logRow)
	quiet := widget.NewLabel(t.T("ui.progress.quiet"))
	quiet.Importance = widget.LowImportance
	p.quiet = container.NewCenter(quiet)
	copyLog := widgets.NewAction(t.T("ui.copy"), theme.ContentCopyIcon(), func() { w.app.Clipboard().SetContent(p.logText()) })
	clearLog := widgets.NewAction(t.T("ui.clear"), theme.ContentClearIcon(), vm.clearLog)
	for b, tip := range map[*widgets.Action]string{copyLog: "ui.copy", clearLog: "ui.clear"} {
		b.Importance, b.Tip, b.OnHint = widget.LowImportance, t.T(tip), w.step.hint
	}
	p.tools = container.New(widgets.Bar{Right: 1, Grow: 280}, layout.NewSpacer(), copyLog, clearLog)
	reasons := widgets.Columns{{Min: 46}, {Min: 80}, {Min: 100, Weight: 1}}
	reasonHead := widgets.NewHeader(reasons, []widgets.HeaderColumn{{Title: t.T("ui.problem.n")}, {Title: t.T("ui.account.state")}, {Title: t.T("ui.problem.why")}}, nil)
	p.problems = widgets.NewTable(reasons, func() int { return len(p.shown) }, p.problemRow)
	p.problems.OnClick = func(i int, _ fyne.KeyModifier) { w.problemDialog(p.shown[i]) }
	p.some = container.New(widgets.HeadIfRoom{}, reasonHead, p.problems)
	p.calm = container.NewCenter(widget.NewLabel(t.T("ui.progress.calm")))
	p.senders = widgets.NewTable(widgets.Columns{{Min: 100, Weight: 1}, {Min: 100, Weight: 3}, {Min: 70}}, func() int { return len(vm.snap.Senders) }, p.senderRow)
	p.tabs = container.NewAppTabs(
		container.NewTabItem(t.T("ui.progress.log"), container.NewStack(p.log.Object, p.quiet)),
		container.NewTabItem(t.T("ui.progress.problems"), container.NewStack(p.some, p.calm)),
		container.NewTabItem(t.T("ui.progress.senders"), p.senders))
	p.buttons = container.NewHBox(p.resume, p.export)
	p.top = container.NewVBox(p.meter, legend, paceRow)
	p.head = container.New(widgets.Columns{{Min: 110, Weight: 3}, {Min: 56, Weight: 2}}, p.campaign, p.state)
	p.tabs.OnSelected = func(*container.TabItem) { show(p.tools, p.tabs.SelectedIndex() == 0) }
	// The buttons of the log stand at the right of the tabs' titles, where nothing else is.
	p.full = container.NewBorder(p.top, nil, nil, nil, container.NewStack(p.tabs, container.NewBorder(p.tools, nil, nil, nil)))
	p.empty = widgets.NewEmpty(theme.MailSendIcon(), t.T("ui.progress.empty"), t.T("ui.progress.empty.hint"))
	p.root = widgets.NewPane(t.T("ui.pane.progress"), p.head, container.NewStack(p.full, p.empty), p.buttons)
	return p
}

func (p *progressPane) focus() { p.w.win.Canvas().Focus(p.campaign) }

func (p *progressPane) refresh() {
	vm, t := p.w.progress, p.w.t
	// The conversation of a test letter or a doctor is worth a look before there is a campaign.
	none := len(vm.campaigns) == 0 && len(vm.log) == 0
	show(p.empty, none)
	show(p.full, !none)
	show(p.head, !none)
	p.filling = true
	options, chosen := make([]string, len(vm.campaigns)), -1
	for i, c := range vm.campaigns {
		options[i] = c.Name
		if c.ID == vm.id {
			chosen = i
		}
	}
	if strings.Join(p.campaign.Options, "\n") != strings.Join(options, "\n") {
		p.campaign.SetOptions(options)
	}
	if chosen >= 0 && p.campaign.SelectedIndex() != chosen {
		p.campaign.SetSelectedIndex(chosen)
	}
	p.filling = false

	s := vm.snap
	parts := make([]widgets.Part, len(outcomes))
	for i, o := range outcomes {
		n := o.count(s.Counts)
		parts[i] = widgets.Part{N: n, Color: o.color}
		color := o.text
		if n == 0 {
			color = widgets.ColorMuted
		}
		p.legend[i].Set(t.T("ui.state."+string(o.state))+" "+number(n), color, fyne.TextStyle{Bold: n > 0})
	}
	p.meter.Set(parts)
	put(p.state, p.stateText(s))
	put(p.pace, p.paceText(s))
	p.spark.Set(vm.rates)
	show(p.resume, vm.resumable(), p.buttons)
	show(p.export, vm.id != 0, p.buttons)
	p.shown = vm.problems
	show(p.calm, len(p.shown) == 0)
	show(p.some, len(p.shown) > 0)
	n := 0
	for _, pr := range p.shown {
		n += pr.N
	}
	title := t.T("ui.progress.problems")
	if n > 0 {
		title += " (" + number(n) + ")"
	}
	if p.tabs.Items[1].Text != title {
		p.tabs.Items[1].Text = title
		p.tabs.Refresh()
	}
	p.problems.Refresh()
	p.senders.Refresh()
}

func (p *progressPane) stateText(s Snapshot) string {
	t := p.w.t
	if s.State == "" {
		return ""
	}
	text := t.T("ui.campaign." + string(s.State))
	if s.Reason != "" {
		text += t.T("ui.colon") + t.Pause(s.Reason, s.Detail)
	} else if s.Detail != "" {
		text += t.T("pause.detail", "detail", s.Detail)
	}
	return text
}

func (p *progressPane) paceText(s Snapshot) string {
	t := p.w.t
	if !p.w.progress.running {
		if s.Counts.Total == 0 {
			return ""
		}
		return t.T("ui.progress.done", "done", number(s.Counts.Total-s.Counts.Left()), "total", number(s.Counts.Total))
	}
	parts := []string{t.T("ui.progress.done", "done", number(s.Counts.Total-s.Counts.Left()), "total", number(s.Counts.Total)),
		t.T("ui.progress.rate", "n", number(int(s.PerMinute+0.5)))}
	if s.Left > 0 {
		parts = append(parts, t.T("ui.progress.left", "time", duration(t, s.Left)))
	}
	now := p.w.progress.now()
	if i := slices.IndexFunc(s.Senders, func(x Sender) bool { return x.State == "retrying" }); i >= 0 && s.NextAt.After(now) {
		parts = append(parts, t.T("ui.progress.retrying", "name", s.Senders[i].Name, "at", clock(s.Senders[i].NextAt, now)))
	} else if s.NextAt.After(now.Add(2 * time.Second)) {
		parts = append(parts, t.T("ui.progress.next", "at", clock(s.NextAt, now)))
	}
	return strings.Join(parts, "   ")
}

func (p *progressPane) showLog() {
	if len(p.w.progress.log) > 0 && p.empty.Visible() {
		p.refresh()
	}
	show(p.quiet, len(p.w.progress.log) == 0)
	p.log.Refresh()
}

// mark is how a line of the conversation begins, and its colour.
func (l LogLine) mark() (string, fyne.ThemeColorName) {
	switch l.Kind {
	case LogClient:
		return "→", widgets.ColorClient
	case LogServer:
		return "←", widgets.ColorServer
	case LogError:
		return "!", theme.ColorNameError
	}
	return "·", widgets.ColorMuted
}

func (p *progressPane) logRow(i int) []widgets.CellValue {
	l := p.w.progress.log[i]
	mark, color := l.mark()
	return []widgets.CellValue{{Text: l.At.Local().Format("15:04:05"), Color: widgets.ColorMuted, Mono: true, Small: true},
		{Text: mark, Color: color, Mono: true, Small: true}, {Text: l.Text, Color: color, Mono: true, Small: true}}
}

func (p *progressPane) logText() string {
	var b strings.Builder
	for _, l := range p.w.progress.log {
		mark, _ := l.mark()
		b.WriteString(l.At.Local().Format("15:04:05.000 ") + mark + " " + l.Text + "\n")
	}
	return b.String()
}

func (p *progressPane) problemRow(i int) ([]widgets.CellValue, bool) {
	pr, t := p.shown[i], p.w.t
	color := widgets.ColorMuted
	for _, o := range outcomes {
		if o.state == pr.State {
			color = o.text
		}
	}
	return []widgets.CellValue{{Text: number(pr.N), Bold: true}, {Text: t.T("ui.state." + string(pr.State)), Color: color},
		{Text: p.w.sentence(pr)}}, false
}

// sentence says in one line what a group of failures is, and when it is tried again.
func (w *Window) sentence(p Problem) string {
	d := p.Diagnosis
	text := w.t.Args(d.TextKey+".what", d.Args)
	if d.Next != "" && p.State == model.Deferred {
		text += " " + w.t.T(d.Next, "n", number(d.NextN))
	}
	return text
}

func (p *progressPane) senderRow(i int) ([]widgets.CellValue, bool) {
	s, t := p.w.progress.snap.Senders[i], p.w.t
	next := ""
	if now := p.w.progress.now(); s.NextAt.After(now) {
		next = clock(s.NextAt, now)
	}
	state := t.T("sender." + s.State)
	if s.inTrouble() {
		state += t.T("pause.detail", "detail", s.Why)
	}
	return []widgets.CellValue{{Text: s.Name}, {Text: state}, {Text: next, Color: widgets.ColorMuted}}, false
}
