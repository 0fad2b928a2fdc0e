package compose

import (
	"crypto/sha256"
	"encoding/base32"
	"io"
	"strings"
	"sync"
	"time"

	"hongyan/app/model"
)

// Envelope is what a message says of its way: everything but the letter and the recipient's fields.
type Envelope struct {
	From     string // address; never encoded
	FromName string // the letter's own name goes first
	To       string // default: the recipient's address
	ReplyTo  string // "addr" or "name <addr>"; the letter's own goes first
	// MessageID has no angle brackets, see MessageID. Default: made of From, recipient and Date.
	MessageID string
	// Date is the campaign's start, the same in a second attempt; zero: now.
	Date time.Time
	// UnsubscribeMailto is an address or a whole mailto: URL, UnsubscribeURL an https one that takes the POST of
	// RFC 8058. Either or both may be "".
	UnsubscribeMailto string
	UnsubscribeURL    string
}

// MessageID makes the id of a message, without angle brackets: SHA-256 of seed NUL email at the domain of
// From, so that a second attempt bears the same one and nobody can tell addresses from it.
func MessageID(seed, email, fromDomain string) string {
	sum := sha256.Sum256([]byte(seed + "\x00" + email))
	domain, ok := asciiDomain(fromDomain)
	if !ok || strings.HasPrefix(domain, "[") {
		domain = "hongyan.invalid"
	}
	return strings.ToLower(base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:20])) + "@" + domain
}

// shareFrom is the size from which fixed octets are written from where they are instead of being copied.
const shareFrom = 16 << 10

// Message is one message, ready to be written. Release gives its memory back; it must not be used after that.
type Message struct {
	buf     []byte
	scratch []byte
	chunks  []chunk
	size    int64
	missing []string
}

// chunk is buf[from:to], then shared.
type chunk struct {
	from, to int
	shared   []byte
}

var messages = sync.Pool{New: func() any { return new(Message) }}

// Message makes the message for r. Errors, before anything is written: invalid (an address), letter.too_big.
func (c *Compiled) Message(r Recipient, env Envelope) (*Message, error) {
	m, ok := messages.Get().(*Message)
	if !ok {
		m = new(Message)
	}
	if err := c.build(m, &r, &env, nil); err != nil {
		m.Release()
		return nil, err
	}
	return m, nil
}

// Size is the length of the message in octets, before dot-stuffing.
func (m *Message) Size() int64 { return m.size }

// Missing lists fields that were empty for this recipient and have no fallback.
func (m *Message) Missing() []string { return append([]string(nil), m.missing...) }

