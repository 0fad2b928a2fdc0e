package smtpx

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// testCert is a self-signed certificate of 127.0.0.1, localhost and mail.example.com.
type testCert struct {
	tls.Certificate
	pool *x509.CertPool
	sum  []byte
}

func newCert(t *testing.T, useRSA bool, until time.Time) testCert {
	t.Helper()
	var key any
	var pub any
	if useRSA {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		key, pub = k, &k.PublicKey
	} else {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		key, pub = k, &k.PublicKey
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: until,
		DNSNames: []string{"localhost", "mail.example.com", "xn--fsqu00a.xn--0zwm56d"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment | x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, pub, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	sum := sha256.Sum256(der)
	return testCert{tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, pool, sum[:]}
}

// certs holds one that many tests share.
var certs struct {
	once sync.Once
	good testCert
}

func good(t *testing.T) testCert {
	certs.once.Do(func() { certs.good = newCert(t, false, time.Now().Add(time.Hour)) })
	return certs.good
}

// secure does the server's half of a handshake; false when it fails.
func (p *peer) secure(cfg *tls.Config) bool {
	c := tls.Server(p.c, cfg)
	if c.Handshake() != nil {
		return false
	}
	p.c, p.br = c, bufio.NewReader(c)
	return true
}

func (p *peer) secureWith(c testCert) bool {
	return p.secure(&tls.Config{Certificates: []tls.Certificate{c.Certificate}})
}

// startTLS is a server's part up to the end of the handshake.
func (p *peer) startTLS(c testCert, ext ...string) bool {
	p.hello(append([]string{"STARTTLS"}, ext...)...)
	p.want("STARTTLS")
	p.say("220 go\n")
	return p.secureWith(c)
}

// helloAgain is EHLO under TLS.
func (p *peer) helloAgain(ext ...string) {
	p.want("EHLO ")
	p.offer(ext...)
}

func TestStartTLS(t *testing.T) {
	cert := good(t)
	cfg := serve(t, func(p *peer) {
		p.startTLS(cert, "PIPELINING", "CHUNKING", "X-PLAIN")
		p.helloAgain("8BITMIME")
		p.letter()
		p.quit()
	})
	cfg.TLS, cfg.RootCAs, cfg.ChunkWindow = TLSStart, cert.pool, 4
	s := dial(t, cfg)
	for _, e := range []string{"PIPELINING", "CHUNKING", "X-PLAIN", "STARTTLS"} {
		if _, ok := s.Extension(e); ok {
			t.Errorf("%s was offered before TLS only", e)
		}
	}
	if _, ok := s.Extension("8bitmime"); !ok || s.TLS() == nil || s.TLS().Version < tls.VersionTLS12 {
		t.Error("not what was offered under TLS")
	}
	if o := s.Send(t.Context(), letter(t, 1)).Outcomes[0]; o.Status != Accepted {
		t.Errorf("%+v", o)
	}
}

// Nothing that was offered before TLS is used after it, even when the server knows no EHLO any more.
func TestStartTLSForgets(t *testing.T) {
	cert := good(t)
	cfg := serve(t, func(p *peer) {
		p.startTLS(cert, "PIPELINING", "CHUNKING", "SIZE 1", "LIMITS MAILMAX=1", "AUTH PLAIN")
		p.want("EHLO")
		p.say("502 what\n")
		p.want("HELO")
		p.say("250 hi\n")
		p.letter()
		p.letter()
		p.quit()
	})
	cfg.TLS, cfg.RootCAs, cfg.ChunkWindow, cfg.Overlap = TLSStart, cert.pool, 4, true
	s := dial(t, cfg)
	if _, ok := s.Extension("PIPELINING"); ok {
		t.Error("PIPELINING was offered before TLS only")
	}
	q := newQueue(letter(t, 1), letter(t, 2))
	if err := s.Run(t.Context(), q); err != nil {
		t.Error(err)
	}
	q.check(t, Accepted, Accepted)
	cfg = serve(t, func(p *peer) {
		p.startTLS(cert, "AUTH PLAIN")
		p.helloAgain()
		p.eof()
	})
	cfg.TLS, cfg.RootCAs, cfg.Auth = TLSStart, cert.pool, &Auth{User: "me", Secret: "code"}
	if _, err := Dial(t.Context(), cfg); !errors.Is(err, ErrNoAuth) {
		t.Error(err)
	}
}

// STARTTLS never goes on in the clear.
func TestStartTLSFailsClosed(t *testing.T) {
	cert, other := good(t), newCert(t, false, time.Now().Add(time.Hour))
	old := newCert(t, false, time.Now().Add(-time.Hour))
	noMore := func(p *peer) { // not a word in the clear
		if b, _ := p.br.ReadString('\n'); strings.ContainsAny(b, " \r\n") && !strings.ContainsRune(b, 0) {
			p.t.Errorf("server: got %q", b)
		}
	}
	for _, c := range []struct {
		name   string
		script func(*peer)
		want   error
		adjust func(*Config)
	}{
		{"not offered", func(p *peer) { p.hello("PIPELINING"); noMore(p) }, ErrNoSTARTTLS, nil},
		{"HELO only", func(p *peer) {
			p.say("220 hi\n")
			p.want("EHLO")
			p.say("502 what\n")
			p.want("HELO")
			p.say("250 hi\n")
			noMore(p)
		}, ErrNoSTARTTLS, nil},
		{"454", func(p *peer) { p.hello("STARTTLS"); p.want("STARTTLS"); p.say("454 not now\n"); noMore(p) }, nil, nil},
		{"bytes after 220", func(p *peer) {
			p.hello("STARTTLS")
			p.want("STARTTLS")
			p.say("220 go\n250-injected\n250 AUTH PLAIN\n")
			p.eof()
		}, ErrInjected, nil},
		{"bytes in the handshake", func(p *peer) {
			p.hello("STARTTLS")
			p.want("STARTTLS")
			p.say("220 go\n")
			_, _ = p.br.Peek(1)
			p.say("250 injected\n")
			p.secureWith(cert)
		}, nil, nil},
		{"unknown authority", func(p *peer) { p.startTLS(other) }, nil, nil},
		{"expired", func(p *peer) { p.startTLS(old) }, nil, func(c *Config) { c.RootCAs = old.pool }},
		{"another name", func(p *peer) { p.startTLS(cert) }, nil, func(c *Config) { c.ServerName = "mail.example.org" }},
		{"another pin", func(p *peer) { p.startTLS(cert) }, ErrFingerprint, func(c *Config) { c.Fingerprint = other.sum }},
		{"TLS 1.1", func(p *peer) {
			p.hello("STARTTLS")
			p.want("STARTTLS")
			p.say("220 go\n")
			p.secure(&tls.Config{Certificates: []tls.Certificate{cert.Certificate}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
		}, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := serve(t, c.script)
			cfg.TLS, cfg.RootCAs = TLSStart, cert.pool
			cfg.Auth = &Auth{User: "me", Secret: "hunter2-hunter2"}
			if c.adjust != nil {
				c.adjust(cfg)
			}
			_, err := Dial(t.Context(), cfg)
			if e := asError(t, err); e.Phase != PhaseTLS || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("%v: %v", e.Phase, err)
			}
		})
	}
}

func TestImplicitTLS(t *testing.T) {
	cert := good(t)
	names := make(chan string, 1)
	script := func(p *peer) {
		ok := p.secure(&tls.Config{GetCertificate: func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
			names <- h.ServerName
			return &cert.Certificate, nil
		}})
		if ok {
			p.hello()
			p.quit()
		}
	}
	for _, c := range []struct {
		name, sni string
		adjust    func(*Config)
	}{
		{"by address", "", nil},
		{"by name", "mail.example.com", func(c *Config) { c.ServerName = "mail.example.com" }},
		{"by a name in Chinese", "xn--fsqu00a.xn--0zwm56d", func(c *Config) { c.ServerName = "例子.测试" }},
		{"pinned", "", func(c *Config) { c.RootCAs, c.Fingerprint = nil, cert.sum }},
		{"pinned, another name", "mail.example.org", func(c *Config) {
			c.RootCAs, c.Fingerprint, c.ServerName = nil, cert.sum, "mail.example.org"
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := serve(t, script)
			cfg.TLS, cfg.RootCAs = TLSImplicit, cert.pool
			if c.adjust != nil {
				c.adjust(cfg)
			}
			_ = dial(t, cfg).Close()
			if sni := <-names; sni != c.sni {
				t.Errorf("SNI %q, want %q", sni, c.sni)
			}
		})
	}
}

// A server that knows only RSA key exchange is reached when the account says so, with a warning in the trace.
func TestLegacyRSA(t *testing.T) {
	cert := newCert(t, true, time.Now().Add(time.Hour))
	for _, legacy := range []bool{false, true} {
		cfg := serve(t, func(p *peer) {
			if p.secure(&tls.Config{Certificates: []tls.Certificate{cert.Certificate}, MaxVersion: tls.VersionTLS12,
				CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}}) {
				p.hello()
				p.quit()
			}
		})
		var rec recorder
		cfg.TLS, cfg.RootCAs, cfg.LegacyRSA, cfg.Trace = TLSImplicit, cert.pool, legacy, rec.add
		s, err := Dial(t.Context(), cfg)
		if (err == nil) != legacy {
			t.Errorf("legacy %v: %v", legacy, err)
		}
		if err == nil {
			_ = s.Close()
		}
		if warned := strings.Contains(rec.text(), "RSA key exchange"); warned != legacy {
			t.Errorf("legacy %v: warned is %v in\n%s", legacy, warned, rec.text())
		}
	}
}
