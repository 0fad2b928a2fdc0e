package ui

import (
	"context"
	"strconv"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"hongyan/app/model"
)

// problemDialog explains one group of failures: what happened, what it means, what to do, who is concerned, and
// what the server said.
func (w *Window) problemDialog(p Problem) {
	t, d := w.t, p.Diagnosis
	var b strings.Builder
	part := func(title, text string) {
		if text != "" {
			b.WriteString("**" + t.T(title) + "**  " + text + "\n\n")
		}
	}
	say := func(suffix string) string {
		if !t.Has(d.TextKey + suffix) {
			return ""
		}
		return t.Args(d.TextKey+suffix, d.Args)
	}
	part("ui.problem.what", say(".what"))
	part("ui.problem.means", say(".means"))
	part("ui.problem.do", say(".do"))
	if d.Next != "" {
		part("ui.problem.next", t.T(d.Next, "n", number(d.NextN)))
	}
	text := widget.NewRichTextFromMarkdown(b.String())
	for _, s := range text.Segments {
		if ts, ok := s.(*widget.TextSegment); ok {
			ts.Style.SizeName = theme.SizeNameText
		}
	}
	raw := widget.NewLabel("")
	raw.TextStyle.Monospace, raw.Selectable = true, true
	raw.Wrapping = fyne.TextWrapBreak
	people := wrapped(t.T("ui.loading"))
	people.Selectable = true
	var dlg *popup
	copyAll := widget.NewButtonWithIcon(t.T("ui.problem.copy"), theme.ContentCopyIcon(), func() {
		w.app.Clipboard().SetContent(strings.ReplaceAll(b.String(), "**", "") + raw.Text + "\n")
	})
	text.Wrapping = fyne.TextWrapWord
	dlg = w.popup(t.T("ui.problem.title", "n", number(p.N), "state", t.T("ui.state."+string(p.State))), container.NewVScroll(container.NewVBox(text,
		bold(t.T("ui.problem.reply")), raw, bold(t.T("ui.problem.people")), people)),
		copyAll, primary(t.T("ui.close"), nil, func() { dlg.Hide() }))
	w.fit(dlg, 660, 500)
	id := w.progress.id
	type detail struct{ raw, people string }
	background(w.tasks, func(ctx context.Context) (detail, error) {
		var out detail
		as, err := w.svc.Attempts(ctx, p.First.ID)
		if err != nil {
			return out, err
		}
		for _, a := range as {
			out.raw += a.Started.Local().Format("2006-01-02 15:04:05 ") + string(a.Step) + "  " + said(a.Code, a.Enhanced, a.Reply) + "\n"
		}
		if len(as) == 0 {
			out.raw = said(p.First.Code, p.First.Enhanced, p.First.Reply)
		}
		ds, err := w.svc.Deliveries(ctx, model.DeliveryQuery{CampaignID: id, States: []model.State{p.State}, Limit: 2000})
		var names []string
		for _, x := range ds {
			if w.svc.Explain(x).TextKey == d.TextKey {
				names = append(names, first(x.Address, x.Email))
			}
		}
		if len(names) > 100 {
			names = append(names[:100], "…")
		}
		out.people = strings.Join(names, "\n")
		return out, err
	}, func(x detail, err error) {
		if err != nil {
			x.people = t.Error(err)
		}
		raw.SetText(strings.TrimSpace(x.raw))
		people.SetText(x.people)
	})
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

func bold(text string) *widget.Label {
	l := widget.NewLabel(text)
	l.TextStyle.Bold = true
	return l
}
