package ui

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"hongyan/ui/widgets"
)

// importForm is the dialog that brings people in: from a file, pasted text, a drop or the clipboard.
type importForm struct {
	w       *Window
	d       *popup
	in      ImportInput
	preview ImportPreview
	opened  bool
	gen     int

	path, text        *pasteEntry
	list              *widget.SelectEntry
	source, consent   *widget.Entry
	format, charset   *widget.Select
	sheet             *widget.Select
	sheetRow          *fyne.Container
	sheetLabel        *widget.Label
	prospect          *widgets.Text // what the import would do
	columns           *fyne.Container
	table             *widgets.Table
	sample            *fyne.Container
	state             *widgets.Text
	ok                *widget.Button
	body              *fyne.Container
	pause, counting   pause
	stop              context.CancelFunc // of the count
	counts            int                // counts begun or given up: an answer that comes late is dropped
	filling, listTold bool

	rest    []string       // files that follow, one dialog each
	follow  *widgets.Text  // says which
	another *widget.Button // chooses one more
	skip    *widget.Button
	cancel  *widget.Button
}

// columnKinds are what a column can be taken for, besides a field of its own name.
var columnKinds = []string{"email", "name", "qq", "skip"}

// importDialog asks for what to import, or starts with a file or with text.
func (w *Window) importDialog(path, text string) *importForm {
	t := w.t
	f := &importForm{w: w}
	f.path, f.text = newPasteEntry(f.pasted), newPasteEntry(f.pasted)
	f.text.MultiLine = true
	f.path.SetPlaceHolder(t.T("ui.import.path"))
	f.text.SetPlaceHolder(t.T("ui.import.text"))
	f.text.SetMinRowsVisible(3)
	f.path.OnChanged = func(s string) {
		// Beside a file there is nothing to paste: the first rows need the room.
		show(f.text, strings.TrimSpace(s) == "")
		f.followed()
		f.later(ImportInput{Path: strings.TrimSpace(s)})
	}
	f.text.OnChanged = func(s string) {
		if f.path.Text == "" {
			f.later(ImportInput{Text: s})
		}
	}
	browse := widget.NewButtonWithIcon(t.T("ui.import.file"), theme.FolderOpenIcon(), func() {
		w.openFile(func(p string) { f.path.SetText(p) })
	})
	f.queue()
	paste := widget.NewButtonWithIcon(t.T("ui.import.paste"), theme.ContentPasteIcon(), func() { f.give(w.app.Clipboard().Content()) })
	from := container.NewBorder(nil, nil, nil, container.NewHBox(browse, f.another, paste), f.path)

	f.list = widget.NewSelectEntry(nil)
	var names []string
	for _, l := range w.recipients.lists {
		names = append(names, l.Name)
	}
	f.list.SetOptions(names)
	if l, ok := w.recipients.list(); ok {
		f.list.SetText(l.Name)
		f.listTold = true
	}
	f.list.OnChanged = func(string) {
		f.listTold = f.listTold || !f.filling
		f.check()
		if !f.filling {
			f.countLater()
		}
	}
	f.source, f.consent = widget.NewEntry(), widget.NewEntry()
	f.source.SetPlaceHolder(t.T("ui.import.source.hint"))
	f.consent.SetPlaceHolder(t.T("ui.import.consent.hint"))
	f.source.OnChanged = func(string) { f.check() }
	f.consent.OnChanged = func(string) { f.check() }
	f.format = widget.NewSelect(nil, func(string) { f.reopen() })
	f.charset = widget.NewSelect(nil, func(string) { f.reopen() })
	f.sheet = widget.NewSelect(nil, func(string) { f.reopen() })
	f.sheet.PlaceHolder = t.T("ui.filter.choose")
	f.sheetLabel = widget.NewLabel(t.T("ui.import.sheet"))
	f.sheetRow = container.NewHBox(f.sheetLabel, f.sheet)
	f.prospect = wrapped("")
	f.columns = container.NewStack()
	cols := widgets.Columns{{Min: 36}, {Min: 120, Weight: 2}, {Min: 70, Weight: 1}, {Min: 100, Weight: 2}}
	head := widgets.NewHeader(cols, []widgets.HeaderColumn{{Title: t.T("ui.import.line")}, {Title: t.T("ui.contact.address")}, {Title: t.T("ui.contact.name")},
		{Title: t.T("ui.import.fields")}}, nil)
	f.table = widgets.NewTable(cols,
		func() int { return len(f.preview.Sample) }, f.cells)
	f.state = wrapped(t.T("ui.import.hint"))
	f.sample = container.NewBorder(container.NewVBox(container.NewHBox(widget.NewLabel(t.T("ui.import.format")), f.format,
		widget.NewLabel(t.T("ui.import.charset")), f.charset, f.sheetRow), f.columns, head), f.prospect, nil, nil, f.table)
	f.sample.Hide()
	form := widget.NewForm(row(t.T("ui.import.list"), f.list, ""), row(t.T("ui.import.source"), f.source, ""), row(t.T("ui.import.consent"), f.consent, ""))
	f.ok = primary(t.T("ui.cmd.import"), theme.DownloadIcon(), f.run)
	f.ok.Disable()
	f.body = container.NewBorder(container.NewVBox(from, f.follow, f.text), container.NewVBox(form, f.state), nil, nil, f.sample)
	f.d = w.popup(t.T("ui.import.title"), f.body, f.cancel, f.skip, f.ok)
	w.asking = f
	f.d.SetOnClosed(func() {
		f.giveUp()
		if w.asking == f {
			w.asking = nil
		}
	})
	f.followed()
	w.fit(f.d, 760, 640)
	switch {
	case path != "":
		f.path.SetText(path)
	case text != "":
		f.give(text)
	default:
		w.win.Canvas().Focus(f.path)
	}
	return f
}

