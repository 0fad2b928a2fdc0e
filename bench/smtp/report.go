package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"
)

const (
	nameSource       = "Postfix smtp-source, a connection a letter"
	nameSourceD      = "Postfix smtp-source -d"
	nameNetNew       = "net/smtp, a connection a letter"
	nameNet          = "net/smtp, reuse"
	nameGoSMTP       = "go-smtp's client, reuse"
	nameGoMail       = "go-mail, DialAndSend of all"
	nameLockstep     = "**smtpx**, lockstep"
	namePipelined    = "**smtpx**, pipelined"
	nameOverlap      = "**smtpx**, overlap"
	nameTraced       = "**smtpx**, overlap, full trace"
	nameNetOther     = "net/smtp, reuse (go-smtp's server)"
	nameOverlapOther = "**smtpx**, overlap (go-smtp's server)"
	nameChunk1       = "**smtpx**, CHUNKING, window 1 (go-smtp's server)"
	nameChunk16      = "**smtpx**, CHUNKING, window 16 (go-smtp's server)"
)

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	if len(s) == 0 {
		return 0
	}
	if len(s)%2 == 1 {
		return s[len(s)/2]
	}
	return (s[len(s)/2-1] + s[len(s)/2]) / 2
}

// ratio is the median of the ratios of a and b in each round: what disturbed a round disturbed both.
func ratio(a, b *scenario) float64 {
	if a == nil || b == nil {
		return 0
	}
	var all []float64
	for i := range min(len(a.rates), len(b.rates)) {
		all = append(all, a.rates[i]/b.rates[i])
	}
	return median(all)
}

// bare takes the CRs off: smtp-source makes line ends itself.
func bare(b []byte) []byte { return bytes.ReplaceAll(b, []byte("\r"), nil) }

type table struct {
	rows []*scenario
	rtts []float64
}

func (t *table) find(group, name string, w int) *scenario {
	for _, s := range t.rows {
		if s.group == group && s.name == name && s.w == w {
			return s
		}
	}
	return nil
}

func (t *table) groups() []string {
	var all []string
	for _, s := range t.rows {
		if !slices.Contains(all, s.group) {
			all = append(all, s.group)
		}
	}
	return all
}

func report(rows []*scenario, before string, rtts []float64, rounds int, out string) error {
	t := &table{rows, rtts}
	var b strings.Builder
	fmt.Fprintf(&b, "Measured %s, %s, %d processors (%s), %s, Postfix %s; %d rounds in turns (%d behind the long line), medians. The long line's round trip was %.1f ms. Processes that wanted a processor before it began, on average: %s.\n",
		time.Now().UTC().Format("2006-01-02"), runtime.Version(), runtime.NumCPU(), processor(), runtime.GOOS+"/"+runtime.GOARCH, postfix(), rounds, longRounds(rounds), 1000*median(rtts), before)
	t.targets(&b)
	for _, g := range t.groups() {
		t.group(&b, g)
	}
	if out == "" {
		fmt.Print(b.String())
		return nil
	}
	return splice(out, b.String())
}

func (t *table) group(b *strings.Builder, g string) {
	long := strings.HasPrefix(g, groupLong)
	fmt.Fprintf(b, "\n### %s\n\n| client | connections | letters/s | lowest–highest | processor µs/letter | × go-mail | × net/smtp reuse |", strings.ToUpper(g[:1])+g[1:])
	if long {
		b.WriteString(" round trips/letter |\n|---|--:|--:|--:|--:|--:|--:|--:|\n")
	} else {
		b.WriteString(" × smtp-source -d |\n|---|--:|--:|--:|--:|--:|--:|--:|\n")
	}
	for _, s := range t.rows {
		if s.group != g {
			continue
		}
		fmt.Fprintf(b, "| %s | %d | %s | %s–%s | %.0f | %s | %s | ", s.name, s.w, figure(median(s.rates)), figure(slices.Min(s.rates)), figure(slices.Max(s.rates)),
			median(s.cpus), times(ratio(s, t.find(g, nameGoMail, s.w))), times(ratio(s, t.find(g, nameNet, s.w))))
		if long {
			fmt.Fprintf(b, "%.2f |\n", t.trips(s))
		} else {
			fmt.Fprintf(b, "%s |\n", times(ratio(s, t.find(g, nameSourceD, s.w))))
		}
	}
}

