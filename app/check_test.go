package app_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"hongyan/app"
	"hongyan/app/model"
	"hongyan/assets"
	"hongyan/smtpx/smtptest"
)

// keys lists what a check found, blockers marked.
func keys(t *testing.T, c app.Check) []string {
	t.Helper()
	var ks []string
	for _, f := range c.Findings {
		for _, lang := range assets.Languages {
			if s := assets.For(lang).Args(f.Key, f.Args); s == f.Key || strings.ContainsAny(s, "{}") {
				t.Errorf("%s: %s says %q", lang, f.Key, s)
			}
		}
		k := strings.TrimPrefix(f.Key, "check.")
		if f.Blocker {
			k = "!" + k
		}
		ks = append(ks, k)
	}
	return ks
}

func TestCheck(t *testing.T) {
	r := newRig(t)
	list := r.people("list", 20)
	acct := r.account("relay", 2525)
	locked := &model.Account{Name: "locked", From: "shop@qq.com", User: "other@qq.com"}
	if err := r.SaveAccount(t.Context(), locked, "", false); err != nil {
		t.Fatal(err)
	}
	with := func(f func(*app.CampaignSpec)) app.CampaignSpec {
		s := app.CampaignSpec{ListID: list, Letter: letter, AccountIDs: []int64{acct.ID}}
		f(&s)
		return s
	}
	for _, c := range []struct {
		name string
		spec app.CampaignSpec
		want []string
	}{
		{"nothing to say", with(func(*app.CampaignSpec) {}), nil},
		{"no account", with(func(s *app.CampaignSpec) { s.AccountIDs = nil }), []string{"!no_account"}},
		{"an account that is gone", with(func(s *app.CampaignSpec) { s.AccountIDs = []int64{99} }), []string{"!error.not_found"}},
		{"no password, From is not the login", with(func(s *app.CampaignSpec) { s.AccountIDs = []int64{locked.ID} }), []string{"!secret", "from"}},
		{"empty letter", with(func(s *app.CampaignSpec) { s.Letter.Subject, s.Letter.Body = " ", "" }), []string{"!error.letter.empty", "!error.letter.empty", "opt_out"}},
		{"a field that nobody has", with(func(s *app.CampaignSpec) { s.Letter.Body += "{{nmae}}" }), []string{"!field"}},
		{"a field that is no field", with(func(s *app.CampaignSpec) { s.Letter.Body += "{{name" }), []string{"!error.letter.syntax"}},
		{"advertising without its mark", with(func(s *app.CampaignSpec) { s.Advertising = true }), []string{"!ad"}},
		{"advertising", with(func(s *app.CampaignSpec) { s.Advertising, s.Letter.Subject = true, "【广告】春装" }), nil},
		{"advertising in Latin", with(func(s *app.CampaignSpec) { s.Advertising, s.Letter.Subject = true, "AD: spring" }), nil},
		{"not an AD but Adam", with(func(s *app.CampaignSpec) { s.Advertising, s.Letter.Subject = true, "Adam writes" }), []string{"!ad"}},
		{"links", with(func(s *app.CampaignSpec) {
			s.Letter.Body += "\n[a](www.example.com) [b](https://example.com/?c={{city|}}) [c](mailto:a@example.com) [d](https://)"
		}), []string{"link", "link"}},
		{"no way out", with(func(s *app.CampaignSpec) { s.Letter.Body = "{{name}}，{{city}}见" }), []string{"opt_out"}},
		{"attachment that is not there", with(func(s *app.CampaignSpec) { s.Letter.Attachments = []model.Attachment{{Path: "/nowhere/a.pdf"}} }), []string{"!error.letter.attach"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := r.Check(t.Context(), c.spec)
			if err != nil {
				t.Fatal(err)
			}
			if ks := keys(t, got); !slices.Equal(ks, c.want) {
				t.Errorf("got %v, want %v", ks, c.want)
			}
			if got.People != 20 || got.Skipped != 0 {
				t.Errorf("%d people, %d skipped", got.People, got.Skipped)
			}
		})
	}
}

