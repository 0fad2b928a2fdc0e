package smtpx

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func token(s string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return s, nil }
}

func enc(s string) string { return b64.EncodeToString([]byte(s)) }

// login plays a server's part of AUTH after EHLO offered it.
func loginServer(t *testing.T, offer string, script func(*peer)) *Config {
	cfg := serve(t, func(p *peer) { p.hello("AUTH " + offer); script(p) })
	cfg.Auth = &Auth{User: "me", Secret: "code"}
	return cfg
}

func TestAuthPlain(t *testing.T) {
	cfg := loginServer(t, "LOGIN PLAIN", func(p *peer) {
		if got := p.want("AUTH PLAIN "); got != "AUTH PLAIN "+enc("\x00me\x00code") {
			p.t.Errorf("server: %q", got)
		}
		p.say("235 ok\n")
		p.quit()
	})
	_ = dial(t, cfg).Close()
}

// The prompts of LOGIN are not read, and there is no initial response.
func TestAuthLoginPrompts(t *testing.T) {
	for _, prompts := range [][2]string{
		{enc("Username:"), enc("Password:")}, {enc("User Name\x00"), enc("Password\x00")}, {enc("username:"), enc("password:")}, {"", ""},
		{"what", "is this?"}, {enc("请输入用户名"), "\xc3\xdc\xc2\xeb"},
	} {
		cfg := loginServer(t, "LOGIN", func(p *peer) {
			if got := p.want("AUTH LOGIN"); got != "AUTH LOGIN" {
				p.t.Errorf("server: %q", got)
			}
			p.say("334 " + prompts[0] + "\n")
			p.want(enc("me"))
			p.say("334 " + prompts[1] + "\n")
			p.want(enc("code"))
			p.say("235 ok\n")
			p.quit()
		})
		_ = dial(t, cfg).Close()
	}
}

// RFC 2195 §2.
func TestAuthCRAMMD5(t *testing.T) {
	cfg := loginServer(t, "CRAM-MD5 PLAIN", func(p *peer) {
		p.want("AUTH CRAM-MD5")
		p.say("334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+\n")
		p.want("dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw")
		p.say("235 ok\n")
		p.quit()
	})
	cfg.Auth = &Auth{User: "tim", Secret: "tanstaaftanstaaf"}
	_ = dial(t, cfg).Close()
}

func TestAuthTokens(t *testing.T) {
	cfg := loginServer(t, "PLAIN XOAUTH2 OAUTHBEARER", func(p *peer) {
		p.want("AUTH XOAUTH2 " + enc("user=me\x01auth=Bearer tok-en\x01\x01"))
		p.say("235 ok\n")
		p.quit()
	})
	cfg.Auth = &Auth{User: "me", Token: token("tok-en")}
	_ = dial(t, cfg).Close()

	cfg = loginServer(t, "OAUTHBEARER PLAIN", func(p *peer) {
		p.want("AUTH OAUTHBEARER " + enc(fmt.Sprintf("n,a=m=3De=2C,\x01host=127.0.0.1\x01port=%d\x01auth=Bearer tok-en\x01\x01", cfg.Port)))
		p.say("235 ok\n")
		p.quit()
	})
	cfg.Auth = &Auth{User: "m=e,", Token: token("tok-en")}
	_ = dial(t, cfg).Close()
}

