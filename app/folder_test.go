package app_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hongyan/app"
	"hongyan/app/contacts"
	"hongyan/app/model"
	"hongyan/app/secrets"
	"hongyan/store"
)

// other fills a data folder as another Hongyan would have, which keeps it open: four people, two of them on the list
// "读书会", one of those without consent, and two who said no.
func other(t *testing.T) *rig {
	r := newRig(t)
	r.take("all", "signed up", contacts.Options{}, "email,name,城市\na@example.com,张三,北京\nb@example.com,李四,上海\nno@example.com,王五,\nc@else.example.net,赵六,\n")
	r.take("读书会", "signed up", contacts.Options{}, "email\nb@example.com\n")
	r.take("读书会", "", contacts.Options{Format: contacts.FormatHTML}, "<p>Page@example.com</p>")
	for _, key := range []string{"no@example.com", "@else.example.net"} {
		if err := r.store.Suppress(t.Context(), model.Suppression{Key: key, Reason: "unsubscribe", Detail: "by mail"}); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func (r *rig) take(list, consent string, opt contacts.Options, text string) {
	r.t.Helper()
	src, err := contacts.FromText(text, opt)
	if err == nil {
		_, err = r.Import(r.t.Context(), src, model.ImportSpec{ListName: list, Source: "there", Consent: consent}, false, nil)
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

// receiver is a rig that can import from other folders.
func receiver(t *testing.T) *rig {
	r := newRig(t)
	r.App = app.New(app.Options{Dir: r.dir, Store: r.store, Secrets: secrets.Open(secrets.Options{Dir: r.dir, FileOnly: true}),
		Folder: func(path string) (contacts.Folder, error) {
			f, err := store.OpenFolder(t.Context(), r.dir, path)
			if err != nil {
				return nil, err
			}
			return f, nil
		}})
	return r
}

func (r *rig) source(path, list string) *contacts.Source {
	r.t.Helper()
	src, err := r.OpenSource(path, contacts.Options{Sheet: list})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = src.Close() })
	return src
}

func TestImportFolder(t *testing.T) {
	theirs, r := other(t), receiver(t)
	ctx := t.Context()
	// Whoever said no there is known here, with consent.
	r.take("mine", "here", contacts.Options{}, "email\nno@example.com\n")

	src := r.source(filepath.Join(theirs.dir, "app.db"), "")
	if src.Format() != contacts.FormatFolder || src.Sheet() != "" || src.Name() != theirs.dir {
		t.Errorf("%s %q %s", src.Format(), src.Sheet(), src.Name())
	}
	if d := cmp.Diff([]string{"all", "读书会"}, slices.Sorted(slices.Values(src.Sheets()))); d != "" {
		t.Error(d)
	}
	rows, rejects, err := src.Preview(20)
	if err != nil || len(rows) != 3 || len(rejects) != 2 || rejects[0].Reason != contacts.ReasonSuppressed {
		t.Errorf("preview: %v %v %v", rows, rejects, err)
	}
	spec := model.ImportSpec{ListName: "taken", Source: "the old computer"}
	before, err := r.Suppressions(ctx)
	if err != nil {
		t.Fatal(err)
	}
	said, err := r.Prospect(ctx, src, spec)
	if err != nil || said.Added != 3 || said.Invalid != 2 {
		t.Errorf("said %+v, %v", said, err)
	}
	if after, err := r.Suppressions(ctx); err != nil || len(after) != len(before) {
		t.Errorf("a look took over %v, %v", after, err)
	}
	var told int64
	report, err := r.Import(ctx, src, spec, false, func(done, total int64) {
		if told = done; done > total || total != 5 {
			t.Errorf("progress %d of %d", done, total)
		}
	})
	if err != nil || report.Added != 3 || report.Invalid != 2 || report.Read != 5 || told != 5 {
		t.Errorf("%+v, %v", report, err)
	}
	for email, want := range map[string]string{"a@example.com": "signed up", "b@example.com": "signed up", "page@example.com": ""} {
		c, err := r.store.ContactByEmail(ctx, email)
		if err != nil || c.Consent != want || c.Source != "the old computer" {
			t.Errorf("%s: %+v, %v", email, c, err)
		}
		if email == "a@example.com" && (c.Name != "张三" || c.Fields["城市"] != "北京") {
			t.Errorf("%+v", c)
		}
	}
	if _, err := r.store.ContactByEmail(ctx, "c@else.example.net"); model.CodeOf(err) != model.ENotFound {
		t.Errorf("who said no there is copied: %v", err)
	}
	if _, err := r.UndoImport(ctx, report.ImportID); err != nil {
		t.Fatal(err)
	}
	for _, email := range []string{"no@example.com", "x@else.example.net"} {
		if why, yes, err := r.store.Suppressed(ctx, email); err != nil || !yes || why != "import" {
			t.Errorf("%s is not suppressed here, %q %v", email, why, err)
		}
	}
	all, err := r.Suppressions(ctx)
	if err != nil || !slices.ContainsFunc(all, func(s model.Suppression) bool { return s.Detail == "unsubscribe: by mail" }) {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestImportFolderList(t *testing.T) {
	theirs, r := other(t), receiver(t)
	src := r.source(theirs.dir, "读书会")
	if src.Sheet() != "读书会" {
		t.Errorf("list %q", src.Sheet())
	}
	if err := src.SetSheet("nobody's"); model.CodeOf(err) != model.ENotFound || src.Sheet() != "读书会" {
		t.Errorf("a list that is not there: %v, %q", err, src.Sheet())
	}
	report, err := r.Import(t.Context(), src, model.ImportSpec{ListName: "taken", Source: "there"}, false, nil)
	if err != nil || report.Added != 2 || report.Read != 2 {
		t.Errorf("%+v, %v", report, err)
	}
	if err := src.SetSheet(""); err != nil || src.Sheet() != "" {
		t.Errorf("everybody: %v, %q", err, src.Sheet())
	}
	for list, want := range map[string]model.Code{"nobody's": model.ENotFound, "": ""} {
		src, err := r.OpenSource(theirs.dir, contacts.Options{Sheet: list})
		if model.CodeOf(err) != want {
			t.Errorf("list %q: %v", list, err)
		}
		if err == nil {
			_ = src.Close()
		}
	}
	if _, err := r.OpenSource(r.dir, contacts.Options{}); model.CodeOf(err) != model.EFileDataOpen {
		t.Errorf("the folder itself: %v", err)
	}
}

// TestResumeFolder: an import from a folder goes on behind the last person that was stored, though somebody before them
// left the folder and somebody came; from another folder it does not go on.
func TestResumeFolder(t *testing.T) {
	theirs, r := newRig(t), receiver(t)
	ctx := t.Context()
	var b strings.Builder
	b.WriteString("email\n")
	for _, c := range "abcdef" {
		b.WriteString(string(c) + "@example.com\n")
	}
	theirs.take("L", "signed up", contacts.Options{}, b.String())
	src := r.source(theirs.dir, "L")
	spec := model.ImportSpec{ListName: "taken", Source: "s", FileName: "there", Format: src.Format(), Charset: src.Charset()}
	spec.ImportFile = model.ImportFile{Path: theirs.dir, Digest: src.Identity(), Sheet: "L"}
	rows, _, err := src.Preview(3)
	if err != nil {
		t.Fatal(err)
	}
	im, err := r.store.BeginImport(ctx, spec)
	if err == nil {
		err = im.Add(ctx, rows)
	}
	if err == nil {
		err = im.Flush(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	gone, err := theirs.store.ContactByEmail(ctx, "b@example.com")
	if err == nil {
		err = theirs.RemoveContacts(ctx, []int64{gone.ID}, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	theirs.take("L", "signed up", contacts.Options{}, "email\ng@example.com\n")

	open, err := r.OpenImports(ctx)
	if err != nil || len(open) != 1 {
		t.Fatal(open, err)
	}
	elsewhere := newRig(t)
	elsewhere.take("L", "signed up", contacts.Options{}, b.String())
	if _, err := r.ResumeImport(ctx, open[0].ID, r.source(elsewhere.dir, ""), nil); model.CodeOf(err) != model.EImportChanged {
		t.Errorf("gone on with another folder: %v", err)
	}
	report, err := r.ResumeImport(ctx, open[0].ID, nil, nil)
	if err != nil || report.Added != 7 || report.Duplicate != 0 {
		t.Errorf("%+v, %v", report, err)
	}
	for _, c := range "abcdefg" {
		if k, err := r.store.ContactByEmail(ctx, string(c)+"@example.com"); err != nil || k.Consent != "signed up" {
			t.Errorf("%c: %+v, %v", c, k, err)
		}
	}
}
