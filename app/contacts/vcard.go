package contacts

import (
	"encoding/base64"
	"errors"
	"io"
	"mime/quotedprintable"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"

	"hongyan/app/model"
)

const (
	maxCardLine   = 64 << 10 // octets of an unfolded line that are kept
	maxCardValues = 100      // addresses of one card
)

// cardFields are the properties that become fields, with the name of the field.
var cardFields = map[string]string{"TEL": "tel", "ORG": "org", "TITLE": "title", "NICKNAME": "nickname", "NOTE": "note", "BDAY": "bday",
	"URL": "url", "X-QQ": "qq", "X-TENCENT-QQ": "qq"}

// card is what is kept of one entry.
type card struct {
	line                int    // of its BEGIN; 0: no entry is open
	first               string // its first value, to name it by where nothing else does
	full, given, family string
	emails, qqs         []string
	fields              map[string]string
	damaged             bool // a line of it is none
}

// readVCard reads entries of versions 2.1 (as old phones write it), 3.0 (RFC 2426) and 4.0 (RFC 6350). Every
// address of an entry becomes a row; its QQ number is used where it has no good address.
func readVCard(r *run) error {
	in, err := r.open()
	if err != nil {
		return err
	}
	t := &unfolder{t: newRecords(in, 0, r.src.eol)}
	var c card
	for {
		s, no, err := t.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if terr := r.tick(); terr != nil {
			return terr
		}
		if err != nil && !errors.Is(err, errRowLength) {
			return r.src.unreadable(err)
		}
		name, params, value, ok := splitProperty(s)
		err = nil
		switch {
		case !ok:
			c.damaged = c.damaged || strings.TrimSpace(s) != ""
		case name == "BEGIN" && strings.EqualFold(strings.TrimSpace(value), "VCARD"):
			if c.line > 0 { // the one before has no end
				err = r.refuse(c.line, c.label(), ReasonDamaged, "")
			}
			c = card{line: no}
		case name == "END" && c.line > 0:
			err = c.emit(r)
			c = card{}
		case c.line > 0:
			c.property(name, params, value)
		}
		if err != nil {
			return err
		}
	}
	if c.line > 0 { // the file was cut
		return r.refuse(c.line, c.label(), ReasonDamaged, "")
	}
	return nil
}

// label is what a report shows of an entry.
func (c *card) label() string {
	for _, s := range []string{c.name(), strings.Join(c.emails, ", "), strings.Join(c.qqs, ", "), c.fields["tel"], c.first} {
		if s != "" {
			return s
		}
	}
	return "VCARD"
}

func (c *card) name() string {
	for _, s := range []string{c.full, joinName(c.given, c.family), c.fields["nickname"], c.fields["org"]} {
		if s = strings.Join(strings.Fields(s), " "); s != "" {
			return clip(s, maxField)
		}
	}
	return ""
}

// property takes one line of an entry.
func (c *card) property(name string, params []string, value string) {
	if name == "PHOTO" || name == "LOGO" || name == "SOUND" || name == "KEY" {
		return
	}
	value = decodeValue(params, value)
	switch name {
	case "VERSION", "PRODID", "REV", "UID":
		return
	case "FN":
		c.full = unescapeValue(value)
	case "N":
		if p := splitValue(value, ';'); len(p) > 1 {
			c.family, c.given = strings.TrimSpace(p[0]), strings.TrimSpace(p[1])
		} else {
			c.family = strings.TrimSpace(unescapeValue(value))
		}
	case "EMAIL":
		if v := strings.TrimSpace(unescapeValue(value)); v != "" && len(c.emails) < maxCardValues {
			c.emails = append(c.emails, v)
		}
	case "IMPP", "X-IMPP":
		if scheme, v, ok := strings.Cut(value, ":"); ok && len(c.qqs) < maxCardValues && (strings.EqualFold(scheme, "qq") || hasParam(params, "QQ")) {
			c.qqs = append(c.qqs, v)
			c.field("qq", v)
		}
	case "ORG":
		c.field("org", strings.Join(trimBlank(splitValue(value, ';')), " "))
	default:
		key, ok := cardFields[name]
		if !ok {
			break
		}
		v := strings.TrimSpace(unescapeValue(value))
		if key == "tel" && len(v) > 4 && strings.EqualFold(v[:4], "tel:") {
			v = v[4:]
		}
		if key == "qq" && v != "" && len(c.qqs) < maxCardValues {
			c.qqs = append(c.qqs, v)
		}
		c.field(key, v)
	}
	if c.first == "" {
		c.first = value
	}
}

// field keeps the first value of a kind.
func (c *card) field(key, value string) {
	if value == "" || c.fields[key] != "" {
		return
	}
	if c.fields == nil {
		c.fields = map[string]string{}
	}
	c.fields[key] = clip(value, maxField)
}

func hasParam(params []string, word string) bool {
	for _, p := range params {
		if _, v, ok := strings.Cut(p, "="); ok && strings.EqualFold(strings.Trim(v, `"`), word) || strings.EqualFold(p, word) {
			return true
		}
	}
	return false
}