// pasteImport starts an import with what the clipboard holds.
func (w *Window) pasteImport() { w.importDialog("", w.app.Clipboard().Content()) }

// dropped takes files that are let go over the window: letters go to the editor when dropped on it, pictures and
// documents become attachments there, everything else is imported, one file after the other. An import that is being
// asked about takes them all.
func (w *Window) dropped(at fyne.Position, uris []fyne.URI) {
	pos := w.app.Driver().AbsolutePositionForObject(w.letterPane.root)
	size := w.letterPane.root.Size()
	inLetter := w.asking == nil && at.X >= pos.X && at.Y >= pos.Y && at.X < pos.X+size.Width && at.Y < pos.Y+size.Height
	var people []string
	for _, u := range uris {
		path := u.Path()
		switch ext := strings.ToLower(filepath.Ext(path)); {
		case !inLetter:
			people = append(people, path)
		case slices.Contains([]string{".md", ".markdown", ".html", ".htm"}, ext):
			w.readLetter(path)
		default:
			w.attach(path)
		}
	}
	switch {
	case len(people) == 0:
	case w.asking != nil:
		w.asking.add(people)
	default:
		w.importFiles(ImportInput{Path: people[0]}, people[1:], nil)
	}
}

// give takes text: a path of a file counts as the file, and several, a line each, as files that follow one another.
func (f *importForm) give(text string) {
	if paths, yes := asPaths(text); yes {
		f.text.SetText("")
		f.rest = append(f.rest, paths[1:]...)
		f.path.SetText(paths[0])
		f.followed()
		return
	}
	f.path.SetText("")
	if len(text) > maxEditor {
		// The entry would take minutes for it; the import takes it as it is.
		f.text.SetText("")
		f.text.SetPlaceHolder(f.w.t.T("ui.import.big", "size", size(int64(len(text)))))
		f.later(ImportInput{Text: text})
		return
	}
	f.text.SetText(text)
}

// asPaths says whether a text is the paths of files, as a file manager copies them: a line each.
func asPaths(text string) (paths []string, yes bool) {
	if len(text) > maxEditor {
		return nil, false
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		path := line
		if u, err := url.Parse(line); err == nil && u.Scheme == "file" {
			if path = u.Path; filepath.VolumeName(strings.TrimPrefix(path, "/")) != "" { // file:///C:/x
				path = strings.TrimPrefix(path, "/")
			}
			path = filepath.FromSlash(path)
		}
		if strings.Contains(path, "@") || !filepath.IsAbs(path) {
			return nil, false
		}
		paths = append(paths, path)
	}
	return paths, len(paths) > 0
}

// pasted sends people to the field of people and paths to that of paths, into whichever they are pasted. What is
// pasted into the middle of people stays there.
func (f *importForm) pasted(into *pasteEntry, text string) bool {
	text = strings.TrimSpace(text)
	paths, path := asPaths(text)
	people := !path && strings.ContainsAny(text, "\n@")
	plain := len(paths) < 2 && !strings.HasPrefix(text, "file://") // the field takes it as it is
	if into == f.path && !people && plain || into == f.text && f.text.Text != "" && !path {
		return false
	}
	f.give(text)
	return true
}

// later opens the source a moment after the last key.
func (f *importForm) later(in ImportInput) {
	f.in = in
	f.w.tasks.after(&f.pause, 250*time.Millisecond, f.open)
}

func (f *importForm) reopen() {
	if f.filling {
		return
	}
	f.in.Charset, f.in.Sheet = f.charset.Selected, f.sheet.Selected
	if i := f.format.SelectedIndex(); i >= 0 {
		f.in.Format = f.preview.Formats[i]
	}
	f.open()
}