// A refused token comes with the reason in a 334 and wants one more line.
func TestAuthTokenRefused(t *testing.T) {
	for mech, ack := range map[string]string{"XOAUTH2": "", "OAUTHBEARER": enc("\x01")} {
		cfg := loginServer(t, mech, func(p *peer) {
			p.want("AUTH " + mech + " ")
			p.say("334 " + enc(`{"status":"400"}`) + "\n")
			if got := p.want(""); got != ack {
				p.t.Errorf("server: %q", got)
			}
			p.say("535 5.7.8 no\n")
			p.eof()
		})
		var rec recorder
		cfg.Trace = rec.add
		cfg.Auth = &Auth{User: "me", Token: token("tok-en")}
		_, err := Dial(t.Context(), cfg)
		if e := asError(t, err); e.Phase != PhaseAuth || e.Reply == nil || e.Reply.Code != 535 {
			t.Error(err)
		}
		if !strings.Contains(rec.text(), `{"status":"400"}`) {
			t.Errorf("the reason is lost:\n%s", rec.text())
		}
	}
	cfg := loginServer(t, "XOAUTH2", func(p *peer) { p.eof() })
	expired := errors.New("refresh token expired")
	cfg.Auth = &Auth{User: "me", Token: func(context.Context) (string, error) { return "", expired }}
	if _, err := Dial(t.Context(), cfg); !errors.Is(err, expired) {
		t.Error(err)
	}
}

// Whatever the server says to the first mechanism, there is no second with the same secret.
func TestOneMechanismOnly(t *testing.T) {
	for _, answer := range []string{"535 5.7.8 no\n", "454 4.7.0 later\n", "504 5.5.4 not this one\n", "535 \xc7\xeb\xca\xb9\xd3\xc3\xca\xda\xc8\xa8\xc2\xeb\xb5\xc7\xc2\xbc\n"} {
		cfg := loginServer(t, "PLAIN LOGIN", func(p *peer) { p.want("AUTH PLAIN "); p.say(answer); p.eof() })
		_, err := Dial(t.Context(), cfg)
		e := asError(t, err)
		if e.Phase != PhaseAuth || e.Reply == nil {
			t.Error(err)
		}
		if strings.Contains(answer, "\xc7") && e.Reply.Lines[0] != "请使用授权码登录" {
			t.Errorf("GBK is shown as %q", e.Reply.Lines)
		}
	}
}

func TestMechanismChoice(t *testing.T) {
	for _, c := range []struct {
		offer string
		tls   bool
		auth  Auth
		want  string
	}{
		{"LOGIN PLAIN XOAUTH XOAUTH2", true, Auth{Secret: "x"}, "PLAIN"},
		{"LOGIN XOAUTH2", true, Auth{Secret: "x"}, "LOGIN"},
		{"login plain", true, Auth{Secret: "x"}, "PLAIN"},
		{"CRAM-MD5 LOGIN", true, Auth{Secret: "x"}, "LOGIN"},
		{"CRAM-MD5 LOGIN PLAIN", false, Auth{Secret: "x"}, "CRAM-MD5"},
		{"PLAIN SCRAM-SHA-256", false, Auth{Secret: "x"}, "SCRAM-SHA-256"},
		{"PLAIN SCRAM-SHA-256-PLUS SCRAM-SHA-256", true, Auth{Secret: "x"}, "SCRAM-SHA-256-PLUS"},
		{"SCRAM-SHA-256-PLUS", false, Auth{Secret: "x"}, ""},
		{"PLAIN XOAUTH2", true, Auth{Token: token("x")}, "XOAUTH2"},
		{"PLAIN", true, Auth{Token: token("x")}, ""},
		{"XOAUTH2", true, Auth{Secret: "x"}, ""},
		{"PLAIN LOGIN", true, Auth{Secret: "x", Mechanisms: []string{"login"}}, "LOGIN"},
		{"PLAIN", true, Auth{Secret: "x", Mechanisms: []string{"CRAM-MD5"}}, ""},
		{"GSSAPI NTLM", true, Auth{Secret: "x"}, ""},
		{"PLAIN", true, Auth{}, ""},
	} {
		s := &Session{cfg: Config{Auth: &c.auth}, ext: map[string]string{"AUTH": c.offer}}
		if c.tls {
			s.tls = &tls.ConnectionState{}
		}
		m, err := s.mechanism()
		if m != c.want || (err == nil) != (c.want != "") || err != nil && !errors.Is(err, ErrNoMechanism) {
			t.Errorf("%+v: %q, %v", c, m, err)
		}
	}
}

