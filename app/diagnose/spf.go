package diagnose

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// What can be wrong with an SPF record itself.
var (
	errSPFMany    = errors.New("more than one SPF record")
	errSPFLookups = errors.New("more than ten look-ups")
	errSPFSyntax  = errors.New("a term that is none")
)

// spfMost is how many look-ups a record may cost a receiver (RFC 7208 §4.6.4).
const spfMost = 10

// spfWalk follows an SPF record (RFC 7208) far enough to see whether it lets a provider or an address send.
type spfWalk struct {
	x    *examination
	want []string     // names to be included
	ips  []netip.Addr // addresses to be covered

	lookups int
	found   bool
	macro   bool   // what it depends on cannot be known here
	all     byte   // the qualifier of its last word, 0 without one
	bad     string // the term that errSPFSyntax is about
}

// walk reads the record of a domain; "" when it has none.
func (w *spfWalk) walk(ctx context.Context, domain string, depth int) (record string, err error) {
	texts, err := w.x.txt(ctx, domain)
	if err != nil {
		return "", err
	}
	texts = slices.DeleteFunc(texts, func(t string) bool {
		word, _, _ := strings.Cut(t, " ")
		return !strings.EqualFold(word, "v=spf1")
	})
	if len(texts) == 0 {
		return "", nil
	}
	record = texts[0]
	if len(texts) > 1 {
		return record, errSPFMany
	}
	redirect := ""
	for _, term := range strings.Fields(record)[1:] {
		if name, value, ok := modifier(term); ok {
			if strings.EqualFold(name, "redirect") {
				redirect = value
			}
			continue
		}
		done, err := w.term(ctx, domain, term, depth)
		if err != nil || done {
			return record, err
		}
	}
	if redirect != "" {
		if err := w.cost(1); err != nil {
			return record, err
		}
		w.found = w.found || slices.Contains(w.want, strings.TrimSuffix(strings.ToLower(redirect), "."))
		return record, w.follow(ctx, redirect, depth)
	}
	return record, nil
}

// modifier splits "name=value"; a mechanism has a colon or a slash before any equals sign.
func modifier(term string) (name, value string, ok bool) {
	i := strings.IndexAny(term, "=:/")
	if i <= 0 || term[i] != '=' {
		return "", "", false
	}
	return term[:i], term[i+1:], true
}

func (w *spfWalk) cost(n int) error {
	if w.lookups += n; w.lookups > spfMost {
		return errSPFLookups
	}
	return nil
}

// follow reads the record of another domain. One that has none is an error of the record that names it.
func (w *spfWalk) follow(ctx context.Context, name string, depth int) error {
	if strings.Contains(name, "%") {
		w.macro = true
		return nil
	}
	if depth >= spfMost {
		return errSPFLookups
	}
	record, err := w.walk(ctx, strings.TrimSuffix(strings.ToLower(name), "."), depth+1)
	if err == nil && record == "" {
		w.bad = name
		return errSPFSyntax
	}
	return err
}

// term judges one mechanism; done says that nothing behind it counts.
func (w *spfWalk) term(ctx context.Context, domain, term string, depth int) (done bool, err error) {
	qualifier := byte('+')
	if strings.IndexByte("+-~?", term[0]) >= 0 {
		qualifier, term = term[0], term[1:]
	}
	passes := qualifier == '+'
	name, arg, _ := strings.Cut(term, ":")
	name, bits, _ := strings.Cut(name, "/")
	switch strings.ToLower(name) {
	case "all":
		if depth == 0 {
			w.all = qualifier
		}
		return true, nil
	case "ip4", "ip6":
		prefix, err := parsePrefix(arg)
		if err != nil {
			w.bad = term
			return false, errSPFSyntax
		}
		if passes && slices.ContainsFunc(w.ips, prefix.Contains) {
			w.found = true
		}
	case "include":
		if arg == "" {
			w.bad = term
			return false, errSPFSyntax
		}
		if err := w.cost(1); err != nil {
			return false, err
		}
		if passes && slices.Contains(w.want, strings.TrimSuffix(strings.ToLower(arg), ".")) {
			w.found = true
		}
		all := w.all
		err := w.follow(ctx, arg, depth)
		w.all = all // an include's own "all" does not end ours
		return false, err
	case "a", "mx":
		if err := w.cost(1); err != nil {
			return false, err
		}
		host, _, _ := strings.Cut(arg, "/")
		if host == "" {
			host = domain
		}
		if passes && len(w.ips) > 0 {
			w.address(ctx, strings.ToLower(name), host, bits != "" || strings.Contains(arg, "/"))
		}
	case "exists", "ptr":
		w.macro = true
		return false, w.cost(1)
	default:
		w.bad = term
		return false, errSPFSyntax
	}
	return false, nil
}

// address sees whether one of the addresses is that of host, or of its mail servers.
func (w *spfWalk) address(ctx context.Context, kind, host string, net bool) {
	if strings.Contains(host, "%") || net {
		w.macro = true // a net round it may hold the address or not: the user is only warned
	}
	hosts := []string{host}
	if kind == "mx" {
		mx, err := w.x.d.Resolver.LookupMX(ctx, host)
		if err != nil {
			return
		}
		hosts = nil
		for _, m := range mx[:min(len(mx), spfMost)] {
			hosts = append(hosts, strings.TrimSuffix(m.Host, "."))
		}
	}
	for _, h := range hosts {
		addrs, err := w.x.d.LookupHost(ctx, h)
		if err != nil {
			continue
		}
		for _, a := range addrs {
			if ip, err := netip.ParseAddr(a); err == nil && slices.Contains(w.ips, ip.Unmap()) {
				w.found = true
			}
		}
	}
}

func parsePrefix(s string) (netip.Prefix, error) {
	if addr, bits, ok := strings.Cut(s, "/"); ok {
		ip, err := netip.ParseAddr(addr)
		if err != nil {
			return netip.Prefix{}, err
		}
		n, err := strconv.Atoi(bits)
		if err != nil {
			return netip.Prefix{}, err
		}
		return ip.Prefix(n)
	}
	ip, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, err
	}
	return ip.Prefix(ip.BitLen())
}
