package app

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"hongyan/app/diagnose"
	"hongyan/app/model"
	"hongyan/app/oauth"
	"hongyan/app/provider"
	"hongyan/smtpx"
)

// SignInInfo is how an account can sign in at its provider.
type SignInInfo struct {
	Provider    string // key
	Name        string // as the user knows it
	ClientID    string // the one that is set; "" for none, then the user has to give one
	NeedsSecret bool   // a client of this provider has a secret beside the id
	HasSecret   bool   // one is stored
	RegisterURL string // where a client id is made
	Device      bool   // on another device too
}

// SignInOptions say how a sign-in is done. Exactly one of Open and Device is set.
type SignInOptions struct {
	// ClientID is taken instead of the one that is set, and kept with the account; with none set yet, as that of the
	// provider too. ClientSecret belongs to it.
	ClientID, ClientSecret string
	Open                   func(url string) error // shows a page in the browser of this machine
	Device                 func(oauth.DeviceCode) // tells the user where to enter which code
	// Pasted, with Open, brings the address of the last page where the browser is on another machine; it may be nil.
	Pasted <-chan string
}

// signIns are the sources of access tokens of this process, by account.
type signIns struct {
	mu sync.Mutex
	m  map[int64]*oauth.Source
}

func signInKey(id int64) string           { return "oauth/" + strings.TrimPrefix(secretKey(id), "account/") }
func clientKey(providerKey string) string { return "oauth-client/" + providerKey }

// signInProvider finds where an account signs in, with the addresses that the settings change:
// oauth.<provider>.auth_url, .token_url and .device_url.
func (a *App) signInProvider(ctx context.Context, acct *model.Account) (oauth.Provider, error) {
	p, ok := oauth.ForPreset(acct.Provider)
	if preset, known := provider.ForHost(acct.Host); !ok && known {
		p, ok = oauth.ForPreset(preset.Key)
	}
	if !ok {
		host := acct.Host
		if preset, known := provider.ByKey(acct.Provider); known && host == "" {
			host = preset.Host // of an account that is still to be stored
		}
		return p, model.E(model.ESignInNotOffers, nil, "host", host)
	}
	set := func(what string) string { return a.Setting(ctx, "oauth."+p.Key+"."+what) }
	return p.With(set("auth_url"), set("token_url"), set("device_url"))
}

// SignInInfo tells how an account, stored or not, can sign in. ESignInNotOffers where it cannot.
func (a *App) SignInInfo(ctx context.Context, acct model.Account) (SignInInfo, error) {
	p, err := a.signInProvider(ctx, &acct)
	if err != nil {
		return SignInInfo{}, err
	}
	c, err := a.signInClient(ctx, p, acct.ID)
	if model.CodeOf(err) == model.ENeedPhrase {
		err = nil // the id is no secret: it is shown all the same
	}
	return SignInInfo{Provider: p.Key, Name: p.Name, ClientID: c.ID, NeedsSecret: p.Secret, HasSecret: c.Secret != "",
		RegisterURL: p.Register, Device: p.DeviceURL != ""}, err
}

// SetSignInClient sets the client that accounts of a provider sign in with from now on; id "" forgets it. Accounts
// that are signed in keep theirs.
func (a *App) SetSignInClient(ctx context.Context, providerKey, id, secret string) error {
	if _, ok := oauth.ByKey(providerKey); !ok {
		return invalid("provider", providerKey)
	}
	id, secret = strings.TrimSpace(id), strings.TrimSpace(secret)
	if id == "" || secret == "" {
		if err := a.secrets.Remove(clientKey(providerKey)); err != nil {
			return err
		}
	} else if err := a.secrets.Set(clientKey(providerKey), secret); err != nil {
		return err
	}
	return a.store.SetSetting(ctx, "oauth."+providerKey+".client_id", id)
}

