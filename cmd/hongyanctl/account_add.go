package main

import (
	"context"
	"flag"
	"slices"
	"strconv"
	"strings"

	"hongyan/app"
	"hongyan/app/model"
)

// accountFlags are the flags that say what an account is like.
type accountFlags struct {
	tls, profile, auth    string
	stdinPassword, noAuth bool
}

// declare declares them on f, for a.
func (x *accountFlags) declare(f *flag.FlagSet, a *model.Account) {
	f.StringVar(&a.Name, "name", a.Name, "flag.account.name")
	f.StringVar(&a.From, "from", a.From, "flag.account.from")
	f.StringVar(&a.FromName, "from-name", a.FromName, "flag.account.from-name")
	f.StringVar(&a.Provider, "provider", a.Provider, "flag.account.provider")
	f.StringVar(&a.Host, "host", a.Host, "flag.account.host")
	f.IntVar(&a.Port, "port", a.Port, "flag.account.port")
	f.StringVar(&x.tls, "tls", string(a.TLS), "flag.account.tls")
	f.StringVar(&a.User, "user", a.User, "flag.account.user")
	f.BoolVar(&x.stdinPassword, "password-stdin", false, "flag.account.password-stdin")
	f.StringVar(&x.auth, "auth", string(a.Auth), "flag.account.auth")
	f.BoolVar(&x.noAuth, "no-auth", false, "flag.account.no-auth")
	f.StringVar(&x.profile, "profile", string(a.Profile), "flag.account.profile")
	f.IntVar(&a.Limits.Connections, "connections", a.Limits.Connections, "flag.account.connections")
	f.IntVar(&a.Limits.PerMinute, "per-minute", a.Limits.PerMinute, "flag.account.per-minute")
	f.IntVar(&a.Limits.PerHour, "per-hour", a.Limits.PerHour, "flag.account.per-hour")
	f.IntVar(&a.Limits.PerDay, "per-day", a.Limits.PerDay, "flag.account.per-day")
	f.IntVar(&a.Limits.PerSession, "per-session", a.Limits.PerSession, "flag.account.per-session")
	f.DurationVar(&a.Limits.GapMin, "gap-min", a.Limits.GapMin, "flag.account.gap-min")
	f.DurationVar(&a.Limits.GapMax, "gap-max", a.Limits.GapMax, "flag.account.gap-max")
	f.StringVar(&a.CAFile, "ca", a.CAFile, "flag.account.ca")
	f.StringVar(&a.Fingerprint, "fingerprint", a.Fingerprint, "flag.account.fingerprint")
	f.BoolVar(&a.LegacyTLS, "legacy-tls", a.LegacyTLS, "flag.account.legacy-tls")
	f.BoolVar(&a.AllowPlaintext, "allow-plaintext", a.AllowPlaintext, "flag.account.allow-plaintext")
}

// choice refuses a value that a flag does not know, and says which it knows.
func choice(name, value string, known ...string) error {
	if value == "" || slices.Contains(known, value) {
		return nil
	}
	return usage("--" + name + " is " + strings.Join(known, ", ") + ", not " + value)
}

// apply brings what the flags say to the account, and refuses what does not fit before anybody is asked for a password.
func (x *accountFlags) apply(a *model.Account) error {
	for _, err := range []error{
		choice("tls", x.tls, string(model.TLSImplicit), string(model.TLSStart), string(model.TLSNone)),
		choice("profile", x.profile, string(model.ProfileConsumer), string(model.ProfileRelay)),
		choice("auth", x.auth, string(model.AuthPassword), string(model.AuthOAuth2), string(model.AuthNone)),
		choice("provider", a.Provider, app.ProviderKeys()...),
	} {
		if err != nil {
			return err
		}
	}
	a.TLS, a.Profile, a.Auth = model.TLSMode(x.tls), model.Profile(x.profile), model.AuthKind(x.auth)
	switch {
	case x.noAuth && x.auth != "" && a.Auth != model.AuthNone, a.Auth == model.AuthOAuth2 && x.stdinPassword:
		return usage("these flags do not go together: --auth " + x.auth + " and --no-auth or --password-stdin")
	case x.noAuth:
		a.Auth = model.AuthNone
	}
	if a.Limits.GapMax == 0 {
		a.Limits.GapMax = a.Limits.GapMin
	}
	if a.CAFile != "" {
		if err := app.CheckCAFile(a.CAFile); err != nil {
			return err
		}
	}
	return app.CheckAccount(*a)
}

