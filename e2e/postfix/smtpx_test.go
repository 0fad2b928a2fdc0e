package postfix

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hongyan/e2e/mailserver"
	"hongyan/smtpx"
)

// within bounds each wait for the mailbox; a loaded machine needs a while.
const within = 30 * time.Second

// config reaches one of the two ports, logged in.
func config(tls smtpx.TLSMode) *smtpx.Config {
	cfg := &smtpx.Config{Host: server.Host, Port: server.SMTPS, TLS: tls, RootCAs: server.Cert.Pool(),
		Auth: &smtpx.Auth{User: mailserver.User, Secret: mailserver.Password}}
	if tls == smtpx.TLSStart {
		cfg.Port = server.Submission
	}
	return cfg
}

func dial(t *testing.T, cfg *smtpx.Config) *smtpx.Session {
	t.Helper()
	s, err := smtpx.Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func address(t *testing.T, s string) smtpx.Address {
	t.Helper()
	a, err := smtpx.ParseAddress(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func transaction(t *testing.T, body string, to ...string) *smtpx.Transaction {
	t.Helper()
	tx := &smtpx.Transaction{From: address(t, mailserver.User), Size: int64(len(body)), EightBit: true,
		Body: func(w io.Writer) error { _, err := io.WriteString(w, body); return err }}
	for _, a := range to {
		tx.To = append(tx.To, address(t, a))
	}
	return tx
}

// queue hands out transactions as fast as they are asked for.
type queue struct{ left []*smtpx.Transaction }

func (q *queue) Next(context.Context, bool) (*smtpx.Transaction, error) {
	if len(q.left) == 0 {
		return nil, io.EOF
	}
	t := q.left[0]
	q.left = q.left[1:]
	return t, nil
}

// bodies are letters whose shape has broken a client before.
func bodies() []string {
	head := func(n int) string {
		return "From: " + mailserver.User + "\r\nSubject: letter " + strconv.Itoa(n) + "\r\nMIME-Version: 1.0\r\n" +
			"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
	}
	var all []string
	for _, b := range []string{
		"one line\r\n",
		"",
		".\r\n",
		"..\r\n.two\r\n...\r\n",
		"a line\r\n.\r\nQUIT\r\n.\r\n",
		"\r\n\r\n\r\n",
		"鸿雁传书，见字如面。\r\n",
		strings.Repeat("x", 998) + "\r\n",
		"." + strings.Repeat("y", 997) + "\r\n",
		strings.Repeat("云中谁寄锦书来，雁字回时，月满西楼。\r\n", 4000),
		strings.Repeat(".\r\n", 20000),
		strings.Repeat("z", 32<<10-1)[:900] + "\r\n.end",
	} {
		all = append(all, head(len(all))+b)
	}
	return all
}

func TestWhatPostfixOffers(t *testing.T) {
	for _, tls := range []smtpx.TLSMode{smtpx.TLSStart, smtpx.TLSImplicit} {
		s := dial(t, config(tls))
		for _, name := range []string{"PIPELINING", "8BITMIME", "DSN", "CHUNKING", "ENHANCEDSTATUSCODES", "AUTH"} {
			if _, ok := s.Extension(name); !ok {
				t.Errorf("%v: no %s", tls, name)
			}
		}
		if size, _ := s.Extension("SIZE"); size != strconv.FormatInt(server.MaxSize, 10) {
			t.Errorf("SIZE %s", size)
		}
		if s.TLS() == nil || !s.TLS().HandshakeComplete {
			t.Error("no TLS")
		}
	}
}

// Each way of sending brings each shape of letter, and the mailbox holds exactly what was sent.
func TestLettersArriveOctetByOctet(t *testing.T) {
	for name, change := range map[string]func(*smtpx.Config){
		"lockstep":       func(c *smtpx.Config) { c.NoPipelining = true },
		"pipelining":     func(*smtpx.Config) {},
		"overlap":        func(c *smtpx.Config) { c.Overlap = true },
		"chunking":       func(c *smtpx.Config) { c.ChunkWindow = 1 },
		"chunking by 16": func(c *smtpx.Config) { c.ChunkWindow = 16 },
		"relay":          func(c *smtpx.Config) { c.Overlap, c.ChunkWindow = true, 1 },
	} {
		for tls, port := range map[smtpx.TLSMode]string{smtpx.TLSStart: "STARTTLS", smtpx.TLSImplicit: "TLS"} {
			t.Run(name+" "+port, func(t *testing.T) {
				fresh(t)
				cfg := config(tls)
				change(cfg)
				want := map[string]string{}
				q := &queue{}
				done := 0
				for i, body := range bodies() {
					to := fmt.Sprintf("reader%d@example.com", i)
					if want[to] = body; !strings.HasSuffix(body, "\r\n") {
						want[to] += "\r\n" // the last line of a letter has an end
					}
					tx := transaction(t, body, to)
					tx.Done = func(r smtpx.Result) {
						done++
						if o := r.Outcomes[0]; o.Status != smtpx.Accepted || o.Reply.Code != 250 {
							t.Errorf("%s: %+v", to, o)
						}
					}
					q.left = append(q.left, tx)
				}
				s := dial(t, cfg)
				if err := s.Run(t.Context(), q); err != nil {
					t.Fatal(err)
				}
				if done != len(want) {
					t.Errorf("%d results for %d letters", done, len(want))
				}
				if s.ChunkingFailed() {
					t.Error("BDAT was refused")
				}
				same(t, want)
			})
		}
	}
}

// same compares the mailbox with what was sent to whom: one letter each, read from its files and over IMAP.
func same(t *testing.T, want map[string]string) {
	t.Helper()
	files, err := server.Await(len(want), within)
	if err != nil {
		t.Fatal(err)
	}
	imap, err := server.IMAP()
	if err != nil {
		t.Fatal(err)
	}
	for how, letters := range map[string][]mailserver.Letter{"Maildir": files, "IMAP": imap} {
		got := map[string]string{}
		for _, l := range letters {
			if _, twice := got[l.To]; twice {
				t.Errorf("%s: %s got two letters", how, l.To)
			}
			got[l.To] = string(l.Raw)
			if l.From != mailserver.User {
				t.Errorf("%s: %s got it from %s", how, l.To, l.From)
			}
		}
		for to := range want {
			if want[to] != got[to] {
				t.Errorf("%s: %s got another letter (-sent +read):\n%.2000s", how, to, cmp.Diff(want[to], got[to]))
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s: %d recipients of %d", how, len(got), len(want))
		}
	}
}

func TestSomeRecipientsAreRefused(t *testing.T) {
	for name, change := range map[string]func(*smtpx.Config){"lockstep": func(c *smtpx.Config) { c.NoPipelining = true }, "pipelining": func(*smtpx.Config) {}, "chunking": func(c *smtpx.Config) { c.ChunkWindow = 1 }} {
		t.Run(name, func(t *testing.T) {
			fresh(t)
			cfg := config(smtpx.TLSStart)
			change(cfg)
			s := dial(t, cfg)
			body := bodies()[0]
			r := s.Send(t.Context(), transaction(t, body, "unknown-1@example.com", "known@strict.test", "other@strict.test"))
			for i, o := range r.Outcomes {
				if i == 1 && o.Status != smtpx.Accepted {
					t.Errorf("the known one: %+v", o)
				}
				if i != 1 && (o.Status != smtpx.Permanent || o.Phase != smtpx.PhaseRcpt || o.Reply == nil || o.Reply.Code != 550 || o.Reply.Enhanced != "5.1.1") {
					t.Errorf("recipient %d: %+v", i, o)
				}
			}
			// Nobody is left: the session goes on all the same.
			r = s.Send(t.Context(), transaction(t, body, "unknown-2@example.com"))
			if o := r.Outcomes[0]; o.Status != smtpx.Permanent || o.Reply.Code != 550 {
				t.Errorf("%+v", o)
			}
			r = s.Send(t.Context(), transaction(t, body, "last@example.com"))
			if o := r.Outcomes[0]; o.Status != smtpx.Accepted {
				t.Errorf("%+v", o)
			}
			same(t, map[string]string{"known@strict.test": body, "last@example.com": body})
		})
	}
}

func TestALetterIsTooBig(t *testing.T) {
	fresh(t)
	for name, window := range map[string]int{"DATA": 0, "BDAT": 1} {
		t.Run(name, func(t *testing.T) {
			cfg := config(smtpx.TLSImplicit)
			cfg.ChunkWindow = window
			body := "Subject: big\r\n\r\n" + strings.Repeat(strings.Repeat("b", 98)+"\r\n", int(server.MaxSize/100)+1000)
			s := dial(t, cfg)
			// A size that is known is refused before a word is said.
			r := s.Send(t.Context(), transaction(t, body, "big@example.com"))
			if o := r.Outcomes[0]; o.Status == smtpx.Accepted || !errors.Is(o.Err, smtpx.ErrTooBig) {
				t.Errorf("declared: %+v", o)
			}
			tx := transaction(t, body, "big@example.com")
			tx.Size = 0
			r = s.Send(t.Context(), tx)
			if o := r.Outcomes[0]; o.Status != smtpx.Permanent || o.Reply == nil || o.Reply.Code != 552 || o.Reply.Enhanced != "5.3.4" {
				t.Errorf("not declared: %+v", o)
			}
		})
	}
	same(t, nil)
}

func TestLogins(t *testing.T) {
	offered, _ := dial(t, config(smtpx.TLSStart)).Extension("AUTH")
	for _, m := range []string{"PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"} {
		if !strings.Contains(" "+offered+" ", " "+m+" ") {
			t.Errorf("%s is not offered: %s", m, offered)
			continue
		}
		for _, tls := range []smtpx.TLSMode{smtpx.TLSStart, smtpx.TLSImplicit} {
			t.Run(m, func(t *testing.T) {
				var seen strings.Builder
				cfg := config(tls)
				cfg.Auth.Mechanisms = []string{m}
				cfg.Trace = func(e smtpx.Event) { seen.WriteString(e.Text + "\n") }
				_ = dial(t, cfg).Close()
				if !strings.Contains(seen.String(), "AUTH "+m) {
					t.Errorf("another mechanism was used:\n%s", seen.String())
				}
				cfg.Auth.Secret = "not the password"
				_, err := smtpx.Dial(t.Context(), cfg)
				e, ok := errors.AsType[*smtpx.Error](err)
				if !ok || e.Phase != smtpx.PhaseAuth || e.Reply == nil || e.Reply.Code != 535 {
					t.Errorf("wrong password: %v", err)
				}
				for _, secret := range []string{mailserver.Password, "not the password"} {
					if strings.Contains(seen.String(), secret) {
						t.Errorf("%q is in the trace", secret)
					}
				}
			})
		}
	}
}

func TestNoLoginWithoutTLSAndNoTLSWithoutTrust(t *testing.T) {
	cfg := config(smtpx.TLSStart)
	cfg.TLS = smtpx.TLSNone
	if _, err := smtpx.Dial(t.Context(), cfg); !errors.Is(err, smtpx.ErrNoAuth) {
		t.Errorf("without TLS: %v", err)
	}
	for _, tls := range []smtpx.TLSMode{smtpx.TLSStart, smtpx.TLSImplicit} {
		cfg := config(tls)
		cfg.RootCAs = nil
		_, err := smtpx.Dial(t.Context(), cfg)
		if e, ok := errors.AsType[*smtpx.Error](err); !ok || e.Phase != smtpx.PhaseTLS {
			t.Errorf("an authority that nobody knows: %v", err)
		}
		cfg.Fingerprint = server.Cert.Fingerprint[:]
		_ = dial(t, cfg).Close()
		cfg.Fingerprint = bytes.Repeat([]byte{7}, 32)
		if _, err := smtpx.Dial(t.Context(), cfg); !errors.Is(err, smtpx.ErrFingerprint) {
			t.Errorf("another fingerprint: %v", err)
		}
	}
}

// Postfix tells the sender that a letter arrived when DSN asks for it, and quotes what was sent.
func TestANoticeOfDeliveryIsAskedFor(t *testing.T) {
	fresh(t)
	tx := transaction(t, bodies()[0], "reader@example.com")
	tx.Notify, tx.Return, tx.EnvelopeID = "SUCCESS,FAILURE", "HDRS", "campaign+7=x y"
	if r := dial(t, config(smtpx.TLSStart)).Send(t.Context(), tx); r.Outcomes[0].Status != smtpx.Accepted {
		t.Fatalf("%+v", r.Outcomes[0])
	}
	letters, err := server.Await(2, within)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range letters {
		if l.To != mailserver.User {
			continue
		}
		text := string(l.Raw)
		for _, want := range []string{"Original-Envelope-Id: campaign+7=x y", "Original-Recipient: rfc822;reader@example.com", "Action: delivered", "Status: 2.0.0"} {
			if !strings.Contains(text, want) {
				t.Errorf("the notice has no %q:\n%s", want, text)
			}
		}
		return
	}
	t.Error("no notice came")
}
