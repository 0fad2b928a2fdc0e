package ui

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"hongyan/app/diagnose"
	"hongyan/app/model"
)

// failure is something that users meet often, in the words of the server that says it.
type failure struct {
	name    string
	in      diagnose.Input
	account bool // it stops the account: nobody is refused
	talk    []string
	says    map[string][]string // by language: what has to be told to know what to do next
}

var failures = []failure{
	{name: "authcode", account: true,
		in: diagnose.Input{Provider: "qq", Host: "smtp.qq.com", Port: 465, TLS: model.TLSImplicit, Step: model.StepAuth, Code: 535,
			Text: "Login Fail. Please enter your authorization code to login. More information in http://service.mail.qq.com/cgi-bin/help?subtype=1&&id=28&&no=1001256"},
		talk: []string{"· TLS 1.3 TLS_AES_128_GCM_SHA256 smtp.qq.com", "← 220 newxmesmtplogicsvrszc1-0.qq.com XMail Esmtp QQ Mail Server.", "→ EHLO [127.0.0.1]", "← 250 AUTH LOGIN PLAIN XOAUTH XOAUTH2",
			"→ AUTH PLAIN ****", "← 535 Login Fail. Please enter your authorization code to login. More information in http://service.mail.qq.com/cgi-bin/help?subtype=1&&id=28&&no=1001256"},
		says: map[string][]string{"zh": {"授权码"}, "en": {"authorization code"}}},
	{name: "from",
		in:   diagnose.Input{Provider: "163", Host: "smtp.163.com", Port: 465, TLS: model.TLSImplicit, Step: model.StepMail, Code: 553, Text: "Mail from must equal authorized user"},
		talk: []string{"→ AUTH LOGIN ****", "← 235 Authentication successful", "→ MAIL FROM:<shop@example.com> SIZE=1432", "← 553 Mail from must equal authorized user"},
		says: map[string][]string{"zh": {"登录"}, "en": {"log"}}, account: true},
	{name: "port", account: true,
		in:   diagnose.Input{Provider: "qq", Host: "smtp.qq.com", Port: 465, TLS: model.TLSImplicit, Step: model.StepConnect, Err: &net.OpError{Op: "dial", Net: "tcp", Err: context.DeadlineExceeded}},
		talk: []string{"· TCP smtp.qq.com:465", "! dial tcp: i/o timeout"},
		says: map[string][]string{"zh": {"端口", "465"}, "en": {"port", "465"}}},
	{name: "daylimit", account: true,
		in: diagnose.Input{Provider: "gmail", Host: "smtp.gmail.com", Port: 465, TLS: model.TLSImplicit, Step: model.StepMail, Code: 550, Enhanced: "5.4.5",
			Text: "5.4.5 Daily user sending limit exceeded. For more information on Gmail\n5.4.5 sending limits go to\n5.4.5  https://support.google.com/a/answer/166852 d9443c01a7336 - gsmtp"},
		talk: []string{"→ MAIL FROM:<shop@gmail.com> SIZE=1432", "← 550-5.4.5 Daily user sending limit exceeded. For more information on Gmail", "← 550 5.4.5  https://support.google.com/a/answer/166852 d9443c01a7336 - gsmtp"},
		says: map[string][]string{"zh": {"自动"}, "en": {"by itself"}}},
	{name: "mailbox",
		in:   diagnose.Input{Provider: "qq", Host: "smtp.qq.com", Port: 465, TLS: model.TLSImplicit, Step: model.StepRcpt, Code: 550, Text: "Mailbox not found. http://service.mail.qq.com/cgi-bin/help?subtype=1&&no=1000728"},
		talk: []string{"→ MAIL FROM:<reading.circle@qq.com> SIZE=1432", "← 250 OK.", "→ RCPT TO:<10086037@qq.com>", "← 550 Mailbox not found. http://service.mail.qq.com/cgi-bin/help?subtype=1&&no=1000728"},
		says: map[string][]string{"zh": {"地址"}, "en": {"address"}}},
}

