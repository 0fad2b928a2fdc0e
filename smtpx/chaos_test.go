package smtpx

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
)

// moody is a correct server that refuses some commands, and leaves at some point: before a reply, in the middle of
// one, behind one, or in the middle of what it reads. It knows what it took.
type moody struct {
	rnd    *rand.Rand
	p      *peer
	refuse int // one command of so many
	left   int // replies until it goes
	mu     sync.Mutex
	taken  map[string]map[string]bool // letter -> recipients, of letters it took charge of
}

var errGone = errors.New("gone")

// answer writes a reply, unless this is where it leaves.
func (m *moody) answer(good string) (bool, error) {
	text := good
	if m.refuse > 0 && m.rnd.IntN(m.refuse) == 0 {
		text = []string{"451 4.3.0 later\n", "550 5.7.1 no\n", "554-a\n554 b\n", "421 4.3.2 closing\n"}[m.rnd.IntN(4)]
	}
	if m.left--; m.left == 0 {
		m.p.say(text[:m.rnd.IntN(len(text))])
		return false, errGone
	}
	m.p.say(text)
	if strings.HasPrefix(text, "421") {
		return false, errGone
	}
	return text == good, nil
}

func (m *moody) serve() error {
	var to []string
	var mail, lost bool
	var text strings.Builder
	for {
		line, err := m.p.br.ReadString('\n')
		if err != nil {
			return err
		}
		line = strings.TrimSuffix(line, "\r\n")
		verb, _, _ := strings.Cut(line, " ")
		var ok bool
		switch verb {
		case "RSET":
			if to, mail, lost = nil, false, false; m.left > 0 {
				m.p.say("250 ok\n")
			}
			text.Reset()
		case "MAIL":
			if mail {
				m.p.say("503 nested MAIL\n")
				continue
			}
			mail, err = m.answer("250 ok\n")
		case "RCPT":
			if !mail {
				m.p.say("503 no MAIL\n")
				continue
			}
			if ok, err = m.answer("250 ok\n"); ok {
				to = append(to, line)
			}
		case "DATA":
			if len(to) == 0 && m.rnd.IntN(2) == 0 {
				m.p.say("503 no recipients\n")
				continue
			}
			if ok, err = m.answer("354 go\n"); !ok {
				break
			}
			for {
				l, e := m.p.br.ReadString('\n')
				if e != nil {
					return e
				}
				if l == ".\r\n" {
					break
				}
				text.WriteString(strings.TrimPrefix(l, "."))
			}
			err = m.end(text.String(), to)
			to, mail = nil, false
			text.Reset()
		case "BDAT":
			var n int64
			if _, err := fmt.Sscanf(line, "BDAT %d", &n); err != nil {
				return err
			}
			if _, err = io.CopyN(&text, m.p.br, n); err != nil {
				return err
			}
			switch {
			case len(to) == 0 || lost:
				m.p.say("554 nothing to do\n")
			case strings.HasSuffix(line, " LAST"):
				err = m.end(text.String(), to)
				to, mail = nil, false
				text.Reset()
			default:
				if ok, err = m.answer("250 ok\n"); !ok {
					lost = true
				}
			}
		case "QUIT":
			m.p.say("221 bye\n")
			return nil
		default:
			m.p.t.Errorf("server: %q", line)
			return errScript
		}
		if err != nil {
			return err
		}
	}
}

// end takes a letter, or refuses it, and answers its terminator.
func (m *moody) end(text string, to []string) error {
	id, rest, _ := strings.Cut(text, "\r\n")
	if want := strings.Repeat("..line of "+id+"\r\n", strings.Count(rest, "\r\n")); rest != want {
		m.p.t.Errorf("server: letter %q has %.80q", id, rest)
	}
	took := map[string]bool{}
	for _, r := range to {
		took[strings.TrimSuffix(strings.TrimPrefix(r, "RCPT TO:<"), ">")] = true
	}
	if len(to) == 0 {
		_, err := m.answer("554 no recipients\n")
		return err
	}
	ok, err := m.answer("250 taken\n")
	if ok || errors.Is(err, errGone) && m.left == 0 { // it may have taken what it could not say
		m.mu.Lock()
		m.taken[id] = took
		m.mu.Unlock()
	}
	return err
}

