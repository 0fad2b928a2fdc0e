package smtptest

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"strings"
	"time"

	"hongyan/smtpx"
)

// maxCommand is the longest command line taken, RFC 4954 §4 (AUTH needs 12288 octets).
const maxCommand = 12288

// session is one client's connection.
type session struct {
	s    *Server
	conn net.Conn
	r    *bufio.Reader
	w    *bufio.Writer

	secure, hello, authed bool
	letters               int

	// The transaction under way.
	mail  bool
	from  string
	to    []string
	eight bool
	drop  dropStep
	chunk *body // of BDAT
	lost  bool  // a BDAT failed: the chunks that follow are swallowed and refused
}

// flusher sends what was written whenever more must be read, so that the replies to pipelined commands leave
// together (RFC 2920 §3.2) and none is held back.
type flusher struct{ ss *session }

func (f flusher) Read(p []byte) (int, error) {
	if err := f.ss.w.Flush(); err != nil {
		return 0, err
	}
	_ = f.ss.conn.SetDeadline(time.Now().Add(f.ss.s.opts.Idle))
	return f.ss.conn.Read(p)
}

func newSession(s *Server, c net.Conn) *session {
	ss := &session{s: s, conn: c, secure: s.opts.TLS == smtpx.TLSNone}
	ss.w = bufio.NewWriterSize(c, 4<<10)
	ss.r = bufio.NewReaderSize(flusher{ss}, 32<<10)
	return ss
}

// upgrade does the TLS handshake and forgets all that was said before it (RFC 3207 §4.2).
func (ss *session) upgrade() bool {
	t := tls.Server(ss.conn, ss.s.tls)
	_ = t.SetDeadline(time.Now().Add(ss.s.opts.Idle))
	if t.Handshake() != nil {
		return false
	}
	ss.conn, ss.secure, ss.hello, ss.authed = t, true, false, false
	ss.w.Reset(t)
	ss.r.Reset(flusher{ss})
	ss.reset()
	return true
}

func (ss *session) reset() {
	if ss.chunk != nil {
		ss.chunk.discard()
	}
	ss.mail, ss.from, ss.to, ss.eight, ss.drop, ss.chunk, ss.lost = false, "", nil, false, dropNever, nil, false
}

func (ss *session) reply(line string) {
	if d := ss.s.mood.replyDelay(); d > 0 {
		_ = ss.w.Flush()
		time.Sleep(d)
	}
	_, _ = ss.w.WriteString(line + "\r\n") // a failure shows at the next flush
}

// run speaks with the client until it leaves or must go.
func (ss *session) run() {
	defer ss.reset()
	ss.reply("220 localhost ESMTP Hongyan practice server: nothing is delivered")
	for bad := 0; bad < 20; {
		line, err := ss.readCommand()
		if err != nil {
			if errors.Is(err, errLine) {
				bad++
				ss.reply("500 5.5.2 A command ends with CRLF and has no more than 12288 octets")
				continue
			}
			return
		}
		verb, arg, _ := strings.Cut(line, " ")
		go500, more := ss.command(strings.ToUpper(verb), strings.TrimSpace(arg))
		if !more {
			return
		}
		if go500 {
			bad++
			ss.reply("500 5.5.1 Unknown command")
		}
	}
	ss.reply("421 4.7.0 Too many errors")
	_ = ss.w.Flush()
}

var errLine = errors.New("bad line")

func (ss *session) readCommand() (string, error) {
	var line []byte
	for {
		p, err := ss.r.ReadSlice('\n')
		if len(line) <= maxCommand {
			line = append(line, p...)
		}
		if err == nil {
			break
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return "", err
		}
	}
	text, ok := strings.CutSuffix(string(line), "\r\n")
	if !ok || len(line) > maxCommand || strings.ContainsAny(text, "\r\n\x00") {
		return "", errLine
	}
	return text, nil
}

// command answers one command. more is false when the connection is to end.
func (ss *session) command(verb, arg string) (unknown, more bool) {
	more = true
	switch verb {
	case "EHLO", "HELO":
		ss.ehlo(verb, arg)
	case "STARTTLS":
		return false, ss.startTLS()
	case "AUTH":
		return false, ss.auth(arg)
	case "MAIL":
		more = ss.mailFrom(arg)
	case "RCPT":
		more = ss.rcptTo(arg)
	case "DATA":
		more = ss.data()
	case "BDAT":
		more = ss.bdat(arg)
	case "RSET":
		ss.reset()
		ss.reply("250 2.0.0 Ok")
	case "NOOP":
		ss.reply("250 2.0.0 Ok")
	case "VRFY":
		ss.reply("252 2.5.0 Send some mail, I will try my best")
	case "QUIT":
		ss.reply("221 2.0.0 Bye")
		_ = ss.w.Flush()
		return false, false
	default:
		return true, true
	}
	return false, more
}

