package crash

import (
	"bufio"
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"hongyan/app/model"
	"hongyan/smtpx"
	"hongyan/smtpx/smtptest"
)

var (
	kills = flag.Int("kills", 50, "how many processes are killed")
	seed  = flag.Uint64("seed", 0, "of the moments; 0: a new one")
)

const (
	people      = 2000
	connections = 4
)

// life is how one process went.
type life struct {
	killed  bool
	unknown int // letters in doubt when it had opened the folder; -1: it never came so far
}

// TestKills kills processes that send, until there were enough, over campaigns in each way of speaking.
func TestKills(t *testing.T) {
	s := *seed
	if s == 0 {
		s = rand.Uint64()
	}
	rnd := rand.New(rand.NewPCG(s, s))
	names := make([]string, 0, len(engines))
	for name := range engines {
		names = append(names, name)
	}
	slices.Sort(names)
	each := max(*kills/len(names), 1)
	t.Logf("-seed %d", s)
	for i, name := range names {
		n := each
		if i == len(names)-1 {
			n = *kills - each*(len(names)-1)
		}
		t.Run(name, func(t *testing.T) {
			for sum := (tally{}); sum.kills < n; {
				sum.add(killed(t, rnd, name, n-sum.kills))
				if t.Failed() || sum.kills >= n {
					t.Logf("%d kills in %d campaigns: %d letters, %d in doubt (%d of them delivered), at most %d in doubt by one kill",
						sum.kills, sum.campaigns, sum.letters, sum.unknown, sum.delivered, sum.worst)
					return
				}
			}
		})
	}
}

// tally sums up campaigns.
type tally struct{ kills, campaigns, letters, unknown, delivered, worst int }

func (a *tally) add(b tally) {
	a.kills += b.kills
	a.campaigns++
	a.letters += b.letters
	a.unknown += b.unknown
	a.delivered += b.delivered
	a.worst = max(a.worst, b.worst)
}

// killed sends one campaign whose processes are killed, up to most times, and holds it to the promise.
func killed(t *testing.T, rnd *rand.Rand, engine string, most int) (sum tally) {
	letters := make(chan struct{}, people*2)
	log := filepath.Join(t.TempDir(), "log")
	srv, err := smtptest.Start(smtptest.Options{TLS: smtpx.TLSNone, NoAuth: true, Log: log,
		OnLetter: func(smtptest.Letter) { letters <- struct{}{} }})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = srv.Close() }()
	dir, id := prepare(t, people, connections, model.ProfileRelay)
	// A connection has so many letters under way; one more may have its reply and wait to be recorded.
	inFlight := connections * (engines[engine].depth + 1)
	for before := 0; ; {
		l := live(t, rnd, order{Dir: dir, Campaign: id, Port: srv.Port(), Engine: engine}, letters, sum.kills < most)
		if l.unknown >= 0 { // else it died before it could send anything
			d := l.unknown - before
			if d > inFlight {
				t.Errorf("a kill left %d letters in doubt, at most %d were in flight", d, inFlight)
			}
			sum.worst, before = max(sum.worst, d), l.unknown
		}
		if !l.killed {
			break
		}
		sum.kills++
	}
	if err := srv.Close(); err != nil {
		t.Error(err)
	}
	got := map[string]int{}
	if err := smtptest.ReadLog(log, func(l smtptest.Letter) bool { got[l.To[0]]++; return true }); err != nil {
		t.Fatal(err)
	}
	n, rows := deliveries(t, dir, id)
	if len(rows) != people || n.Total != people || n.Accepted+n.Unknown != people {
		t.Errorf("of %d people %+v", people, n)
	}
	sum.letters, sum.unknown = n.Accepted, n.Unknown
	for to, d := range rows {
		switch k := got[to]; {
		case k > 1:
			t.Errorf("%s got %d letters", to, k)
		case k == 0 && d.State == model.Accepted:
			t.Errorf("%s is accepted and got nothing", to)
		case k == 1 && d.State == model.Unknown:
			sum.delivered++
		case k == 1 && d.State != model.Accepted:
			t.Errorf("%s got a letter and is %s", to, d.State)
		}
	}
	return sum
}

// live starts a process and kills it at a random moment: after some letters, or after some time, which may be before it
// has opened its folder.
func live(t *testing.T, rnd *rand.Rand, o order, letters chan struct{}, kill bool) (l life) {
	t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+string(text))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	unknown := make(chan int, 1)
	go func() {
		line, _ := bufio.NewReader(out).ReadString('\n')
		n, err := strconv.Atoi(strings.TrimSpace(line))
		if err != nil {
			n = -1
		}
		unknown <- n
		ended <- cmd.Wait()
	}()
	if kill {
		moment(rnd, letters, ended)
	}
	deadline := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Signal(syscall.SIGQUIT) })
	defer deadline.Stop()
	if kill {
		_ = cmd.Process.Kill()
	}
	l.unknown = <-unknown
	err = <-ended
	if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() && ws.Signal() == syscall.SIGKILL {
		l.killed = true
	} else if err != nil {
		t.Fatalf("the process ended by itself: %v\n%s", err, said.String())
	}
	return l
}

// moment waits for a random one, or until the process has ended.
func moment(rnd *rand.Rand, letters <-chan struct{}, ended chan error) {
	for len(letters) > 0 {
		<-letters
	}
	limit := time.After(time.Duration(rnd.Int64N(int64(60 * time.Millisecond))))
	if rnd.IntN(4) > 0 { // most die while they send
		limit = time.After(10 * time.Second)
		for range 1 + rnd.IntN(150) {
			select {
			case <-letters:
			case err := <-ended:
				ended <- err
				return
			case <-limit:
				return
			}
		}
		limit = time.After(time.Duration(rnd.Int64N(int64(3 * time.Millisecond))))
	}
	select {
	case <-limit:
	case err := <-ended:
		ended <- err
	}
}