// emit hands on the rows of a finished entry, or says why there is none.
func (c *card) emit(r *run) error {
	var hits []hit
	var misses []miss
	for _, e := range c.emails {
		if email, address, ok := fastAddress(e); ok {
			hits = append(hits, hit{email: email, address: address})
			continue
		}
		h, m := scanCell(e, true)
		hits, misses = append(hits, h...), append(misses, m...)
	}
	if len(hits) == 0 {
		for _, q := range c.qqs {
			if email, reason := columnQQ(q); reason == "" {
				hits, misses = []hit{{email: email, address: email}}, nil
				break
			} else if reason != ReasonNoAddress {
				misses = append(misses, miss{text: q, reason: reason})
			}
		}
	}
	for _, m := range misses {
		if err := r.refuse(c.line, m.text, m.reason, m.hint); err != nil {
			return err
		}
	}
	if len(hits)+len(misses) == 0 {
		reason := ReasonNoAddress
		if c.damaged {
			reason = ReasonDamaged
		}
		return r.refuse(c.line, c.label(), reason, "")
	}
	name := c.name()
	for k, h := range hits {
		if seenBefore(hits[:k], h.email) {
			continue
		}
		row := model.Row{Line: c.line, Email: h.email, Address: h.address, Name: name, Fields: c.fields, NoConsent: r.src.NoConsent()}
		if row.Name == "" {
			row.Name = h.name
		}
		if err := r.row(row); err != nil {
			return err
		}
	}
	return nil
}

// unfolder joins the lines that belong together: a blank at the start of a line continues the one before (RFC
// 6350 §3.2), and so does a "=" at the end of a line of quoted-printable (version 2.1).
type unfolder struct {
	t      *records
	held   string
	heldNo int
	have   bool
	err    error
}

// next gives one whole line and where it begins. Of a line longer than maxCardLine the start is given.
func (u *unfolder) next() (string, int, error) {
	s, no, err := u.take()
	if err != nil {
		return s, no, err
	}
	soft := quotedLine(s)
	if !soft && !u.continues() {
		return s, no, nil
	}
	var b strings.Builder
	b.WriteString(s)
	for {
		switch {
		case soft && strings.HasSuffix(s, "="):
			b.WriteString("\n")
		case u.continues():
		default:
			return b.String(), no, nil
		}
		next, _, err := u.take()
		if err != nil && !errors.Is(err, errRowLength) {
			if errors.Is(err, io.EOF) {
				return b.String(), no, nil
			}
			return "", no, err
		}
		s = next
		if b.Len() >= maxCardLine {
			continue
		}
		if !soft {
			s = s[1:]
		}
		b.WriteString(clip(s, maxCardLine))
	}
}

// quotedLine tells a property in quoted-printable.
func quotedLine(s string) bool {
	head, _, ok := strings.Cut(s, ":")
	return ok && containsFold(head, "quoted-printable")
}

// continues says whether the next line begins with a blank.
func (u *unfolder) continues() bool {
	if !u.have {
		u.held, u.heldNo, u.err = u.read()
		u.have = true
	}
	return u.err == nil && u.held != "" && (u.held[0] == ' ' || u.held[0] == '\t')
}

func (u *unfolder) take() (string, int, error) {
	if u.have {
		u.have = false
		return u.held, u.heldNo, u.err
	}
	return u.read()
}

func (u *unfolder) read() (string, int, error) {
	cells, no, err := u.t.next()
	if err != nil && !errors.Is(err, errRowLength) {
		return "", no, err
	}
	return cells[0], no, err
}

// splitProperty cuts "group.NAME;PARAM=x:value". ok is false where there is no name.
func splitProperty(s string) (name string, params []string, value string, ok bool) {
	quoted := false
	colon := -1
	for i := 0; i < len(s) && colon < 0; i++ {
		switch s[i] {
		case '"':
			quoted = !quoted
		case ':':
			if !quoted {
				colon = i
			}
		}
	}
	if colon < 1 {
		return "", nil, "", false
	}
	head := strings.Split(s[:colon], ";")
	name = head[0]
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		name = name[i+1:]
	}
	return strings.ToUpper(strings.TrimSpace(name)), head[1:], s[colon+1:], name != ""
}

// decodeValue undoes the encodings of version 2.1. What cannot be decoded stays as it is.
func decodeValue(params []string, value string) string {
	var enc encoding.Encoding
	var qp, b64 bool
	for _, p := range params {
		key, v, named := strings.Cut(strings.ToUpper(p), "=")
		if !named {
			v = key
		}
		switch v = strings.Trim(v, `"`); {
		case v == "QUOTED-PRINTABLE":
			qp = true
		case v == "BASE64" || named && key == "ENCODING" && v == "B":
			b64 = true
		case named && key == "CHARSET":
			if e, _, err := charsetByName(v); err == nil {
				enc = e
			}
		}
	}
	if !qp && !b64 {
		return value
	}
	var raw []byte
	var err error
	if qp {
		raw, err = io.ReadAll(quotedprintable.NewReader(strings.NewReader(value)))
	} else {
		raw, err = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(value), ""))
	}
	if err != nil {
		return value
	}
	return plainValue(raw, enc)
}

// plainValue gives decoded octets as text; enc may be nil.
func plainValue(raw []byte, enc encoding.Encoding) string {
	if enc == nil && !utf8.Valid(raw) {
		enc = simplifiedchinese.GB18030 // phones that name no charset mean their own
	}
	if enc != nil {
		if out, err := enc.NewDecoder().Bytes(raw); err == nil {
			raw = out
		}
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, lineEnds(strings.ToValidUTF8(string(raw), "\uFFFD")))
}

// splitValue cuts a structured value and unescapes its parts.
func splitValue(s string, sep byte) []string {
	var out []string
	start := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case sep:
			out = append(out, unescapeValue(s[start:i]))
			start = i + 1
		}
	}
	return append(out, unescapeValue(s[start:]))
}

// unescapeValue undoes the backslashes of RFC 6350 §3.4.
func unescapeValue(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '\\' && i+1 < len(s) {
			i++
			if c = s[i]; c == 'n' || c == 'N' {
				c = '\n'
			}
		}
		b.WriteByte(c)
	}
	return b.String()
}