func (ss *session) ehlo(verb, arg string) {
	if arg == "" {
		ss.reply("501 5.5.4 Say who you are")
		return
	}
	ss.reset()
	ss.hello = true
	if verb == "HELO" {
		ss.reply("250 localhost")
		return
	}
	o := &ss.s.opts
	lines := []string{"localhost"}
	if !o.NoPipelining {
		lines = append(lines, "PIPELINING")
	}
	lines = append(lines, "8BITMIME", fmt.Sprintf("SIZE %d", o.MaxSize), "ENHANCEDSTATUSCODES", "SMTPUTF8", "DSN")
	if !o.NoChunking {
		lines = append(lines, "CHUNKING")
	}
	if !ss.secure {
		lines = append(lines, "STARTTLS")
	}
	if ss.may() && !o.NoAuth {
		lines = append(lines, "AUTH PLAIN LOGIN", "AUTH=PLAIN LOGIN")
	}
	limits := fmt.Sprintf("LIMITS RCPTMAX=%d", o.MaxRcpts)
	if o.PerSession > 0 {
		limits += fmt.Sprintf(" MAILMAX=%d", o.PerSession)
	}
	lines = append(lines, limits)
	var b strings.Builder
	for i, l := range lines {
		sep := "-"
		if i == len(lines)-1 {
			sep = " "
		}
		b.WriteString("250" + sep + l)
		if sep == "-" {
			b.WriteString("\r\n")
		}
	}
	ss.reply(b.String())
}

// may says whether the session may log in and send: under TLS, or where the server does not insist on it.
func (ss *session) may() bool { return ss.secure || ss.s.opts.AllowPlain }

func (ss *session) startTLS() bool {
	if ss.secure {
		ss.reply("503 5.5.1 Not now")
		return true
	}
	pipelined := ss.r.Buffered() > 0
	if pipelined { // commands in the clear behind STARTTLS are an injection (CVE-2011-0411)
		ss.reply("501 5.5.1 Nothing may follow STARTTLS")
		_ = ss.w.Flush()
		return false
	}
	ss.reply("220 2.0.0 Go ahead")
	return ss.w.Flush() == nil && ss.upgrade()
}

func (ss *session) mailFrom(arg string) bool {
	addr, params, ok := path(arg, "FROM:")
	switch {
	case !ss.hello:
		ss.reply("503 5.5.1 Error: need EHLO first")
	case !ss.may():
		ss.reply("530 5.7.0 Must issue a STARTTLS command first")
	case ss.s.opts.RequireAuth && !ss.authed:
		ss.reply("530 5.7.0 Authentication required")
	case ss.mail:
		ss.reply("503 5.5.1 Nested MAIL command")
	case !ok:
		ss.reply("501 5.5.4 Syntax: MAIL FROM:<address>")
	case ss.s.opts.PerSession > 0 && ss.letters >= ss.s.opts.PerSession:
		ss.reply("421 4.7.0 Maximum message count per session reached")
		_ = ss.w.Flush()
		return false
	default:
		return ss.begin(addr, params)
	}
	return true
}

func (ss *session) begin(addr string, params []string) bool {
	utf8 := false
	ss.eight = false
	for _, p := range params {
		key, value, _ := strings.Cut(p, "=")
		switch key = strings.ToUpper(key); key {
		case "SIZE":
			var n int64
			if _, err := fmt.Sscanf(value, "%d", &n); err != nil || n < 0 {
				ss.reply("501 5.5.4 Bad SIZE")
				return true
			}
			if n > ss.s.opts.MaxSize {
				ss.reply("552 5.3.4 Message too large")
				return true
			}
		case "BODY":
			ss.eight = strings.EqualFold(value, "8BITMIME")
		case "SMTPUTF8":
			utf8, ss.eight = true, true
		case "RET", "ENVID", "AUTH":
		default:
			ss.reply("555 5.5.4 Unknown parameter " + key)
			return true
		}
	}
	if !utf8 && !ascii(addr) {
		ss.reply("553 5.6.7 Address needs SMTPUTF8")
		return true
	}
	refusal, drop := ss.s.mood.begin()
	if drop == dropAtMail {
		return false
	}
	if refusal != "" {
		ss.reset()
		ss.reply(refusal)
		return true
	}
	ss.mail, ss.from, ss.drop = true, addr, drop
	ss.reply("250 2.1.0 Ok")
	return true
}

func (ss *session) rcptTo(arg string) bool {
	addr, params, ok := path(arg, "TO:")
	for _, p := range params {
		key, _, _ := strings.Cut(strings.ToUpper(p), "=")
		ok = ok && (key == "NOTIFY" || key == "ORCPT")
	}
	switch {
	case !ss.mail:
		ss.reply("503 5.5.1 Error: need MAIL command")
	case !ok || !strings.Contains(addr, "@"):
		ss.reply("501 5.5.4 Syntax: RCPT TO:<address>")
	case len(ss.to) >= ss.s.opts.MaxRcpts:
		ss.reply("452 4.5.3 Too many recipients")
	case ss.drop == dropAtRcpt:
		return false
	default:
		if refusal := ss.s.mood.recipient(addr); refusal != "" {
			ss.reply(refusal)
			return true
		}
		ss.to = append(ss.to, addr)
		ss.reply("250 2.1.5 Ok")
	}
	return true
}

