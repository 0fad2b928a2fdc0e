package smtpx

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// peer is the server's end of a scripted conversation on loopback.
type peer struct {
	t    testing.TB
	c    net.Conn
	br   *bufio.Reader
	body string
}

func newPeer(t testing.TB, c net.Conn) *peer {
	_ = c.SetDeadline(time.Now().Add(15 * time.Second))
	return &peer{t: t, c: c, br: bufio.NewReader(c)}
}

// want reads one line, which must start with prefix.
func (p *peer) want(prefix string) string {
	line, err := p.br.ReadString('\n')
	if err != nil || !strings.HasPrefix(line, prefix) {
		p.t.Errorf("server: want %q, got %q, %v", prefix, line, err)
		panic(errScript)
	}
	return strings.TrimRight(line, "\r\n")
}

var errScript = errors.New("script failed")

func (p *peer) say(s string) {
	_, _ = io.WriteString(p.c, strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n"))
}

// hello greets and offers extensions.
func (p *peer) hello(ext ...string) {
	p.say("220 test ESMTP\n")
	p.want("EHLO ")
	p.offer(ext...)
}

func (p *peer) offer(ext ...string) {
	p.say("250-test greets you\n")
	for _, e := range ext {
		p.say("250-" + e + "\n")
	}
	p.say("250 HELP\n")
}

// data reads up to the final dot.
func (p *peer) data() {
	var sb strings.Builder
	for {
		line, err := p.br.ReadString('\n')
		if err != nil {
			p.t.Errorf("server: body: %v", err)
			panic(errScript)
		}
		if line == ".\r\n" {
			p.body = sb.String()
			return
		}
		sb.WriteString(line)
	}
}

// letter takes one letter as a server without extensions does.
func (p *peer) letter() {
	p.want("MAIL FROM:<")
	p.say("250 ok\n")
	p.want("RCPT TO:<")
	p.say("250 ok\n")
	p.want("DATA")
	p.say("354 go\n")
	p.data()
	p.say("250 2.0.0 queued as 1\n")
}

// chunks takes one letter by BDAT and gives its octets.
func (p *peer) chunks() string {
	line := p.want("")
	if line == "RSET" { // when the answer to the letter before was under way
		p.say("250 ok\n")
		line = p.want("")
	}
	if !strings.HasPrefix(line, "MAIL FROM:<") {
		p.t.Errorf("server: %q", line)
	}
	p.say("250 ok\n")
	p.want("RCPT TO:<")
	p.say("250 ok\n")
	var sb strings.Builder
	for {
		b, last := p.chunk()
		sb.WriteString(b)
		p.say("250 2.0.0 ok\n")
		if last {
			return sb.String()
		}
	}
}

// chunk reads one BDAT and its octets.
func (p *peer) chunk() (octets string, last bool) {
	line := p.want("BDAT ")
	var n int
	if _, err := fmt.Sscanf(line, "BDAT %d", &n); err != nil {
		p.t.Errorf("server: %q: %v", line, err)
		panic(errScript)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(p.br, b); err != nil {
		p.t.Errorf("server: chunk of %d: %v", n, err)
		panic(errScript)
	}
	return string(b), strings.HasSuffix(line, " LAST")
}

// silent wants nothing more from the client for a moment.
func (p *peer) silent() {
	_ = p.c.SetReadDeadline(time.Now().Add(5 * time.Millisecond))
	if b, err := p.br.Peek(1); len(b) > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		line, _ := p.br.ReadString('\n')
		p.t.Errorf("server: %q before the reply, %v", line, err)
	}
	_ = p.c.SetReadDeadline(time.Now().Add(15 * time.Second))
}

// quit takes the client's leave.
func (p *peer) quit() {
	p.want("QUIT")
	p.say("221 bye\n")
}

// eof waits for the client to hang up.
func (p *peer) eof() {
	_ = p.c.SetReadDeadline(time.Now().Add(5 * time.Second))
	if b, err := io.ReadAll(p.br); err != nil && !strings.Contains(err.Error(), "reset") {
		p.t.Errorf("server: want EOF after %q: %v", b, err)
	}
}

// serve plays script for each connection, one script after the other, and gives the config to reach it.
func serve(t testing.TB, scripts ...func(*peer)) *Config {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for _, script := range scripts {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			func() {
				defer c.Close()
				defer func() {
					if r := recover(); r != nil && r != errScript { //nolint:errorlint // our own panic
						panic(r)
					}
				}()
				script(newPeer(t, c))
			}()
		}
	})
	t.Cleanup(func() { _ = ln.Close(); wg.Wait() })
	return &Config{Host: "127.0.0.1", Port: ln.Addr().(*net.TCPAddr).Port, TLS: TLSNone}
}

