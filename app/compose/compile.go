package compose

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"hongyan/app/model"
)

// Options are what a letter is compiled with.
type Options struct {
	MaxSize int64 // octets of a whole message; 0: DefaultMaxSize
}

// Compiled is a letter made ready to be written to many. It is safe for concurrent use.
type Compiled struct {
	letter   model.Letter
	uses     []FieldUse
	subject  []op
	text     []op
	html     []op // nil for a text letter
	markdown []op // nil but for a Markdown letter
	squeeze  bool // the text has conditions
	replyTo  mailbox
	limit    int64
	segments []segment
	files    int64 // octets of the encoded attachments
}

type mailbox struct{ name, addr string }

// segment is a piece of a message's body: fixed octets, or a part that is filled anew for each recipient.
type segment struct {
	fixed []byte
	ops   []op
	typ   string // of a filled part
	text  bool
}

// Compile reads a letter once. Attachments that have no Data are read from their Path. Errors: letter.syntax,
// letter.attach, letter.attachext, letter.too_big, invalid (reply-to). An empty subject or body is no error here
// but in Check, so that a letter can be previewed while it is written.
func Compile(l model.Letter, opt Options) (*Compiled, error) {
	if opt.MaxSize <= 0 {
		opt.MaxSize = DefaultMaxSize
	}
	l, err := Load(l, opt.MaxSize)
	if err != nil {
		return nil, err
	}
	c := &Compiled{letter: l, limit: opt.MaxSize}
	if strings.TrimSpace(l.ReplyTo) != "" {
		if c.replyTo.name, c.replyTo.addr, err = splitMailbox("reply-to", l.ReplyTo); err != nil {
			return nil, err
		}
	}
	l.Subject, l.Body = cleanHeader(l.Subject), cleanSource(l.Body)
	if len(l.Body) > maxOutput {
		return nil, tooBig(int64(len(l.Body)), maxOutput)
	}
	subject, err := lex("subject", l.Subject)
	if err != nil {
		return nil, err
	}
	if c.subject, err = program("subject", subject, escHeader); err != nil {
		return nil, err
	}
	body, err := lex("body", l.Body)
	if err != nil {
		return nil, err
	}
	c.use("subject", subject)
	c.use("body", body)
	pics := &images{files: l.Attachments, used: map[int]string{}}
	switch l.Format {
	case model.FormatMarkdown, model.FormatHTML, "":
		err = c.compileHTML(l, body, pics)
	case model.FormatText:
		o := opsOf{m: newMarker(l.Body), tags: alone(body)}
		o.add(o.m.mark(o.tags, false), func(string) escape { return escText })
		c.text, err = o.program()
	default:
		err = invalid("format", string(l.Format))
	}
	if err != nil {
		return nil, err
	}
	for _, o := range c.text {
		c.squeeze = c.squeeze || o.tag.kind == tagIf
	}
	c.squeeze = c.squeeze && l.Format != model.FormatText
	c.layOut(pics)
	return c, nil
}

// cleanSource gives a body LF line ends, and takes out what may not stand in a message.
func cleanSource(s string) string {
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	return strings.Map(func(c rune) rune {
		if !cleanRune(c) {
			return -1
		}
		return c
	}, strings.ToValidUTF8(s, "\ufffd"))
}

func (c *Compiled) use(place string, tags []tag) {
	for _, t := range tags {
		if t.kind == tagField || t.kind == tagIf {
			c.uses = append(c.uses, FieldUse{Name: t.text, HasFallback: t.hasFall, Condition: t.kind == tagIf,
				BuiltIn: t.builtin != notBuiltin, Place: place, Line: t.line})
		}
	}
}

func (c *Compiled) compileHTML(l model.Letter, tags []tag, pics *images) error {
	m := newMarker(l.Body)
	p := markup{out: opsOf{m: m, tags: tags}, text: textWriter{m: m, tags: tags}, cid: pics.cid, line: 1}
	var src string
	var err error
	framed := true
	if l.Format == model.FormatHTML {
		src = m.mark(alone(tags), false)
		low := strings.ToLower(src)
		framed = !strings.Contains(low, "<html") && !strings.Contains(low, "<body")
	} else {
		if src, err = renderMarkdown(m, tags); err != nil {
			return err
		}
		p.styles = markdownStyles
		if c.markdown, err = program("body", alone(tags), escMarkdown); err != nil {
			return err
		}
	}
	if framed {
		p.out.lit(htmlHead)
	}
	if err = p.walk(src); err != nil {
		return err
	}
	if framed {
		p.out.lit(htmlFoot)
	}
	if c.html, err = p.out.program(); err != nil {
		return err
	}
	c.text, err = textOps(m, tags, p.text.result())
	return err
}

