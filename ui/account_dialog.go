package ui

import (
	"context"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"hongyan/app/model"
	"hongyan/ui/widgets"
)

// stepStart is where a numbered step begins within a text; each gets a line of its own.
var stepStart = regexp.MustCompile(`([.。；;])\s*([2-9]\. )`)

var tlsModes = []model.TLSMode{model.TLSImplicit, model.TLSStart, model.TLSNone}

// accountForm is the dialog of one account.
type accountForm struct {
	w       *Window
	d       *popup
	a       model.Account
	presets []model.Preset

	provider                            *widget.Select
	from, fromName, name, user          *widget.Entry
	secret                              *widget.Entry
	host, port, ca, fingerprint         *widget.Entry
	connections                         *widget.Entry
	noLogin, legacy                     *widget.Check
	tls, profile                        *widget.Select
	perMinute, perHour, perDay, session *widget.Entry
	help, trouble                       *widgets.Text
	link                                *widget.Hyperlink
	body, basic                         *fyne.Container
	signIn                              *signInBox
	kept                                bool // a secret is stored
	touchedName                         bool
	filling                             bool
}

// accountDialog edits an account, or makes one where a has no id.
func (w *Window) accountDialog(a Account) {
	t := w.t
	f := &accountForm{w: w, a: a.Account, presets: w.svc.Presets()}
	if f.a.ID == 0 && f.a.TLS == "" {
		f.a.TLS, f.a.Port, f.a.Profile = model.TLSImplicit, 465, model.ProfileConsumer
	}
	entry := func(text, hint string) *widget.Entry {
		e := widget.NewEntry()
		e.SetText(text)
		e.SetPlaceHolder(hint)
		return e
	}
	count := func(n int) *widget.Entry {
		s := ""
		if n > 0 {
			s = strconv.Itoa(n)
		}
		return entry(s, t.T("ui.account.nolimit"))
	}
	f.from = entry(f.a.From, "name@example.com")
	f.from.OnChanged = f.typed
	f.fromName = entry(f.a.FromName, t.T("ui.account.fromname.hint"))
	f.name = entry(f.a.Name, "")
	f.name.OnChanged = func(string) { f.touchedName = f.touchedName || !f.filling }
	f.touchedName = f.a.ID != 0
	f.user = entry(f.a.User, t.T("ui.account.user.hint"))
	f.secret = widget.NewPasswordEntry()
	f.kept = a.HasSecret
	f.host, f.port, f.ca = entry(f.a.Host, "smtp.example.com"), entry(strconv.Itoa(f.a.Port), ""), entry(f.a.CAFile, t.T("ui.account.ca.hint"))
	l := f.a.Limits
	f.perMinute, f.perHour, f.perDay, f.session = count(l.PerMinute), count(l.PerHour), count(l.PerDay), count(l.PerSession)
	var modes []string
	for _, m := range tlsModes {
		modes = append(modes, t.T("ui.tls."+string(m)))
	}
	f.connections, f.fingerprint = count(l.Connections), entry(f.a.Fingerprint, t.T("ui.account.fingerprint.hint"))
	f.connections.SetPlaceHolder(t.T("ui.account.connections.hint"))
	f.noLogin, f.legacy = widget.NewCheck(t.T("ui.account.nologin"), nil), widget.NewCheck(t.T("ui.account.legacy"), nil)
	f.noLogin.Checked, f.legacy.Checked = f.a.Auth == model.AuthNone, f.a.LegacyTLS
	f.tls = widget.NewSelect(modes, nil)
	f.profile = widget.NewSelect([]string{t.T("ui.profile.consumer"), t.T("ui.profile.relay")}, nil)
	names := []string{t.T("ui.account.free")}
	for _, p := range f.presets {
		names = append(names, t.T("provider."+p.Key))
	}
	f.help, f.link = wrapped(""), widget.NewHyperlink(t.T("ui.account.helplink"), nil)
	f.trouble = wrapped("")
	f.trouble.Importance = widget.DangerImportance
	f.trouble.Hide()
	f.provider = widget.NewSelect(names, func(string) {
		if i := f.provider.SelectedIndex(); i > 0 && !f.filling {
			fromPreset(&f.a, f.presets[i-1])
			f.show()
		} else if i == 0 {
			f.a.Provider = ""
			f.explain()
		}
	})
	f.signIn = newSignInBox(f)
	f.show()

	f.basic = container.NewStack()
	f.arrange()
	more := widget.NewForm(row(t.T("ui.account.name"), f.name, ""), row(t.T("ui.account.user"), f.user, ""),
		row(t.T("ui.account.host"), container.NewBorder(nil, nil, nil, container.New(layout.NewGridWrapLayout(fyne.NewSize(70, 30)), f.port), f.host), ""),
		row(t.T("ui.account.tls"), f.tls, ""), row(t.T("ui.account.profile"), f.profile, ""),
		row(t.T("ui.account.rate"), container.NewGridWithColumns(4, f.labelled("ui.account.minute", f.perMinute), f.labelled("ui.account.hour", f.perHour),
			f.labelled("ui.account.day", f.perDay), f.labelled("ui.account.session", f.session)), ""),
		row(t.T("ui.account.connections"), f.connections, ""), row(t.T("ui.account.ca"), f.ca, ""),
		row(t.T("ui.account.fingerprint"), f.fingerprint, ""), row("", f.noLogin, ""), row("", f.legacy, ""))
	acc := widget.NewAccordion(widget.NewAccordionItem(t.T("ui.account.more"), more))
	if f.a.Provider == "" && f.a.ID != 0 {
		acc.Open(0)
	}
	title := t.T("ui.account.new")
	if f.a.ID != 0 {
		title = t.T("ui.account.editing", "name", f.a.Name)
	}
	f.body = container.NewVBox(f.basic, f.help, f.link, acc, f.trouble)
	f.explain()
	body := container.NewVScroll(f.body)
	test := widget.NewButtonWithIcon(t.T("ui.account.test"), theme.ConfirmIcon(), func() {
		if a, ok := f.read(); ok {
			w.doctor(a, f.secret.Text, func(better model.Account) {
				f.a = better
				f.show()
			})
		}
	})
	f.d = w.popup(title, body, widget.NewButton(t.T("ui.cancel"), func() { f.d.Hide() }), test, primary(t.T("ui.save"), nil, f.save))
	w.fit(f.d, 620, 560)
	w.win.Canvas().Focus(f.from)
}

