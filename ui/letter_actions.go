package ui

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"hongyan/app/model"
)

func (w *Window) loadLetter() {
	w.openFile(w.readLetter, ".md", ".markdown", ".txt", ".html", ".htm")
}

// readLetter opens a letter file into the editor.
func (w *Window) readLetter(path string) {
	background(w.tasks, func(context.Context) (model.Letter, error) { return w.svc.LoadLetter(path) },
		func(l model.Letter, err error) {
			if err != nil {
				w.showError(err)
				return
			}
			w.letter.replace(l)
		})
}

func (w *Window) saveLetter() {
	l := w.letter.letter
	name := "letter.md"
	if l.Format == model.FormatHTML {
		name = "letter.html"
	}
	w.saveFile(name, func(path string) {
		act(w.tasks, func(context.Context) error { return w.svc.WriteLetter(path, l) }, w.showError)
	})
}

// attachDialog lists the attachments and adds or removes them.
func (w *Window) attachDialog() {
	t := w.t
	list := container.NewVBox()
	var d *dialog.CustomDialog
	var fill func()
	fill = func() {
		list.RemoveAll()
		for i, a := range w.letter.letter.Attachments {
			drop := widget.NewButtonWithIcon("", theme.DeleteIcon(), func() {
				w.letter.edit(func(l *model.Letter) {
					l.Attachments = append(append([]model.Attachment(nil), l.Attachments[:i]...), l.Attachments[i+1:]...)
				})
				fill()
			})
			name := widget.NewLabel(a.Name)
			name.Truncation = fyne.TextTruncateEllipsis
			list.Add(container.NewBorder(nil, nil, widget.NewIcon(theme.FileIcon()), drop, name))
		}
		if len(w.letter.letter.Attachments) == 0 {
			list.Add(widget.NewLabel(t.T("ui.attach.none")))
		}
		w.letterPane.attachments()
	}
	fill()
	add := widget.NewButtonWithIcon(t.T("ui.attach.add"), theme.ContentAddIcon(), func() {
		w.openFile(func(path string) {
			w.attach(path)
			fill()
		})
	})
	d = w.popup(t.T("ui.attach.title"), container.NewVScroll(list), add, primary(t.T("ui.close"), nil, func() { d.Hide() }))
	w.fit(d, 480, 320)
}

func (w *Window) attach(path string) {
	w.letter.edit(func(l *model.Letter) {
		l.Attachments = append(append([]model.Attachment(nil), l.Attachments...), model.Attachment{Path: path, Name: filepath.Base(path)})
	})
	w.letterPane.attachments()
}

// openPreview shows the HTML part in the user's browser. A policy in the page keeps it from fetching anything: a
// look at one's own letter must not reach anybody's server.
func (w *Window) openPreview() {
	const policy = `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">`
	html := `<!doctype html><meta charset="utf-8">` + policy + w.letter.preview.HTML
	background(w.tasks, func(context.Context) (string, error) { return tempFile("preview.html", html) },
		func(path string, err error) { w.openPath(path, err) })
}

func tempFile(name, content string) (string, error) {
	dir, err := os.MkdirTemp("", "hongyan-")
	if err != nil {
		return "", model.E(model.EFileUnwritable, err, "path", os.TempDir(), "detail", err.Error())
	}
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		return "", model.E(model.EFileUnwritable, err, "path", path, "detail", err.Error())
	}
	return path, nil
}

// openPath opens a file with the program that the system has for it.
func (w *Window) openPath(path string, err error) {
	if err == nil {
		err = w.app.OpenURL(&url.URL{Scheme: "file", Path: filepath.ToSlash(path)})
	}
	w.showError(err)
}

// editOutside opens the body in the user's own editor and takes over what is saved there. It is the way to write
// where an input method does not reach this window, and for letters too long for its editor.
func (w *Window) editOutside() {
	l := w.letter.letter
	name := map[model.Format]string{model.FormatHTML: "letter.html", model.FormatText: "letter.txt"}[l.Format]
	background(w.tasks, func(context.Context) (string, error) { return tempFile(first(name, "letter.md"), l.Body) },
		func(path string, err error) {
			if w.openPath(path, err); err != nil {
				return
			}
			var d *dialog.CustomDialog
			ctx, stop := context.WithCancel(w.tasks.ctx)
			d = w.popup(w.t.T("ui.letter.outside"), wrapped(w.t.T("ui.letter.outside.wait", "path", path)),
				primary(w.t.T("ui.letter.outside.done"), nil, func() { d.Hide() }))
			d.SetOnClosed(func() {
				stop()
				w.takeOver(path)
			})
			w.fit(d, 500, 220)
			go w.watch(ctx, path)
		})
}

// watch takes the file over whenever it was saved.
func (w *Window) watch(ctx context.Context, path string) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var last time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if st, err := os.Stat(path); err == nil && st.ModTime() != last {
			if !last.IsZero() {
				w.tasks.Do(func() { w.takeOver(path) })
			}
			last = st.ModTime()
		}
	}
}

func (w *Window) takeOver(path string) {
	background(w.tasks, func(context.Context) (string, error) {
		b, err := os.ReadFile(path) //nolint:gosec // the file that this program made
		return string(b), err
	}, func(body string, err error) {
		if err == nil && body != w.letter.letter.Body {
			w.letter.edit(func(l *model.Letter) { l.Body = body })
			w.letterPane.load()
			w.sync()
		}
	})
}

// testDialog sends the letter as it is to one address of the user's choice.
func (w *Window) testDialog() {
	t := w.t
	a, _ := w.accounts.selected()
	to := widget.NewEntry()
	to.SetText(a.From)
	to.SetPlaceHolder("name@example.com")
	status := wrapped(t.T("ui.test.hint", "account", a.Name))
	var d *dialog.CustomDialog
	var send *widget.Button
	send = primary(t.T("ui.test.send"), theme.MailSendIcon(), func() {
		send.Disable()
		status.Importance = widget.MediumImportance
		status.SetText(t.T("ui.test.sending"))
		l, contact, addr := w.letter.letter, w.recipients.current(), to.Text
		background(w.tasks, func(ctx context.Context) (TestResult, error) {
			return w.svc.TestLetter(ctx, l, a.ID, contact, addr)
		}, func(r TestResult, err error) {
			send.Enable()
			switch {
			case err != nil:
				status.Importance = widget.DangerImportance
				status.SetText(t.Error(err))
			case r.Accepted:
				status.Importance = widget.SuccessImportance
				status.SetText(t.T("ui.test.ok", "to", addr, "reply", r.Reply))
			default:
				status.Importance = widget.DangerImportance
				status.SetText(t.Args(r.TextKey+".what", r.Args) + "\n" + t.Args(r.TextKey+".do", r.Args) + "\n\n" + r.Reply)
			}
		})
	})
	to.OnSubmitted = func(string) { send.OnTapped() }
	d = w.popup(t.T("ui.cmd.test"), container.NewBorder(widget.NewForm(row(t.T("ui.test.to"), to, "")), nil, nil, nil, container.NewVScroll(status)),
		widget.NewButton(t.T("ui.close"), func() { d.Hide() }), send)
	w.fit(d, 480, 300)
	w.win.Canvas().Focus(to)
}
