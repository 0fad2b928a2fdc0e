package ui

import (
	"slices"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/storage"

	"hongyan/app/model"
)

// drop lets go of files over the list of people.
func (r *rig) drop(paths ...string) {
	r.dropAt(fyne.NewPos(10, 300), paths...)
}

func (r *rig) dropAt(at fyne.Position, paths ...string) {
	r.t.Helper()
	var uris []fyne.URI
	for _, p := range paths {
		uris = append(uris, storage.NewFileURI(p))
	}
	r.w.dropped(at, uris)
	r.run()
}

// asked fails unless the import asks about a file, with what follows it.
func (r *rig) asked(path, follows string) {
	r.t.Helper()
	r.wants("Import recipients")
	if got := r.entry(r.text("ui.import.path")).Text; got != path {
		r.t.Fatalf("asked about %q, want %q", got, path)
	}
	if follows != "" {
		r.wants(follows)
	}
	has := false
	walk(r.top(), func(o fyne.CanvasObject) {
		s, _, _ := label(o)
		has = has || s == "Skip this file"
	})
	if has != (follows != "") {
		r.t.Errorf("%s: can be skipped %v", path, has)
	}
}

// TestImportSeveral: files that are dropped together are imported one after the other, with one answer to what is asked.
func TestImportSeveral(t *testing.T) {
	f := shop("en")
	f.preview = csvPreview()
	r := newRig(t, "en", f)
	r.drop("/home/shop/a.csv", "/home/shop/b.xlsx", "/home/shop/Hongyan", "/home/shop/c.vcf")
	r.asked("/home/shop/a.csv", "3 more to follow: b.xlsx, Hongyan, c.vcf")
	r.field("ui.import.list").SetText("Autumn")
	r.field("ui.import.source").SetText("a fair")
	r.field("ui.import.consent").SetText("ticked")
	r.run()
	r.press("Import")
	r.wants("Import finished")
	r.tap("OK")
	r.asked("/home/shop/b.xlsx", "2 more to follow: Hongyan, c.vcf")
	for key, want := range map[string]string{"ui.import.list": "Autumn", "ui.import.source": "a fair", "ui.import.consent": "ticked"} {
		if got := r.field(key).Text; got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	r.tap("Skip this file")
	r.asked("/home/shop/Hongyan", "1 more to follow: c.vcf")
	f.fail["Import"] = model.E(model.EFileFormat, nil, "path", "Hongyan", "detail", "no such thing")
	r.press("Import")
	r.wants(r.w.t.Error(f.fail["Import"]))
	r.tap("OK")
	delete(f.fail, "Import")
	r.asked("/home/shop/Hongyan", "1 more to follow: c.vcf")
	r.tap("Skip this file")
	r.asked("/home/shop/c.vcf", "")
	r.press("Import")
	r.wants("Import finished")
	r.tap("OK")
	r.noDialog()
	n := 0
	for _, c := range f.calls {
		if c == "Import" {
			n++
		}
	}
	if n != 3 {
		t.Errorf("%d imports, want 3: two that went and one that failed; calls %q", n, f.calls)
	}
}

// TestImportStopped: no more files are asked about, and the list that was only proposed is not kept for the next file.
func TestImportStopped(t *testing.T) {
	f := newFake()
	f.preview = csvPreview()
	r := newRig(t, "en", f)
	r.drop("/home/shop/a.csv", "/home/shop/b.csv", "/home/shop/c.csv")
	r.wants("2 more to follow: b.csv, c.csv")
	r.tap("Skip this file")
	if got := r.field("ui.import.list").Text; got != "b" {
		t.Errorf("the list of b.csv is called %q", got)
	}
	r.tap("Stop here")
	r.noDialog()
	if slices.Contains(f.calls, "Import") {
		t.Error("something was imported")
	}
}

// TestPasteSeveral: paths that a file manager copied follow one another, and what follows is told in short.
func TestPasteSeveral(t *testing.T) {
	f := shop("zh")
	f.preview = csvPreview()
	r := newRig(t, "zh", f)
	r.app.Clipboard().SetContent("file:///x/1.csv\n/x/2.csv\n/x/3.csv\n/x/4.csv\n/x/5.csv\n/x/6.csv\n/x/7.csv\n/x/8.csv\n")
	r.w.pasteImport()
	r.run()
	r.wants("/x/1.csv", "后面还有 7 个文件：2.csv、3.csv、4.csv、5.csv、6.csv、7.csv…", "到此为止", "跳过这个文件", "再选一个…")
}

// TestDropOnImport: what is let go while an import is asked about joins it, wherever that is.
func TestDropOnImport(t *testing.T) {
	f := shop("en")
	f.preview = csvPreview()
	r := newRig(t, "en", f)
	r.w.importDialog("", "")
	r.dropAt(fyne.NewPos(900, 200), "/home/shop/a.csv")
	r.asked("/home/shop/a.csv", "")
	r.drop("/home/shop/b.csv", "/home/shop/c.csv")
	r.asked("/home/shop/a.csv", "2 more to follow: b.csv, c.csv")
	r.tap("Stop here")
	r.noDialog()
	r.dropAt(fyne.NewPos(900, 200), "/home/shop/map.png")
	if a := r.w.letter.letter.Attachments; len(a) != 1 {
		t.Errorf("attached %+v", a)
	}
}

// TestDropSeveralOnLetter: all of them are attached.
func TestDropSeveralOnLetter(t *testing.T) {
	r := newRig(t, "en", shop("en"))
	r.dropAt(fyne.NewPos(900, 200), "/home/shop/map.png", "/home/shop/plan.pdf")
	if a := r.w.letter.letter.Attachments; len(a) != 2 {
		t.Errorf("attached %+v", a)
	}
	r.noDialog()
}
