package smtpx

import (
	"errors"
	"strings"
	"testing"
)

func TestParseAddress(t *testing.T) {
	for in, want := range map[string]string{
		"user@example.com":                 "",
		"User.Name+tag@Example.COM":        "",
		"a@localhost":                      "",
		"!#$%&'*+-/=?^_`{|}~@example.com":  "",
		"a@[192.0.2.1]":                    "",
		"a@[IPv6:2001:db8::1]":             "",
		`"a b"@example.com`:                "",
		`"a@evil.example>"@good.example`:   "", // stays quoted: unquoted it would go to another domain
		`"a\"\\b"@example.com`:             "",
		`"\a"@example.com`:                 "a@example.com",
		`"plain"@example.com`:              "plain@example.com",
		`"a..b"@example.com`:               "",
		"用户@例子.测试":                         "用户@xn--fsqu00a.xn--0zwm56d",
		"user@例子。测试":                       "user@xn--fsqu00a.xn--0zwm56d",
		"user@BÜCHER.example":              "user@xn--bcher-kva.example",
		"user@xn--fsqu00a.xn--0zwm56d":     "",
		strings.Repeat("a", 64) + "@x.org": "",
	} {
		if want == "" {
			want = in
		}
		a, err := ParseAddress(in)
		if err != nil || a.String() != want || a.Local()+"@"+a.Domain() != want || a.IsZero() {
			t.Errorf("%q: %q, %v", in, a, err)
		}
		if utf := strings.HasPrefix(in, "用户"); a.NeedsUTF8() != utf {
			t.Errorf("%q: NeedsUTF8 is %v", in, !utf)
		}
	}
	if a := (Address{}); !a.IsZero() || a.String() != "" {
		t.Errorf("the zero Address is %q", a)
	}
}

// What could end the address, the command or the path, or add a parameter, is refused.
func TestAddressInjection(t *testing.T) {
	for _, in := range []string{
		"", "@", "a", "a@", "@b", "a@b@c.org", "a b@c.org", "a@b c.org", " a@b.org", "a@b.org ", "<a@b.org>", "A <a@b.org>",
		"a@b> SIZE=1 AUTH=<x", "a@b.org> SMTPUTF8", "a@b.org SIZE=1", "a@b.org>\r\nRCPT TO:<c@d.org",
		"a\r\n@b.org", "a@b.org\r\n", "a@b.org\nDATA", "a\x00@b.org", "a@b\x00.org", "a\x7f@b.org", "a\tb@c.org", "a>@b.org", "<@b.org",
		"a,b@c.org", "a;b@c.org", "a:b@c.org", "(c)a@b.org", "a@b.org(c)", ".a@b.org", "a.@b.org", "a..b@c.org",
		`"a`, `"a"`, `"a"b@c.org`, `""@b.org`, "\"a\r\n\"@b.org", "\"a\x00\"@b.org", `"a\`, "\"a\\\r\"@b.org", `"a"@"b".org`, `a"b"@c.org`,
		"a@-b.org", "a@b-.org", "a@b..org", "a@.b.org", "a@b.org.", "a@b_c.org", "a@b.org/x", "a@[1.2.3]", "a@[1.2.3.4", "a@1.2.3.4]", "a@[::1]",
		"a@[IPv6:1.2.3.4]", "a@[IPv6:fe80::1%eth0]", "a@[x-tag:y]", "a@xn--a.org", "a@b\u202e.org", "a\u202e@b.org", "a\u0085@b.org", "a\u00a0b@c.org", "a\u2028@b.org",
		"a\xff@b.org", "a@\xff.org", "a@" + strings.Repeat("b", 64) + ".org", strings.Repeat("a", 65) + "@b.org",
		"a@" + strings.Repeat("b.", 130) + "org", "a@b.org> BODY=8BITMIME", "a@ｂ.org>", "a@b。org＞",
	} {
		if a, err := ParseAddress(in); !errors.Is(err, ErrAddress) {
			t.Errorf("%q gave %q, %v", in, a, err)
		}
	}
}

func FuzzAddress(f *testing.F) {
	for _, s := range []string{"a@b.org", `"a b"@c.org`, "a@b> SIZE=1 AUTH=<x", "用户@例子.测试", "a@[IPv6:::1]", "\"a\\\"@b\"@c.org", "a@xn--bcher-kva.de"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseAddress(s)
		if err != nil {
			if !errors.Is(err, ErrAddress) || a != (Address{}) {
				t.Fatalf("%q: %q, %v", s, a, err)
			}
			return
		}
		out := a.String()
		for i, c := range a.Local() {
			if c < ' ' || c == 0x7f || c >= 0x80 && c < 0xa0 {
				t.Fatalf("%q gave %q: control at %d", s, out, i)
			}
		}
		if !strings.HasPrefix(a.Local(), `"`) && strings.ContainsAny(a.Local(), " <>@\",;:()[]\\") {
			t.Fatalf("%q gave %q", s, out)
		}
		for i := range len(a.Domain()) {
			if c := a.Domain()[i]; c <= ' ' || c > '~' || c == '<' || c == '>' || c == '@' {
				t.Fatalf("%q gave the domain %q", s, a.Domain())
			}
		}
		if again, err := ParseAddress(out); err != nil || again != a {
			t.Fatalf("%q gave %q, which gives %q, %v", s, out, again, err)
		}
	})
}
