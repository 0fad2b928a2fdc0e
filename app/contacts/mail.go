package contacts

import (
	"errors"
	"io"
	"mime"
	"net/mail"
	"net/textproto"
	"regexp"
	"strings"

	"hongyan/app/model"
)

const (
	maxHeaderField = 1 << 20 // octets of one header field that are kept
	maxHeaderLines = 2_000   // of a text that are looked at to tell a mail
)

// peopleFields are the header fields that name correspondents.
var peopleFields = map[string]bool{"From": true, "To": true, "Cc": true, "Bcc": true, "Reply-To": true, "Sender": true,
	"Resent-From": true, "Resent-To": true, "Resent-Cc": true}

// postmarks are header fields that a mail has got on its way, or from the program that wrote it.
var postmarks = []string{"Received", "Return-Path", "Message-Id", "Mime-Version", "Delivered-To", "Dkim-Signature", "X-Mailer", "X-Qq-Mid"}

// reEnvelope is the line before each mail of a mailbox file (RFC 4155).
var reEnvelope = regexp.MustCompile(`^From \S+ .*\d\d?:\d\d`)

// headersOf reads the header fields that a text begins with; nil where it begins with something else.
func headersOf(text string, eol byte) map[string]string {
	var fields map[string]string
	last := ""
	for n := 0; n < maxHeaderLines && text != ""; n++ {
		var s string
		s, text, _ = strings.Cut(text, string(rune(eol)))
		s = strings.TrimRight(s, "\r")
		if s == "" && n == 0 {
			continue
		}
		if s == "" {
			break
		}
		if s[0] == ' ' || s[0] == '\t' {
			if last != "" && len(fields[last]) < maxHeaderField {
				fields[last] += s
			}
			continue
		}
		name, value, ok := headerField(s)
		if !ok {
			return nil
		}
		if fields == nil {
			fields = map[string]string{}
		}
		if last = name; fields[name] == "" {
			fields[name] = value
		}
	}
	return fields
}

// headerField cuts a header field (RFC 5322 §2.2).
func headerField(s string) (name, value string, ok bool) {
	name, value, ok = strings.Cut(s, ":")
	name = strings.TrimRight(name, " \t")
	if !ok || name == "" || len(name) > 76 {
		return "", "", false
	}
	for i := 0; i < len(name); i++ {
		if name[i] <= ' ' || name[i] >= 127 {
			return "", "", false
		}
	}
	return textproto.CanonicalMIMEHeaderKey(name), strings.TrimSpace(value), true
}

// mailShape tells a mailbox file, a mail, and a page that was saved as one; "" for anything else.
func mailShape(text string, eol byte) string {
	text = strings.TrimPrefix(text, bom)
	if strings.HasPrefix(text, "From ") {
		if first, rest, ok := strings.Cut(text, string(rune(eol))); ok && reEnvelope.MatchString(first) && headersOf(rest, eol) != nil {
			return FormatMbox
		}
		return ""
	}
	h := headersOf(text, eol)
	if h == nil {
		return ""
	}
	_, saved := h["Snapshot-Content-Location"]
	kind, _, _ := mime.ParseMediaType(h["Content-Type"])
	// Older browsers write "<Saved by ...>" for the sender.
	posted := h["Received"] != "" || h["Message-Id"] != "" || h["To"] != "" || strings.Contains(h["From"], "@")
	switch {
	case saved, !posted && (kind == "multipart/related" || kind == "text/html" && h["Content-Location"] != ""):
		return FormatMHT
	case h["From"] == "" && h["To"] == "" && h["Sender"] == "":
		return ""
	}
	for _, name := range postmarks {
		if h[name] != "" {
			return FormatEML
		}
	}
	return ""
}

// mailReader gathers the header fields of mails.
type mailReader struct {
	run   *run
	words mime.WordDecoder
	seen  map[string]struct{}
	name  string // of the field that is being gathered
	value strings.Builder
	line  int  // where it began
	cut   bool // it is longer than maxHeaderField, or than a line may be
}

