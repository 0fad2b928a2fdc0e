package mailserver

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/smtp"
	"net/textproto"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"hongyan/e2e/proc"
)

// dial is net/smtp's client, so that this test does not depend on the one that the server is for.
func dial(t *testing.T, s *Server, port int) *smtp.Client {
	t.Helper()
	conn, err := net.DialTimeout("tcp", net.JoinHostPort(s.Host, strconv.Itoa(port)), 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	cfg := &tls.Config{RootCAs: s.Cert.Pool(), ServerName: s.Host, MinVersion: tls.VersionTLS12}
	if port == s.SMTPS {
		conn = tls.Client(conn, cfg)
	}
	c, err := smtp.NewClient(conn, s.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if port == s.Submission {
		if err := c.StartTLS(cfg); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func TestALetterGoesInOnBothPortsAndCanBeRead(t *testing.T) {
	s, err := Start(Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(s.Log())
		}
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	t.Log(s.Versions)
	for _, port := range []int{s.Submission, s.SMTPS} {
		c := dial(t, s, port)
		if err := c.Auth(smtp.PlainAuth("", User, Password, s.Host)); err != nil {
			t.Fatal(err)
		}
		if err := c.Mail(User); err != nil {
			t.Fatal(err)
		}
		for rcpt, taken := range map[string]bool{"somebody@example.com": true, "unknown-1@example.com": false, "other@strict.test": false} {
			err := c.Rcpt(rcpt)
			if refused, ok := errors.AsType[*textproto.Error](err); taken != (err == nil) || !taken && (!ok || refused.Code != 550 || !strings.HasPrefix(refused.Msg, "5.1.1 ")) {
				t.Errorf("%s: %v", rcpt, err)
			}
		}
		w, err := c.Data()
		if err != nil {
			t.Fatal(err)
		}
		_, err = fmt.Fprintf(w, "Subject: port %d\r\n\r\n.a dot first\r\n", port)
		if err := errors.Join(err, w.Close(), c.Quit()); err != nil {
			t.Fatal(err)
		}
	}
	letters, err := s.Await(2, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	overIMAP, err := s.IMAP()
	if err != nil {
		t.Fatal(err)
	}
	if len(overIMAP) != 2 {
		t.Errorf("%d letters over IMAP", len(overIMAP))
	}
	want := map[string]bool{"Subject: port " + strconv.Itoa(s.Submission): true, "Subject: port " + strconv.Itoa(s.SMTPS): true}
	for _, all := range [][]Letter{letters, overIMAP} {
		for _, l := range all {
			head, body, _ := strings.Cut(string(l.Raw), "\r\n\r\n")
			if !want[head[strings.Index(head, "Subject:"):]] || body != ".a dot first\r\n" || l.To != "somebody@example.com" || l.From != User {
				t.Errorf("got %+v\n%s", l, l.Raw)
			}
		}
	}
}

// TestMain plays the process that dies when it is asked to.
func TestMain(m *testing.M) {
	if os.Getenv("MAILSERVER_DIES") == "" {
		os.Exit(m.Run())
	}
	s, err := Start(Options{})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(s.dir, s.pids[0], s.pids[1])
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
}

func TestNothingOutlivesTheProcessThatStartedIt(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), "MAILSERVER_DIES=yes")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("it was to be killed: %v, %s", err, line)
	}
	var dir string
	var pids [2]int
	if _, err := fmt.Sscan(line, &dir, &pids[0], &pids[1]); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	gone := func() bool {
		_, err := os.Stat(dir)
		return errors.Is(err, os.ErrNotExist) && !proc.Alive(pids[0]) && !proc.Alive(pids[1])
	}
	for deadline := time.Now().Add(15 * time.Second); !gone(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s or the groups %v are still there", dir, pids)
		}
	}
}
