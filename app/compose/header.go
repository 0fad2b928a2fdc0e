package compose

import (
	"encoding/base64"
	"net/mail"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"hongyan/app/model"
)

// Lengths of fields: a field's value beyond maxValue octets is refused, as is a word of an URL or an address
// that cannot be folded below the limit of RFC 5322 §2.1.1.
const (
	maxValue = 8 << 10
	maxWord  = 900
	maxEnc   = 75 // an encoded word, RFC 2047 §2
)

func invalid(field, value string) error {
	if len(value) > 200 {
		value = strings.ToValidUTF8(value[:200], "") + "…"
	}
	return model.E(model.EInvalid, nil, "field", field, "value", value)
}

// cleanHeader makes a value fit for a header field: one line, valid UTF-8, no control characters.
func cleanHeader(s string) string {
	for i := 0; ; i++ {
		if i == len(s) {
			return strings.Trim(s, " ")
		}
		if s[i] < 0x20 || s[i] >= 0x7f {
			break
		}
	}
	return strings.Trim(strings.Map(headerRune, strings.ToValidUTF8(s, "\ufffd")), " ")
}

// plainASCII tells whether a clean value can stand as it is: printable ASCII, nothing that reads as an encoded
// word, no word too long to fold.
func plainASCII(s string) bool {
	word := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c < 0x20 || c >= 0x7f:
			return false
		case c == ' ':
			word = 0
		default:
			if word++; word > maxLine-1 {
				return false
			}
		}
	}
	return !strings.Contains(s, "=?")
}

// appendUnstructured appends a clean value, folded; col is the column it starts in.
func appendUnstructured(dst []byte, s string, col int) []byte {
	if !plainASCII(s) {
		return appendWords(dst, s, col, false)
	}
	return appendFolded(dst, s, col)
}

// appendFolded breaks plain text before single spaces, so that unfolding gives it back octet by octet.
func appendFolded(dst []byte, s string, col int) []byte {
	for s != "" {
		// A unit is the spaces in front of a word, and the word.
		n := len(s) - len(strings.TrimLeft(s, " "))
		if i := strings.IndexByte(s[n:], ' '); i >= 0 {
			n += i
		} else {
			n = len(s)
		}
		if s[0] == ' ' && col+n > maxLine+2 && n > strings.Count(s[:n], " ") {
			dst = append(dst, crlf...)
			col = 0
		}
		dst = append(dst, s[:n]...)
		col += n
		s = s[n:]
	}
	return dst
}

// appendWords appends encoded words, RFC 2047: none longer than 75, no line longer than 76, no character torn
// apart. In a phrase (a display name) only base64 is used, whose alphabet is allowed there.
func appendWords(dst []byte, s string, col int, phrase bool) []byte {
	q := 0
	for i := 0; i < len(s); i++ {
		if qSafe(s[i]) {
			q++
		} else {
			q += 3
		}
	}
	useQ := !phrase && q < (len(s)+2)/3*4
	const frame = len("=?utf-8?B?") + len("?=")
	for first := true; s != "" || first; first = false {
		room := maxEnc - frame
		if first {
			room = min(room, maxLine-col-frame)
		} else {
			dst = append(dst, "\r\n "...)
		}
		n, width := 0, 0
		for n < len(s) {
			_, size := utf8.DecodeRuneInString(s[n:])
			w := 0
			if useQ {
				for _, c := range []byte(s[n : n+size]) {
					if w++; !qSafe(c) {
						w += 2
					}
				}
				w += width
			} else {
				w = (n + size + 2) / 3 * 4
			}
			if w > room {
				break
			}
			n, width = n+size, w
		}
		if n == 0 && s != "" && first { // no room behind a long field name
			continue
		}
		if useQ {
			dst = append(dst, "=?utf-8?Q?"...)
			for _, c := range []byte(s[:n]) {
				switch {
				case c == ' ':
					dst = append(dst, '_')
				case qSafe(c):
					dst = append(dst, c)
				default:
					dst = append(dst, '=', hexDigits[c>>4], hexDigits[c&15])
				}
			}
		} else {
			dst = append(dst, "=?utf-8?B?"...)
			dst = base64.StdEncoding.AppendEncode(dst, []byte(s[:n]))
		}
		dst = append(dst, "?="...)
		s = s[n:]
	}
	return dst
}

// qSafe tells which octets stand for themselves (or, the space, for an underscore) in a Q word.
func qSafe(c byte) bool {
	return c == ' ' || c > ' ' && c < 0x7f && c != '=' && c != '?' && c != '_'
}

const atextSpecial = "!#$%&'*+-/=?^_`{|}~"

func atext(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte(atextSpecial, c) >= 0
}

