package faults

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"hongyan/smtpx/smtptest"
)

// The steps of a conversation, in order.
const (
	stepConnect  = "connect"
	stepGreeting = "greeting"
	stepEHLO     = "EHLO"
	stepTLS      = "TLS"
	stepAuth     = "AUTH"
	stepMail     = "MAIL"
	stepRcpt     = "RCPT"
	stepData     = "DATA"
	stepBody     = "body"      // some of the message has come
	stepDot      = "dot"       // the message is whole
	stepAfterDot = "after dot" // its 250 has been sent
	stepQuit     = "QUIT"
)

// The faults.
const (
	faultReset   = "reset"
	faultStall   = "stall"
	faultHalf    = "half a reply"
	faultGarbage = "garbage"
	fault4       = "4yz"
	fault5       = "5yz"
	fault421     = "421"
)

var steps = []string{stepConnect, stepGreeting, stepEHLO, stepTLS, stepAuth, stepMail, stepRcpt, stepData, stepBody, stepDot, stepAfterDot, stepQuit}

var faults = []string{faultReset, faultStall, faultHalf, faultGarbage, fault4, fault5, fault421}

// replies are what is said at a step with fault4 and fault5.
var replies = map[string][2]string{
	stepGreeting: {"450 4.3.2 Not now", "554 5.7.1 No service for you"},
	stepEHLO:     {"450 4.3.2 Not now", "550 5.7.1 I do not like your name"},
	stepTLS:      {"454 4.7.0 TLS not available", "502 5.5.1 Not implemented"},
	stepAuth:     {"454 4.7.0 Temporary authentication failure", "535 5.7.8 Authentication failed"},
	stepMail:     {"451 4.7.1 Too many letters", "553 5.7.1 Sender address rejected"},
	stepRcpt:     {"450 4.2.1 Mailbox busy", "550 5.1.1 User unknown"},
	stepData:     {"451 4.3.0 Local error", "554 5.7.1 Refused"},
	stepBody:     {"451 4.3.0 Local error", "554 5.7.1 Refused"},
	stepDot:      {"451 4.7.1 Try later", "554 5.7.1 Content refused"},
	stepAfterDot: {"451 4.3.0 Local error", "554 5.7.1 Refused"},
	stepQuit:     {"451 4.3.0 Local error", "554 5.7.1 Refused"},
}

// line is the client's end of a connection, which can be reset.
type line struct {
	net.Conn
	once   sync.Once
	closed chan struct{} // by the client

	mu    sync.Mutex
	reset bool
}

func (l *line) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Conn.Close()
}

func (l *line) broken(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil || !l.reset {
		return err
	}
	return &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
}

func (l *line) Read(p []byte) (int, error) {
	n, err := l.Conn.Read(p)
	return n, l.broken(err)
}

func (l *line) Write(p []byte) (int, error) {
	n, err := l.Conn.Write(p)
	return n, l.broken(err)
}

// server speaks ESMTP with STARTTLS and AUTH, and once, at one step, does as a fault says: for the steps of a letter
// at the second one.
type server struct {
	step, fault string
	cert        *smtptest.Certificate

	mu       sync.Mutex
	played   bool
	at       time.Time // when
	taken    map[string]int
	letters  int // MAIL commands
	sessions int
}

// due says whether the fault is to be played now.
func (s *server) due(step string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	letter := step == stepMail || step == stepRcpt || step == stepData || step == stepBody || step == stepDot || step == stepAfterDot
	if s.played || step != s.step || letter && s.letters < 2 {
		return false
	}
	s.played, s.at = true, time.Now()
	return true
}

// peer is one connection of the server.
type peer struct {
	*server
	line *line
	conn net.Conn // the server's end, or TLS over it
	r    *bufio.Reader
	to   string // the recipient of the letter under way
}

func (s *server) serve(l *line, conn net.Conn) {
	p := &peer{server: s, line: l, conn: conn, r: bufio.NewReader(conn)}
	defer func() { _ = conn.Close() }()
	p.mu.Lock()
	p.sessions++
	p.mu.Unlock()
	if !p.answer(stepGreeting, "220 mail.example.com ESMTP") {
		return
	}
	for p.command() {
	}
}

func (p *peer) say(text string) bool {
	_, err := io.WriteString(p.conn, text)
	return err == nil
}

