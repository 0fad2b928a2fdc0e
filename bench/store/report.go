package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

const (
	beginMark = "<!-- bench-store begins: make bench-store writes what follows -->"
	endMark   = "<!-- bench-store ends -->"
)

// ratio is the median of the ratios of each round: what disturbed a round disturbed both.
func ratio(a, b []float64) float64 {
	var all []float64
	for i := range min(len(a), len(b)) {
		all = append(all, a[i]/b[i])
	}
	return median(all)
}

func (b *bench) text() string {
	var s strings.Builder
	fmt.Fprintf(&s, "Measured %s, %s, %d processors, %s/%s, sqlite3 %s; %d rounds in turns, medians. Processes that wanted a processor at its end, on average: %s.\n\n",
		time.Now().UTC().Format("2006-01-02"), runtime.Version(), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, sqliteVersion(), b.rounds, load())
	s.WriteString("| target | measured | wanted | |\n|---|--:|--:|---|\n")
	line := func(what, format string, got, most float64) {
		mark := "reached"
		if got > most {
			mark = "**not reached**"
		}
		fmt.Fprintf(&s, "| %s | "+format+" | ≤ %g | %s |\n", what, got, most, mark)
	}
	n := thousands(b.people)
	line("import of "+n+" rows into "+n+" people, × sqlite3", "%.2f", ratio(b.ours, b.cli), 1.5)
	line("the same, processor time, × sqlite3", "%.2f", ratio(b.oursCPU, b.cliCPU), 1.5)
	line("the same, memory (MB resident)", "%.0f", median(b.rss), 250)
	line("workbook of "+thousands(b.workbook)+" rows, × a bare loop of excelize", "%.2f", ratio(b.sheet, b.excelize), 2)
	for _, f := range b.lists {
		line(n+" people: "+f.name+" (ms)", "%.1f", f.ms, f.max)
	}
	fmt.Fprintf(&s, "\nThe import took %.1f s (%s rows a second; %.1f s of processors), sqlite3 %.1f s (%.1f s). The workbook took %.2f s, excelize %.2f s.\n", median(b.ours), thousands(int(float64(b.people)/median(b.ours))), median(b.oursCPU), median(b.cli),
		median(b.cliCPU), median(b.sheet), median(b.excelize))
	return s.String()
}

func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func sqliteVersion() string {
	out, err := exec.Command("sqlite3", "--version").Output()
	if err != nil {
		return "?"
	}
	v, _, _ := strings.Cut(string(out), " ")
	return v
}

// load is how many processes wanted a processor, over the last minutes.
func load() string {
	b, err := os.ReadFile("/proc/loadavg")
	if f := strings.Fields(string(b)); err == nil && len(f) > 1 {
		return f[1]
	}
	return "not known"
}

// splice puts the text between the marks of a document.
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
	return os.WriteFile(file, []byte(head+beginMark+"\n"+text+endMark+tail), 0o644) //#nosec G306 G703 -- a document
}
