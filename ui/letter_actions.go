package ui

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
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
	var d *popup
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

func (w *Window) openPreview() { w.browse(w.letter.preview.HTML) }

// openPath opens a file with the program that the system has for it.
func (w *Window) openPath(path string, err error) {
	if err != nil {
		w.showError(err)
		return
	}
	if w.app.OpenURL(&url.URL{Scheme: "file", Path: filepath.ToSlash(path)}) != nil {
		w.message(w.t.T("ui.open"), w.t.T("ui.open.failed", "path", path))
	}
}

// editOutside opens the body in the user's own editor and takes over what is saved there. It is the way to write
// where an input method does not reach this window, and for letters too long for its editor.
func (w *Window) editOutside() {
	l := w.letter.letter
	name := map[model.Format]string{model.FormatHTML: "letter.html", model.FormatText: "letter.txt"}[l.Format]
	background(w.tasks, func(context.Context) (string, error) { return w.temp.file(first(name, "letter.md"), l.Body) },
		func(path string, err error) {
			if w.openPath(path, err); err != nil {
				return
			}
			var d *popup
			open := true
			d = w.popup(w.t.T("ui.letter.outside"), wrapped(w.t.T("ui.letter.outside.wait", "path", path)),
				primary(w.t.T("ui.letter.outside.done"), nil, func() { d.Hide() }))
			d.SetOnClosed(func() {
				open = false
				w.takeOver(path)
			})
			w.fit(d, 500, 220)
			w.watch(path, &open)
		})
}

// watch takes the file over whenever it was saved, for as long as open is set.
func (w *Window) watch(path string, open *bool) {
	var last time.Time
	var p pause
	var look func()
	look = func() {
		if !*open {
			return
		}
		background(w.tasks, func(context.Context) (time.Time, error) {
			st, err := os.Stat(path)
			if err != nil {
				return time.Time{}, err
			}
			return st.ModTime(), nil
		}, func(at time.Time, err error) {
			if err == nil && !at.Equal(last) {
				if !last.IsZero() {
					w.takeOver(path)
				}
				last = at
			}
			w.tasks.after(&p, time.Second, look)
		})
	}
	look()
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
	var d *popup
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
			case w.needPassphrase(err, send.OnTapped):
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