// answer gives the reply of a step, or plays the fault; false ends the connection.
func (p *peer) answer(step, reply string) bool {
	if p.due(step) {
		return p.play(step)
	}
	return p.say(reply + "\r\n")
}

// play is the fault; false ends the connection.
func (p *peer) play(step string) bool {
	switch p.fault {
	case faultReset:
		p.line.mu.Lock()
		p.line.reset = true
		p.line.mu.Unlock()
		return false
	case faultStall:
		if step == stepBody || step == stepTLS {
			<-p.line.closed // nothing is read either
		} else {
			_, _ = io.Copy(io.Discard, p.r)
		}
		return false
	case faultHalf:
		p.say("250-hal")
		return false
	case faultGarbage:
		return p.say("\x00\xfe\x15garbage\r\n") && p.drain()
	case fault4:
		return p.say(replies[step][0] + "\r\n")
	case fault5:
		return p.say(replies[step][1] + "\r\n")
	default:
		p.say("421 4.3.2 Closing\r\n")
		return false
	}
}

// drain reads what is under way until the client has had enough.
func (p *peer) drain() bool {
	_, _ = io.Copy(io.Discard, p.r)
	return false
}

func (p *peer) command() bool {
	text, err := p.r.ReadString('\n')
	if err != nil {
		return false
	}
	verb, rest, _ := strings.Cut(strings.TrimSpace(text), " ")
	switch strings.ToUpper(verb) {
	case "EHLO":
		tail := "250-AUTH PLAIN\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES"
		if _, secure := p.conn.(*tls.Conn); !secure {
			tail = "250-STARTTLS\r\n" + tail
		}
		return p.answer(stepEHLO, "250-mail.example.com\r\n"+tail)
	case "STARTTLS":
		return p.secure()
	case "AUTH":
		return p.answer(stepAuth, "235 2.7.0 OK")
	case "MAIL":
		p.to = ""
		p.mu.Lock()
		p.letters++
		p.mu.Unlock()
		return p.answer(stepMail, "250 2.1.0 OK")
	case "RCPT":
		_, to, _ := strings.Cut(rest, "<")
		p.to, _, _ = strings.Cut(to, ">")
		if p.due(stepRcpt) {
			p.to = ""
			return p.play(stepRcpt)
		}
		return p.say("250 2.1.5 OK\r\n")
	case "DATA":
		switch {
		case p.to == "":
			return p.say("503 5.5.1 No recipients\r\n")
		case p.due(stepData):
			return p.play(stepData)
		}
		return p.say("354 Go on\r\n") && p.message()
	case "RSET":
		return p.say("250 2.0.0 OK\r\n")
	case "QUIT":
		return p.answer(stepQuit, "221 2.0.0 Bye") && p.fault != fault421
	default:
		return p.say("500 5.5.1 What?\r\n")
	}
}

// secure begins TLS. Replies are about the command, the other faults happen in the handshake.
func (p *peer) secure() bool {
	due := p.due(stepTLS)
	if due && (p.fault == fault4 || p.fault == fault5 || p.fault == fault421 || p.fault == faultHalf) {
		return p.play(stepTLS)
	}
	if !p.say("220 2.0.0 Go on\r\n") {
		return false
	}
	if due {
		return p.play(stepTLS)
	}
	c := tls.Server(p.conn, p.cert.Config())
	if c.Handshake() != nil {
		return false
	}
	p.conn, p.r = c, bufio.NewReader(c)
	return true
}

// message reads a letter; it is taken once it is whole, unless it is refused.
func (p *peer) message() bool {
	for n := 0; ; n++ {
		text, err := p.r.ReadString('\n')
		if err != nil {
			return false
		}
		if n == 5 && p.due(stepBody) {
			return p.play(stepBody) && p.drain()
		}
		if text == ".\r\n" {
			break
		}
	}
	due := p.due(stepDot)
	if !due || p.fault == faultReset || p.fault == faultStall || p.fault == faultHalf || p.fault == faultGarbage {
		p.mu.Lock()
		p.taken[p.to]++
		p.mu.Unlock()
	}
	if due {
		return p.play(stepDot)
	}
	if !p.say("250 2.0.0 OK\r\n") {
		return false
	}
	if p.due(stepAfterDot) {
		time.Sleep(time.Second) // the reply is read, and nothing else is under way
		return p.play(stepAfterDot)
	}
	return true
}
