package smtptest

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/smtp"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hongyan/smtpx"
)

func startServer(t *testing.T, o Options) *Server {
	t.Helper()
	s, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// raw is a client that writes octets and reads lines.
type raw struct {
	t *testing.T
	net.Conn
	r *bufio.Reader
}

// dialPlain connects to a server without TLS and says EHLO.
func dialPlain(t *testing.T, s *Server) *raw {
	t.Helper()
	c, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	r := &raw{t, c, bufio.NewReader(c)}
	r.want("220")
	r.send("EHLO me\r\n")
	for line := "250-"; strings.HasPrefix(line, "250-"); {
		line = r.line()
	}
	return r
}

func (r *raw) send(s string) {
	r.t.Helper()
	if _, err := io.WriteString(r, s); err != nil {
		r.t.Fatal(err)
	}
}

func (r *raw) line() string {
	r.t.Helper()
	line, err := r.r.ReadString('\n')
	if err != nil {
		r.t.Fatalf("reading a reply: %q, %v", line, err)
	}
	return line
}

// want reads one reply for each prefix.
func (r *raw) want(prefixes ...string) {
	r.t.Helper()
	for i, p := range prefixes {
		if line := r.line(); !strings.HasPrefix(line, p) {
			r.t.Fatalf("reply %d: got %q, want %q", i+1, line, p)
		}
	}
}

func (r *raw) wantEnd() {
	r.t.Helper()
	if line, err := r.r.ReadString('\n'); err == nil {
		r.t.Fatalf("got %q, want the connection to end", line)
	}
}

func TestPipelinedLettersAreKeptExactly(t *testing.T) {
	dir := t.TempDir()
	s := startServer(t, Options{TLS: smtpx.TLSNone, Dir: dir})
	r := dialPlain(t, s)
	r.send("MAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\nRCPT TO:<nobody>\r\nRCPT TO:<\"q > r\"@x.example> NOTIFY=NEVER\r\nDATA\r\n")
	r.want("250", "250", "501", "250", "354")
	// The next envelope behind the body, RFC 2920 §3.1.
	r.send("Subject: =?utf-8?B?5L2g5aW9?=\r\nMessage-ID:\r\n <1@x>\r\n\r\n..\r\n...a\r\nb.\r\n.\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\nDATA\r\n")
	r.want("250 2.0.0 Ok: kept as 1", "250", "250", "354")
	r.send(".\r\nQUIT\r\n")
	r.want("250 2.0.0 Ok: kept as 2", "221")
	r.wantEnd()

	letters, err := s.Letters(0, 10)
	if err != nil || len(letters) != 2 {
		t.Fatalf("letters: %v, %v", letters, err)
	}
	if older, err := s.Letters(1, 10); err != nil || len(older) != 1 || older[0].N != 1 {
		t.Errorf("letters from the second on: %v, %v", older, err)
	}
	first := letters[1]
	if first.Subject != "你好" || first.MessageID != "<1@x>" || fmt.Sprint(first.To) != `[b@x.example "q > r"@x.example]` {
		t.Errorf("first letter: %+v", first)
	}
	got, err := os.ReadFile(first.Path)
	if want := "Subject: =?utf-8?B?5L2g5aW9?=\r\nMessage-ID:\r\n <1@x>\r\n\r\n.\r\n..a\r\nb.\r\n"; err != nil || string(got) != want {
		t.Errorf("kept %q, %v, want %q", got, err, want)
	}
	counts, err := s.CountByRecipient()
	if err != nil || counts["b@x.example"] != 2 || len(counts) != 2 {
		t.Errorf("counts: %v, %v", counts, err)
	}
}

func TestChunks(t *testing.T) {
	s := startServer(t, Options{TLS: smtpx.TLSNone, Dir: t.TempDir(), MaxSize: 100})
	r := dialPlain(t, s)
	envelope := "MAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\n"
	r.send(envelope + "BDAT 4\r\n.\r\n\r" + "BDAT 5 LAST\r\n\n.a\r\n" + envelope + "BDAT 0 LAST\r\n")
	r.want("250", "250", "250 2.0.0 4", "250 2.0.0 Ok: kept as 1", "250", "250", "250 2.0.0 Ok: kept as 2")
	letters, err := s.Letters(1, 1)
	if err != nil || len(letters) != 1 {
		t.Fatalf("letters: %v, %v", letters, err)
	}
	if got, err := os.ReadFile(letters[0].Path); err != nil || string(got) != ".\r\n\r\n.a\r\n" {
		t.Errorf("kept %q, %v", got, err)
	}
	// The octets of refused chunks are not taken for commands.
	r.send("BDAT 6 LAST\r\nQUIT\r\n" + "RSET\r\n")
	r.want("503", "250")
	big := strings.Repeat("x", 99) + "\r\n"
	r.send(envelope + fmt.Sprintf("BDAT %d\r\n%sBDAT 6 LAST\r\nQUIT\r\nRSET\r\nNOOP\r\n", len(big), big))
	r.want("250", "250", "552", "503", "250", "250")
	if n := s.Count(); n != 2 {
		t.Errorf("%d letters, want 2", n)
	}
}

func TestBadLettersAreRefusedAndTheSessionGoesOn(t *testing.T) {
	s := startServer(t, Options{TLS: smtpx.TLSNone, Dir: t.TempDir(), MaxSize: 4000})
	r := dialPlain(t, s)
	for name, c := range map[string]struct{ body, want string }{
		"LF.LF":     {"a\n.\nb\r\n", "550"},
		"LF.CRLF":   {"a\n.\r\nb\r\n", "550"},
		"CRLF.LF":   {"a\r\n.\nb\r\n", "550"},
		"CR.CR":     {"a\r.\rb\r\n", "550"},
		"CRCRLF":    {"a\r\r\n", "550"},
		"NUL":       {"a\x00\r\n", "550"},
		"8-bit":     {"\xe4\xbd\r\n", "554"},
		"long line": {strings.Repeat("x", 999) + "\r\n", "554"},
		"too large": {strings.Repeat(strings.Repeat("x", 70)+"\r\n", 60), "552"},
	} {
		r.send("MAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\nDATA\r\n")
		r.want("250", "250", "354")
		r.send(c.body + ".\r\n")
		if line := r.line(); !strings.HasPrefix(line, c.want) {
			t.Errorf("%s: got %q, want %s", name, line, c.want)
		}
	}
	r.send("MAIL FROM:<a@x.example> SIZE=4001\r\nMAIL FROM:<a@x.example> NONSENSE=1\r\nMAIL FROM:<a b@x>\r\nNOOP\n" + strings.Repeat("x", maxCommand) + "\r\nNOOP\r\n")
	r.want("552", "555", "501", "500", "500", "250")
	if left, err := filepath.Glob(filepath.Join(s.Dir(), "*.eml")); err != nil || len(left) != 0 || s.Count() != 0 {
		t.Errorf("kept %v, %v", left, err)
	}
	if left, err := filepath.Glob(filepath.Join(s.Dir(), ".incoming-*")); err != nil || len(left) != 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
}

func TestTLSAndLogin(t *testing.T) {
	for _, mode := range []smtpx.TLSMode{smtpx.TLSImplicit, smtpx.TLSStart} {
		s := startServer(t, Options{TLS: mode, RequireAuth: true, Password: "right"})
		for _, password := range []string{"wrong", "right"} {
			cfg := &tls.Config{RootCAs: s.Certificate().Pool(), ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}
			conn, err := net.Dial("tcp", s.Addr())
			if err != nil {
				t.Fatal(err)
			}
			if mode == smtpx.TLSImplicit {
				conn = tls.Client(conn, cfg)
			}
			c, err := smtp.NewClient(conn, "127.0.0.1")
			if err != nil {
				t.Fatal(err)
			}
			if mode == smtpx.TLSStart {
				if err := c.StartTLS(cfg); err != nil {
					t.Fatal(err)
				}
			}
			if err := c.Mail("a@x.example"); err == nil {
				t.Error("MAIL was taken without a login")
			}
			err = c.Auth(smtp.PlainAuth("", "me", password, "127.0.0.1"))
			if (err == nil) != (password == "right") {
				t.Errorf("login with the %s password: %v", password, err)
			}
			if err == nil {
				if err := c.Mail("a@x.example"); err != nil {
					t.Error(err)
				}
			}
			_ = c.Close()
		}
	}
}

func TestLoginMechanismWithoutInitialResponse(t *testing.T) {
	s := startServer(t, Options{TLS: smtpx.TLSNone, Password: "p"})
	r := dialPlain(t, s)
	r.send("AUTH LOGIN\r\n")
	r.want("334 VXNlcm5hbWU6")
	r.send("bWU=\r\n")
	r.want("334 UGFzc3dvcmQ6")
	r.send("cA==\r\n")
	r.want("235")
}

func TestLettersAreCountedAcrossARestart(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	for round := range 2 {
		s := startServer(t, Options{TLS: smtpx.TLSNone, Log: log})
		r := dialPlain(t, s)
		r.send("MAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\nDATA\r\n")
		r.want("250", "250", "354")
		r.send("\r\n.\r\n")
		r.want(fmt.Sprintf("250 2.0.0 Ok: kept as %d", round+1))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		// A server killed in the middle of a line had not said 250 for it.
		f, err := os.OpenFile(log, os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(f, `{"n":9,"to":["half`)
		_ = f.Close()
	}
	got := 0
	if err := ReadLog(log, func(l Letter) bool { got += len(l.To); return true }); err != nil || got != 2 {
		t.Errorf("the log has %d deliveries, %v; want 2", got, err)
	}
}

func TestCertificateIsKeptWithTheLetters(t *testing.T) {
	dir := t.TempDir()
	first := startServer(t, Options{Dir: dir})
	if again := startServer(t, Options{Dir: dir}); string(again.Fingerprint()) != string(first.Fingerprint()) {
		t.Error("the certificate changed")
	}
}

func TestOnlyLoopback(t *testing.T) {
	for _, addr := range []string{":0", "0.0.0.0:0", "192.0.2.1:0", "nonsense"} {
		if s, err := Start(Options{Addr: addr}); err == nil {
			t.Errorf("%s was taken", addr)
			_ = s.Close()
		}
	}
}

// TestPlainWhereAllowed: a practice server for people takes letters with STARTTLS and without.
func TestPlainWhereAllowed(t *testing.T) {
	s, err := Start(Options{TLS: smtpx.TLSStart, AllowPlain: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	r := bufio.NewReader(c)
	ask := func(line, want string) (all string) {
		t.Helper()
		if line != "" {
			fmt.Fprint(c, line+"\r\n")
		}
		for {
			l, err := r.ReadString('\n')
			if err != nil || !strings.HasPrefix(l, want) {
				t.Fatalf("%s: got %q, %v", line, l, err)
			}
			if all += l; l[3] == ' ' {
				return all
			}
		}
	}
	ask("", "220")
	if offers := ask("EHLO x", "250"); !strings.Contains(offers, "STARTTLS") || !strings.Contains(offers, "AUTH PLAIN LOGIN") {
		t.Errorf("offered %q", offers)
	}
	ask("AUTH PLAIN AGEAYg==", "235")
	ask("MAIL FROM:<a@example.org>", "250")
	ask("QUIT", "221")
}
