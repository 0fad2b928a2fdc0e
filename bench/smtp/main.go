package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"hongyan/smtpx"
)

// client sends n letters over w connections at a time.
type client func(t target, n, w int) error

// scenario is one row of the table.
type scenario struct {
	group  string // rows of a group are compared with each other
	name   string
	w, n   int
	server string
	prep   func(t target, n, w int) (func() error, error)
	child  func(t target, n, w int) (time.Duration, error) // its own processor time
	rates  []float64                                       // letters a second, a round each
	cpus   []float64                                       // microseconds of the client a letter
}

func main() {
	role := flag.String("role", "", "line, gosmtp or gosmtp-tls: a server to be started by the benchmark itself")
	half := flag.Duration("half", 20*time.Millisecond, "half of the long line's round trip")
	to := flag.String("to", "", "where the line leads, or the file for the certificate")
	rounds := flag.Int("rounds", 5, "how often each row is measured, in turns; the rows behind the line, which differ little, two less")
	scale := flag.Float64("scale", 1, "multiplies the numbers of letters")
	only := flag.String("only", "", "rows whose group and name match this expression")
	out := flag.String("o", "", "the Markdown file whose part between the markers is replaced; otherwise standard output")
	flag.Parse()
	var err error
	switch *role {
	case "line":
		err = runLine(*half, *to)
	case "gosmtp", "gosmtp-tls":
		err = runGoSMTP(*role == "gosmtp-tls", *to)
	default:
		err = bench(*half, *rounds, *scale, *only, *out)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func bench(half time.Duration, rounds int, scale float64, only, out string) error {
	pick, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "bench-smtp-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	eml := filepath.Join(dir, "letter.eml")
	if err := os.WriteFile(eml, bare(message), 0o600); err != nil {
		return err
	}
	servers, stop, err := startAll(dir, half)
	defer stop()
	if err != nil {
		return err
	}
	var rows []*scenario
	for _, s := range scenarios(eml) {
		if pick.MatchString(s.group + " " + s.name) {
			s.n = max(int(float64(s.n)*scale), s.w)
			rows = append(rows, s)
		}
	}
	if len(rows) == 0 {
		return errors.New("no such row")
	}
	before := load()
	var rtts []float64 // seconds, one a round: on a busy machine the line is longer
	for round := range rounds {
		for _, s := range rows {
			if s.long() && round >= longRounds(rounds) {
				continue
			}
			if s.long() && len(rtts) <= round {
				rtt, err := measureRTT(servers["sink behind the line"])
				if err != nil {
					return err
				}
				rtts = append(rtts, rtt.Seconds())
			}
			if err := s.measure(servers[s.server]); err != nil {
				return fmt.Errorf("%s, %s: %w", s.group, s.name, err)
			}
			fmt.Fprintf(os.Stderr, "round %d of %d: %-34s %-44s w=%-2d %9.1f letters/s %7.0f us\n", round+1, rounds, s.group, s.name, s.w, s.rates[len(s.rates)-1], s.cpus[len(s.cpus)-1])
		}
	}
	return report(rows, before, rtts, rounds, out)
}

// longRounds is how often the rows behind the line are measured.
func longRounds(rounds int) int { return max(rounds-2, 1) }

func (s *scenario) long() bool { return s.group == groupLong || s.group == groupLongTLS }

func (s *scenario) measure(t target) error {
	var used time.Duration
	run := func() (err error) { used, err = s.child(t, s.n, s.w); return err }
	if s.child == nil {
		var err error
		if run, err = s.prep(t, s.n, s.w); err != nil {
			return err
		}
	}
	before, begin := cpu(), time.Now()
	if err := run(); err != nil {
		return err
	}
	took := time.Since(begin)
	if s.child == nil {
		used = cpu() - before
	}
	s.rates = append(s.rates, float64(s.n)/took.Seconds())
	s.cpus = append(s.cpus, float64(used.Microseconds())/float64(s.n))
	return nil
}

// startAll starts every server, and a long line to each.
func startAll(dir string, half time.Duration) (map[string]target, func(), error) {
	var kids []*child
	stop := func() {
		for _, k := range kids {
			k.stop()
		}
	}
	all := map[string]target{}
	add := func(name string, k *child, err error, conf *tls.Config) error {
		if err != nil {
			return err
		}
		kids = append(kids, k)
		all[name] = target{k.port, conf}
		l, err := self("-role", "line", "-half", half.String(), "-to", all[name].addr())
		if err != nil {
			return err
		}
		kids = append(kids, l)
		all[name+" behind the line"] = target{l.port, conf}
		return nil
	}
	sink, err := startSink()
	if err = add("sink", sink, err, nil); err != nil {
		return nil, stop, err
	}
	plain, err := self("-role", "gosmtp")
	if err = add("go-smtp", plain, err, nil); err != nil {
		return nil, stop, err
	}
	ca := filepath.Join(dir, "ca.pem")
	secure, err := self("-role", "gosmtp-tls", "-to", ca)
	conf := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: "127.0.0.1", RootCAs: x509.NewCertPool()}
	if err == nil {
		var b []byte
		if b, err = os.ReadFile(ca); err == nil && !conf.RootCAs.AppendCertsFromPEM(b) {
			err = errors.New("bad certificate")
		}
	}
	if err = add("go-smtp with TLS", secure, err, conf); err != nil {
		return nil, stop, err
	}
	return all, stop, nil
}

// measureRTT is what a round trip over the line really takes: the median of NOOPs.
func measureRTT(t target) (time.Duration, error) {
	conn, err := t.dial()
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	b := make([]byte, 512)
	if _, err := conn.Read(b); err != nil {
		return 0, err
	}
	var all []float64
	for range 25 {
		begin := time.Now()
		if _, err := conn.Write([]byte("NOOP\r\n")); err != nil {
			return 0, err
		}
		if _, err := conn.Read(b); err != nil {
			return 0, err
		}
		all = append(all, float64(time.Since(begin)))
	}
	return time.Duration(median(all)), nil
}

const (
	groupLocal   = "loopback"
	groupTLS     = "loopback, TLS and AUTH"
	groupLong    = "40 ms"
	groupLongTLS = "40 ms, TLS and AUTH"
)

func pipelined(*smtpx.Config)  {}
func lockstep(c *smtpx.Config) { c.NoPipelining = true }
func overlap(c *smtpx.Config)  { c.Overlap = true }
func window(n int) func(*smtpx.Config) {
	return func(c *smtpx.Config) { c.Overlap, c.ChunkWindow = true, n }
}

func plainly(c client) func(t target, n, w int) (func() error, error) {
	return func(t target, n, w int) (func() error, error) {
		return func() error { return c(t, n, w) }, nil
	}
}

// scenarios are the rows in their order. The numbers of letters make each row take about as long.
func scenarios(eml string) []*scenario {
	var all []*scenario
	row := func(group, name, server string, w, n int, prep func(target, int, int) (func() error, error)) {
		all = append(all, &scenario{group: group, name: name, server: server, w: w, n: n, prep: prep})
	}
	src := func(group, server string, reuse bool, w, n int) {
		name := nameSource
		if reuse {
			name = nameSourceD
		}
		all = append(all, &scenario{group: group, name: name, server: server, w: w, n: n, child: source(reuse, eml)})
	}
	for _, w := range []int{1, 4, 10} {
		k := map[int]int{1: 1, 4: 2, 10: 4}[w]
		src(groupLocal, "sink", false, w, 1500*k)
		src(groupLocal, "sink", true, w, 3000*k)
		row(groupLocal, nameNetNew, "sink", w, 1000*k, plainly(netSMTP(false)))
		row(groupLocal, nameNet, "sink", w, 2000*k, plainly(netSMTP(true)))
		row(groupLocal, nameGoSMTP, "sink", w, 2000*k, plainly(goSMTPClient))
		row(groupLocal, nameGoMail, "sink", w, 2000*k, goMail)
		row(groupLocal, nameLockstep, "sink", w, 2000*k, plainly(ours(lockstep, false)))
		row(groupLocal, namePipelined, "sink", w, 4000*k, plainly(ours(pipelined, false)))
		row(groupLocal, nameOverlap, "sink", w, 6000*k, plainly(ours(overlap, false)))
		row(groupLocal, nameTraced, "sink", w, 6000*k, plainly(ours(overlap, true)))
		row(groupLocal, nameNetOther, "go-smtp", w, 3000*k, plainly(netSMTP(true)))
		row(groupLocal, nameOverlapOther, "go-smtp", w, 6000*k, plainly(ours(overlap, false)))
		row(groupLocal, nameChunk16, "go-smtp", w, 8000*k, plainly(ours(window(16), false)))
	}
	for _, w := range []int{1, 10} {
		k := map[int]int{1: 1, 10: 3}[w]
		tls := "go-smtp with TLS"
		row(groupTLS, nameNetNew, tls, w, 600*k, plainly(netSMTP(false)))
		row(groupTLS, nameNet, tls, w, 2500*k, plainly(netSMTP(true)))
		row(groupTLS, nameGoSMTP, tls, w, 2500*k, plainly(goSMTPClient))
		row(groupTLS, nameGoMail, tls, w, 2000*k, goMail)
		row(groupTLS, nameOverlap, tls, w, 5000*k, plainly(ours(overlap, false)))
		row(groupTLS, nameChunk16, tls, w, 6000*k, plainly(ours(window(16), false)))
	}
	// Behind the line the share of connecting is kept alike: about 3 round trips in 100.
	sink, other := "sink behind the line", "go-smtp behind the line"
	for _, w := range []int{1, 4, 10} {
		src(groupLong, sink, false, w, 14*w)
		src(groupLong, sink, true, w, 32*w)
		if w == 1 {
			row(groupLong, nameNetNew, sink, w, 14*w, plainly(netSMTP(false)))
			row(groupLong, nameGoSMTP, sink, w, 32*w, plainly(goSMTPClient))
		}
		row(groupLong, nameNet, sink, w, 32*w, plainly(netSMTP(true)))
		row(groupLong, nameGoMail, sink, w, 25*w, goMail)
		if w == 1 {
			row(groupLong, nameLockstep, sink, w, 32*w, plainly(ours(lockstep, false)))
		}
		row(groupLong, namePipelined, sink, w, 60*w, plainly(ours(pipelined, false)))
		row(groupLong, nameOverlap, sink, w, 160*w, plainly(ours(overlap, false)))
		if w == 1 {
			row(groupLong, nameTraced, sink, w, 160*w, plainly(ours(overlap, true)))
			row(groupLong, nameChunk1, other, w, 160*w, plainly(ours(window(1), false)))
		}
		row(groupLong, nameChunk16, other, w, 2000*w, plainly(ours(window(16), false)))
	}
	for _, w := range []int{1, 10} {
		tls := "go-smtp with TLS behind the line"
		row(groupLongTLS, nameNetNew, tls, w, 12*w, plainly(netSMTP(false)))
		row(groupLongTLS, nameNet, tls, w, 32*w, plainly(netSMTP(true)))
		row(groupLongTLS, nameGoMail, tls, w, 25*w, goMail)
		row(groupLongTLS, nameOverlap, tls, w, 160*w, plainly(ours(overlap, false)))
		row(groupLongTLS, nameChunk16, tls, w, 2000*w, plainly(ours(window(16), false)))
	}
	return all
}
