package oauth

import (
	_ "embed" // the table of providers
	"encoding/json"
	"net/netip"
	"net/url"
	"slices"

	"golang.org/x/oauth2"

	"hongyan/app/model"
)

// Provider is an authorization server as Hongyan knows it. A client id is not part of it: the user, or their
// company, registers one (RFC 8252 §8.4).
type Provider struct {
	Key      string   `json:"key"`
	Name     string   `json:"name"`    // as the user knows it, in any language
	Presets  []string `json:"presets"` // mail providers whose accounts sign in here
	AuthURL  string   `json:"auth_url"`
	TokenURL string   `json:"token_url"`
	// DeviceURL is "" where the device flow cannot be used: Google offers it, but not for mail.
	DeviceURL string            `json:"device_url"`
	Scopes    []string          `json:"scopes"`
	Params    map[string]string `json:"params"` // of the authorization request
	// Loopback is the host of the redirect: both mean this machine, but a server takes only what it has registered.
	Loopback string `json:"loopback"`
	Secret   bool   `json:"secret"`   // its desktop clients have a secret beside the id, which is none in truth
	Register string `json:"register"` // where a client id is made
}

//go:embed providers.json
var providerData []byte

var providers = mustRead()

func mustRead() []Provider {
	var ps []Provider
	if err := json.Unmarshal(providerData, &ps); err != nil {
		panic("oauth: " + err.Error()) // the file is part of the build
	}
	return ps
}

// Providers lists the authorization servers; the caller must not change what they hold.
func Providers() []Provider { return slices.Clone(providers) }

// ByKey finds an authorization server.
func ByKey(key string) (Provider, bool) {
	return find(func(p Provider) bool { return p.Key == key })
}

// ForPreset finds where the accounts of a mail provider sign in.
func ForPreset(preset string) (Provider, bool) {
	return find(func(p Provider) bool { return slices.Contains(p.Presets, preset) })
}

func find(f func(Provider) bool) (Provider, bool) {
	if i := slices.IndexFunc(providers, f); i >= 0 {
		return providers[i], true
	}
	return Provider{}, false
}

// With replaces addresses that are not "", for a tenant or a cloud of its own. EInvalid for one that is not https;
// http is for this machine only.
func (p Provider) With(authURL, tokenURL, deviceURL string) (Provider, error) {
	for _, c := range []struct {
		to   *string
		from string
	}{{&p.AuthURL, authURL}, {&p.TokenURL, tokenURL}, {&p.DeviceURL, deviceURL}} {
		if c.from == "" {
			continue
		}
		if !safe(c.from) {
			return p, model.E(model.EInvalid, nil, "field", "oauth."+p.Key, "value", c.from)
		}
		*c.to = c.from
	}
	return p, nil
}

func safe(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && err == nil && ip.IsLoopback()
}

// Client is what a program is registered as with an authorization server.
type Client struct{ ID, Secret string }

func (p Provider) config(c Client) *oauth2.Config {
	return &oauth2.Config{ClientID: c.ID, ClientSecret: c.Secret, Scopes: p.Scopes,
		// In the parameters: Google and Microsoft take it there, and a probe would cost a request.
		Endpoint: oauth2.Endpoint{AuthURL: p.AuthURL, TokenURL: p.TokenURL, DeviceAuthURL: p.DeviceURL, AuthStyle: oauth2.AuthStyleInParams}}
}

// Grant is what a sign-in leaves: the permission to send as the user until it is withdrawn. All of it is secret. It
// remembers its client, because a refresh token is of use to no other.
type Grant struct {
	Provider     string `json:"provider"`
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret,omitempty"`
	RefreshToken string `json:"refresh_token"`
}

// Encode makes a line to keep among the secrets.
func (g Grant) Encode() string {
	b, err := json.Marshal(g) //#nosec G117 -- it goes among the secrets, and is made for that
	if err != nil {
		panic("oauth: " + err.Error()) // four strings
	}
	return string(b)
}

// DecodeGrant reads what Encode made; ok is false for anything else.
func DecodeGrant(s string) (g Grant, ok bool) {
	err := json.Unmarshal([]byte(s), &g)
	return g, err == nil && g.RefreshToken != "" && g.ClientID != ""
}

func (g Grant) client() Client { return Client{g.ClientID, g.ClientSecret} }
