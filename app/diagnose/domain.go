package diagnose

import (
	"context"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"

	"hongyan/app/model"
	"hongyan/app/provider"
)

// Resolver looks up what a domain says of itself; *net.Resolver is one.
type Resolver interface {
	LookupTXT(ctx context.Context, name string) ([]string, error)
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
}

// domainTimeout bounds everything that is asked about a domain.
const domainTimeout = 20 * time.Second

// reserved are domains that stand for no one (RFC 2606, RFC 6761, RFC 6762): nobody is asked about them.
var reserved = []string{"example", "example.com", "example.net", "example.org", "test", "invalid", "localhost", "local", "internal", "home.arpa"}

// ownDomain is the domain of a From address when it is the user's own, in ASCII. That of a known provider is in order
// without anybody's doing.
func ownDomain(from string) (string, bool) {
	if _, known := provider.ForAddress(from); known {
		return "", false
	}
	domain, err := idna.Lookup.ToASCII(strings.TrimSuffix(from[strings.LastIndexByte(from, '@')+1:], "."))
	if err != nil || !strings.Contains(domain, ".") || net.ParseIP(domain) != nil || strings.HasPrefix(domain, "[") {
		return "", false
	}
	domain = strings.ToLower(domain)
	for _, r := range reserved {
		if domain == r || strings.HasSuffix(domain, "."+r) {
			return "", false
		}
	}
	return domain, true
}

// server is the provider that sends the account's letters, by its settings.
func server(acct *model.Account) string {
	if p, ok := provider.ForHost(acct.Host); ok {
		return p.Key
	}
	return acct.Provider
}

// domain looks at what DNS says about the domain of an account's From: whether receivers have a reason to believe
// that its letters are genuine. These findings do not make an account unfit: it can send, but may not be believed.
func (x *examination) domain(ctx context.Context) {
	domain, own := ownDomain(x.acct.From)
	if x.d.Resolver == nil || !own || x.acct.Provider == "practice" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, domainTimeout)
	defer cancel()
	x.mx(ctx, domain)
	spf := x.spf(ctx, domain)
	dkim := x.dkim(ctx, domain)
	x.dmarc(ctx, domain, spf, dkim)
}

// txt looks up texts; a name that does not exist has none.
func (x *examination) txt(ctx context.Context, name string) ([]string, error) {
	texts, err := x.d.Resolver.LookupTXT(ctx, name)
	if isNotFound(err) {
		return nil, nil
	}
	return texts, err
}

func isNotFound(err error) bool {
	e, ok := errors.AsType[*net.DNSError](err)
	return ok && e.IsNotFound
}

func (x *examination) mx(ctx context.Context, domain string) {
	mx, err := x.d.Resolver.LookupMX(ctx, domain)
	switch {
	case err != nil && !isNotFound(err):
		x.say("mx", Warn, "doctor.domain.dns", "name", domain)
	case len(mx) == 1 && strings.TrimSuffix(mx[0].Host, ".") == "": // RFC 7505
		x.say("mx", Fail, "doctor.mx.null", "domain", domain)
	case len(mx) == 0:
		x.say("mx", Warn, "doctor.mx.none", "domain", domain)
	default:
		x.say("mx", Pass, "doctor.mx.ok", "domain", domain, "host", strings.TrimSuffix(mx[0].Host, "."))
	}
}

// finding is what SPF and DKIM mean for DMARC.
type finding int

const (
	unsure finding = iota
	fits
	lacks
)

// spfIncludes are the names by which a domain lets a provider send for it; the first is the one to add.
var spfIncludes = map[string][]string{
	"qq": {"spf.mail.qq.com"}, "foxmail": {"spf.mail.qq.com"}, "exmail": {"spf.mail.qq.com"},
	"163": {"spf.163.com"}, "126": {"spf.163.com"}, "yeah": {"spf.163.com"},
	"gmail": {"_spf.google.com"}, "microsoft365": {"spf.protection.outlook.com"}, "outlook": {"spf.protection.outlook.com"},
	"icloud": {"icloud.com"}, "zoho": {"zohomail.com", "zoho.com", "zoho.eu", "zoho.in", "zoho.com.cn", "zohomail.cn"},
	"aliyun": {"spf.qiye.aliyun.com", "spf1.dm.aliyun.com"}, "ses": {"amazonses.com"},
}

