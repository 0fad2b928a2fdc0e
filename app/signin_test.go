package app_test

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hongyan/app"
	"hongyan/app/diagnose"
	"hongyan/app/livelog"
	"hongyan/app/model"
	"hongyan/app/oauth"
	"hongyan/app/oauth/oauthtest"
	"hongyan/app/secrets"
	"hongyan/assets"
	"hongyan/store"
)

// mailServer takes letters from who logs in with a token that valid takes; it refuses others as Google does, with the
// reason in a 334 (XOAUTH2 protocol, RFC 7628 §3.2.3).
type mailServer struct {
	t     *testing.T
	mech  string
	valid func(token string) bool
	after string // what follows a refused token; "" is Google's

	mu      sync.Mutex
	letters int
	logins  []bool // whether each was granted
	port    int
}

const jsonError = `{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}`

func newMailServer(t *testing.T, mech string, valid func(string) bool) *mailServer {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &mailServer{t: t, mech: mech, valid: valid, port: ln.Addr().(*net.TCPAddr).Port}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { defer c.Close(); m.serve(c) })
		}
	})
	t.Cleanup(func() { _ = ln.Close(); wg.Wait() })
	return m
}

func (m *mailServer) serve(c net.Conn) {
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	br := bufio.NewReader(c)
	say := func(s string) { _, _ = io.WriteString(c, s+"\r\n") }
	say("220 smtp.gmail.com ESMTP")
	for {
		line, err := br.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		switch verb, rest, _ := strings.Cut(line, " "); strings.ToUpper(verb) {
		case "EHLO":
			say("250-smtp.gmail.com\r\n250-SIZE 35882577\r\n250 AUTH " + m.mech)
		case "AUTH":
			ok := m.valid(m.tokenIn(rest))
			m.mu.Lock()
			m.logins = append(m.logins, ok)
			m.mu.Unlock()
			if ok {
				say("235 2.7.0 Accepted")
				continue
			}
			say("334 " + base64.StdEncoding.EncodeToString([]byte(jsonError)))
			if _, err := br.ReadString('\n'); err != nil {
				return
			}
			m.mu.Lock()
			after := m.after
			m.mu.Unlock()
			if after == "" {
				after = "535-5.7.8 Username and Password not accepted. For more information, go to\r\n535 5.7.8  https://support.google.com/mail/?p=BadCredentials"
			}
			say(after)
		case "DATA":
			say("354 go on")
			for {
				if line, err = br.ReadString('\n'); err != nil {
					return
				}
				if line == ".\r\n" {
					break
				}
			}
			m.mu.Lock()
			m.letters++
			m.mu.Unlock()
			say("250 2.0.0 OK")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 2.1.0 OK")
		}
	}
}

// tokenIn takes the token out of an initial response.
func (m *mailServer) tokenIn(rest string) string {
	mech, initial, _ := strings.Cut(rest, " ")
	b, err := base64.StdEncoding.DecodeString(initial)
	if err != nil || mech != m.mech {
		m.t.Errorf("AUTH %s: %v", rest, err)
	}
	user := "user=desk@example.com\x01"
	if mech == "OAUTHBEARER" {
		user = fmt.Sprintf("n,a=desk@example.com,\x01host=127.0.0.1\x01port=%d\x01", m.port)
	}
	token, ok := strings.CutPrefix(string(b), user+"auth=Bearer ")
	token, ok2 := strings.CutSuffix(token, "\x01\x01")
	if !ok || !ok2 {
		m.t.Errorf("%s says %q", mech, b)
	}
	return token
}

func (m *mailServer) seen() (letters int, logins []bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.letters, slices.Clone(m.logins)
}

// clock is a time that a test moves.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time      { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) add(d time.Duration) { c.ahead.Add(int64(d)) }

// signInRig is an App whose Google is an authorization server of the test, and a mail server that takes its tokens.
type signInRig struct {
	*rig
	clock *clock
	auth  *oauthtest.Server
	mail  *mailServer
	acct  *model.Account
}

