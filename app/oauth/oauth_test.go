package oauth_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"hongyan/app/model"
	"hongyan/app/oauth"
	"hongyan/app/oauth/oauthtest"
)

var client = oauth.Client{ID: oauthtest.ClientID, Secret: oauthtest.ClientSecret}

func google(t *testing.T) oauth.Provider {
	t.Helper()
	p, ok := oauth.ByKey("google")
	if !ok {
		t.Fatal("no google")
	}
	return p
}

func flow(t *testing.T, s *oauthtest.Server) *oauth.Flow {
	return &oauth.Flow{Provider: s.Provider(google(t)), Client: client, User: "desk@example.com"}
}

// keepsQuiet asserts that an error has a code and holds no secret.
func keepsQuiet(t *testing.T, s *oauthtest.Server, err error, want model.Code) {
	t.Helper()
	if model.CodeOf(err) != want {
		t.Errorf("code %q, want %q: %v", model.CodeOf(err), want, err)
	}
	if err == nil {
		return
	}
	for e := err; e != nil; e = errors.Unwrap(e) {
		for _, secret := range append(s.Issued(), oauthtest.ClientSecret) {
			if strings.Contains(e.Error(), secret) {
				t.Errorf("the error shows %q: %v", secret, e)
			}
		}
	}
}

func TestBrowser(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer oauthtest.Answer
		want   model.Code
	}{
		{"granted", oauthtest.Answer{}, ""},
		{"granted, scopes named", oauthtest.Answer{Scope: "openid https://mail.google.com/"}, ""},
		{"an old server's form", oauthtest.Answer{TokenFormat: "form"}, ""},
		{"the user says no", oauthtest.Answer{Refuse: "access_denied"}, model.ESignInRefused},
		{"the server is busy", oauthtest.Answer{Refuse: "temporarily_unavailable"}, model.ESignInServer},
		{"the client is not allowed", oauthtest.Answer{Refuse: "unauthorized_client"}, model.ESignInClient},
		{"another request's answer", oauthtest.Answer{BadState: true}, model.ESignInState},
		{"sending was unticked", oauthtest.Answer{Scope: "openid email"}, model.ESignInScope},
		{"nothing that lasts", oauthtest.Answer{NoRefresh: true}, model.ESignInRefused},
		{"the server fails", oauthtest.Answer{Status: 503, Body: "<html>access_token=hidden"}, model.ESignInServer},
		{"the server answers nonsense", oauthtest.Answer{Status: 200, Body: "<html>"}, model.ESignInServer},
		{"an answer without a token", oauthtest.Answer{Status: 200, Body: "{}"}, model.ESignInServer},
		{"a redirect is not followed", oauthtest.Answer{Status: 307, Body: ""}, model.ESignInServer},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := oauthtest.Start(t)
			s.Set(c.answer)
			g, tok, err := flow(t, s).Browser(t.Context(), s.Browse)
			keepsQuiet(t, s, err, c.want)
			if (g.RefreshToken == "") != (c.want != "") || (tok == nil) != (c.want != "") {
				t.Errorf("grant %v, token %v", g.RefreshToken != "", tok != nil)
			}
			if s.Hint() != "desk@example.com" {
				t.Errorf("the page was asked for %q", s.Hint())
			}
			if c.want == "" {
				back, ok := oauth.DecodeGrant(g.Encode())
				if !ok || back != g || g.ClientID != client.ID || g.Provider != "google" {
					t.Errorf("the grant does not survive: %v", ok)
				}
			}
		})
	}
}

