package ui

import (
	"context"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"hongyan/app/model"
	"hongyan/ui/widgets"
)

// formats are the ways to write a letter, in the order of the chooser.
var formats = []model.Format{model.FormatMarkdown, model.FormatHTML, model.FormatText}

// letterPane is the editor with the preview beside it.
type letterPane struct {
	w       *Window
	root    fyne.CanvasObject
	subject *widget.Entry
	format  *widget.Select
	body    *widget.Entry
	big     *widgets.Text // stands in for the editor when the letter is too long for it
	edit    fyne.CanvasObject
	attach  *widgets.Action
	head    *widget.Label
	trouble *widgets.Text
	rich    *widget.RichText
	text    *widget.Label
	source  *widget.Label
	tabs    *container.AppTabs
	browser *widgets.Action
	view    fyne.CanvasObject
	blank   fyne.CanvasObject
	right   *fyne.Container // trouble above view or blank
	split   *container.Split
	filling bool
}

func newLetterPane(w *Window) *letterPane {
	p := &letterPane{w: w}
	t, vm := w.t, w.letter
	p.subject = widget.NewEntry()
	p.subject.SetPlaceHolder(t.T("ui.letter.subject"))
	p.subject.OnChanged = p.changed(func(l *model.Letter, s string) { l.Subject = s })
	p.body = widget.NewMultiLineEntry()
	p.body.SetPlaceHolder(t.T("ui.letter.body"))
	p.body.Scroll = fyne.ScrollBoth
	p.body.SetMinRowsVisible(2)
	p.body.OnChanged = p.changed(func(l *model.Letter, s string) { l.Body = s })
	p.big = wrapped("")
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = t.T("ui.format." + string(f))
	}
	p.format = widget.NewSelect(names, func(string) {
		if i := p.format.SelectedIndex(); i >= 0 && !p.filling {
			vm.edit(func(l *model.Letter) { l.Format = formats[i] })
			p.wrap()
		}
	})
	field := widgets.NewAction(t.T("ui.letter.field"), theme.ContentAddIcon(), nil)
	field.Tip, field.OnHint = t.T("ui.letter.field.tip"), w.step.hint
	field.OnTapped = func() { p.fieldMenu(field) }
	p.attach = widgets.NewAction("", theme.MailAttachmentIcon(), w.attachDialog)
	p.attach.Tip, p.attach.OnHint = t.T("ui.attach.tip"), w.step.hint
	outside := widgets.NewAction("", theme.DocumentCreateIcon(), w.editOutside)
	outside.Tip, outside.OnHint = t.T("ui.letter.outside.tip"), w.step.hint
	for _, b := range []*widget.Button{&field.Button, &p.attach.Button, &outside.Button} {
		b.Importance = widget.LowImportance
	}
	tools := container.New(widgets.Bar{Right: 1, Grow: 100}, p.format, field, p.attach, outside)
	p.edit = container.NewStack(p.body, p.big)
	editor := container.NewBorder(container.NewVBox(p.subject, tools), nil, nil, nil, p.edit)

	p.head = widget.NewLabel("")
	p.head.Truncation = fyne.TextTruncateEllipsis
	p.head.TextStyle.Bold = true
	p.trouble = wrapped("")
	p.trouble.Importance = widget.DangerImportance
	p.rich = widget.NewRichText()
	p.rich.Wrapping = fyne.TextWrapWord
	p.text = widget.NewLabel("") // spaces and lines as the letter has them
	p.text.Wrapping, p.text.Selectable = fyne.TextWrapWord, true
	p.source = widget.NewLabel("")
	p.source.TextStyle.Monospace = true
	p.source.Selectable = true
	p.tabs = container.NewAppTabs(
		container.NewTabItem(t.T("ui.preview.rich"), container.NewVScroll(p.rich)),
		container.NewTabItem(t.T("ui.preview.text"), container.NewVScroll(p.text)),
		container.NewTabItem(t.T("ui.preview.source"), container.NewScroll(p.source)))
	p.browser = widgets.NewAction(t.T("ui.preview.browser"), theme.ViewFullScreenIcon(), w.openPreview)
	p.browser.Importance, p.browser.Tip, p.browser.OnHint = widget.LowImportance, t.T("ui.preview.browser.tip"), w.step.hint
	p.view = container.NewBorder(p.head, nil, nil, nil, p.tabs)
	hint := widget.NewLabelWithStyle(t.T("ui.preview.empty"), fyne.TextAlignCenter, fyne.TextStyle{})
	hint.Wrapping, hint.Importance = fyne.TextWrapWord, widget.LowImportance
	p.blank = container.NewVBox(hint)
	p.right = container.NewBorder(p.trouble, nil, nil, nil, container.NewStack(p.view, p.blank))

	p.split = container.NewHSplit(editor, p.right)
	p.split.SetOffset(w.saved.Letter)
	quick := func(id string) fyne.CanvasObject {
		c := w.command(id)
		b := widgets.NewAction(t.T("ui.letter."+id), c.icon, c.fire)
		b.Importance, b.Tip, b.OnHint = widget.LowImportance, t.T("ui.cmd."+id+".tip"), w.step.hint
		return b
	}
	p.root = widgets.NewPane(t.T("ui.pane.letter"), nil, p.split, p.browser, quick("loadletter"), quick("saveletter"))
	return p
}

