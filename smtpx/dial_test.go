package smtpx

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"
)

// stage is a point of a session at which the server falls silent; up to there its script has spoken.
type stage struct {
	name   string
	phase  Phase
	script func(*peer)
}

// beforeReady are the stages of Dial.
func beforeReady(cert testCert) []stage {
	auth := func(offer string) func(*peer) {
		return func(p *peer) { p.hello("AUTH " + offer); p.want("AUTH") }
	}
	return []stage{
		{"greeting", PhaseGreeting, func(*peer) {}},
		{"half a greeting", PhaseGreeting, func(p *peer) { p.say("220-hi\n22") }},
		{"ehlo", PhaseEHLO, func(p *peer) { p.say("220 hi\n"); p.want("EHLO") }},
		{"half of ehlo", PhaseEHLO, func(p *peer) { p.say("220 hi\n"); p.want("EHLO"); p.say("250-x\n250-PIPELINING\n") }},
		{"starttls", PhaseTLS, func(p *peer) { p.hello("STARTTLS"); p.want("STARTTLS") }},
		{"handshake", PhaseTLS, func(p *peer) { p.hello("STARTTLS"); p.want("STARTTLS"); p.say("220 go\n"); _, _ = p.br.Peek(1) }},
		{"ehlo under TLS", PhaseEHLO, func(p *peer) { p.startTLS(cert); p.want("EHLO") }},
		{"auth", PhaseAuth, auth("PLAIN")},
		{"second step of auth", PhaseAuth, func(p *peer) { auth("LOGIN")(p); p.say("334 x\n"); p.want("") }},
		{"scram", PhaseAuth, auth("SCRAM-SHA-256")},
	}
}

func (s stage) adjust(cfg *Config, cert testCert) {
	if s.phase == PhaseTLS || strings.Contains(s.name, "TLS") {
		cfg.TLS, cfg.RootCAs = TLSStart, cert.pool
	} else if s.phase == PhaseAuth {
		cfg.Auth = &Auth{User: "me", Secret: "code"}
	}
}

