package oauth_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
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

func TestDevice(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer oauthtest.Answer
		want   model.Code
		waits  []time.Duration
	}{
		{"at once", oauthtest.Answer{}, "", secs(1)},
		{"no interval", oauthtest.Answer{NoInterval: true}, "", secs(5)},
		{"pending", oauthtest.Answer{Device: []string{"authorization_pending", "authorization_pending"}}, "", secs(1, 1, 1)},
		{"slow down", oauthtest.Answer{Device: []string{"slow_down", "authorization_pending", "slow_down"}}, "", secs(1, 6, 6, 11)},
		{"a server that fails once", oauthtest.Answer{Device: []string{"503", "authorization_pending"}}, "", secs(1, 6, 6)},
		{"denied", oauthtest.Answer{Device: []string{"authorization_pending", "access_denied"}}, model.ESignInRefused, secs(1, 1)},
		{"declined, in Microsoft's words", oauthtest.Answer{Device: []string{"authorization_declined"}}, model.ESignInRefused, secs(1)},
		{"expired", oauthtest.Answer{Device: []string{"expired_token"}}, model.ESignInTimeout, secs(1)},
		{"down for good", oauthtest.Answer{Device: []string{"503", "503", "503", "503", "503"}}, model.ESignInServer, secs(1, 6, 11, 16, 21)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := oauthtest.Start(t)
			s.Set(c.answer)
			f := flow(t, s)
			var waits []time.Duration
			f.Wait = func(ctx context.Context, d time.Duration) error { waits = append(waits, d); return ctx.Err() }
			var shown oauth.DeviceCode
			g, _, err := f.Device(t.Context(), func(d oauth.DeviceCode) { shown = d })
			keepsQuiet(t, s, err, c.want)
			if (g.RefreshToken == "") != (c.want != "") {
				t.Errorf("grant: %v", g.RefreshToken != "")
			}
			if shown.Code != "WDJB-MJHT" || shown.URL != s.URL()+"/activate" || time.Until(shown.Until) < 9*time.Minute {
				t.Errorf("shown: %+v", shown)
			}
			if len(waits) != len(c.waits) {
				t.Fatalf("waits %v, want %v", waits, c.waits)
			}
			for i := range waits {
				if waits[i] != c.waits[i] {
					t.Errorf("waits %v, want %v", waits, c.waits)
				}
			}
		})
	}
}

func secs(n ...int) []time.Duration {
	var ds []time.Duration
	for _, x := range n {
		ds = append(ds, time.Duration(x)*time.Second)
	}
	return ds
}

func TestDeviceEnds(t *testing.T) {
	s := oauthtest.Start(t)
	_, _, err := (&oauth.Flow{Provider: google(t), Client: client}).Device(t.Context(), nil)
	keepsQuiet(t, s, err, model.ESignInNoDevice)

	ctx, cancel := context.WithCancel(t.Context())
	_, _, err = flow(t, s).Device(ctx, func(oauth.DeviceCode) { cancel() })
	keepsQuiet(t, s, err, model.ECancelled)

	s.Set(oauthtest.Answer{DeviceLife: time.Second})
	f := flow(t, s)
	f.Wait = func(ctx context.Context, _ time.Duration) error { <-ctx.Done(); return ctx.Err() }
	_, _, err = f.Device(t.Context(), func(oauth.DeviceCode) {})
	keepsQuiet(t, s, err, model.ESignInTimeout)
}

// source signs in and gives a Source whose clock the test holds.
func source(t *testing.T, s *oauthtest.Server, now *time.Time) (src *oauth.Source, saved *[]oauth.Grant) {
	t.Helper()
	g, first, err := flow(t, s).Browser(t.Context(), s.Browse)
	if err != nil {
		t.Fatal(err)
	}
	saved = new([]oauth.Grant)
	src = oauth.NewSource(s.Provider(google(t)), g, first, func(g oauth.Grant) error { *saved = append(*saved, g); return nil })
	src.Now = func() time.Time { return *now }
	return src, saved
}

// TestRenewal: a token is used while it is good, renewed before it ends, and whatever the server's clock says is of
// no interest.
func TestRenewal(t *testing.T) {
	for _, skew := range []time.Duration{0, 13 * time.Hour, -13 * time.Hour} {
		s := oauthtest.Start(t)
		s.Set(oauthtest.Answer{Skew: skew})
		now := time.Now()
		src, saved := source(t, s, &now)
		var last string
		for _, step := range []struct {
			at      time.Duration
			renewed bool
		}{{0, false}, {54 * time.Minute, false}, {56 * time.Minute, true}, {110 * time.Minute, false}, {112 * time.Minute, true}, {24 * time.Hour, true}} {
			now = time.Now().Add(step.at)
			tok, renewed, err := src.Token(t.Context())
			if err != nil || renewed != step.renewed || (tok != last) != (renewed || last == "") || !s.Valid(tok) {
				t.Errorf("skew %v, at %v: renewed %v, another %v, %v", skew, step.at, renewed, tok != last, err)
			}
			last = tok
		}
		if len(*saved) != 0 {
			t.Errorf("the refresh token did not change, and was saved %d times", len(*saved))
		}
	}
}