func (x *examination) spf(ctx context.Context, domain string) finding {
	key := server(x.acct)
	want := spfIncludes[key]
	add := "a:" + x.acct.Host
	if len(want) > 0 {
		add = "include:" + want[0]
	}
	w := spfWalk{x: x, want: want}
	if len(want) == 0 {
		addrs, err := x.d.LookupHost(ctx, x.acct.Host)
		if err == nil {
			for _, a := range addrs {
				if ip, err := netip.ParseAddr(a); err == nil && !ip.IsLoopback() && !ip.IsPrivate() {
					w.ips = append(w.ips, ip.Unmap())
				}
			}
		}
	}
	record, err := w.walk(ctx, domain, 0)
	args := []string{"domain", domain, "record", record, "add", add}
	missing := Fail
	if key == "ses" {
		missing = Warn // its bounces go to its own domain, which SPF is asked of
	}
	switch {
	case errors.Is(err, errSPFMany):
		x.say("spf", Fail, "doctor.spf.many", args...)
	case errors.Is(err, errSPFLookups):
		x.say("spf", Fail, "doctor.spf.lookups", args...)
	case errors.Is(err, errSPFSyntax):
		x.say("spf", Fail, "doctor.spf.syntax", append(args, "detail", w.bad)...)
	case err != nil:
		x.say("spf", Warn, "doctor.domain.dns", "name", domain)
		return unsure
	case record == "":
		x.say("spf", missing, "doctor.spf.none", args...)
	case w.all == '+':
		x.say("spf", Warn, "doctor.spf.open", args...)
		return fits
	case w.found:
		x.say("spf", Pass, "doctor.spf.ok", args...)
		return fits
	case len(want) == 0:
		x.say("spf", Warn, "doctor.spf.unsure", append(args, "host", x.acct.Host)...)
		return unsure
	case w.macro:
		x.say("spf", Warn, "doctor.spf.unsure", append(args, "host", x.acct.Host)...)
		return unsure
	default:
		x.say("spf", missing, "doctor.spf.missing", append(args, "host", x.acct.Host)...)
	}
	if key == "ses" {
		return unsure
	}
	return lacks
}

// dkimSelectors are the names under which keys usually stand; there is no way to list those of a domain.
var dkimSelectors = []string{"default", "dkim", "mail", "smtp", "google", "selector1", "selector2", "s1", "s2", "k1", "k2", "zoho", "zmail",
	"sig1", "fm1", "key1", "mx", "email"}

// dkimKey is what stands under a selector.
type dkimKey struct {
	selector string
	bits     int // of an RSA key; 256 for Ed25519
	revoked  bool
	err      error
}

// errDKIM says that a key record cannot be used.
var errDKIM = errors.New("not a key that receivers can use")

func (x *examination) dkim(ctx context.Context, domain string) finding {
	keys := make([]*dkimKey, len(dkimSelectors))
	var failed error
	var mu sync.Mutex
	var wg sync.WaitGroup
	slots := make(chan struct{}, 6)
	for i, sel := range dkimSelectors {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			texts, err := x.txt(ctx, sel+"._domainkey."+domain)
			if err != nil {
				mu.Lock()
				failed = err
				mu.Unlock()
				return
			}
			for _, t := range texts {
				if k, ok := parseDKIM(t); ok {
					k.selector = sel
					keys[i] = k
				}
			}
		})
	}
	wg.Wait()
	keys = slices.DeleteFunc(keys, func(k *dkimKey) bool { return k == nil })
	// The best one speaks: a domain may keep an old key beside the new.
	slices.SortStableFunc(keys, func(a, b *dkimKey) int { return b.rank() - a.rank() })
	switch {
	case len(keys) == 0 && failed != nil:
		x.say("dkim", Warn, "doctor.domain.dns", "name", "_domainkey."+domain)
	case len(keys) == 0:
		x.say("dkim", Warn, "doctor.dkim.none", "domain", domain)
	default:
		k := keys[0]
		args := []string{"domain", domain, "selector", k.selector, "bits", strconv.Itoa(k.bits)}
		switch {
		case k.err != nil:
			x.say("dkim", Fail, "doctor.dkim.bad", args...)
			return lacks
		case k.revoked:
			x.say("dkim", Warn, "doctor.dkim.revoked", args...)
		case k.bits < 1024 && k.bits != 256:
			x.say("dkim", Fail, "doctor.dkim.short", args...)
			return lacks
		case k.bits == 1024:
			x.say("dkim", Warn, "doctor.dkim.weak", args...)
			return fits
		default:
			x.say("dkim", Pass, "doctor.dkim.ok", args...)
			return fits
		}
	}
	return unsure
}

