package app_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hongyan/app"
	"hongyan/app/contacts"
	"hongyan/app/model"
	"hongyan/smtpx/smtptest"
)

// person finds a contact by address.
func (r *rig) person(email string) model.Contact {
	r.t.Helper()
	c, err := r.store.ContactByEmail(r.t.Context(), email)
	if err != nil {
		r.t.Fatal(err)
	}
	return *c
}

// TestPerson: the page of a person has where they came from and each letter; the file that they may ask for has it
// too; and after they were erased nothing knows them but the list of those who are never mailed.
func TestPerson(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	_, acct := r.server(smtptest.Options{})
	list := r.paste("Fair", "email,name,city\nanna@example.com,Anna,Paris\nbo@example.com,Bo,Rome\n").ListID
	c := r.campaign("autumn", list, acct.ID)
	if n := r.send(c); n.Accepted != 2 {
		t.Fatalf("sent %+v", n)
	}

	anna := r.person("anna@example.com")
	p, err := r.Person(ctx, anna.ID)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Imports) != 1 || p.Imports[0].ListName != "Fair" || len(p.Letters) != 1 {
		t.Fatalf("person %+v", p)
	}
	if l := p.Letters[0]; l.Campaign != "autumn" || l.Subject != letter.Subject || l.State != model.Accepted || l.UpdatedAt.IsZero() {
		t.Errorf("letter %+v", l)
	}
	path := filepath.Join(t.TempDir(), "anna.json")
	if err := r.ExportPerson(ctx, anna.ID, path); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Address          string
		Imports, Letters []map[string]any
	}
	if err := json.Unmarshal(b, &file); err != nil || file.Address != "anna@example.com" || len(file.Imports) != 1 || len(file.Letters) != 1 || file.Letters[0]["state"] != "accepted" {
		t.Errorf("wrote %v %s", err, b)
	}

	if err := r.Suppress(ctx, []string{"anna@example.com"}, "user"); err != nil {
		t.Fatal(err)
	}
	if err := r.ErasePerson(ctx, anna.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Person(ctx, anna.ID); model.CodeOf(err) != model.ENotFound {
		t.Errorf("erased: %v", err)
	}
	ds, err := r.Deliveries(ctx, model.DeliveryQuery{CampaignID: c.ID})
	if err != nil || len(ds) != 2 || slices.ContainsFunc(ds, func(d model.Delivery) bool { return strings.Contains(d.Email+d.Address, "anna") }) {
		t.Errorf("the campaign has %+v, %v", ds, err)
	}
	sups, err := r.Suppressions(ctx)
	if err != nil || len(sups) != 1 || sups[0].Key != "anna@example.com" {
		t.Errorf("never mailed: %+v, %v", sups, err)
	}
}

// TestRecordConsent: people of a chat record get letters once the user says how they agreed.
func TestRecordConsent(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	im, err := r.store.BeginImport(ctx, model.ImportSpec{ListName: "l", Source: "group chat"})
	if err != nil {
		t.Fatal(err)
	}
	if err := im.Add(ctx, []model.Row{{Line: 1, Email: "a@example.com", Address: "a@example.com", NoConsent: true}}); err != nil {
		t.Fatal(err)
	}
	rep, err := im.Finish(ctx)
	if err != nil {
		t.Fatal(err)
	}
	spec := app.CampaignSpec{Name: "c", ListID: rep.ListID, Letter: letter, AccountIDs: []int64{r.account("a", 1).ID}}
	check := func() (people int, why map[string]int) {
		c, err := r.Check(ctx, spec)
		if err != nil {
			t.Fatal(err)
		}
		return c.People, c.SkippedWhy
	}
	if n, why := check(); n != 0 || why["consent"] != 1 {
		t.Errorf("before: %d would get a letter, skipped %v", n, why)
	}
	a := r.person("a@example.com")
	if _, err := r.RecordConsent(ctx, []int64{a.ID}, "  "); model.CodeOf(err) != model.EConsent {
		t.Errorf("nothing said: %v", err)
	}
	if n, err := r.RecordConsent(ctx, []int64{a.ID}, " asked on the phone "); err != nil || n != 1 {
		t.Errorf("recorded for %d, %v", n, err)
	}
	if got := r.person("a@example.com").Consent; got != "asked on the phone" {
		t.Errorf("recorded %q", got)
	}
	if n, why := check(); n != 1 || len(why) != 0 {
		t.Errorf("after: %d would get a letter, skipped %v", n, why)
	}
}

// TestOpenImport: what a cut-off import brought can be kept or undone.
func TestOpenImport(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	for _, list := range []string{"kept", "undone"} {
		im, err := r.store.BeginImport(ctx, model.ImportSpec{ListName: list, Source: "s", Consent: "c"})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(im.Add(ctx, []model.Row{{Line: 1, Email: list + "@example.com", Address: list + "@example.com"}}), im.Flush(ctx)); err != nil {
			t.Fatal(err)
		}
	}
	open, err := r.OpenImports(ctx)
	if err != nil || len(open) != 2 {
		t.Fatalf("open %+v, %v", open, err)
	}
	if err := r.KeepImport(ctx, open[0].ID); err != nil {
		t.Fatal(err)
	}
	if n, err := r.UndoImport(ctx, open[1].ID); n != 1 || err != nil {
		t.Errorf("undone %d, %v", n, err)
	}
	open, err = r.OpenImports(ctx)
	ids, err2 := r.ContactIDs(ctx, model.ContactQuery{})
	if err != nil || err2 != nil || len(open) != 0 || len(ids) != 1 {
		t.Errorf("open %+v, %d people, %v %v", open, len(ids), err, err2)
	}
}

func TestImportSuppressions(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	got, err := r.ImportSuppressions(ctx, "", "a@example.com\n@QQ.com @163.com, b@example.com\n张三 10086123\nnobody\n")
	if err != nil || got.Read != 5 || got.Added != 5 {
		t.Fatalf("%+v, %v", got, err)
	}
	path := filepath.Join(t.TempDir(), "永不发送.csv")
	if n, err := r.ExportSuppressions(ctx, path); n != 5 || err != nil {
		t.Fatalf("exported %d, %v", n, err)
	}
	was, err := r.Suppressions(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, x := range was {
		keys = append(keys, x.Key)
	}
	if want := []string{"10086123@qq.com", "@163.com", "@qq.com", "a@example.com", "b@example.com"}; !slices.Equal(keys, want) {
		t.Fatalf("never mailed: %v", keys)
	}
	again, err := r.ImportSuppressions(ctx, path, "")
	if err != nil || again.Read != 5 || again.Added != 0 || again.Refused != 0 {
		t.Errorf("its own export comes back as %+v, %v", again, err)
	}
	if _, err := r.ImportSuppressions(ctx, "", "nothing here"); model.CodeOf(err) != model.ENoAddresses {
		t.Errorf("nothing: %v", err)
	}
	if _, err := r.ImportSuppressions(ctx, filepath.Join(t.TempDir(), "none"), ""); model.CodeOf(err) != model.EFileMissing {
		t.Errorf("no file: %v", err)
	}
	if _, err := contacts.Open(path, contacts.Options{}); err != nil {
		t.Error(err)
	}
}
