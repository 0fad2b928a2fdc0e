package ui

import (
	"context"
	"net/url"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"hongyan/app/model"
	"hongyan/ui/widgets"
)

// signInBox is the part of the account's form that signs in at the provider instead of asking for a password.
type signInBox struct {
	f    *accountForm
	root *fyne.Container
	gen  int

	info     SignInInfo
	offered  bool
	button   *widget.Button
	state    *widgets.Text
	change   *widget.Hyperlink // opens the fields of the client
	client   *fyne.Container
	id, key  *widget.Entry
	keyRow   *fyne.Container
	why      *widgets.Text
	register *widget.Hyperlink
}

func newSignInBox(f *accountForm) *signInBox {
	t := f.w.t
	b := &signInBox{f: f, state: wrapped(t.T("ui.signin.why")), why: wrapped(""), register: widget.NewHyperlink(t.T("ui.signin.register"), nil)}
	b.button = widget.NewButtonWithIcon("", theme.LoginIcon(), b.run)
	b.change = widget.NewHyperlink(t.T("ui.signin.client.change"), nil)
	b.change.OnTapped = func() {
		show(b.client, true, b.root, f.body)
		b.change.Hide()
	}
	b.id, b.key = widget.NewEntry(), widget.NewPasswordEntry()
	b.id.SetPlaceHolder(t.T("ui.signin.client"))
	b.key.SetPlaceHolder(t.T("ui.signin.secret"))
	b.keyRow = container.NewStack(b.key)
	b.client = container.NewVBox(b.why, b.id, b.keyRow, b.register)
	b.root = container.NewVBox(container.NewBorder(nil, nil, container.NewVBox(b.button), nil, b.state), b.change, b.client)
	return b
}

// look asks whether the provider that is chosen offers a sign-in.
func (b *signInBox) look() {
	b.gen++
	gen, a := b.gen, b.f.a
	if a.Provider == "" && a.Host == "" {
		b.fill(SignInInfo{}, false)
		return
	}
	background(b.f.w.tasks, func(ctx context.Context) (SignInInfo, error) { return b.f.w.svc.SignInInfo(ctx, a) }, func(info SignInInfo, err error) {
		if gen == b.gen {
			b.fill(info, err == nil)
		}
	})
}

func (b *signInBox) fill(info SignInInfo, offered bool) {
	t := b.f.w.t
	b.info, b.offered = info, offered
	b.button.SetText(t.T("ui.signin.button", "name", info.Name))
	done := b.f.a.Auth == model.AuthOAuth2 && b.f.kept
	b.button.Importance, b.state.Importance = widget.MediumImportance, widget.MediumImportance
	text := "ui.signin.why"
	switch {
	case done:
		text, b.state.Importance = "ui.signin.done", widget.SuccessImportance
	case b.first():
		b.button.Importance = widget.HighImportance
	}
	b.button.Refresh()
	b.state.SetText(t.T(text))
	b.why.SetText(t.T("ui.signin.client.why", "name", info.Name))
	b.id.SetText(info.ClientID)
	if u, err := url.Parse(info.RegisterURL); err == nil {
		b.register.SetURL(u)
	}
	show(b.keyRow, info.NeedsSecret, b.client)
	show(b.client, info.ClientID == "", b.root)
	show(b.change, info.ClientID != "", b.root)
	b.f.arrange()
}

// first says whether the provider prefers a sign-in to a password.
func (b *signInBox) first() bool {
	for _, p := range b.f.presets {
		if p.Key == b.f.a.Provider && len(p.Auth) > 0 {
			return p.Auth[0] == model.AuthOAuth2
		}
	}
	return false
}

// run stores the account and signs it in.
func (b *signInBox) run() {
	f := b.f
	a, ok := f.read()
	if !ok {
		return
	}
	client, secret := strings.TrimSpace(b.id.Text), strings.TrimSpace(b.key.Text)
	if client == "" {
		f.fail(f.w.t.T("ui.signin.need", "name", b.info.Name))
		f.w.win.Canvas().Focus(b.id)
		return
	}
	if client == b.info.ClientID {
		client, secret = "", "" // the one that is set, with its secret
	}
	f.w.accounts.save(a, "", false, func(err error) {
		if err != nil {
			f.fail(f.w.t.Error(err))
			return
		}
		f.a = a
		f.a.ID = f.w.accounts.current
		f.w.signIn(f.a, b.info.Name, client, secret, func() {
			f.d.Hide()
			f.w.message(f.w.t.T("ui.signin.title", "name", b.info.Name), f.w.t.T("ui.signin.ok", "account", f.a.Name, "name", b.info.Name))
		})
	})
}

// signIn opens the provider's page in the browser and waits for the answer; done is called when the account is signed in.
func (w *Window) signIn(a model.Account, provider, client, secret string, done func()) {
	t := w.t
	text := wrapped(t.T("ui.signin.wait", "name", provider, "user", first(a.User, a.From)))
	busy := widget.NewActivity()
	busy.Start()
	var page string
	ctx, stop := context.WithCancel(w.tasks.ctx)
	link := widget.NewButtonWithIcon(t.T("ui.signin.copy"), theme.ContentCopyIcon(), func() { w.app.Clipboard().SetContent(page) })
	link.Disable()
	var d *popup
	d = w.popup(t.T("ui.signin.title", "name", provider), container.NewBorder(nil, nil, container.NewVBox(container.NewPadded(busy)), nil, container.NewVScroll(text)),
		link, widget.NewButton(t.T("ui.cancel"), func() { d.Hide() }))
	d.SetOnClosed(stop)
	w.fit(d, 500, 230)
	open := func(address string) error {
		u, err := url.Parse(address)
		if err != nil {
			return err
		}
		// Called from the background: that goroutine waits for the user, not for the window.
		err = w.app.OpenURL(u)
		w.tasks.Do(func() {
			page = address
			link.Enable()
			if err != nil {
				text.SetText(t.T("ui.signin.nobrowser", "name", provider))
			}
		})
		return nil // the address can be copied to a browser by hand
	}
	act(w.tasks, func(context.Context) error { return w.svc.SignIn(ctx, a.ID, client, secret, open) }, func(err error) {
		busy.Stop()
		cancelled := ctx.Err() != nil
		d.Hide()
		w.accounts.load()
		switch {
		case err == nil:
			done()
		case cancelled:
		case w.needPassphrase(err, func() { w.signIn(a, provider, client, secret, done) }):
		default:
			w.message(t.T("ui.signin.title", "name", provider), t.Error(err))
		}
	})
}