func (k *dkimKey) rank() int {
	switch {
	case k.err != nil:
		return 1
	case k.revoked:
		return 0
	case k.bits == 256:
		return 3000
	default:
		return k.bits
	}
}

// parseDKIM reads a key record (RFC 6376 §3.6.1); ok is false for a text that is none, such as what a wildcard gives.
func parseDKIM(text string) (*dkimKey, bool) {
	tags := tagList(text)
	p, is := tags["p"]
	if !is || tags["v"] != "" && tags["v"] != "DKIM1" {
		return nil, false
	}
	k := &dkimKey{revoked: p == ""}
	if k.revoked {
		return k, true
	}
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(p), ""))
	if err != nil {
		k.err = errDKIM
		return k, true
	}
	if tags["k"] == "ed25519" {
		if len(der) != ed25519.PublicKeySize {
			k.err = errDKIM
		}
		k.bits = 256
		return k, true
	}
	pub, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		if pub, err = x509.ParsePKCS1PublicKey(der); err != nil {
			k.err = errDKIM
			return k, true
		}
	}
	if r, ok := pub.(*rsa.PublicKey); ok {
		k.bits = r.N.BitLen()
	} else {
		k.err = errDKIM
	}
	return k, true
}

// tagList reads "a=b; c=d".
func tagList(text string) map[string]string {
	tags := map[string]string{}
	for part := range strings.SplitSeq(text, ";") {
		if name, value, ok := strings.Cut(part, "="); ok {
			tags[strings.ToLower(strings.TrimSpace(name))] = strings.TrimSpace(value)
		}
	}
	return tags
}

// dmarc looks at what the domain asks receivers to do with letters that neither SPF nor DKIM vouches for. Hongyan
// names the From address in MAIL FROM too, so SPF, where it fits, is aligned (RFC 7489 §3.1.2).
func (x *examination) dmarc(ctx context.Context, domain string, spf, dkim finding) {
	found, of := []string(nil), domain
	names := []string{domain}
	if org, err := publicsuffix.EffectiveTLDPlusOne(domain); err == nil && org != domain {
		names = append(names, org)
	}
	for _, of = range names {
		texts, err := x.txt(ctx, "_dmarc."+of)
		if err != nil {
			x.say("dmarc", Warn, "doctor.domain.dns", "name", "_dmarc."+of)
			return
		}
		found = slices.DeleteFunc(texts, func(t string) bool { return tagList(t)["v"] != "DMARC1" })
		if len(found) > 0 {
			break
		}
	}
	args := []string{"domain", domain, "of", of}
	switch {
	case len(found) == 0:
		x.say("dmarc", Warn, "doctor.dmarc.none", args...)
		return
	case len(found) > 1:
		x.say("dmarc", Fail, "doctor.dmarc.many", args...)
		return
	}
	tags := tagList(found[0])
	policy := tags["p"]
	if sp := tags["sp"]; sp != "" && of != domain {
		policy = sp
	}
	policy = strings.ToLower(policy)
	args = append(args, "policy", policy)
	switch {
	case !slices.Contains([]string{"none", "quarantine", "reject"}, policy):
		x.say("dmarc", Fail, "doctor.dmarc.syntax", args...)
	case spf == fits || dkim == fits:
		x.say("dmarc", Pass, "doctor.dmarc.ok", args...)
	case policy == "none":
		x.say("dmarc", Warn, "doctor.dmarc.unproved", args...)
	case spf == lacks && dkim != unsure:
		x.say("dmarc", Fail, "doctor.dmarc.refused", args...)
	default:
		x.say("dmarc", Warn, "doctor.dmarc.strict", args...)
	}
}
