package smtpx

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Address is an envelope address: only ParseAddress makes one. The zero Address is the null reverse-path.
type Address struct{ local, domain string }

// ErrAddress is the cause of every refusal of ParseAddress.
var ErrAddress = errors.New("not a mailbox address")

// ParseAddress parses one bare address strictly (RFC 5321 §4.1.2, RFC 6531 §3.3): no display name, no brackets,
// no comments, no space. A quoted local part stays quoted where it has to be. The domain becomes its A-labels,
// or is an address literal.
func ParseAddress(s string) (Address, error) {
	if len(s) > 254 {
		return Address{}, fmt.Errorf("%w: longer than 254 octets", ErrAddress)
	}
	if !utf8.ValidString(s) {
		return Address{}, fmt.Errorf("%w: not UTF-8", ErrAddress)
	}
	local, rest, err := parseLocal(s)
	if err != nil {
		return Address{}, err
	}
	if rest == "" || rest[0] != '@' {
		return Address{}, fmt.Errorf("%w: no @ behind the local part", ErrAddress)
	}
	if len(local) > 64 {
		return Address{}, fmt.Errorf("%w: local part longer than 64 octets", ErrAddress)
	}
	domain, err := parseDomain(rest[1:])
	if err != nil {
		return Address{}, err
	}
	return Address{local, domain}, nil
}

// String is the address as it goes into the envelope; "" for the null reverse-path.
func (a Address) String() string {
	if a.IsZero() {
		return ""
	}
	return a.local + "@" + a.domain
}

// Local is the local part, quoted where it has to be.
func (a Address) Local() string { return a.local }

// Domain is the domain in A-labels, or an address literal.
func (a Address) Domain() string { return a.domain }

// IsZero says whether a is the null reverse-path.
func (a Address) IsZero() bool { return a.domain == "" }

// NeedsUTF8 says whether the address cannot be used without SMTPUTF8 (RFC 6531).
func (a Address) NeedsUTF8() bool {
	for i := 0; i < len(a.local); i++ {
		if a.local[i] >= utf8.RuneSelf {
			return true
		}
	}
	return false
}

func isAtext(c rune) bool {
	if c >= utf8.RuneSelf {
		return unicode.IsPrint(c)
	}
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", c)
}

func isDotAtom(s string) bool {
	for _, atom := range strings.Split(s, ".") {
		if atom == "" || strings.IndexFunc(atom, func(c rune) bool { return !isAtext(c) }) >= 0 {
			return false
		}
	}
	return true
}

// parseLocal takes the local part off s.
func parseLocal(s string) (local, rest string, err error) {
	if !strings.HasPrefix(s, `"`) {
		i := strings.IndexByte(s, '@')
		if i < 0 || !isDotAtom(s[:i]) {
			return "", "", fmt.Errorf("%w: bad local part", ErrAddress)
		}
		return s[:i], s[i:], nil
	}
	var plain strings.Builder
	for i := 1; i < len(s); {
		c, n := utf8.DecodeRuneInString(s[i:])
		i += n
		if c == '"' {
			if plain.Len() == 0 {
				break
			}
			return quoteLocal(plain.String()), s[i:], nil
		}
		if c == '\\' {
			if i >= len(s) || s[i] < ' ' || s[i] > '~' {
				break
			}
			c = rune(s[i])
			i++
		}
		if c < ' ' || c == 0x7f || c >= utf8.RuneSelf && !unicode.IsPrint(c) {
			break
		}
		plain.WriteRune(c)
	}
	return "", "", fmt.Errorf("%w: bad quoted local part", ErrAddress)
}

func quoteLocal(s string) string {
	if isDotAtom(s) {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

func parseDomain(s string) (string, error) {
	if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") {
		in := s[1 : len(s)-1]
		v6 := strings.TrimPrefix(in, "IPv6:")
		ip, err := netip.ParseAddr(v6)
		if err != nil || ip.Zone() != "" || (v6 != in) != ip.Is6() {
			return "", fmt.Errorf("%w: bad address literal", ErrAddress)
		}
		return s, nil
	}
	d := s
	if strings.IndexFunc(s, func(c rune) bool { return c >= utf8.RuneSelf }) >= 0 || strings.Contains(strings.ToLower(s), "xn--") {
		var err error
		if d, err = idna.Lookup.ToASCII(s); err != nil {
			return "", fmt.Errorf("%w: bad domain: %w", ErrAddress, err)
		}
	}
	if len(d) > 253 {
		return "", fmt.Errorf("%w: domain longer than 253 octets", ErrAddress)
	}
	for _, label := range strings.Split(d, ".") {
		if !isLabel(label) {
			return "", fmt.Errorf("%w: bad domain", ErrAddress)
		}
	}
	return d, nil
}

func isLabel(s string) bool {
	if len(s) < 1 || len(s) > 63 || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}