// open shows a failure as the window does.
func (x failure) open(t testing.TB, r *rig) {
	diag := diagnose.Explain(x.in)
	next, n := diag.Next()
	d := Diagnosis{TextKey: diag.TextKey, Args: diag.Args, Then: diag.Consequences(), Next: next, NextN: n}
	var talk []LogLine
	for i, s := range x.talk {
		mark, text, _ := strings.Cut(s, " ")
		kind := map[string]LogKind{"·": LogNote, "→": LogClient, "←": LogServer, "!": LogError}[mark]
		talk = append(talk, LogLine{At: r.svc.at(i / 2), Conn: 1, Kind: kind, Text: text})
	}
	if x.account {
		a := r.svc.accounts[0]
		a.Clock = model.Clock{State: model.ClockStopped, Step: x.in.Step, Code: x.in.Code, Reply: x.in.Text}
		if diag.Account == diagnose.AccountRests {
			a.Clock.State, a.Clock.Until = model.ClockResting, r.svc.at(0).Add(15*time.Hour)
		}
		r.svc.accountTrouble, r.svc.dialogue[-a.ID] = d, talk
		r.svc.accounts[0] = a
		r.w.accounts.load()
		r.run()
		r.w.accountProblem(a)
	} else {
		p := Problem{State: diag.State, Diagnosis: d, N: 1, First: model.Delivery{ID: 7, CampaignID: 1, Email: "10086037@qq.com", State: diag.State, Code: x.in.Code, Reply: x.in.Text}}
		r.svc.dialogue[7] = talk
		r.w.problemDialog(p)
	}
	r.run()
}

// TestFailuresAreExplained: each says what happened, what to do, and what was said, and can be copied whole.
func TestFailuresAreExplained(t *testing.T) {
	for _, lang := range []string{"zh", "en"} {
		for _, x := range failures {
			t.Run(x.name+"-"+lang, func(t *testing.T) {
				r := newRig(t, lang, shop(lang))
				x.open(t, r)
				r.wants(r.text("ui.problem.what"), r.text("ui.problem.do"), r.text("ui.problem.means"), strings.SplitN(x.talk[len(x.talk)-1], " ", 2)[1])
				r.wants(x.says[lang]...)
				if strings.Contains(r.said(), "diag.") {
					t.Errorf("a key is shown:\n%s", r.said())
				}
				r.tap(r.text("ui.problem.copy"))
				copied := r.app.Clipboard().Content()
				for _, s := range append(x.says[lang], "Hongyan 1.0", strings.SplitN(x.talk[0], " ", 2)[1]) {
					if !strings.Contains(copied, s) {
						t.Errorf("%q is not in what was copied:\n%s", s, copied)
					}
				}
			})
		}
	}
}

// TestWhyAccount: a stopped account offers its reason, in its pane and beside the next step; from there it can be
// mended.
func TestWhyAccount(t *testing.T) {
	f := shop("en")
	f.accountTrouble = Diagnosis{TextKey: "diag.qq.auth.code", Next: "diag.next.user"}
	f.campaigns = []model.Campaign{{ID: 1, Name: "c", State: model.CampaignPaused, Reason: "auth"}}
	f.counts = model.Counts{Total: 5, Queued: 5}
	r := newRig(t, "en", f)
	r.tap("Why?")
	r.wants(`Why "Old mailbox" does not send`, r.text("diag.qq.auth.code.do"), "535 authentication failed")
	r.tap("Edit account")
	r.wants("Account Old mailbox")
	r.tap("Cancel")
	r.w.accountsPane.table.Click(0, 0)
	r.run()
	if r.w.accountsPane.why.Visible() {
		t.Error("a fit account offers a reason")
	}
	r.w.accountsPane.table.Click(2, 0)
	r.run()
	r.w.accountsPane.why.OnTapped()
	r.run()
	r.tap("Try again now")
	if !r.svc.has("WakeAccount 3") {
		t.Error("not woken")
	}
}
