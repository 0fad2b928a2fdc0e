package app

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hongyan/app/contacts"
	"hongyan/app/diagnose/dnstest"
	"hongyan/app/model"
)

// book is a store that has only people.
type book struct {
	Store
	people []model.Contact
}

func (b book) ContactIDs(context.Context, model.ContactQuery) ([]int64, error) {
	ids := make([]int64, len(b.people))
	for i := range ids {
		ids[i] = b.people[i].ID
	}
	return ids, nil
}

func (b book) EachContact(_ context.Context, _ int64, f func(*model.Contact) error) error {
	for i := range b.people {
		if err := f(&b.people[i]); err != nil {
			return err
		}
	}
	return nil
}

func (b book) Contacts(_ context.Context, ids []int64) ([]model.Contact, error) {
	out := make([]model.Contact, len(ids))
	for i, id := range ids {
		out[i] = b.people[id-1]
	}
	return out, nil
}

func bookOf(t *testing.T, s *dnstest.Server, addresses ...string) (*App, *time.Time) {
	t.Helper()
	var b book
	for i, a := range addresses {
		email, _, err := contacts.Normalise(a)
		if err != nil {
			t.Fatal(a, err)
		}
		b.people = append(b.people, model.Contact{ID: int64(i + 1), Email: email})
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	return &App{store: b, resolver: s, now: func() time.Time { return now }}, &now
}

var world = dnstest.Zone{"MX qq.com": {"mx.qq.com"}, "A mx.qq.com": {"192.0.2.1"}}

func with(z, more dnstest.Zone) dnstest.Zone {
	all := dnstest.Zone{}
	for _, m := range []dnstest.Zone{z, more} {
		for k, v := range m {
			all[k] = v
		}
	}
	return all
}

func TestLookUpDomains(t *testing.T) {
	s := dnstest.Serve(t, with(world, dnstest.Zone{
		"MX good.test":    {"mx.good.test", "mx2.good.test"},
		"A mx2.good.test": {"192.0.2.2"},
		"AAAA six.test":   {"2001:db8::6"}, // no MX: its address takes mail
		"A four.test":     {"192.0.2.4"},
		"MX null.test":    {"."},
		"TXT web.test":    {"x"}, // there, without mail
		"MX lost.test":    {"mx.gone.test"},
		"MX shaky.test":   {"mx.gone.test", "mx.shaky.test"},
		"A mx.shaky.test": {"fail"},
		"MX broken.test":  {"fail"},
		"AAAA half.test":  {"fail"}, // no MX, no A, and of AAAA nothing is known
		"MX 中文.test":      {"mx.good.test"},
	}))
	a, _ := bookOf(t, s, "a@nowhere.test", "1@good.test", "b@nowhere.test", "c@six.test", "d@four.test", "e@null.test", "f@web.test", "g@lost.test",
		"h@shaky.test", "i@broken.test", "j@half.test", "k@qq.com", "l@vip.163.com", "m@[192.0.2.9]", "2@good.test")
	var last, total, calls int
	got, err := a.LookUpDomains(t.Context(), model.ContactQuery{}, func(d, of int) {
		if d < last {
			t.Errorf("progress went from %d to %d", last, d)
		}
		last, total, calls = d, of, calls+1
	})
	if err != nil {
		t.Fatal(err)
	}
	want := DomainReport{Domains: 13, People: 15, Unknown: 3, Dead: []DeadDomain{
		{"nowhere.test", DomainMissing, []int64{1, 3}}, {"lost.test", DomainLost, []int64{8}}, {"null.test", DomainRefuses, []int64{6}},
		{"web.test", DomainMissing, []int64{7}}}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if last != 13 || total != 13 || calls != 11 {
		t.Errorf("progress ended with %d of %d after %d calls", last, total, calls)
	}
	if n := s.Asked("MX vip.163.com"); n > 0 {
		t.Errorf("a large provider was asked about %d times", n)
	}
	if n := s.Asked("MX nowhere.test"); n != 1 {
		t.Errorf("nowhere.test was asked about %d times", n)
	}
}

// TestLookUpDomainsAgain: what was found out is not asked again for an hour; what was not is.
func TestLookUpDomainsAgain(t *testing.T) {
	s := dnstest.Serve(t, with(world, dnstest.Zone{"MX good.test": {"mx.qq.com"}, "MX shaky.test": {"fail"}}))
	a, now := bookOf(t, s, "a@nowhere.test", "b@good.test", "c@shaky.test")
	look := func(want DomainReport) {
		t.Helper()
		got, err := a.LookUpDomains(t.Context(), model.ContactQuery{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	}
	dead := []DeadDomain{{"nowhere.test", DomainMissing, []int64{1}}}
	look(DomainReport{Domains: 3, People: 3, Dead: dead, Unknown: 1})
	s.Set("MX shaky.test", "mx.qq.com")
	s.Set("MX nowhere.test", "mx.qq.com")
	look(DomainReport{Domains: 3, People: 3, Dead: dead})
	if n, m := s.Asked("MX nowhere.test"), s.Asked("MX good.test"); n != 1 || m != 1 {
		t.Errorf("asked again, %d and %d times", n, m)
	}
	*now = now.Add(lookUpFresh)
	look(DomainReport{Domains: 3, People: 3})
}

// TestLookUpDomainsOffline: where not even a large provider is found, nothing is said of anybody.
func TestLookUpDomainsOffline(t *testing.T) {
	for name, z := range map[string]dnstest.Zone{
		"nothing exists":  {},
		"nothing answers": {"MX qq.com": {"fail"}, "MX gmail.com": {"fail"}},
	} {
		a, _ := bookOf(t, dnstest.Serve(t, z), "a@nowhere.test", "b@qq.com")
		got, err := a.LookUpDomains(t.Context(), model.ContactQuery{}, nil)
		if d := cmp.Diff(DomainReport{Domains: 2, People: 2, Unknown: 1, Offline: true}, got); d != "" || err != nil {
			t.Error(name, d, err)
		}
	}
}

// dying is a resolver whose line goes down after some answers: from then on no name exists.
type dying struct {
	Resolver
	mu   sync.Mutex
	left int
}

func (d *dying) LookupMX(ctx context.Context, name string) ([]*net.MX, error) {
	d.mu.Lock()
	d.left--
	down := d.left < 0
	d.mu.Unlock()
	if down {
		return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	return d.Resolver.LookupMX(ctx, name)
}

func TestLookUpDomainsLineGoesDown(t *testing.T) {
	a, _ := bookOf(t, dnstest.Serve(t, world), "a@nowhere.test", "b@gone.test")
	a.resolver = &dying{Resolver: a.resolver, left: 1}
	got, err := a.LookUpDomains(t.Context(), model.ContactQuery{}, nil)
	if d := cmp.Diff(DomainReport{Domains: 2, People: 2, Unknown: 2, Offline: true}, got); d != "" || err != nil {
		t.Error(d, err)
	}
	if len(a.domains.known) > 0 {
		t.Errorf("kept %v", a.domains.known)
	}
}

// TestLookUpDomainsGivesUp: where no question is answered for long, the rest is not asked.
func TestLookUpDomainsGivesUp(t *testing.T) {
	z, many := with(world, nil), []string{}
	for i := range 500 {
		d := fmt.Sprintf("d%d.test", i)
		z["MX "+d] = []string{"fail"}
		many = append(many, "a@"+d)
	}
	s := dnstest.Serve(t, z)
	a, _ := bookOf(t, s, many...)
	got, err := a.LookUpDomains(t.Context(), model.ContactQuery{}, nil)
	if err != nil || got.Unknown != 500 || len(got.Dead) > 0 || got.Offline {
		t.Errorf("%+v, %v", got, err)
	}
	// The Go resolver asks twice before it takes "server failure" for an answer.
	if n := s.Asked(""); n > 2*(lookUpGiveUp+lookUpWorkers)+10 {
		t.Errorf("%d questions were asked", n)
	}
}

func TestLookUpDomainsCancelled(t *testing.T) {
	a, _ := bookOf(t, dnstest.Serve(t, world), "a@nowhere.test", "b@gone.test")
	ctx, cancel := context.WithCancel(t.Context())
	_, err := a.LookUpDomains(ctx, model.ContactQuery{}, func(int, int) { cancel() })
	if model.CodeOf(err) != model.ECancelled {
		t.Error(err)
	}
}
