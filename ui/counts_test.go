package ui

import (
	"context"
	"testing"
	"time"

	"hongyan/app/model"
)

// TestProspect: what an import would do is counted by itself, again when the list or the sheet is another, and given up
// when the dialog is closed.
func TestProspect(t *testing.T) {
	f := shop("en")
	f.preview = csvPreview()
	f.preview.Sheets, f.preview.Sheet = []string{"2025", "2026"}, "2025"
	f.prospect = model.Prospect{Read: 10, Added: 5, Updated: 2, Duplicate: 1, Invalid: 1, Suppressed: 1}
	r := newRig(t, "en", f)
	r.w.importDialog("/home/shop/people.xlsx", "")
	r.run()
	r.wants("10 rows: 5 new, 2 updated, 1 duplicates, 1 refused, 1 on the never-mail list.", "Sheet")
	r.pick(2, "2026")
	if last := f.asked[len(f.asked)-1]; last.in.Sheet != "2026" || last.list != "people" {
		t.Errorf("counted %+v", last)
	}
	f.prospect.Partial = true
	r.field("ui.import.list").SetText("Others")
	r.run()
	if last := f.asked[len(f.asked)-1]; last.list != "Others" {
		t.Errorf("counted %+v", last)
	}
	r.wants("Of the first 10 rows (the file is very large): 5 new")
	f.fail["Prospect"] = model.E(model.EInvalid, nil, "field", "file", "value", "x")
	r.field("ui.import.list").SetText("Another")
	r.run()
	r.wants(r.w.t.Error(f.fail["Prospect"]))
	delete(f.fail, "Prospect")

	f.prospectWait = make(chan struct{})
	n := len(f.asked)
	r.field("ui.import.list").SetText("Once more")
	r.mu.Lock()
	timers := r.timers
	r.timers = nil
	r.mu.Unlock()
	for _, tm := range timers {
		tm.f()
	}
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
		r.drain()
		f.mu.Lock()
		begun := len(f.asked) > n
		f.mu.Unlock()
		if begun {
			break
		}
	}
	r.frame()
	r.wants("Counting what is new…")
	r.tap("Cancel") // would wait for ever if the count were not given up
	r.noDialog()
}

// TestResume: an import that was cut off is gone on with where its file is known; several are asked about one by one.
func TestResume(t *testing.T) {
	f := shop("en")
	f.open = []model.Import{{ID: 7, ImportSpec: model.ImportSpec{FileName: "people.csv", ListName: "Fair", ImportFile: model.ImportFile{Path: "/x/people.csv"}}, Rows: 40000, StartedAt: f.at(0)},
		{ID: 8, ImportSpec: model.ImportSpec{ListName: "Pasted"}, Rows: 10, StartedAt: f.at(0)}}
	r := newRig(t, "en", f)
	r.wants("Go on with it: the rest of the file is read")
	f.fail["ResumeImport"] = model.E(model.EImportChanged, nil, "path", "/x/people.csv")
	r.tap("Go on")
	r.wants(r.w.t.Error(f.fail["ResumeImport"]))
	r.tap("OK")
	delete(f.fail, "ResumeImport")
	r.wants(`"people.csv"`)
	r.tap("Undo this import")
	r.wants(`list "Pasted": 10 rows`, "What was pasted is gone")
	r.tap("Keep this part")
	r.noDialog()
	if f.undone != 7 || !f.has("KeepImport 8") {
		t.Errorf("undone %d, calls %q", f.undone, f.calls)
	}
	again := newRig(t, "en", f)
	again.tap("Go on")
	again.wants("Fair: 60,000 read: 60,000 new")
}

// TestDomains: what DNS says is listed, and the people can be tagged or left out for ever.
func TestDomains(t *testing.T) {
	f := shop("en")
	r := newRig(t, "en", f)
	ask := func() {
		r.w.domainsDialog()
		r.run()
		r.tap("Check 300 people")
	}
	f.domains = DomainReport{Domains: 5, Offline: true}
	ask()
	r.wants("DNS could not be asked.")
	f.domains = DomainReport{Domains: 5, Unknown: 1}
	r.tap("Check 300 people")
	r.wants("All 5 domains take mail, as far as DNS could be asked (1 gave no answer).")
	r.tap("Close")
	f.domains.Dead = []DeadDomain{{"qq.con", "domain.missing", []int64{1, 2}}, {"old.example", "domain.refuses", []int64{3}}}
	ask()
	r.wants("3 people have addresses at 2 domains that take no mail", "qq.con", r.text("domain.missing"))
	r.tap("Never mail them")
	r.wants("Put these 2 domains on the never-mail list?")
	r.tap("Never mail them")
	if !f.has("Suppress @qq.con,@old.example") {
		t.Errorf("calls %q", f.calls)
	}
	r.noDialog()
	ask()
	r.tap("Tag these people…")
	r.field("ui.account.name").SetText("dead")
	r.press("Save")
	r.noDialog()
	if !f.has("TagContacts dead 1 2 3") {
		t.Errorf("calls %q", f.calls)
	}
}

// TestWorking: while something is done to people the pane says so, and nothing can be taken back.
func TestWorking(t *testing.T) {
	r := newRig(t, "en", shop("en"))
	held := make(chan struct{})
	r.w.recipients.selectAll()
	r.w.recipients.with(func(_ context.Context, ids []int64) (int, error) { <-held; return len(ids), nil }, func(n int, err error) {
		if n != 300 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	})
	r.frame()
	r.wants("Working…  300 selected")
	r.svc.mu.Lock()
	r.svc.change(model.ChangeRemove, 1, "")
	r.svc.mu.Unlock()
	r.w.undo()
	r.wants("Working…")
	close(held)
	r.run()
	if r.svc.has("UndoChange") {
		t.Error("taken back while something was done")
	}
	r.wants("300 people")
}
