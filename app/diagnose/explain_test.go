package diagnose

import (
	"testing"
	"time"

	"hongyan/app/model"
)

// TestSameDigitsOtherMeaning: what a reply means hangs on who said it, when, and in which words.
func TestSameDigitsOtherMeaning(t *testing.T) {
	for _, c := range []struct {
		name, provider string
		step           model.Step
		reply          string
		rule           string
		scope          model.Scope
		state          model.State
		suppress       string
		account        AccountEffect
		campaign       CampaignEffect
	}{
		{"code wanted", "qq", model.StepAuth, "535 Login Fail. Please enter your authorization code to login. More information in http://service.mail.qq.com/cgi-bin/help?subtype=1&&id=28&&no=1001256",
			"qq.auth.code", model.ScopeAuth, model.Queued, "", AccountStops, CampaignGoesOn},
		{"550 at AUTH", "163", model.StepAuth, "550 User has no permission", "netease.auth.off", model.ScopeAuth, model.Queued, "", AccountStops, CampaignGoesOn},
		{"550 bare at RCPT", "", model.StepRcpt, "550 No", "c.rcpt", model.ScopeHard, model.Rejected, "", AccountGoesOn, CampaignGoesOn},
		{"551 bare at RCPT", "qq", model.StepRcpt, "551 rejected", "c.rcpt", model.ScopeHard, model.Rejected, "", AccountGoesOn, CampaignGoesOn},
		{"553 bare at RCPT", "", model.StepRcpt, "553 sorry", "c.rcpt", model.ScopeHard, model.Rejected, "", AccountGoesOn, CampaignGoesOn},
		{"521 bare at RCPT", "", model.StepRcpt, "521 here", "c.rcpt", model.ScopeHard, model.Rejected, "", AccountGoesOn, CampaignGoesOn},
		{"556 bare at RCPT", "", model.StepRcpt, "556 no mail", "c.rcpt", model.ScopeHard, model.Rejected, "", AccountGoesOn, CampaignGoesOn},
		{"550 dead address", "gmail", model.StepRcpt, "550 5.1.1 The email account that you tried to reach does not exist.", "hard.none", model.ScopeHard, model.Rejected, "bounce", AccountGoesOn, CampaignGoesOn},
		{"550 closed for a while", "qq", model.StepRcpt, "550 Mailbox unavailable or access denied", "qq.recipient.closed", model.ScopeSoft, model.Deferred, "", AccountGoesOn, CampaignGoesOn},
		{"550 text unwanted", "qq", model.StepDot, "550 Mail content denied. https://service.mail.qq.com/detail/122/171", "qq.content", model.ScopeContent, model.Rejected, "", AccountGoesOn, CampaignCounts},
		{"550 bare after the dot", "", model.StepDot, "550 No", "c.dot", model.ScopeContent, model.Rejected, "", AccountGoesOn, CampaignCounts},
		{"550 for today", "gmail", model.StepDot, "550 5.4.5 Daily user sending limit exceeded.", "gmail.day", model.ScopeAccountRate, model.Queued, "", AccountRests, CampaignGoesOn},
		{"550 blocked by the person", "", model.StepRcpt, "550 Mail is rejected by recipients", "qq.recipient.blocked", model.ScopeHard, model.Rejected, "unsubscribe", AccountGoesOn, CampaignGoesOn},
		{"550 too fast", "qq", model.StepMail, "550 Connection frequency limited", "qq.rate.connection", model.ScopeAccountRate, model.Queued, "", AccountRests, CampaignGoesOn},
		{"553 From is not the login", "163", model.StepMail, "553 Mail from must equal authorized user", "netease.from", model.ScopeConfig, model.Queued, "", AccountStops, CampaignGoesOn},
		{"452 full", "gmail", model.StepRcpt, "452 4.2.2 The email account that you tried to reach is over quota.", "soft.full", model.ScopeSoft, model.Deferred, "", AccountGoesOn, CampaignGoesOn},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := Explain(Input{Provider: c.provider, Step: c.step, Text: c.reply})
			if d.Rule != c.rule || d.Scope != c.scope || d.State != c.state || d.Suppress != c.suppress || d.Account != c.account || d.Campaign != c.campaign {
				t.Errorf("got rule %s, scope %s, state %s, suppress %q, account %s, campaign %s", d.Rule, d.Scope, d.State, d.Suppress, d.Account, d.Campaign)
			}
		})
	}
}

// TestOnlyCertainDeathSuppresses: an address is kept off later campaigns only when the words, or an enhanced
// code, say that it is dead or that its owner wants no mail.
func TestOnlyCertainDeathSuppresses(t *testing.T) {
	for _, step := range []model.Step{"", model.StepConnect, model.StepEHLO, model.StepAuth, model.StepMail, model.StepRcpt, model.StepData, model.StepBody, model.StepDot} {
		for code := 400; code < 600; code++ {
			if d := Explain(Input{Step: step, Code: code, Text: "no"}); d.Suppress != "" {
				t.Errorf("a bare %d at %q suppresses by %s", code, step, d.Rule)
			}
		}
	}
}

func TestUntil(t *testing.T) {
	now := time.Date(2026, 11, 24, 17, 30, 0, 0, time.UTC) // half past one of the 25th in Beijing
	if got := (Diagnosis{Tomorrow: true}).Until(now); !got.Equal(time.Date(2026, 11, 25, 16, 10, 0, 0, time.UTC)) {
		t.Errorf("tomorrow is %s", got)
	}
	if got := (Diagnosis{CoolDown: time.Hour}).Until(now); !got.Equal(now.Add(time.Hour)) {
		t.Errorf("in an hour is %s", got)
	}
	if got := (Diagnosis{Account: AccountStops, CoolDown: time.Hour}).Until(now); !got.IsZero() {
		t.Errorf("a stopped account goes on at %s", got)
	}
}
