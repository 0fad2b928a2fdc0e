package diagnose

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"hongyan/app/model"
	"hongyan/app/provider"
	"hongyan/assets"
	"hongyan/smtpx"
)

// manner is how a provider's server speaks: the words are those that users of it report, the shape (what it offers,
// how it prompts, what it does after a refusal) is that of reference dialogues.
type manner struct {
	greeting string
	offers   []string // after EHLO, before STARTTLS
	secured  []string // after EHLO under TLS; nil: offers
	prompts  [2]string
	// login answers the login. A bearer's first answer may be a 334, which wants one more line.
	login, afterJSON string
	mail             string // the answer to MAIL; "" accepts
	hangsUp          bool   // closes after a refusal without a word
	silentQuit       bool   // answers QUIT with octets that are no reply
}

const (
	user64, pass64 = "VXNlcm5hbWU6", "UGFzc3dvcmQ6"
	refusedJSON    = `{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}`
)

// The servers of the providers, before anything goes wrong.
var (
	qqManner = manner{greeting: "220 newxmesmtplogicsvrszb9-0.qq.com XMail Esmtp QQ Mail Server.",
		offers:  []string{"newxmesmtplogicsvrszb9-0.qq.com", "PIPELINING", "SIZE 73400320", "AUTH LOGIN PLAIN XOAUTH XOAUTH2", "AUTH=LOGIN", "MAILCOMPRESS", "SMTPUTF8", "8BITMIME"},
		prompts: [2]string{user64, pass64}, login: "235 Authentication successful", silentQuit: true}
	neteaseManner = manner{greeting: "220 163.com Anti-spam GT for Coremail System (163com[20141201])",
		offers:  []string{"mail", "PIPELINING", "AUTH LOGIN PLAIN XOAUTH2", "AUTH=LOGIN PLAIN XOAUTH2", "coremail 1Uxr2xKj7kG0xkI17xGrU7I0s8FY2U3Uj8Cz28x1UUUUU7Ic2I0Y2UFMGWxsUCa0xDrUUUUj", "STARTTLS", "ID", "8BITMIME"},
		prompts: [2]string{"dXNlcm5hbWU6", "UGFzc3dvcmQ6"}, login: "235 Authentication successful"}
	gmailManner = manner{greeting: "220 smtp.gmail.com ESMTP 5b1f17b1804b1-example - gsmtp",
		offers: []string{"smtp.gmail.com at your service, [203.0.113.9]", "SIZE 35882577", "8BITMIME", "AUTH LOGIN PLAIN XOAUTH2 PLAIN-CLIENTTOKEN OAUTHBEARER XOAUTH", "ENHANCEDSTATUSCODES", "PIPELINING", "CHUNKING", "SMTPUTF8"},
		login:  "235 2.7.0 Accepted"}
	microsoftManner = manner{greeting: "220 SG2PR06CA0198.outlook.office365.com Microsoft ESMTP MAIL Service ready at Tue, 24 Nov 2026 08:00:00 +0000",
		offers:  []string{"SG2PR06CA0198.outlook.office365.com Hello [203.0.113.9]", "SIZE 157286400", "PIPELINING", "DSN", "ENHANCEDSTATUSCODES", "STARTTLS", "8BITMIME", "BINARYMIME", "CHUNKING", "SMTPUTF8"},
		secured: []string{"SG2PR06CA0198.outlook.office365.com Hello [203.0.113.9]", "SIZE 157286400", "PIPELINING", "DSN", "ENHANCEDSTATUSCODES", "AUTH LOGIN XOAUTH2", "8BITMIME", "BINARYMIME", "CHUNKING", "SMTPUTF8"},
		prompts: [2]string{user64, pass64}, login: "235 2.7.0 Authentication successful"}
	yahooManner = manner{greeting: "220 smtp.mail.yahoo.com ESMTP ready",
		offers: []string{"hermes--production-sg3.smtp.mail.yahoo.com Hello [203.0.113.9]", "PIPELINING", "ENHANCEDSTATUSCODES", "8BITMIME", "SIZE 41697280", "AUTH PLAIN LOGIN XOAUTH2 OAUTHBEARER"},
		login:  "235 2.0.0 OK"}
	icloudManner = manner{greeting: "220 iCloud SMTP - smtpclientrelay ESMTP",
		offers:  []string{"smtpclientrelay", "PIPELINING", "SIZE 28319744", "STARTTLS", "ENHANCEDSTATUSCODES", "8BITMIME", "DSN"},
		secured: []string{"smtpclientrelay", "PIPELINING", "SIZE 28319744", "AUTH LOGIN PLAIN ATOKEN ATOKEN2 WSTOKEN WETOKEN", "ENHANCEDSTATUSCODES", "8BITMIME", "DSN"},
		prompts: [2]string{user64, pass64}, login: "235 2.7.0 Authentication successful"}
	zohoManner = manner{greeting: "220 mx.zoho.com SMTP Server ready November 24, 2026 0:00:00 AM PST",
		offers:  []string{"mx.zoho.com Hello localhost (203.0.113.9)", "AUTH LOGIN PLAIN", "SIZE 53477376"},
		prompts: [2]string{user64, pass64}, login: "235 Authentication Successful"}
	aliyunManner = manner{greeting: "220 smtp.aliyun.com MX AliMail Server",
		offers:  []string{"smtp.aliyun.com", "SIZE 52428800", "8BITMIME", "AUTH PLAIN LOGIN XALIOAUTH", "AUTH=PLAIN LOGIN XALIOAUTH", "PIPELINING", "DSN"},
		prompts: [2]string{user64, pass64}, login: "235 Authentication successful"}
	sesManner = manner{greeting: "220 email-smtp.amazonaws.com ESMTP SimpleEmailService-d-example Abc",
		offers:  []string{"email-smtp.amazonaws.com", "8BITMIME", "STARTTLS", "Ok"},
		secured: []string{"email-smtp.amazonaws.com", "8BITMIME", "AUTH PLAIN LOGIN", "Ok"},
		login:   "235 Authentication successful."}
)

