package smtptest

import (
	"fmt"
	"sync"
	"time"
)

// Mood is how a practice server behaves towards its clients.
type Mood string

// The moods. All but Normal play something that happens to people who send mail.
const (
	Normal      Mood = "normal"
	Slow        Mood = "slow"         // each reply comes late
	RefuseTenth Mood = "refuse-tenth" // 550 5.1.1 for every tenth new recipient, and always for those
	DropLine    Mood = "drop-line"    // the connection ends now and then, at changing steps, after the final dot too
	Wait        Mood = "wait"         // too many letters: asks to wait, takes some, asks again
	Full        Mood = "full"         // 452 4.2.2: every mailbox is full
)

// Moods are all moods, in the order in which a person would try them.
func Moods() []Mood { return []Mood{Normal, Slow, RefuseTenth, DropLine, Wait, Full} }

// ParseMood finds a mood by its name.
func ParseMood(name string) (Mood, error) {
	for _, m := range Moods() {
		if string(m) == name {
			return m, nil
		}
	}
	return "", fmt.Errorf("smtptest: no mood %q; there are %v", name, Moods())
}

// dropStep is where in a transaction the connection is to end.
type dropStep int

const (
	dropNever dropStep = iota
	dropAtMail
	dropAtRcpt
	dropAtData    // instead of the 354
	dropInBody    // after some of the body
	dropBeforeDot // the letter is whole, is not kept, and gets no reply
	dropAfterDot  // the letter is kept, and gets no reply: nobody can tell it from the one before
	dropAfterOK   // the letter is kept and its 250 is sent
	dropSteps     // how many there are
)

// dropEvery is how many transactions pass between two that are dropped, in the mood DropLine.
const dropEvery = 7

// waitRound is how many letters are taken between two spells of waiting.
const waitRound = 20

// temper is the mood and the little state that moods need.
type temper struct {
	mu         sync.Mutex
	mood       Mood
	rcpts      int                 // recipients seen since the mood began
	refused    map[string]struct{} // who is refused as long as the mood lasts
	txns       int
	waitUntil  time.Time
	waitLeft   int // letters to take before the next spell
	waitSpells int
	waitFor    time.Duration
	delay      time.Duration
	now        func() time.Time
}

func (t *temper) set(m Mood) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.mood, t.rcpts, t.txns, t.waitLeft, t.waitSpells, t.waitUntil = m, 0, 0, 0, 0, time.Time{}
	t.refused = map[string]struct{}{}
}

func (t *temper) get() Mood {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.mood
}

// replyDelay is how late a reply is.
func (t *temper) replyDelay() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.mood == Slow {
		return t.delay
	}
	return 0
}

// begin is asked at each MAIL. A reply that is not "" refuses it; step says where the connection is to end.
func (t *temper) begin() (reply string, step dropStep) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch t.mood {
	case DropLine:
		t.txns++
		if t.txns%dropEvery == 0 {
			return "", dropNever + 1 + dropStep((t.txns/dropEvery-1)%int(dropSteps-1))
		}
	case Wait:
		now := t.now()
		if t.waitLeft == 0 && t.waitUntil.IsZero() {
			t.waitUntil = now.Add(t.waitFor)
			t.waitSpells++
		}
		if left := t.waitUntil.Sub(now); left > 0 {
			if t.waitSpells%2 == 0 {
				return "550 Sender frequency limited", dropNever
			}
			return fmt.Sprintf("451 4.7.1 Too many letters, please try again in %d s", int(left.Seconds())+1), dropNever
		}
		if !t.waitUntil.IsZero() {
			t.waitUntil, t.waitLeft = time.Time{}, waitRound
		}
		t.waitLeft--
	}
	return "", dropNever
}

// recipient is asked at each RCPT; "" takes it.
func (t *temper) recipient(addr string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch t.mood {
	case RefuseTenth:
		_, no := t.refused[addr]
		if !no {
			t.rcpts++
			if no = t.rcpts%10 == 0; no {
				t.refused[addr] = struct{}{}
			}
		}
		if no {
			return "550 5.1.1 Mailbox not found"
		}
	case Full:
		return "452 4.2.2 Mailbox full"
	}
	return ""
}
