package smtpx

import (
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"testing"
)

// recorder keeps events.
type recorder struct {
	mu  sync.Mutex
	all []Event
}

func (r *recorder) add(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, e)
}

func (r *recorder) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var sb strings.Builder
	for _, e := range r.all {
		fmt.Fprintf(&sb, "%d %v %d %d %s\n", e.Kind, e.Phase, e.Code, e.Bytes, e.Text)
	}
	return sb.String()
}

func TestTrace(t *testing.T) {
	cfg := serve(t, func(p *peer) { p.hello("PIPELINING"); p.letter(); p.quit() })
	var rec recorder
	cfg.Trace, cfg.ConnID = rec.add, 7
	s := dial(t, cfg)
	_ = s.Send(t.Context(), letter(t, 42))
	_ = s.Close()
	got := rec.text()
	for _, want := range []string{"0 connect 0 0 127.0.0.1:", "3 greeting 220 0 test ESMTP\n", "2 ehlo 0 0 EHLO [127.0.0.1]\n",
		"3 ehlo 250 0 test greets you\nPIPELINING\nHELP\n", "2 mail 0 0 MAIL FROM:<me@example.com>\n", "2 rcpt 0 0 RCPT TO:<you@example.org>\n",
		"2 data 0 0 DATA\n", "3 data 354 0 go\n", "4 body 0 22 \n", "2 dot 0 0 .\n", "3 dot 250 0 2.0.0 queued as 1\n", "2 quit 0 0 QUIT\n", "3 quit 221 0 bye\n", "7 quit 0 0 \n"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	letters := 0
	for i, e := range rec.all {
		if e.Conn != 7 || e.Time.IsZero() || e.Letter != 0 && e.Letter != 42 || i > 0 && e.Kind == EventConnect {
			t.Errorf("%+v", e)
		}
		if e.Letter == 42 {
			letters++
		}
	}
	if letters != 9 {
		t.Errorf("%d events of the letter, want 9", letters)
	}
}

// The secret, in any alignment of base64, is nowhere in what the session shows, even when the server repeats it
// in every reply.
func TestSecretsAreNeverShown(t *testing.T) {
	const user, secret = "me@example.com", "s3cr3t-of-the-account"
	var forms []string
	for skip := range 3 {
		forms = append(forms, b64.EncodeToString([]byte("xx"[:skip]+secret)), base64.RawURLEncoding.EncodeToString([]byte("xx"[:skip]+secret+"tail")))
	}
	echo := "echo " + secret + " " + strings.Join(forms, " ")
	for _, mech := range []string{"PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2", "OAUTHBEARER", "SCRAM-SHA-256"} {
		for _, ok := range []bool{true, false} {
			t.Run(fmt.Sprint(mech, ok), func(t *testing.T) {
				cfg := serve(t, func(p *peer) {
					p.say("220-" + echo + "\n220 " + echo + "\n")
					p.want("EHLO ")
					p.say("250-" + echo + "\n")
					p.say("250-AUTH " + mech + "\n250 PIPELINING\n")
					var heard []string
					for {
						line, err := p.br.ReadString('\n')
						if err != nil {
							return
						}
						line = strings.TrimRight(line, "\r\n")
						heard = append(heard, line)
						if len(heard) == 1 && (mech == "LOGIN" || mech == "CRAM-MD5") {
							p.say("334 " + b64.EncodeToString([]byte("<1@x>")) + "\n")
							continue
						}
						if len(heard) == 2 && mech == "LOGIN" {
							p.say("334-" + line + "\n334 " + echo + "\n")
							continue
						}
						if !ok || mech == "SCRAM-SHA-256" {
							p.say("535-5.7.8 " + echo + "\n535 5.7.8 you said " + strings.Join(heard, " ") + "\n")
							return
						}
						break
					}
					p.say("235 " + echo + " " + strings.Join(heard, " ") + "\n")
					envelope(p)
					p.say("250 " + echo + "\n550 " + echo + "\n554 " + echo + "\n")
					p.want("QUIT")
					p.say("nonsense " + echo + "\n")
				})
				var rec recorder
				cfg.Trace = rec.add
				cfg.Auth = &Auth{User: user, Secret: secret}
				if mech == "XOAUTH2" || mech == "OAUTHBEARER" {
					cfg.Auth.Token = token(secret) // and Secret, since this server says it before it can know it
				}
				s, err := Dial(t.Context(), cfg)
				shown := fmt.Sprint(err)
				if err == nil {
					r := s.Send(t.Context(), letter(t, 1))
					shown += fmt.Sprintf("%v %v %+v %q", r, r.Outcomes[0].Err, r.Outcomes[0].Reply, r.Outcomes[0].Reply.Raw)
					_ = s.Close()
					shown += fmt.Sprint(s.Err())
				} else if ok && mech != "SCRAM-SHA-256" {
					t.Error(err)
				}
				shown += rec.text()
				for _, form := range append(forms, secret) {
					core := strings.TrimRight(form, "=")
					core = core[3 : len(core)-7] // whatever its neighbours, this much of it is the secret
					if i := strings.Index(shown, core); i >= 0 {
						t.Fatalf("%q of %q in %q", core, form, shown[max(0, i-60):min(len(shown), i+60)])
					}
				}
				if !strings.Contains(shown, mask) {
					t.Errorf("nothing was masked in\n%s", shown)
				}
			})
		}
	}
}

// Nothing is formatted when nobody listens.
func TestNoTraceNoWork(t *testing.T) {
	var tr tracer
	r := &Reply{Code: 250, Lines: []string{"ok"}}
	if n := testing.AllocsPerRun(100, func() {
		tr.command(PhaseMail, 1, []byte("MAIL"))
		tr.reply(PhaseMail, 1, r)
		tr.body(1, 2)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
