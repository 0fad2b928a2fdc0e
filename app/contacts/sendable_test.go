package contacts

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"hongyan/smtpx"
)

// messy draws what looks like an address, more or less.
func messy() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.StringMatching(`[a-zA-Z0-9.!#$%&'*+/=?^_{|}~-]{1,66}@([a-zA-Z0-9-]{1,12}\.){1,3}[a-z]{1,4}`),
		rapid.StringMatching(`[a-z张é.ß "\\]{1,8}@[a-z0-9例子ü.Aß-]{1,20}\.(com|cn|测试|中国|de)`),
		rapid.StringMatching(`"[ -~]{0,10}"@example\.com`),
		rapid.StringMatching(`a@\[(IPv6:)?[0-9a-f:.]{2,20}\]`),
		rapid.StringMatching(`[ <"'(张]{0,3}[a-z]{1,5} ?(@|＠|\(at\)| at ) ?[a-z]{1,9}(\.|。| dot )(com|xn--p1ai)[>")。, ]{0,3}`),
		rapid.Map(rapid.String(), func(s string) string { return s + "@example.com" }),
		rapid.Map(rapid.String(), func(s string) string { return "a@" + s }),
		rapid.Map(rapid.String(), func(s string) string { return "a@" + s + ".com" }),
		rapid.String(),
	)
}

// Whatever is accepted can be sent, and normalising it again changes nothing.
func TestAcceptedCanBeSent(t *testing.T) {
	accepted := 0
	rapid.Check(t, func(t *rapid.T) {
		s := messy().Draw(t, "text")
		email, address, err := Normalise(s)
		if err != nil {
			if bad := (*AddressError)(nil); !errors.As(err, &bad) || bad.Reason == "" || email+address != "" {
				t.Fatalf("%q: %v with %q", s, err, email+address)
			}
			return
		}
		accepted++
		checkAccepted(t, s, email, address)
	})
	if accepted == 0 {
		t.Error("nothing was accepted")
	}
}

type fataler interface{ Fatalf(string, ...any) }

func checkAccepted(t fataler, s, email, address string) {
	for _, a := range []string{email, address} {
		if _, err := smtpx.ParseAddress(a); err != nil {
			t.Fatalf("%q gave %q, which cannot be sent: %v", s, a, err)
		}
		again, shown, err := Normalise(a)
		if err != nil || again != email || a == address && shown != address {
			t.Fatalf("%q gave %q and %q; %q again gives %q, %q, %v", s, email, address, a, again, shown, err)
		}
	}
	at := strings.LastIndexByte(email, '@')
	if !isASCII(email[at:]) || email[at:] != strings.ToLower(email[at:]) && email[at+1] != '[' || len(address) > maxAddress || len(email) > maxAddress {
		t.Fatalf("%q gave the key %q", s, email)
	}
}

func FuzzNormalise(f *testing.F) {
	for _, s := range []string{"user@example.com", "王芳 <wang@例子.测试>", `"a\"b"@example.com`, "a (at) b dot com", "mailto:a%40b.com", "a@[IPv6:::1]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if email, address, err := Normalise(s); err == nil {
			checkAccepted(t, s, email, address)
		}
		hits, _ := scanText(s)
		for _, h := range hits {
			checkAccepted(t, s, h.email, h.address)
		}
	})
}
