package postfix

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"hongyan/e2e/ctl"
	"hongyan/e2e/mailserver"
)

// kill -9 in the middle, several times, with several connections, overlap and CHUNKING: what lies in the mailbox is what
// the journal says, nobody twice and nobody forgotten.
func TestKilledAndResumedThroughPostfix(t *testing.T) {
	fresh(t)
	const people, flight = 600, 4 * 2 // connections, and what overlaps on each
	c := ctl.New(t)
	account(t, c, "starttls", mailserver.Password, "--profile", "relay", "--connections", "4")
	var list strings.Builder
	for i := range people {
		fmt.Fprintf(&list, "reader%d@example.com\n", i)
	}
	importList(t, c, c.File("list.txt", list.String()))
	c.Run("campaign", "create", "--name", "c", "--list", "readers", "--letter", c.File("l.txt", "---\nsubject: hello\n---\nhello\n"), "--account", "me").Want(ctl.Done)
	rnd := rand.New(rand.NewPCG(20261124, 8))
	before, kills := 0, 0
	for ; kills < 5; kills++ {
		p := c.Start("", "campaign", "run", "c", "--resume", "--quiet")
		more := c.Status("c").Accepted + 20 + rnd.IntN(60)
		for deadline := time.Now().Add(within); !p.Ended() && c.Status("c").Accepted < more; {
			if time.Now().After(deadline) {
				t.Fatal("nothing is accepted")
			}
		}
		time.Sleep(time.Duration(rnd.IntN(5000)) * time.Microsecond) // the moment is what is tested
		if p.Ended() {
			break
		}
		p.Kill()
		n := c.Status("c")
		if left := n.Unknown + n.Attempting; left > before+flight {
			t.Errorf("kill %d: %d unknown after %d, with %d in flight at most", kills, left, before, flight)
		} else {
			before = left
		}
	}
	if kills < 2 {
		t.Fatalf("only %d kills before the end", kills)
	}
	if r := c.Run("campaign", "run", "c", "--resume", "--quiet"); r.Code != ctl.Done && r.Code != ctl.Some {
		t.Fatalf("exit %d: %s", r.Code, r.Err)
	}
	n := c.Status("c")
	if n.State != "done" || n.Accepted+n.Unknown != people {
		t.Errorf("%+v", n)
	}
	got := map[string]int{}
	for deadline := time.Now().Add(within); ; time.Sleep(50 * time.Millisecond) {
		letters, err := server.Letters()
		if err != nil {
			t.Fatal(err)
		}
		// How many of the unknown ones arrived is not known before; the others have to.
		if len(letters) >= n.Accepted && server.Idle() {
			for _, l := range letters {
				got[l.To]++
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d letters of %d accepted", len(letters), n.Accepted)
		}
	}
	arrived := 0
	for who, r := range c.Report("c") {
		switch {
		case got[who] > 1:
			t.Errorf("%s got %d letters", who, got[who])
		case r.State == "accepted" && got[who] != 1, r.State != "accepted" && r.State != "unknown":
			t.Errorf("%s is %s and got %d letters", who, r.State, got[who])
		case r.State == "unknown":
			arrived += got[who]
		}
	}
	t.Logf("%d kills: %d unknown, of which %d arrived", kills, n.Unknown, arrived)
}
