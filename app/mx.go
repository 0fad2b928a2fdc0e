package app

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"hongyan/app/contacts"
	"hongyan/app/model"
)

// Resolver asks DNS; *net.Resolver is one.
type Resolver interface {
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

const (
	lookUpWorkers = 8                // questions under way at once
	lookUpTimeout = 10 * time.Second // for all questions about one domain
	lookUpFresh   = time.Hour        // an answer is believed for so long
	lookUpKept    = 100_000          // answers that are kept
	lookUpGiveUp  = 5 * lookUpWorkers
	lookUpHosts   = 5 // mail servers of a domain that are looked up
)

// controls are domains that surely take mail: where even they cannot be found, nothing that DNS says is believed.
var controls = []string{"qq.com", "gmail.com"}

// DomainFault says why letters to a domain cannot arrive. Each is a key "domain.<fault>" in the language files.
type DomainFault string

// The faults of a domain.
const (
	DomainMissing DomainFault = "missing" // there is neither a mail server nor an address (RFC 5321 §5.1)
	DomainRefuses DomainFault = "refuses" // it says that it takes no mail (RFC 7505)
	DomainLost    DomainFault = "lost"    // none of its mail servers exists
)

// DeadDomain is a domain that takes no mail, and the people who have an address there.
type DeadDomain struct {
	Domain string // in A-labels
	Fault  DomainFault
	People []int64 // ids, in the order of the query
}

// DomainReport tells which domains of some people take mail.
type DomainReport struct {
	Domains int          // different ones
	People  int          // who have addresses there
	Dead    []DeadDomain // with the most people first
	Unknown int          // domains of which nothing could be found out: they may be in order
	Offline bool         // DNS did not even find the largest providers: nothing was found out
}

// LookUpDomains asks DNS whether the domains of the people that match take mail at all. Where a question is not
// answered nothing is said about the domain; the large providers are not asked about. progress, when not nil, is called
// from one goroutine with the domains done. It decides nothing: what becomes of the people is the user's choice.
func (a *App) LookUpDomains(ctx context.Context, q model.ContactQuery, progress func(done, total int)) (DomainReport, error) {
	people, report, err := a.domainsOf(ctx, q)
	if err != nil {
		return report, err
	}
	var ask []string
	verdicts := map[string]verdict{}
	for d := range people {
		switch v, known := a.domains.get(d, a.now()); {
		case strings.HasPrefix(d, "["), contacts.WellKnown(d): // an address of a machine; a provider
		case known:
			verdicts[d] = v
		default:
			ask = append(ask, d)
		}
	}
	// Where many people are is asked first: a user who stops it has learned the most.
	slices.SortFunc(ask, func(x, y string) int {
		return cmp.Or(cmp.Compare(len(people[y]), len(people[x])), strings.Compare(x, y))
	})
	tell := func(n int) {
		if progress != nil {
			progress(report.Domains-len(ask)+n, report.Domains)
		}
	}
	tell(0)
	if len(ask) > 0 {
		found, online, err := a.lookUpAll(ctx, ask, tell)
		if err != nil {
			return report, err
		}
		report.Offline = !online
		for _, d := range ask {
			verdicts[d] = found[d] // where it was not found out: not known
		}
		a.domains.put(found, a.now())
	}
	for d, v := range verdicts {
		switch {
		case !v.sure:
			report.Unknown++
		case v.fault != "":
			report.Dead = append(report.Dead, DeadDomain{d, v.fault, people[d]})
		}
	}
	slices.SortFunc(report.Dead, func(x, y DeadDomain) int {
		return cmp.Or(cmp.Compare(len(y.People), len(x.People)), strings.Compare(x.Domain, y.Domain))
	})
	return report, nil
}

// domainsOf groups people by the domain of their address.
func (a *App) domainsOf(ctx context.Context, q model.ContactQuery) (map[string][]int64, DomainReport, error) {
	people, report := map[string][]int64{}, DomainReport{}
	err := a.EachPerson(ctx, q, func(c *model.Contact) error {
		d := c.Email[strings.LastIndexByte(c.Email, '@')+1:]
		if _, ok := people[d]; !ok {
			d = strings.Clone(d) // the rest of the address is not kept
		}
		people[d] = append(people[d], c.ID)
		report.People++
		return nil
	})
	if err != nil {
		return nil, DomainReport{}, err
	}
	report.Domains = len(people)
	return people, report, nil
}

// verdict is what is known of a domain; the zero verdict is nothing.
type verdict struct {
	sure  bool
	fault DomainFault // "": it takes mail
	at    time.Time
}

// verdicts keeps what was found out.
type verdicts struct {
	mu    sync.Mutex
	known map[string]verdict
}

func (c *verdicts) get(domain string, now time.Time) (verdict, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v, ok := c.known[domain]
	return v, ok && now.Sub(v.at) < lookUpFresh && !now.Before(v.at)
}

func (c *verdicts) put(found map[string]verdict, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil || len(c.known)+len(found) > lookUpKept {
		c.known = map[string]verdict{}
	}
	for d, v := range found {
		if v.sure {
			v.at = now
			c.known[d] = v
		}
	}
}

// lookUpAll asks about domains, a few at a time. online is false where DNS could not be asked; then found is empty.
func (a *App) lookUpAll(ctx context.Context, domains []string, tell func(n int)) (found map[string]verdict, online bool, err error) {
	if !a.controlled(ctx) {
		return nil, false, cancelled(ctx)
	}
	type result struct {
		domain string
		verdict
	}
	next, results := atomic.Int64{}, make(chan result)
	var failures atomic.Int64 // in a row
	var wg sync.WaitGroup
	for range min(lookUpWorkers, len(domains)) {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(domains) || ctx.Err() != nil {
					return
				}
				var v verdict
				// Once nothing is answered for long, the line is down: it would take hours to wait for each.
				if failures.Load() < lookUpGiveUp {
					v = a.lookUp(ctx, domains[i])
					if v.sure {
						failures.Store(0)
					} else {
						failures.Add(1)
					}
				}
				results <- result{domains[i], v}
			}
		})
	}
	go func() { wg.Wait(); close(results) }()
	found = make(map[string]verdict, len(domains))
	dead, n := false, 0
	for r := range results {
		if n++; r.sure {
			found[r.domain] = r.verdict
			dead = dead || r.fault != ""
		}
		tell(n)
	}
	if err := cancelled(ctx); err != nil {
		return nil, false, err
	}
	// Some systems say "no such name" when the line is down; it may have gone down in between.
	if dead && !a.controlled(ctx) {
		return nil, false, cancelled(ctx)
	}
	return found, true, nil
}