// TestBrowserChecksTheVerifier: a code without its verifier is worth nothing (RFC 7636); the test's server computes
// the challenge itself.
func TestBrowserChecksTheVerifier(t *testing.T) {
	s := oauthtest.Start(t)
	f := flow(t, s)
	f.RT = roundTrip(func(r *http.Request) (*http.Response, error) {
		if err := r.ParseForm(); err != nil {
			return nil, err
		}
		r.PostForm.Set("code_verifier", "stolen")
		req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, r.URL.String(), strings.NewReader(r.PostForm.Encode()))
		if err != nil {
			return nil, err
		}
		req.Header = r.Header
		return http.DefaultTransport.RoundTrip(req)
	})
	_, _, err := f.Browser(t.Context(), s.Browse)
	keepsQuiet(t, s, err, model.ESignInRefused)
	if !strings.Contains(err.Error(), "****") {
		t.Errorf("the server quoted the code, and nothing is masked: %v", err)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestBrowserEnds(t *testing.T) {
	s := oauthtest.Start(t)
	ctx, cancel := context.WithCancel(t.Context())
	_, _, err := flow(t, s).Browser(ctx, func(string) error { cancel(); return nil })
	keepsQuiet(t, s, err, model.ECancelled)

	ctx, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, _, err = flow(t, s).Browser(ctx, func(string) error { return nil })
	keepsQuiet(t, s, err, model.ESignInTimeout)

	_, _, err = flow(t, s).Browser(t.Context(), func(url string) error { return errors.New("no browser for " + url) })
	keepsQuiet(t, s, err, model.ESignInBrowser)

	f := flow(t, s)
	f.Client = oauth.Client{}
	_, _, err = f.Browser(t.Context(), s.Browse)
	keepsQuiet(t, s, err, model.ESignInNoClient)
	if !strings.Contains(err.Error(), "https://console.cloud.google.com/") {
		t.Errorf("where to get one is not said: %v", err)
	}

	f = flow(t, s)
	f.Client.ID = "somebody else"
	s2 := oauthtest.Start(quiet{t})
	f.Provider = s2.Provider(f.Provider)
	_, _, err = f.Browser(t.Context(), s2.Browse)
	keepsQuiet(t, s2, err, model.ESignInClient)

	s.Close()
	_, _, err = oauth.NewSource(s.Provider(google(t)), oauth.Grant{ClientID: "x", RefreshToken: "refresh-token"}, nil, nil).Token(t.Context())
	keepsQuiet(t, s, err, model.ESignInServer)
}

// quiet lets a server complain of a client that is wrong on purpose.
type quiet struct{ *testing.T }

func (quiet) Errorf(string, ...any) {}

// TestBrowserTakesOneAnswer: what is no answer does not end the flow, and after the answer the port is closed.
func TestBrowserTakesOneAnswer(t *testing.T) {
	s := oauthtest.Start(t)
	var back string
	_, _, err := flow(t, s).Browser(t.Context(), func(page string) error {
		go func() {
			stop := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
			r, err := stop.Get(page)
			if err != nil {
				t.Error(err)
				return
			}
			_ = r.Body.Close()
			back = r.Header.Get("Location")
			base, _, _ := strings.Cut(back, "?")
			for _, path := range []string{"favicon.ico", "", "?x=1", "other?code=1"} {
				r, err := http.Get(strings.TrimSuffix(base, "/") + "/" + path)
				if err != nil {
					t.Error(err)
					return
				}
				_ = r.Body.Close()
				if r.StatusCode != http.StatusNotFound {
					t.Errorf("%q: %s", path, r.Status)
				}
			}
			r, err = http.Get(back)
			if err != nil {
				t.Error(err)
				return
			}
			_ = r.Body.Close()
			if r.StatusCode != http.StatusOK || r.Header.Get("Referrer-Policy") != "no-referrer" || r.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s, %v", r.Status, r.Header)
			}
		}()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if r, err := http.Get(back); err == nil {
		_ = r.Body.Close()
		t.Error("the port is still open")
	}
}

// TestPasted: the browser is on another machine, where the last page cannot be reached; its address is brought by hand.
func TestPasted(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer oauthtest.Answer
		want   model.Code
	}{
		{"granted", oauthtest.Answer{}, ""},
		{"the user says no", oauthtest.Answer{Refuse: "access_denied"}, model.ESignInRefused},
		{"of another sign-in", oauthtest.Answer{BadState: true}, model.ESignInState},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := oauthtest.Start(t)
			s.Set(c.answer)
			f := flow(t, s)
			lines := make(chan string, 4)
			f.Pasted = lines
			_, _, err := f.Browser(t.Context(), func(page string) error {
				stop := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
				r, err := stop.Get(page)
				if err != nil {
					return err
				}
				_ = r.Body.Close()
				lines <- ""
				lines <- "what? %zz"
				lines <- page // the wrong one
				lines <- " " + r.Header.Get("Location") + " "
				return nil
			})
			keepsQuiet(t, s, err, c.want)
		})
	}
	s := oauthtest.Start(t)
	f := flow(t, s)
	lines := make(chan string)
	close(lines)
	f.Pasted = lines
	if _, _, err := f.Browser(t.Context(), s.Browse); err != nil {
		t.Errorf("nothing is pasted: %v", err)
	}
}

func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range oauth.Providers() {
		for _, u := range []string{p.AuthURL, p.TokenURL, p.Register} {
			if !strings.HasPrefix(u, "https://") {
				t.Errorf("%s: %q", p.Key, u)
			}
		}
		if seen[p.Key] || p.Name == "" || len(p.Scopes) == 0 || p.Loopback != "127.0.0.1" && p.Loopback != "localhost" {
			t.Errorf("%+v", p)
		}
		seen[p.Key] = true
		if len(p.Presets) == 0 {
			t.Errorf("%s is for no mail provider", p.Key)
		}
		for _, preset := range p.Presets {
			if q, ok := oauth.ForPreset(preset); !ok || q.Key != p.Key {
				t.Errorf("%s signs in at %s", preset, q.Key)
			}
		}
	}
	if _, ok := oauth.ForPreset("qq"); ok {
		t.Error("QQ has no sign-in")
	}
	for _, bad := range []string{"http://example.com/token", "ftp://127.0.0.1/", "https://", "javascript:1", "https://user:pass@example.com/", "http://localhost.example.com/"} {
		if _, err := google(t).With("", bad, ""); model.CodeOf(err) != model.EInvalid {
			t.Errorf("%s: %v", bad, err)
		}
	}
	for _, bad := range []string{"", "{}", "password", `{"client_id":"x"}`, `["x"]`} {
		if _, ok := oauth.DecodeGrant(bad); ok {
			t.Errorf("%q is a grant", bad)
		}
	}
}
