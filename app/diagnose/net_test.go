package diagnose

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"hongyan/app/diagnose/dnstest"
	"hongyan/app/model"
	"hongyan/smtpx"
)

// listen serves each connection on loopback until the test ends.
func listen(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				_ = c.SetDeadline(time.Now().Add(10 * time.Second))
				serve(c)
			})
		}
	})
	t.Cleanup(func() { _ = ln.Close(); wg.Wait() })
	return ln.Addr().String()
}

// says is a server that says lines, one for each octet string read, and then waits for the client to go.
func says(lines ...string) func(net.Conn) {
	return func(c net.Conn) {
		buf := make([]byte, 4096)
		for i, l := range lines {
			if i > 0 {
				if _, err := c.Read(buf); err != nil {
					return
				}
			}
			if _, err := c.Write([]byte(l)); err != nil {
				return
			}
		}
		for {
			if _, err := c.Read(buf); err != nil {
				return
			}
		}
	}
}

// cuts is says, but hangs up after the last line was answered.
func cuts(lines ...string) func(net.Conn) {
	return func(c net.Conn) {
		buf := make([]byte, 4096)
		for _, l := range lines {
			if _, err := c.Write([]byte(l)); err != nil {
				return
			}
			if _, err := c.Read(buf); err != nil {
				return
			}
		}
	}
}

// secured puts TLS before a server.
func secured(conf *tls.Config, serve func(net.Conn)) func(net.Conn) {
	return func(c net.Conn) {
		tc := tls.Server(c, conf)
		if tc.Handshake() == nil {
			serve(tc)
		}
	}
}

// authority signs certificates for the tests.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T, name string) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return authority{cert, key}
}

func (a authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

// leaf is a server's configuration with a certificate for host, valid in a span round the present.
func (a authority) leaf(t *testing.T, host string, from, until time.Duration) *tls.Config {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: time.Now().Add(from), NotAfter: time.Now().Add(until)}
	parent, signer := a.cert, any(a.key)
	if a.cert == nil {
		parent, signer = tmpl, key
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS10}
}

const (
	anyHost = "mail.example.com"
	known   = "smtp.qq.com"
)

