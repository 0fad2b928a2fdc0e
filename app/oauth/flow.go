package oauth

import (
	"context"
	"crypto/rand"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"hongyan/app/model"
)

// Flow is one sign-in.
type Flow struct {
	Provider Provider
	Client   Client
	User     string            // the mailbox, offered to the user on the page; "" for none
	RT       http.RoundTripper // nil: http.DefaultTransport

	// Pasted brings addresses that the user copied from a browser on another machine: there the last page cannot be
	// reached, but its address has the answer. nil where the browser is on this one.
	Pasted <-chan string

	// Wait pauses between two questions of the device flow; nil waits for d or the end of ctx.
	Wait func(ctx context.Context, d time.Duration) error
}

// patience is how long a user may take in the browser, unless the context ends before.
const patience = 10 * time.Minute

func (f *Flow) check() *model.Error {
	if f.Client.ID == "" {
		return model.E(model.ESignInNoClient, nil, "provider", f.Provider.Name, "url", f.Provider.Register)
	}
	return nil
}

// granted turns the server's answer into what is kept, and the first access token.
func (f *Flow) granted(tok *oauth2.Token, asked time.Time) (Grant, *Token, error) {
	if lacking := f.lacking(tok); lacking != "" {
		return Grant{}, nil, model.E(model.ESignInScope, nil, "provider", f.Provider.Name, "scope", lacking)
	}
	if tok.RefreshToken == "" {
		return Grant{}, nil, model.E(model.ESignInRefused, nil, "provider", f.Provider.Name, "detail", "no refresh token")
	}
	g := Grant{Provider: f.Provider.Key, ClientID: f.Client.ID, ClientSecret: f.Client.Secret, RefreshToken: tok.RefreshToken}
	return g, newToken(tok, asked), nil
}

// lacking is the first scope that was asked for and not granted: on Google's page each can be unticked. A server
// that does not name the scopes granted them all (RFC 6749 §5.1).
func (f *Flow) lacking(tok *oauth2.Token) string {
	text, _ := tok.Extra("scope").(string)
	if text == "" {
		return ""
	}
	got := strings.Fields(strings.ToLower(text))
	for _, s := range f.Provider.Scopes {
		if s != "offline_access" && !slices.Contains(got, strings.ToLower(s)) {
			return s
		}
	}
	return ""
}

// DeviceCode is what the user is shown: they open URL on any device and enter Code there, before Until.
type DeviceCode struct {
	URL   string
	Code  string
	Until time.Time // zero when the server does not say
}

const (
	deviceGrant  = "urn:ietf:params:oauth:grant-type:device_code" //#nosec G101 -- a name, RFC 8628 §3.4
	pollDefault  = 5 * time.Second                                // RFC 8628 §3.2
	pollSlower   = 5 * time.Second                                // RFC 8628 §3.5
	pollFailures = 5                                              // in a row, before the network is given up
)

// Device signs in on another device (RFC 8628): show tells the user where to enter which code. ESignInNoDevice where
// the provider has no such flow for mail.
func (f *Flow) Device(ctx context.Context, show func(DeviceCode)) (Grant, *Token, error) {
	if err := f.check(); err != nil {
		return Grant{}, nil, err
	}
	if f.Provider.DeviceURL == "" {
		return Grant{}, nil, model.E(model.ESignInNoDevice, nil, "provider", f.Provider.Name)
	}
	ctx, cancel := context.WithTimeout(withClient(ctx, httpClient(f.RT)), patience)
	defer cancel()
	cfg := f.Provider.config(f.Client)
	secrets := hidden{f.Client.Secret}
	da, err := cfg.DeviceAuth(ctx)
	if err != nil {
		return Grant{}, nil, explain(ctx, f.Provider, err, secrets)
	}
	if da.DeviceCode == "" || da.UserCode == "" || !safe(da.VerificationURI) {
		return Grant{}, nil, model.E(model.ESignInServer, nil, "provider", f.Provider.Name, "host", f.Provider.DeviceURL, "detail", "no device code")
	}
	secrets = append(secrets, da.DeviceCode)
	if !da.Expiry.IsZero() {
		ctx, cancel = context.WithDeadline(ctx, da.Expiry)
		defer cancel()
	}
	show(DeviceCode{URL: da.VerificationURI, Code: da.UserCode, Until: da.Expiry})
	every := time.Duration(da.Interval) * time.Second
	if every <= 0 {
		every = pollDefault
	}
	for failures := 0; ; {
		if err := f.wait(ctx, every); err != nil {
			return Grant{}, nil, ended(err)
		}
		asked := time.Now()
		// Exchange with the parameters of RFC 8628 §3.4: DeviceAccessToken would end at the first lost packet.
		tok, err := cfg.Exchange(ctx, "", oauth2.SetAuthURLParam("grant_type", deviceGrant), oauth2.SetAuthURLParam("device_code", da.DeviceCode))
		if err == nil {
			return f.granted(tok, asked)
		}
		switch errorCode(err) {
		case "authorization_pending":
			failures = 0
			continue
		case "slow_down":
			failures = 0
			every += pollSlower
			continue
		}
		e := explain(ctx, f.Provider, err, secrets)
		if failures++; e.Code != model.ESignInServer || failures >= pollFailures {
			return Grant{}, nil, e
		}
		every += pollSlower
	}
}

func (f *Flow) wait(ctx context.Context, d time.Duration) error {
	if f.Wait != nil {
		return f.Wait(ctx, d)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// newState is the random value that ties the redirect to the request (RFC 6749 §10.12).
func newState() string { return rand.Text() }
