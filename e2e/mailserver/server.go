package mailserver

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"hongyan/e2e/proc"
	"hongyan/smtpx/smtptest"
)

// Options are how the server is to be; the zero value is the usual one.
type Options struct {
	MaxSize    int64    // octets of a letter; default 1 MiB
	Mechanisms []string // of AUTH; default: all that this Dovecot knows of PLAIN, LOGIN, CRAM-MD5 and SCRAM-SHA-256
}

// The one who may log in, and whose mailbox holds every letter.
const (
	User     = "sender@hongyan.test"
	Password = "correct horse, 电池"
)

// Server is a Postfix and a Dovecot that run.
type Server struct {
	Host       string // of all ports, and a name in the certificate
	Submission int    // STARTTLS and AUTH
	SMTPS      int    // implicit TLS and AUTH
	IMAPS      int    // implicit TLS
	Cert       *smtptest.Certificate
	CAFile     string // the authority's certificate, PEM
	MaxSize    int64
	Versions   string // of both programs, for the log

	dir  string
	set  *proc.Set
	pids [2]int // Dovecot's and Postfix's
}

// startTries is how often other free ports are tried: between finding one and listening on it another program may
// take it.
const startTries = 3

// Start runs both programs and returns once each port answers. The error says in one sentence what is missing.
func Start(o Options) (*Server, error) {
	inst, err := find()
	if err != nil {
		return nil, err
	}
	if o.MaxSize == 0 {
		o.MaxSize = 1 << 20
	}
	if len(o.Mechanisms) == 0 {
		o.Mechanisms = []string{"plain", "login", "cram-md5", "scram-sha-256"}
	}
	cert, err := smtptest.NewCertificate("localhost", "127.0.0.1")
	if err != nil {
		return nil, err
	}
	for try := 1; ; try++ {
		s := &Server{Host: "127.0.0.1", Cert: cert, MaxSize: o.MaxSize, Versions: "Postfix " + inst.postfixVersion + ", Dovecot " + inst.dovecotVersion}
		if err = s.start(inst, o); err == nil {
			return s, nil
		}
		err = fmt.Errorf("%s did not start: %w\n%s", s.Versions, err, s.Log())
		_ = s.Stop()
		if try == startTries {
			return nil, err
		}
	}
}

func (s *Server) start(inst *installation, o Options) error {
	if err := s.folders(inst); err != nil {
		return err
	}
	var err error
	if s.set, err = proc.NewSet(s.dir); err != nil {
		return err
	}
	ports, err := freePorts(3)
	if err != nil {
		return err
	}
	s.Submission, s.SMTPS, s.IMAPS = ports[0], ports[1], ports[2]
	if err := s.configure(inst, o); err != nil {
		return err
	}
	dovecot, err := s.run(inst.dovecot, "-F", "-c", filepath.Join(s.dir, "dovecot", "dovecot.conf"))
	if err != nil {
		return err
	}
	// smtpd asks Dovecot what it offers before it greets, so the socket has to be there first.
	if err := s.await(dovecot, func() error {
		_, err := os.Stat(filepath.Join(s.dir, "queue", "private", "auth"))
		return err
	}); err != nil {
		return err
	}
	postfix, err := s.run(filepath.Join(inst.daemonDir, "master"), "-c", filepath.Join(s.dir, "postfix"), "-s")
	if err != nil {
		return err
	}
	s.pids = [2]int{dovecot.PID(), postfix.PID()}
	for _, greeting := range []struct {
		p    *proc.Process
		port int
		tls  bool
		want string
	}{{postfix, s.Submission, false, "220 "}, {postfix, s.SMTPS, true, "220 "}, {dovecot, s.IMAPS, true, "* OK "}} {
		if err := s.await(greeting.p, func() error { return s.greets(greeting.port, greeting.tls, greeting.want) }); err != nil {
			return err
		}
	}
	return nil
}

// startWithin is how long a program may take to be ready; a slow machine needs a second or two.
const startWithin = 30 * time.Second

// await asks until ready says yes, the program is gone or the time is up.
func (s *Server) await(p *proc.Process, ready func() error) error {
	ctx, cancel := context.WithTimeout(context.Background(), startWithin)
	defer cancel()
	for {
		err := ready()
		if err == nil {
			return nil
		}
		select {
		case <-p.Done:
			return fmt.Errorf("%s ended at once: %w", p.Name, cmp.Or(p.Err, errors.New("exit status 0")))
		case <-ctx.Done():
			return fmt.Errorf("%s was not ready within %v: %w", p.Name, startWithin, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// greets connects and reads the first line.
func (s *Server) greets(port int, implicit bool, want string) error {
	c, err := net.DialTimeout("tcp", net.JoinHostPort(s.Host, itoa(port)), time.Second)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if implicit {
		c = tls.Client(c, &tls.Config{RootCAs: s.Cert.Pool(), ServerName: s.Host, MinVersion: tls.VersionTLS12})
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	if err == nil && !strings.HasPrefix(line, want) {
		err = fmt.Errorf("port %d greeted with %q", port, line)
	}
	return err
}

// run starts a program with a clean environment.
func (s *Server) run(path string, args ...string) (*proc.Process, error) {
	return s.set.Start([]string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"}, path, args...)
}

// Stop ends both programs and removes all that they left. It may be called twice.
func (s *Server) Stop() error {
	if s.set == nil {
		return os.RemoveAll(s.dir) // "" is nothing
	}
	err := s.set.Stop()
	s.set = nil
	return err
}

// Log is the end of what both programs logged, for a test that failed.
func (s *Server) Log() string {
	var b strings.Builder
	if s.set != nil {
		b.WriteString(s.set.Outputs())
	}
	for _, name := range []string{"mail.log", "dovecot.log"} {
		text, err := os.ReadFile(filepath.Join(s.dir, "log", name))
		if err != nil || len(text) == 0 {
			continue
		}
		if len(text) > 4<<10 {
			text = text[len(text)-4<<10:]
		}
		fmt.Fprintf(&b, "-- %s:\n%s", name, text)
	}
	return b.String()
}

// Maildir is the folder of the mailbox.
func (s *Server) Maildir() string { return filepath.Join(s.dir, "mail", "inbox") }

func freePorts(n int) ([]int, error) {
	var ports []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer func() { _ = l.Close() }() // only at the end, so that no port comes twice
		a, ok := l.Addr().(*net.TCPAddr)
		if !ok {
			return nil, fmt.Errorf("%v is not a TCP address", l.Addr())
		}
		ports = append(ports, a.Port)
	}
	return ports, nil
}