// signInClient is the client to sign in with: that of the setting, else the one that the account used before.
func (a *App) signInClient(ctx context.Context, p oauth.Provider, id int64) (oauth.Client, error) {
	c := oauth.Client{ID: a.Setting(ctx, "oauth."+p.Key+".client_id")}
	if c.ID != "" {
		secret, _, err := a.secrets.Get(clientKey(p.Key))
		c.Secret = secret
		return c, err
	}
	if id == 0 {
		return c, nil
	}
	g, ok, err := a.grant(id)
	if ok && g.Provider == p.Key {
		c = oauth.Client{ID: g.ClientID, Secret: g.ClientSecret}
	}
	return c, err
}

// grant reads what the last sign-in of an account left.
func (a *App) grant(id int64) (oauth.Grant, bool, error) {
	s, ok, err := a.secrets.Get(signInKey(id))
	if err != nil || !ok {
		return oauth.Grant{}, false, err
	}
	g, ok := oauth.DecodeGrant(s)
	return g, ok, nil
}

// SignIn signs a stored account in at its provider; from then on it logs in with tokens, and an account that was
// stopped may try again. It returns when the user has answered; see oauth.Flow for the errors, ESignInNotOffers for an
// account whose provider has no sign-in.
func (a *App) SignIn(ctx context.Context, accountID int64, o SignInOptions) error {
	acct, err := a.store.Account(ctx, accountID)
	if err != nil {
		return err
	}
	p, err := a.signInProvider(ctx, acct)
	if err != nil {
		return err
	}
	if a.secrets.NeedsPassphrase() { // better now than when the user has been through it all
		return model.E(model.ENeedPhrase, nil)
	}
	c, err := a.signInClient(ctx, p, accountID)
	if err != nil {
		return err
	}
	first := c.ID == ""
	if id := strings.TrimSpace(o.ClientID); id != "" {
		c = oauth.Client{ID: id, Secret: strings.TrimSpace(o.ClientSecret)}
	}
	flow := &oauth.Flow{Provider: p, Client: c, User: acct.User, Pasted: o.Pasted}
	var g oauth.Grant
	var tok *oauth.Token
	if o.Device != nil {
		g, tok, err = flow.Device(ctx, o.Device)
	} else {
		g, tok, err = flow.Browser(ctx, o.Open)
	}
	if err != nil {
		return err
	}
	if err := a.secrets.Set(signInKey(accountID), g.Encode()); err != nil {
		return err
	}
	if first {
		if err := a.SetSignInClient(ctx, p.Key, c.ID, c.Secret); err != nil {
			return err
		}
	}
	if acct.Auth != model.AuthOAuth2 {
		acct.Auth = model.AuthOAuth2
		if err := a.SaveAccount(ctx, acct, "", false); err != nil {
			return err
		}
	}
	a.tokens.put(accountID, a.source(accountID, p, g, tok))
	return a.WakeAccount(ctx, accountID)
}

// SignOut forgets what the sign-in of an account left. The permission itself is withdrawn on the provider's page.
func (a *App) SignOut(accountID int64) error {
	a.tokens.put(accountID, nil)
	return a.secrets.Remove(signInKey(accountID))
}

func (a *App) source(id int64, p oauth.Provider, g oauth.Grant, tok *oauth.Token) *oauth.Source {
	s := oauth.NewSource(p, g, tok, func(g oauth.Grant) error { return a.secrets.Set(signInKey(id), g.Encode()) })
	s.Now = a.now
	return s
}

func (t *signIns) put(id int64, s *oauth.Source) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.m == nil {
		t.m = map[int64]*oauth.Source{}
	}
	if t.m[id] = s; s == nil {
		delete(t.m, id)
	}
}