// QQ and 163 repeat their mechanisms as AUTH=LOGIN, and 163 has lines that mean nothing to anybody else.
func TestAuthEquals(t *testing.T) {
	cfg := serve(t, func(p *peer) {
		p.say("220 163.com Anti-spam GT for Coremail System\n")
		p.want("EHLO")
		p.say("250-mail\n250-PIPELINING\n250-AUTH=LOGIN PLAIN\n250-coremail 1Uxr2xKj7kG0xkI17xGrU7I0s8FY2U3Uj8Cz28x1UUUUU\n250-STARTTLS\n250 8BITMIME\n")
		p.want("AUTH PLAIN ")
		p.say("235 Authentication successful\n")
		p.quit()
	})
	cfg.Auth = &Auth{User: "me", Secret: "code"}
	s := dial(t, cfg)
	if v, ok := s.Extension("COREMAIL"); !ok || v == "" {
		t.Error("extension lost")
	}
	if v, _ := s.Extension("AUTH"); !strings.Contains(v, "LOGIN") || !strings.Contains(v, "PLAIN") {
		t.Errorf("AUTH is %q", v)
	}
	ext := parseExtensions([]string{"mx", "AUTH LOGIN", "AUTH=LOGIN", "auth plain", " SIZE  100 ", ""})
	if got := strings.Fields(ext["AUTH"]); strings.Join(got, " ") != "LOGIN LOGIN plain" || ext["SIZE"] != "100" || len(ext) != 2 {
		t.Errorf("%q", ext)
	}
}

func TestNoLoginInTheClear(t *testing.T) {
	for _, c := range []struct {
		host  string
		allow bool
		want  error
	}{
		{"192.0.2.1", false, ErrPlainAuth},
		{"mail.example.com", false, ErrPlainAuth}, // even when the name leads to this machine
		{"192.0.2.1", true, nil},
		{"localhost", false, nil},
	} {
		cfg := loginServer(t, "PLAIN", func(p *peer) {
			if c.want != nil {
				p.eof()
				return
			}
			p.want("AUTH PLAIN ")
			p.say("235 ok\n")
			p.quit()
		})
		cfg.Dial = to(cfg)
		cfg.Host, cfg.AllowPlainAuth = c.host, c.allow
		s, err := Dial(t.Context(), cfg)
		if !errors.Is(err, c.want) {
			t.Errorf("%+v: %v", c, err)
		}
		if err == nil {
			_ = s.Close()
		}
	}
	cfg := serve(t, func(p *peer) { p.hello("PIPELINING"); p.eof() })
	cfg.Auth = &Auth{User: "me", Secret: "code"}
	if _, err := Dial(t.Context(), cfg); !errors.Is(err, ErrNoAuth) {
		t.Error(err)
	}
	for _, a := range []*Auth{{User: "m\x00e", Secret: "code"}, {User: "me", Secret: "co\r\nde"}} {
		cfg := loginServer(t, "PLAIN", func(p *peer) { p.eof() })
		cfg.Auth = a
		if _, err := Dial(t.Context(), cfg); !errors.Is(err, ErrParameter) {
			t.Error(err)
		}
	}
}

