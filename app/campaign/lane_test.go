package campaign

import (
	"math/rand/v2"
	"testing"
	"time"

	"hongyan/app/model"
)

func newLane(l model.Limits) *lane {
	a := NewAccounts(nil, nil)
	a.rnd = rand.New(rand.NewPCG(1, 2))
	x := &lane{all: a, id: 1, target: 1, lastOK: true, lim: newLimiter(l, a.rnd)}
	x.configure(model.Account{ID: 1, Limits: l})
	return x
}

// TestConnectionsAreEarned: twice as many after each twenty letters, up to the limit; half after trouble, and from then
// on one by one.
func TestConnectionsAreEarned(t *testing.T) {
	l := newLane(model.Limits{Connections: 12})
	after := func(letters, want int) {
		t.Helper()
		for range letters {
			l.accepted()
		}
		if l.target != want {
			t.Errorf("%d connections, want %d", l.target, want)
		}
	}
	after(19, 1)
	after(1, 2)
	after(20, 4)
	after(20, 8)
	after(20, 12)
	after(100, 12)
	l.slow()
	after(0, 6)
	after(20, 7)
	after(20, 8)
}

// TestPausesBetweenConnections: doubled at each failure in a row, up to a quarter of an hour, and over at once when a
// letter arrives; a clock that is set back makes none longer.
func TestPausesBetweenConnections(t *testing.T) {
	l := newLane(model.Limits{})
	l.reached = true
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for i, seconds := range []float64{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900} {
		l.lost(now, 0, false)
		if d := l.dialFrom(now).Sub(now).Seconds(); d < seconds || d > seconds*1.2 {
			t.Errorf("pause %d is %v s, want %v s and up to a fifth more", i+1, d, seconds)
		}
	}
	back := now.AddDate(-1, 0, 0)
	if d := l.dialFrom(back).Sub(back); d > 20*time.Minute {
		t.Errorf("after the clock was set back the pause is %v", d)
	}
	l.accepted()
	if l.dialFrom(now).After(now) {
		t.Error("a pause remains after a letter was accepted")
	}
	l.lost(now, 0, true)
	if d := l.dialFrom(now).Sub(now); d != time.Second {
		t.Errorf("%v after a connection that had delivered", d)
	}
}