// arrange puts the first fields into the form: a sign-in has a row where the provider offers one, before the password.
func (f *accountForm) arrange() {
	t := f.w.t
	rows := []*widget.FormItem{row(t.T("ui.account.from"), f.from, ""), row(t.T("ui.account.provider"), f.provider, "")}
	if f.signIn.offered {
		rows = append(rows, row(t.T("ui.signin"), f.signIn.root, ""))
	}
	rows = append(rows, row(t.T("ui.account.secret"), f.secret, ""), row(t.T("ui.account.fromname"), f.fromName, ""))
	f.basic.Objects = []fyne.CanvasObject{widget.NewForm(rows...)}
	f.basic.Refresh()
	if f.body != nil {
		f.explainSecret()
		f.body.Refresh()
	}
}

func (f *accountForm) labelled(key string, e *widget.Entry) fyne.CanvasObject {
	l := widget.NewLabel(f.w.t.T(key))
	l.Importance = widget.LowImportance
	return container.NewVBox(l, e)
}

// typed picks the provider by the address, and names the account after it.
func (f *accountForm) typed(addr string) {
	if !f.touchedName {
		f.filling = true
		f.name.SetText(addr)
		f.filling = false
	}
	if !strings.Contains(addr, "@") {
		return
	}
	if p, ok := f.w.svc.PresetFor(addr); ok && p.Key != f.a.Provider {
		fromPreset(&f.a, p)
		f.show()
		return
	}
	f.explain()
}

