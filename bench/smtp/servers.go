package main

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"hongyan/smtpx/smtptest"
)

// child is a process that the benchmark started.
type child struct {
	cmd  *exec.Cmd
	port int
}

func (c *child) stop() {
	if c != nil && c.cmd.Process != nil {
		_ = c.cmd.Process.Kill()
		_ = c.cmd.Wait()
	}
}

// self starts this program in another role, which ends with our end of its standard input and prints its port.
func self(args ...string) (*child, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &child{cmd: exec.Command(exe, args...)} //#nosec G204 -- ourselves
	c.cmd.Stderr = os.Stderr
	if _, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	text, err := bufio.NewReader(out).ReadString('\n')
	if err == nil {
		c.port, err = strconv.Atoi(strings.TrimSpace(text))
	}
	if err != nil {
		c.stop()
		return nil, fmt.Errorf("%v: %w", args, err)
	}
	return c, nil
}

// sbin finds a program of Postfix, which is not always in PATH.
func sbin(name string) (string, error) {
	if p, err := exec.LookPath(name); err == nil {
		return p, nil
	}
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin", "/usr/libexec/postfix"} {
		if p := filepath.Join(dir, name); isProgram(p) {
			return p, nil
		}
	}
	return "", fmt.Errorf("%s is missing: it comes with the package postfix", name)
}

func isProgram(p string) bool {
	st, err := os.Stat(p)
	return err == nil && st.Mode()&0o111 != 0
}

func freePort() (int, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port, nil
}

// startSink starts Postfix's smtp-sink, which takes everything and keeps nothing.
func startSink() (*child, error) {
	prog, err := sbin("smtp-sink")
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	args := []string{addr, "1000"}
	if os.Getuid() == 0 {
		args = append([]string{"-u", "nobody"}, args...)
	}
	c := &child{exec.Command(prog, args...), port} //#nosec G204 -- found above
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	for range 100 {
		if conn, err := net.Dial("tcp", addr); err == nil {
			_, err = conn.Read(make([]byte, 1))
			_ = conn.Close()
			if err == nil {
				return c, nil
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	c.stop()
	return nil, errors.New("smtp-sink does not answer")
}

// runGoSMTP serves emersion/go-smtp's server, which offers CHUNKING; with a certificate file it speaks TLS from the
// start and wants a login.
func runGoSMTP(secure bool, caFile string) error {
	srv := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return nothing{}, nil }))
	srv.Domain, srv.AllowInsecureAuth, srv.ErrorLog = "localhost", true, log.New(io.Discard, "", 0)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	port := ln.Addr().(*net.TCPAddr).Port
	if secure {
		cert, err := smtptest.NewCertificate()
		if err != nil {
			return err
		}
		if err := os.WriteFile(caFile, cert.CAPEM, 0o600); err != nil {
			return err
		}
		ln = tls.NewListener(ln, cert.Config())
	}
	fmt.Println(port)
	go func() { _, _ = io.Copy(io.Discard, os.Stdin); os.Exit(0) }()
	return srv.Serve(ln)
}

// nothing is a mailbox without a bottom.
type nothing struct{}

func (nothing) AuthMechanisms() []string { return []string{sasl.Plain} }
func (nothing) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, _, _ string) error { return nil }), nil
}
func (nothing) Reset()                               {}
func (nothing) Logout() error                        { return nil }
func (nothing) Mail(string, *smtp.MailOptions) error { return nil }
func (nothing) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (nothing) Data(r io.Reader) error               { _, err := io.Copy(io.Discard, r); return err }
