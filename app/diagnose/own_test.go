package diagnose

import (
	"errors"
	"io"
	"net"
	"testing"

	"hongyan/app/model"
	"hongyan/assets"
	"hongyan/smtpx"
)

// TestRecall: an error of ours is known again by its text, and nothing else is taken for one.
func TestRecall(t *testing.T) {
	for _, e := range []*model.Error{
		model.E(model.ESignInEnded, nil, "provider", "Google", "detail", "invalid_grant Token has been revoked."),
		model.E(model.ENoSecret, nil, "account", "Work"),
		model.E(model.EFileMissing, errors.New("open ca.pem"), "path", "ca.pem"),
		model.E(model.ENeedPhrase, nil),
	} {
		if code, ok := Recall(e.Error()); !ok || code != e.Code {
			t.Errorf("%v: %q, %v", e, code, ok)
		}
	}
	for _, text := range []string{
		"", "smtp", "Username and Password not accepted", "mx.example.com, not today",
		(&smtpx.Error{Phase: smtpx.PhaseConnect, Err: io.EOF}).Error(),
		(&net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}).Error(),
		(&net.DNSError{Err: "no such host", Name: "smtp.example.com"}).Error(),
	} {
		if code, ok := Recall(text); ok {
			t.Errorf("%q is taken for %s", text, code)
		}
	}
}

// TestOwnErrors: only what time can mend is tried again, and what stops an account for a sign-in says so.
func TestOwnErrors(t *testing.T) {
	for code, key := range signInTexts {
		d := ExplainOwn(model.E(code, nil))
		stops := code != model.ESignInServer
		if d.State != model.Queued || d.Suppress != "" || (d.Account == AccountStops) != stops || (d.Scope == model.ScopeAuth) != stops || d.TextKey != key {
			t.Errorf("%s: %+v", code, d)
		}
		if SignInDue(string(code)+" account=x") != stops {
			t.Errorf("%s: due %v", code, !stops)
		}
		for _, lang := range assets.Languages {
			for _, p := range parts {
				if !assets.For(lang).Has(key + p) {
					t.Errorf("%s: no %s%s", lang, key, p)
				}
			}
		}
	}
	d := ExplainOwn(model.E(model.ENoSecret, nil))
	if d.Account != AccountStops || d.Scope != model.ScopeConfig || d.TextKey != "" || SignInDue("secret.none account=x") {
		t.Errorf("%+v", d)
	}
}
