package ui

import (
	"path/filepath"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"hongyan/app/model"
	"hongyan/ui/widgets"
)

// save answers the file dialog that is open with a name in a folder of the test, and gives the whole path.
func (r *rig) save(dir, name string) string {
	r.t.Helper()
	r.entry("Enter filename").SetText(name)
	r.tap("Save")
	return filepath.Join(dir, name)
}

// in makes file dialogs open in a folder of the test.
func (r *rig) in() string {
	dir := r.t.TempDir()
	r.svc.settings[keyFolder] = dir
	return dir
}

func TestSuppressionList(t *testing.T) {
	r := newRig(t, "en", shop("en"))
	r.w.command("suppress").fire()
	r.run()
	r.wants("Never-mail list", "The list is empty.", "0 entries")
	add := r.entry(r.text("ui.suppress.add.hint"))
	add.SetText("a@example.com, @example.org")
	r.tap("Add")
	r.wants("a@example.com", "@example.org", "added by you", "2026-11-24", "2 entries")
	if add.Text != "" {
		t.Errorf("the field still holds %q", add.Text)
	}
	add.SetText("nobody")
	r.tap("Add")
	r.wants(r.w.t.Error(model.E(model.EInvalid, nil, "field", "address", "value", "nobody")))
	r.entry("Search").SetText("ORG")
	r.run()
	r.wants("1 entries", "@example.org")
	if strings.Contains(r.said(), "a@example.com") {
		t.Error("the search leaves what it should not")
	}
	r.entry("Search").SetText("")
	r.run()

	r.app.Clipboard().SetContent("b@example.com")
	r.tap("Paste")
	r.wants("3 found, 2 of them new; 1 rows had neither")
	r.tap("OK")
	if !r.svc.has("ImportSuppressions b@example.com") {
		t.Errorf("calls %q", r.svc.calls)
	}
	path := r.in()
	r.tap("Export…")
	path = r.save(path, "never.csv")
	r.wants("2 were saved to " + path)
	r.tap("OK")

	table := r.table()
	table.Click(0, 0)
	table.Click(1, fyne.KeyModifierShift)
	r.run()
	r.wants("2 selected")
	r.tap("Remove")
	r.wants("Take 2 entries off the list? Campaigns will mail them again.")
	r.tap("Remove")
	r.wants("0 entries")
	if len(r.svc.suppressed) != 0 {
		t.Errorf("left: %v", r.svc.suppressed)
	}
}

func TestMatching(t *testing.T) {
	all := []model.Suppression{{Key: "Ann@example.com"}, {Key: "@qq.com"}}
	for want, n := range map[string]int{"": 2, "ann": 1, "@": 2, "zzz": 0} {
		if got := matching(all, want); len(got) != n {
			t.Errorf("%q finds %v", want, got)
		}
	}
}

func TestPersonPage(t *testing.T) {
	r := newRig(t, "en", shop("en"))
	r.openPerson("en")
	r.wants("Max Ford", "customer007@126.com", "How they agreed is not recorded")
	walk(r.top(), func(o fyne.CanvasObject) {
		if tabs, ok := o.(*container.AppTabs); ok {
			tabs.SelectIndex(1)
		}
	})
	r.run()
	r.wants(`On the never-mail list: bounced: no such address.`, `2026-11-24 09:30: imported from "members.csv" into "Autumn fair".`,
		"Consent: consent not recorded.", "refused", "accepted", "November news  Saturday's reading")
	r.table().Click(1, 0)
	r.run()
	r.wants("Origin and letters") // a letter that arrived needs no explanation
	r.table().Click(0, 0)
	r.run()
	r.wants("customer007@126.com: refused", r.text("diag.hard.none.what"))
	r.tap("Close")

	path := r.in()
	r.tap("Export")
	path = r.save(path, "max.json")
	r.wants("Saved to " + path)
	r.tap("OK")
	if !r.svc.has("ExportPerson " + path + " 8") {
		t.Errorf("calls %q", r.svc.calls)
	}
	r.tap("Erase")
	r.wants("Erase everything about customer007@126.com?")
	r.svc.fail["ErasePerson"] = model.E(model.ECampaignRun, nil, "name", "autumn")
	r.tap("Erase")
	r.wants(r.w.t.Error(r.svc.fail["ErasePerson"]))
	r.tap("OK")
	delete(r.svc.fail, "ErasePerson")
	r.tap("Erase")
	r.tap("Erase")
	r.noDialog()
	r.wants("299 people")
}

// TestPersonConsent: what is entered on the page is stored, and the warning is gone the next time.
func TestPersonConsent(t *testing.T) {
	r := newRig(t, "en", shop("en"))
	r.openPerson("en")
	r.field("ui.import.consent").SetText("asked on the phone")
	r.tap("Save")
	r.noDialog()
	if got := r.svc.contacts[7].Consent; got != "asked on the phone" {
		t.Fatalf("stored %q", got)
	}
	r.w.contactDialog(r.svc.contacts[7])
	r.run()
	if strings.Contains(r.said(), "How they agreed is not recorded") {
		t.Error("still said to be missing")
	}
}

