package contacts

import (
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// AddressError says why an address was refused. Reason is a key "reject.<Reason>" in the language files; Hint
// is a likely correction, or "".
type AddressError struct{ Reason, Hint string }

func (e *AddressError) Error() string {
	if e.Hint != "" {
		return "address refused: " + e.Reason + ", perhaps " + e.Hint
	}
	return "address refused: " + e.Reason
}

// Lengths of RFC 5321 §4.5.3.1, in octets. A path is 256 with its angle brackets, so an address is 254; a
// name in the DNS is 253 when written with dots.
const (
	maxLocal   = 64
	maxDomain  = 253
	maxLabel   = 63
	maxAddress = 254
)

var idnaProfile = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.Transitional(false),
	idna.StrictDomainName(true), idna.VerifyDNSLength(true))

// Normalise reads one mail address as people write it: full-width letters, "mailto:", "name <addr>", "addr
// (name)", "user (at) host [dot] com". It gives the key under which the address is known (in lower case,
// the domain in A-labels) and the address as it is to be shown and sent. The error is an *AddressError.
func Normalise(s string) (email, address string, err error) {
	if email, address, ok := fastAddress(s); ok {
		return email, address, nil
	}
	hits, misses := scanCell(s, false)
	switch {
	case len(hits) == 1 && len(misses) == 0:
		return hits[0].email, hits[0].address, nil
	case len(misses) > 0:
		return "", "", &AddressError{misses[0].reason, misses[0].hint}
	case len(hits) > 1:
		return "", "", &AddressError{Reason: ReasonSyntax}
	}
	return "", "", &AddressError{Reason: ReasonNoAddress}
}

// fastAddress takes the road of most rows: plain ASCII, one @, nothing to repair.
func fastAddress(s string) (email, address string, ok bool) {
	s = strings.TrimSpace(s)
	at := strings.IndexByte(s, '@')
	if at < 1 || at > maxLocal || len(s) > maxAddress || s[0] == '\'' || !dotAtom(s[:at]) {
		return "", "", false
	}
	domain := s[at+1:]
	if !ldh(domain) || strings.Contains(domain, "xn--") {
		return "", "", false
	}
	email = strings.ToLower(s)
	if typo(email[at+1:]) != "" || notQQ(email[:at], email[at+1:]) {
		return "", "", false
	}
	if address = s; hasUpper(domain) {
		address = s[:at+1] + email[at+1:]
	}
	return email, address, true
}

// notQQ tells a number before @qq.com that is shorter or longer than QQ numbers and phone numbers are: it is a piece of
// one, and its letter would go to a stranger or nobody.
func notQQ(local, domain string) bool {
	return (len(local) < 5 || len(local) > 11) && domain == "qq.com" && isDigits(local)
}

func hasUpper(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i]-'A' < 26 {
			return true
		}
	}
	return false
}

// atext is RFC 5322 §3.2.3, as a table of ASCII.
var atext = func() (t [128]bool) {
	for _, c := range "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-/=?^_`{|}~" {
		t[c] = true
	}
	return t
}()

// dotAtom checks an ASCII local part: atoms with single dots between them.
func dotAtom(s string) bool {
	if s == "" || s[0] == '.' || s[len(s)-1] == '.' {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '.' {
			if s[i-1] == '.' {
				return false
			}
		} else if c >= 128 || !atext[c] {
			return false
		}
	}
	return true
}

// ldh checks an ASCII domain of two or more labels: letters, digits and inner hyphens (RFC 1123 §2.1), the last
// label not a number.
func ldh(s string) bool {
	if len(s) > maxDomain {
		return false
	}
	start, dots, alpha := 0, 0, false
	for i := 0; i <= len(s); i++ {
		if i < len(s) && s[i] != '.' {
			c := s[i]
			switch {
			case c|0x20 >= 'a' && c|0x20 <= 'z':
				alpha = true
			case c == '-' || c >= '0' && c <= '9':
			default:
				return false
			}
			continue
		}
		if i == start || i-start > maxLabel || s[start] == '-' || s[i-1] == '-' {
			return false
		}
		if i < len(s) {
			dots++
			start, alpha = i+1, false
		}
	}
	return dots > 0 && alpha && len(s)-start >= 2
}