// TestNetworkAndTLSFailures dials real listeners that fail in every way that users meet.
func TestNetworkAndTLSFailures(t *testing.T) {
	ca, other := newAuthority(t, "Test CA"), newAuthority(t, "Nobody's CA")
	shield := newAuthority(t, "Avast Web/Mail Shield Root")
	hour := time.Hour
	good := ca.leaf(t, anyHost, -hour, hour)
	greets := says("220 hi\r\n", "250-mail\r\n250 AUTH PLAIN LOGIN\r\n")

	old := good.Clone()
	old.MaxVersion = tls.VersionTLS11
	rsaOnly := good.Clone()
	rsaOnly.MaxVersion, rsaOnly.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256}
	wantsCert := good.Clone()
	wantsCert.MaxVersion, wantsCert.ClientAuth = tls.VersionTLS12, tls.RequireAnyClientCert
	hang := func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: context.DeadlineExceeded}
	}
	closed := func() string {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		return ln.Addr().String()
	}()
	login := &smtpx.Auth{User: "me", Secret: "hunter2-hunter2"}

	for _, c := range []struct {
		name  string
		host  string // anyHost when not given
		port  int    // 465 when not given
		tls   smtpx.TLSMode
		serve func(net.Conn)
		dial  func(ctx context.Context, network, addr string) (net.Conn, error)
		pin   bool
		auth  *smtpx.Auth
		rule  string
	}{
		{name: "no such name", dial: (&net.Dialer{Resolver: dnstest.Refuse(t, dnsmessage.RCodeNameError)}).DialContext, rule: "net.host"},
		{name: "name server fails", dial: (&net.Dialer{Resolver: dnstest.Refuse(t, dnsmessage.RCodeServerFailure)}).DialContext, rule: "net.dns"},
		{name: "nobody listens", dial: func(ctx context.Context, n, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, n, closed)
		}, rule: "net.refused"},
		{name: "a known name leads home", host: known, dial: func(ctx context.Context, n, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, n, closed)
		}, rule: "net.portal"},
		{name: "filtered", dial: hang, rule: "net.hangs"},
		{name: "port 25 is filtered", port: 25, tls: smtpx.TLSStart, dial: hang, rule: "net.port25"},
		{name: "silence on 587", port: 587, tls: smtpx.TLSStart, serve: says(""), rule: "net.hangs"},
		{name: "cut before a greeting", port: 587, tls: smtpx.TLSStart, serve: func(net.Conn) {}, rule: "net.lost"},

		{name: "TLS to a plain port", port: 587, serve: says("220 mx ESMTP\r\n"), rule: "net.plainport"},
		{name: "STARTTLS to a TLS port", tls: smtpx.TLSStart, serve: secured(good, greets), rule: "net.tlsport"},
		{name: "plain to a TLS port that gives up", port: 994, tls: smtpx.TLSNone, serve: func(net.Conn) {}, rule: "net.tlsport"},
		{name: "plain to a TLS port that sends an alert", port: 4465, tls: smtpx.TLSStart, serve: cuts("\x15\x03\x01\x00\x02\x02\x46"), rule: "net.tlsport"},
		{name: "TLS to a web server", serve: says("", "HTTP/1.1 400 Bad Request\r\n\r\n"), rule: "net.notsmtp"},
		{name: "a web page in place of a provider", host: known, serve: says("", "HTTP/1.1 302 Found\r\nLocation: http://login\r\n\r\n"), rule: "net.portal"},
		{name: "plain to a web server", port: 80, tls: smtpx.TLSNone, serve: says("HTTP/1.1 400 Bad Request\r\n\r\n"), rule: "net.notsmtp"},
		{name: "a POP3 server", port: 110, tls: smtpx.TLSStart, serve: says("+OK POP3 ready\r\n"), rule: "net.notsmtp"},
		{name: "an IMAP server behind TLS", port: 993, serve: secured(good, says("* OK IMAP4rev1\r\n")), rule: "net.notsmtp"},
		{name: "nonsense for EHLO", serve: secured(good, says("220 hi\r\n", "\x00\x00\x00\x1a\x00\x00\x00")), rule: "net.garbled"},
		{name: "no STARTTLS", port: 587, tls: smtpx.TLSStart, serve: greets, rule: "net.starttls"},
		{name: "words before the handshake", port: 587, tls: smtpx.TLSStart, serve: says("220 hi\r\n", "250-mx\r\n250 STARTTLS\r\n", "220 go\r\n250 injected\r\n"), rule: "net.injected"},

		{name: "expired", serve: secured(ca.leaf(t, anyHost, -2*hour, -hour), greets), rule: "net.cert.expired"},
		{name: "not yet valid", serve: secured(ca.leaf(t, anyHost, hour, 2*hour), greets), rule: "net.cert.clock"},
		{name: "a large provider expired", host: known, serve: secured(ca.leaf(t, known, -2*hour, -hour), greets), rule: "net.cert.clock"},
		{name: "for another name", serve: secured(ca.leaf(t, "other.example.com", -hour, hour), greets), rule: "net.cert.name"},
		{name: "a portal's certificate", host: known, serve: secured(ca.leaf(t, "wifi.hotel.example", -hour, hour), greets), rule: "net.portal"},
		{name: "signed by itself", serve: secured(authority{}.leaf(t, anyHost, -hour, hour), greets), rule: "net.cert.self"},
		{name: "signed by nobody known", serve: secured(other.leaf(t, anyHost, -hour, hour), greets), rule: "net.cert.unknown"},
		{name: "antivirus", host: known, serve: secured(shield.leaf(t, known, -hour, hour), greets), rule: "net.cert.antivirus"},
		{name: "not the pinned one", pin: true, serve: secured(good, greets), rule: "net.cert.pinned"},
		{name: "only old TLS", serve: secured(old, greets), rule: "net.handshake"},
		{name: "only RSA key exchange", serve: secured(rsaOnly, greets), rule: "net.handshake"},
		{name: "wants a certificate of ours", serve: secured(wantsCert, greets), rule: "net.handshake"},
		{name: "cut in the handshake", serve: cuts(""), rule: "net.lost.tls"},
		{name: "cut after STARTTLS", port: 587, tls: smtpx.TLSStart, serve: cuts("220 hi\r\n", "250-mx\r\n250 STARTTLS\r\n", "220 go\r\n"), rule: "net.lost.tls"},

		{name: "cut at login", auth: login, serve: secured(good, cuts("220 hi\r\n", "250-mx\r\n250 AUTH PLAIN\r\n")), rule: "net.lost.auth"},
		{name: "no login offered", auth: login, serve: secured(good, says("220 hi\r\n", "250 mx\r\n")), rule: "net.noauth"},
		{name: "no login that fits", auth: login, serve: secured(good, says("220 hi\r\n", "250-mx\r\n250 AUTH GSSAPI XOAUTH2\r\n")), rule: "net.nomech"},
		{name: "login in the clear", port: 25, tls: smtpx.TLSNone, auth: login, serve: greets, rule: "net.plainauth"},
		{name: "login refused", auth: login, serve: secured(good, says("220 hi\r\n", "250-mx\r\n250 AUTH PLAIN\r\n", "535 no\r\n")), rule: "c.auth"},
		{name: "not welcome", port: 587, tls: smtpx.TLSStart, serve: says("554 go away\r\n"), rule: "c.connect.refused"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cfg := &smtpx.Config{Host: c.host, Port: c.port, TLS: c.tls, Auth: c.auth, RootCAs: ca.pool(), Dial: c.dial,
				Timeouts: smtpx.Timeouts{Connect: 300 * time.Millisecond, Greeting: 300 * time.Millisecond, TLS: 5 * time.Second, EHLO: 5 * time.Second, Auth: 5 * time.Second}}
			if cfg.Host == "" {
				cfg.Host = anyHost
			}
			if cfg.Port == 0 {
				cfg.Port = 465
			}
			if c.pin {
				sum := sha256.Sum256([]byte("another"))
				cfg.Fingerprint = sum[:]
			}
			if c.serve != nil {
				addr := listen(t, c.serve)
				cfg.Dial = func(ctx context.Context, n, _ string) (net.Conn, error) {
					return new(net.Dialer).DialContext(ctx, n, addr)
				}
			}
			s, err := smtpx.Dial(t.Context(), cfg)
			if err == nil {
				_ = s.Close()
				t.Fatal("the session was made")
			}
			mode := map[smtpx.TLSMode]model.TLSMode{smtpx.TLSImplicit: model.TLSImplicit, smtpx.TLSStart: model.TLSStart, smtpx.TLSNone: model.TLSNone}[c.tls]
			d := ExplainError(cfg.Host, cfg.Port, mode, "", err)
			if d.Rule != c.rule {
				t.Errorf("rule %s, want %s: %v", d.Rule, c.rule, err)
			}
			if d.State != model.Queued || d.Suppress != "" {
				t.Errorf("nothing was sent, but the recipient becomes %s, suppressed for %q", d.State, d.Suppress)
			}
			if d.Code == "" || model.CodeOf(d.Err(err)) != d.Code {
				t.Errorf("no code: %q", d.Code)
			}
		})
	}
}
