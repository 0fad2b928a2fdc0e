package app_test

import (
	"strings"
	"testing"

	"hongyan/app/livelog"
	"hongyan/app/model"
	"hongyan/smtpx/smtptest"
)

// TestDialogue: what was said about one person is told from what was said about others on the same connection, and
// begins where the session does.
func TestDialogue(t *testing.T) {
	r := newRig(t)
	_, acct := r.server(smtptest.Options{})
	c := r.campaign("c", r.people("l", 3), acct.ID)
	r.send(c)
	ds, err := r.Deliveries(t.Context(), model.DeliveryQuery{CampaignID: c.ID})
	if err != nil || len(ds) != 3 {
		t.Fatal(len(ds), err)
	}
	for _, d := range ds {
		said := text(r.Dialogue(d))
		if !strings.Contains(said, "EHLO") || !strings.Contains(said, "RCPT TO:<"+d.Email+">") || strings.Count(said, "RCPT TO") != 1 {
			t.Errorf("about %s:\n%s", d.Email, said)
		}
	}
	if said := text(r.AccountDialogue(acct.ID)); strings.Count(said, "RCPT TO") != 3 || strings.Count(said, "TCP ") != 1 {
		t.Errorf("the account:\n%s", said)
	}
	again := r.campaign("again", r.people("m", 1), acct.ID)
	r.send(again)
	if said := text(r.AccountDialogue(acct.ID)); strings.Count(said, "RCPT TO") != 1 || strings.Count(said, "TCP ") != 1 {
		t.Errorf("the account's latest session:\n%s", said)
	}
	if len(r.Dialogue(model.Delivery{ID: 99})) != 0 || len(r.AccountDialogue(99)) != 0 {
		t.Error("something was said about nobody")
	}
}

func text(lines []livelog.Line) string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(l.String() + "\n")
	}
	return b.String()
}
