package smtpx

import (
	"errors"
	"io"
	"strings"
	"testing"
)

// What the envelope says follows what the letter needs and what the server offers.
func TestEnvelopeParameters(t *testing.T) {
	full := []string{"PIPELINING", "SIZE 1000000", "8BITMIME", "SMTPUTF8", "DSN", "REQUIRETLS", "ENHANCEDSTATUSCODES"}
	for _, c := range []struct {
		name       string
		ext        []string
		change     func(*Transaction)
		mail, rcpt string
	}{
		{"plain", full, func(*Transaction) {}, "MAIL FROM:<me@example.com>", "RCPT TO:<you@example.org>"},
		{"null sender", full, func(tx *Transaction) { tx.From = Address{} }, "MAIL FROM:<>", ""},
		{"size", full, func(tx *Transaction) { tx.Size = 4096 }, "MAIL FROM:<me@example.com> SIZE=4096", ""},
		{"size, not offered", nil, func(tx *Transaction) { tx.Size = 4096 }, "MAIL FROM:<me@example.com>", ""},
		{"8 bit", full, func(tx *Transaction) { tx.EightBit = true }, "MAIL FROM:<me@example.com> BODY=8BITMIME", ""},
		{"8 bit, not offered", nil, func(tx *Transaction) { tx.EightBit = true }, "MAIL FROM:<me@example.com>", ""},
		{"UTF-8 header", full, func(tx *Transaction) { tx.UTF8 = true }, "MAIL FROM:<me@example.com> BODY=8BITMIME SMTPUTF8", ""},
		{"UTF-8 recipient", full, func(tx *Transaction) { tx.To[0] = mustAddr("用户@例子.测试") }, "MAIL FROM:<me@example.com> BODY=8BITMIME SMTPUTF8", "RCPT TO:<用户@xn--fsqu00a.xn--0zwm56d>"},
		{"UTF-8 domain only", full, func(tx *Transaction) { tx.To[0] = mustAddr("user@例子.测试") }, "MAIL FROM:<me@example.com>", "RCPT TO:<user@xn--fsqu00a.xn--0zwm56d>"},
		{"quoted recipient", full, func(tx *Transaction) { tx.To[0] = mustAddr(`"a@evil.example>"@good.example`) }, "", `RCPT TO:<"a@evil.example>"@good.example>`},
		{"DSN", full, func(tx *Transaction) { tx.Return, tx.EnvelopeID, tx.Notify = "HDRS", "a+b=c d", "SUCCESS,FAILURE" },
			"MAIL FROM:<me@example.com> RET=HDRS ENVID=a+2Bb+3Dc+20d", "RCPT TO:<you@example.org> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;you@example.org"},
		{"DSN, not offered", nil, func(tx *Transaction) { tx.Return, tx.EnvelopeID, tx.Notify = "HDRS", "x", "NEVER" }, "MAIL FROM:<me@example.com>", "RCPT TO:<you@example.org>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var mail, rcpt string
			s := dial(t, serve(t, func(p *peer) {
				p.hello(c.ext...)
				mail = p.want("MAIL")
				p.say("250 ok\n")
				rcpt = p.want("RCPT")
				p.say("250 ok\n")
				p.want("DATA")
				p.say("354 go\n")
				p.data()
				p.say("250 ok\n")
				p.quit()
			}))
			tx := letter(t, 1)
			c.change(tx)
			if o := s.Send(t.Context(), tx).Outcomes[0]; o.Status != Accepted {
				t.Errorf("%+v", o)
			}
			if c.mail != "" && mail != c.mail || c.rcpt != "" && rcpt != c.rcpt {
				t.Errorf("%q\n%q", mail, rcpt)
			}
		})
	}
}

func TestRequireTLS(t *testing.T) {
	cert := good(t)
	cfg := serve(t, func(p *peer) {
		p.secureWith(cert)
		p.hello("REQUIRETLS")
		if got := p.want("MAIL"); got != "MAIL FROM:<me@example.com> REQUIRETLS" {
			p.t.Errorf("server: %q", got)
		}
		p.say("550 no\n")
		p.quit()
	})
	cfg.TLS, cfg.RootCAs = TLSImplicit, cert.pool
	tx := letter(t, 1)
	tx.RequireTLS = true
	if o := dial(t, cfg).Send(t.Context(), tx).Outcomes[0]; o.Status != Permanent || o.Phase != PhaseMail {
		t.Errorf("%+v", o)
	}
}

