package ui

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/storage"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"hongyan/app/model"
)

// TestFirstAccount: the address picks the provider, the dialog says where to get the code, and saving keeps both.
func TestFirstAccount(t *testing.T) {
	r := newRig(t, "en", newFake())
	r.wants("No account yet", r.text("ui.step.account"))
	r.tap("Add account")
	r.entry("name@example.com").SetText("shop@qq.com")
	r.run()
	r.wants("1. Sign in at mail.qq.com.\n2. Open Settings", "Open the provider's instructions")
	r.entry(r.text("ui.account.secret.hint")).SetText("abcd efgh ijkl mnop")
	r.tap("Save")
	r.noDialog()
	got := r.svc.accounts[0]
	if got.Host != "smtp.qq.com" || got.Port != 465 || got.TLS != model.TLSImplicit || got.User != "shop@qq.com" || got.Name != "shop@qq.com" ||
		got.Auth != model.AuthPassword || got.Limits.PerDay != 50 || got.Profile != model.ProfileConsumer || got.Limits.Connections != 1 {
		t.Errorf("stored %+v", got.Account)
	}
	if s := r.svc.secrets[1]; s != "abcdefghijklmnop" {
		t.Errorf("secret %q: the spaces of a copied code must go", s)
	}
	r.wants("shop@qq.com", "ready", "0 / 50", r.text("ui.step.import"))
}

func TestAccountTrouble(t *testing.T) {
	r := newRig(t, "zh", shop("zh"))
	r.w.accountDialog(r.w.accounts.accounts[0])
	r.run()
	if s := r.entry(r.text("ui.account.secret.kept")); s.Text != "" {
		t.Errorf("a stored secret is shown: %q", s.Text)
	}
	form := r.field("ui.account.from")
	form.SetText("reading.circle@qq.com")
	r.svc.fail["SaveAccount"] = model.E(model.EExists, nil, "kind", "account", "name", "读书会")
	r.tap("保存")
	r.wants(r.w.t.Error(r.svc.fail["SaveAccount"]))
	delete(r.svc.fail, "SaveAccount")
	r.tap("保存")
	r.noDialog()
	if r.svc.secrets[1] != "secret" {
		t.Errorf("an empty field replaced the stored secret by %q", r.svc.secrets[1])
	}
}

// TestAccountLimits: what is no number is said beside the form, and nothing is stored.
func TestAccountLimits(t *testing.T) {
	r := newRig(t, "en", shop("en"))
	r.w.accountDialog(r.svc.accounts[2]) // of no provider: its details are open
	r.run()
	var day *widget.Entry
	walk(r.top(), func(o fyne.CanvasObject) {
		if e, ok := o.(*widget.Entry); ok && e.PlaceHolder == r.text("ui.account.nolimit") && day == nil {
			day = e
		}
	})
	day.SetText("many")
	r.tap("Save")
	r.wants(`"many" is not a number`, "minute")
	if r.svc.has("SaveAccount") {
		t.Error("a form with a fault was stored")
	}
}

func TestDoctor(t *testing.T) {
	f := shop("en")
	f.doctor = []DoctorLine{{Name: "dns", Status: "pass", Key: "doctor.dns.ok", Args: map[string]string{"host": "smtp.qq.com", "addrs": "1.2.3.4"}},
		{Name: "login", Status: "fail", Key: "diag.qq.auth.code"}}
	better := f.accounts[0].Account
	better.Port = 587
	f.doctorReport = DoctorReport{Better: &better}
	r := newRig(t, "en", f)
	r.tap("Test")
	r.wants("smtp.qq.com is known: 1.2.3.4", r.text("diag.qq.auth.code.what"), r.text("diag.qq.auth.code.do"), r.text("ui.doctor.bad"))
	r.tap(r.text("ui.doctor.apply"))
	r.noDialog()
	if f.accounts[0].Port != 587 || f.secrets[1] != "secret" {
		t.Errorf("after applying: port %d, secret %q", f.accounts[0].Port, f.secrets[1])
	}
}

func TestRemoveAndWakeAccount(t *testing.T) {
	r := newRig(t, "en", shop("en"))
	r.w.accountsPane.table.Click(2, 0)
	r.run()
	r.tap("Try again now")
	if !r.svc.has("WakeAccount 3") {
		t.Error("the stopped account was not woken")
	}
	r.w.accountsPane.remove()
	r.wants("Remove the account Old mailbox?")
	r.tap("Remove")
	if len(r.svc.accounts) != 2 {
		t.Errorf("%d accounts are left", len(r.svc.accounts))
	}
}

// TestImportPasted: text that is pasted is looked at, source and consent are asked for, and the report lists what
// was refused; undo takes everything back.
func TestImportPasted(t *testing.T) {
	r := newRig(t, "en", newFake())
	r.tap("Import")
	text := r.entry(r.text("ui.import.text"))
	text.SetText("a@example.com\nb@example.com\nnobody\n")
	r.run()
	r.wants("a@example.com", r.text("ui.import.need.source"))
	r.field("ui.import.source").SetText("sign-up sheet")
	r.wants(r.text("ui.import.need.consent"))
	if r.importEnabled() {
		t.Fatal("an import without consent must not start")
	}
	r.field("ui.import.consent").SetText("ticked the box")
	r.wants(r.text("ui.import.ready"))
	r.field("ui.import.list").SetText("Autumn")
	r.press("Import")
	r.wants("Import finished", "Autumn: 3 read: 2 new", "1 refused", "nobody", r.text("reject.no_address"), r.text("ui.import.saverejects"))
	if c := r.svc.contacts[0]; c.Source != "sign-up sheet" || c.Consent != "ticked the box" {
		t.Errorf("stored %+v", c)
	}
	r.tap("Undo this import")
	r.wants("2 people were taken out again.")
	r.tap("OK")
	if r.svc.undone != 7 || len(r.svc.contacts) != 0 {
		t.Errorf("undone %d, %d people left", r.svc.undone, len(r.svc.contacts))
	}
}