// readMail gives the correspondents of one mail or of all mails of a mailbox file, each once, from the fields that
// name them. What is written in the mails is not looked at.
func readMail(r *run) error {
	in, err := r.open()
	if err != nil {
		return err
	}
	m := &mailReader{run: r, words: mime.WordDecoder{CharsetReader: wordReader}, seen: map[string]struct{}{}}
	lines := newRecords(in, 0, r.src.eol)
	box := r.src.format == FormatMbox
	inHeader, afterBlank := !box, true
	for {
		cells, no, err := lines.next()
		if errors.Is(err, io.EOF) {
			return m.flush()
		}
		if terr := r.tick(); terr != nil {
			return terr
		}
		if err != nil && !errors.Is(err, errRowLength) {
			return r.src.unreadable(err)
		}
		s := cells[0]
		switch {
		case box && afterBlank && strings.HasPrefix(s, "From ") && reEnvelope.MatchString(clip(s, 1024)):
			if err := m.flush(); err != nil {
				return err
			}
			inHeader = true
		case inHeader && s == "":
			if err := m.flush(); err != nil {
				return err
			}
			inHeader = m.line == 0 // blank lines before the first field
		case inHeader:
			if e := m.take(s, no); e != nil {
				return e
			}
			m.cut = m.cut || err != nil && m.name != ""
		}
		afterBlank = s == ""
	}
}

// take takes a line of a header.
func (m *mailReader) take(s string, no int) error {
	if s[0] == ' ' || s[0] == '\t' {
		if m.name != "" {
			m.add(s)
		}
		return nil
	}
	if err := m.flush(); err != nil {
		return err
	}
	name, value, ok := headerField(s)
	if m.line = no; ok && peopleFields[name] {
		m.name = name
		m.add(value)
	}
	return nil
}

func (m *mailReader) add(s string) {
	part := clip(s, max(0, maxHeaderField-m.value.Len()))
	m.value.WriteString(part)
	m.cut = m.cut || len(part) < len(s)
}

// flush hands on the people of a field that is whole.
func (m *mailReader) flush() error {
	value := m.value.String()
	m.value.Reset()
	if m.cut { // the last address of it may lack its end
		m.cut = false
		i := strings.LastIndexByte(value, ',')
		if err := m.run.refuse(m.line, value[i+1:], ReasonRowLength, ""); err != nil {
			return err
		}
		value = value[:max(i, 0)]
	}
	if m.name == "" || !strings.Contains(value, "@") {
		m.name = ""
		return nil
	}
	m.name = ""
	parser := mail.AddressParser{WordDecoder: &m.words}
	var hits []hit
	var misses []miss
	list, err := parser.ParseList(value)
	if err != nil { // not as RFC 5322 has it, yet a person may read it
		hits, misses = scanCell(m.decodeWords(value), false)
	}
	for _, a := range list {
		email, address, ok := fastAddress(a.Address)
		if ok {
			hits = append(hits, hit{email: email, address: address, name: a.Name})
			continue
		}
		h, bad := scanCell(a.Address, false)
		for i := range h {
			h[i].name = a.Name
		}
		hits, misses = append(hits, h...), append(misses, bad...)
	}
	for _, h := range hits {
		if !m.first(h.email) {
			continue
		}
		row := model.Row{Line: m.line, Email: h.email, Address: h.address, Name: m.person(h.name, h.email), NoConsent: true}
		if err := m.run.row(row); err != nil {
			return err
		}
	}
	for _, b := range misses {
		if !m.first(b.text) {
			continue
		}
		if err := m.run.refuse(m.line, b.text, b.reason, b.hint); err != nil {
			return err
		}
	}
	return nil
}

// first says whether an address comes for the first time, as far as there is room to remember.
func (m *mailReader) first(s string) bool {
	if _, again := m.seen[s]; again {
		return false
	}
	if len(m.seen) < maxSpeakers && len(s) <= maxAddress {
		m.seen[s] = struct{}{}
	}
	return true
}

// person makes a name of what stands by an address. Some programs put an encoded name into quotes, and some write
// the address once more.
func (m *mailReader) person(name, email string) string {
	name = strings.Join(strings.Fields(strings.ToValidUTF8(m.decodeWords(name), "\uFFFD")), " ")
	name = strings.Trim(name, `"' `)
	if strings.EqualFold(name, email) || strings.Contains(name, "@") || strings.Contains(name, "\uFFFD") {
		return ""
	}
	return clip(name, maxField)
}

func (m *mailReader) decodeWords(s string) string {
	if !strings.Contains(s, "=?") {
		return s
	}
	if d, err := m.words.DecodeHeader(s); err == nil {
		return strings.ToValidUTF8(d, "\uFFFD")
	}
	return s
}

// wordReader is decode with the arguments of mime.WordDecoder.
func wordReader(charset string, in io.Reader) (io.Reader, error) { return decode(in, charset) }
