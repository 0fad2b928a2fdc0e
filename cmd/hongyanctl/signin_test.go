package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"hongyan/app/oauth/oauthtest"
	"hongyan/store"
)

// program is hongyanctl on one data folder.
type program struct {
	t    *testing.T
	data string
}

func newProgram(t *testing.T) *program {
	t.Helper()
	t.Setenv("HONGYAN_PASSPHRASE", "phrase of the tests")
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/dev/null") // no keychain of whoever runs the tests
	return &program{t, t.TempDir()}
}

func (p *program) run(stdin string, args ...string) (code int, out, errs string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Minute)
	defer cancel()
	var o, e bytes.Buffer
	code = run(ctx, append([]string{"--data", p.data, "--lang", "en"}, args...), strings.NewReader(stdin), &o, &e)
	return code, o.String(), e.String()
}

func (p *program) want(code int, stdin string, args ...string) (out, errs string) {
	p.t.Helper()
	got, out, errs := p.run(stdin, args...)
	if got != code {
		p.t.Errorf("%v: status %d, want %d\n%s%s", args, got, code, out, errs)
	}
	return out, errs
}

// signsInAt makes an authorization server of the tests that of a provider.
func (p *program) signsInAt(s *oauthtest.Server, provider string) {
	p.t.Helper()
	st, err := store.Open(p.t.Context(), p.data, store.Options{})
	if err != nil {
		p.t.Fatal(err)
	}
	for what, path := range map[string]string{"auth_url": "/authorize", "token_url": "/token", "device_url": "/device"} {
		if err := st.SetSetting(p.t.Context(), "oauth."+provider+"."+what, s.URL()+path); err != nil {
			p.t.Fatal(err)
		}
	}
	if err := st.Close(); err != nil {
		p.t.Fatal(err)
	}
}

func (p *program) silent(s *oauthtest.Server, texts ...string) {
	p.t.Helper()
	for _, secret := range append(s.Issued(), oauthtest.ClientSecret) {
		for _, text := range texts {
			if strings.Contains(text, secret) {
				p.t.Errorf("%q is shown:\n%s", secret, text)
			}
		}
	}
}

func TestAccountSignInOnAnotherDevice(t *testing.T) {
	p, s := newProgram(t), oauthtest.Start(t)
	p.signsInAt(s, "microsoft")
	out, errs := p.want(exitDone, "", "account", "add", "--auth", "oauth2", "--from", "desk@outlook.com", "--name", "Work")
	if !strings.Contains(out, `hongyanctl account signin "Work"`) {
		t.Errorf("the next step is not said: %s%s", out, errs)
	}
	if _, errs = p.want(exitUsage, "", "account", "signin", "Work"); !strings.Contains(errs, "https://entra.microsoft.com/") {
		t.Errorf("where to get a client id is not said: %s", errs)
	}
	s.Set(oauthtest.Answer{Device: []string{"authorization_pending"}})
	out, errs = p.want(exitDone, "", "account", "signin", "Work", "--client-id", oauthtest.ClientID)
	if !strings.Contains(out, "WDJB-MJHT") || !strings.Contains(out, s.URL()+"/activate") || !strings.Contains(out, "desk@outlook.com") {
		t.Errorf("what to do is not said: %s", out)
	}
	p.silent(s, out, errs)
	if out, _ = p.want(exitDone, "", "account", "list", "--json"); !strings.Contains(out, `"has_secret":true`) {
		t.Errorf("not signed in: %s", out)
	}
	s.Set(oauthtest.Answer{Device: []string{"access_denied"}})
	_, errs = p.want(exitStopped, "", "account", "signin", "Work") // with the client of the first time
	if !strings.Contains(errs, "did not allow") {
		t.Errorf("got %s", errs)
	}
	p.silent(s, errs)
}

// TestAccountSignInInTheBrowser: Google has no sign-in on another device for mail.
func TestAccountSignInInTheBrowser(t *testing.T) {
	p, s := newProgram(t), oauthtest.Start(t)
	p.signsInAt(s, "google")
	p.want(exitDone, "", "account", "add", "--auth", "oauth2", "--from", "desk@gmail.com", "--name", "G")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var errs bytes.Buffer
	out := &browser{s: s}
	code := run(ctx, []string{"--data", p.data, "--json", "account", "signin", "G", "--browser", "--client-id", oauthtest.ClientID, "--client-secret-stdin"},
		strings.NewReader(oauthtest.ClientSecret+"\n"), out, &errs)
	if code != exitDone || !strings.Contains(out.String(), `"signed_in":"G"`) {
		t.Errorf("status %d\n%s%s", code, out.String(), errs.String())
	}
	p.silent(s, out.String(), errs.String())
}

// TestAccountSignInByHand: the browser is elsewhere, and the address of its last page is typed behind the secret.
func TestAccountSignInByHand(t *testing.T) {
	p, s := newProgram(t), oauthtest.Start(t)
	p.signsInAt(s, "google")
	p.want(exitDone, "", "account", "add", "--auth", "oauth2", "--from", "desk@gmail.com", "--name", "G")
	_, errs := p.want(exitUsage, oauthtest.ClientSecret+"\n\nhttp://127.0.0.1:9/?state=another&code=guessed\n",
		"account", "signin", "G", "--browser", "--client-id", oauthtest.ClientID, "--client-secret-stdin")
	if !strings.Contains(errs, "another sign-in") {
		t.Errorf("got %s", errs)
	}
}

// browser opens the address that is printed.
type browser struct {
	bytes.Buffer
	s *oauthtest.Server
}

func (b *browser) Write(p []byte) (int, error) {
	if _, rest, ok := strings.Cut(string(p), `"url":"`); ok {
		url, _, _ := strings.Cut(rest, `"`)
		_ = b.s.Browse(strings.ReplaceAll(url, `\u0026`, "&"))
	}
	return b.Buffer.Write(p)
}

func TestAccountAddAuth(t *testing.T) {
	p := newProgram(t)
	for _, args := range [][]string{
		{"--auth", "kerberos"}, {"--auth", "oauth2", "--password-stdin"}, {"--auth", "password", "--no-auth"},
	} {
		p.want(exitUsage, "", append([]string{"account", "add", "--from", "a@gmail.com"}, args...)...)
	}
	if _, errs := p.want(exitUsage, "", "account", "add", "--from", "a@qq.com", "--auth", "oauth2"); !strings.Contains(errs, "no sign-in for the server smtp.qq.com") {
		t.Errorf("QQ: %s", errs)
	}
	if out, _ := p.want(exitDone, "", "account", "list", "--json"); out != "" {
		t.Errorf("something was stored: %s", out)
	}
}
