package ui

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"hongyan/app/model"
)

// TestEditInRow: F2 opens fields over the row; Return keeps what is typed, Escape does not, and what was not changed is
// not saved.
func TestEditInRow(t *testing.T) {
	r := newRig(t, "en", shop("en"))
	table := r.w.recipientsPane.table
	edit := func(name, key string) {
		table.Click(1, 0)
		table.TypedKey(&fyne.KeyEvent{Name: fyne.KeyF2})
		r.run()
		e := r.w.win.Canvas().Focused()
		if e == nil {
			t.Fatal("no field has the keyboard")
		}
		for _, c := range name {
			e.TypedRune(c)
		}
		e.TypedKey(&fyne.KeyEvent{Name: fyne.KeyName(key)})
		r.run()
		r.noDialog()
	}
	edit("Nobody", "Escape")
	edit("", "Return")
	if r.svc.has("SaveContact") {
		t.Error("saved without a change")
	}
	edit("Tommy", "Return")
	if c := r.svc.contacts[1]; c.Name != "Tommy" || c.Address != "customer001@163.com" || c.Consent != "signed up" {
		t.Errorf("stored %+v", c)
	}
	r.wants("Tommy")
	if r.w.win.Canvas().Focused() != fyne.Focusable(table) {
		t.Error("the list has lost the keyboard")
	}
}

// TestEditInRowRefused: what was typed comes back behind the reason, to be put right.
func TestEditInRowRefused(t *testing.T) {
	r := newRig(t, "zh", shop("zh"))
	table := r.w.recipientsPane.table
	table.Click(1, 0)
	table.TypedKey(&fyne.KeyEvent{Name: fyne.KeyF2})
	r.run()
	field := func() fyne.Focusable {
		e := r.w.win.Canvas().Focused()
		if e == nil {
			t.Fatal("no field has the keyboard")
		}
		return e
	}
	for _, c := range "王芳" {
		field().TypedRune(c)
	}
	r.svc.fail["SaveContact"] = model.E(model.EExists, nil, "kind", "contact", "name", "x@example.com")
	field().TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	r.run()
	r.wants("另一位联系人已经在用这个地址：x@example.com。")
	delete(r.svc.fail, "SaveContact")
	r.w.win.Canvas().OnTypedKey()(&fyne.KeyEvent{Name: fyne.KeyReturn})
	r.run()
	before := r.svc.changes
	r.svc.changes = append([]model.Change{{ID: 99, Kind: model.ChangeEdit, N: 1}}, before...)
	field().TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	r.run()
	if c := r.svc.contacts[1]; c.Name != "王芳" {
		t.Errorf("stored %+v", c)
	}
	// The letter is shown as it would now be written to them, and as it was once that is taken back.
	if p := r.w.letter.preview; !strings.Contains(p.Subject+p.HTML+p.Text, "王芳") {
		t.Errorf("the preview is %+v", p)
	}
	r.svc.contacts[1].Name, r.svc.changes = "李雷", before
	r.w.recipients.load()
	r.run()
	if p := r.w.letter.preview; !strings.Contains(p.Subject+p.HTML+p.Text, "李雷") {
		t.Errorf("the preview is %+v", p)
	}
}
