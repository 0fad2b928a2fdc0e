package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/term"

	"hongyan/app"
	"hongyan/app/diagnose"
	"hongyan/app/model"
)

func accountAdd(c *cli) func(context.Context) (int, error) {
	var a model.Account
	var tls, profile, auth string
	var stdinPassword, noAuth bool
	f := c.flags
	f.StringVar(&a.Name, "name", "", "the account's name")
	f.StringVar(&a.From, "from", "", "the address that letters come from")
	f.StringVar(&a.FromName, "from-name", "", "the name beside it")
	f.StringVar(&a.Provider, "provider", "", "qq, 163, gmail, ...; found by the address when left out")
	f.StringVar(&a.Host, "host", "", "the server")
	f.IntVar(&a.Port, "port", 0, "its port")
	f.StringVar(&tls, "tls", "", "implicit, starttls or none")
	f.StringVar(&a.User, "user", "", "the login, when it is not the address")
	f.BoolVar(&stdinPassword, "password-stdin", false, "read the password or authorization code from the standard input")
	f.StringVar(&auth, "auth", "", "password, oauth2 (sign in at the provider: account signin) or none")
	f.BoolVar(&noAuth, "no-auth", false, "a server that asks for no login; the same as --auth none")
	f.StringVar(&profile, "profile", "", "consumer or relay")
	f.IntVar(&a.Limits.Connections, "connections", 0, "connections at a time")
	f.IntVar(&a.Limits.PerMinute, "per-minute", 0, "letters a minute")
	f.IntVar(&a.Limits.PerHour, "per-hour", 0, "letters an hour")
	f.IntVar(&a.Limits.PerDay, "per-day", 0, "letters in 24 hours")
	f.IntVar(&a.Limits.PerSession, "per-session", 0, "letters over one connection")
	f.DurationVar(&a.Limits.GapMin, "gap-min", 0, "shortest pause between two letters")
	f.DurationVar(&a.Limits.GapMax, "gap-max", 0, "longest pause between two letters")
	f.StringVar(&a.CAFile, "ca", "", "a PEM file of certificates to trust for this server")
	f.StringVar(&a.Fingerprint, "fingerprint", "", "SHA-256 of the server's certificate, hex")
	f.BoolVar(&a.LegacyTLS, "legacy-tls", false, "allow RSA key exchange, for old servers (weaker)")
	f.BoolVar(&a.AllowPlaintext, "allow-plaintext", false, "allow --tls none to another machine (dangerous)")
	return func(ctx context.Context) (int, error) {
		if err := c.names(0, ""); err != nil {
			return 0, err
		}
		if a.From == "" {
			return 0, usage("--from ADDR is needed")
		}
		a.TLS, a.Profile, a.Auth = model.TLSMode(tls), model.Profile(profile), model.AuthKind(auth)
		switch {
		case auth != "" && a.Auth != model.AuthPassword && a.Auth != model.AuthOAuth2 && a.Auth != model.AuthNone:
			return 0, usage("--auth is password, oauth2 or none, not " + auth)
		case noAuth && auth != "" && a.Auth != model.AuthNone, a.Auth == model.AuthOAuth2 && stdinPassword:
			return 0, usage("these flags do not go together: --auth " + auth + " and --no-auth or --password-stdin")
		case noAuth:
			a.Auth = model.AuthNone
		}
		if a.Limits.GapMax == 0 {
			a.Limits.GapMax = a.Limits.GapMin
		}
		if a.CAFile != "" {
			if err := app.CheckCAFile(a.CAFile); err != nil {
				return 0, err
			}
		}
		if a.Host != "" && a.Auth == "" && !stdinPassword && a.User == "" {
			a.Auth = model.AuthNone
		}
		h, err := c.open(ctx, false)
		if err != nil {
			return 0, err
		}
		if a.Auth == model.AuthOAuth2 {
			if p, ok := h.PresetFor(a.From); ok && a.Provider == "" && a.Host == "" {
				a.Provider = p.Key
			}
			if _, err := h.SignInInfo(ctx, a); err != nil {
				return 0, err
			}
		}
		var secret string
		withSecret := a.Auth != model.AuthNone && a.Auth != model.AuthOAuth2
		if withSecret {
			if secret, err = c.password(stdinPassword); err != nil {
				return 0, err
			}
			if err := c.unlock(h); err != nil {
				return 0, err
			}
			if a.Auth == "" {
				a.Auth = model.AuthPassword // what was given is one
			}
		}
		if err := h.SaveAccount(ctx, &a, secret, withSecret); err != nil {
			return 0, err
		}
		text := "ctl.account.added"
		if a.Auth == model.AuthOAuth2 {
			text = "ctl.signin.next"
		}
		c.print(accountJSON(app.AccountView{Account: a, HasSecret: withSecret}),
			c.texts.T(text, "name", a.Name, "host", a.Host, "port", strconv.Itoa(a.Port), "tls", string(a.TLS)))
		return exitDone, nil
	}
}