// show puts what the account has into the fields that a preset fills.
func (f *accountForm) show() {
	f.filling = true
	defer func() { f.filling = false }()
	f.host.SetText(f.a.Host)
	f.port.SetText(strconv.Itoa(f.a.Port))
	for i, m := range tlsModes {
		if m == f.a.TLS {
			f.tls.SetSelectedIndex(i)
		}
	}
	f.profile.SetSelectedIndex(0)
	if f.a.Profile == model.ProfileRelay {
		f.profile.SetSelectedIndex(1)
	}
	set := func(e *widget.Entry, n int) {
		e.SetText("")
		if n > 0 {
			e.SetText(strconv.Itoa(n))
		}
	}
	set(f.perMinute, f.a.Limits.PerMinute)
	set(f.perHour, f.a.Limits.PerHour)
	set(f.perDay, f.a.Limits.PerDay)
	set(f.session, f.a.Limits.PerSession)
	set(f.connections, f.a.Limits.Connections)
	chosen := 0
	for i, p := range f.presets {
		if p.Key == f.a.Provider {
			chosen = i + 1
		}
	}
	f.provider.SetSelectedIndex(chosen)
	f.explain()
}

// explain says how to get an authorization code from the provider.
func (f *accountForm) explain() {
	if f.body == nil {
		return // still being built
	}
	f.explainSecret()
	f.signIn.look()
	help, link := "", ""
	for _, p := range f.presets {
		if p.Key == f.a.Provider && p.Key != "" {
			help, link = f.w.t.T("provider."+p.Key+".help"), p.HelpURL
		}
	}
	f.help.SetText(stepStart.ReplaceAllString(help, "$1\n$2"))
	if u, err := url.Parse(link); err == nil {
		f.link.SetURL(u)
	}
	show(f.help, help != "", f.body)
	show(f.link, link != "", f.body)
}

// explainSecret says, in the field itself, which password is meant.
func (f *accountForm) explainSecret() {
	hint := "ui.account.secret.hint"
	switch {
	case f.signIn.offered && (f.a.Auth == model.AuthOAuth2 || f.signIn.first()):
		hint = "ui.account.secret.signin"
	case f.kept:
		hint = "ui.account.secret.kept"
	case f.a.Provider == "" && f.from.Text != "":
		hint = "ui.account.secret.own"
	}
	f.secret.SetPlaceHolder(f.w.t.T(hint))
}

// read takes the fields over; a number that is none is said beside the form.
func (f *accountForm) read() (model.Account, bool) {
	a := f.a
	a.From, a.FromName = strings.TrimSpace(f.from.Text), strings.TrimSpace(f.fromName.Text)
	a.Name = first(strings.TrimSpace(f.name.Text), a.From)
	a.User = first(strings.TrimSpace(f.user.Text), a.From)
	a.Host, a.CAFile = strings.TrimSpace(f.host.Text), strings.TrimSpace(f.ca.Text)
	a.TLS = tlsModes[max(0, f.tls.SelectedIndex())]
	a.Profile = model.ProfileConsumer
	if f.profile.SelectedIndex() == 1 {
		a.Profile = model.ProfileRelay
	}
	a.Fingerprint, a.LegacyTLS = strings.TrimSpace(f.fingerprint.Text), f.legacy.Checked
	switch {
	case f.noLogin.Checked:
		a.Auth = model.AuthNone
	case a.Auth == "" || a.Auth == model.AuthNone:
		a.Auth = model.AuthPassword
	}
	for _, n := range []struct {
		to   *int
		from *widget.Entry
		name string
	}{{&a.Port, f.port, "ui.account.port"}, {&a.Limits.PerMinute, f.perMinute, "ui.account.minute"}, {&a.Limits.PerHour, f.perHour, "ui.account.hour"},
		{&a.Limits.PerDay, f.perDay, "ui.account.day"}, {&a.Limits.PerSession, f.session, "ui.account.session"},
		{&a.Limits.Connections, f.connections, "ui.account.connections"}} {
		text := strings.TrimSpace(n.from.Text)
		v, err := strconv.Atoi(text)
		if text == "" {
			v, err = 0, nil
		}
		if err != nil || v < 0 {
			f.fail(f.w.t.T("ui.account.badnumber", "field", f.w.t.T(n.name), "value", text))
			return a, false
		}
		*n.to = v
	}
	show(f.trouble, false, f.body)
	return a, true
}