// but is a manner with something gone wrong.
func (m manner) but(change func(*manner)) manner { change(&m); return m }

func refuses(reply string) func(*manner) { return func(m *manner) { m.login = reply } }

// refusesToken is a bearer's refusal: the reason first.
func refusesToken(reply string) func(*manner) {
	return func(m *manner) {
		m.login, m.afterJSON = "334 "+base64.StdEncoding.EncodeToString([]byte(refusedJSON)), reply
	}
}

func refusesFrom(reply string) func(*manner) { return func(m *manner) { m.mail = reply } }

// playing is a manner at work.
type playing struct {
	manner
	t    *testing.T
	conf *tls.Config
	mode model.TLSMode

	mu     sync.Mutex
	logins int
	unsaid []string // commands that a client should not have sent
}

func (p *playing) serve(c net.Conn) {
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	offers := p.offers
	if p.mode == model.TLSImplicit {
		c = tls.Server(c, p.conf)
	}
	br := bufio.NewReader(c)
	say := func(s string) { _, _ = io.WriteString(c, s+"\r\n") }
	say(p.greeting)
	refused := false
	for {
		line, err := br.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		verb, rest, _ := strings.Cut(line, " ")
		if refused && verb != "QUIT" {
			p.mu.Lock()
			p.unsaid = append(p.unsaid, verb)
			p.mu.Unlock()
		}
		switch verb {
		case "EHLO":
			for i, o := range offers {
				mark := "-"
				if i == len(offers)-1 {
					mark = " "
				}
				say("250" + mark + o)
			}
		case "STARTTLS":
			say("220 2.0.0 SMTP server ready")
			tc := tls.Server(c, p.conf)
			if tc.Handshake() != nil {
				return
			}
			c, br = tc, bufio.NewReader(tc)
			if p.secured != nil {
				offers = p.secured
			}
		case "AUTH":
			p.mu.Lock()
			p.logins++
			p.mu.Unlock()
			if !p.auth(say, br, rest) {
				refused = true
				if p.hangsUp {
					return
				}
			}
		case "MAIL":
			if p.mail != "" {
				say(p.mail)
				continue
			}
			say("250 2.1.0 OK")
		case "QUIT":
			if p.silentQuit {
				_, _ = c.Write([]byte("\x00\x00\x00\x1a\x00\x00\x00\x00"))
			} else {
				say("221 2.0.0 Bye")
			}
			return
		default:
			say("250 OK")
		}
	}
}

// auth plays the login; false when it was refused.
func (p *playing) auth(say func(string), br *bufio.Reader, rest string) bool {
	more := func() {
		_, _ = br.ReadString('\n')
	}
	if mech, initial, _ := strings.Cut(rest, " "); mech == "LOGIN" && initial == "" {
		say("334 " + p.prompts[0])
		more()
		say("334 " + p.prompts[1])
		more()
	}
	say(p.login)
	if strings.HasPrefix(p.login, "334") {
		more()
		say(p.afterJSON)
		return false
	}
	return strings.HasPrefix(p.login, "235")
}