// scramServer is the server's side of RFC 5802, written from its §3.
func scramServer(p *peer, mech, password string, tamper func(first, final string) (string, string)) {
	line := p.want("AUTH " + mech + " ")
	dec := func(s string) string { b, _ := b64.DecodeString(s); return string(b) }
	msg := dec(strings.TrimPrefix(line, "AUTH "+mech+" "))
	i := strings.Index(msg, "n=me")
	header, bare := msg[:i], msg[i:]
	nonce := bare[strings.Index(bare, "r=")+2:]
	first := "r=" + nonce + "server,s=" + enc("salt") + ",i=4096"
	if tamper != nil {
		first, _ = tamper(first, "")
	}
	p.say("334 " + enc(first) + "\n")
	msg = dec(p.want(""))
	if msg == "" {
		return
	}
	withoutProof := msg[:strings.LastIndex(msg, ",p=")]
	var binding []byte
	if mech == "SCRAM-SHA-256-PLUS" {
		if header != "p=tls-exporter,," {
			p.t.Errorf("server: header %q", header)
		}
		st := p.c.(*tls.Conn).ConnectionState()
		binding, _ = st.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32)
	}
	if want := "c=" + enc(header+string(binding)) + ",r=" + nonce + "server"; withoutProof != want {
		p.t.Errorf("server: %q, want %q", withoutProof, want)
	}
	salted, _ := pbkdf2.Key(sha256.New, password, []byte("salt"), 4096, 32)
	mac := func(key []byte, s string) []byte {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(s))
		return h.Sum(nil)
	}
	clientKey := mac(salted, "Client Key")
	stored := sha256.Sum256(clientKey)
	signed := bare + "," + first + "," + withoutProof
	proof := mac(stored[:], signed)
	for i := range proof {
		proof[i] ^= clientKey[i]
	}
	if !strings.HasSuffix(msg, ",p="+b64.EncodeToString(proof)) {
		p.say("535 5.7.8 no\n")
		return
	}
	final := "v=" + b64.EncodeToString(mac(mac(salted, "Server Key"), signed))
	if tamper != nil {
		_, final = tamper("", final)
	}
	p.say("334 " + enc(final) + "\n")
	if line, err := p.br.ReadString('\n'); err == nil && line == "\r\n" {
		p.say("235 ok\n")
		p.quit()
	}
}

func TestSCRAM(t *testing.T) {
	cfg := loginServer(t, "SCRAM-SHA-256", func(p *peer) { scramServer(p, "SCRAM-SHA-256", "code", nil) })
	_ = dial(t, cfg).Close()

	cert := good(t)
	for _, offer := range []string{"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"} {
		cfg = serve(t, func(p *peer) {
			p.secureWith(cert)
			p.hello("AUTH " + offer)
			scramServer(p, offer, "code", nil)
		})
		cfg.TLS, cfg.RootCAs, cfg.Auth = TLSImplicit, cert.pool, &Auth{User: "me", Secret: "code"}
		_ = dial(t, cfg).Close()
	}

	cfg = loginServer(t, "SCRAM-SHA-256", func(p *peer) { scramServer(p, "SCRAM-SHA-256", "other", nil) })
	if _, err := Dial(t.Context(), cfg); err == nil || asError(t, err).Reply.Code != 535 {
		t.Error(err)
	}
	for name, tamper := range map[string]func(a, b string) (string, string){
		"server that does not know the password": func(a, _ string) (string, string) { return a, "v=" + enc("0123456789abcdef0123456789abcdef") },
		"another nonce":                          func(a, b string) (string, string) { return strings.Replace(a, "r=", "r=x", 1), b },
		"no nonce of its own":                    func(a, b string) (string, string) { return strings.Replace(a, "server,", ",", 1), b },
		"endless work":                           func(a, b string) (string, string) { return strings.Replace(a, "i=4096", "i=99999999", 1), b },
		"no work":                                func(a, b string) (string, string) { return strings.Replace(a, "i=4096", "i=0", 1), b },
		"no salt":                                func(a, b string) (string, string) { return strings.Replace(a, "s="+enc("salt"), "s=", 1), b },
		"an extension that must be understood":   func(a, b string) (string, string) { return "m=x," + a, b },
	} {
		cfg := loginServer(t, "SCRAM-SHA-256", func(p *peer) {
			defer func() {
				if r := recover(); r != nil && r != errScript { //nolint:errorlint // our own panic
					panic(r)
				}
			}()
			scramServer(&peer{t: new(testing.T), c: p.c, br: p.br}, "SCRAM-SHA-256", "code", tamper)
		})
		if _, err := Dial(t.Context(), cfg); !errors.Is(err, ErrAuthProtocol) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