// path reads KEY:<address> and the parameters behind it.
func path(arg, key string) (addr string, params []string, ok bool) {
	if len(arg) < len(key) || !strings.EqualFold(arg[:len(key)], key) {
		return "", nil, false
	}
	arg, ok = strings.CutPrefix(strings.TrimLeft(arg[len(key):], " "), "<")
	if !ok {
		return "", nil, false
	}
	quoted := false
	for i := 0; i < len(arg); i++ {
		switch c := arg[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case c == '>' && !quoted:
			rest := arg[i+1:]
			return arg[:i], strings.Fields(rest), rest == "" || rest[0] == ' '
		case c < ' ' || (c == ' ' || c == '<') && !quoted:
			return "", nil, false
		}
	}
	return "", nil, false
}

func ascii(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > 126 }) < 0
}

func (ss *session) newBody() (*body, error) {
	b := &body{max: ss.s.opts.MaxSize, eight: ss.eight}
	f, err := ss.s.keep.newBody()
	if f != nil {
		b.file, b.w = f, bufio.NewWriterSize(f, 16<<10)
	}
	return b, err
}

func (ss *session) data() bool {
	switch {
	case ss.chunk != nil || ss.lost:
		ss.reply("503 5.5.1 DATA after BDAT")
		return true
	case len(ss.to) == 0:
		ss.reply("503 5.5.1 No valid recipients")
		return true
	case ss.drop == dropAtData:
		return false
	}
	b, err := ss.newBody()
	if err != nil {
		ss.reply("452 4.3.1 The practice server cannot write the letter")
		return true
	}
	ss.reply("354 End data with <CR><LF>.<CR><LF>")
	most := int64(-1)
	if ss.drop == dropInBody {
		most = 64
	}
	if err := readDot(ss.r, b, most); err != nil {
		b.discard()
		return false
	}
	return ss.done(b)
}

// done ends a transaction whose letter is whole.
func (ss *session) done(b *body) bool {
	drop, from, to := ss.drop, ss.from, ss.to
	ss.chunk = nil
	ss.reset()
	b.finish()
	if b.wrong != "" || drop == dropInBody || drop == dropBeforeDot {
		b.discard()
		if b.wrong == "" {
			return false
		}
		ss.reply(b.wrong)
		return true
	}
	l := Letter{Time: time.Now(), From: from, To: to, Size: b.size, MessageID: headField(b.head, "Message-ID")}
	l.Subject = headField(b.head, "Subject")
	if strings.Contains(l.Subject, "=?") {
		if text, err := new(mime.WordDecoder).DecodeHeader(l.Subject); err == nil {
			l.Subject = text
		}
	}
	l, err := ss.s.keep.add(l, b.file)
	if err != nil {
		b.discard()
		ss.reply("452 4.3.1 The practice server cannot keep the letter")
		return true
	}
	ss.letters++
	if ss.s.opts.OnLetter != nil {
		ss.s.opts.OnLetter(l)
	}
	if drop == dropAfterDot {
		return false
	}
	ss.reply(fmt.Sprintf("250 2.0.0 Ok: kept as %d", l.N))
	if drop == dropAfterOK {
		_ = ss.w.Flush()
		return false
	}
	return true
}

// bdat takes a chunk, RFC 3030 §2. The octets of a chunk that is refused are read all the same, since the client has
// sent them already.
func (ss *session) bdat(arg string) bool {
	var n int64
	fields := strings.Fields(arg)
	last := len(fields) == 2 && strings.EqualFold(fields[1], "LAST")
	if len(fields) == 0 || len(fields) > 2 || len(fields) == 2 && !last {
		ss.reply("501 5.5.4 Syntax: BDAT octets [LAST]")
		_ = ss.w.Flush()
		return false // what follows cannot be told from commands
	}
	if _, err := fmt.Sscanf(fields[0], "%d", &n); err != nil || n < 0 {
		ss.reply("501 5.5.4 Bad chunk size")
		_ = ss.w.Flush()
		return false
	}
	refusal := ""
	switch {
	case ss.lost:
		refusal = "503 5.5.1 A chunk before this one failed"
	case len(ss.to) == 0:
		refusal = "503 5.5.1 No valid recipients"
	case ss.drop == dropAtData:
		return false
	case ss.chunk == nil:
		var err error
		if ss.chunk, err = ss.newBody(); err != nil {
			refusal = "452 4.3.1 The practice server cannot write the letter"
		}
	}
	if refusal != "" {
		ss.lost = true
		if _, err := io.CopyN(io.Discard, ss.r, n); err != nil {
			return false
		}
		ss.reply(refusal)
		return true
	}
	if _, err := io.CopyN(bodyWriter{ss.chunk}, ss.r, n); err != nil || ss.drop == dropInBody {
		return false
	}
	switch {
	case last:
		return ss.done(ss.chunk)
	case ss.chunk.wrong != "":
		ss.lost = true
		ss.reply(ss.chunk.wrong)
	default:
		ss.reply(fmt.Sprintf("250 2.0.0 %d octets received", n))
	}
	return true
}

type bodyWriter struct{ b *body }

func (w bodyWriter) Write(p []byte) (int, error) {
	w.b.add(p)
	return len(p), nil
}
