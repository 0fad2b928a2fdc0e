package ui

import (
	"errors"
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"hongyan/app/model"
)

// TestSignIn: at a provider that signs in, the button comes before the password; without a client id it says where to
// get one; the account is stored, the browser opened, and the answer told.
func TestSignIn(t *testing.T) {
	r := newRig(t, "en", shop("en"))
	r.w.accountDialog(Account{})
	r.run()
	if strings.Contains(r.said(), "Sign in with") {
		t.Error("a sign-in is offered before a provider is known")
	}
	r.field("ui.account.from").SetText("shop@outlook.com")
	r.run()
	r.wants("Sign in with Microsoft", "asks every program for a client ID", "Where to get a client ID")
	r.entry("not needed when you sign in")
	r.tap("Sign in with Microsoft")
	r.wants("Please enter a client ID for Microsoft first.")
	if r.svc.has("SaveAccount") {
		t.Error("stored before anything could be signed in")
	}
	r.entry("Client ID").SetText(" 11-22 ")
	r.tap("Sign in with Microsoft")
	if !r.svc.has("SignIn 11-22  4") {
		t.Fatalf("calls: %q", r.svc.calls)
	}
	r.wants(`The account "shop@outlook.com" is signed in at Microsoft`)
	r.tap("OK")
	r.noDialog()
	a := r.svc.accounts[3]
	if a.Auth != model.AuthOAuth2 || a.Host != "smtp-mail.outlook.com" {
		t.Errorf("stored %+v", a.Account)
	}
	// It has a client now: the next time it only has to be confirmed.
	r.svc.signIns["outlook"] = SignInInfo{Name: "Microsoft", ClientID: "11-22"}
	r.w.accountDialog(r.w.accounts.accounts[3])
	r.run()
	r.wants("Signed in.", "Use another client ID")
	r.svc.fail["SignIn  "] = model.E(model.ESignInRefused, nil, "provider", "Microsoft", "detail", "access_denied")
	r.tap("Sign in with Microsoft")
	r.wants(r.w.t.Error(r.svc.fail["SignIn  "]))
	r.tap("OK")
	r.wants("Use another client ID") // still there to be tried again
	r.tap("Cancel")
	r.noDialog()
}

// TestSignInWaits: while the browser is open the user can take the address elsewhere, or give up; then nothing more
// is said.
func TestSignInWaits(t *testing.T) {
	f := shop("en")
	f.signInWait = make(chan struct{})
	r := newRig(t, "en", f)
	r.w.signIn(f.accounts[0].Account, "Example", "id", "", func() { t.Error("signed in without an answer") })
	for !r.enabled("Copy address") {
		r.drain() // the work in the background does not end by itself
	}
	r.wants("Sign in as reading.circle@qq.com")
	walk(r.top(), func(o fyne.CanvasObject) {
		if s, do, _ := label(o); s == "Copy address" {
			do()
		}
	})
	if got := r.app.Clipboard().Content(); got != "https://login.example.com/authorize?client_id=id" {
		t.Errorf("copied %q", got)
	}
	r.tap("Cancel")
	r.noDialog()
	if r.svc.has("SignIn id  1") {
		t.Error("went on after it was given up")
	}
}

// TestSignInPassphrase: where the tokens go into a sealed file, its passphrase is asked for and the sign-in goes on.
func TestSignInPassphrase(t *testing.T) {
	f := shop("en")
	f.fail["SignIn id "] = model.E(model.ENeedPhrase, errors.New("sealed"))
	r := newRig(t, "en", f)
	ok := false
	r.w.signIn(f.accounts[0].Account, "Example", "id", "", func() { ok = true })
	r.run()
	r.wants(r.text("ui.phrase.title"))
	delete(f.fail, "SignIn id ")
	r.password().SetText("right")
	r.tap("OK")
	if !ok {
		t.Error("not signed in after the passphrase")
	}
}
