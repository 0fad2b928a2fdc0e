package diagnose

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"
)

// answers is a resolver that says the same of every name, and counts.
type answers struct {
	texts []string
	asked int
}

func (a *answers) LookupTXT(context.Context, string) ([]string, error) {
	a.asked++
	return a.texts, nil
}

func (a *answers) LookupMX(context.Context, string) ([]*net.MX, error) {
	a.asked++
	return []*net.MX{{Host: "mx.example.net."}}, nil
}

// FuzzRecords: whatever stands in DNS, the doctor comes to an end after few questions, and does not break.
func FuzzRecords(f *testing.F) {
	for _, s := range []string{
		"v=spf1 include:spf.mail.qq.com ~all", "v=spf1 include:a include:b redirect=c", "v=spf1 - + ~ ? : / = a: mx/ ip4:/ ip6:::/129 all",
		"v=spf1 ip4:1.2.3.4/-1 exists:%{i} ptr a/24//64 mx:x/8", "v=DKIM1; k=ed25519; p=AAAA", "v=DKIM1; p=", "p=!!", "v=DMARC1; p=reject; sp=none; p", ";=;=", "V=SPF1",
	} {
		f.Add(s, "v=spf1 mx -all")
	}
	f.Fuzz(func(t *testing.T, one, two string) {
		a := &answers{texts: []string{one}}
		if two != "" && !strings.HasPrefix(two, "v=spf1") {
			a.texts = append(a.texts, two)
		}
		x := &examination{d: &Doctor{Resolver: a, LookupHost: func(context.Context, string) ([]string, error) {
			a.asked++
			return []string{"203.0.113.1"}, nil
		}}}
		w := spfWalk{x: x, want: []string{"spf.example.net"}, ips: []netip.Addr{netip.MustParseAddr("203.0.113.9")}}
		_, err := w.walk(t.Context(), "example.net", 0)
		if a.asked > 1+4*spfMost {
			t.Errorf("%d questions: %v", a.asked, err)
		}
		for _, s := range a.texts {
			if k, ok := parseDKIM(s); ok && k.err == nil && !k.revoked && k.bits == 0 {
				t.Errorf("a key of no bits: %q", s)
			}
		}
	})
}