// Whatever a server refuses and wherever it goes, each letter has one result, and it is true.
func TestResultsAreTrue(t *testing.T) {
	runs := 200
	if testing.Short() {
		runs = 50
	}
	seen := map[Status]int{}
	for seed := range runs {
		rnd := rand.New(rand.NewPCG(uint64(seed), 1)) //#nosec G115 G404 -- a test
		m := &moody{rnd: rnd, left: 1 + rnd.IntN(40), taken: map[string]map[string]bool{}}
		if rnd.IntN(2) == 0 {
			m.refuse = 3 + rnd.IntN(10)
		}
		ext := []string{"CHUNKING"}
		if rnd.IntN(4) > 0 {
			ext = append(ext, "PIPELINING")
		}
		cfg := serve(t, func(p *peer) {
			p.hello(ext...)
			m.p = p
			if rnd.IntN(4) == 0 { // leave while reading
				p.br = bufio.NewReader(io.LimitReader(p.br, int64(rnd.IntN(30000))))
			}
			_ = m.serve()
		})
		src := &chaosSource{t: t, rnd: rand.New(rand.NewPCG(uint64(seed), 2)), results: map[int64][]Result{}} //#nosec G115 G404 -- a test
		cfg.Overlap, cfg.ChunkWindow = src.rnd.IntN(2) == 0, []int{0, 0, 1, 2, 16}[src.rnd.IntN(5)]
		s := dial(t, cfg)
		err := s.Run(t.Context(), src)
		_ = s.Close()
		if err != nil {
			_ = asError(t, err)
		}
		m.mu.Lock()
		for i := range src.list {
			src.judge(t, seed, src.list[i], m, seen)
		}
		m.mu.Unlock()
		if t.Failed() {
			t.Fatalf("seed %d: %v, overlap %v, window %d", seed, ext, cfg.Overlap, cfg.ChunkWindow)
		}
	}
	for st := NotSent; st <= Unknown; st++ {
		if seen[st] == 0 {
			t.Errorf("no letter was %v: the test does not reach it", st)
		}
	}
}

type chaosSource struct {
	t       *testing.T
	rnd     *rand.Rand
	list    []*Transaction
	mu      sync.Mutex
	results map[int64][]Result
}

func (c *chaosSource) Next(_ context.Context, wait bool) (*Transaction, error) {
	if !wait && c.rnd.IntN(4) == 0 {
		return nil, nil
	}
	if len(c.list) == 12 {
		return nil, io.EOF
	}
	id := int64(len(c.list) + 1)
	tx := &Transaction{ID: id, From: mustAddr("me@example.com"), Done: func(r Result) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.results[id] = append(c.results[id], r)
	}}
	for i := range 1 + c.rnd.IntN(3) {
		tx.To = append(tx.To, mustAddr(fmt.Sprintf("r%d@example.org", i)))
	}
	lines := c.rnd.IntN(20)
	if c.rnd.IntN(8) == 0 {
		lines = 8000 // several chunks
	}
	tx.Body = func(w io.Writer) error {
		if _, err := fmt.Fprintf(w, "%d\n", id); err != nil {
			return err
		}
		for range lines {
			if _, err := fmt.Fprintf(w, "..line of %d\n", id); err != nil {
				return err
			}
		}
		return nil
	}
	if c.rnd.IntN(2) == 0 {
		tx.BeforeDot = func() error { return nil }
	}
	c.list = append(c.list, tx)
	return tx, nil
}

func (c *chaosSource) judge(t *testing.T, seed int, tx *Transaction, m *moody, seen map[Status]int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.results[tx.ID]
	if len(r) != 1 || len(r[0].Outcomes) != len(tx.To) {
		t.Errorf("seed %d: letter %d has %d results: %+v", seed, tx.ID, len(r), r)
		return
	}
	id := fmt.Sprint(tx.ID)
	for i, o := range r[0].Outcomes {
		seen[o.Status]++
		took := m.taken[id][tx.To[i].String()]
		bad := ""
		switch {
		case o.Status == Accepted && !took:
			bad = "was not taken"
		case (o.Status == NotSent || o.Status == Permanent || o.Status == Temporary) && took:
			bad = "was taken"
		case (o.Status == Accepted) != (o.Err == nil):
			bad = "has the wrong error"
		case (o.Status == Permanent || o.Status == Temporary || o.Status == Accepted) && o.Reply == nil:
			bad = "has no reply"
		case o.Status == Unknown && o.Phase != PhaseDot || o.Status == NotSent && o.Phase >= PhaseDot:
			bad = "has the wrong phase"
		}
		if bad != "" {
			t.Errorf("seed %d: letter %d to %v: %v in %v, %v, %s", seed, tx.ID, tx.To[i], o.Status, o.Phase, o.Err, bad)
		}
	}
}