// to is a Dial that reaches cfg's server whatever it is asked for.
func to(cfg *Config) func(context.Context, string, string) (net.Conn, error) {
	addr := fmt.Sprintf("127.0.0.1:%d", cfg.Port)
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", addr)
	}
}

// countingConn keeps what was written, write by write.
type countingConn struct {
	net.Conn
	writes []string
}

func (c *countingConn) Write(p []byte) (int, error) {
	c.writes = append(c.writes, string(p))
	return c.Conn.Write(p)
}

func wrapDial(d func(context.Context, string, string) (net.Conn, error), cc **countingConn) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := d(ctx, network, addr)
		*cc = &countingConn{Conn: c}
		return *cc, err
	}
}

func dial(t *testing.T, cfg *Config) *Session {
	t.Helper()
	s, err := Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func addr(t *testing.T, s string) Address {
	t.Helper()
	a, err := ParseAddress(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// letter is a transaction with a short body.
func letter(t *testing.T, id int64, to ...string) *Transaction {
	tx := &Transaction{ID: id, From: addr(t, "me@example.com"), Body: func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "Subject: %d\r\n\r\nhello\r\n", id)
		return err
	}}
	if len(to) == 0 {
		to = []string{"you@example.org"}
	}
	for _, a := range to {
		tx.To = append(tx.To, addr(t, a))
	}
	return tx
}

// queue is a Source of a fixed list, and keeps the results.
type queue struct {
	mu   sync.Mutex
	list []*Transaction
	res  map[int64][]Result
}

func newQueue(list ...*Transaction) *queue {
	q := &queue{list: list, res: map[int64][]Result{}}
	for _, tx := range list {
		tx.Done = func(r Result) {
			q.mu.Lock()
			defer q.mu.Unlock()
			q.res[tx.ID] = append(q.res[tx.ID], r)
		}
	}
	return q
}

func (q *queue) Next(context.Context, bool) (*Transaction, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.list) == 0 {
		return nil, io.EOF
	}
	tx := q.list[0]
	q.list = q.list[1:]
	return tx, nil
}

// check wants exactly one result for each letter, with these statuses of the first recipient.
func (q *queue) check(t *testing.T, want ...Status) {
	t.Helper()
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, st := range want {
		r := q.res[int64(i+1)]
		if len(r) != 1 {
			t.Errorf("letter %d: %d results", i+1, len(r))
		} else if r[0].Outcomes[0].Status != st {
			t.Errorf("letter %d: %v, want %v", i+1, r[0].Outcomes[0], st)
		}
	}
	if len(q.res) != len(want) {
		t.Errorf("%d letters have results, want %d", len(q.res), len(want))
	}
}

// promptly wants end within 100 ms of now, and of what this machine was late by itself meanwhile.
func promptly[T any](t *testing.T, end <-chan T) T {
	t.Helper()
	stop, late := make(chan struct{}), make(chan time.Duration)
	go func() {
		var most time.Duration
		for {
			begin := time.Now()
			select {
			case <-stop:
				late <- most
				return
			case <-time.After(time.Millisecond):
				most = max(most, time.Since(begin)-time.Millisecond)
			}
		}
	}()
	begin := time.Now()
	v := <-end
	took := time.Since(begin)
	close(stop)
	if most := <-late; took > 100*time.Millisecond+2*most {
		t.Errorf("took %v, on a machine that was late by %v", took, most)
	}
	return v
}

func asError(t *testing.T, err error) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("want *Error, got %v", err)
	}
	return e
}