func cancelled(ctx context.Context) error {
	if ctx.Err() != nil {
		return model.E(model.ECancelled, ctx.Err())
	}
	return nil
}

// controlled says whether DNS finds what surely exists.
func (a *App) controlled(ctx context.Context) bool {
	for _, d := range controls {
		if v := a.lookUp(ctx, d); v.sure && v.fault == "" {
			return true
		}
	}
	return false
}

// lookUp asks about one domain: its mail servers, or, where it names none, itself (RFC 5321 §5.1).
func (a *App) lookUp(ctx context.Context, domain string) verdict {
	ctx, cancel := context.WithTimeout(ctx, lookUpTimeout)
	defer cancel()
	// The dot at the end keeps the system from trying names of the local network.
	mx, err := a.resolver.LookupMX(ctx, domain+".")
	switch {
	case len(mx) == 0 && err != nil && !notFound(err):
		return verdict{}
	case len(mx) == 0:
		return a.lookUpHost(ctx, domain, DomainMissing)
	case len(mx) == 1 && strings.Trim(mx[0].Host, ".") == "":
		return verdict{sure: true, fault: DomainRefuses}
	case err != nil || len(mx) > lookUpHosts: // some of its names are odd, or they are many: one will do
		return verdict{sure: true}
	}
	for _, m := range mx {
		v := a.lookUpHost(ctx, strings.TrimSuffix(m.Host, "."), DomainLost)
		if v.fault == "" {
			return v
		}
	}
	return verdict{sure: true, fault: DomainLost}
}

// lookUpHost finds whether a host has an address; fault is what it means if not.
func (a *App) lookUpHost(ctx context.Context, host string, fault DomainFault) verdict {
	for _, network := range []string{"ip4", "ip6"} { // apart, so that a failure of one is not hidden by the other
		addrs, err := a.resolver.LookupNetIP(ctx, network, host+".")
		switch {
		case len(addrs) > 0:
			return verdict{sure: true}
		case err != nil && !notFound(err):
			return verdict{}
		}
	}
	return verdict{sure: true, fault: fault}
}

// notFound says that DNS was asked and knows of nothing.
func notFound(err error) bool {
	e, ok := errors.AsType[*net.DNSError](err)
	return ok && e.IsNotFound && !e.IsTimeout && !e.IsTemporary
}
