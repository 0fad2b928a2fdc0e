package ui

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"hongyan/app/model"
)

// explanation is what a dialog about a failure shows: the sentences of a diagnosis, and what is read in the
// background to go with them.
type explanation struct {
	title string
	d     Diagnosis
	raw   func(ctx context.Context) (string, error) // what the server said
	who   func(ctx context.Context) (string, error) // the people concerned; nil for an account
	help  string                                    // an address of the provider's instructions, or ""
	do    []*widget.Button                          // what can be done here, besides copying and closing
}

// problemDialog explains one group of failures: what happened, what it means, what to do, who is concerned, and
// what the server said.
func (w *Window) problemDialog(p Problem) {
	t := w.t
	title := t.T("ui.problem.title", "n", number(p.N), "state", t.T("ui.state."+string(p.State)))
	if p.N == 1 {
		title = t.T("ui.problem.one", "who", first(p.First.Address, p.First.Email), "state", t.T("ui.state."+string(p.State)))
	}
	w.explain(explanation{title: title, d: p.Diagnosis,
		raw: func(ctx context.Context) (string, error) { return w.rawOf(ctx, p.First) },
		who: func(ctx context.Context) (string, error) { return w.sharing(ctx, p) }})
}

// accountProblem explains why an account rests or was stopped.
func (w *Window) accountProblem(a Account) {
	d, ok := w.svc.ExplainAccount(a)
	if !ok {
		return
	}
	t := w.t
	// Nobody in particular is concerned: what becomes of a recipient is not told.
	d.Then = slices.DeleteFunc(slices.Clone(d.Then), func(k string) bool {
		return !strings.HasPrefix(k, "diag.then.account.") && !strings.HasPrefix(k, "diag.then.campaign.")
	})
	x := explanation{title: t.T("ui.account.trouble", "name", a.Name), d: d}
	x.raw = func(context.Context) (string, error) {
		if lines := dialogue(w.svc.AccountDialogue(a.ID)); lines != "" {
			return lines, nil
		}
		return said(a.Clock.Code, a.Clock.Enhanced, a.Clock.Reply), nil
	}
	for _, p := range w.svc.Presets() {
		if p.Key == a.Provider {
			x.help = p.HelpURL
		}
	}
	edit := widget.NewButtonWithIcon(t.T("ui.account.mend"), theme.DocumentCreateIcon(), func() { w.accountDialog(a) })
	if a.Clock.State == model.ClockStopped { // it goes on when the user has mended it
		edit.Importance = widget.HighImportance
	}
	wake := widget.NewButtonWithIcon(t.T("ui.account.wake"), theme.MediaReplayIcon(), func() { w.accounts.wake(a.ID, w.showError) })
	x.do = []*widget.Button{edit, wake}
	w.explain(x)
}