// tokenSource finds or makes the source of an account's tokens. ESignIn when it is not signed in.
func (a *App) tokenSource(ctx context.Context, acct *model.Account) (*oauth.Source, error) {
	a.tokens.mu.Lock()
	defer a.tokens.mu.Unlock()
	if s := a.tokens.m[acct.ID]; s != nil {
		return s, nil
	}
	g, ok, err := a.grant(acct.ID)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, model.E(model.ESignIn, nil, "account", acct.Name)
	}
	p, err := a.signInProvider(ctx, acct)
	if err != nil {
		return nil, err
	}
	if p.Key != g.Provider { // the account was moved to another provider
		return nil, model.E(model.ESignIn, nil, "account", acct.Name)
	}
	s := a.source(acct.ID, p, g, nil)
	if a.tokens.m == nil {
		a.tokens.m = map[int64]*oauth.Source{}
	}
	a.tokens.m[acct.ID] = s
	return s, nil
}

// tokenLogin is one login with a token, and what is known of it afterwards.
type tokenLogin struct {
	src     *oauth.Source
	token   string
	renewed bool
}

// token is the smtpx.Auth.Token of an account.
func (a *App) token(acct *model.Account) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		src, err := a.tokenSource(ctx, acct)
		if err != nil {
			return "", err
		}
		tok, _, err := src.Token(ctx)
		return tok, err
	}
}

// give is smtpx.Auth.Token.
func (l *tokenLogin) give(ctx context.Context) (string, error) {
	var err error
	l.token, l.renewed, err = l.src.Token(ctx)
	return l.token, err
}

// dialSignedIn opens a session with an access token. A token may be void before its time (withdrawn, or by a setting of
// the company): when the server refuses one that was in hand, a new one is tried, once.
func (a *App) dialSignedIn(ctx context.Context, acct *model.Account, cfg *smtpx.Config) (*smtpx.Session, error) {
	src, err := a.tokenSource(ctx, acct)
	if err != nil {
		return nil, err
	}
	for {
		l := &tokenLogin{src: src}
		cfg.Auth = &smtpx.Auth{User: acct.User, Token: l.give}
		s, err := smtpx.Dial(ctx, cfg)
		if err == nil || !tokenRefused(err) {
			return s, err
		}
		src.Forget(l.token)
		if l.renewed {
			return nil, model.E(model.ESignInRejected, err, "account", acct.Name, "user", acct.User, "reply", replyOf(err))
		}
	}
}

// tokenRefused says whether a server refused the token itself. Other refusals at the login, such as 5.7.139 where SMTP
// is switched off for a tenant, have causes that the rules know better.
func tokenRefused(err error) bool {
	e, ok := errors.AsType[*smtpx.Error](err)
	return ok && e.Phase == smtpx.PhaseAuth && e.Reply != nil && e.Reply.Code == 535 &&
		slices.Contains([]string{"", "5.7.0", "5.7.3", "5.7.8"}, e.Reply.Enhanced)
}

func replyOf(err error) string {
	if e, ok := errors.AsType[*smtpx.Error](err); ok && e.Reply != nil {
		return strings.Join(strings.Fields(e.Reply.String()), " ")
	}
	return ""
}

// ExplainClock says why an account rests or was stopped, and what to do. Where TextKey is "" the sentence is that of the
// error code: "error." + Code, with Args. ok is false for an account that is fit.
func (a *App) ExplainClock(v AccountView) (d diagnose.Diagnosis, ok bool) {
	c := v.Clock
	if c.State != model.ClockStopped && c.State != model.ClockResting {
		return d, false
	}
	if code, own := diagnose.Recall(c.Reply); own && c.Code == 0 {
		return diagnose.ExplainOwn(model.E(code, nil, "account", v.Name, "user", v.User, "host", v.Host)), true
	}
	in := diagnose.Input{Provider: v.Provider, Step: c.Step, Code: c.Code, Enhanced: c.Enhanced, Text: c.Reply, Host: v.Host, Port: v.Port, TLS: v.TLS}
	if c.Code == 0 {
		in.Err, in.Text = errors.New(c.Reply), ""
	}
	return diagnose.Explain(in), true
}