// A server that falls silent is given up when the deadline of its phase has passed, and no earlier than that.
func TestDialStalls(t *testing.T) {
	cert := good(t)
	for _, st := range beforeReady(cert) {
		t.Run(st.name, func(t *testing.T) {
			t.Parallel()
			cfg := serve(t, func(p *peer) { st.script(p); p.eof() })
			st.adjust(cfg, cert)
			const d = 60 * time.Millisecond
			short := map[Phase]*time.Duration{PhaseGreeting: &cfg.Timeouts.Greeting, PhaseEHLO: &cfg.Timeouts.EHLO, PhaseTLS: &cfg.Timeouts.TLS, PhaseAuth: &cfg.Timeouts.Auth}
			*short[st.phase] = d
			begin := time.Now()
			_, err := Dial(t.Context(), cfg)
			if e := asError(t, err); e.Phase != st.phase || !e.Timeout() || !e.Temporary() || e.Canceled() {
				t.Errorf("%v: %v", e.Phase, err)
			}
			if took := time.Since(begin); took < d || took > 5*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

// Cancelling ends Dial within 100 ms wherever it stands.
func TestDialCancelled(t *testing.T) {
	cert := good(t)
	for _, st := range beforeReady(cert) {
		t.Run(st.name, func(t *testing.T) {
			there, both := make(chan struct{}), make(chan struct{})
			cfg := serve(t, func(p *peer) { st.script(p); close(there); p.eof() })
			st.adjust(cfg, cert)
			connected := make(chan struct{})
			cfg.Trace = func(e Event) {
				if e.Kind == EventConnect {
					close(connected)
				}
			}
			go func() { <-there; <-connected; close(both) }()
			cancelled(t, both, st.phase, func(ctx context.Context) error { _, err := Dial(ctx, cfg); return err })
		})
	}
	t.Run("connect", func(t *testing.T) {
		there := make(chan struct{})
		cfg := &Config{Host: "127.0.0.1", Port: 1, TLS: TLSNone, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			close(there)
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		cancelled(t, there, PhaseConnect, func(ctx context.Context) error { _, err := Dial(ctx, cfg); return err })
	})
	t.Run("token", func(t *testing.T) {
		there := make(chan struct{})
		cfg := loginServer(t, "XOAUTH2", func(p *peer) { p.eof() })
		cfg.Auth = &Auth{User: "me", Token: func(ctx context.Context) (string, error) { close(there); <-ctx.Done(); return "", ctx.Err() }}
		cancelled(t, there, PhaseAuth, func(ctx context.Context) error { _, err := Dial(ctx, cfg); return err })
	})
}

// cancelled runs f, cancels it once it is there, and wants it to end within 100 ms.
func cancelled(t *testing.T, there <-chan struct{}, phase Phase, f func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	end := make(chan error, 1)
	go func() { end <- f(ctx) }()
	<-there
	cancel()
	err := promptly(t, end)
	if e := asError(t, err); !e.Canceled() || e.Phase != phase {
		t.Errorf("%v: %v, want %v", e.Phase, err, phase)
	}
}

func TestDialRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		phase  Phase
		code   int
		script func(*peer)
	}{
		{"554 greeting", PhaseGreeting, 554, func(p *peer) { p.say("554 5.7.1 not you\n") }},
		{"421 greeting", PhaseGreeting, 421, func(p *peer) { p.say("421 busy\n") }},
		{"EOF for a greeting", PhaseGreeting, 0, func(*peer) {}},
		{"a web server", PhaseGreeting, 0, func(p *peer) { p.say("HTTP/1.1 400 Bad Request\n\n") }},
		{"421 to EHLO", PhaseEHLO, 421, func(p *peer) { p.say("220 hi\n"); p.want("EHLO"); p.say("421 busy\n") }},
		{"550 to EHLO and HELO", PhaseEHLO, 550, func(p *peer) {
			p.say("220 hi\n")
			p.want("EHLO")
			p.say("550 no\n")
			p.want("HELO")
			p.say("550 no\n")
		}},
		{"EOF at EHLO", PhaseEHLO, 0, func(p *peer) { p.say("220 hi\n"); p.want("EHLO") }},
		{"200,000 lines of EHLO", PhaseEHLO, 0, func(p *peer) {
			p.say("220 hi\n")
			p.want("EHLO")
			p.say(strings.Repeat("250-PIPELINING\n", 200000) + "250 HELP\n")
		}},
		{"1 MB of EHLO", PhaseEHLO, 0, func(p *peer) {
			p.say("220 hi\n")
			p.want("EHLO")
			p.say("250 " + strings.Repeat("x", 1<<20) + "\n")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Dial(t.Context(), serve(t, c.script))
			e := asError(t, err)
			if e.Phase != c.phase || (e.Reply == nil) != (c.code == 0) || c.code != 0 && e.Reply.Code != c.code {
				t.Errorf("%v: %v", e.Phase, err)
			}
			if c.code/100 == 5 && e.Temporary() || c.code/100 == 4 && !e.Temporary() {
				t.Errorf("%v: Temporary is %v", err, e.Temporary())
			}
		})
	}
	_, err := Dial(t.Context(), &Config{Host: "127.0.0.1", Port: closedPort(t), TLS: TLSNone})
	if e := asError(t, err); e.Phase != PhaseConnect || !e.Temporary() {
		t.Error(err)
	}
	for _, cfg := range []*Config{{Host: ""}, {Host: "a b"}, {Host: "a\r\nb"}, {Host: "127.0.0.1", LocalName: "a b"}, {Host: "127.0.0.1", LocalName: "a\r\nMAIL"}} {
		if _, err := Dial(t.Context(), cfg); !errors.Is(err, ErrParameter) || asError(t, err).Phase != PhaseConnect {
			t.Errorf("%+v: %v", cfg, err)
		}
	}
}

func closedPort(t *testing.T) int {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port
}

// A server of long ago knows HELO only.
func TestHELO(t *testing.T) {
	cfg := serve(t, func(p *peer) {
		p.say("220 hi\n")
		p.want("EHLO mail.example.com")
		p.say("500 what\n")
		p.want("HELO mail.example.com")
		p.say("250 hi\n")
		p.letter()
		p.quit()
	})
	cfg.LocalName, cfg.Overlap, cfg.ChunkWindow = "mail.example.com", true, 4
	if o := dial(t, cfg).Send(t.Context(), letter(t, 1)).Outcomes[0]; o.Status != Accepted {
		t.Errorf("%+v", o)
	}
}

// The whole conversation works without any buffer between client and server.
func TestOverAPipe(t *testing.T) {
	client, server := net.Pipe()
	defer client.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer server.Close()
		defer func() { _ = recover() }()
		p := newPeer(t, server)
		p.hello("PIPELINING")
		for range 2 {
			p.letter()
		}
		p.quit()
	}()
	cfg := &Config{Host: "127.0.0.1", Port: 25, TLS: TLSNone, Overlap: true,
		Dial: func(context.Context, string, string) (net.Conn, error) { return client, nil }}
	s, err := Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	q := newQueue(letter(t, 1), letter(t, 2))
	if err := s.Run(t.Context(), q); err != nil {
		t.Error(err)
	}
	q.check(t, Accepted, Accepted)
	_ = s.Close()
	<-done
}

// The sender is tried after the login, without a letter.
func TestTrySender(t *testing.T) {
	cfg := loginServer(t, "PLAIN", func(p *peer) {
		p.want("AUTH PLAIN ")
		p.say("235 ok\n")
		p.want("MAIL FROM:<me@example.com>")
		p.say("250 ok\n")
		p.want("RSET")
		p.silent()
		p.say("250 ok\n")
		p.letter()
		p.quit()
	})
	cfg.TrySender = mustAddr("me@example.com")
	if o := dial(t, cfg).Send(t.Context(), letter(t, 1)).Outcomes[0]; o.Status != Accepted {
		t.Error(o)
	}
	cfg = serve(t, func(p *peer) {
		p.hello("PIPELINING")
		p.want("MAIL")
		p.say("553 5.7.1 Mail from must equal authorized user\n")
		p.eof()
	})
	cfg.TrySender = mustAddr("me@example.com")
	_, err := Dial(t.Context(), cfg)
	if e := asError(t, err); e.Phase != PhaseMail || e.Reply == nil || e.Reply.Code != 553 {
		t.Error(err)
	}
}
