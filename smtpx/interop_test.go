package smtpx_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"hongyan/smtpx"
	"hongyan/smtpx/smtptest"
)

// mail is what the other server says that it got.
type mail struct {
	opts smtp.MailOptions
	from string
	to   []string
	rcpt []smtp.RcptOptions
	body string
}

// backend takes all letters but those to no@; the subject "spam" is refused after the dot.
type backend struct {
	mu    sync.Mutex
	mails []mail
	user  string
}

type backendSession struct {
	b *backend
	m mail
}

func (b *backend) NewSession(*smtp.Conn) (smtp.Session, error) { return &backendSession{b: b}, nil }

func (s *backendSession) AuthMechanisms() []string { return []string{sasl.Plain, sasl.OAuthBearer} }

func (s *backendSession) Auth(mech string) (sasl.Server, error) {
	login := func(user, secret string) error {
		if secret != "right" {
			return smtp.ErrAuthFailed
		}
		s.b.mu.Lock()
		defer s.b.mu.Unlock()
		s.b.user = mech + " " + user
		return nil
	}
	if mech == sasl.OAuthBearer {
		return sasl.NewOAuthBearerServer(func(o sasl.OAuthBearerOptions) *sasl.OAuthBearerError {
			if login(o.Username, o.Token) != nil {
				return &sasl.OAuthBearerError{Status: "invalid_token"}
			}
			return nil
		}), nil
	}
	return sasl.NewPlainServer(func(_, user, pass string) error { return login(user, pass) }), nil
}

func (s *backendSession) Reset()        { s.m = mail{} }
func (s *backendSession) Logout() error { return nil }

func (s *backendSession) Mail(from string, o *smtp.MailOptions) error {
	s.m = mail{from: from, opts: *o}
	return nil
}

func (s *backendSession) Rcpt(to string, o *smtp.RcptOptions) error {
	if strings.HasPrefix(to, "no@") {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "nobody"}
	}
	s.m.to = append(s.m.to, to)
	s.m.rcpt = append(s.m.rcpt, *o)
	return nil
}

func (s *backendSession) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if s.m.body = string(b); strings.HasPrefix(s.m.body, "Subject: spam\r\n") {
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "spam"}
	}
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	s.b.mails = append(s.b.mails, s.m)
	return nil
}

// goSMTP runs emersion/go-smtp's server with every extension it has, and gives the way to it.
func goSMTP(t *testing.T, mode smtpx.TLSMode) (*backend, *smtpx.Config) {
	t.Helper()
	cert, err := smtptest.NewCertificate()
	if err != nil {
		t.Fatal(err)
	}
	b := &backend{}
	srv := smtp.NewServer(b)
	srv.Domain, srv.TLSConfig, srv.ErrorLog = "localhost", cert.Config(), log.New(io.Discard, "", 0)
	srv.EnableSMTPUTF8, srv.EnableREQUIRETLS, srv.EnableBINARYMIME, srv.EnableDSN, srv.EnableRRVS = true, true, true, true, true
	srv.EnableDELIVERBY, srv.EnableMTPRIORITY = true, true
	srv.MaxRecipients, srv.MaxMessageBytes = 10, 1<<20
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	end := make(chan struct{})
	go func() { defer close(end); _ = srv.Serve(ln) }()
	t.Cleanup(func() { _ = srv.Close(); <-end })
	return b, &smtpx.Config{Host: "127.0.0.1", Port: ln.Addr().(*net.TCPAddr).Port, TLS: mode, RootCAs: cert.Pool()}
}

type list struct {
	mu   sync.Mutex
	left []*smtpx.Transaction
}

func (l *list) Next(context.Context, bool) (*smtpx.Transaction, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.left) == 0 {
		return nil, io.EOF
	}
	tx := l.left[0]
	l.left = l.left[1:]
	return tx, nil
}