func TestRecordConsent(t *testing.T) {
	r := newRig(t, "en", shop("en"))
	if r.enabled("More") {
		t.Error("consent of nobody can be recorded")
	}
	r.w.recipientsPane.table.OnAll()
	r.run()
	r.tap("More")
	r.menu("Record consent")
	r.wants("300 people are selected.")
	if r.enabled("Save") {
		t.Error("nothing can be recorded")
	}
	r.field("ui.import.consent").SetText("signed the card")
	r.tap("Save")
	r.wants("Recorded for 11 people.")
	r.tap("OK")
	if c := r.svc.contacts[7].Consent; c != "signed the card" {
		t.Errorf("stored %q", c)
	}
	if c := r.svc.contacts[0].Consent; c != "signed up" {
		t.Errorf("what was recorded became %q", c)
	}
}

func TestSupportFile(t *testing.T) {
	r := newRig(t, "en", shop("en"))
	path := r.in()
	r.w.command("support").fire()
	r.run()
	r.wants("It holds no password and no letter.", "Replace every address by a code")
	r.tap("Save")
	path = r.save(path, "help.zip")
	r.wants("Saved to " + path)
	if !r.svc.has("SupportBundle without addresses " + path) {
		t.Errorf("calls %q", r.svc.calls)
	}
}

// TestSupportFileWithAddresses: whoever helps may need them, if the user says so.
func TestSupportFileWithAddresses(t *testing.T) {
	r := newRig(t, "en", shop("en"))
	path := r.in()
	r.w.supportDialog()
	r.run()
	walk(r.top(), func(o fyne.CanvasObject) {
		if c, ok := o.(*widget.Check); ok {
			c.SetChecked(false)
		}
	})
	r.tap("Save")
	if path = r.save(path, "help.zip"); !r.svc.has("SupportBundle " + path) {
		t.Errorf("calls %q", r.svc.calls)
	}
}

func TestExportList(t *testing.T) {
	r := newRig(t, "en", shop("en"))
	path := r.in()
	r.w.command("exportlist").fire()
	r.run()
	if name := r.entry("Enter filename").Text; name != "Everybody.csv" {
		t.Errorf("proposes %q", name)
	}
	path = r.save(path, "all.csv")
	r.wants("300 were saved to " + path)
	if !r.svc.has("ExportPeople " + path + "  0") {
		t.Errorf("calls %q", r.svc.calls)
	}
	if got := fileName(`a/b:c"名单"`); got != "a-b-c-名单-" {
		t.Errorf("a file is named %q", got)
	}
}

// TestCutOffImport: an import that was cut off is told of at the start, once, and the choice is done.
func TestCutOffImport(t *testing.T) {
	for button, call := range map[string]string{"Keep this part": "KeepImport 7", "Undo this import": ""} {
		f := shop("en")
		f.open = []model.Import{{ID: 7, ImportSpec: model.ImportSpec{FileName: "people.csv", ListName: "Fair"}, Rows: 40000, StartedAt: f.at(0)}}
		r := newRig(t, "en", f)
		r.wants("The last import was cut off", `"people.csv" → list "Fair": 40,000 rows (2026-11-24 09:30)`)
		r.tap(button)
		r.noDialog()
		if call != "" && !f.has(call) || call == "" && f.undone != 7 {
			t.Errorf("%s: undone %d, calls %q", button, f.undone, f.calls)
		}
	}
}

// table is the table of the topmost dialog.
func (r *rig) table() (found *widgets.Table) {
	r.t.Helper()
	walk(r.top(), func(o fyne.CanvasObject) {
		if x, ok := o.(*widgets.Table); ok {
			found = x
		}
	})
	if found == nil {
		r.t.Fatal("no table")
	}
	return found
}

// TestKeysWithADialog: Return presses the button that stands out, a focused table lets Escape through, and what is behind
// the dialog hears no key.
func TestKeysWithADialog(t *testing.T) {
	r := newRig(t, "en", shop("en"))
	r.w.message("Note", "said")
	r.run()
	r.w.command("import").fire()
	r.run()
	r.wants("said")
	r.w.win.Canvas().OnTypedKey()(&fyne.KeyEvent{Name: fyne.KeyReturn})
	r.noDialog()
	r.w.command("import").fire()
	r.run()
	if r.w.win.Canvas().Overlays().Top() == nil {
		t.Error("nothing opens without a dialog")
	}
	r.w.open[0].Hide()
	r.w.practiceDialog()
	r.run()
	r.table().TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
	r.noDialog()
}

// TestEscape: the Escape key leaves the topmost dialog by its own way out, and does nothing where there is none.
func TestEscape(t *testing.T) {
	r := newRig(t, "en", shop("en"))
	escape := func() {
		r.w.win.Canvas().OnTypedKey()(&fyne.KeyEvent{Name: fyne.KeyEscape})
		r.run()
	}
	escape() // without a dialog
	r.w.helpDialog()
	r.run()
	r.w.confirm("Sure?", "This is gone then.", "Yes", func() { t.Error("Escape said yes") })
	r.run()
	r.w.win.Canvas().OnTypedKey()(&fyne.KeyEvent{Name: fyne.KeySpace})
	r.wants("Sure?")
	escape()
	r.wants("Five steps")
	escape()
	r.noDialog()
	r.w.message("Note", "said")
	r.run()
	escape()
	r.noDialog()
	p := r.w.popup("Wait", widget.NewLabel("a moment"))
	r.w.fit(p, 200, 100)
	escape()
	r.wants("a moment")
	p.Hide()
	if len(r.w.open) != 0 {
		t.Errorf("%d dialogs are kept", len(r.w.open))
	}
}