func accountAdd(c *cli) func(context.Context) (int, error) {
	var a model.Account
	var x accountFlags
	x.declare(c.flags, &a)
	return func(ctx context.Context) (int, error) {
		if err := c.names(0, ""); err != nil {
			return 0, err
		}
		if a.From == "" {
			return 0, usage("--from ADDR is needed")
		}
		if err := x.apply(&a); err != nil {
			return 0, err
		}
		if a.Host != "" && a.Auth == "" && !x.stdinPassword && a.User == "" {
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
			if secret, err = c.secret(h, x.stdinPassword); err != nil {
				return 0, err
			}
			if a.Auth == "" {
				a.Auth = model.AuthPassword // what was given is one
			}
		}
		if err := h.SaveAccount(ctx, &a, secret, withSecret); err != nil {
			return 0, err
		}
		c.stored(&a, withSecret)
		return exitDone, nil
	}
}

// accountEdit changes of an account what flags name, and lets it send again where it was stopped: the user has acted.
func accountEdit(c *cli) func(context.Context) (int, error) {
	var x accountFlags
	x.declare(c.flags, new(model.Account))
	ask := c.flags.Bool("password", false, "flag.account.password")
	return func(ctx context.Context) (int, error) {
		h, a, err := one(ctx, c, false, "the account's name", (*app.App).AccountByName)
		if err != nil {
			return 0, err
		}
		// The flags are read once more, onto what is stored.
		onto := flag.NewFlagSet("", flag.ContinueOnError)
		x := accountFlags{}
		x.declare(onto, a)
		given := map[string]bool{}
		c.flags.Visit(func(f *flag.Flag) {
			given[f.Name] = true
			if onto.Lookup(f.Name) != nil && err == nil {
				err = onto.Set(f.Name, f.Value.String())
			}
		})
		if err != nil {
			return 0, err
		}
		if !given["gap-max"] && a.Limits.GapMax < a.Limits.GapMin {
			a.Limits.GapMax = a.Limits.GapMin
		}
		if given["no-auth"] {
			x.auth = ""
		}
		withSecret := *ask || x.stdinPassword
		if withSecret && !given["auth"] {
			x.auth = string(model.AuthPassword) // what is given is one
		}
		if err := x.apply(a); err != nil {
			return 0, err
		}
		var secret string
		if withSecret {
			if secret, err = c.secret(h, x.stdinPassword); err != nil {
				return 0, err
			}
		}
		if err := h.SaveAccount(ctx, a, secret, withSecret); err != nil {
			return 0, err
		}
		if err := h.WakeAccount(ctx, a.ID); err != nil {
			return 0, err
		}
		v, err := viewOf(ctx, h, a.ID)
		if err != nil {
			return 0, err
		}
		c.stored(a, v.HasSecret)
		return exitDone, nil
	}
}

// secret gets a password, and what it is to be sealed with.
func (c *cli) secret(h *app.App, stdin bool) (string, error) {
	secret, err := c.password(stdin)
	if err != nil {
		return "", err
	}
	return secret, c.unlock(h)
}

// stored tells that an account is stored, and what comes next.
func (c *cli) stored(a *model.Account, withSecret bool) {
	text := "ctl.account.added"
	if a.Auth == model.AuthOAuth2 {
		text = "ctl.signin.next"
	}
	c.print(accountJSON(app.AccountView{Account: *a, HasSecret: withSecret}),
		c.texts.T(text, "name", a.Name, "host", a.Host, "port", strconv.Itoa(a.Port), "tls", string(a.TLS)))
}