func parse(t *testing.T, s string) smtpx.Address {
	t.Helper()
	a, err := smtpx.ParseAddress(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
}

// ways are the ways in which letters can travel.
var ways = map[string]func(*smtpx.Config){
	"lockstep":  func(c *smtpx.Config) { c.NoPipelining = true },
	"pipelined": func(*smtpx.Config) {},
	"overlap":   func(c *smtpx.Config) { c.Overlap = true },
	"chunks":    func(c *smtpx.Config) { c.ChunkWindow = 1 },
	"window":    func(c *smtpx.Config) { c.ChunkWindow = 16 },
	"bdat lockstep": func(c *smtpx.Config) {
		c.ChunkWindow, c.NoPipelining = 16, true
	},
}

func TestInteropGoSMTP(t *testing.T) {
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			b, cfg := goSMTP(t, smtpx.TLSStart)
			cfg.Auth = &smtpx.Auth{User: "me", Secret: "right"}
			way(cfg)
			s, err := smtpx.Dial(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			long := strings.Repeat(".a line that begins with a dot\r\n", 6000)
			bodies := []string{"Subject: 0\r\n\r\n.\r\n..\r\n", long, "Subject: spam\r\n\r\n", "", "Subject: 4\r\n\r\n\u00e9\r\n", "Subject: 5\r\n\r\nend\r\n"}
			results := make([]smtpx.Result, len(bodies))
			src := &list{}
			for i, body := range bodies {
				tx := &smtpx.Transaction{ID: int64(i), From: parse(t, "me@example.com"), Size: int64(len(body)), Body: text(body),
					To: []smtpx.Address{parse(t, "a@example.org")}, Done: func(r smtpx.Result) { results[i] = r }}
				switch i {
				case 1:
					tx.To = append(tx.To, parse(t, "no@example.org"), parse(t, "用户@例子.测试"))
				case 3:
					tx.To = []smtpx.Address{parse(t, "no@example.org")}
				case 4:
					tx.EightBit, tx.RequireTLS, tx.Return, tx.EnvelopeID, tx.Notify = true, true, "HDRS", "id+1", "FAILURE,DELAY"
				}
				src.left = append(src.left, tx)
			}
			if err := s.Run(t.Context(), src); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			want := [][]smtpx.Status{{smtpx.Accepted}, {smtpx.Accepted, smtpx.Permanent, smtpx.Accepted}, {smtpx.Permanent}, {smtpx.Permanent}, {smtpx.Accepted}, {smtpx.Accepted}}
			for i, r := range results {
				for j, o := range r.Outcomes {
					if o.Status != want[i][j] {
						t.Errorf("letter %d, recipient %d: %v %v", i, j, o.Status, o.Err)
					}
				}
			}
			b.mu.Lock()
			defer b.mu.Unlock()
			if len(b.mails) != 4 || b.user != "PLAIN me" {
				t.Fatalf("%d letters arrived, by %q", len(b.mails), b.user)
			}
			for i, n := range []int{0, 1, 4, 5} {
				if b.mails[i].body != bodies[n] {
					t.Errorf("letter %d arrived as %.100q", n, b.mails[i].body)
				}
			}
			if m := b.mails[1]; len(m.to) != 2 || m.to[1] != "用户@xn--fsqu00a.xn--0zwm56d" || !m.opts.UTF8 {
				t.Errorf("%q %+v", m.to, m.opts)
			}
			m := b.mails[2]
			if o := m.opts; o.Body != smtp.Body8BitMIME || !o.RequireTLS || o.Return != smtp.DSNReturnHeaders || o.EnvelopeID != "id+1" || o.UTF8 || o.Size != int64(len(bodies[4])) {
				t.Errorf("%+v", o)
			}
			if r := m.rcpt[0]; len(r.Notify) != 2 || r.OriginalRecipient != "a@example.org" {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestInteropGoSMTPLogin(t *testing.T) {
	b, cfg := goSMTP(t, smtpx.TLSStart)
	tokens := func(s string) func(context.Context) (string, error) {
		return func(context.Context) (string, error) { return s, nil }
	}
	for _, c := range []struct {
		auth smtpx.Auth
		user string
	}{
		{smtpx.Auth{User: "me", Token: tokens("right"), Mechanisms: []string{"OAUTHBEARER"}}, "OAUTHBEARER me"},
		{smtpx.Auth{User: "me", Token: tokens("wrong")}, ""},
		{smtpx.Auth{User: "me", Secret: "right"}, "PLAIN me"},
		{smtpx.Auth{User: "me", Secret: "wrong"}, ""},
	} {
		b.user = ""
		cfg.Auth = &c.auth
		s, err := smtpx.Dial(t.Context(), cfg)
		if (err == nil) != (c.user != "") || b.user != c.user {
			t.Errorf("%q: %v", b.user, err)
		}
		if e := (*smtpx.Error)(nil); err != nil && (!errors.As(err, &e) || e.Phase != smtpx.PhaseAuth || e.Reply == nil || e.Reply.Code != 535 && e.Reply.Code != 454) {
			t.Error(err)
		}
		if err == nil {
			_ = s.Close()
		}
	}
}

// The server's own limit is met here, not there.
func TestInteropGoSMTPLimits(t *testing.T) {
	_, cfg := goSMTP(t, smtpx.TLSNone)
	s, err := smtpx.Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	tx := &smtpx.Transaction{From: parse(t, "me@example.com"), To: []smtpx.Address{parse(t, "a@example.org")}, Size: 2 << 20, Body: text("x")}
	if o := s.Send(t.Context(), tx).Outcomes[0]; !errors.Is(o.Err, smtpx.ErrTooBig) {
		t.Errorf("%+v", o)
	}
	for len(tx.To) < 11 {
		tx.To = append(tx.To, tx.To[0])
	}
	tx.Size = 0
	if o := s.Send(t.Context(), tx).Outcomes[0]; !errors.Is(o.Err, smtpx.ErrRecipients) {
		t.Errorf("%+v", o)
	}
	// Without SIZE told in advance the server finds out: the rest of the letter is not sent.
	for _, window := range []int{0, 1} {
		cfg.ChunkWindow = window
		s, err := smtpx.Dial(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		tx := &smtpx.Transaction{From: tx.From, To: tx.To[:1], Body: text(strings.Repeat("a long line\r\n", 1<<17))}
		if o := s.Send(t.Context(), tx).Outcomes[0]; o.Status != smtpx.Permanent || o.Reply == nil || o.Reply.Code != 552 {
			t.Errorf("window %d: %+v", window, o)
		}
		_ = s.Close()
	}
}

func practice(t *testing.T, o smtptest.Options) (*smtptest.Server, *smtpx.Config) {
	t.Helper()
	srv, err := smtptest.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Close() })
	cfg := &smtpx.Config{Host: "127.0.0.1", Port: srv.Port(), TLS: o.TLS, Auth: &smtpx.Auth{User: "me", Secret: "secret"}}
	if c := srv.Certificate(); c != nil {
		cfg.RootCAs = c.Pool()
	}
	return srv, cfg
}

func TestInteropPractice(t *testing.T) {
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			srv, cfg := practice(t, smtptest.Options{Dir: t.TempDir(), TLS: smtpx.TLSImplicit, RequireAuth: true, Password: "secret", PerSession: 30})
			way(cfg)
			src := &list{}
			got := make([]smtpx.Result, 50)
			for i := range got {
				src.left = append(src.left, &smtpx.Transaction{From: parse(t, "me@example.com"), Body: text(fmt.Sprintf("Subject: %d\r\n\r\n.\r\n", i)),
					To: []smtpx.Address{parse(t, fmt.Sprintf("r%d@example.org", i))}, Done: func(r smtpx.Result) { got[i] = r }})
			}
			for range 2 {
				s, err := smtpx.Dial(t.Context(), cfg)
				if err != nil {
					t.Fatal(err)
				}
				if err := s.Run(t.Context(), src); err != nil && !errors.Is(err, smtpx.ErrSessionFull) {
					t.Fatal(err)
				}
				_ = s.Close()
			}
			for i, r := range got {
				if len(r.Outcomes) != 1 || r.Outcomes[0].Status != smtpx.Accepted {
					t.Errorf("%d: %+v", i, r)
				}
			}
			by, err := srv.CountByRecipient()
			if err != nil || len(by) != 50 || srv.Count() != 50 {
				t.Errorf("%d letters to %d people: %v", srv.Count(), len(by), err)
			}
		})
	}
}