// WriteTo writes the message: CRLF line ends, 7-bit, no line longer than 998 octets, not dot-stuffed.
func (m *Message) WriteTo(w io.Writer) (int64, error) {
	var n int64
	for _, c := range m.chunks {
		for _, p := range [2][]byte{m.buf[c.from:c.to], c.shared} {
			if len(p) == 0 {
				continue
			}
			k, err := w.Write(p)
			if n += int64(k); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// Release gives the message's memory back for another one.
func (m *Message) Release() {
	if cap(m.buf) > 1<<20 {
		return // one large letter must not stay in memory for ever
	}
	clear(m.chunks)
	*m = Message{buf: m.buf[:0], scratch: m.scratch[:0], chunks: m.chunks[:0]}
	messages.Put(m)
}

// WriteTo makes and writes the message for r in one go; the same octets as Render gives.
func (c *Compiled) WriteTo(w io.Writer, r Recipient, env Envelope) (int64, error) {
	m, err := c.Message(r, env)
	if err != nil {
		return 0, err
	}
	defer m.Release()
	return m.WriteTo(w)
}

// Render shows the message for r: its Raw is what WriteTo writes.
func (c *Compiled) Render(r Recipient, env Envelope) (model.Rendered, error) {
	var out model.Rendered
	m, ok := messages.Get().(*Message)
	if !ok {
		m = new(Message)
	}
	defer m.Release()
	if err := c.build(m, &r, &env, &out); err != nil {
		return model.Rendered{}, err
	}
	var raw strings.Builder
	raw.Grow(int(m.size))
	if _, err := m.WriteTo(&raw); err != nil {
		return model.Rendered{}, err
	}
	out.Raw, out.Size, out.Missing = []byte(raw.String()), m.size, m.Missing()
	return out, nil
}

// build fills m, and show when it is not nil.
func (c *Compiled) build(m *Message, r *Recipient, env *Envelope, show *model.Rendered) error {
	if env.Date.IsZero() {
		env.Date = time.Now()
	}
	v := values{r: r, today: env.Date, unsubscribe: env.UnsubscribeURL, collect: true, missing: m.missing}
	mailto := env.UnsubscribeMailto
	if mailto != "" && !strings.HasPrefix(strings.ToLower(mailto), "mailto:") {
		mailto = "mailto:" + mailto
	}
	if v.unsubscribe == "" {
		v.unsubscribe = mailto
	}
	if err := c.header(m, &v, env, mailto, show); err != nil {
		return err
	}
	start := 0
	for i := range c.segments {
		s := &c.segments[i]
		if s.typ == "" {
			if len(s.fixed) < shareFrom {
				m.buf = append(m.buf, s.fixed...)
				continue
			}
			m.chunks = append(m.chunks, chunk{start, len(m.buf), s.fixed})
			m.size += int64(len(s.fixed))
			start = len(m.buf)
			continue
		}
		var err error
		if m.scratch, err = run(m.scratch[:0], s.ops, &v); err != nil {
			return err
		}
		if s.text && c.squeeze {
			m.scratch = squeeze(m.scratch, 0)
		}
		enc := transferFor(m.scratch)
		m.buf = append(append(append(m.buf, "Content-Type: "...), s.typ...), "; charset=utf-8\r\nContent-Transfer-Encoding: "...)
		m.buf = append(append(m.buf, enc.String()...), "\r\n\r\n"...)
		m.buf = appendEncoded(m.buf, m.scratch, enc)
		if len(c.segments) > 1 && enc != transferBase64 {
			m.buf = append(m.buf, crlf...) // the one before a boundary is the boundary's, RFC 2046 §5.1.1
		}
		if show != nil {
			body := strings.ReplaceAll(string(m.scratch), "\r\n", "\n")
			if s.text {
				show.Text = body
			} else {
				show.HTML = body
			}
		}
	}
	m.chunks = append(m.chunks, chunk{start, len(m.buf), nil})
	m.size += int64(len(m.buf))
	m.missing = v.missing
	if m.size > c.limit {
		return tooBig(m.size, c.limit)
	}
	if show != nil && c.markdown != nil {
		md, err := run(nil, c.markdown, &v)
		if err != nil {
			return err
		}
		show.Markdown = string(md)
	}
	return nil
}

func (c *Compiled) header(m *Message, v *values, env *Envelope, mailto string, show *model.Rendered) error {
	var err error
	b := append(m.buf, "Date: "...)
	b = env.Date.AppendFormat(b, "Mon, 02 Jan 2006 15:04:05 -0700")
	field := func(name, display, addr string) string {
		if err != nil {
			return ""
		}
		b = append(append(append(b, "\r\n"...), name...), ": "...)
		from := len(b)
		if b, err = appendMailbox(b, display, addr, len(name)+2); err != nil {
			err = invalid(name, addr)
			return ""
		}
		if show == nil {
			return ""
		}
		if display = cleanHeader(display); display != "" {
			return display + " <" + addr + ">"
		}
		return string(b[from:])
	}
	fromName := c.letter.FromName
	if fromName == "" {
		fromName = env.FromName
	}
	from := field("From", fromName, env.From)
	to, toName := env.To, ""
	if to == "" || to == v.r.Email {
		to, toName = v.r.Email, v.r.Name
	}
	toShown := field("To", toName, to)
	reply := c.replyTo
	if reply.addr == "" && env.ReplyTo != "" && err == nil {
		reply.name, reply.addr, err = splitMailbox("reply-to", env.ReplyTo)
	}
	replyShown := ""
	if reply.addr != "" {
		replyShown = field("Reply-To", reply.name, reply.addr)
	}
	if err != nil {
		return err
	}

	if m.scratch, err = run(m.scratch[:0], c.subject, v); err != nil {
		return err
	}
	subject := cleanHeader(string(m.scratch))
	if len(subject) > maxValue {
		return invalid("subject", subject)
	}
	b = append(b, "\r\nSubject: "...)
	b = appendUnstructured(b, subject, len("Subject: "))

	id := strings.TrimSuffix(strings.TrimPrefix(env.MessageID, "<"), ">")
	if id == "" {
		id = MessageID(env.Date.Format(time.RFC3339Nano)+env.From, v.r.Email, env.From[strings.LastIndexByte(env.From, '@')+1:])
	}
	at := strings.IndexByte(id, '@')
	if at < 1 || !dotAtom(id[:at]) || len(id) > 250 {
		return invalid("Message-ID", id)
	}
	if domain, ok := asciiDomain(id[at+1:]); !ok || domain != id[at+1:] {
		return invalid("Message-ID", id)
	}
	b = append(append(append(b, "\r\nMessage-ID: <"...), id...), '>')

	if mailto != "" {
		if err := checkURL("unsubscribe", mailto, "mailto:"); err != nil {
			return err
		}
		b = append(append(append(b, "\r\nList-Unsubscribe: <"...), mailto...), '>')
	}
	if env.UnsubscribeURL != "" {
		if err := checkURL("unsubscribe", env.UnsubscribeURL, "https://"); err != nil {
			return err
		}
		if mailto != "" {
			b = append(b, ",\r\n <"...)
		} else {
			b = append(b, "\r\nList-Unsubscribe: <"...)
		}
		b = append(append(b, env.UnsubscribeURL...), ">\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click"...)
	}
	m.buf = append(b, "\r\nMIME-Version: 1.0\r\n"...)
	if show != nil {
		show.Subject, show.From, show.To, show.ReplyTo = subject, from, toShown, replyShown
	}
	return nil
}
