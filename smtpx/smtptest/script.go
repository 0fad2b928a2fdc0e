package smtptest

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// TB is the part of testing.TB that scripts use. It is spelled out so that the program, which holds the practice
// server, does not link package testing.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
	Cleanup(func())
}

// StepTimeout is how long a step of a script waits for the client before it fails the test.
const StepTimeout = 10 * time.Second

// Step is one thing that a scripted server does or waits for.
type Step struct {
	name string
	run  func(*dialogue) error
}

// errStop ends a script early without a failure.
var errStop = errors.New("stop")

// dialogue is one script being played.
type dialogue struct {
	ln   net.Listener // nil over a pipe
	mu   sync.Mutex
	conn net.Conn
	br   *bufio.Reader
	log  bytes.Buffer
	quit chan struct{}
}

func (d *dialogue) setConn(c net.Conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.conn, d.br = c, bufio.NewReader(c)
}

func (d *dialogue) shut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conn != nil {
		_ = d.conn.Close()
	}
}

func (d *dialogue) write(p []byte) error {
	fmt.Fprintf(&d.log, "S: %q\n", clip(p))
	_ = d.conn.SetWriteDeadline(time.Now().Add(StepTimeout))
	_, err := d.conn.Write(p)
	return err
}

func (d *dialogue) readLine() (string, error) {
	_ = d.conn.SetReadDeadline(time.Now().Add(StepTimeout))
	line, err := d.br.ReadString('\n')
	if line != "" {
		fmt.Fprintf(&d.log, "C: %q\n", clip([]byte(line)))
	}
	return line, err
}

func clip(p []byte) []byte {
	const most = 200
	if len(p) <= most {
		return p
	}
	return fmt.Appendf(append([]byte{}, p[:most]...), "... (%d octets)", len(p))
}

// Expect reads one line, ended by CRLF, and compares it with pattern, in which * stands for any octets.
func Expect(pattern string) Step {
	return Step{"expect " + pattern, func(d *dialogue) error {
		line, err := d.readLine()
		if err != nil {
			return fmt.Errorf("got %q, then %w", line, err)
		}
		text, ok := strings.CutSuffix(line, "\r\n")
		if !ok {
			return fmt.Errorf("line %q is not ended by CRLF", line)
		}
		if !glob(pattern, text) {
			return fmt.Errorf("got %q", text)
		}
		return nil
	}}
}

// glob reports whether s is pattern, where each * of pattern stands for any octets.
func glob(pattern, s string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == s
	}
	s, ok := strings.CutPrefix(s, parts[0])
	if !ok {
		return false
	}
	last := len(parts) - 1
	for _, p := range parts[1:last] {
		_, after, found := strings.Cut(s, p)
		if !found {
			return false
		}
		s = after
	}
	return strings.HasSuffix(s, parts[last])
}

// ExpectBody reads a DATA body up to and with CRLF.CRLF. A check that is not nil gets the octets as they were on the
// wire, dots still stuffed, the terminator's ".CRLF" taken off.
func ExpectBody(check func(body []byte) error) Step {
	return Step{"expect a body", func(d *dialogue) error {
		var body []byte
		for {
			_ = d.conn.SetReadDeadline(time.Now().Add(StepTimeout))
			line, err := d.br.ReadBytes('\n')
			if err != nil {
				return fmt.Errorf("after %d octets of the body: %w", len(body)+len(line), err)
			}
			if string(line) == ".\r\n" && (len(body) == 0 || bytes.HasSuffix(body, []byte("\r\n"))) {
				break
			}
			body = append(body, line...)
		}
		fmt.Fprintf(&d.log, "C: (body, %d octets)\n", len(body))
		if check == nil {
			return nil
		}
		return check(body)
	}}
}

// ExpectOctets reads exactly n octets, such as those of a BDAT chunk, and gives them to check if that is not nil.
func ExpectOctets(n int, check func(p []byte) error) Step {
	return Step{fmt.Sprintf("expect %d octets", n), func(d *dialogue) error {
		p := make([]byte, n)
		_ = d.conn.SetReadDeadline(time.Now().Add(StepTimeout))
		got, err := io.ReadFull(d.br, p)
		fmt.Fprintf(&d.log, "C: %q\n", clip(p[:got]))
		if err != nil {
			return fmt.Errorf("after %d octets: %w", got, err)
		}
		if check == nil {
			return nil
		}
		return check(p)
	}}
}

// ExpectEOF waits until the client closes, by FIN or reset, and fails if it sends an octet before.
func ExpectEOF() Step {
	return Step{"expect the end", func(d *dialogue) error {
		line, err := d.readLine()
		var timeout net.Error
		switch {
		case line != "":
			return fmt.Errorf("got %q", line)
		case errors.As(err, &timeout) && timeout.Timeout():
			return err
		}
		return nil
	}}
}

// Send writes s as it is.
func Send(s string) Step {
	return Step{fmt.Sprintf("send %q", clip([]byte(s))), func(d *dialogue) error { return d.write([]byte(s)) }}
}

