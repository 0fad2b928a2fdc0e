package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/smtp"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/emersion/go-sasl"
	gosmtp "github.com/emersion/go-smtp"
	"github.com/wneessen/go-mail"
)

// target is a server as a client sees it.
type target struct {
	port int
	tls  *tls.Config // from the first octet, and with a login
}

func (t target) addr() string { return fmt.Sprintf("127.0.0.1:%d", t.port) }

func (t target) dial() (net.Conn, error) {
	if t.tls != nil {
		return tls.Dial("tcp", t.addr(), t.tls)
	}
	return net.Dial("tcp", t.addr())
}

const (
	from = "sender@example.com"
	user = "user"
	pass = "password-of-nobody"
)

func rcpt(i int) string { return "r" + strconv.Itoa(i) + "@example.org" }

// message is what all of them send: 4,096 octets with its header.
var message = func() []byte {
	head := "From: <" + from + ">\r\nTo: <reader@example.org>\r\nSubject: A letter of four kilobytes\r\nDate: Tue, 24 Nov 2026 10:00:00 +0800\r\n" +
		"Message-ID: <1@example.com>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\n"
	return []byte(head + fill(4096-len(head)))
}()

// fill is n octets of lines.
func fill(n int) string {
	const line = "The quick brown fox jumps over the lazy dog, again and again and again.\r\n"
	s := strings.Repeat(line, n/len(line))
	if rest := n - len(s); rest > 2 {
		s += strings.Repeat("x", rest-2) + "\r\n"
	}
	return s
}

// spread runs f for each of w connections with its share of n letters.
func spread(n, w int, f func(first, n int) error) error {
	errs := make([]error, w)
	var wg sync.WaitGroup
	for i := range w {
		first, end := i*n/w, (i+1)*n/w
		wg.Go(func() { errs[i] = f(first, end-first) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// netSMTP uses the standard library: a connection a letter, or one for all.
func netSMTP(reuse bool) client {
	open := func(t target) (*smtp.Client, error) {
		conn, err := t.dial()
		if err != nil {
			return nil, err
		}
		c, err := smtp.NewClient(conn, "127.0.0.1")
		if err == nil && t.tls != nil {
			err = c.Auth(smtp.PlainAuth("", user, pass, "127.0.0.1"))
		}
		return c, err
	}
	one := func(c *smtp.Client, i int) error {
		if err := c.Mail(from); err != nil {
			return err
		}
		if err := c.Rcpt(rcpt(i)); err != nil {
			return err
		}
		w, err := c.Data()
		if err != nil {
			return err
		}
		if _, err := w.Write(message); err != nil {
			return err
		}
		return w.Close()
	}
	return func(t target, n, w int) error {
		return spread(n, w, func(first, n int) error {
			var c *smtp.Client
			for i := range n {
				var err error
				if c == nil {
					if c, err = open(t); err != nil {
						return err
					}
				}
				if err := one(c, first+i); err != nil {
					return err
				}
				if !reuse || i == n-1 {
					if err := c.Quit(); err != nil {
						return err
					}
					c = nil
				}
			}
			return nil
		})
	}
}

// goSMTPClient uses the client of emersion/go-smtp.
func goSMTPClient(t target, n, w int) error {
	return spread(n, w, func(first, n int) error {
		conn, err := t.dial()
		if err != nil {
			return err
		}
		c := gosmtp.NewClient(conn)
		if t.tls != nil {
			if err := c.Auth(sasl.NewPlainClient("", user, pass)); err != nil {
				return err
			}
		}
		for i := range n {
			if err := c.Mail(from, nil); err != nil {
				return err
			}
			if err := c.Rcpt(rcpt(first+i), nil); err != nil {
				return err
			}
			w, err := c.Data()
			if err != nil {
				return err
			}
			if _, err := w.Write(message); err != nil {
				return err
			}
			if err := w.Close(); err != nil {
				return err
			}
		}
		return c.Quit()
	})
}

// goMail hands all letters of a connection to DialAndSend of wneessen/go-mail, a Client a connection. The letters are
// made before the clock starts; they become octets while they are sent.
func goMail(t target, n, w int) (func() error, error) {
	msgs := make([]*mail.Msg, n)
	body := fill(4096 - 450) // its own header makes up for the rest
	for i := range msgs {
		m := mail.NewMsg(mail.WithEncoding(mail.EncodingUSASCII))
		if err := errors.Join(m.From(from), m.To(rcpt(i))); err != nil {
			return nil, err
		}
		m.Subject("A letter of four kilobytes")
		m.SetBodyString(mail.TypeTextPlain, body)
		msgs[i] = m
	}
	opts := []mail.Option{mail.WithPort(t.port), mail.WithHELO("localhost"), mail.WithTLSPolicy(mail.NoTLS), mail.WithTimeout(5 * time.Minute)}
	if t.tls != nil {
		opts = append(opts, mail.WithSSL(), mail.WithTLSConfig(t.tls), mail.WithSMTPAuth(mail.SMTPAuthPlain), mail.WithUsername(user), mail.WithPassword(pass))
	}
	return func() error {
		return spread(n, w, func(first, n int) error {
			c, err := mail.NewClient("127.0.0.1", opts...)
			if err != nil {
				return err
			}
			return c.DialAndSendWithContext(context.Background(), msgs[first:first+n]...)
		})
	}, nil
}

// source runs Postfix's smtp-source with the same octets, and gives the processor time that it took.
func source(reuse bool, file string) func(t target, n, w int) (time.Duration, error) {
	return func(t target, n, w int) (time.Duration, error) {
		prog, err := sbin("smtp-source")
		if err != nil {
			return 0, err
		}
		args := []string{"-s", strconv.Itoa(w), "-m", strconv.Itoa(n), "-F", file, "-f", from, "-t", rcpt(0), "-M", "localhost"}
		if reuse {
			args = append(args, "-d")
		}
		cmd := exec.Command(prog, append(args, t.addr())...) //#nosec G204 -- found above
		cmd.Stderr = os.Stderr
		if err := cmd.Run(); err != nil {
			return 0, err
		}
		return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), nil
	}
}

// cpu is the processor time that this process has used.
func cpu() time.Duration {
	var ru syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &ru); err != nil {
		return 0
	}
	return time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
}
