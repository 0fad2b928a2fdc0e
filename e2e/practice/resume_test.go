package practice

import (
	"math/rand/v2"
	"testing"
	"time"

	"hongyan/e2e/ctl"
	"hongyan/smtpx/smtptest"
)

// slowly makes a run long enough to be caught in the middle.
func slowly() smtptest.Options {
	return smtptest.Options{Mood: smtptest.Slow, Delay: 10 * time.Millisecond}
}

func TestPauseAndResume(t *testing.T) {
	t.Parallel()
	s := start(t, slowly())
	c := setup(t, s, 60)
	p := c.Start("", send(c)...)
	for _, at := range []int64{5, 20} {
		eventually(t, "some letters", func() bool { return s.Count() >= at })
		if r := c.Run("campaign", "run", "c", "--resume"); r.Code == ctl.Done || r.Err == "" {
			t.Errorf("a second engine on the folder: exit %d, %s", r.Code, r.Err)
		}
		c.Run("campaign", "pause", "c").Want(ctl.Done)
		p.Wait().Want(ctl.Stopped)
		n := c.Status("c")
		if n.State != "paused" || n.Unknown != 0 || n.Attempting != 0 || n.Accepted != int(s.Count()) || n.Accepted == 60 {
			t.Errorf("%+v; the server has %d", n, s.Count())
		}
		c.Run("campaign", "run", "c").Want(ctl.Usage) // not without a word about it
		p = c.Start("", "campaign", "run", "c", "--resume", "--quiet")
	}
	p.Wait().Want(ctl.Done)
	if n := c.Status("c"); n.Accepted != 60 || n.State != "done" {
		t.Errorf("%+v", n)
	}
	fair(t, c, s)
	c.Run("campaign", "run", "c", "--resume").Want(ctl.Usage) // nothing is left
}

// kill -9 at any moment: nobody twice, nobody lost, and at most what was under way is unknown.
func TestKilledAndResumed(t *testing.T) {
	const people, connections, kills = 400, 3, 10
	for name, profile := range map[string]struct {
		flags  []string
		flight int // letters that may be under way at once
	}{
		"consumer": {[]string{"--connections", "1"}, 1},
		"relay":    {[]string{"--profile", "relay", "--connections", "3"}, connections * 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rnd := rand.New(rand.NewPCG(20261124, 7))
			s := start(t, smtptest.Options{Mood: smtptest.Slow, Delay: time.Millisecond})
			c := setup(t, s, people, profile.flags...)
			c.Run("campaign", "create", "--name", "c", "--list", "people", "--letter", c.Data+"/../letter.md", "--account", "me").Want(ctl.Done)
			before, killed := 0, 0
			for ; killed < kills; killed++ {
				p := c.Start("", "campaign", "run", "c", "--resume", "--quiet")
				more := s.Count() + 1 + rnd.Int64N(30)
				eventually(t, "some letters", func() bool { return s.Count() >= more || p.Ended() })
				time.Sleep(time.Duration(rnd.IntN(4000)) * time.Microsecond) // the moment is what is tested
				if p.Ended() {
					break
				}
				p.Kill()
				reached := s.Count()
				n := c.Status("c")
				if n.Accepted+n.Unknown < int(reached) || n.State != "paused" || n.Attempting != 0 {
					t.Errorf("kill %d: the server has %d letters, the status is %+v", killed, reached, n)
				}
				if left := n.Unknown + n.Attempting; left > before+profile.flight {
					t.Errorf("kill %d: %d unknown after %d, with %d in flight at most", killed, left, before, profile.flight)
				}
				before = n.Unknown + n.Attempting
			}
			if killed < kills/2 {
				t.Fatalf("only %d kills before the end", killed)
			}
			r := c.Start("", "campaign", "run", "c", "--resume", "--quiet").Wait()
			n := c.Status("c")
			want := ctl.Done
			if n.Unknown > 0 {
				want = ctl.Some
			}
			r.Want(want)
			if n.State != "done" || n.Accepted+n.Unknown != people {
				t.Errorf("%+v", n)
			}
			if u := fair(t, c, s); u != n.Unknown {
				t.Errorf("%d in the report, %+v", u, n)
			}
			t.Logf("%d kills: %d unknown", killed, n.Unknown)
		})
	}
}
