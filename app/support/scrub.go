package support

import (
	"encoding/base64"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"hongyan/app/model"
	"hongyan/app/provider"
)

// mask stands where a secret stood.
const mask = "****"

// minSecret is the shortest text that is masked: a shorter one would eat half of everything.
const minSecret = 4

// Scrubber takes secrets, and by choice addresses, out of texts. It is not safe for concurrent use.
type Scrubber struct {
	secrets     []string // every form, the longest first
	noAddresses bool

	users, domains, ips map[string]string // what stands for each
	logins              []string          // account names at servers that are no addresses, the longest first
	bare                *regexp.Regexp    // domains and numbers as words of their own; nil: to be made anew
	words               map[string]string // for bare
}

// NewScrubber makes a scrubber. secrets are masked bare, percent-encoded and anywhere inside base64; with noAddresses
// mail addresses, the users' own domains and public IP addresses become pseudonyms.
func NewScrubber(secrets []string, noAddresses bool) *Scrubber {
	s := &Scrubber{noAddresses: noAddresses, users: map[string]string{}, domains: map[string]string{}, ips: map[string]string{}, words: map[string]string{}}
	for _, secret := range secrets {
		if len(secret) < minSecret {
			continue
		}
		s.secrets = append(s.secrets, secret, url.QueryEscape(secret), base64.URLEncoding.EncodeToString([]byte(secret)))
		for skip := range 3 {
			s.secrets = append(s.secrets, inBase64(secret, skip))
		}
	}
	slices.SortFunc(s.secrets, func(a, b string) int { return len(b) - len(a) })
	s.secrets = slices.DeleteFunc(slices.Compact(s.secrets), func(f string) bool { return len(f) < minSecret })
	return s
}

// inBase64 is how a text looks inside something longer in base64, skip octets after a group of three began: the
// characters that depend on its neighbours are left out.
func inBase64(text string, skip int) string {
	enc := base64.RawStdEncoding.EncodeToString([]byte("\x00\x00"[:skip] + text))
	if (skip+len(text))%3 != 0 {
		enc = enc[:len(enc)-1]
	}
	return enc[(skip*8+5)/6:]
}

// Learn makes sure that what an account is known by is hidden wherever it stands, also where it is no address.
func (s *Scrubber) Learn(a *model.Account) {
	if !s.noAddresses {
		return
	}
	s.Text(a.From)
	s.Text(a.User)
	if a.User != "" && !strings.Contains(a.User, "@") && len(a.User) >= minSecret && !slices.Contains(s.logins, a.User) {
		s.logins = append(s.logins, a.User)
		slices.SortStableFunc(s.logins, func(a, b string) int { return len(b) - len(a) })
	}
}

// address finds anything that can be read as a mail address, in any script (RFC 5321, RFC 6531), also inside the
// envelope addresses that are made of another one (VERP).
var address = regexp.MustCompile("[\\p{L}\\p{N}\\p{M}!#$%&'*+/=?^_`{|}~.\\-]+@[\\p{L}\\p{N}\\p{M}](?:[\\p{L}\\p{N}\\p{M}.\\-]*[\\p{L}\\p{N}\\p{M}])?")

var ipv4 = regexp.MustCompile(`\b\d{1,3}(?:\.\d{1,3}){3}\b`)

// Text gives a text without what must not be shown.
func (s *Scrubber) Text(text string) string {
	for _, secret := range s.secrets {
		text = strings.ReplaceAll(text, secret, mask)
	}
	if !s.noAddresses {
		return text
	}
	text = address.ReplaceAllStringFunc(text, s.pseudonym)
	for i, l := range s.logins {
		text = strings.ReplaceAll(text, l, "login"+strconv.Itoa(i+1))
	}
	text = s.bareWords(text)
	return ipv4.ReplaceAllStringFunc(text, func(m string) string {
		ip, err := netip.ParseAddr(m)
		if err != nil || ip.IsLoopback() || ip.IsUnspecified() {
			return m
		}
		return name(s.ips, m, "ip")
	})
}

func name(m map[string]string, key, prefix string) string {
	n, ok := m[key]
	if !ok {
		n = prefix + strconv.Itoa(len(m)+1)
		m[key] = n
	}
	return n
}

func (s *Scrubber) pseudonym(found string) string {
	at := strings.LastIndexByte(found, '@')
	local, domain := found[:at], strings.ToLower(found[at+1:])
	user := name(s.users, strings.ToLower(found), "user")
	d := name(s.domains, domain, "domain")
	if _, known := provider.ForAddress(found); !known && strings.Contains(domain, ".") {
		s.word(domain, d)
	}
	if len(local) >= 5 && strings.Trim(local, "0123456789") == "" { // a QQ or telephone number tells as much
		s.word(local, user)
	}
	return user + "@" + d
}

// word hides a domain or a number where it stands alone too.
func (s *Scrubber) word(w, pseudonym string) {
	if _, known := s.words[w]; !known {
		s.words[w], s.bare = pseudonym, nil
	}
}

func (s *Scrubber) bareWords(text string) string {
	if len(s.words) == 0 {
		return text
	}
	if s.bare == nil {
		ws := make([]string, 0, len(s.words))
		for w := range s.words {
			if p := regexp.QuoteMeta(w); p == w { // a number: whole, or it would eat times and codes
				ws = append(ws, `\b`+w+`\b`)
			} else {
				ws = append(ws, p)
			}
		}
		slices.SortFunc(ws, func(a, b string) int {
			if d := len(b) - len(a); d != 0 {
				return d
			}
			return strings.Compare(a, b)
		})
		s.bare = regexp.MustCompile(`(?i)` + strings.Join(ws, "|"))
	}
	return s.bare.ReplaceAllStringFunc(text, func(m string) string { return s.words[strings.ToLower(m)] })
}

// Value gives a value as JSON knows it (maps, lists, texts), each text of it scrubbed, keys too.
func (s *Scrubber) Value(v any) any {
	switch v := v.(type) {
	case string:
		return s.Text(v)
	case []any:
		for i := range v {
			v[i] = s.Value(v[i])
		}
	case map[string]any:
		out := make(map[string]any, len(v))
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		slices.Sort(keys) // pseudonyms are given in the same order each time
		for _, k := range keys {
			out[s.Text(k)] = s.Value(v[k])
		}
		return out
	}
	return v
}
