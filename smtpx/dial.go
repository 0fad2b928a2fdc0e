package smtpx

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/idna"
)

var connIDs atomic.Int64

// Dial connects, secures and logs in. Its error is an *[Error].
func Dial(ctx context.Context, cfg *Config) (*Session, error) {
	s := &Session{cfg: *cfg, limit: cfg.Timeouts.withDefaults(), id: cfg.ConnID, lastOK: true}
	s.cond, s.turn = sync.NewCond(&s.mu), sync.NewCond(&s.mu)
	if s.id == 0 {
		s.id = connIDs.Add(1)
	}
	s.tr = tracer{fn: cfg.Trace, conn: s.id}
	if cfg.Auth != nil {
		s.tr.hide(cfg.Auth.Secret)
	}
	if err := s.connect(ctx); err != nil {
		return nil, s.dialFailed(ctx, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = s.raw.Close() })
	err := s.greet(ctx)
	if err == nil && !stop() && ctx.Err() != nil {
		err = &Error{Phase: PhaseAuth, Err: context.Cause(ctx)}
	}
	if err != nil {
		stop()
		_ = s.raw.Close()
		return nil, s.dialFailed(ctx, err)
	}
	_ = s.raw.SetDeadline(time.Time{})
	s.in.src = connReader{s}
	s.out.stall, s.out.owed, s.out.before = s.limit.BodyStall, s.owed, s.aboutToWrite
	s.heard = time.Now()
	go s.readLoop()
	return s, nil
}

func (s *Session) dialFailed(ctx context.Context, err *Error) error {
	if ctx.Err() != nil {
		err = &Error{Phase: err.Phase, Reply: err.Reply, Err: context.Cause(ctx)}
	}
	s.tr.failed(err)
	return err
}

func (s *Session) connect(ctx context.Context) *Error {
	host := s.cfg.Host
	if _, err := netip.ParseAddr(host); err != nil {
		if host, err = idna.Lookup.ToASCII(host); err != nil || host == "" {
			return &Error{Phase: PhaseConnect, Err: fmt.Errorf("bad host name %q: %w", s.cfg.Host, errors.Join(err, ErrParameter))}
		}
	}
	if s.cfg.LocalName != "" && strings.ContainsFunc(s.cfg.LocalName, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return &Error{Phase: PhaseConnect, Err: fmt.Errorf("bad local name: %w", ErrParameter)}
	}
	dctx, cancel := context.WithTimeout(ctx, s.limit.Connect)
	defer cancel()
	dial := s.cfg.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext // tries IPv6 and IPv4 side by side (RFC 6555)
	}
	conn, err := dial(dctx, "tcp", net.JoinHostPort(host, strconv.Itoa(s.cfg.Port)))
	if err != nil {
		return &Error{Phase: PhaseConnect, Err: err}
	}
	s.raw = conn
	_, s.tcp = conn.(*net.TCPConn)
	s.use(conn)
	s.tr.note(EventConnect, PhaseConnect, conn.RemoteAddr().String())
	return nil
}

// use makes conn the one to speak over, with nothing buffered.
func (s *Session) use(conn net.Conn) {
	s.conn = conn
	s.in = replyReader{src: conn}
	s.out = outBuffer{conn: conn, stall: s.limit.EHLO}
}

// greet goes from the open connection to the logged-in session.
func (s *Session) greet(ctx context.Context) *Error {
	if s.cfg.TLS == TLSImplicit {
		if err := s.handshake(ctx); err != nil {
			return err
		}
	}
	if _, err := s.expect(PhaseGreeting, s.limit.Greeting, 220); err != nil {
		return err
	}
	if err := s.hello(); err != nil {
		return err
	}
	if s.cfg.TLS == TLSStart {
		if err := s.startTLS(ctx); err != nil {
			return err
		}
		if err := s.hello(); err != nil {
			return err
		}
	}
	if s.cfg.Auth != nil {
		if err := s.login(ctx); err != nil {
			return err
		}
	}
	if !s.cfg.TrySender.IsZero() {
		s.reset = true // should a letter follow
		_, err := s.ask(PhaseMail, s.limit.Mail, 250, "MAIL FROM:<"+s.cfg.TrySender.String()+">")
		return err
	}
	return nil
}

// expect reads one reply; another code than want (0: any) is an error.
func (s *Session) expect(p Phase, d time.Duration, want int) (*Reply, *Error) {
	_ = s.conn.SetReadDeadline(time.Now().Add(d))
	code, raw, err := s.in.next()
	if err != nil {
		return nil, &Error{Phase: p, Err: s.tr.cleaned(err)}
	}
	r := s.tr.parse(code, raw)
	s.tr.reply(p, 0, r)
	if want != 0 && code != want {
		return r, &Error{Phase: p, Reply: r}
	}
	return r, nil
}

// ask sends one command and reads its reply.
func (s *Session) ask(p Phase, d time.Duration, want int, line string) (*Reply, *Error) {
	s.tr.command(p, 0, []byte(line))
	return s.exchange(p, d, want, line)
}

// exchange writes a line that is not traced and reads the reply.
func (s *Session) exchange(p Phase, d time.Duration, want int, line string) (*Reply, *Error) {
	s.out.stall = d
	_, err := s.out.Write([]byte(line + "\r\n"))
	if err == nil {
		err = s.out.flush()
	}
	if err != nil {
		return nil, &Error{Phase: p, Err: err}
	}
	return s.expect(p, d, want)
}