// explain opens the dialog.
func (w *Window) explain(x explanation) {
	t := w.t
	var plain strings.Builder
	plain.WriteString("Hongyan " + w.opt.Version + "\n" + x.title + "\n")
	body := container.New(layout.NewCustomPaddedVBoxLayout(0))
	part := func(title, text string, importance widget.Importance) {
		if text == "" {
			return
		}
		plain.WriteString(t.T(title) + " " + text + "\n")
		label := wrapped(stepStart.ReplaceAllString(text, "$1\n$2"))
		label.Importance, label.Selectable = importance, true
		body.Add(titled(t.T(title), label))
	}
	say := func(suffix string) string {
		if !t.Has(x.d.TextKey + suffix) {
			return ""
		}
		return t.Args(x.d.TextKey+suffix, x.d.Args)
	}
	means := []string{say(".means")}
	for _, k := range x.d.Then {
		means = append(means, t.T(k))
	}
	do := say(".do")
	if x.d.Next != "" {
		do = strings.TrimSpace(do + "\n" + t.T(x.d.Next, "n", number(x.d.NextN)))
	}
	part("ui.problem.what", say(".what"), widget.MediumImportance)
	part("ui.problem.do", do, widget.HighImportance)
	if u, err := url.Parse(x.help); err == nil && x.help != "" {
		body.Add(widget.NewHyperlink(t.T("ui.account.helplink"), u))
	}
	part("ui.problem.means", strings.TrimSpace(strings.Join(means, " ")), widget.MediumImportance)

	raw := widget.NewLabel(t.T("ui.loading"))
	raw.TextStyle.Monospace, raw.Selectable = true, true
	raw.Wrapping = fyne.TextWrapBreak
	body.Add(titled(t.T("ui.problem.reply"), raw))
	people := wrapped(t.T("ui.loading"))
	people.Selectable = true
	if x.who != nil {
		body.Add(titled(t.T("ui.problem.people"), people))
	}
	var d *popup
	copyAll := widget.NewButtonWithIcon(t.T("ui.problem.copy"), theme.ContentCopyIcon(), func() {
		w.app.Clipboard().SetContent(plain.String() + "\n" + raw.Text + "\n")
	})
	buttons := []fyne.CanvasObject{copyAll}
	for _, b := range x.do {
		run := b.OnTapped
		b.OnTapped = func() {
			d.Hide()
			run()
		}
		buttons = append(buttons, b)
	}
	done := primary(t.T("ui.close"), nil, func() { d.Hide() })
	for _, b := range x.do {
		if b.Importance == widget.HighImportance {
			done.Importance = widget.MediumImportance // one next step is enough
		}
	}
	buttons = append(buttons, done)
	d = w.popup(x.title, container.NewVScroll(body), buttons...)
	w.fit(d, 660, 560)
	type detail struct{ raw, people string }
	background(w.tasks, func(ctx context.Context) (out detail, err error) {
		if out.raw, err = x.raw(ctx); err == nil && x.who != nil {
			out.people, err = x.who(ctx)
		}
		return out, err
	}, func(out detail, err error) {
		if err != nil {
			out.people = t.Error(err)
		}
		raw.SetText(strings.TrimSpace(out.raw))
		people.SetText(out.people)
	})
}

// rawOf is what was said with the server about a delivery: line by line where the log still has it, else what the
// journal keeps of each attempt.
func (w *Window) rawOf(ctx context.Context, d model.Delivery) (string, error) {
	if lines := dialogue(w.svc.Dialogue(d)); lines != "" {
		return lines, nil
	}
	as, err := w.svc.Attempts(ctx, d.ID)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, a := range as {
		b.WriteString(a.Started.Local().Format("2006-01-02 15:04:05 ") + string(a.Step) + "  " + said(a.Code, a.Enhanced, a.Reply) + "\n")
	}
	if len(as) == 0 {
		return said(d.Code, d.Enhanced, d.Reply), nil
	}
	return b.String(), nil
}

// dialogue is the text of a conversation, a line each.
func dialogue(lines []LogLine) string {
	var b strings.Builder
	for _, l := range lines {
		mark, _ := l.mark()
		b.WriteString(l.At.Local().Format("15:04:05 ") + mark + " " + l.Text + "\n")
	}
	return b.String()
}

// sharing are the people of a campaign who failed for the same reason.
func (w *Window) sharing(ctx context.Context, p Problem) (string, error) {
	if p.N == 1 {
		return first(p.First.Address, p.First.Email), nil
	}
	ds, err := w.svc.Deliveries(ctx, model.DeliveryQuery{CampaignID: p.First.CampaignID, States: []model.State{p.State}, Limit: 2000})
	var names []string
	for _, x := range ds {
		if w.svc.Explain(x).TextKey == p.Diagnosis.TextKey {
			names = append(names, first(x.Address, x.Email))
		}
	}
	if len(names) > 100 {
		names = append(names[:100], "…")
	}
	return strings.Join(names, "\n"), err
}

// said is a reply as it came over the line: its code stands before it, unless it is part of it already.
func said(code int, enhanced, reply string) string {
	if code == 0 || strings.HasPrefix(reply, strconv.Itoa(code)) {
		return reply
	}
	parts := []string{strconv.Itoa(code), enhanced, reply}
	if enhanced == "" || strings.HasPrefix(reply, enhanced) {
		parts = []string{parts[0], reply}
	}
	return strings.Join(parts, " ")
}

// titled puts a title close above what it is the title of.
func titled(title string, o fyne.CanvasObject) fyne.CanvasObject {
	return container.New(layout.NewCustomPaddedVBoxLayout(-2*theme.Padding()), bold(title), o)
}

func bold(text string) *widget.Label {
	l := widget.NewLabel(text)
	l.TextStyle.Bold = true
	return l
}
