package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"time"

	"hongyan/app"
	"hongyan/app/contacts"
	"hongyan/app/model"
	"hongyan/store"
)

func main() {
	var b bench
	out := flag.String("o", "", "write the figures into this document; \"\": show them")
	flag.IntVar(&b.people, "people", 1_000_000, "people that are there, and rows that are imported")
	flag.IntVar(&b.rounds, "rounds", 3, "rounds of each row, in turns")
	flag.IntVar(&b.workbook, "workbook", 100_000, "rows of the workbook")
	one := flag.String("import", "", "import this file into the folder that is the only argument, and print the seconds (a process of its own for each import)")
	profile := flag.String("cpuprofile", "", "with -import: write a profile of it")
	flag.Parse()
	ctx := context.Background()
	if *one != "" {
		if *profile != "" {
			f, err := os.Create(*profile)
			if err == nil {
				err = pprof.StartCPUProfile(f)
			}
			if err != nil {
				fail(err)
			}
			defer pprof.StopCPUProfile()
		}
		if err := importInto(ctx, flag.Arg(0), *one); err != nil {
			fail(err)
		}
		return
	}
	text, err := b.run(ctx)
	if err == nil {
		if *out == "" {
			fmt.Print(text)
		} else {
			err = splice(*out, text)
		}
	}
	if err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "bench-store:", err)
	os.Exit(1)
}

// bench is one run, in a folder of its own.
type bench struct {
	people, rounds, workbook int

	dir             string
	ours, cli, rss  []float64 // seconds, seconds, MB
	oursCPU, cliCPU []float64 // seconds of processors
	sheet, excelize []float64
	lists           []figure
	report          model.ImportReport
}

// figure is a line of the table of lists: the median of several.
type figure struct {
	name    string
	ms, max float64
}

func (b *bench) run(ctx context.Context) (text string, err error) {
	if _, err := exec.LookPath("sqlite3"); err != nil {
		return "", fmt.Errorf("the sqlite3 command line is missing; it comes with the package sqlite3: %w", err)
	}
	if b.dir, err = os.MkdirTemp("", "hongyan-bench-"); err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	there, list := filepath.Join(b.dir, "there.csv"), filepath.Join(b.dir, "list.csv")
	// Half of those who are imported are there already; none of them brings anything new.
	if err := errors.Join(writePeople(there, 0, b.people, 1), writePeople(list, b.people/2, b.people, 2)); err != nil {
		return "", err
	}
	base := filepath.Join(b.dir, "base")
	if _, err := b.child(base, there); err != nil {
		return "", err
	}
	for i := range b.rounds {
		say("round %d of %d", i+1, b.rounds)
		if err := b.round(base, list); err != nil {
			return "", err
		}
	}
	say("lists")
	if err := b.measureLists(ctx, base); err != nil {
		return "", err
	}
	say("workbook")
	if err := b.measureWorkbook(ctx); err != nil {
		return "", err
	}
	return b.text(), nil
}

func say(format string, a ...any) { fmt.Fprintf(os.Stderr, format+"\n", a...) }

// writePeople writes n people from the first on, in no order, as a shop's list has them.
func writePeople(path string, first, n int, seed uint64) (err error) {
	f, err := os.Create(path) //#nosec G304 -- a folder of this program's own
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriterSize(f, 1<<20)
	if _, err := io.WriteString(w, "姓名,邮箱,城市,等级\r\n"); err != nil {
		return err
	}
	for _, k := range rand.New(rand.NewPCG(seed, 2)).Perm(n) { //#nosec G404 -- made-up people
		k += first
		// Nothing in the order of the numbers is left in the order of the addresses.
		if _, err := fmt.Fprintf(w, "用户 %d,u%d.%d@%s,%s,%d\r\n", k, k*7919%1_000_003, k, hosts[k%len(hosts)], cities[k%len(cities)], k%6); err != nil {
			return err
		}
	}
	return w.Flush()
}

var (
	hosts  = []string{"qq.com", "163.com", "gmail.com", "example.com"}
	cities = []string{"北京", "上海", "成都", "广州", "深圳"}
)

// importInto imports a file as the window and hongyanctl do.
func importInto(ctx context.Context, dir, file string) error {
	st, err := store.Open(ctx, dir, store.Options{})
	if err != nil {
		return err
	}
	h := app.New(app.Options{Dir: dir, Store: st, Version: "bench"})
	began := time.Now()
	src, err := contacts.Open(file, contacts.Options{})
	if err != nil {
		return err
	}
	report, err := h.Import(ctx, src, model.ImportSpec{ListName: "people", Source: "展会", Consent: "书面"}, false, nil)
	seconds := time.Since(began).Seconds()
	if err = errors.Join(err, src.Close(), h.Close(ctx), st.Close()); err != nil {
		return err
	}
	fmt.Println(seconds, report.Read, report.Added, report.Updated, report.Duplicate, report.Invalid)
	return nil
}

