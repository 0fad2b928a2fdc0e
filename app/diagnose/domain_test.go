package diagnose

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"strconv"
	"strings"
	"testing"

	"hongyan/app/diagnose/dnstest"
	"hongyan/app/model"
	"hongyan/assets"
	"hongyan/smtpx"
)

// zone is what a name server of the test knows.
type zone dnstest.Zone

// with adds records to a copy of the zone; without answers a record is taken away.
func (z zone) with(pairs ...any) zone {
	c := zone{}
	for k, v := range z {
		c[k] = v
	}
	for i := 0; i < len(pairs); i += 2 {
		key, _ := pairs[i].(string)
		if v, ok := pairs[i+1].(string); ok {
			c[key] = []string{v}
		} else if v, ok := pairs[i+1].([]string); ok && v != nil {
			c[key] = v
		} else {
			delete(c, key)
		}
	}
	return c
}

func rsaRecord(t *testing.T, bits int) string {
	t.Helper()
	t.Setenv("GODEBUG", "rsa1024min=0") // a key that is too short is what is to be found
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(der)
}

// lookAt lets the doctor look at the domain of an account, and asserts that everything it says has a sentence and,
// where something is wrong, a fix, in each language.
func lookAt(t *testing.T, z zone, acct model.Account) string {
	t.Helper()
	r := dnstest.Serve(t, dnstest.Zone(z)).Resolver
	var told []string
	x := &examination{d: &Doctor{Resolver: r, LookupHost: r.LookupHost}, acct: &acct}
	x.progress = func(c Check) {
		told = append(told, c.Name+" "+string(c.Status)+" "+strings.TrimPrefix(strings.TrimPrefix(c.Key, "doctor."), c.Name+"."))
		for _, lang := range assets.Languages {
			texts := assets.For(lang)
			for _, part := range []string{".what", ".do"} {
				s := strings.ReplaceAll(texts.Args(c.Key+part, c.Args), c.Args["record"], "") // which may have braces of its own
				if (part == ".what" || c.Status != Pass) && (!texts.Has(c.Key+part) || strings.ContainsAny(s, "{}")) {
					t.Errorf("%s: %s%s: %q", lang, c.Key, part, s)
				}
			}
			if !texts.Has("doctor." + c.Name) {
				t.Errorf("%s: no name for %s", lang, c.Name)
			}
		}
	}
	x.domain(t.Context())
	return strings.Join(told, ", ")
}