func TestCheckCountsWhoIsSkippedAndWhatIsEmpty(t *testing.T) {
	r := newRig(t)
	list := r.paste("l", "email,name,city\na@example.org,甲,上海\nb@example.org,,\nc@example.org,丙,\n").ListID
	if err := r.Suppress(t.Context(), []string{"@example.net", "c@example.org"}, "user"); err != nil {
		t.Fatal(err)
	}
	r.paste("l", "email,name,city\nd@mail.example.net,丁,北京\n")
	acct := r.account("relay", 2525)
	acct.Limits = model.Limits{GapMin: time.Minute, GapMax: time.Minute}
	if err := r.SaveAccount(t.Context(), acct, "", false); err != nil {
		t.Fatal(err)
	}
	l := letter
	l.Subject = "{{name}}"
	c, err := r.Check(t.Context(), app.CampaignSpec{ListID: list, Letter: l, AccountIDs: []int64{acct.ID}})
	if err != nil {
		t.Fatal(err)
	}
	if c.People != 2 || c.Skipped != 2 || c.SkippedWhy["suppressed"] != 2 {
		t.Errorf("%+v", c)
	}
	if ks := keys(t, c); !slices.Equal(ks, []string{"skipped.suppressed", "empty_field", "empty_field"}) {
		t.Errorf("%v", ks)
	}
	if c.Findings[1].Args["example"] != "b@example.org" || c.Findings[1].Args["n"] != "1" {
		t.Errorf("%+v", c.Findings[1])
	}
	// Two letters, a minute apart.
	if c.Duration < 55*time.Second || c.Duration > 65*time.Second {
		t.Errorf("takes %v", c.Duration)
	}
}

// TestCheckKnowsWhatTheServerTakes: it has said so at an earlier connection.
func TestCheckKnowsWhatTheServerTakes(t *testing.T) {
	r := newRig(t)
	_, acct := r.server(smtptest.Options{MaxSize: 4000})
	spec := app.CampaignSpec{ListID: r.people("l", 3), Letter: letter, AccountIDs: []int64{acct.ID}}
	spec.Letter.Body += strings.Repeat("\n\n一本书。", 500)
	before, err := r.Check(t.Context(), spec)
	if err != nil || before.Blocked() {
		t.Fatalf("%v, %v", keys(t, before), err)
	}
	if rep, err := r.TestAccount(t.Context(), *acct, "", nil); err != nil || !rep.OK {
		t.Fatalf("%+v, %v", rep, err)
	}
	after, err := r.Check(t.Context(), spec)
	if ks := keys(t, after); err != nil || !slices.Equal(ks, []string{"!size"}) {
		t.Errorf("%v, %v", ks, err)
	}
}

func TestCampaignThatCannotBe(t *testing.T) {
	r := newRig(t)
	list := r.people("l", 3)
	acct := r.account("relay", 2525)
	for name, c := range map[string]struct {
		spec app.CampaignSpec
		want model.Code
	}{
		"no name":       {app.CampaignSpec{ListID: list, Letter: letter, AccountIDs: []int64{acct.ID}}, model.EInvalid},
		"no account":    {app.CampaignSpec{Name: "c", ListID: list, Letter: letter}, model.ENoAccount},
		"no such list":  {app.CampaignSpec{Name: "c", ListID: 99, Letter: letter, AccountIDs: []int64{acct.ID}}, model.ELetterField},
		"unknown field": {app.CampaignSpec{Name: "c", ListID: list, Letter: model.Letter{Subject: "{{x}}", Body: "b"}, AccountIDs: []int64{acct.ID}}, model.ELetterField},
		"empty":         {app.CampaignSpec{Name: "c", ListID: list, AccountIDs: []int64{acct.ID}}, model.ELetterEmpty},
	} {
		if _, err := r.CreateCampaign(t.Context(), c.spec); model.CodeOf(err) != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	if err := r.Suppress(t.Context(), []string{"@example.org"}, "user"); err != nil {
		t.Fatal(err)
	}
	_, err := r.CreateCampaign(t.Context(), app.CampaignSpec{Name: "nobody", ListID: list, Letter: letter, AccountIDs: []int64{acct.ID}})
	if model.CodeOf(err) != model.ENoRecipient {
		t.Errorf("nobody to write to: %v", err)
	}
	all, err := r.Campaigns(t.Context())
	if err != nil || len(all) != 0 {
		t.Errorf("%d campaigns are left, %v", len(all), err)
	}
}