// trips is how many round trips a letter took, connecting included.
func (t *table) trips(s *scenario) float64 {
	var all []float64
	for i := range min(len(s.rates), len(t.rtts)) {
		all = append(all, float64(s.w)/s.rates[i]/t.rtts[i])
	}
	return median(all)
}

// targets compares with what the design asks for.
func (t *table) targets(b *strings.Builder) {
	line := func(what string, got float64, want string, ok bool) {
		if got > 0 {
			mark := "reached"
			if !ok {
				mark = "**not reached**"
			}
			fmt.Fprintf(b, "| %s | %.2f | %s | %s |\n", what, got, want, mark)
		}
	}
	b.WriteString("\n| target | measured | wanted | |\n|---|--:|--:|---|\n")
	atLeast := func(what string, got, want float64) { line(what, got, fmt.Sprintf("≥ %g", want), got >= want) }
	o := t.find(groupLong, nameOverlap, 1)
	atLeast("40 ms, 1 connection, overlap, × go-mail", ratio(o, t.find(groupLong, nameGoMail, 1)), 5.5)
	atLeast("40 ms, 1 connection, overlap, × net/smtp with reuse", ratio(o, t.find(groupLong, nameNet, 1)), 3.8)
	if o != nil {
		line("40 ms, 1 connection, overlap, round trips a letter", t.trips(o), "≤ 1.1", t.trips(o) <= 1.1)
	}
	atLeast("40 ms, 1 connection, CHUNKING window 16, × go-mail", ratio(t.find(groupLong, nameChunk16, 1), t.find(groupLong, nameGoMail, 1)), 50)
	o = t.find(groupLocal, nameOverlap, 10)
	atLeast("loopback, 10 connections, × smtp-source -d", ratio(o, t.find(groupLocal, nameSourceD, 10)), 1.3)
	atLeast("loopback, 10 connections, × go-mail with 10 clients", ratio(o, t.find(groupLocal, nameGoMail, 10)), 2.5)
	for _, w := range []int{1, 10} {
		atLeast(fmt.Sprintf("loopback, %d connections, full trace, of without", w), ratio(t.find(groupLocal, nameTraced, w), t.find(groupLocal, nameOverlap, w)), 0.7)
	}
}

func figure(v float64) string {
	if v < 100 {
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}

func times(v float64) string {
	if v == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", v)
}

func processor() string {
	b, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for line := range strings.Lines(string(b)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == "model name" {
			return strings.TrimSpace(v)
		}
	}
	return runtime.GOARCH
}

// load is the machine's load average of the last minute.
func load() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	one, _, _ := strings.Cut(string(b), " ")
	return one
}

func postfix() string {
	b, err := exec.Command("postconf", "-dh", "mail_version").Output() //#nosec G204 -- constant
	if err != nil {
		return "of unknown version"
	}
	return strings.TrimSpace(string(b))
}

const (
	beginMark = "<!-- bench-smtp begins: make bench-smtp writes what follows -->"
	endMark   = "<!-- bench-smtp ends -->"
)

// splice puts text between the markers of a file.
func splice(file, text string) error {
	old, err := os.ReadFile(file) //#nosec G304 -- the caller's own choice
	if err != nil {
		return err
	}
	head, rest, ok := strings.Cut(string(old), beginMark)
	_, tail, ok2 := strings.Cut(rest, endMark)
	if !ok || !ok2 {
		return fmt.Errorf("%s has no %q", file, beginMark)
	}
	return os.WriteFile(file, []byte(head+beginMark+"\n"+text+endMark+tail), 0o644) //#nosec G306 -- a document
}