// open reads the first rows in the background.
func (f *importForm) open() {
	f.gen++
	gen, in := f.gen, f.in
	f.opened = false
	f.giveUp()
	if in.Path == "" && strings.TrimSpace(in.Text) == "" {
		f.sample.Hide()
		f.say(widget.MediumImportance, f.w.t.T("ui.import.hint"))
		f.check()
		return
	}
	background(f.w.tasks, func(ctx context.Context) (ImportPreview, error) { return f.w.svc.PreviewImport(ctx, in) },
		func(p ImportPreview, err error) {
			if gen != f.gen {
				return
			}
			f.preview, f.opened = p, err == nil
			show(f.sample, err == nil)
			if err != nil {
				f.say(widget.DangerImportance, f.w.t.Error(err))
				f.check()
				return
			}
			f.fill()
			f.check()
			f.count()
		})
}

func (f *importForm) fill() {
	f.filling = true
	p := f.preview
	names := make([]string, len(p.Formats))
	for i, name := range p.Formats {
		names[i] = f.w.t.T("import.format." + name)
	}
	f.format.SetOptions(names)
	f.format.SetSelectedIndex(slices.Index(p.Formats, p.Format))
	sheet := "ui.import.sheet"
	if p.Format == "folder" {
		sheet = "ui.import.folderlist"
	}
	f.sheetLabel.SetText(f.w.t.T(sheet))
	f.charset.SetOptions(p.Charsets)
	f.charset.SetSelected(p.Charset)
	f.sheet.SetOptions(p.Sheets)
	f.sheet.SetSelected(p.Sheet)
	show(f.sheetRow, len(p.Sheets) > 1)
	if !f.listTold && f.list.Text == "" {
		name := strings.TrimSuffix(filepath.Base(f.in.Path), filepath.Ext(f.in.Path))
		if f.in.Path == "" {
			name = f.w.t.T("ui.import.pasted")
		}
		f.list.SetText(name)
	}
	f.filling = false
	f.columnChoosers()
	f.table.Refresh()
}

// columnChoosers offers to change what each column is taken for.
func (f *importForm) columnChoosers() {
	f.columns.RemoveAll()
	if len(f.preview.Guess) < 2 {
		return
	}
	line := container.NewHBox()
	for i, g := range f.preview.Guess {
		title := fmt.Sprintf("%d", i+1)
		if i < len(f.preview.Header) {
			title = f.preview.Header[i]
		}
		var kinds []string
		for _, k := range columnKinds {
			kinds = append(kinds, f.w.t.T("ui.column."+k))
		}
		kinds = append(kinds, f.w.t.T("ui.column.field"))
		s := widget.NewSelect(kinds, nil)
		chosen := slices.Index(columnKinds, g)
		if chosen < 0 {
			chosen = len(columnKinds)
		}
		s.SetSelectedIndex(chosen)
		s.OnChanged = func(string) {
			kind := title
			if j := s.SelectedIndex(); j < len(columnKinds) {
				kind = columnKinds[j]
			}
			cols := map[int]string{i: kind}
			for k, v := range f.in.Columns {
				if k != i {
					cols[k] = v
				}
			}
			f.in.Columns = cols
			f.open()
		}
		head := widgets.NewCell(title)
		head.Set(title, widgets.ColorMuted, fyne.TextStyle{Bold: true})
		line.Add(container.NewVBox(head, s))
	}
	f.columns.Add(container.NewHScroll(line))
}

func (f *importForm) cells(i int) ([]widgets.CellValue, bool) {
	r := f.preview.Sample[i]
	var fields []string
	for _, k := range sortedKeys(r.Fields) {
		if r.Fields[k] != "" {
			fields = append(fields, k+": "+strings.ReplaceAll(r.Fields[k], "\n", " "))
		}
	}
	return []widgets.CellValue{{Text: number(r.Line), Color: widgets.ColorMuted}, {Text: first(r.Address, r.Email)}, {Text: r.Name},
		{Text: strings.Join(fields, "  "), Color: widgets.ColorMuted}}, false
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (f *importForm) say(i widget.Importance, text string) {
	f.state.Importance = i
	f.state.SetText(text)
}

// check enables the import when everything that is asked for is there, and says what is missing.
func (f *importForm) check() {
	t := f.w.t
	missing := ""
	switch {
	case !f.opened:
		f.ok.Disable()
		return
	case strings.TrimSpace(f.list.Text) == "":
		missing = "ui.import.need.list"
	case strings.TrimSpace(f.source.Text) == "":
		missing = "ui.import.need.source"
	case strings.TrimSpace(f.consent.Text) == "" && !f.preview.NoConsent:
		missing = "ui.import.need.consent"
	}
	if missing != "" {
		f.ok.Disable()
		f.say(widget.WarningImportance, t.T(missing))
		return
	}
	f.ok.Enable()
	if f.preview.NoConsent {
		f.say(widget.WarningImportance, t.T("ui.import.noconsent"))
		return
	}
	f.say(widget.SuccessImportance, t.T("ui.import.ready"))
}
