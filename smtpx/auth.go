package smtpx

import (
	"context"
	"crypto/hmac"
	"crypto/md5" //#nosec G501 -- CRAM-MD5 is what RFC 2195 made it
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// Auth is a login. Exactly one mechanism is tried: the best of Mechanisms (default: all that Secret or Token
// allow, strongest first) that the server offers. With Token these are XOAUTH2 and OAUTHBEARER. With Secret they
// are SCRAM-SHA-256-PLUS and SCRAM-SHA-256, then PLAIN, LOGIN and CRAM-MD5 under TLS (which asks the server to keep
// the password itself, and is broken on some), or CRAM-MD5, PLAIN and LOGIN without.
type Auth struct {
	User       string
	Secret     string
	Token      func(ctx context.Context) (string, error) // an OAuth2 access token, for XOAUTH2 and OAUTHBEARER
	Mechanisms []string
}

var b64 = base64.StdEncoding

// mechanism chooses the one to use.
func (s *Session) mechanism() (string, *Error) {
	a := s.cfg.Auth
	param, ok := s.ext["AUTH"]
	if !ok {
		return "", &Error{Phase: PhaseAuth, Err: ErrNoAuth}
	}
	offered := strings.Fields(strings.ToUpper(param))
	want := a.Mechanisms
	switch {
	case len(want) > 0:
	case a.Token != nil:
		want = []string{"XOAUTH2", "OAUTHBEARER"}
	case s.tls != nil:
		want = []string{"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN", "LOGIN", "CRAM-MD5"}
	default:
		want = []string{"SCRAM-SHA-256", "CRAM-MD5", "PLAIN", "LOGIN"}
	}
	for _, m := range want {
		m = strings.ToUpper(m)
		if !slices.Contains(offered, m) || m == "SCRAM-SHA-256-PLUS" && s.tls == nil {
			continue
		}
		switch m {
		case "XOAUTH2", "OAUTHBEARER":
			if a.Token != nil {
				return m, nil
			}
		case "SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN", "LOGIN", "CRAM-MD5":
			if a.Secret != "" {
				return m, nil
			}
		}
	}
	return "", &Error{Phase: PhaseAuth, Err: fmt.Errorf("%w: it offers %s", ErrNoMechanism, display([]byte(strings.Join(offered, " "))))}
}

// login runs exactly one mechanism: a second try with the same secret would only burn the login budget that
// providers keep.
func (s *Session) login(ctx context.Context) *Error {
	if s.tls == nil && !s.cfg.AllowPlainAuth && !s.loopback() {
		return &Error{Phase: PhaseAuth, Err: ErrPlainAuth}
	}
	m, err := s.mechanism()
	if err != nil {
		return err
	}
	a := s.cfg.Auth
	secret := a.Secret
	if m == "XOAUTH2" || m == "OAUTHBEARER" {
		var e error
		if secret, e = a.Token(ctx); e != nil {
			return &Error{Phase: PhaseAuth, Err: fmt.Errorf("no access token: %w", e)}
		}
	}
	if strings.ContainsAny(a.User+secret, "\x00\r\n\x01") {
		return &Error{Phase: PhaseAuth, Err: fmt.Errorf("user or secret has a control character: %w", ErrParameter)}
	}
	s.tr.hide(secret)
	switch m {
	case "PLAIN":
		_, err = s.secret(235, "AUTH PLAIN ", "\x00"+a.User+"\x00"+secret)
		return err
	case "LOGIN":
		// The prompts say anything, and an initial response is refused by some.
		if _, err = s.ask(PhaseAuth, s.limit.Auth, 334, "AUTH LOGIN"); err != nil {
			return err
		}
		if _, err = s.secret(334, "", a.User); err != nil {
			return err
		}
		_, err = s.secret(235, "", secret)
		return err
	case "CRAM-MD5":
		r, err := s.ask(PhaseAuth, s.limit.Auth, 334, "AUTH CRAM-MD5")
		if err != nil {
			return err
		}
		challenge, e := decode(r)
		if e != nil {
			return e
		}
		mac := hmac.New(md5.New, []byte(secret))
		mac.Write(challenge)
		_, err = s.secret(235, "", a.User+" "+hex.EncodeToString(mac.Sum(nil)))
		return err
	case "XOAUTH2":
		return s.bearer("AUTH XOAUTH2 ", "user="+a.User+"\x01auth=Bearer "+secret+"\x01\x01", "")
	case "OAUTHBEARER":
		id := strings.NewReplacer("=", "=3D", ",", "=2C").Replace(a.User)
		return s.bearer("AUTH OAUTHBEARER ", fmt.Sprintf("n,a=%s,\x01host=%s\x01port=%d\x01auth=Bearer %s\x01\x01", id, s.cfg.Host, s.cfg.Port, secret), "\x01")
	default:
		return s.scram(m, a.User, secret)
	}
}

// secret writes payload in base64 behind the command; of the line only the command is ever shown.
func (s *Session) secret(want int, command, payload string) (*Reply, *Error) {
	enc := b64.EncodeToString([]byte(payload))
	s.tr.hideExactly(enc)
	s.tr.command(PhaseAuth, 0, []byte(command+mask))
	return s.exchange(PhaseAuth, s.limit.Auth, want, command+enc)
}

// bearer sends a token. A server that refuses it says why in a 334, and waits for one more line before its 535.
func (s *Session) bearer(command, payload, ack string) *Error {
	r, err := s.secret(235, command, payload)
	if r == nil || r.Code != 334 {
		return err
	}
	if why, e := decode(r); e == nil {
		s.tr.note(EventNote, PhaseAuth, display(why))
	}
	r, err = s.ask(PhaseAuth, s.limit.Auth, 0, b64.EncodeToString([]byte(ack)))
	if err == nil {
		err = &Error{Phase: PhaseAuth, Reply: r}
	}
	return err
}

// decode gives the octets of a challenge.
func decode(r *Reply) ([]byte, *Error) {
	b, err := b64.DecodeString(strings.TrimSpace(r.Lines[len(r.Lines)-1]))
	if err != nil {
		return nil, &Error{Phase: PhaseAuth, Err: fmt.Errorf("%w: challenge is not base64", ErrAuthProtocol)}
	}
	return b, nil
}