func (p *letterPane) changed(set func(l *model.Letter, s string)) func(string) {
	return func(s string) {
		if !p.filling {
			p.w.letter.edit(func(l *model.Letter) { set(l, s) })
			p.w.sync()
		}
	}
}

// load puts the letter of the view model into the editor.
func (p *letterPane) load() {
	l, t := p.w.letter.letter, p.w.t
	p.filling = true
	defer func() { p.filling = false }()
	p.subject.SetText(l.Subject)
	long := len(l.Body) > maxEditor
	show(p.big, long)
	show(p.body, !long)
	if long {
		p.big.SetText(t.T("ui.letter.big", "size", size(int64(len(l.Body)))))
	} else if p.body.Text != l.Body {
		p.body.SetText(l.Body)
	}
	for i, f := range formats {
		if f == l.Format {
			p.format.SetSelectedIndex(i)
		}
	}
	p.wrap()
	p.attachments()
}

// wrap breaks lines in what people write, and leaves HTML as it is.
func (p *letterPane) wrap() {
	wrap := fyne.TextWrapWord
	if p.w.letter.letter.Format == model.FormatHTML {
		wrap = fyne.TextWrapOff
	}
	if p.body.Wrapping != wrap {
		p.body.Wrapping = wrap
		p.body.Refresh()
	}
}

func (p *letterPane) attachments() {
	if n := len(p.w.letter.letter.Attachments); n > 0 {
		p.attach.SetLabel(number(n))
	} else {
		p.attach.SetLabel("")
	}
}

// showPreview shows the letter as the recipient gets it, or why it cannot be made.
func (p *letterPane) showPreview() {
	vm, t := p.w.letter, p.w.t
	empty := vm.empty() || vm.err != nil
	show(p.blank, vm.empty())
	show(p.view, !empty)
	show(p.trouble, vm.err != nil || len(vm.preview.Missing) > 0, p.right)
	switch {
	case vm.err != nil:
		p.trouble.Importance = widget.DangerImportance
		p.trouble.SetText(t.Error(vm.err))
		return
	case len(vm.preview.Missing) > 0:
		p.trouble.Importance = widget.WarningImportance
		p.trouble.SetText(t.T("ui.preview.missing", "fields", strings.Join(vm.preview.Missing, ", ")))
	}
	r := vm.preview
	p.head.SetText(t.T("ui.preview.head", "to", r.To, "subject", r.Subject))
	switch {
	case r.Markdown != "":
		// An image would be fetched while the window waits, and would tell the sender's server: show a link instead.
		p.rich.ParseMarkdown(strings.ReplaceAll(r.Markdown, "![", "["))
	default:
		p.rich.Segments = []widget.RichTextSegment{&widget.TextSegment{Text: r.Text, Style: widget.RichTextStyleParagraph}}
		p.rich.Refresh()
	}
	p.text.SetText(clip(r.Text, 20000))
	p.source.SetText(clip(string(r.Raw), 12000))
	reason := ""
	if r.HTML == "" {
		reason = t.T("ui.why.nohtml")
	}
	p.browser.Allow(reason)
}

// clip keeps at most n bytes of s, whole characters only: a label of a megabyte would stop the window.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "\n…"
}

// fieldMenu offers the fields of the list that is chosen; the choice goes where the cursor is.
func (p *letterPane) fieldMenu(at fyne.CanvasObject) {
	w := p.w
	background(w.tasks, func(ctx context.Context) ([]string, error) { return w.svc.FieldNames(ctx, w.recipients.query.ListID) },
		func(names []string, err error) {
			if err != nil {
				w.showError(err)
				return
			}
			if len(names) > 20 {
				names = names[:20]
			}
			var items []*fyne.MenuItem
			for _, n := range append([]string{"name"}, names...) {
				if n == "name" && len(items) > 0 {
					continue
				}
				items = append(items, fyne.NewMenuItem("{{"+n+"}}", func() { p.insert("{{" + n + "}}") }))
			}
			friend := w.t.T("ui.letter.friend")
			items = append(items, fyne.NewMenuItemSeparator(),
				fyne.NewMenuItem(w.t.T("ui.letter.fallback", "friend", friend), func() { p.insert("{{name|" + friend + "}}") }))
			pos := w.app.Driver().AbsolutePositionForObject(at)
			widget.ShowPopUpMenuAtPosition(fyne.NewMenu("", items...), w.win.Canvas(), pos.AddXY(0, at.Size().Height))
		})
}

// insert puts text where the cursor of the entry that was used last is.
func (p *letterPane) insert(text string) {
	e := p.body
	if p.w.win.Canvas().Focused() == fyne.Focusable(p.subject) {
		e = p.subject
	}
	p.w.win.Canvas().Focus(e)
	for _, r := range text {
		e.TypedRune(r)
	}
}