// TestProviders plays each provider's server, healthy and refusing, and holds the doctor to what it must find. The
// account is as the preset makes it.
func TestProviders(t *testing.T) {
	ca := newAuthority(t, "DigiCert Test CA")
	const ok = "dns pass, connect pass, tls pass, ehlo pass, auth pass, login pass, from pass"
	const noLogin = "dns pass, connect pass, tls pass, ehlo pass, auth pass, login fail"
	const noSender = "dns pass, connect pass, tls pass, ehlo pass, auth pass, login pass, from fail"
	for _, c := range []struct {
		name     string
		provider string
		manner   manner
		from     string // the login, when not given
		token    bool
		told     string
		key      string // of the last finding
		scope    model.Scope
		better   string // the From that is proposed
	}{
		{name: "QQ", provider: "qq", manner: qqManner, told: ok},
		{name: "QQ, the password in place of the code", provider: "qq", told: noLogin, key: "qq.auth.code", scope: model.ScopeAuth,
			manner: qqManner.but(refuses("535 Login Fail. Please enter your authorization code to login. More information in http://service.mail.qq.com/cgi-bin/help?subtype=1&&id=28&&no=1001256"))},
		{name: "QQ, the same in GBK", provider: "qq", told: noLogin, key: "qq.auth.code", scope: model.ScopeAuth,
			manner: qqManner.but(refuses("535 Error: \xc7\xeb\xca\xb9\xd3\xc3\xca\xda\xc8\xa8\xc2\xeb\xb5\xc7\xc2\xbc\xa1\xa3\xcf\xea\xc7\xe9\xc7\xeb\xbf\xb4: http://service.mail.qq.com/cgi-bin/help?subtype=1&&id=28&&no=1001256"))},
		{name: "QQ, five causes in one, and the line is cut", provider: "qq", told: noLogin, key: "qq.auth.many", scope: model.ScopeAuth,
			manner: qqManner.but(func(m *manner) {
				m.hangsUp = true
				m.login = "535 Login fail. Account is abnormal, service is not open, password is incorrect, login frequency limited, or system is busy. More information at https://help.mail.qq.com/detail/108/1023"
			})},
		{name: "QQ, too many logins", provider: "qq", told: noLogin, key: "qq.auth.frequency", scope: model.ScopeAccountRate,
			manner: qqManner.but(refuses("535 login frequency limited"))},
		{name: "QQ, another sender", provider: "qq", from: "shop@books.test", told: noSender, key: "from.login", scope: model.ScopeConfig, better: "desk@qq.com",
			manner: qqManner.but(refusesFrom("501 Mail from address must be same as authorization user."))},
		{name: "Exmail", provider: "exmail", manner: qqManner, told: ok},
		{name: "Exmail, safe login is on", provider: "exmail", told: noLogin, key: "exmail.auth", scope: model.ScopeAuth,
			manner: qqManner.but(refuses("535 Error: authentication failed, system busy"))},

		{name: "163", provider: "163", manner: neteaseManner, told: ok},
		{name: "163, the password in place of the code", provider: "163", told: noLogin, key: "netease.auth", scope: model.ScopeAuth,
			manner: neteaseManner.but(refuses("535 Error: authentication failed"))},
		{name: "163, SMTP is off", provider: "163", told: noLogin, key: "netease.auth.off", scope: model.ScopeAuth,
			manner: neteaseManner.but(refuses("550 User has no permission"))},
		{name: "163, a short ban", provider: "163", told: noLogin, key: "netease.auth.many", scope: model.ScopeAuth,
			manner: neteaseManner.but(refuses("451 Requested mail action not taken: too much fail authentication"))},
		{name: "163, another sender", provider: "163", from: "shop@books.test", told: noSender, key: "from.login", scope: model.ScopeConfig, better: "desk@163.com",
			manner: neteaseManner.but(refusesFrom("553 Mail from must equal authorized user"))},

		{name: "Gmail", provider: "gmail", manner: gmailManner, told: ok},
		{name: "Gmail, signed in", provider: "gmail", manner: gmailManner, token: true, told: ok},
		{name: "Gmail, a wrong app password", provider: "gmail", told: noLogin, key: "gmail.auth", scope: model.ScopeAuth,
			manner: gmailManner.but(refuses("535-5.7.8 Username and Password not accepted. For more information, go to\r\n535 5.7.8  https://support.google.com/mail/?p=BadCredentials 5b1f17b1804b1-example - gsmtp"))},
		{name: "Gmail, the password of the web page", provider: "gmail", told: noLogin, key: "gmail.auth.app", scope: model.ScopeAuth,
			manner: gmailManner.but(refuses("534-5.7.9 Application-specific password required. For more information, go to\r\n534 5.7.9  https://support.google.com/mail/?p=InvalidSecondFactor example - gsmtp"))},
		{name: "Gmail, log in on the web", provider: "gmail", told: noLogin, key: "gmail.auth.web", scope: model.ScopeAuth,
			manner: gmailManner.but(refuses("534-5.7.14 <https://accounts.google.com/signin/continue?sarp=1> Please log in via your web browser and then try again.\r\n534 5.7.14  https://support.google.com/mail/answer/78754 example - gsmtp"))},
		{name: "Gmail, too many logins", provider: "gmail", told: noLogin, key: "rate.login", scope: model.ScopeAccountRate,
			manner: gmailManner.but(refuses("454 4.7.0 Too many login attempts, please try again later. example - gsmtp"))},
		{name: "Gmail, the token is refused", provider: "gmail", token: true, told: noLogin, key: "gmail.auth", scope: model.ScopeAuth,
			manner: gmailManner.but(refusesToken("535-5.7.8 Username and Password not accepted. For more information, go to\r\n535 5.7.8  https://support.google.com/mail/?p=BadCredentials example - gsmtp"))},

		{name: "Microsoft 365", provider: "microsoft365", manner: microsoftManner, told: ok},
		{name: "Microsoft 365, signed in", provider: "microsoft365", manner: microsoftManner, token: true, told: ok},
		{name: "Microsoft 365, SMTP is off for the tenant", provider: "microsoft365", token: true, told: noLogin, key: "ms.auth.disabled", scope: model.ScopeAuth,
			manner: microsoftManner.but(refuses("535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled for more information. [SG2PR06CA0198.apcprd06.prod.outlook.com]"))},
		{name: "Microsoft 365, no passwords", provider: "microsoft365", told: noLogin, key: "ms.auth.oauth", scope: model.ScopeAuth,
			manner: microsoftManner.but(refuses("535 5.7.139 Authentication unsuccessful, basic authentication is disabled. [SG2PR06CA0198.apcprd06.prod.outlook.com]"))},
		{name: "Microsoft 365, after the retirement", provider: "microsoft365", told: noLogin, key: "ms.auth.oauth", scope: model.ScopeAuth,
			manner: microsoftManner.but(refuses("550 5.7.30 Basic authentication is not supported for Client Submission. [SG2PR06CA0198.apcprd06.prod.outlook.com]"))},
		{name: "Microsoft 365, security defaults", provider: "microsoft365", told: noLogin, key: "ms.auth.policy", scope: model.ScopeAuth,
			manner: microsoftManner.but(refuses("535 5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults policy. Contact your administrator. [SG2PR06CA0198.apcprd06.prod.outlook.com]"))},
		{name: "Microsoft 365, a wrong password", provider: "microsoft365", told: noLogin, key: "ms.auth", scope: model.ScopeAuth,
			manner: microsoftManner.but(refuses("535 5.7.3 Authentication unsuccessful [SG2PR06CA0198.apcprd06.prod.outlook.com 2026-11-24T08:00:00.000Z 08DE2B2E2F1B2C3D]"))},
		{name: "Microsoft 365, another sender", provider: "microsoft365", from: "shop@books.test", told: noSender, key: "from.login", scope: model.ScopeConfig, better: "desk@onmicrosoft.com",
			manner: microsoftManner.but(refusesFrom("550 5.7.60 SMTP; Client does not have permissions to send as this sender"))},

		{name: "Yahoo", provider: "yahoo", manner: yahooManner, told: ok},
		{name: "Yahoo, the password in place of an app password", provider: "yahoo", told: noLogin, key: "yahoo.auth", scope: model.ScopeAuth,
			manner: yahooManner.but(refuses("535 5.7.0 (#AUTH005) Too many bad auth attempts."))},
		{name: "iCloud", provider: "icloud", manner: icloudManner, told: ok},
		{name: "iCloud, the password in place of an app password", provider: "icloud", told: noLogin, key: "icloud.auth", scope: model.ScopeAuth,
			manner: icloudManner.but(refuses("535 5.7.8 Error: authentication failed: UGFzc3dvcmQ6"))},
		{name: "Zoho", provider: "zoho", manner: zohoManner, told: ok},
		{name: "Zoho, refused", provider: "zoho", told: noLogin, key: "zoho.auth", scope: model.ScopeAuth,
			manner: zohoManner.but(refuses("535 Authentication Failed"))},
		{name: "Zoho, another sender", provider: "zoho", from: "shop@books.test", told: noSender, key: "from.login", scope: model.ScopeConfig, better: "desk@zohomail.com",
			manner: zohoManner.but(refusesFrom("553 Relaying disallowed as shop@books.test"))},
		{name: "Aliyun", provider: "aliyun", manner: aliyunManner, told: ok},
		{name: "Aliyun, refused", provider: "aliyun", told: noLogin, key: "aliyun.auth", scope: model.ScopeAuth,
			manner: aliyunManner.but(refuses("526 Authentication failure[0]"))},
		{name: "SES", provider: "ses", from: "shop@books.test", manner: sesManner, told: ok},
		{name: "SES, the keys of the console", provider: "ses", from: "shop@books.test", told: noLogin, key: "ses.auth", scope: model.ScopeAuth,
			manner: sesManner.but(refuses("535 Authentication Credentials Invalid"))},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			preset, known := provider.ByKey(c.provider)
			if !known {
				t.Fatal("no such preset")
			}
			login := "AKIAEXAMPLE"
			if len(preset.Domains) > 0 {
				login = "desk@" + preset.Domains[0]
			}
			acct := model.Account{Provider: preset.Key, From: login, User: login, Host: preset.Host, Port: preset.Port, TLS: preset.TLS}
			if c.from != "" {
				acct.From = c.from
			}
			p := &playing{manner: c.manner, t: t, mode: preset.TLS, conf: ca.leaf(t, preset.Host, -time.Hour, 90*24*time.Hour)}
			auth := &smtpx.Auth{User: login, Secret: "not-the-right-one"}
			if c.token {
				auth = &smtpx.Auth{User: login, Token: func(context.Context) (string, error) { return "ya29.not-the-right-one", nil }}
			}
			mode := map[model.TLSMode]smtpx.TLSMode{model.TLSImplicit: smtpx.TLSImplicit, model.TLSStart: smtpx.TLSStart}[preset.TLS]
			r, told := examine(t, acct, listen(t, p.serve), smtpx.Config{TLS: mode, RootCAs: ca.pool(), Auth: auth})
			if told != c.told {
				t.Errorf("got  %s\nwant %s", told, c.told)
			}
			last := r.Checks[len(r.Checks)-1]
			if c.key != "" && last.Key != "diag."+c.key {
				t.Errorf("explained by %s, want diag.%s: %v", last.Key, c.key, last.Args)
			}
			if r.OK != (c.key == "") {
				t.Errorf("OK %v", r.OK)
			}
			if c.scope != "" {
				in := Input{Provider: c.provider, Host: preset.Host, Step: model.StepAuth, Text: last.Args["reply"], Enhanced: last.Args["enhanced"]}
				if last.Name == "from" {
					in.Step = model.StepMail
				}
				in.Code, _ = strconv.Atoi(last.Args["code"])
				if d := Explain(in); d.Scope != c.scope || "diag."+c.key != d.TextKey {
					t.Errorf("scope %s, want %s", d.Scope, c.scope)
				}
			}
			proposed := ""
			if r.Better != nil {
				proposed = r.Better.From
			}
			if proposed != c.better {
				t.Errorf("proposes From %q, want %q", proposed, c.better)
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			if p.logins != 1 || len(p.unsaid) > 0 {
				t.Errorf("%d logins; after the refusal the client said %v", p.logins, p.unsaid)
			}
			for _, ch := range r.Checks {
				for _, v := range ch.Args {
					if strings.Contains(v, "not-the-right-one") {
						t.Errorf("the secret is shown: %v", ch.Args)
					}
				}
			}
			saysWhatToDo(t, last)
		})
	}
}

// saysWhatToDo asserts that a failure ends in a next step, in each language.
func saysWhatToDo(t *testing.T, c Check) {
	t.Helper()
	if c.Status != Fail {
		return
	}
	for _, lang := range assets.Languages {
		if s := assets.For(lang).Args(c.Key+".do", c.Args); !assets.For(lang).Has(c.Key+".do") || len([]rune(s)) < 8 {
			t.Errorf("%s: %s: %q", lang, c.Key, s)
		}
	}
}

// TestProvidersAreComplete: a preset that is added is played here too, or is one of those that are like another.
func TestProvidersAreComplete(t *testing.T) {
	played := []string{"qq", "exmail", "163", "gmail", "microsoft365", "yahoo", "icloud", "zoho", "aliyun", "ses"}
	like := []string{"foxmail", "126", "yeah", "outlook", "other", "practice"}
	for _, p := range provider.All() {
		if !slices.Contains(played, p.Key) && !slices.Contains(like, p.Key) {
			t.Errorf("nobody plays %s", p.Key)
		}
	}
}
