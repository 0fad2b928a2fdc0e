package smtptest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Certificate is a server certificate for loopback, signed by an authority that was made for it alone. The
// authority's key is forgotten at once: who trusts the authority trusts this one certificate and nothing else.
type Certificate struct {
	// CAPEM is the authority's certificate, for a client's list of roots.
	CAPEM []byte
	// Fingerprint is the SHA-256 of the server's certificate (DER).
	Fingerprint [sha256.Size]byte

	leaf tls.Certificate
}

// certLife is how long a certificate holds; one with less than certRenew left is made anew.
const (
	certLife  = 2 * 365 * 24 * time.Hour
	certRenew = 30 * 24 * time.Hour
)

// NewCertificate makes a certificate for names (host names or addresses); none means localhost, 127.0.0.1 and ::1.
func NewCertificate(names ...string) (*Certificate, error) {
	if len(names) == 0 {
		names = []string{"localhost", "127.0.0.1", "::1"}
	}
	now := time.Now()
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	ca := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "Hongyan practice authority"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(certLife),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, caKey.Public(), caKey)
	if err != nil {
		return nil, err
	}
	leafKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	leaf := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: names[0]},
		NotBefore: ca.NotBefore, NotAfter: ca.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, n := range names {
		if ip := net.ParseIP(n); ip != nil {
			leaf.IPAddresses = append(leaf.IPAddresses, ip)
		} else {
			leaf.DNSNames = append(leaf.DNSNames, n)
		}
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, ca, leafKey.Public(), caKey)
	if err != nil {
		return nil, err
	}
	return &Certificate{
		CAPEM:       pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER}),
		Fingerprint: sha256.Sum256(leafDER),
		leaf:        tls.Certificate{Certificate: [][]byte{leafDER}, PrivateKey: leafKey},
	}, nil
}

func serial() *big.Int {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails, by its documentation
	b[0] &= 0x7f
	return new(big.Int).SetBytes(b[:])
}

// Config is a server's TLS configuration with the certificate, TLS 1.2 and up.
func (c *Certificate) Config() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{c.leaf}, MinVersion: tls.VersionTLS12}
}

// Pool is a list of roots with the authority of c alone.
func (c *Certificate) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(c.CAPEM)
	return pool
}

// PEM is the server's certificate followed by its authority's, and the server's key, for a server that reads files.
func (c *Certificate) PEM() (chain, key []byte, err error) {
	var b bytes.Buffer
	for _, der := range c.leaf.Certificate {
		if err := pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: der}); err != nil {
			return nil, nil, err
		}
	}
	b.Write(c.CAPEM)
	der, err := x509.MarshalPKCS8PrivateKey(c.leaf.PrivateKey)
	if err != nil {
		return nil, nil, err
	}
	return b.Bytes(), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// keptCertificate reads the certificate kept in file, or makes one and keeps it there, so that a client that trusts a
// practice server trusts it again after a restart. An unreadable or nearly expired one is replaced.
func keptCertificate(file string) (*Certificate, error) {
	raw, err := os.ReadFile(file) // #nosec G304 -- the path is the program's own, in its data folder
	if err == nil {
		if c, err := parseCertificate(raw); err == nil {
			return c, nil
		}
	} else if !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	c, err := NewCertificate()
	if err != nil {
		return nil, err
	}
	chain, key, err := c.PEM()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, err
	}
	return c, os.WriteFile(file, append(chain, key...), 0o600)
}

func parseCertificate(raw []byte) (*Certificate, error) {
	pair, err := tls.X509KeyPair(raw, raw)
	if err != nil {
		return nil, err
	}
	if len(pair.Certificate) != 2 {
		return nil, errors.New("smtptest: a certificate and its authority are wanted")
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return nil, err
	}
	if time.Until(leaf.NotAfter) < certRenew {
		return nil, errors.New("smtptest: certificate expires")
	}
	return &Certificate{
		CAPEM:       pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[1]}),
		Fingerprint: sha256.Sum256(pair.Certificate[0]),
		leaf:        tls.Certificate{Certificate: pair.Certificate[:1], PrivateKey: pair.PrivateKey},
	}, nil
}
