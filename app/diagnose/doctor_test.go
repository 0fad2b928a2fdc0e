package diagnose

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"hongyan/app/model"
	"hongyan/assets"
	"hongyan/smtpx"
	"hongyan/smtpx/smtptest"
)

// examine lets the doctor look at an account whose server is reached at addr, whatever its settings say.
func examine(t *testing.T, acct model.Account, addr string, cfg smtpx.Config) (Report, string) {
	t.Helper()
	return examineWith(t, acct, addr, cfg, nil)
}

// examineWith is examine with a resolver that knows the domain of From.
func examineWith(t *testing.T, acct model.Account, addr string, cfg smtpx.Config, r Resolver) (Report, string) {
	t.Helper()
	doctor := Doctor{
		Dial: func(ctx context.Context, c *smtpx.Config) (*smtpx.Session, error) {
			to := *c
			to.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, addr)
			}
			return smtpx.Dial(ctx, &to)
		},
		LookupHost: func(_ context.Context, host string) ([]string, error) {
			if strings.HasSuffix(host, ".invalid") {
				return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
			}
			return []string{"127.0.0.1"}, nil
		},
		Resolver: r,
		Now:      time.Now,
	}
	cfg.Host, cfg.Port = acct.Host, acct.Port
	var told []string
	rep, err := doctor.Examine(t.Context(), &acct, &cfg, func(c Check) {
		told = append(told, c.Name+" "+string(c.Status))
		for _, lang := range assets.Languages {
			texts := assets.For(lang)
			for _, key := range []string{"doctor." + c.Name, c.Key + ".what"} {
				if s := texts.Args(key, c.Args); !texts.Has(key) || strings.ContainsAny(s, "{}") {
					t.Errorf("%s: %s: %q", lang, key, s)
				}
			}
			if c.Status != Pass && !texts.Has(c.Key+".do") {
				t.Errorf("%s: %s has no fix", lang, c.Key)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(told) != len(rep.Checks) {
		t.Errorf("%d findings were told, %d reported", len(told), len(rep.Checks))
	}
	return rep, strings.Join(told, ", ")
}

func TestDoctorOnAHealthyAccount(t *testing.T) {
	srv, err := smtptest.Start(smtptest.Options{TLS: smtpx.TLSStart, RequireAuth: true, Password: "right"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Close() })
	acct := model.Account{From: "me@example.org", Host: "localhost", Port: srv.Port(), TLS: model.TLSStart, User: "me"}
	cfg := smtpx.Config{TLS: smtpx.TLSStart, RootCAs: srv.Certificate().Pool(), Auth: &smtpx.Auth{User: "me", Secret: "right"}}
	r, told := examine(t, acct, srv.Addr(), cfg)
	want := "dns pass, connect pass, tls pass, ehlo pass, auth pass, login pass, from pass"
	if !r.OK || told != want || r.Better != nil {
		t.Errorf("ok %v, better %v\ngot  %s\nwant %s", r.OK, r.Better, told, want)
	}
	if n := srv.Count(); n != 0 {
		t.Errorf("the examination sent %d letters", n)
	}

	cfg.Auth.Secret = "wrong"
	r, told = examine(t, acct, srv.Addr(), cfg)
	if r.OK || !strings.HasSuffix(told, "auth pass, login fail") {
		t.Errorf("wrong password: ok %v, %s", r.OK, told)
	}
}

func TestDoctorProposesTheProvidersSettings(t *testing.T) {
	acct := model.Account{From: "a@qq.com", Host: "mail.qq.invalid", Port: 25, TLS: model.TLSNone, User: "a@qq.com"}
	r, told := examine(t, acct, "127.0.0.1:1", smtpx.Config{TLS: smtpx.TLSNone})
	if told != "dns fail" || r.Better == nil || r.Better.Host != "smtp.qq.com" || r.Better.Port != 465 || r.Better.TLS != model.TLSImplicit {
		t.Errorf("%s, better %+v", told, r.Better)
	}
}

// TestDoctorLogsInOnce: providers count refused logins, and QQ locks after a few.
func TestDoctorLogsInOnce(t *testing.T) {
	logins := 0
	addr := listen(t, func(c net.Conn) {
		buf := make([]byte, 512)
		_, _ = c.Write([]byte("220 smtp.qq.com ready\r\n"))
		for {
			n, err := c.Read(buf)
			if err != nil {
				return
			}
			line := string(buf[:n])
			switch {
			case strings.HasPrefix(line, "EHLO"):
				_, _ = c.Write([]byte("250-smtp.qq.com\r\n250-AUTH LOGIN PLAIN\r\n250 SIZE 73400320\r\n"))
			case strings.HasPrefix(line, "AUTH"):
				logins++
				_, _ = c.Write([]byte("535 Login Fail. Please enter your authorization code to login.\r\n"))
			default:
				_, _ = c.Write([]byte("221 bye\r\n"))
			}
		}
	})
	_, port, _ := net.SplitHostPort(addr)
	acct := model.Account{Provider: "qq", From: "a@qq.com", Host: "127.0.0.1", TLS: model.TLSNone, User: "a@qq.com"}
	acct.Port, _ = strconv.Atoi(port)
	r, told := examine(t, acct, addr, smtpx.Config{TLS: smtpx.TLSNone, Auth: &smtpx.Auth{User: "a@qq.com", Secret: "password"}})
	last := r.Checks[len(r.Checks)-1]
	if logins != 1 || !strings.HasSuffix(told, "login fail") || last.Key != "diag.qq.auth.code" {
		t.Errorf("%d logins, %s, %s", logins, told, last.Key)
	}
}

// TestDoctorSenderRefused: the login is right, but the mailbox may not send as that address.
func TestDoctorSenderRefused(t *testing.T) {
	addr := listen(t, func(c net.Conn) {
		buf := make([]byte, 512)
		_, _ = c.Write([]byte("220 smtp.qq.com ready\r\n"))
		for {
			n, err := c.Read(buf)
			if err != nil {
				return
			}
			line := string(buf[:n])
			answer := "221 bye"
			switch {
			case strings.HasPrefix(line, "EHLO"):
				answer = "250-smtp.qq.com\r\n250 AUTH PLAIN"
			case strings.HasPrefix(line, "AUTH"):
				answer = "235 ok"
			case strings.HasPrefix(line, "MAIL"):
				answer = "501 Mail from address must be same as authorization user."
			}
			_, _ = c.Write([]byte(answer + "\r\n"))
		}
	})
	acct := model.Account{Provider: "qq", From: "shop@example.com", Host: "smtp.qq.com", Port: 465, TLS: model.TLSImplicit, User: "a@qq.com"}
	r, told := examine(t, acct, addr, smtpx.Config{TLS: smtpx.TLSNone, AllowPlainAuth: true, Auth: &smtpx.Auth{User: "a@qq.com", Secret: "code"}})
	if r.OK || !strings.HasSuffix(told, "login pass, from fail") || r.Better == nil || r.Better.From != "a@qq.com" {
		t.Errorf("ok %v, %s, better %+v", r.OK, told, r.Better)
	}
}

func TestDoctorStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	doctor := Doctor{Now: time.Now, LookupHost: func(context.Context, string) ([]string, error) { return []string{"127.0.0.1"}, nil },
		Dial: func(context.Context, *smtpx.Config) (*smtpx.Session, error) { cancel(); return nil, context.Canceled }}
	if _, err := doctor.Examine(ctx, &model.Account{Host: "localhost"}, &smtpx.Config{}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