// password reads a secret from the standard input, or asks for it on a terminal.
func (c *cli) password(fromStdin bool) (string, error) {
	if !fromStdin {
		return c.askSecret(c.texts.T("ctl.password"))
	}
	line, err := bufio.NewReader(c.stdin).ReadString('\n')
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return "", usage(fmt.Sprintf("no password came from the standard input (%v)", err))
	}
	return line, nil
}

// askSecret asks on the terminal without echo. Where there is none a script must give it another way.
func (c *cli) askSecret(prompt string) (string, error) {
	in, ok := c.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		if strings.HasPrefix(prompt, "HONGYAN_PASSPHRASE") {
			return "", model.E(model.ENeedPhrase, nil)
		}
		return "", usage("the password: use --password-stdin, or run on a terminal")
	}
	_, _ = fmt.Fprint(c.errOut, prompt)
	b, err := term.ReadPassword(int(in.Fd()))
	_, _ = fmt.Fprintln(c.errOut)
	if err != nil {
		return "", usage(err.Error())
	}
	return string(b), nil
}

// accountLine is an account as scripts see it. It has no place for a secret.
type accountLine struct {
	Name     string `json:"name"`
	From     string `json:"from"`
	Provider string `json:"provider"`
	Host     string `json:"host"`
	Port     int    `json:"port"`
	TLS      string `json:"tls"`
	User     string `json:"user"`
	Profile  string `json:"profile"`
	State    string `json:"state"`
	Until    string `json:"until,omitempty"`
	Reply    string `json:"reply,omitempty"`
	Secret   bool   `json:"has_secret"`
	SentHour int    `json:"sent_hour"`
	SentDay  int    `json:"sent_day"`
}

func accountJSON(v app.AccountView) accountLine {
	l := accountLine{Name: v.Name, From: v.From, Provider: v.Provider, Host: v.Host, Port: v.Port, TLS: string(v.TLS), User: v.User,
		Profile: string(v.Profile), State: string(v.Clock.State), Reply: v.Clock.Reply, Secret: v.HasSecret, SentHour: v.SentHour, SentDay: v.SentDay}
	if l.State == "" {
		l.State = string(model.ClockFit)
	}
	if v.Clock.State == model.ClockResting {
		l.Until = v.Clock.Until.Format("2006-01-02T15:04:05Z07:00")
	}
	return l
}

func showAccount(_ context.Context, c *cli, _ *app.App, v app.AccountView) error {
	l := accountJSON(v)
	c.print(l, c.texts.T("ctl.account.line", "name", l.Name, "from", l.From, "host", l.Host, "port", strconv.Itoa(l.Port),
		"state", c.texts.T("ctl.clock."+l.State), "day", strconv.Itoa(l.SentDay)))
	return nil
}

func accountRemove(c *cli) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		h, a, err := one(ctx, c, false, "the account's name", (*app.App).AccountByName)
		if err != nil {
			return 0, err
		}
		if a.Auth != model.AuthNone {
			if err := c.unlock(h); err != nil {
				return 0, err
			}
		}
		if err := h.RemoveAccount(ctx, a.ID); err != nil {
			return 0, err
		}
		c.print(map[string]string{"removed": a.Name}, c.texts.T("ctl.account.removed", "name", a.Name))
		return exitDone, nil
	}
}

func accountTest(c *cli) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		h, a, err := one(ctx, c, true, "the account's name", (*app.App).AccountByName)
		if err != nil {
			return 0, err
		}
		if a.Auth != model.AuthNone {
			if err := c.unlock(h); err != nil {
				return 0, err
			}
		}
		report, err := h.TestAccount(ctx, *a, "", func(ch diagnose.Check) {
			c.print(ch, c.checkLine(ch))
		})
		if err != nil {
			return 0, err
		}
		end := "ctl.doctor.ok"
		if !report.OK {
			end = "ctl.doctor.bad"
		}
		c.print(map[string]bool{"ok": report.OK}, c.texts.T(end))
		if b := report.Better; b != nil && !c.json {
			_, _ = fmt.Fprintln(c.out, c.texts.T("ctl.doctor.better", "host", b.Host, "port", strconv.Itoa(b.Port), "tls", string(b.TLS), "from", b.From))
		}
		if !report.OK {
			return exitStopped, nil
		}
		return exitDone, nil
	}
}

// checkLine is a finding of the doctor in one line, with its fix.
func (c *cli) checkLine(ch diagnose.Check) string {
	line := "[" + string(ch.Status) + "] " + c.texts.T("doctor."+ch.Name) + ": " + c.texts.Args(ch.Key+".what", ch.Args)
	if c.texts.Has(ch.Key + ".do") {
		line += " " + c.texts.Args(ch.Key+".do", ch.Args)
	}
	return strings.ReplaceAll(line, "\n", " ")
}
