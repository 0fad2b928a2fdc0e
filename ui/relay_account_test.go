package ui

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"hongyan/app/model"
)

// TestOwnServerAccount: an own server may ask for no login, may be old, and is driven as its owner says.
func TestOwnServerAccount(t *testing.T) {
	r := newRig(t, "en", shop("en"))
	r.w.accountDialog(r.svc.accounts[2]) // of no provider: its details are open
	r.run()
	check := func(key string) {
		walk(r.top(), func(o fyne.CanvasObject) {
			if c, ok := o.(*widget.Check); ok && c.Text == r.text(key) {
				c.SetChecked(true)
			}
		})
	}
	check("ui.account.nologin")
	check("ui.account.legacy")
	r.entry(r.text("ui.account.connections.hint")).SetText("8")
	r.entry(r.text("ui.account.fingerprint.hint")).SetText("ab:cd")
	r.tap("Save")
	r.noDialog()
	a := r.svc.accounts[2]
	if a.Auth != model.AuthNone || !a.LegacyTLS || a.Limits.Connections != 8 || a.Fingerprint != "ab:cd" {
		t.Errorf("stored %+v", a.Account)
	}
}