func (s *Session) hello() *Error {
	s.ext, s.lim = map[string]string{}, limits{}
	name := s.cfg.LocalName
	if name == "" {
		name = addressLiteral(s.raw.LocalAddr())
	}
	r, err := s.ask(PhaseEHLO, s.limit.EHLO, 250, "EHLO "+name)
	if err != nil {
		if r == nil || r.Code/100 != 5 {
			return err
		}
		_, err = s.ask(PhaseEHLO, s.limit.EHLO, 250, "HELO "+name)
		return err
	}
	s.ext = parseExtensions(r.Lines)
	s.lim = parseLimits(s.ext["LIMITS"])
	return nil
}

// limits are those of RFC 9422; 0 is none.
type limits struct{ mails, rcpts, domains int }

func parseLimits(param string) (l limits) {
	for _, f := range strings.Fields(param) {
		k, v, _ := strings.Cut(f, "=")
		n, err := strconv.Atoi(v)
		if err != nil || n <= 0 {
			continue
		}
		switch strings.ToUpper(k) {
		case "MAILMAX":
			l.mails = n
		case "RCPTMAX":
			l.rcpts = n
		case "RCPTDOMAINMAX":
			l.domains = n
		}
	}
	return l
}

// parseExtensions reads the lines of an EHLO reply. Several AUTH lines, and the `AUTH=LOGIN` of old servers, add up.
func parseExtensions(lines []string) map[string]string {
	ext := map[string]string{}
	for i, line := range lines {
		if i == 0 {
			continue // the server's name
		}
		k, v, _ := strings.Cut(strings.TrimSpace(line), " ")
		k, v = strings.ToUpper(k), strings.TrimSpace(v)
		if rest, ok := strings.CutPrefix(k, "AUTH="); ok {
			k, v = "AUTH", rest+" "+v
		}
		if k == "AUTH" {
			v = strings.TrimSpace(ext[k] + " " + v)
		}
		if k != "" {
			ext[k] = v
		}
	}
	return ext
}

func addressLiteral(a net.Addr) string {
	if t, ok := a.(*net.TCPAddr); ok {
		if ip := t.AddrPort().Addr().Unmap().WithZone(""); ip.Is4() {
			return "[" + ip.String() + "]"
		} else if ip.IsValid() {
			return "[IPv6:" + ip.String() + "]"
		}
	}
	return "[127.0.0.1]"
}

func (s *Session) startTLS(ctx context.Context) *Error {
	if _, ok := s.ext["STARTTLS"]; !ok {
		return &Error{Phase: PhaseTLS, Err: ErrNoSTARTTLS}
	}
	if _, err := s.ask(PhaseTLS, s.limit.TLS, 220, "STARTTLS"); err != nil {
		return err
	}
	if s.in.buffered() > 0 {
		return &Error{Phase: PhaseTLS, Err: ErrInjected}
	}
	return s.handshake(ctx)
}

func (s *Session) handshake(ctx context.Context) *Error {
	conn := tls.Client(s.raw, s.tlsConfig())
	tctx, cancel := context.WithTimeout(ctx, s.limit.TLS)
	defer cancel()
	_ = s.raw.SetDeadline(time.Time{})
	if err := conn.HandshakeContext(tctx); err != nil {
		return &Error{Phase: PhaseTLS, Err: err}
	}
	st := conn.ConnectionState()
	s.tls = &st
	s.use(conn)
	if s.tr.fn != nil {
		leaf := st.PeerCertificates[0]
		sum := sha256.Sum256(leaf.Raw)
		s.tr.note(EventTLS, PhaseTLS, fmt.Sprintf("%s, %s, %s, until %s, sha256 %s", tls.VersionName(st.Version),
			tls.CipherSuiteName(st.CipherSuite), display([]byte(leaf.Subject.String())), leaf.NotAfter.Format(time.DateOnly), hex.EncodeToString(sum[:])))
		if strings.HasPrefix(tls.CipherSuiteName(st.CipherSuite), "TLS_RSA_") {
			s.tr.note(EventNote, PhaseTLS, "the server uses RSA key exchange: whoever gets its key later can read what was recorded")
		}
	}
	return nil
}

func (s *Session) tlsConfig() *tls.Config {
	c := &tls.Config{ServerName: s.cfg.ServerName, RootCAs: s.cfg.RootCAs, MinVersion: tls.VersionTLS12}
	if c.ServerName == "" {
		c.ServerName = s.cfg.Host
	}
	if a, err := idna.Lookup.ToASCII(c.ServerName); err == nil {
		c.ServerName = a
	}
	if pin := s.cfg.Fingerprint; len(pin) > 0 {
		c.InsecureSkipVerify = true //#nosec G402 -- the pinned certificate is verified instead
		c.VerifyConnection = func(st tls.ConnectionState) error {
			sum := sha256.Sum256(st.PeerCertificates[0].Raw)
			if subtle.ConstantTimeCompare(sum[:], pin) != 1 {
				return ErrFingerprint
			}
			return nil
		}
	}
	if s.cfg.LegacyRSA {
		for _, suite := range tls.CipherSuites() {
			c.CipherSuites = append(c.CipherSuites, suite.ID)
		}
		c.CipherSuites = append(c.CipherSuites, tls.TLS_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_RSA_WITH_AES_128_CBC_SHA, tls.TLS_RSA_WITH_AES_256_CBC_SHA)
	}
	return c
}

// loopback says whether what is written cannot be heard outside this machine.
func (s *Session) loopback() bool {
	if ip, err := netip.ParseAddr(s.cfg.Host); s.cfg.Host != "localhost" && (err != nil || !ip.IsLoopback()) {
		return false
	}
	t, ok := s.raw.RemoteAddr().(*net.TCPAddr)
	return !ok || t.IP.IsLoopback()
}
