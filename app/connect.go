package app

import (
	"context"
	"crypto/x509"
	"encoding/hex"
	"net"
	"os"
	"strconv"
	"strings"

	"hongyan/app/model"
	"hongyan/smtpx"
)

var tlsModes = map[model.TLSMode]smtpx.TLSMode{
	model.TLSImplicit: smtpx.TLSImplicit,
	model.TLSStart:    smtpx.TLSStart,
	model.TLSNone:     smtpx.TLSNone,
}

// sessionConfig says how an account is reached. The secret goes into it and nowhere else.
func (a *App) sessionConfig(acct *model.Account, secret string) (*smtpx.Config, error) {
	cfg := &smtpx.Config{
		Host: acct.Host, Port: acct.Port, TLS: tlsModes[acct.TLS],
		LegacyRSA:      acct.LegacyTLS,
		AllowPlainAuth: acct.AllowPlaintext,
	}
	switch acct.Auth {
	case model.AuthNone:
	case model.AuthOAuth2:
		cfg.Auth = &smtpx.Auth{User: acct.User, Token: a.token(acct)}
	default:
		cfg.Auth = &smtpx.Auth{User: acct.User, Secret: secret}
	}
	if acct.Profile == model.ProfileRelay {
		cfg.Overlap = true
		if _, no := a.noBDAT.Load(serverOf(acct)); !no {
			cfg.ChunkWindow = 1
		}
	}
	if acct.Fingerprint != "" {
		b, err := hex.DecodeString(strings.NewReplacer(":", "", " ", "").Replace(acct.Fingerprint))
		if err != nil || len(b) != 32 {
			return nil, model.E(model.EInvalid, err, "field", "fingerprint", "value", acct.Fingerprint)
		}
		cfg.Fingerprint = b
	}
	if acct.CAFile != "" {
		pool, err := readCAFile(acct.CAFile)
		if err != nil {
			return nil, err
		}
		cfg.RootCAs = pool
	}
	return cfg, nil
}

// dial opens a session of an account, logged in.
func (a *App) dial(ctx context.Context, acct *model.Account, connID int64, trace func(smtpx.Event)) (*smtpx.Session, error) {
	secret, err := a.secret(acct)
	if err != nil {
		return nil, err
	}
	cfg, err := a.sessionConfig(acct, secret)
	if err != nil {
		return nil, err
	}
	cfg.ConnID, cfg.Trace = connID, trace
	return a.dialer(acct)(ctx, cfg)
}

func serverOf(acct *model.Account) string {
	return net.JoinHostPort(acct.Host, strconv.Itoa(acct.Port))
}

// attentive is a session at whose end it is remembered when BDAT does not work: its own letters already went by
// DATA then, and those of the next sessions will.
type attentive struct {
	*smtpx.Session
	a      *App
	server string
}

func (s attentive) Close() error {
	if s.ChunkingFailed() {
		s.a.noBDAT.Store(s.server, true)
	}
	return s.Session.Close()
}

// dialer gives what opens a session with the login of an account.
func (a *App) dialer(acct *model.Account) func(context.Context, *smtpx.Config) (*smtpx.Session, error) {
	return func(ctx context.Context, cfg *smtpx.Config) (s *smtpx.Session, err error) {
		if acct.Auth == model.AuthOAuth2 && cfg.Auth != nil {
			s, err = a.dialSignedIn(ctx, acct, cfg)
		} else {
			s, err = smtpx.Dial(ctx, cfg)
		}
		if err == nil {
			a.noteSize(ctx, acct, s)
		}
		return s, err
	}
}

// sizeKey is the setting that keeps the largest letter, in octets, that an account's server said it takes.
func sizeKey(id int64) string { return "smtp.size." + strconv.FormatInt(id, 10) }

// noteSize remembers what a server takes (RFC 1870), for the check before the next campaign.
func (a *App) noteSize(ctx context.Context, acct *model.Account, s *smtpx.Session) {
	size, _ := s.Extension("SIZE")
	if acct.ID == 0 || a.Setting(ctx, sizeKey(acct.ID)) == size {
		return
	}
	// Without it the check knows less, and the server still says no by itself.
	_ = a.SetSetting(ctx, sizeKey(acct.ID), size)
}

// CheckCAFile tells whether a file holds certificates in PEM.
func CheckCAFile(path string) error {
	_, err := readCAFile(path)
	return err
}

// readCAFile adds the certificates of a file to those that the system trusts.
func readCAFile(path string) (*x509.CertPool, error) {
	b, err := os.ReadFile(path)
	switch {
	case os.IsNotExist(err):
		return nil, model.E(model.EFileMissing, err, "path", path)
	case err != nil:
		return nil, model.E(model.EFileUnreadable, err, "path", path, "detail", err.Error())
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool() // no system store here: the file alone
	}
	if !pool.AppendCertsFromPEM(b) {
		return nil, model.E(model.EFileFormat, nil, "path", path, "detail", "PEM")
	}
	return pool, nil
}
