package compose

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Recipient is whom a message is made for.
type Recipient struct {
	Email  string // address as sent
	Name   string
	Fields map[string]string
}

// builtin is a field that Hongyan gives a value itself.
type builtin uint8

const (
	notBuiltin builtin = iota
	builtinName
	builtinEmail
	builtinToday
	builtinUnsubscribe
)

var builtins = map[string]builtin{
	"name": builtinName, "姓名": builtinName, "称呼": builtinName,
	"email": builtinEmail, "邮箱": builtinEmail,
	"today": builtinToday, "今天": builtinToday,
	"unsubscribe": builtinUnsubscribe, "退订": builtinUnsubscribe,
}

func builtinOf(name string) builtin { return builtins[strings.ToLower(name)] }

// values gives fields their values for one message.
type values struct {
	r           *Recipient
	today       time.Time
	unsubscribe string // an URL, or ""
	collect     bool
	missing     []string
}

func (v *values) get(t *tag) string {
	switch t.text {
	case "name":
		if v.r.Name != "" {
			return v.r.Name
		}
	case "email":
		return v.r.Email
	}
	if s := strings.TrimSpace(v.r.Fields[t.text]); s != "" {
		return s
	}
	switch t.builtin {
	case builtinName:
		return v.r.Name
	case builtinEmail:
		return v.r.Email
	case builtinToday:
		return v.today.Format("2006-01-02")
	case builtinUnsubscribe:
		return v.unsubscribe
	}
	return ""
}

func (v *values) missed(name string) {
	if !slices.Contains(v.missing, name) {
		v.missing = append(v.missing, name)
	}
}

// escape says what a value is made safe for.
type escape uint8

const (
	escHeader       escape = iota
	escText                // plain text
	escTextURL             // inside a URL in plain text
	escTextURLStart        // its beginning: a whole URL may stand there
	escHTML                // HTML between tags
	escAttr                // a quoted attribute
	escHref                // inside a URL in a quoted attribute
	escHrefStart           // its beginning
	escMarkdown
)

// cleanRune drops what may never stand in a value: control characters but tab and line feed.
func cleanRune(c rune) bool {
	return c >= 0x20 && c != 0x7f && (c < 0x80 || c > 0x9f) || c == '\t' || c == '\n'
}

// headerRune makes a character fit for a header field: no line end of any script, and nothing that turns the
// order of the characters around it; -1 drops it.
func headerRune(c rune) rune {
	switch {
	case c == '\n' || c == '\t' || c == '\r' || c == '\u2028' || c == '\u2029':
		return ' '
	case !cleanRune(c), c >= '\u202a' && c <= '\u202e', c >= '\u2066' && c <= '\u2069', c == '\ufeff':
		return -1
	}
	return c
}

const markdownSpecial = "\\`*_{}[]()#+-.!|<>~&:\"'="

func appendEscaped(dst []byte, v string, e escape) []byte {
	whole := (e == escHrefStart || e == escTextURLStart) && wholeURL(v)
	for _, c := range v {
		if !cleanRune(c) {
			continue
		}
		switch e {
		case escHeader:
			if c = headerRune(c); c < 0 {
				continue
			}
		case escText:
			if c == '\n' {
				dst = append(dst, '\r')
			}
		case escHTML, escAttr:
			if s := entity(c, e); s != "" {
				dst = append(dst, s...)
				continue
			}
		case escHref, escHrefStart, escTextURL, escTextURLStart:
			dst = appendURLRune(dst, c, whole, e == escHrefStart)
			continue
		case escMarkdown:
			if c == '\n' {
				c = ' '
			} else if c < 0x80 && strings.ContainsRune(markdownSpecial, c) {
				dst = append(dst, '\\')
			}
		}
		dst = utf8.AppendRune(dst, c)
	}
	return dst
}

func entity(c rune, e escape) string {
	switch c {
	case '<':
		return "&lt;"
	case '>':
		return "&gt;"
	case '&':
		return "&amp;"
	case '"':
		return "&#34;"
	case '\'':
		return "&#39;"
	case '\n':
		if e == escAttr {
			return " "
		}
		return "<br>"
	}
	return ""
}

// wholeURL tells whether v is a URL of its own: a column of links is a common and honest use. No other scheme
// gets through, so a value can never become a script.
func wholeURL(v string) bool {
	for _, p := range []string{"https://", "http://", "mailto:"} {
		if len(v) > len(p) && strings.EqualFold(v[:len(p)], p) {
			return true
		}
	}
	return false
}

// appendURLRune keeps the unreserved characters of RFC 3986 §2.3 and escapes the rest; a whole URL keeps its
// reserved ones too.
func appendURLRune(dst []byte, c rune, whole, attr bool) []byte {
	switch {
	case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("-_.~", c):
		return append(dst, byte(c)) // #nosec G115 -- ASCII
	case whole && c == '&' && attr:
		return append(dst, "&amp;"...)
	case whole && c < 0x80 && strings.ContainsRune("&:/?#@!$*+,;=%[]", c):
		return append(dst, byte(c)) // #nosec G115 -- ASCII
	}
	var b [4]byte
	for _, x := range b[:utf8.EncodeRune(b[:], c)] {
		dst = append(dst, '%', "0123456789ABCDEF"[x>>4], "0123456789ABCDEF"[x&15])
	}
	return dst
}

var dateForms = []string{"2006-01-02", "2006/1/2", "2006-1-2", "20060102", "2006.1.2", "2006年1月2日", time.RFC3339,
	"2006-01-02 15:04:05", "2006-01-02 15:04", "2006/1/2 15:04:05", "2006/1/2 15:04"}

var dateParts = map[string]string{"YYYY": "2006", "MM": "01", "DD": "02", "M": "1", "D": "2", "hh": "15", "mm": "04"}

// reformat shows a date or number in the form asked; a value that is neither stays as it is.
func reformat(v, form string) string {
	if strings.ContainsAny(form, "YMDhm") {
		for _, f := range dateForms {
			if t, err := time.Parse(f, v); err == nil {
				return formatDate(t, form)
			}
		}
		return v
	}
	n, err := strconv.ParseFloat(strings.ReplaceAll(v, ",", ""), 64)
	if err != nil || n > 1e15 || n < -1e15 || n != n {
		return v
	}
	decimals := 0
	if _, d, ok := strings.Cut(form, "."); ok {
		decimals = min(len(d), 10)
	}
	s := strconv.FormatFloat(n, 'f', decimals, 64)
	if !strings.Contains(form, ",") {
		return s
	}
	whole, frac, dot := strings.Cut(s, ".")
	neg := strings.HasPrefix(whole, "-")
	whole = strings.TrimPrefix(whole, "-")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if neg {
		whole = "-" + whole
	}
	if dot {
		whole += "." + frac
	}
	return whole
}

// formatDate fills the letters of form; anything else in it stands for itself, digits included.
func formatDate(t time.Time, form string) string {
	var b strings.Builder
	for form != "" {
		n := 1
		for n < len(form) && form[n] == form[0] && n < 4 {
			n++
		}
		if layout, ok := dateParts[form[:n]]; ok {
			b.WriteString(t.Format(layout))
		} else {
			b.WriteString(form[:n])
		}
		form = form[n:]
	}
	return b.String()
}