// judge checks the two halves of an address strictly (RFC 5321 §4.1.2, RFC 6531 §3.3) and gives its forms.
func judge(local, domain string) (email, address string, bad *AddressError) {
	key, local, ok := judgeLocal(local)
	if !ok {
		hint := ""
		if fixed := collapseDots(local); fixed != local && dotAtom(fixed) && ldh(domain) {
			hint = fixed + "@" + strings.ToLower(domain)
		}
		return "", "", &AddressError{ReasonLocal, hint}
	}
	if len(local) > maxLocal {
		return "", "", &AddressError{Reason: ReasonTooLong}
	}
	ascii, shown, ok := judgeDomain(domain)
	if !ok {
		if fix := typo(strings.ToLower(domain)); fix != "" {
			return "", "", &AddressError{ReasonTypo, local + "@" + fix}
		}
		if len(domain) > maxDomain {
			return "", "", &AddressError{Reason: ReasonTooLong}
		}
		return "", "", &AddressError{Reason: ReasonDomain}
	}
	if fix := typo(ascii); fix != "" {
		return "", "", &AddressError{ReasonTypo, local + "@" + fix}
	}
	if notQQ(key, ascii) {
		return "", "", &AddressError{Reason: ReasonNumber}
	}
	email, address = key+"@"+ascii, local+"@"+shown
	if len(email) > maxAddress || len(address) > maxAddress {
		return "", "", &AddressError{Reason: ReasonTooLong}
	}
	if !isASCII(local) && asciiOnly[ascii] {
		return "", "", &AddressError{Reason: ReasonLocal}
	}
	return email, address, nil
}

// judgeLocal gives the key of a local part and its canonical form: quotes go where they are not needed. An
// apostrophe at the start is one that a spreadsheet left behind.
func judgeLocal(s string) (key, canon string, ok bool) {
	if strings.HasPrefix(strings.TrimLeft(s, `"\`), "'") {
		return "", s, false
	}
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		var b strings.Builder
		in := s[1 : len(s)-1]
		for i := 0; i < len(in); i++ {
			c := in[i]
			if c == '\\' && i+1 < len(in) {
				i++
				c = in[i]
			} else if c == '"' || c == '\\' {
				return "", s, false
			}
			if c < 32 || c > 126 {
				return "", s, false
			}
			b.WriteByte(c)
		}
		plain := b.String()
		if plain == "" {
			return "", s, false
		}
		if dotAtom(plain) {
			return strings.ToLower(plain), plain, true
		}
		canon = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(plain) + `"`
		return strings.ToLower(canon), canon, true
	}
	if dotAtom(s) {
		return strings.ToLower(s), s, true
	}
	if isASCII(s) || !utf8.ValidString(s) {
		return "", s, false
	}
	s = norm.NFC.String(s)
	if s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..") {
		return "", s, false
	}
	for _, r := range s {
		if r < 128 && (r == '.' || atext[r]) || r >= 128 && (unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r)) {
			continue
		}
		return "", s, false
	}
	key = norm.NFC.String(strings.ToLower(s))
	return key, s, len(key) <= maxLocal
}

// judgeDomain gives a domain in A-labels and as it is shown, or says that it is none.
func judgeDomain(s string) (ascii, shown string, ok bool) {
	if strings.HasPrefix(s, "[") {
		return judgeLiteral(s)
	}
	if ldh(s) {
		low := strings.ToLower(s)
		if !strings.Contains(low, "xn--") {
			return low, low, true
		}
		if back, err := idnaProfile.ToASCII(low); err != nil || back != low {
			return "", "", false
		}
		return low, low, true
	}
	if isASCII(s) {
		return "", "", false
	}
	a, err := idnaProfile.ToASCII(s)
	if err != nil || !ldh(a) {
		return "", "", false
	}
	u, err := idnaProfile.ToUnicode(a)
	if err != nil {
		return "", "", false
	}
	for _, r := range u {
		if r >= 128 && !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r) && r != '\u00B7' && r != '\u30FB' {
			return "", "", false // a symbol, which no registry takes (RFC 5892)
		}
	}
	if isASCII(u) {
		u = a
	}
	return a, u, true
}

// judgeLiteral checks an address literal, RFC 5321 §4.1.3.
func judgeLiteral(s string) (ascii, shown string, ok bool) {
	if !strings.HasSuffix(s, "]") {
		return "", "", false
	}
	in := s[1 : len(s)-1]
	if len(in) > 5 && strings.EqualFold(in[:5], "IPv6:") {
		a, err := netip.ParseAddr(in[5:])
		if err != nil || !a.Is6() || a.Zone() != "" {
			return "", "", false
		}
		shown = "[IPv6:" + a.String() + "]"
		return shown, shown, true
	}
	a, err := netip.ParseAddr(in)
	if err != nil || !a.Is4() {
		return "", "", false
	}
	return "[" + a.String() + "]", "[" + a.String() + "]", true
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 128 {
			return false
		}
	}
	return true
}

func collapseDots(s string) string {
	for strings.Contains(s, "..") {
		s = strings.ReplaceAll(s, "..", ".")
	}
	return strings.Trim(s, ".")
}