// spent is what a process took.
type spent struct{ seconds, cpu, mb float64 }

func spentBy(p *os.ProcessState, seconds float64) spent {
	s := spent{seconds: seconds, cpu: (p.UserTime() + p.SystemTime()).Seconds()}
	if usage, ok := p.SysUsage().(*syscall.Rusage); ok && runtime.GOOS == "linux" {
		s.mb = float64(usage.Maxrss) / 1024
	}
	return s
}

// child imports in a process of its own.
func (b *bench) child(dir, file string) (spent, error) {
	self, err := os.Executable()
	if err != nil {
		return spent{}, err
	}
	cmd := exec.Command(self, "-import", file, dir) //#nosec G204 -- this program
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return spent{}, err
	}
	r, seconds := &b.report, 0.0
	_, err = fmt.Sscan(string(out), &seconds, &r.Read, &r.Added, &r.Updated, &r.Duplicate, &r.Invalid)
	return spentBy(cmd.ProcessState, seconds), err
}

// round imports the list once, and loads it once with the command line, each into a copy of the same folder.
func (b *bench) round(base, list string) error {
	dir := filepath.Join(b.dir, "round")
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.CopyFS(dir, os.DirFS(base)); err != nil {
		return err
	}
	s, err := b.child(dir, list)
	if err != nil {
		return err
	}
	if half := b.people / 2; b.report.Added != half || b.report.Duplicate != b.people-half {
		return fmt.Errorf("the import counted %+v", b.report)
	}
	b.ours, b.oursCPU, b.rss = append(b.ours, s.seconds), append(b.oursCPU, s.cpu), append(b.rss, s.mb)
	if err := errors.Join(os.RemoveAll(dir), os.CopyFS(dir, os.DirFS(base))); err != nil {
		return err
	}
	c, err := commandLine(filepath.Join(dir, "app.db"), list, b.people+b.people/2)
	if err != nil {
		return err
	}
	b.cli, b.cliCPU = append(b.cli, c.seconds), append(b.cliCPU, c.cpu)
	say("%.2f s (%.2f of processors), %.0f MB; sqlite3 %.2f s (%.2f)", s.seconds, s.cpu, s.mb, c.seconds, c.cpu)
	return nil
}

// commandLine loads the file with sqlite3: .import into a table of its own, then an INSERT..SELECT for each table that
// an import fills. It normalises nothing, checks nothing, reports nothing and cannot be undone.
func commandLine(db, list string, want int) (spent, error) {
	script := `PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=16000; PRAGMA cache_size=-65536; PRAGMA temp_store=MEMORY;
CREATE TABLE incoming (name TEXT, email TEXT, city TEXT, grade TEXT);
.mode csv
.import --skip 1 '` + list + `' incoming
BEGIN;
INSERT INTO imports (list_id, list_created, list_name, source, consent, file_name, format, charset, state, started)
  SELECT id, 0, name, '', '', '', 'csv', 'utf-8', 'done', 1 FROM lists;
INSERT INTO contacts (email, address, name, fields, source, consent, import_id, created, updated)
  SELECT lower(trim(email)), '', name, json_object('城市', city, '等级', grade), 1, 2, 2, 1, 1 FROM incoming WHERE true ON CONFLICT (email) DO NOTHING;
INSERT INTO list_members (list_id, contact_id, import_id)
  SELECT l.id, c.id, 2 FROM incoming i CROSS JOIN contacts c ON c.email = lower(trim(i.email)) CROSS JOIN lists l WHERE true ON CONFLICT DO NOTHING;
INSERT INTO contact_sources (import_id, contact_id)
  SELECT 2, c.id FROM incoming i CROSS JOIN contacts c ON c.email = lower(trim(i.email)) WHERE true ON CONFLICT DO NOTHING;
COMMIT;
DROP TABLE incoming;
PRAGMA wal_checkpoint(TRUNCATE);
SELECT 'contacts', count(*) FROM contacts;
`
	cmd := exec.Command("sqlite3", "-bail", db) //#nosec G204 -- a folder of this program's own
	in, err := cmd.StdinPipe()
	if err != nil {
		return spent{}, err
	}
	cmd.Stderr = os.Stderr
	began := time.Now()
	go func() {
		_, _ = io.WriteString(in, script)
		_ = in.Close()
	}()
	out, err := cmd.Output()
	seconds := time.Since(began).Seconds()
	if err != nil {
		return spent{}, fmt.Errorf("sqlite3: %w", err)
	}
	if tail := "contacts," + strconv.Itoa(want); len(out) < len(tail) || !strings.Contains(string(out), tail) {
		return spent{}, fmt.Errorf("sqlite3 ended with %q, not %q", out, tail)
	}
	return spentBy(cmd.ProcessState, seconds), nil
}