// What cannot be sent is refused here: not a word of it reaches the server, and the session goes on.
func TestRefusedHere(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Transaction)
		want   error
	}{
		{"SMTPUTF8", func(tx *Transaction) { tx.To[0] = mustAddr("用户@example.com") }, ErrNoSMTPUTF8},
		{"SMTPUTF8 sender", func(tx *Transaction) { tx.From = mustAddr("用户@example.com") }, ErrNoSMTPUTF8},
		{"SMTPUTF8 header", func(tx *Transaction) { tx.UTF8 = true }, ErrNoSMTPUTF8},
		{"REQUIRETLS", func(tx *Transaction) { tx.RequireTLS = true }, ErrNoRequireTLS},
		{"too big", func(tx *Transaction) { tx.Size = 1001 }, ErrTooBig},
		{"nobody", func(tx *Transaction) { tx.To = nil }, ErrRecipients},
		{"null recipient", func(tx *Transaction) { tx.To = append(tx.To, Address{}) }, ErrRecipients},
		{"RCPTMAX", func(tx *Transaction) { tx.To = append(tx.To, tx.To[0], tx.To[0], tx.To[0]) }, ErrRecipients},
		{"RCPTDOMAINMAX", func(tx *Transaction) { tx.To = append(tx.To, mustAddr("a@b.org"), mustAddr("a@c.org")) }, ErrRecipients},
		{"RET", func(tx *Transaction) { tx.Return = "FULL\r\nRSET" }, ErrParameter},
		{"NOTIFY", func(tx *Transaction) { tx.Notify = "SUCCESS,NEVER" }, ErrParameter},
		{"ENVID", func(tx *Transaction) { tx.EnvelopeID = strings.Repeat("x", 101) }, ErrParameter},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := dial(t, serve(t, func(p *peer) {
				p.hello("SIZE 1000", "REQUIRETLS", "LIMITS RCPTMAX=3 RCPTDOMAINMAX=2 MAILMAX=2 X=y", "DSN")
				p.letter()
				p.quit()
			}))
			bad := letter(t, 1)
			c.change(bad)
			q := newQueue(bad, letter(t, 2))
			if err := s.Run(t.Context(), q); err != nil {
				t.Error(err)
			}
			q.mu.Lock()
			defer q.mu.Unlock()
			if r := q.res[1]; len(r) != 1 || len(r[0].Outcomes) != len(bad.To) {
				t.Fatalf("%+v", r)
			}
			for _, o := range q.res[1][0].Outcomes {
				if o.Status != NotSent || o.Phase != PhaseMail || o.Reply != nil || !errors.Is(o.Err, c.want) {
					t.Errorf("%+v", o)
				}
			}
			if r := q.res[2]; len(r) != 1 || r[0].Outcomes[0].Status != Accepted {
				t.Errorf("the next letter: %+v", r)
			}
		})
	}
}

// LIMITS MAILMAX ends a Run before the server has to.
func TestMailMax(t *testing.T) {
	cfg := serve(t, func(p *peer) { p.hello("PIPELINING", "LIMITS MAILMAX=2"); p.letter(); p.letter(); p.quit() })
	cfg.Overlap = true
	s := dial(t, cfg)
	q := newQueue(letter(t, 1), letter(t, 2), letter(t, 3))
	if err := s.Run(t.Context(), q); !errors.Is(err, ErrSessionFull) {
		t.Error(err)
	}
	q.check(t, Accepted, Accepted)
	if len(q.list) != 1 || s.Sent() != 2 {
		t.Errorf("%d letters left, %d sent", len(q.list), s.Sent())
	}
}

// A thousand recipients do not deadlock with a server that answers as it reads, and at most 100 commands are
// unanswered.
func TestManyRecipients(t *testing.T) {
	const n = 1000
	cfg := serve(t, func(p *peer) {
		p.hello("PIPELINING")
		p.want("MAIL")
		p.say("250 ok\n")
		for i := range n {
			p.want("RCPT")
			if i%10 == 9 {
				p.say("550 5.1.1 " + strings.Repeat("no ", 300) + "\n")
			} else {
				p.say("250 2.1.5 " + strings.Repeat("yes ", 300) + "\n")
			}
		}
		p.want("DATA")
		p.say("354 go\n")
		p.data()
		p.say("250 ok\n")
		p.quit()
	})
	tx := letter(t, 1)
	for range n - 1 {
		tx.To = append(tx.To, tx.To[0])
	}
	most := 0
	var s *Session
	cfg.Trace = func(e Event) {
		if e.Kind == EventCommand && s != nil {
			s.mu.Lock()
			most = max(most, len(s.q))
			s.mu.Unlock()
		}
	}
	s = dial(t, cfg)
	r := s.Send(t.Context(), tx)
	for i, o := range r.Outcomes {
		if want := map[bool]Status{true: Permanent, false: Accepted}[i%10 == 9]; o.Status != want {
			t.Fatalf("%d: %+v", i, o)
		}
	}
	if most < maxPending/2 || most > maxPending {
		t.Errorf("%d commands in flight", most)
	}
}

