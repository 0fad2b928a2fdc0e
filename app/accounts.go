package app

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"hongyan/app/contacts"
	"hongyan/app/model"
	"hongyan/app/provider"
)

// AccountView is an account with what is known of it at present.
type AccountView struct {
	model.Account
	Clock             model.Clock
	HasSecret         bool
	SentHour, SentDay int // attempts in the last hour and the last 24 hours
}

// Presets lists the providers that Hongyan knows.
func (a *App) Presets() []model.Preset { return provider.All() }

// PresetFor finds the provider of an address.
func (a *App) PresetFor(addr string) (model.Preset, bool) { return provider.ForAddress(addr) }

// Accounts lists every account, ordered by name, with its clock and what it sent.
func (a *App) Accounts(ctx context.Context) ([]AccountView, error) {
	accounts, err := a.store.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	views := make([]AccountView, len(accounts))
	for i, acct := range accounts {
		if views[i], err = a.view(ctx, acct); err != nil {
			return nil, err
		}
	}
	return views, nil
}

func (a *App) view(ctx context.Context, acct model.Account) (AccountView, error) {
	v := AccountView{Account: acct, HasSecret: acct.Auth == model.AuthNone || a.secrets.Has(loginKey(&acct))}
	var err error
	if v.Clock, err = a.store.Clock(ctx, acct.ID); err != nil {
		return v, err
	}
	now := a.now()
	sent, err := a.store.RecentAttempts(ctx, acct.ID, now.Add(-24*time.Hour))
	if err != nil {
		return v, err
	}
	v.SentDay = len(sent)
	for i := len(sent) - 1; i >= 0 && sent[i].After(now.Add(-time.Hour)); i-- {
		v.SentHour++
	}
	return v, nil
}

// AccountByName finds an account. ENotFound when there is none of that name.
func (a *App) AccountByName(ctx context.Context, name string) (*model.Account, error) {
	return a.store.AccountByName(ctx, name)
}

// SaveAccount checks, completes and stores an account; a new one (ID 0) gets its ID. With setSecret the
// password is replaced by secret, "" forgetting it; an account that signed in at its provider takes the password
// from then on. EInvalid names the field that cannot be used.
func (a *App) SaveAccount(ctx context.Context, acct *model.Account, secret string, setSecret bool) error {
	if err := complete(acct); err != nil {
		return err
	}
	if setSecret && secret != "" && acct.Auth == model.AuthOAuth2 {
		acct.Auth = model.AuthPassword // what was given is one
	}
	isNew := acct.ID == 0
	if isNew {
		acct.CreatedAt = a.now()
	}
	acct.UpdatedAt = a.now()
	if err := a.store.SaveAccount(ctx, acct); err != nil {
		return err
	}
	a.forget(acct.ID)
	a.tokens.put(acct.ID, nil) // it may be another provider's now
	a.lanes.Update(*acct)
	if !setSecret {
		return nil
	}
	var err error
	if secret = cleanSecret(acct.Provider, secret); secret == "" {
		err = a.secrets.Remove(secretKey(acct.ID))
	} else {
		err = a.secrets.Set(secretKey(acct.ID), secret)
	}
	if err == nil {
		// Settings that were refused may be right now: the user has acted.
		return a.WakeAccount(ctx, acct.ID)
	}
	if isNew {
		// An account that cannot log in would only puzzle: the user tries the whole again.
		if undo := a.store.RemoveAccount(ctx, acct.ID); undo != nil {
			return undo
		}
		acct.ID = 0
	}
	return err
}

// CheckAccount says what SaveAccount would refuse of an account, before anybody is asked for its password.
func CheckAccount(acct model.Account) error { return complete(&acct) }

// ProviderKeys are the names of the providers that are known.
func ProviderKeys() []string {
	var keys []string
	for _, p := range provider.All() {
		keys = append(keys, p.Key)
	}
	return keys
}

// RemoveAccount forgets an account and its password. Campaigns keep their history.
func (a *App) RemoveAccount(ctx context.Context, id int64) error {
	if err := a.store.RemoveAccount(ctx, id); err != nil {
		return err
	}
	a.forget(id)
	return errors.Join(a.secrets.Remove(secretKey(id)), a.SignOut(id))
}

// WakeAccount lets an account that rests or was stopped try again now, on the user's word.
func (a *App) WakeAccount(ctx context.Context, id int64) error {
	return a.lanes.Reset(ctx, id)
}

// SecretsNeedPassphrase tells whether UnlockSecrets must be called before a password can be read or stored.
func (a *App) SecretsNeedPassphrase() bool { return a.secrets.NeedsPassphrase() }

// SecretsStored tells whether a sealed file of passwords is there: if not, the passphrase given to UnlockSecrets is
// a new one.
func (a *App) SecretsStored() bool { return a.secrets.HasFile() }

// UnlockSecrets opens the sealed file of passwords. EPassphrase when the passphrase is wrong.
func (a *App) UnlockSecrets(passphrase string) error { return a.secrets.Unlock(passphrase) }

