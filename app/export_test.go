package app_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hongyan/app/contacts"
	"hongyan/app/model"
)

// What is exported can be imported again in any of its kinds, and gives the same people.
func TestExportList(t *testing.T) {
	r := newRig(t)
	people := func(list string) []string {
		t.Helper()
		l, err := r.ListByName(t.Context(), list)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		if err := r.EachPerson(t.Context(), model.ContactQuery{ListID: l.ID}, func(c *model.Contact) error {
			out = append(out, fmt.Sprint(c.Email, " ", c.Name))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return out
	}
	load := func(src *contacts.Source, err error, list string) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Import(t.Context(), src, model.ImportSpec{ListName: list, Source: "展会", Consent: "书面"}, false, nil); err != nil {
			t.Fatal(err)
		}
		if err := src.Close(); err != nil {
			t.Fatal(err)
		}
	}
	src, err := contacts.FromText("姓名,邮箱,城市\n张三,a@example.com,=1+1\n李四,b@example.com,\n", contacts.Options{})
	load(src, err, "people")
	l, err := r.ListByName(t.Context(), "people")
	if err != nil {
		t.Fatal(err)
	}
	want := people("people")
	dir := t.TempDir()
	for _, name := range []string{"a.csv", "b.xlsx", "C.VCF"} {
		path := filepath.Join(dir, name)
		if n, err := r.ExportPeople(t.Context(), model.ContactQuery{ListID: l.ID}, path); n != 2 || err != nil {
			t.Fatalf("%s: %d people, %v", name, n, err)
		}
		src, err := contacts.Open(path, contacts.Options{})
		load(src, err, name)
		if d := cmp.Diff(want, people(name)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	for _, name := range []string{"a.txt", "a", "a.xls", ".csv.gz"} {
		if _, err := r.ExportPeople(t.Context(), model.ContactQuery{ListID: l.ID}, filepath.Join(dir, name)); model.CodeOf(err) != model.EInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := r.ExportPeople(t.Context(), model.ContactQuery{ListID: l.ID}, filepath.Join(dir, "none", "a.xlsx")); model.CodeOf(err) != model.EFileUnwritable {
		t.Errorf("a folder that is not there: %v", err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 3 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestExportPeople: only those whom a query chooses are written, in its order.
func TestExportPeople(t *testing.T) {
	r := newRig(t)
	src, err := contacts.FromText("email,name\na@qq.com,A\nb@163.com,B\nc@qq.com,C\n", contacts.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Import(t.Context(), src, model.ImportSpec{ListName: "l", Source: "s", Consent: "c"}, false, nil); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "qq.csv")
	q := model.ContactQuery{Sort: model.SortEmail, Desc: true, Filter: model.Filter{Conditions: []model.Condition{{What: model.WhereAddress, Op: model.OpEnds, Text: "@qq.com"}}}}
	if n, err := r.ExportPeople(t.Context(), q, path); n != 2 || err != nil {
		t.Fatalf("%d people, %v", n, err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if c, a := strings.Index(string(b), "c@qq.com"), strings.Index(string(b), "a@qq.com"); c < 0 || a < c || strings.Contains(string(b), "b@163.com") {
		t.Errorf("written:\n%s", b)
	}
}