// SendSplit writes s in pieces of n octets with pause after each, so that a client gets a reply in parts.
func SendSplit(s string, n int, pause time.Duration) Step {
	return Step{fmt.Sprintf("send %q by %d", clip([]byte(s)), n), func(d *dialogue) error {
		for rest := s; len(rest) > 0; {
			k := min(n, len(rest))
			if err := d.write([]byte(rest[:k])); err != nil {
				return err
			}
			rest = rest[k:]
			time.Sleep(pause)
		}
		return nil
	}}
}

// Flood writes s n times and stops without complaint when the client hangs up.
func Flood(s string, n int) Step {
	return Step{fmt.Sprintf("send %q %d times", clip([]byte(s)), n), func(d *dialogue) error {
		block := bytes.Repeat([]byte(s), max(1, 32<<10/max(1, len(s))))
		for left := n * len(s); left > 0; left -= len(block) {
			_ = d.conn.SetWriteDeadline(time.Now().Add(StepTimeout))
			if _, err := d.conn.Write(block[:min(left, len(block))]); err != nil {
				return errStop
			}
		}
		fmt.Fprintf(&d.log, "S: (%q, %d times)\n", clip([]byte(s)), n)
		return nil
	}}
}

// Pause waits for t before the next step.
func Pause(t time.Duration) Step {
	return Step{"pause", func(d *dialogue) error {
		select {
		case <-time.After(t):
		case <-d.quit:
		}
		return nil
	}}
}

// Stall says and reads nothing more until the test ends. It ends the script.
func Stall() Step {
	return Step{"stall", func(d *dialogue) error {
		<-d.quit
		return errStop
	}}
}

// Swallow reads and drops what comes until the client closes, and answers nothing. It ends the script.
func Swallow() Step {
	return Step{"swallow", func(d *dialogue) error {
		_ = d.conn.SetReadDeadline(time.Time{})
		go func() {
			<-d.quit
			d.shut()
		}()
		_, _ = io.Copy(io.Discard, d.br)
		return errStop
	}}
}

// Do calls f between two steps, for instance to cancel a context at a known point of the dialogue.
func Do(f func()) Step {
	return Step{"do", func(*dialogue) error { f(); return nil }}
}

// Hangup closes the connection in good order (FIN).
func Hangup() Step {
	return Step{"hang up", func(d *dialogue) error {
		fmt.Fprintln(&d.log, "S: (closes)")
		return d.conn.Close()
	}}
}

// Reset drops the connection with a TCP reset where the transport has such a thing.
func Reset() Step {
	return Step{"reset", func(d *dialogue) error {
		fmt.Fprintln(&d.log, "S: (resets)")
		c := d.conn
		if t, ok := c.(*tls.Conn); ok {
			c = t.NetConn()
		}
		if t, ok := c.(*net.TCPConn); ok {
			_ = t.SetLinger(0)
		}
		return c.Close()
	}}
}

// UpgradeTLS does the server's side of a TLS handshake, after STARTTLS or from the first octet. Use a [Certificate].
func UpgradeTLS(cert *Certificate) Step { return UpgradeTLSConfig(cert.Config()) }

// UpgradeTLSConfig is UpgradeTLS with a configuration of the test's own.
func UpgradeTLSConfig(cfg *tls.Config) Step {
	return Step{"TLS", func(d *dialogue) error {
		if n := d.br.Buffered(); n > 0 {
			return fmt.Errorf("%d octets in the clear lie before the handshake", n)
		}
		t := tls.Server(d.conn, cfg)
		_ = t.SetDeadline(time.Now().Add(StepTimeout))
		if err := t.Handshake(); err != nil {
			return err
		}
		fmt.Fprintln(&d.log, "S: (TLS)")
		d.setConn(t)
		return nil
	}}
}

// FailTLS does the server's side of a handshake that is to fail, and ends the script when it has.
func FailTLS(cfg *tls.Config) Step {
	return Step{"failing TLS", func(d *dialogue) error {
		_ = d.conn.SetDeadline(time.Now().Add(StepTimeout))
		t := tls.Server(d.conn, cfg)
		err := t.Handshake()
		if err == nil {
			// With TLS 1.3 the server is done before the client has looked at the certificate.
			_, err = t.Read(make([]byte, 1))
		}
		_ = d.conn.Close()
		if err == nil {
			return errors.New("the client went on over a connection that it must not trust")
		}
		return errStop
	}}
}

// Accept waits for one more connection; the one before it is closed.
func Accept() Step {
	return Step{"accept", func(d *dialogue) error {
		if d.ln == nil {
			return errors.New("a pipe has only one connection")
		}
		d.shut()
		if t, ok := d.ln.(*net.TCPListener); ok {
			_ = t.SetDeadline(time.Now().Add(StepTimeout))
		}
		c, err := d.ln.Accept()
		if err != nil {
			return err
		}
		fmt.Fprintln(&d.log, "S: (accepts a connection)")
		d.setConn(c)
		return nil
	}}
}
