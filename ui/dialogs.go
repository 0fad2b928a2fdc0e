package ui

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/storage"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"hongyan/ui/widgets"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// atoi reads a number that the program wrote itself; anything else is 0.
func atoi(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// popup is a dialog of the window: a title, content, and a row of buttons at the bottom right.
type popup struct {
	w        *Window
	pop      *widget.PopUp
	buttons  *fyne.Container // the row of buttons; nil where there are none
	onClosed []func()
	overlay  fyne.CanvasObject // what the canvas shows while it is open
	escape   func()            // what the Escape key does; nil is nothing
	enter    *widget.Button    // that the Return key presses; nil is none
}

// popup makes a dialog; fit opens it.
func (w *Window) popup(title string, content fyne.CanvasObject, buttons ...fyne.CanvasObject) *popup {
	var foot fyne.CanvasObject
	var row *fyne.Container
	if len(buttons) > 0 {
		row = container.NewHBox(append([]fyne.CanvasObject{layout.NewSpacer()}, buttons...)...)
		foot = container.NewVBox(widget.NewSeparator(), row)
	}
	head := bold(strings.TrimSuffix(title, "…")) // the dots of a menu say that a dialog follows
	head.SizeName = theme.SizeNameSubHeadingText
	inside := container.New(layout.NewCustomPaddedLayout(8, 10, 12, 12), container.NewBorder(head, foot, nil, nil, content))
	p := &popup{w: w, buttons: row, pop: widget.NewModalPopUp(inside, w.win.Canvas())}
	for _, o := range buttons {
		if b, ok := o.(*widget.Button); ok && (b.Text == w.t.T("ui.cancel") || b.Text == w.t.T("ui.close")) {
			p.escape = func() { b.OnTapped() }
		}
		if b, ok := o.(*widget.Button); ok && b.Importance == widget.HighImportance {
			p.enter = b
		}
	}
	return p
}

// typedKey hears the keys that no field takes: Escape leaves the topmost dialog as its button does, Return presses the
// button that stands out. While a field has the keyboard they do not, because an input method uses both.
func (w *Window) typedKey(ev *fyne.KeyEvent) {
	if len(w.open) == 0 {
		return
	}
	p := w.open[len(w.open)-1]
	if w.win.Canvas().Overlays().Top() != p.overlay {
		return
	}
	switch ev.Name {
	case fyne.KeyEscape:
		if p.escape != nil {
			p.escape()
		}
	case fyne.KeyReturn, fyne.KeyEnter:
		if p.enter != nil && !p.enter.Disabled() && p.enter.OnTapped != nil {
			p.enter.OnTapped()
		}
	}
}

// SetOnClosed adds what is called once when the dialog goes.
func (p *popup) SetOnClosed(f func()) { p.onClosed = append(p.onClosed, f) }

// Hide closes the dialog.
func (p *popup) Hide() {
	p.pop.Hide()
	p.w.open = slices.DeleteFunc(p.w.open, func(o *popup) bool { return o == p })
	closed := p.onClosed
	p.onClosed = nil
	for _, f := range closed {
		f()
	}
}

// fit opens a dialog at a size, or as large as the window allows.
func (w *Window) fit(p *popup, width, height float32) {
	p.grow(width, height)
	p.pop.Show()
	p.overlay = w.win.Canvas().Overlays().Top()
	w.open = append(w.open, p)
}

// grow gives a dialog a size, or what the window allows.
func (p *popup) grow(width, height float32) {
	s, least := p.w.win.Canvas().Size(), p.pop.MinSize()
	p.pop.Resize(fyne.NewSize(fyne.Max(least.Width, fyne.Min(width, s.Width-24)), fyne.Max(least.Height, fyne.Min(height, s.Height-24))))
}

// message says one thing.
func (w *Window) message(title, text string) *popup {
	label := wrapped(text)
	label.Selectable = true
	var d *popup
	ok := primary(w.t.T("ui.ok"), nil, func() { d.Hide() })
	copyText := widget.NewButtonWithIcon(w.t.T("ui.copy"), theme.ContentCopyIcon(), func() { w.app.Clipboard().SetContent(text) })
	d = w.popup(title, container.NewVScroll(label), copyText, ok)
	d.escape = d.Hide
	w.fit(d, 480, 220)
	return d
}

// confirm asks before something that cannot be taken back.
func (w *Window) confirm(title, text, yes string, do func()) {
	label := wrapped(text)
	var d *popup
	no := widget.NewButton(w.t.T("ui.cancel"), func() { d.Hide() })
	ok := widget.NewButton(yes, func() {
		d.Hide()
		do()
	})
	ok.Importance = widget.WarningImportance
	d = w.popup(title, container.NewVScroll(label), no, ok)
	w.fit(d, 460, 200)
}

// objects are buttons as what a dialog takes.
func objects(buttons []*widget.Button) []fyne.CanvasObject {
	out := make([]fyne.CanvasObject, len(buttons))
	for i, b := range buttons {
		out[i] = b
	}
	return out
}

func primary(label string, icon fyne.Resource, tapped func()) *widget.Button {
	b := widget.NewButtonWithIcon(label, icon, tapped)
	b.Importance = widget.HighImportance
	return b
}

// openFile asks for a file to read and remembers its folder.
func (w *Window) openFile(do func(path string), extensions ...string) {
	d := dialog.NewFileOpen(func(r fyne.URIReadCloser, err error) {
		if err != nil || r == nil {
			w.showError(err)
			return
		}
		path := r.URI().Path()
		_ = r.Close() // nothing was read: the path is what is wanted
		w.keepFolder(r.URI())
		do(path)
	}, w.win)
	if len(extensions) > 0 {
		d.SetFilter(storage.NewExtensionFileFilter(extensions))
	}
	w.showFiles(d, w.t.T("ui.open"))
}

// saveFile asks for a file to write and remembers its folder.
func (w *Window) saveFile(name string, do func(path string)) {
	d := dialog.NewFileSave(func(f fyne.URIWriteCloser, err error) {
		if err != nil || f == nil {
			w.showError(err)
			return
		}
		path := f.URI().Path()
		_ = f.Close() // the use cases write it themselves
		w.keepFolder(f.URI())
		do(path)
	}, w.win)
	d.SetFileName(name)
	w.showFiles(d, w.t.T("ui.save"))
}

func (w *Window) showFiles(d *dialog.FileDialog, yes string) {
	d.SetTitleText(yes)
	d.SetConfirmText(yes)
	d.SetDismissText(w.t.T("ui.cancel"))
	if dir := w.svc.Setting(keyFolder); dir != "" {
		if l, err := storage.ListerForURI(storage.NewFileURI(dir)); err == nil {
			d.SetLocation(l)
		}
	}
	s := w.win.Canvas().Size()
	d.Show() // first: before that a file dialog has no size to change, and Fyne 2.8.1 panics
	d.Resize(fyne.NewSize(fyne.Min(820, s.Width-40), fyne.Min(560, s.Height-40)))
}

func (w *Window) keepFolder(u fyne.URI) {
	if dir, err := storage.Parent(u); err == nil {
		w.set(keyFolder, filepath.Clean(dir.Path()))
	}
}

// row is a labelled line of a form.
func row(label string, field fyne.CanvasObject, hint string) *widget.FormItem {
	f := widget.NewFormItem(label, field)
	f.HintText = hint
	return f
}

// put writes a text that is seldom a new one: a label measures its lines at every SetText.
func put(l interface{ SetText(string) }, text string) {
	if x, ok := l.(*widget.Label); ok && x.Text == text {
		return
	}
	l.SetText(text)
}

// wrapped is a text that breaks its lines.
func wrapped(text string) *widgets.Text { return widgets.NewText(text) }
