package main

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"

	"hongyan/smtpx"
)

// ours is smtpx. With trace every event is taken, formatted as a line of a log, and counted.
func ours(set func(*smtpx.Config), trace bool) client {
	return func(t target, n, w int) error {
		sender, err := smtpx.ParseAddress(from)
		if err != nil {
			return err
		}
		return spread(n, w, func(first, n int) error {
			cfg := &smtpx.Config{Host: "127.0.0.1", Port: t.port, TLS: smtpx.TLSNone, LocalName: "localhost"}
			if t.tls != nil {
				cfg.TLS, cfg.RootCAs, cfg.Auth = smtpx.TLSImplicit, t.tls.RootCAs, &smtpx.Auth{User: user, Secret: pass}
			}
			set(cfg)
			if trace {
				cfg.Trace = logLine
			}
			s, err := smtpx.Dial(context.Background(), cfg)
			if err != nil {
				return err
			}
			src := &letters{from: sender, next: first, end: first + n}
			if err := s.Run(context.Background(), src); err != nil {
				return err
			}
			if err := s.Close(); err != nil {
				return err
			}
			if src.accepted != n {
				return fmt.Errorf("smtpx: %d of %d letters were accepted", src.accepted, n)
			}
			return nil
		})
	}
}

type letters struct {
	from      smtpx.Address
	next, end int
	accepted  int
}

func (l *letters) Next(context.Context, bool) (*smtpx.Transaction, error) {
	if l.next == l.end {
		return nil, io.EOF
	}
	to, err := smtpx.ParseAddress(rcpt(l.next))
	if err != nil {
		return nil, err
	}
	l.next++
	return &smtpx.Transaction{ID: int64(l.next), From: l.from, To: []smtpx.Address{to}, Size: int64(len(message)),
		Body: func(w io.Writer) error { _, err := w.Write(message); return err },
		Done: func(r smtpx.Result) {
			if r.Outcomes[0].Status == smtpx.Accepted {
				l.accepted++
			}
		}}, nil
}

var lines, octets atomic.Int64

// logLine is what a log would make of an event.
func logLine(e smtpx.Event) {
	var room [256]byte
	b := e.Time.AppendFormat(room[:0], "15:04:05.000")
	b = fmt.Appendf(b, " %d/%d %v %d %d %s\n", e.Conn, e.Letter, e.Phase, e.Code, e.Bytes, e.Text)
	lines.Add(1)
	octets.Add(int64(len(b)))
}
