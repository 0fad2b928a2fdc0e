package app_test

import (
	"testing"

	"hongyan/app"
)

// A rehearsal that was paused goes on after a restart of the program: the practice server is started again, wherever it
// can listen.
func TestRehearsalGoesOnAfterARestart(t *testing.T) {
	r := newRig(t)
	if _, err := r.StartPractice("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	acct, err := r.PracticeAccount(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := r.campaign("c", r.people("l", 5), acct.ID)
	r.close()

	r = open(t, r.dir)
	if r.Practice().Running {
		t.Fatal("it runs before anybody needs it")
	}
	if n := r.send(c); n.Accepted != 5 {
		t.Errorf("%+v", n)
	}
	if n := r.Practice().Count; n != 5 {
		t.Errorf("the practice server has %d letters, want 5", n)
	}
	if err := r.StopPractice(); err != nil {
		t.Fatal(err)
	}
	report, err := r.TestAccount(t.Context(), *acct, "", nil)
	if err != nil || !report.OK {
		t.Errorf("a test of the account: %+v, %v", report, err)
	}
}

func TestCheckOfARehearsal(t *testing.T) {
	r := newRig(t)
	if _, err := r.StartPractice("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	practice, err := r.PracticeAccount(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	list, relay := r.people("l", 2), r.account("relay", 2525)
	for want, accounts := range map[string][]int64{"check.practice": {practice.ID}, "check.practice.mixed": {practice.ID, relay.ID}} {
		c, err := r.Check(t.Context(), app.CampaignSpec{Name: "c", ListID: list, Letter: letter, AccountIDs: accounts})
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, f := range c.Findings {
			found = found || f.Key == want && f.Args["account"] == app.PracticeAccountName
		}
		if !found {
			t.Errorf("%s is missing: %+v", want, c.Findings)
		}
	}
}
