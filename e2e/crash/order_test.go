package crash

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"hongyan/app/model"
	"hongyan/smtpx"
	"hongyan/smtpx/smtptest"
)

// TestNoDotBeforeTheSync looks at the system calls of a process that sends over one connection, letter by letter, by an
// account whose letters do not leave ahead: when a final dot leaves, whatever was written to the journal must have been synced.
func TestNoDotBeforeTheSync(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Fatal("strace is not installed; it is needed to see that no final dot leaves before the journal is synced (apt-get install strace)")
	}
	for _, engine := range []string{"lockstep", "pipelining"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			srv, err := smtptest.Start(smtptest.Options{TLS: smtpx.TLSNone, NoAuth: true, NoChunking: true})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = srv.Close() }()
			dir, id := prepare(t, 300, 1, model.ProfileConsumer)
			text, err := json.Marshal(order{Dir: dir, Campaign: id, Port: srv.Port(), Engine: engine})
			if err != nil {
				t.Fatal(err)
			}
			calls := filepath.Join(t.TempDir(), "calls")
			cmd := exec.Command(strace, "-f", "-y", "-s", "8192", "-o", calls, "-e", "trace=write,writev,sendto,sendmsg,pwrite64,pwritev,fsync,fdatasync",
				"-e", "signal=none", os.Args[0])
			cmd.Env = append(os.Environ(), childEnv+"="+string(text))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("strace cannot follow a process here (in a container it needs the capability SYS_PTRACE): %v\n%s", err, out)
			}
			dots, syncs := readCalls(t, calls)
			if dots != 300 || srv.Count() != 300 {
				t.Errorf("%d final dots were seen for %d letters", dots, srv.Count())
			}
			if syncs < 300 {
				t.Errorf("%d syncs of the journal for 300 letters, one after the other", syncs)
			}
		})
	}
}

var (
	callPattern    = regexp.MustCompile(`^(\d+) +(\w+)\(\d+<([^>]*)>`)
	resumedPattern = regexp.MustCompile(`^(\d+) +<\.\.\. (\w+) resumed>.*= (-?\d+)`)
)

// readCalls walks through what strace wrote, in the order in which calls began, and syncs ended.
func readCalls(t *testing.T, path string) (dots, syncs int) {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	r := bufio.NewReaderSize(f, 64<<10)
	dirty := map[string]bool{}     // files of the journal with writes that are not synced
	syncing := map[string]string{} // by thread: the file that it is syncing
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return dots, syncs
		}
		if m := resumedPattern.FindStringSubmatch(line); m != nil {
			if file := syncing[m[1]]; strings.HasSuffix(m[2], "sync") && m[3] == "0" {
				delete(dirty, file)
				syncs++
			}
			continue
		}
		m := callPattern.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		thread, call, file := m[1], m[2], m[3]
		// The -shm file is an index that is made anew at each start.
		journal := strings.HasPrefix(filepath.Base(file), "deliveries.db") && !strings.HasSuffix(file, "-shm")
		switch {
		case strings.HasSuffix(call, "sync") && journal:
			if strings.Contains(line, "unfinished") {
				syncing[thread] = file // a write in the meantime is not covered, but there is none: one connection writes
			} else if strings.Contains(line, "= 0") {
				delete(dirty, file)
				syncs++
			}
		case journal:
			dirty[file] = true
		case strings.HasPrefix(file, "socket:") || strings.HasPrefix(file, "TCP:"):
			if !strings.Contains(line, `\r\n.\r\n"`) && !strings.Contains(line, `(".\r\n"`) && !strings.Contains(line, `>, ".\r\n"`) {
				continue
			}
			dots++
			for file := range dirty {
				t.Errorf("a final dot left while %s had writes that were not synced", filepath.Base(file))
			}
		}
	}
}