func TestNoPipeliningSetting(t *testing.T) {
	cfg := serve(t, func(p *peer) {
		p.hello("PIPELINING", "CHUNKING")
		for _, c := range []string{"MAIL", "RCPT", "RCPT", "DATA"} {
			p.want(c)
			p.silent()
			p.say(map[string]string{"DATA": "354 go\n"}[c])
			if c != "DATA" {
				p.say("250 ok\n")
			}
		}
		p.data()
		p.silent()
		p.say("250 ok\n")
		p.letter()
		p.quit()
	})
	cfg.NoPipelining, cfg.Overlap = true, true
	s := dial(t, cfg)
	q := newQueue(letter(t, 1, "a@x.org", "b@x.org"), letter(t, 2))
	if err := s.Run(t.Context(), q); err != nil {
		t.Error(err)
	}
	q.check(t, Accepted, Accepted)
}

// In lockstep nothing follows a command before its reply, RSET included; nothing follows a MAIL or the last RCPT
// that was refused.
func TestLockstepRefusals(t *testing.T) {
	s := dial(t, serve(t, func(p *peer) {
		p.hello("8BITMIME")
		p.want("MAIL")
		p.silent()
		p.say("450 later\n")
		p.want("MAIL")
		p.say("250 ok\n")
		p.want("RCPT")
		p.silent()
		p.say("550 no\n")
		p.want("RSET")
		p.silent()
		p.say("250 ok\n")
		p.letter()
		p.want("MAIL")
		p.say("250 ok\n")
		p.want("RCPT")
		p.say("250 ok\n")
		p.want("DATA")
		p.silent()
		p.say("451 not now\n")
		p.want("RSET")
		p.say("250 ok\n")
		p.letter()
		p.quit()
	}))
	q := newQueue(letter(t, 1), letter(t, 2), letter(t, 3), letter(t, 4), letter(t, 5))
	if err := s.Run(t.Context(), q); err != nil {
		t.Error(err)
	}
	q.check(t, Temporary, Permanent, Accepted, Temporary, Accepted)
}

// Two round trips a letter: the envelope is one write and the body another.
func TestEnvelopeIsOneWrite(t *testing.T) {
	var cc *countingConn
	cfg := serve(t, func(p *peer) { p.hello("PIPELINING"); p.letter(); p.quit() })
	d := to(cfg)
	cfg.Dial = wrapDial(d, &cc)
	s := dial(t, cfg)
	before := len(cc.writes)
	_ = s.Send(t.Context(), letter(t, 1))
	got := cc.writes[before:]
	if len(got) != 2 || strings.Count(got[0], "\r\n") != 3 || !strings.HasSuffix(got[0], "DATA\r\n") || !strings.HasSuffix(got[1], "\r\n.\r\n") {
		t.Errorf("%q", got)
	}
}

func mustAddr(s string) Address {
	a, err := ParseAddress(s)
	if err != nil {
		panic(err)
	}
	return a
}

func noBody(io.Writer) error { return nil }

// An empty letter is an empty letter.
func TestEmptyBody(t *testing.T) {
	for _, body := range []func(io.Writer) error{nil, noBody} {
		s := dial(t, serve(t, func(p *peer) {
			p.hello()
			p.letter()
			if p.body != "" {
				p.t.Errorf("server: %q", p.body)
			}
			p.quit()
		}))
		tx := letter(t, 1)
		tx.Body = body
		if r := s.Send(t.Context(), tx); r.Outcomes[0].Status != Accepted || r.Size != 0 {
			t.Errorf("%+v", r)
		}
	}
}

// TestReadyLeavesInOneWrite: where nothing has to be waited for, body, terminator and the next envelope leave together.
func TestReadyLeavesInOneWrite(t *testing.T) {
	for _, ready := range []bool{true, false} {
		cfg := serve(t, func(p *peer) {
			p.hello("PIPELINING")
			envelope(p)
			p.say("250 ok\n250 ok\n354 go\n")
			p.data()
			p.say("250 taken\n")
			envelope(p)
			p.say("250 ok\n250 ok\n354 go\n")
			p.data()
			p.say("250 taken\n")
			p.quit()
		})
		cfg.Overlap = true
		var cc *countingConn
		cfg.Dial = wrapDial(to(cfg), &cc)
		first, second := letter(t, 1), letter(t, 2)
		first.BeforeDot, first.Ready = func() error { return nil }, func() bool { return ready }
		s := dial(t, cfg)
		q := newQueue(first, second)
		if err := s.Run(t.Context(), q); err != nil && !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		q.check(t, Accepted, Accepted)
		together := false
		for _, b := range cc.writes {
			together = together || strings.Contains(b, "\r\n.\r\nMAIL FROM") && strings.Contains(b, "Subject")
		}
		if together != ready {
			t.Errorf("ready %v: %q", ready, cc.writes)
		}
		_ = s.Close()
	}
}