// appendMailbox appends a display name (may be "") and an address; col is the column it starts in. Only the
// name is ever encoded, the address stays ASCII.
func appendMailbox(dst []byte, name, addr string, col int) ([]byte, error) {
	if name = cleanHeader(name); name == "" {
		return appendAddress(dst, addr)
	}
	if len(name) > maxValue {
		return nil, invalid("name", name)
	}
	start := len(dst)
	dst = appendPhrase(dst, name, col)
	if end := dst[start:]; len(end)+col+len(" <>")+len(addr) > maxLine+2 || strings.Contains(string(end), "\r\n") {
		dst = append(dst, "\r\n <"...)
	} else {
		dst = append(dst, " <"...)
	}
	dst, err := appendAddress(dst, addr)
	return append(dst, '>'), err
}

// appendPhrase writes a display name, RFC 5322 §3.2.5: atoms as they are, other ASCII quoted, the rest encoded.
func appendPhrase(dst []byte, name string, col int) []byte {
	atoms := true
	for i := 0; i < len(name); i++ {
		if c := name[i]; !atext(c) && (c != ' ' || i > 0 && name[i-1] == ' ') {
			atoms = false
		}
	}
	switch {
	case !plainASCII(name):
		return appendWords(dst, name, col, true)
	case atoms:
		return appendFolded(dst, name, col)
	}
	return appendFolded(dst, `"`+strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name)+`"`, col)
}

// appendAddress appends an addr-spec, RFC 5322 §3.4.1. A local part that is no dot-atom is quoted, or stays as
// quoted as it came; a domain in other letters becomes A-labels. What could end the field, or be read as
// another address, is refused.
func appendAddress(dst []byte, addr string) ([]byte, error) {
	at := strings.LastIndexByte(addr, '@')
	if at < 1 || len(addr) > maxWord {
		return nil, invalid("address", addr)
	}
	local, domain := addr[:at], addr[at+1:]
	switch {
	case dotAtom(local):
		dst = append(dst, local...)
	case quotedString(local):
		dst = append(dst, local...)
	case strings.Trim(local, ".") != "" && dotAtom(strings.ReplaceAll(local, ".", "")): // dots in odd places, as some Japanese providers have them
		dst = append(append(append(dst, '"'), local...), '"')
	default:
		return nil, invalid("address", addr)
	}
	ascii, ok := asciiDomain(domain)
	if !ok {
		return nil, invalid("address", addr)
	}
	return append(append(dst, '@'), ascii...), nil
}

func dotAtom(s string) bool {
	dot := true // a dot may not stand here
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '.' && !dot:
			dot = true
		case atext(s[i]):
			dot = false
		default:
			return false
		}
	}
	return !dot
}

// quotedString tells whether s is one quoted string of printable ASCII, RFC 5321 §4.1.2.
func quotedString(s string) bool {
	if len(s) < 3 || s[0] != '"' || s[len(s)-1] != '"' {
		return false
	}
	for i := 1; i < len(s)-1; i++ {
		switch c := s[i]; {
		case c < 0x20 || c >= 0x7f || c == '"':
			return false
		case c == '\\':
			if i++; i == len(s)-1 || s[i] < 0x20 || s[i] >= 0x7f {
				return false
			}
		}
	}
	return true
}

// asciiDomain gives a domain in letters, digits and hyphens, or an address literal as it is.
func asciiDomain(s string) (string, bool) {
	if n := len(s); n > 2 && s[0] == '[' && s[n-1] == ']' {
		return s, strings.Trim(strings.ToLower(s[1:n-1]), "0123456789abcdef.:ipv") == ""
	}
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			a, err := idna.Lookup.ToASCII(s)
			if err != nil {
				return "", false
			}
			s = a
			break
		}
	}
	if s == "" || s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..") {
		return "", false
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_') {
			return "", false
		}
	}
	return s, true
}

// splitMailbox reads an address that may have a name in front: "desk@example.com" or "Desk <desk@example.com>".
func splitMailbox(field, s string) (name, addr string, err error) {
	s = strings.TrimSpace(s)
	if strings.IndexByte(s, '<') < 0 {
		_, err = appendAddress(nil, s)
		if err != nil {
			return "", "", invalid(field, s)
		}
		return "", s, nil
	}
	a, err := mail.ParseAddress(cleanHeader(s))
	if err != nil {
		return "", "", invalid(field, s)
	}
	return a.Name, a.Address, nil
}

// checkURL refuses what would break out of the angle brackets of List-Unsubscribe, RFC 2369 §2.
func checkURL(field, s string, schemes ...string) error {
	if len(s) > maxWord {
		return invalid(field, s)
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= 0x20 || c >= 0x7f || strings.IndexByte("<>\"\\^`{|}", c) >= 0 {
			return invalid(field, s)
		}
	}
	for _, p := range schemes {
		if len(s) > len(p) && strings.EqualFold(s[:len(p)], p) {
			return nil
		}
	}
	return invalid(field, s)
}