// TestClockAsleep: the monotonic clock stands still while a laptop sleeps; the wall clock tells.
func TestClockAsleep(t *testing.T) {
	s := oauthtest.Start(t)
	now := time.Now()
	src, _ := source(t, s, &now)
	now = time.Now().Add(2 * time.Hour).Round(0)
	if _, renewed, err := src.Token(t.Context()); err != nil || !renewed {
		t.Errorf("renewed %v, %v", renewed, err)
	}
}

func TestShortAndUnnamedLives(t *testing.T) {
	for life, good := range map[time.Duration]time.Duration{time.Minute: 40 * time.Second, -1: 7 * time.Minute} {
		s := oauthtest.Start(t)
		s.Set(oauthtest.Answer{Life: life})
		now := time.Now()
		src, _ := source(t, s, &now)
		for at, want := range map[time.Duration]bool{good: false, good * 3 / 2: true} {
			now = time.Now().Add(at)
			if _, renewed, err := src.Token(t.Context()); err != nil || renewed != want {
				t.Errorf("life %v, at %v: renewed %v, %v", life, at, renewed, err)
			}
			if want {
				break // the next one is of another age
			}
		}
	}
}

// TestRotation: a replaced refresh token is saved before the access token is used; a save that fails is made up for.
func TestRotation(t *testing.T) {
	s := oauthtest.Start(t)
	s.Set(oauthtest.Answer{Rotate: true})
	now := time.Now()
	src, saved := source(t, s, &now)
	keep := src.Save
	full := true
	src.Save = func(g oauth.Grant) error {
		if full {
			return errors.New("disk full")
		}
		return keep(g)
	}
	for i := range 3 {
		now = now.Add(time.Hour)
		if _, renewed, err := src.Token(t.Context()); err != nil || !renewed {
			t.Fatalf("renewal %d: %v", i, err)
		}
		if len(*saved) != i {
			t.Errorf("after renewal %d: %d saved", i, len(*saved))
		}
		full = false
	}
	last := (*saved)[1]
	if _, _, err := oauth.NewSource(s.Provider(google(t)), last, nil, keep).Token(t.Context()); err != nil {
		t.Errorf("what was saved last does not work: %v", err)
	}
}

func TestRenewalFails(t *testing.T) {
	for _, c := range []struct {
		name   string
		before func(*oauthtest.Server)
		want   model.Code
	}{
		{"revoked", (*oauthtest.Server).Revoke, model.ESignInEnded},
		{"consent is asked for again", func(s *oauthtest.Server) {
			s.Set(oauthtest.Answer{Status: 400, Body: `{"error":"interaction_required","error_description":"AADSTS50076: use multi-factor authentication"}`})
		}, model.ESignInEnded},
		{"denied by an administrator", func(s *oauthtest.Server) {
			s.Set(oauthtest.Answer{Status: 403, Body: `{"error":"access_denied"}`})
		}, model.ESignInEnded},
		{"client deleted", func(s *oauthtest.Server) {
			s.Set(oauthtest.Answer{Status: 401, Body: `{"error":"deleted_client"}`})
		}, model.ESignInClient},
		{"busy", func(s *oauthtest.Server) { s.Set(oauthtest.Answer{Status: 503}) }, model.ESignInServer},
		{"too many", func(s *oauthtest.Server) {
			s.Set(oauthtest.Answer{Status: 429, Body: `{"error":"rate_limit_exceeded"}`})
		}, model.ESignInServer},
		{"a portal in between", func(s *oauthtest.Server) { s.Set(oauthtest.Answer{Status: 200, Body: "<html>log in"}) }, model.ESignInServer},
		{"off", (*oauthtest.Server).Close, model.ESignInServer},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := oauthtest.Start(t)
			now := time.Now()
			src, _ := source(t, s, &now)
			c.before(s)
			if _, _, err := src.Token(t.Context()); err != nil {
				t.Errorf("the token in hand is good: %v", err)
			}
			now = now.Add(time.Hour)
			_, _, err := src.Token(t.Context())
			keepsQuiet(t, s, err, c.want)
			if c.want != model.ESignInServer || c.name == "off" {
				return
			}
			s.Set(oauthtest.Answer{})
			if tok, _, err := src.Token(t.Context()); err != nil || !s.Valid(tok) {
				t.Errorf("it does not recover: %v", err)
			}
		})
	}
}

func TestCancelledRenewal(t *testing.T) {
	s := oauthtest.Start(t)
	now := time.Now()
	src, _ := source(t, s, &now)
	now = now.Add(time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := src.Token(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, _, err := src.Token(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestOneRenewalForAll: many connections that log in at once cost one request.
func TestOneRenewalForAll(t *testing.T) {
	s := oauthtest.Start(t)
	now := time.Now()
	src, _ := source(t, s, &now)
	now = now.Add(time.Hour)
	before := s.Asked()
	frozen := now
	src.Now = func() time.Time { return frozen }
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, _, err := src.Token(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := s.Asked() - before; n != 1 {
		t.Errorf("%d requests", n)
	}
}

func TestForget(t *testing.T) {
	s := oauthtest.Start(t)
	now := time.Now()
	src, _ := source(t, s, &now)
	a, _, _ := src.Token(t.Context())
	src.Forget("another one")
	if b, _, _ := src.Token(t.Context()); b != a {
		t.Error("renewed for a token that is not in use")
	}
	src.Forget(a)
	if b, renewed, err := src.Token(t.Context()); b == a || !renewed || err != nil {
		t.Errorf("renewed %v, %v", renewed, err)
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