func TestDomain(t *testing.T) {
	key2048, key1024, key512 := rsaRecord(t, 2048), rsaRecord(t, 1024), rsaRecord(t, 512)
	exmail := model.Account{From: "shop@books.cn", Host: "smtp.exmail.qq.com", Provider: "exmail"}
	own := model.Account{From: "shop@news.books.cn", Host: "mail.books.cn"}
	ses := model.Account{From: "shop@books.cn", Host: "email-smtp.eu-west-1.amazonaws.com", Provider: "ses"}
	good := zone{
		"MX books.cn": {"mxbiz1.qq.com."}, "TXT books.cn": {"google-site-verification=x", "v=spf1 include:spf.mail.qq.com ~all"},
		"TXT spf.mail.qq.com": {"v=spf1 include:qq-a.mail.qq.com -all"}, "TXT qq-a.mail.qq.com": {"v=spf1 ip4:101.91.43.0/25 -all"},
		"TXT default._domainkey.books.cn": {key2048}, "TXT _dmarc.books.cn": {"v=DMARC1; p=quarantine; sp=reject; rua=mailto:d@books.cn"},
	}
	host := zone{
		"MX news.books.cn": {"mail.books.cn."}, "A mail.books.cn": {"203.0.113.25"}, "TXT news.books.cn": {"v=spf1 ip4:203.0.113.0/27 -all"},
		"TXT _dmarc.books.cn": {"v=DMARC1; p=none; sp=reject"},
	}
	many := make([]string, 0, 11)
	for i := range 11 {
		many = append(many, "a:h"+strconv.Itoa(i)+".books.cn")
	}
	const fine = "mx pass ok, spf pass ok, dkim pass ok, dmarc pass ok"
	for _, c := range []struct {
		name string
		z    zone
		acct model.Account
		want string
	}{
		{"all in order", good, exmail, fine},
		{"a key that is signed with Ed25519", good.with("TXT default._domainkey.books.cn", "v=DKIM1; k=ed25519; p="+base64.StdEncoding.EncodeToString(make([]byte, 32))), exmail, fine},
		{"by redirect", good.with("TXT books.cn", "v=spf1 redirect=spf.mail.qq.com"), exmail, fine},
		{"a record that includes itself", good.with("TXT books.cn", "v=spf1 redirect=spf.mail.qq.com", "TXT spf.mail.qq.com", "v=spf1 include:spf.mail.qq.com -all"), exmail,
			"mx pass ok, spf fail lookups, dkim pass ok, dmarc pass ok"},
		{"nothing at all", zone{"A books.cn": {"203.0.113.1"}}, exmail, "mx warn none, spf fail none, dkim warn none, dmarc warn none"},
		{"takes no mail", good.with("MX books.cn", "."), exmail, "mx fail null, spf pass ok, dkim pass ok, dmarc pass ok"},
		{"the name server fails", good.with("TXT books.cn", "fail"), exmail, "mx pass ok, spf warn domain.dns, dkim pass ok, dmarc pass ok"},

		{"two SPF records", good.with("TXT books.cn", []string{"v=spf1 include:spf.mail.qq.com ~all", "V=SPF1 -all"}), exmail, "mx pass ok, spf fail many, dkim pass ok, dmarc pass ok"},
		{"another provider's SPF", good.with("TXT books.cn", "v=spf1 ip4:203.0.113.9 include:_spf.google.com -all", "TXT _spf.google.com", "v=spf1 -all"), exmail,
			"mx pass ok, spf fail missing, dkim pass ok, dmarc pass ok"},
		{"included, but not let through", good.with("TXT books.cn", "v=spf1 ?include:spf.mail.qq.com -all"), exmail, "mx pass ok, spf fail missing, dkim pass ok, dmarc pass ok"},
		{"behind the end", good.with("TXT books.cn", "v=spf1 -all include:spf.mail.qq.com"), exmail, "mx pass ok, spf fail missing, dkim pass ok, dmarc pass ok"},
		{"everybody may", good.with("TXT books.cn", "v=spf1 +all"), exmail, "mx pass ok, spf warn open, dkim pass ok, dmarc pass ok"},
		{"eleven look-ups", good.with("TXT books.cn", "v=spf1 "+strings.Join(many, " ")+" -all"), exmail, "mx pass ok, spf fail lookups, dkim pass ok, dmarc pass ok"},
		{"an include that leads nowhere", good.with("TXT books.cn", "v=spf1 include:gone.example.net -all"), exmail, "mx pass ok, spf fail syntax, dkim pass ok, dmarc pass ok"},
		{"a word that is none", good.with("TXT books.cn", "v=spf1 includes:spf.mail.qq.com -all"), exmail, "mx pass ok, spf fail syntax, dkim pass ok, dmarc pass ok"},
		{"an address that is none", good.with("TXT books.cn", "v=spf1 ip4:203.0.113.999 -all"), exmail, "mx pass ok, spf fail syntax, dkim pass ok, dmarc pass ok"},
		{"a macro", good.with("TXT books.cn", "v=spf1 include:%{d}.spf.example.net exists:%{i}.x -all"), exmail, "mx pass ok, spf warn unsure, dkim pass ok, dmarc pass ok"},

		{"own server, by its net", host, own, "mx pass ok, spf pass ok, dkim warn none, dmarc pass ok"},
		{"own server, by its name", host.with("TXT news.books.cn", "v=spf1 a:mail.books.cn -all"), own, "mx pass ok, spf pass ok, dkim warn none, dmarc pass ok"},
		{"own server, by its MX", host.with("TXT news.books.cn", "v=spf1 mx -all"), own, "mx pass ok, spf pass ok, dkim warn none, dmarc pass ok"},
		{"own server, elsewhere", host.with("TXT news.books.cn", "v=spf1 ip4:198.51.100.1 ip6:2001:db8::/32 -all"), own, "mx pass ok, spf warn unsure, dkim warn none, dmarc warn strict"},
		{"own server, a policy for the domain above only", host.with("TXT news.books.cn", nil, "TXT _dmarc.books.cn", "v=DMARC1; p=none"), own,
			"mx pass ok, spf fail none, dkim warn none, dmarc warn unproved"},

		{"SES has its own bounces' domain", good.with("TXT default._domainkey.books.cn", nil), ses, "mx pass ok, spf warn missing, dkim warn none, dmarc warn strict"},

		{"a weak key", good.with("TXT default._domainkey.books.cn", key1024), exmail, "mx pass ok, spf pass ok, dkim warn weak, dmarc pass ok"},
		{"a key that is too short", good.with("TXT default._domainkey.books.cn", key512), exmail, "mx pass ok, spf pass ok, dkim fail short, dmarc pass ok"},
		{"a key cut in two", good.with("TXT default._domainkey.books.cn", key2048[:200]), exmail, "mx pass ok, spf pass ok, dkim fail bad, dmarc pass ok"},
		{"a key withdrawn", good.with("TXT default._domainkey.books.cn", "v=DKIM1; p="), exmail, "mx pass ok, spf pass ok, dkim warn revoked, dmarc pass ok"},
		{"an old key beside the new", good.with("TXT s1._domainkey.books.cn", "v=DKIM1; p=", "TXT s2._domainkey.books.cn", key1024), exmail, fine},
		{"a wildcard is no key", good.with("TXT default._domainkey.books.cn", "v=spf1 -all"), exmail, "mx pass ok, spf pass ok, dkim warn none, dmarc pass ok"},

		{"nothing vouches", good.with("TXT books.cn", "v=spf1 -all", "TXT default._domainkey.books.cn", key512), exmail, "mx pass ok, spf fail missing, dkim fail short, dmarc fail refused"},
		{"two policies", good.with("TXT _dmarc.books.cn", []string{"v=DMARC1; p=none", "v=DMARC1; p=reject"}), exmail, "mx pass ok, spf pass ok, dkim pass ok, dmarc fail many"},
		{"a policy that is none", good.with("TXT _dmarc.books.cn", "v=DMARC1; p=refuse"), exmail, "mx pass ok, spf pass ok, dkim pass ok, dmarc fail syntax"},

		{"a known provider's domain", good, model.Account{From: "a@qq.com", Host: "smtp.qq.com"}, ""},
		{"nobody's domain", good, model.Account{From: "a@example.org", Host: "localhost"}, ""},
		{"the practice server", good, model.Account{From: "a@books.cn", Host: "127.0.0.1", Provider: "practice"}, ""},
		{"no domain", good, model.Account{From: "a@[127.0.0.1]", Host: "localhost"}, ""},
		{"an international domain", zone{"MX xn--fiq228c.cn": {"mx.books.cn."}, "TXT xn--fiq228c.cn": {"v=spf1 include:spf.mail.qq.com -all"}, "TXT spf.mail.qq.com": {"v=spf1 -all"}},
			model.Account{From: "a@中文.cn", Host: "smtp.exmail.qq.com"}, "mx pass ok, spf pass ok, dkim warn none, dmarc warn none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := lookAt(t, c.z, c.acct); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestDomainAfterTheLogin: what the domain says is told of an account that can send, and does not make it unfit.
func TestDomainAfterTheLogin(t *testing.T) {
	z := zone{"A books.cn": {"203.0.113.1"}}
	lines := []string{"220 hi\r\n", "250 mx\r\n", "250 ok\r\n"}
	addr := listen(t, says(lines...))
	acct := model.Account{From: "shop@books.cn", Host: "127.0.0.1", Port: 25, TLS: model.TLSNone}
	r, told := examineWith(t, acct, addr, smtpx.Config{TLS: smtpx.TLSNone}, dnstest.Serve(t, dnstest.Zone(z)).Resolver)
	if !r.OK || !strings.HasSuffix(told, "from pass, mx warn, spf fail, dkim warn, dmarc warn") {
		t.Errorf("ok %v, %s", r.OK, told)
	}
}
