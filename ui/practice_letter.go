package ui

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"strings"

	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"hongyan/app/model"
)

// received is a letter as the practice server got it.
type received struct {
	from, to, subject string
	text, html        string
	files             []string // names of attachments
	raw               string
}

// practiceLetter opens a letter that the practice server got, as its reader would see it and as it came.
func (w *Window) practiceLetter(path string) {
	t := w.t
	background(w.tasks, func(context.Context) (received, error) {
		b, err := os.ReadFile(path) //nolint:gosec // a file that the practice server wrote
		if err != nil {
			return received{}, model.E(model.EFileUnreadable, err, "path", path, "detail", err.Error())
		}
		return readReceived(b), nil
	}, func(r received, err error) {
		if err != nil {
			w.showError(err)
			return
		}
		line := func(key, value string) *widget.FormItem { return row(t.T(key), clipped(value), "") }
		head := widget.NewForm(line("ui.practice.from", r.from), line("ui.practice.to", r.to), line("ui.letter.subject", r.subject))
		if len(r.files) > 0 {
			head.AppendItem(line("ui.attach.title", strings.Join(r.files, ", ")))
		}
		text := wrapped(clip(r.text, 20000))
		text.Selectable = true
		raw := widget.NewLabel(clip(r.raw, 12000))
		raw.TextStyle.Monospace, raw.Selectable = true, true
		tabs := container.NewAppTabs(container.NewTabItem(t.T("ui.preview.text"), container.NewVScroll(text)),
			container.NewTabItem(t.T("ui.preview.source"), container.NewScroll(raw)))
		browser := widget.NewButtonWithIcon(t.T("ui.preview.browser"), theme.ViewFullScreenIcon(), func() { w.browse(r.html) })
		if r.html == "" {
			browser.Disable()
		}
		var d *popup
		d = w.popup(t.T("ui.practice.letter"), container.NewBorder(head, nil, nil, nil, tabs),
			widget.NewButtonWithIcon(t.T("ui.practice.file"), theme.FileIcon(), func() { w.openPath(path, nil) }), browser,
			primary(t.T("ui.close"), nil, func() { d.Hide() }))
		w.fit(d, 680, 500)
	})
}

// readReceived takes a message apart far enough to be read. What cannot be taken apart is shown as it came.
func readReceived(b []byte) received {
	r := received{raw: string(b)}
	m, err := mail.ReadMessage(bytes.NewReader(b))
	if err != nil {
		r.text = r.raw
		return r
	}
	r.from, r.to, r.subject = word(m.Header.Get("From")), word(m.Header.Get("To")), word(m.Header.Get("Subject"))
	r.part(m.Header.Get, m.Body, 0)
	return r
}

func word(s string) string {
	if d, err := new(mime.WordDecoder).DecodeHeader(s); err == nil {
		return d
	}
	return s
}

// part reads one part and those within it, five deep at most.
func (r *received) part(header func(string) string, body io.Reader, depth int) {
	kind, params, err := mime.ParseMediaType(header("Content-Type"))
	if err != nil {
		kind = "text/plain" // RFC 2045 §5.2
	}
	if strings.HasPrefix(kind, "multipart/") && depth < 5 {
		parts := multipart.NewReader(body, params["boundary"])
		for {
			p, err := parts.NextRawPart()
			if err != nil {
				return
			}
			r.part(p.Header.Get, p, depth+1)
		}
	}
	if _, p, err := mime.ParseMediaType(header("Content-Disposition")); err == nil && p["filename"] != "" {
		r.files = append(r.files, word(p["filename"]))
		return
	}
	switch strings.ToLower(header("Content-Transfer-Encoding")) {
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	}
	text, _ := io.ReadAll(body) // what could be read is shown
	switch {
	case kind == "text/html" && r.html == "":
		r.html = string(text)
	case kind == "text/plain" && r.text == "":
		r.text = strings.ReplaceAll(string(text), "\r\n", "\n")
	}
}

// browse shows HTML in the user's browser. A policy in the page keeps it from fetching anything: a look at a
// letter must not reach anybody's server.
func (w *Window) browse(html string) {
	const policy = `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">`
	page := `<!doctype html><meta charset="utf-8">` + policy + html
	background(w.tasks, func(context.Context) (string, error) { return w.temp.file("letter.html", page) },
		func(path string, err error) { w.openPath(path, err) })
}
