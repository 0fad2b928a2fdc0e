package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	ctl := flag.String("ctl", "bin/hongyanctl", "the program")
	out := flag.String("o", "", "the document to write the tables into")
	n := flag.Int("n", 100_000, "letters of a round")
	rounds := flag.Int("rounds", 5, "rounds")
	conns := flag.String("connections", "1,4,20", "numbers of connections")
	people := flag.String("people", "10000,100000,1000000", "numbers of recipients to measure memory with")
	flag.Parse()
	exe, err := filepath.Abs(*ctl)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "bench-campaign-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	sink, port, err := startSink(dir)
	if err != nil {
		return err
	}
	defer func() { _ = sink.Process.Kill(); _ = sink.Wait() }()
	b := &bench{exe: exe, dir: dir, port: port}
	var text bytes.Buffer
	fmt.Fprintf(&text, "Measured %s, %s, %d processors, %s/%s; %d rounds in turns of %d letters (250 a connection behind the line), medians.\n\n", time.Now().Format(time.DateOnly),
		runtime.Version(), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, *rounds, *n)
	if err := b.rates(&text, numbers(*conns), *rounds, *n); err != nil {
		return err
	}
	if err := b.memory(&text, numbers(*people)); err != nil {
		return err
	}
	fmt.Print(text.String())
	if *out == "" {
		return nil
	}
	return write(*out, text.String())
}

func numbers(list string) (all []int) {
	for s := range strings.SplitSeq(list, ",") {
		if n, err := strconv.Atoi(strings.TrimSpace(s)); err == nil && n > 0 {
			all = append(all, n)
		}
	}
	return all
}

// startSink runs smtp-sink, which takes letters and forgets them.
func startSink(dir string) (*exec.Cmd, int, error) {
	path := "/usr/sbin/smtp-sink"
	if p, err := exec.LookPath("smtp-sink"); err == nil {
		path = p
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, 0, err
	}
	addr := ln.Addr().String()
	_ = ln.Close()
	var args []string
	if os.Getuid() == 0 {
		args = append(args, "-u", "nobody")
	}
	cmd := exec.Command(path, append(args, addr, "1000")...) // #nosec G204 -- a fixed program
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, 0, fmt.Errorf("smtp-sink comes with Postfix: %w", err)
	}
	for range 100 {
		if c, err := net.Dial("tcp", addr); err == nil {
			_ = c.Close()
			_, port, _ := net.SplitHostPort(addr)
			p, err := strconv.Atoi(port)
			return cmd, p, err
		}
		time.Sleep(50 * time.Millisecond)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	return nil, 0, errors.New("smtp-sink does not listen")
}

// rates compares, in turns, the campaign with the bare engine.
func (b *bench) rates(text *bytes.Buffer, conns []int, rounds, n int) error {
	if len(conns) == 0 || rounds == 0 {
		return nil
	}
	raw, err := b.letter()
	if err != nil {
		return err
	}
	line, err := startLine(b.port, 20*time.Millisecond)
	if err != nil {
		return err
	}
	defer line.stop()
	fmt.Fprintf(text, "| server | connections | bare smtpx, letters/s | a campaign, letters/s | of bare | wanted | |\n|---|--:|--:|--:|--:|--:|---|\n")
	sink := b.port
	defer func() { b.port = sink }()
	for _, far := range []bool{false, true} {
		for _, c := range conns {
			name, count := "smtp-sink on loopback", n
			b.port = sink
			if far { // a letter is a round trip: the same number would take minutes
				name, count, b.port = "smtp-sink behind a line of 40 ms", min(n, 250*c), line.port
			}
			if err := b.compare(text, raw, name, c, rounds, count); err != nil {
				return err
			}
		}
	}
	fmt.Fprintf(text, "\nA letter has %d octets.\n\n", len(raw))
	return nil
}

// compare writes one row.
func (b *bench) compare(text *bytes.Buffer, raw []byte, server string, conns, rounds, n int) error {
	if err := b.fresh(fmt.Sprintf("%d-%d", b.port, conns)); err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(b.data) }()
	if err := b.account(conns); err != nil {
		return err
	}
	if _, err := b.people(n); err != nil {
		return err
	}
	var bare, full, ratio []float64
	for r := range rounds {
		x, err := b.bare(raw, conns, n)
		if err != nil {
			return err
		}
		y, err := b.campaign(conns, fmt.Sprintf("c%d", r), n)
		if err != nil {
			return err
		}
		f := float64(n) / y.took.Seconds()
		bare, full, ratio = append(bare, x), append(full, f), append(ratio, f/x)
		fmt.Fprintf(os.Stderr, "%s, %d connections, round %d: bare %.0f, campaign %.0f (%.2f)\n", server, conns, r+1, x, f, f/x)
	}
	verdict := "reached"
	if median(ratio) < 0.6 {
		verdict = "**not reached**"
	}
	fmt.Fprintf(text, "| %s | %d | %.0f | %.0f | %.2f (%.2f–%.2f) | ≥ 0.60 | %s |\n", server, conns, median(bare), median(full), median(ratio),
		slices.Min(ratio), slices.Max(ratio), verdict)
	return nil
}

func median(x []float64) float64 {
	s := slices.Sorted(slices.Values(x))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// memory sends to more and more people.
func (b *bench) memory(text *bytes.Buffer, sizes []int) error {
	if len(sizes) == 0 {
		return nil
	}
	fmt.Fprintf(text, "| recipients | import | campaign create | campaign run | wanted | |\n|--:|--:|--:|--:|--:|---|\n")
	for _, n := range sizes {
		if err := b.fresh("people" + strconv.Itoa(n)); err != nil {
			return err
		}
		if err := b.account(4); err != nil {
			return err
		}
		imported, err := b.people(n)
		if err != nil {
			return err
		}
		created, err := b.create(4, "c")
		if err != nil {
			return err
		}
		sent, err := b.send("c", n)
		if err != nil {
			return err
		}
		most, verdict := max(imported.rss, created.rss, sent.rss), "reached"
		if most >= 150 {
			verdict = "**not reached**"
		}
		fmt.Fprintf(text, "| %d | %s | %s | %s | < 150 MB | %s |\n", n, imported, created, sent, verdict)
		fmt.Fprintf(os.Stderr, "%d people: import %s, create %s, run %s\n", n, imported, created, sent)
		if err := os.RemoveAll(b.data); err != nil {
			return err
		}
	}
	return nil
}

// write replaces the part between the markers, or adds it.
func write(path, text string) error {
	const begin, end = "<!-- bench-campaign begins: make bench-campaign writes what follows -->\n", "<!-- bench-campaign ends -->\n"
	b, err := os.ReadFile(path) // #nosec G304 -- the caller's choice
	if err != nil {
		return err
	}
	head, rest, ok := strings.Cut(string(b), begin)
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return fmt.Errorf("%s has no place for the tables: %q ... %q", path, begin, end)
	}
	return os.WriteFile(path, []byte(head+begin+text+end+tail), 0o644) // #nosec G306 G703 -- a document, the caller's choice
}

// cost is what a call took.
type cost struct {
	took time.Duration
	rss  int // MB, the most
}

func (c cost) String() string {
	return fmt.Sprintf("%d MB, %s", c.rss, c.took.Round(time.Second/10))
}
