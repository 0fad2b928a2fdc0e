package smtpx

import (
	"crypto"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"slices"
	"strconv"
	"strings"

	_ "crypto/sha512" // certificates are hashed with it for tls-server-end-point

	"golang.org/x/text/unicode/norm"
)

const maxScramIterations = 1 << 20 // more would only keep us busy

// scram is SCRAM-SHA-256 (RFC 7677), with channel binding for -PLUS (RFC 5802 §6).
func (s *Session) scram(mechanism, user, secret string) *Error {
	bad := func(what string) *Error {
		return &Error{Phase: PhaseAuth, Err: fmt.Errorf("%w: %s", ErrAuthProtocol, what)}
	}
	gs2, binding := "n,,", []byte(nil)
	if mechanism == "SCRAM-SHA-256-PLUS" {
		kind, data, err := channelBinding(s.tls)
		if err != nil {
			return &Error{Phase: PhaseAuth, Err: err}
		}
		gs2, binding = "p="+kind+",,", data
	} else if s.tls != nil && !slices.Contains(strings.Fields(strings.ToUpper(s.ext["AUTH"])), "SCRAM-SHA-256-PLUS") {
		gs2 = "y,," // a server that did offer -PLUS notices that somebody took it away
	}
	nonce := rand.Text()
	name := strings.NewReplacer("=", "=3D", ",", "=2C").Replace(norm.NFKC.String(user))
	first := "n=" + name + ",r=" + nonce
	r, err := s.secret(334, "AUTH "+mechanism+" ", gs2+first)
	if err != nil {
		return err
	}
	challenge, err := decode(r)
	if err != nil {
		return err
	}
	salt, iterations, full, ok := parseServerFirst(string(challenge), nonce)
	if !ok {
		return bad("bad challenge")
	}
	salted, e := pbkdf2.Key(sha256.New, norm.NFKC.String(secret), salt, iterations, sha256.Size)
	if e != nil {
		return &Error{Phase: PhaseAuth, Err: e}
	}
	bare := "c=" + b64.EncodeToString(append([]byte(gs2), binding...)) + ",r=" + full
	signed := first + "," + string(challenge) + "," + bare
	clientKey := sum256(salted, "Client Key")
	stored := sha256.Sum256(clientKey)
	proof := sum256(stored[:], signed)
	for i := range proof {
		proof[i] ^= clientKey[i]
	}
	r, err = s.secret(0, "", bare+",p="+b64.EncodeToString(proof))
	if err != nil {
		return err
	}
	if r.Code != 334 && r.Code != 235 {
		return &Error{Phase: PhaseAuth, Reply: r}
	}
	final, err := decode(lastWord(r))
	if err != nil {
		return err
	}
	if !hmac.Equal(final, []byte("v="+b64.EncodeToString(sum256(sum256(salted, "Server Key"), signed)))) {
		return bad("the server does not know the password either")
	}
	if r.Code == 334 {
		_, err = s.ask(PhaseAuth, s.limit.Auth, 235, "")
	}
	return err
}

// lastWord is for servers that put their signature into the 235 itself (RFC 4954 §4 knows only the 334).
func lastWord(r *Reply) *Reply {
	f := strings.Fields(r.Lines[len(r.Lines)-1])
	if len(f) == 0 {
		return &Reply{Lines: []string{""}}
	}
	return &Reply{Lines: f[len(f)-1:]}
}

func sum256(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

func parseServerFirst(msg, nonce string) (salt []byte, iterations int, full string, ok bool) {
	f := strings.Split(msg, ",")
	if len(f) < 3 || !strings.HasPrefix(f[0], "r="+nonce) || len(f[0]) == len("r="+nonce) || !strings.HasPrefix(f[1], "s=") || !strings.HasPrefix(f[2], "i=") {
		return nil, 0, "", false
	}
	salt, err := b64.DecodeString(f[1][2:])
	if err != nil || len(salt) == 0 {
		return nil, 0, "", false
	}
	iterations, err = strconv.Atoi(f[2][2:])
	if err != nil || iterations < 1 || iterations > maxScramIterations {
		return nil, 0, "", false
	}
	return salt, iterations, f[0][2:], true
}

// channelBinding is tls-exporter with TLS 1.3 (RFC 9266) and tls-server-end-point (RFC 5929 §4) before.
func channelBinding(st *tls.ConnectionState) (kind string, data []byte, err error) {
	if st.Version >= tls.VersionTLS13 {
		data, err = st.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32)
		return "tls-exporter", data, err
	}
	cert := st.PeerCertificates[0]
	hash := crypto.SHA256
	switch cert.SignatureAlgorithm {
	case x509.SHA384WithRSA, x509.ECDSAWithSHA384, x509.SHA384WithRSAPSS:
		hash = crypto.SHA384
	case x509.SHA512WithRSA, x509.ECDSAWithSHA512, x509.SHA512WithRSAPSS:
		hash = crypto.SHA512
	default:
	}
	h := hash.New()
	h.Write(cert.Raw)
	return "tls-server-end-point", h.Sum(nil), nil
}