// layOut fixes the structure: mixed( alternative( text, related( html, images ) ), files ), with only the levels
// that are needed. Boundaries begin with "=_", which neither base64 nor quoted-printable can make, and are the
// same in every message of a letter.
func (c *Compiled) layOut(pics *images) {
	h := sha256.New()
	h.Write([]byte(c.letter.Subject + "\x00" + c.letter.Body))
	for _, a := range c.letter.Attachments {
		h.Write([]byte("\x00" + a.Name))
	}
	key := hex.EncodeToString(h.Sum(nil)[:9])
	boundary := func(level string) string { return "=_" + level + "_" + key }
	multi := func(kind, level string) string {
		return "Content-Type: multipart/" + kind + ";\r\n boundary=\"" + boundary(level) + "\"\r\n\r\n"
	}
	var inline, attached []int
	for i := range c.letter.Attachments {
		if _, ok := pics.used[i]; ok {
			inline = append(inline, i)
		} else {
			attached = append(attached, i)
		}
	}
	open := func(level string) { c.fixed([]byte("--" + boundary(level) + "\r\n")) }
	end := func(level string) { c.fixed([]byte("--" + boundary(level) + "--\r\n")) }
	file := func(level string, i int) {
		open(level)
		data := encodeAttachment(c.letter.Attachments[i], pics.used[i])
		c.files += int64(len(data))
		c.segments = append(c.segments, segment{fixed: data})
	}

	if len(attached) > 0 {
		c.fixed([]byte(multi("mixed", "m")))
		open("m")
	}
	if c.html != nil {
		c.fixed([]byte(multi("alternative", "a")))
		open("a")
	}
	c.segments = append(c.segments, segment{ops: c.text, typ: "text/plain", text: true})
	if c.html != nil {
		open("a")
		if len(inline) > 0 {
			c.fixed([]byte(multi("related", "r")))
			open("r")
		}
		c.segments = append(c.segments, segment{ops: c.html, typ: "text/html"})
		if len(inline) > 0 {
			for _, i := range inline {
				file("r", i)
			}
			end("r")
		}
		end("a")
	}
	for _, i := range attached {
		file("m", i)
	}
	if len(attached) > 0 {
		end("m")
	}
}

// fixed adds octets, joined to fixed ones before them.
func (c *Compiled) fixed(p []byte) {
	if n := len(c.segments); n > 0 && c.segments[n-1].typ == "" && len(c.segments[n-1].fixed) < shareFrom {
		c.segments[n-1].fixed = append(c.segments[n-1].fixed, p...)
		return
	}
	c.segments = append(c.segments, segment{fixed: p})
}

// Fields lists where the letter uses fields, the subject first.
func (c *Compiled) Fields() []FieldUse { return append([]FieldUse(nil), c.uses...) }

// Check tells whether the letter may be sent to people who have the fields known: ELetterEmpty without a subject or
// a body, ELetterField for the first field that nobody has and that has no fallback.
func (c *Compiled) Check(known []string) error {
	if strings.TrimSpace(c.letter.Subject) == "" {
		return model.E(model.ELetterEmpty, nil, "part", "subject")
	}
	if strings.TrimSpace(c.letter.Body) == "" {
		return model.E(model.ELetterEmpty, nil, "part", "body")
	}
	has := make(map[string]bool, len(known))
	for _, k := range known {
		has[k] = true
	}
	for _, u := range c.uses {
		if u.HasFallback || u.BuiltIn || has[u.Name] {
			continue
		}
		names := append([]string{"name", "email"}, known...)
		return model.E(model.ELetterField, nil, "field", u.Name, "place", u.Place, "line", strconv.Itoa(u.Line), "known", strings.Join(names, ", "))
	}
	return nil
}