func newSignInRig(t *testing.T, mech string) *signInRig {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	st, err := store.Open(t.Context(), dir, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := &signInRig{clock: &clock{}, auth: oauthtest.Start(t)}
	keeper := secrets.Open(secrets.Options{Dir: dir, FileOnly: true, Passphrase: "phrase"})
	r.rig = &rig{t: t, dir: dir, store: st, App: app.New(app.Options{Dir: dir, Store: st, Secrets: keeper, Version: "test", Now: r.clock.now})}
	t.Cleanup(r.close)
	r.mail = newMailServer(t, mech, r.auth.Valid)
	for what, path := range map[string]string{"auth_url": "/authorize", "token_url": "/token", "device_url": "/device"} {
		if err := r.SetSetting(t.Context(), "oauth.google."+what, r.auth.URL()+path); err != nil {
			t.Fatal(err)
		}
	}
	r.acct = &model.Account{Name: "Work", From: "desk@example.com", Provider: "gmail", Host: "127.0.0.1", Port: r.mail.port, TLS: model.TLSNone,
		Auth: model.AuthOAuth2, Limits: model.Limits{Connections: 1, PerSession: 1}}
	if err := r.SaveAccount(t.Context(), r.acct, "", false); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *signInRig) signIn() {
	r.t.Helper()
	o := app.SignInOptions{ClientID: oauthtest.ClientID, ClientSecret: oauthtest.ClientSecret, Open: r.auth.Browse}
	if err := r.SignIn(r.t.Context(), r.acct.ID, o); err != nil {
		r.t.Fatal(err)
	}
}

func (r *signInRig) view() app.AccountView {
	r.t.Helper()
	views, err := r.Accounts(r.t.Context())
	if err != nil || len(views) != 1 {
		r.t.Fatal(views, err)
	}
	return views[0]
}

// mustSignIn says whether the check before a send asks for a sign-in.
func (r *signInRig) mustSignIn(list int64) bool {
	r.t.Helper()
	c, err := r.Check(r.t.Context(), app.CampaignSpec{Name: "x", ListID: list, Letter: letter, AccountIDs: []int64{r.acct.ID}})
	if err != nil {
		r.t.Fatal(err)
	}
	return slices.ContainsFunc(c.Findings, func(f app.Finding) bool { return f.Key == "check.signin" && f.Blocker })
}

// silent asserts that no secret of the sign-in stands in the log.
func (r *signInRig) silent(more ...string) {
	r.t.Helper()
	lines, _ := r.Log().Since(0, 100000)
	var text strings.Builder
	for _, l := range lines {
		text.WriteString(l.String() + "\n")
	}
	for _, s := range append(r.auth.Issued(), oauthtest.ClientSecret) {
		for _, form := range []string{s, base64.StdEncoding.EncodeToString([]byte(s))} {
			if strings.Contains(text.String()+strings.Join(more, "\n"), form) {
				r.t.Errorf("%q is shown", form)
			}
		}
	}
}

func TestSignInAndSend(t *testing.T) {
	t.Parallel()
	for _, mech := range []string{"XOAUTH2", "OAUTHBEARER"} {
		t.Run(mech, func(t *testing.T) {
			t.Parallel()
			r := newSignInRig(t, mech)
			list := r.people("friends", 4)
			camp := r.campaign("Hello", list, r.acct.ID)
			if err := r.Start(t.Context(), camp.ID); model.CodeOf(err) != model.ESignIn {
				t.Errorf("before the sign-in: %v", err)
			}
			if !r.mustSignIn(list) {
				t.Error("the check before the send does not tell")
			}
			if r.view().HasSecret {
				t.Error("not signed in, but there is a secret")
			}
			r.signIn()
			if !r.view().HasSecret || r.auth.Hint() != "desk@example.com" {
				t.Errorf("has secret %v, hint %q", r.view().HasSecret, r.auth.Hint())
			}
			if n := r.send(camp); n.Accepted != 4 {
				t.Errorf("%+v", n)
			}
			letters, logins := r.mail.seen()
			if letters != 4 || len(logins) != 4 || slices.Contains(logins, false) {
				t.Errorf("%d letters, logins %v", letters, logins)
			}
			if r.auth.Asked() != 1 {
				t.Errorf("%d requests for one access token", r.auth.Asked())
			}
			r.silent()
		})
	}
}

// TestTokenRenewedInMidCampaign: the time of the token ends, and then one is withdrawn, between two letters.
func TestTokenRenewedInMidCampaign(t *testing.T) {
	t.Parallel()
	r := newSignInRig(t, "XOAUTH2")
	r.auth.Set(oauthtest.Answer{Rotate: true})
	r.signIn()
	camp := r.campaign("Hello", r.people("friends", 6), r.acct.ID)
	logins := 0
	r.mail.valid = func(token string) bool {
		logins++
		ok := r.auth.Valid(token)
		switch logins { // what is done here holds at the next login
		case 2:
			r.clock.add(58 * time.Minute)
		case 4:
			r.auth.Spoil()
		}
		return ok
	}
	if n := r.send(camp); n.Accepted != 6 {
		t.Errorf("%+v", n)
	}
	letters, granted := r.mail.seen()
	if want := []bool{true, true, true, true, false, true, true}; letters != 6 || !slices.Equal(granted, want) {
		t.Errorf("%d letters, logins %v, want %v", letters, granted, want)
	}
	if n := r.auth.Asked(); n != 3 {
		t.Errorf("%d requests, want the sign-in, one at the end of the time and one for the token that was withdrawn", n)
	}
	r.silent()

	// The refresh token was replaced twice: after a restart the last one is there.
	keeper := secrets.Open(secrets.Options{Dir: r.dir, FileOnly: true, Passphrase: "phrase"})
	again := app.New(app.Options{Dir: r.dir, Store: r.store, Secrets: keeper, Version: "test"})
	rep, err := again.TestAccount(t.Context(), r.view().Account, "", nil)
	if err != nil || !rep.OK {
		t.Errorf("after a restart: %+v, %v", rep, err)
	}
}

// TestPermissionWithdrawn: the account stops with a reason and a fix, nobody is lost, and signing in again goes on.
func TestPermissionWithdrawn(t *testing.T) {
	t.Parallel()
	r := newSignInRig(t, "XOAUTH2")
	r.signIn()
	camp := r.campaign("Hello", r.people("friends", 3), r.acct.ID)
	r.mail.valid = func(token string) bool {
		ok := r.auth.Valid(token)
		r.auth.Revoke()
		return ok
	}
	n := r.send(camp)
	if n.Accepted != 1 || n.Queued != 2 {
		t.Errorf("%+v", n)
	}
	v := r.view()
	d, ok := r.ExplainClock(v)
	if v.Clock.State != model.ClockStopped || v.Clock.Scope != model.ScopeAuth || !ok || d.TextKey != "diag.signin.ended" || d.Account != diagnose.AccountStops {
		t.Errorf("%+v, %+v", v.Clock, d)
	}
	for _, lang := range assets.Languages {
		for _, part := range []string{".short", ".what", ".means", ".do"} {
			if s := assets.For(lang).Args(d.TextKey+part, d.Args); !assets.For(lang).Has(d.TextKey+part) || strings.ContainsAny(s, "{}") {
				t.Errorf("%s%s: %q", d.TextKey, part, s)
			}
		}
	}
	c, err := r.CampaignByName(t.Context(), "Hello")
	if err != nil || c.State != model.CampaignPaused || c.Reason != "auth" {
		t.Errorf("%s for %q, %v", c.State, c.Reason, err)
	}
	r.silent(v.Clock.Reply, c.Detail)

	rep, err := r.TestAccount(t.Context(), v.Account, "", nil)
	last := rep.Checks[len(rep.Checks)-1]
	if err != nil || rep.OK || last.Name != "login" || last.Key != "diag.signin.ended" {
		t.Errorf("the doctor finds %+v, %v", last, err)
	}

	if !r.mustSignIn(camp.ListID) {
		t.Error("the check before the send does not tell")
	}
	r.mail.valid = r.auth.Valid
	r.signIn()
	if r.mustSignIn(camp.ListID) {
		t.Error("signed in again, and the check does not know")
	}
	if n := r.send(camp); n.Accepted != 3 {
		t.Errorf("after signing in again: %+v", n)
	}
}

// TestRefusedToken: a token made for this login and refused all the same is not tried a third time; what Microsoft
// says of a tenant is left to the rules.
func TestRefusedToken(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ after, key string }{
		{"", "diag.signin.rejected"},
		{"535 5.7.3 Authentication unsuccessful [SG2PR.apcprd06.prod.outlook.com]", "diag.signin.rejected"},
		{"535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.", "diag.ms.auth.disabled"},
	} {
		r := newSignInRig(t, "XOAUTH2")
		r.signIn()
		r.mail.valid = func(string) bool { return false }
		r.mail.after = c.after
		rep, err := r.TestAccount(t.Context(), *r.acct, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		_, logins := r.mail.seen()
		last := rep.Checks[len(rep.Checks)-1]
		if rep.OK || last.Name != "login" || last.Status != diagnose.Fail {
			t.Errorf("%q: %+v", c.after, last)
		}
		if strings.HasPrefix(c.key, "diag.signin") {
			if last.Key != c.key || last.Args["user"] != "desk@example.com" || len(logins) != 2 {
				t.Errorf("%q: %+v, %d logins", c.after, last, len(logins))
			}
		} else if !strings.HasPrefix(last.Key, "diag.ms.") || len(logins) != 1 {
			t.Errorf("%q: %+v, %d logins", c.after, last, len(logins))
		}
		lines, _ := r.Log().Since(0, 1000)
		if !slices.ContainsFunc(lines, func(l livelog.Line) bool { return strings.Contains(l.Text, jsonError) }) {
			t.Error("the reason in the 334 is not in the log")
		}
		r.silent()
	}
}

// TestSignInServiceAway: when the permission cannot be renewed for now, nobody and nothing is stopped for good.
func TestSignInServiceAway(t *testing.T) {
	t.Parallel()
	r := newSignInRig(t, "XOAUTH2")
	r.signIn()
	r.clock.add(2 * time.Hour)
	r.auth.Set(oauthtest.Answer{Status: 503})
	rep, err := r.TestAccount(t.Context(), *r.acct, "", nil)
	last := rep.Checks[len(rep.Checks)-1]
	if err != nil || last.Key != "diag.signin.server" || last.Name != "login" {
		t.Errorf("%+v, %v", last, err)
	}
	r.auth.Set(oauthtest.Answer{})
	if n := r.send(r.campaign("Hello", r.people("friends", 1), r.acct.ID)); n.Accepted != 1 {
		t.Errorf("%+v", n)
	}
}

func TestSignInClient(t *testing.T) {
	t.Parallel()
	r := newSignInRig(t, "XOAUTH2")
	ctx := t.Context()
	err := r.SignIn(ctx, r.acct.ID, app.SignInOptions{Open: r.auth.Browse})
	if model.CodeOf(err) != model.ESignInNoClient {
		t.Errorf("without a client id: %v", err)
	}
	info, err := r.SignInInfo(ctx, *r.acct)
	if err != nil || info.Provider != "google" || info.ClientID != "" || !info.NeedsSecret || !info.Device {
		t.Errorf("%+v, %v", info, err)
	}
	r.signIn() // which makes its client that of the provider
	info, err = r.SignInInfo(ctx, model.Account{Host: "smtp.gmail.com"})
	if err != nil || info.ClientID != oauthtest.ClientID || !info.HasSecret {
		t.Errorf("%+v, %v", info, err)
	}
	if err := r.SignIn(ctx, r.acct.ID, app.SignInOptions{Device: func(oauth.DeviceCode) {}}); err != nil {
		t.Errorf("on another device: %v", err)
	}
	if err := r.SetSignInClient(ctx, "google", "", ""); err != nil {
		t.Fatal(err)
	}
	if info, err = r.SignInInfo(ctx, *r.acct); err != nil || info.ClientID != oauthtest.ClientID {
		t.Errorf("the account does not remember its client: %+v, %v", info, err)
	}
	if _, err := r.SignInInfo(ctx, model.Account{Provider: "qq", Host: "smtp.qq.com"}); model.CodeOf(err) != model.ESignInNotOffers {
		t.Errorf("QQ: %v", err)
	}
}

// TestPasswordInsteadOfSignIn: a password that is given is used, and removing an account removes both.
func TestPasswordInsteadOfSignIn(t *testing.T) {
	t.Parallel()
	r := newSignInRig(t, "XOAUTH2")
	r.signIn()
	a := r.view().Account
	if err := r.SaveAccount(t.Context(), &a, "app password", true); err != nil || a.Auth != model.AuthPassword {
		t.Errorf("%s, %v", a.Auth, err)
	}
	if err := r.RemoveAccount(t.Context(), a.ID); err != nil {
		t.Fatal(err)
	}
	keeper := secrets.Open(secrets.Options{Dir: r.dir, FileOnly: true, Passphrase: "phrase"})
	for _, key := range []string{"account/1", "oauth/1"} {
		if keeper.Has(key) {
			t.Errorf("%s is left", key)
		}
	}
}