// importEnabled is about the button within the dialog, not the one of the toolbar.
func (r *rig) importEnabled() bool { return r.enabled(r.text("ui.cmd.import")) }

// press is tap within a dialog.
func (r *rig) press(text string) {
	r.t.Helper()
	if r.w.win.Canvas().Overlays().Top() == nil {
		r.t.Fatal("no dialog is open")
	}
	r.tap(text)
}

// TestImportFile: a file that is dropped is previewed; a wrong guess of charset or column can be put right.
func TestImportFile(t *testing.T) {
	f := newFake()
	f.preview = csvPreview()
	r := newRig(t, "en", f)
	r.w.dropped(fyne.NewPos(10, 300), []fyne.URI{storage.NewFileURI("/home/shop/customers-gbk.csv")})
	r.run()
	r.wants("customer00@example.com", "张伟", "customers-gbk")
	var charset *widget.Select
	walk(r.top(), func(o fyne.CanvasObject) {
		if s, ok := o.(*widget.Select); ok && slices.Contains(s.Options, "gb18030") {
			charset = s
		}
	})
	f.fail["PreviewImport"] = model.E(model.EFileFormat, nil, "path", "customers-gbk.csv", "detail", "not UTF-8")
	charset.SetSelected("utf-8")
	r.run()
	r.wants(r.w.t.Error(f.fail["PreviewImport"]))
	if r.importEnabled() {
		t.Error("what cannot be read can be imported")
	}
	r.tap("Cancel")
	r.noDialog()
}

// TestDropOnLetter: a letter that is dropped on its pane is opened there, and anything else is attached.
func TestDropOnLetter(t *testing.T) {
	r := newRig(t, "en", shop("en"))
	path := filepath.Join(t.TempDir(), "letter.md")
	if err := os.WriteFile(path, []byte("Hello {{name|friend}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	at := fyne.NewPos(900, 200)
	r.w.dropped(at, []fyne.URI{storage.NewFileURI(path)})
	r.run()
	if got := r.w.letterPane.body.Text; got != "Hello {{name|friend}}" {
		t.Errorf("the editor holds %q", got)
	}
	r.w.dropped(at, []fyne.URI{storage.NewFileURI("/home/shop/programme.pdf")})
	r.run()
	if a := r.w.letter.letter.Attachments; len(a) != 1 || a[0].Name != "programme.pdf" {
		t.Errorf("attached %+v", a)
	}
}

// TestLetter: what is written is kept, previewed for the selected person, and a fault is told with its place.
func TestLetter(t *testing.T) {
	f := shop("en")
	f.letters = nil
	r := newRig(t, "en", f)
	test.Type(r.w.letterPane.subject, "Hi {{name|friend}}")
	test.Type(r.w.letterPane.body, "See you, {{name}}!")
	r.run()
	r.w.recipientsPane.table.Click(1, 0)
	r.run()
	r.wants("To customer001@163.com: Hi Tom Reed", "See you, Tom Reed!")
	if len(f.letters) != 1 || f.letters[0].Subject != "Hi {{name|friend}}" {
		t.Errorf("kept %+v", f.letters)
	}
	r.w.letterPane.body.SetText("See you, {{nmae}}!")
	r.run()
	r.wants(r.w.t.Error(model.E(model.ELetterField, nil, "field", "nmae", "place", "body", "line", "1", "known", "name, city")))
	if !strings.Contains(r.w.step.label.Text, "nmae") {
		t.Errorf("the next step says %q", r.w.step.label.Text)
	}
	r.w.letterPane.insert("{{city}}")
	if !strings.Contains(r.w.letterPane.body.Text, "{{city}}") {
		t.Errorf("the field was not put into %q", r.w.letterPane.body.Text)
	}
}

func TestTestLetter(t *testing.T) {
	r := newRig(t, "en", shop("en"))
	r.tap("Test letter")
	r.field("ui.test.to").SetText("me@example.com")
	r.tap("Send test letter")
	r.wants("The server took the letter for me@example.com: 250 2.0.0 OK queued")
	r.svc.result = TestResult{TextKey: "diag.qq.auth.code", Reply: "535 Login Fail"}
	r.tap("Send test letter")
	r.wants(r.text("diag.qq.auth.code.what"), r.text("diag.qq.auth.code.do"), "535 Login Fail")
	if !slices.Equal(r.svc.tests, []string{"me@example.com", "me@example.com"}) {
		t.Errorf("sent to %v", r.svc.tests)
	}
}

// TestErrorsAreSentences: an error of any of the readers opens a dialog with one sentence and no stack.
func TestErrorsAreSentences(t *testing.T) {
	for _, method := range []string{"Accounts", "Lists", "ContactIDs", "Contacts", "Letters", "Campaigns"} {
		f := shop("zh")
		f.fail[method] = model.E(model.EDamaged, errors.New("malformed"), "path", "/data/app.db")
		r := newRig(t, "zh", f)
		r.wants(r.text("ui.error.title"), r.w.t.Error(f.fail[method]))
		r.tap("复制")
		if got := r.app.Clipboard().Content(); got != r.w.t.Error(f.fail[method]) {
			t.Errorf("%s: copied %q", method, got)
		}
	}
}
