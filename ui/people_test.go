package ui

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"hongyan/app/model"
)

// menu presses an item of the menu that is open.
func (r *rig) menu(label string) {
	r.t.Helper()
	var item fyne.Tappable
	walk(r.top(), func(o fyne.CanvasObject) {
		if it, ok := o.(fyne.Tappable); ok && strings.Contains(textOf(o), label) {
			item = it // the innermost comes last
		}
	})
	if item == nil {
		r.t.Fatalf("no item %q in %q", label, r.said())
	}
	item.Tapped(&fyne.PointEvent{})
	r.run()
}

func TestSearchSortSelectRemove(t *testing.T) {
	r := newRig(t, "en", shop("en"))
	p := r.w.recipientsPane
	test.Type(p.search, "customer00")
	r.run()
	r.wants("3 people", "customer001@163.com", "customer007@126.com")
	p.header.Tap(string(model.SortEmail))
	p.header.Tap(string(model.SortEmail))
	r.run()
	r.wants("Address ▼")
	if c, _ := r.w.recipients.row(0); c.Address != "customer007@126.com" {
		t.Errorf("the first is %q", c.Address)
	}
	test.Type(p.search, "nobody like this")
	r.run()
	r.wants("Nobody matches.", "0 people")
	p.search.SetText("")
	r.run()
	r.wants("300 people")

	p.table.Click(0, 0)
	p.table.Click(4, fyne.KeyModifierShift)
	r.wants("5 selected")
	p.table.TypedKey(&fyne.KeyEvent{Name: fyne.KeyDelete})
	r.run()
	r.wants("Remove 5 people from every list?")
	r.tap("Cancel")
	if r.svc.has("RemoveContacts") || len(r.svc.contacts) != 300 {
		t.Fatal("people were removed without a word")
	}
	p.table.TypedKey(&fyne.KeyEvent{Name: fyne.KeyDelete})
	r.press("Remove")
	r.wants("295 people")

	p.table.Click(0, 0)
	r.run()
	r.tap("More")
	r.menu("Never mail")
	r.wants("Never mail these 1 people again?")
	r.press("Never mail")
	if !strings.Contains(strings.Join(r.svc.calls, "\n"), "Suppress ") {
		t.Error("nobody was put on the never-mail list")
	}
}

// TestContactDialog: a double click edits a person with every field; what is wrong is said and keeps the dialog.
func TestContactDialog(t *testing.T) {
	f := shop("en")
	f.contacts[1].Fields = map[string]string{"city": "Ningbo"}
	r := newRig(t, "en", f)
	r.w.recipientsPane.table.OnOpen(1)
	r.run()
	r.wants("customer001@163.com", "Ningbo", "city")
	r.field("ui.contact.name").SetText("Tommy")
	f.fail["SaveContact"] = model.E(model.EInvalid, nil, "field", "email", "value", "x")
	r.press("Save")
	r.wants(r.w.t.Error(f.fail["SaveContact"]))
	delete(f.fail, "SaveContact")
	r.press("Save")
	r.noDialog()
	if c := f.contacts[1]; c.Name != "Tommy" || c.Fields["city"] != "Ningbo" || c.Consent == "" {
		t.Errorf("stored %+v", c)
	}
	r.wants("Tommy")

	r.w.contactDialog(model.Contact{})
	r.field("ui.contact.address").SetText("new@example.com")
	r.press("Save")
	r.wants("301 people")
}

func TestListMenu(t *testing.T) {
	r := newRig(t, "en", shop("en"))
	p := r.w.recipientsPane
	p.lists.SetSelectedIndex(1)
	r.run()
	if r.svc.settings[keyList] != "1" {
		t.Errorf("the list is not remembered: %q", r.svc.settings[keyList])
	}
	p.more.OnTapped()
	r.menu("Rename the list")
	r.field("ui.account.name").SetText("Fair 2026")
	r.press("Save")
	r.noDialog()
	if got := p.lists.Selected; got != "Fair 2026  (300)" {
		t.Errorf("the list is now %q", got)
	}
	p.more.OnTapped()
	r.menu("Select all")
	r.wants("300 selected")
	p.more.OnTapped()
	r.menu("Remove the list")
	r.wants("Remove the list Fair 2026? Its 300 people stay under")
	r.press("Remove")
	if len(r.svc.lists) != 1 || p.lists.Selected != "Everybody" || r.w.recipients.selectedCount() != 0 {
		t.Errorf("lists %v, shown %q, selected %d", r.svc.lists, p.lists.Selected, r.w.recipients.selectedCount())
	}
	again := newRig(t, "en", r.svc) // the remembered list is gone
	again.wants("300 people")
}

// TestFieldMenu: the fields of the list are offered, and go where the cursor is.
func TestFieldMenu(t *testing.T) {
	r := newRig(t, "en", shop("en"))
	r.w.letterPane.body.SetText("")
	r.w.letterPane.fieldMenu(r.w.letterPane.attach)
	r.run()
	r.menu("{{grade}}")
	if got := r.w.letterPane.body.Text; got != "{{grade}}" {
		t.Errorf("the body is %q", got)
	}
	r.w.win.Canvas().Focus(r.w.letterPane.subject)
	r.w.letterPane.insert("{{name|friend}}")
	if got := r.w.letterPane.subject.Text; !strings.Contains(got, "{{name|friend}}") {
		t.Errorf("the subject is %q", got)
	}
}

// TestLongLetter: what is too long for the editor is not put into it, and still previewed.
func TestLongLetter(t *testing.T) {
	f := shop("en")
	f.letters[0].Body = strings.Repeat("a long letter\n", maxEditor/14+1)
	r := newRig(t, "en", f)
	if r.w.letterPane.body.Text != "" {
		t.Errorf("%d bytes are in the editor", len(r.w.letterPane.body.Text))
	}
	r.wants("This letter is 64 KB long")
	if !strings.HasPrefix(r.w.letter.preview.Text, "a long letter") {
		t.Error("it is not previewed")
	}
	r.w.letter.edit(func(l *model.Letter) { l.Body = "short" })
	r.w.letterPane.load()
	r.run()
	if r.w.letterPane.body.Text != "short" || !r.w.letterPane.body.Visible() {
		t.Error("a short letter is not in the editor")
	}
}
