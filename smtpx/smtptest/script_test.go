package smtptest

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// recorder is a TB that keeps failures instead of failing.
type recorder struct {
	mu       sync.Mutex
	failures []string
	cleanups []func()
}

func (*recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }

func (r *recorder) end() string {
	for _, f := range r.cleanups {
		f()
	}
	return strings.Join(r.failures, "\n")
}

func dialScript(t *testing.T, s *ScriptServer) net.Conn {
	t.Helper()
	c, err := s.Dial(context.Background(), "tcp", "ignored.example:25")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	return c
}

func TestScriptPlaysADialogue(t *testing.T) {
	cert, err := NewCertificate()
	if err != nil {
		t.Fatal(err)
	}
	dialogue := []Step{
		SendSplit("220 hello\r\n", 1, 0),
		Expect("EHLO *"),
		Send("250-x\r\n250 STARTTLS\r\n"),
		Expect("STARTTLS"),
		Send("220 go\r\n"),
		UpgradeTLS(cert),
		Expect("MAIL FROM:<*@b>*"),
		Send("354 go\r\n"),
		ExpectBody(func(body []byte) error {
			if string(body) != "a\r\n..b\n.\r\n" {
				return fmt.Errorf("body %q", body)
			}
			return nil
		}),
		ExpectOctets(3, func(p []byte) error {
			if string(p) != "xyz" {
				return fmt.Errorf("octets %q", p)
			}
			return nil
		}),
		ExpectEOF(),
	}
	for name, start := range map[string]func(TB, ...Step) *ScriptServer{"tcp": Script, "pipe": Pipe} {
		t.Run(name, func(t *testing.T) {
			s := start(t, dialogue...)
			c := dialScript(t, s)
			br := bufio.NewReader(c)
			want := func(want string) {
				t.Helper()
				if got, err := br.ReadString('\n'); got != want {
					t.Fatalf("got %q, %v, want %q", got, err, want)
				}
			}
			want("220 hello\r\n")
			fmt.Fprint(c, "EHLO me\r\n")
			want("250-x\r\n")
			want("250 STARTTLS\r\n")
			fmt.Fprint(c, "STARTTLS\r\n")
			want("220 go\r\n")
			tc := tls.Client(c, &tls.Config{RootCAs: cert.Pool(), ServerName: "localhost", MinVersion: tls.VersionTLS12})
			fmt.Fprint(tc, "MAIL FROM:<a@b> SIZE=1\r\n")
			br.Reset(tc)
			want("354 go\r\n")
			fmt.Fprint(tc, "a\r\n..b\n.\r\n.\r\nxyz")
			_ = tc.Close()
			if err := s.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestScriptTellsWhatWentWrong(t *testing.T) {
	for name, c := range map[string]struct {
		steps []Step
		write string
		want  []string
	}{
		"other command":  {[]Step{Send("220 x\r\n"), Expect("EHLO *")}, "HELO me\r\n", []string{"step 3 of 3", "expect EHLO", `"HELO me"`, `S: "220 x`}},
		"bare LF":        {[]Step{Send("220 x\r\n"), Expect("QUIT")}, "QUIT\n", []string{"not ended by CRLF"}},
		"hung up early":  {[]Step{Send("220 x\r\n"), Expect("QUIT")}, "", []string{"EOF"}},
		"spoke too much": {[]Step{Send("220 x\r\n"), ExpectEOF()}, "RSET\r\n", []string{"RSET"}},
		"bad body":       {[]Step{Send("220 x\r\n"), ExpectBody(func([]byte) error { return errors.New("odd body") })}, ".\r\n", []string{"odd body"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := &recorder{}
			s := Script(r, c.steps...)
			conn := dialScript(t, s)
			if _, err := bufio.NewReader(conn).ReadString('\n'); err != nil {
				t.Fatal(err)
			}
			fmt.Fprint(conn, c.write)
			_ = conn.(*net.TCPConn).CloseWrite()
			_ = s.Wait()
			failures := r.end()
			for _, want := range c.want {
				if !strings.Contains(failures, want) {
					t.Errorf("failure %q does not have %q", failures, want)
				}
			}
		})
	}
}

func TestScriptThatNobodyVisitsFails(t *testing.T) {
	r := &recorder{}
	Script(r, Send("220 x\r\n"))
	if r.end() == "" {
		t.Error("no failure")
	}
}

func TestScriptStallAndSwallowEndWithTheTest(t *testing.T) {
	for name, step := range map[string]Step{"stall": Stall(), "swallow": Swallow()} {
		t.Run(name, func(t *testing.T) {
			r := &recorder{}
			s := Script(r, Send("220 x\r\n"), step)
			conn := dialScript(t, s)
			if _, err := bufio.NewReader(conn).ReadString('\n'); err != nil {
				t.Fatal(err)
			}
			if failures := r.end(); failures != "" {
				t.Error(failures)
			}
			if _, err := io.ReadAll(conn); err != nil && !errors.Is(err, net.ErrClosed) {
				t.Errorf("after the end: %v", err)
			}
		})
	}
}

func TestScriptTakesSeveralConnections(t *testing.T) {
	s := Script(t, Expect("HELLO"), Reset(), Accept(), Send("2\r\n"), Hangup())
	c := dialScript(t, s)
	fmt.Fprint(c, "HELLO\r\n")
	if got, err := io.ReadAll(c); err == nil {
		t.Errorf("first connection: %q and an end in good order, want a reset", got)
	}
	if got, err := io.ReadAll(dialScript(t, s)); err != nil || string(got) != "2\r\n" {
		t.Errorf("second connection: %q, %v", got, err)
	}
}

func TestGlob(t *testing.T) {
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{
		{"QUIT", "QUIT", true}, {"QUIT", "QUIT ", false}, {"*", "", true}, {"a*b*c", "axxbyyc", true},
		{"a*b*c", "acb", false}, {"a*a", "a", false}, {"EHLO *", "EHLO x", true}, {"*x", "yx", true},
	} {
		if got := glob(c.pattern, c.s); got != c.want {
			t.Errorf("glob(%q, %q) = %v", c.pattern, c.s, got)
		}
	}
}

func TestFailTLSSeesARefusal(t *testing.T) {
	cert, err := NewCertificate()
	if err != nil {
		t.Fatal(err)
	}
	s := Script(t, FailTLS(cert.Config()))
	c := tls.Client(dialScript(t, s), &tls.Config{ServerName: "localhost", MinVersion: tls.VersionTLS12})
	if err := c.Handshake(); err == nil {
		t.Error("a stranger's certificate was believed")
	}
}