func (f *accountForm) fail(text string) {
	f.trouble.SetText(text)
	show(f.trouble, true, f.body)
}

func (f *accountForm) save() {
	a, ok := f.read()
	if !ok {
		return
	}
	secret := strings.ReplaceAll(f.secret.Text, " ", "") // codes are often copied with spaces
	if a.Provider == "" {
		secret = f.secret.Text
	}
	f.w.accounts.save(a, secret, f.secret.Text != "", func(err error) {
		if f.w.needPassphrase(err, f.save) {
			return
		}
		if err != nil {
			f.fail(f.w.t.Error(err))
			return
		}
		f.d.Hide()
	})
}

// doctorDialog examines a stored account.
func (w *Window) doctorDialog(a Account) {
	w.doctor(a.Account, "", func(better model.Account) { w.accounts.save(better, "", false, w.showError) })
}

// doctor examines an account step by step and shows each finding with its fix as it comes.
func (w *Window) doctor(a model.Account, secret string, apply func(model.Account)) {
	t := w.t
	list := container.NewVBox()
	busy := widget.NewActivity()
	busy.Start()
	state := widget.NewLabel(t.T("ui.doctor.running"))
	ctx, stop := context.WithCancel(w.tasks.ctx)
	var d *popup
	better := primary(t.T("ui.doctor.apply"), nil, nil)
	better.Hide()
	d = w.popup(t.T("ui.doctor.title", "name", a.Name), container.NewBorder(container.NewHBox(busy, state), nil, nil, nil, container.NewVScroll(list)),
		better, widget.NewButton(t.T("ui.close"), func() { d.Hide() }))
	d.SetOnClosed(stop)
	w.fit(d, 620, 480)
	line := func(c DoctorLine) {
		icon := map[string]fyne.Resource{
			"pass": theme.NewSuccessThemedResource(theme.ConfirmIcon()), "warn": theme.NewWarningThemedResource(theme.WarningIcon()),
			"fail": theme.NewErrorThemedResource(theme.CancelIcon())}[c.Status]
		if icon == nil {
			icon = theme.InfoIcon()
		}
		name := c.Name
		if t.Has("doctor." + name) {
			name = t.T("doctor." + name)
		}
		text := name + ": " + t.Args(c.Key+".what", c.Args)
		if t.Has(c.Key + ".do") {
			text += "\n" + t.Args(c.Key+".do", c.Args)
		}
		label := wrapped(text)
		label.Selectable = true
		list.Add(container.NewBorder(nil, nil, container.NewVBox(container.NewPadded(widget.NewIcon(icon))), nil, label))
	}
	background(w.tasks, func(context.Context) (DoctorReport, error) {
		return w.svc.TestAccount(ctx, a, secret, func(c DoctorLine) { w.tasks.Do(func() { line(c) }) })
	}, func(r DoctorReport, err error) {
		busy.Stop()
		busy.Hide()
		switch {
		case w.needPassphrase(err, func() {
			d.Hide()
			w.doctor(a, secret, apply)
		}):
		case err != nil:
			state.SetText(t.Error(err))
		case r.OK:
			state.SetText(t.T("ui.doctor.ok"))
		default:
			state.SetText(t.T("ui.doctor.bad"))
		}
		if r.Better != nil {
			better.OnTapped = func() {
				d.Hide()
				apply(*r.Better)
			}
			better.Show()
		}
	})
}