// The practice server drops the line at every step. Whoever is neither told nor in doubt is sent to again, and then
// nobody has two letters and nobody has none but those in doubt.
func TestInteropDroppedLines(t *testing.T) {
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			srv, cfg := practice(t, smtptest.Options{Dir: t.TempDir(), TLS: smtpx.TLSNone, NoAuth: true, Mood: smtptest.DropLine})
			cfg.Auth = nil
			way(cfg)
			src := &list{}
			var mu sync.Mutex
			fate := map[string][]smtpx.Status{}
			var add func(to string)
			add = func(to string) {
				src.left = append(src.left, &smtpx.Transaction{From: parse(t, "me@example.com"), To: []smtpx.Address{parse(t, to)},
					Body: text("Subject: x\r\n\r\n" + strings.Repeat("body\r\n", 1000)), Done: func(r smtpx.Result) {
						mu.Lock()
						defer mu.Unlock()
						st := r.Outcomes[0].Status
						if fate[to] = append(fate[to], st); st == smtpx.NotSent {
							src.mu.Lock()
							add(to)
							src.mu.Unlock()
						}
					}})
			}
			const n = 60
			for i := range n {
				add(fmt.Sprintf("r%d@example.org", i))
			}
			for tries := 0; len(src.left) > 0; tries++ {
				if tries > 3*n {
					t.Fatal("no end")
				}
				s, err := smtpx.Dial(t.Context(), cfg)
				if err != nil {
					t.Fatal(err)
				}
				_ = s.Run(t.Context(), src)
				_ = s.Close()
			}
			by, err := srv.CountByRecipient()
			if err != nil {
				t.Fatal(err)
			}
			doubt := 0
			for to, all := range fate {
				last := all[len(all)-1]
				switch {
				case last == smtpx.Unknown:
					doubt++
				case last != smtpx.Accepted || by[to] != 1:
					t.Errorf("%s: %v, and the server has %d", to, all, by[to])
				}
				if by[to] > 1 {
					t.Errorf("%s has %d letters", to, by[to])
				}
			}
			if len(fate) != n || doubt == 0 || doubt == n {
				t.Errorf("%d people, %d in doubt", len(fate), doubt)
			}
		})
	}
}