// secret gives the password of an account. ENoSecret when none is stored and one is needed. An account that signs in
// has none: ESignIn when it has not yet.
func (a *App) secret(acct *model.Account) (string, error) {
	switch acct.Auth {
	case model.AuthNone:
		return "", nil
	case model.AuthOAuth2:
		_, ok, err := a.grant(acct.ID)
		if err == nil && !ok {
			err = model.E(model.ESignIn, nil, "account", acct.Name)
		}
		return "", err
	}
	s, ok, err := a.secrets.Get(secretKey(acct.ID))
	if err != nil {
		return "", err
	}
	if !ok {
		return "", model.E(model.ENoSecret, nil, "account", acct.Name)
	}
	return s, nil
}

// loginKey is where the secret is that an account logs in with.
func loginKey(acct *model.Account) string {
	if acct.Auth == model.AuthOAuth2 {
		return signInKey(acct.ID)
	}
	return secretKey(acct.ID)
}

func secretKey(id int64) string { return "account/" + strconv.FormatInt(id, 10) }

// cleanSecret takes off what comes along when a code is copied from a web page: white space round it and, for
// a known provider, inside it (Google shows app passwords as four groups of four).
func cleanSecret(providerKey, s string) string {
	s = strings.TrimSpace(s)
	if _, known := provider.ByKey(providerKey); known && providerKey != "other" {
		s = strings.Join(strings.Fields(s), "")
	}
	return s
}

// complete fills what follows from the address and the provider, and refuses what cannot be used.
func complete(acct *model.Account) error {
	acct.From = strings.TrimSpace(acct.From)
	_, shown, err := contacts.Normalise(acct.From)
	if err != nil {
		return invalid("from", acct.From)
	}
	acct.From = shown
	if acct.Name = strings.TrimSpace(acct.Name); acct.Name == "" {
		acct.Name = acct.From
	}
	if acct.Name, err = named("account", acct.Name); err != nil {
		return err
	}
	if acct.Provider == "" && acct.Host == "" {
		if p, ok := provider.ForAddress(acct.From); ok {
			acct.Provider = p.Key
		}
	}
	if p, ok := provider.ByKey(acct.Provider); ok {
		fillFromPreset(acct, p)
	} else if acct.Provider != "" {
		return invalid("provider", acct.Provider)
	}
	acct.Host = strings.ToLower(strings.TrimSpace(acct.Host))
	switch acct.TLS {
	case "":
		acct.TLS = model.TLSImplicit
	case model.TLSImplicit, model.TLSStart, model.TLSNone:
	default:
		return invalid("tls", string(acct.TLS))
	}
	if acct.Port == 0 {
		acct.Port = map[model.TLSMode]int{model.TLSImplicit: 465, model.TLSStart: 587, model.TLSNone: 25}[acct.TLS]
	}
	if acct.Host == "" || strings.ContainsAny(acct.Host, " /@\r\n\t") {
		return invalid("host", acct.Host)
	}
	if acct.Port < 1 || acct.Port > 65535 {
		return invalid("port", strconv.Itoa(acct.Port))
	}
	if acct.TLS == model.TLSNone && !acct.AllowPlaintext && !IsLoopback(acct.Host) {
		return model.E(model.EPlaintext, nil, "host", acct.Host)
	}
	if acct.Profile == "" {
		acct.Profile = model.ProfileConsumer
	}
	if acct.Profile != model.ProfileConsumer && acct.Profile != model.ProfileRelay {
		return invalid("profile", string(acct.Profile))
	}
	if acct.Auth == "" {
		acct.Auth = model.AuthPassword
	}
	if acct.User = strings.TrimSpace(acct.User); acct.User == "" && acct.Auth != model.AuthNone {
		acct.User = acct.From
	}
	l := acct.Limits
	for field, n := range map[string]int{"connections": l.Connections, "per-minute": l.PerMinute, "per-hour": l.PerHour,
		"per-day": l.PerDay, "per-session": l.PerSession} {
		if n < 0 {
			return invalid(field, strconv.Itoa(n))
		}
	}
	if l.GapMin < 0 || l.GapMax < l.GapMin {
		return invalid("gap", l.GapMin.String()+"-"+l.GapMax.String())
	}
	return nil
}

// fillFromPreset takes from the preset what the user left open. Limits come as a whole or not at all: a set of
// which one is the user's and one ours would be nobody's intention.
func fillFromPreset(acct *model.Account, p model.Preset) {
	if acct.Host == "" {
		acct.Host = p.Host
		if acct.Port == 0 && acct.TLS == "" {
			acct.Port, acct.TLS = p.Port, p.TLS
		}
	}
	if acct.Auth == "" && len(p.Auth) > 0 {
		acct.Auth = p.Auth[0]
	}
	if acct.Limits == (model.Limits{}) && acct.ID == 0 {
		acct.Limits = p.Limits
	}
}

// IsLoopback tells whether a host name or address is this machine: there a session may go without TLS.
func IsLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && net.IP(ip.AsSlice()).IsLoopback()
}
