package smtptest

import (
	"strings"
	"testing"
	"time"

	"hongyan/smtpx"
)

func TestMoodRefuseTenth(t *testing.T) {
	m := &temper{now: time.Now}
	m.set(RefuseTenth)
	for round := range 3 {
		for i := 1; i <= 10; i++ {
			addr := strings.Repeat("x", i) + "@x.example"
			refused := m.recipient(addr) != ""
			if round == 0 && refused != (i == 10) || i == 10 && !refused {
				t.Errorf("round %d, recipient %d: refused %v", round, i, refused)
			}
		}
	}
}

func TestMoodWaitOpensAndClosesAgain(t *testing.T) {
	now := time.Unix(0, 0)
	m := &temper{now: func() time.Time { return now }, waitFor: time.Minute}
	m.set(Wait)
	for spell, want := range []string{"451 4.7.1", "550 Sender frequency limited", "451 4.7.1"} {
		if got, _ := m.begin(); !strings.HasPrefix(got, want) {
			t.Errorf("spell %d begins with %q, want %q", spell, got, want)
		}
		now = now.Add(time.Minute)
		for i := range waitRound {
			if got, _ := m.begin(); got != "" {
				t.Errorf("spell %d, letter %d: %q", spell, i, got)
			}
		}
	}
}

func TestMoodDropLineTakesEachStepInTurn(t *testing.T) {
	s := startServer(t, Options{TLS: smtpx.TLSNone})
	if err := s.SetMood(DropLine); err != nil {
		t.Fatal(err)
	}
	answered, cut := 0, 0
	for range dropEvery * int(dropSteps-1) {
		r := dialPlain(t, s)
		ok := true
		for _, line := range []string{"MAIL FROM:<a@x.example>", "RCPT TO:<b@x.example>", "DATA", strings.Repeat("a\r\n", 60) + "."} {
			r.send(line + "\r\n")
			reply, err := r.r.ReadString('\n')
			if ok = err == nil && (reply[0] == '2' || reply[0] == '3'); !ok {
				break
			}
		}
		if ok {
			answered++
		} else {
			cut++
		}
		_ = r.Close()
	}
	// One step comes after the 250, so that its letter is answered; another keeps a letter that was not.
	if want := int(dropSteps - 2); cut != want || s.Count() != int64(answered+1) {
		t.Errorf("%d letters answered, %d cut, %d kept; want %d cut and one kept without an answer", answered, cut, s.Count(), want)
	}
}

func TestMoodsOverTheWire(t *testing.T) {
	s := startServer(t, Options{TLS: smtpx.TLSNone, Delay: 30 * time.Millisecond})
	r := dialPlain(t, s)
	if err := s.SetMood(Full); err != nil {
		t.Fatal(err)
	}
	r.send("MAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\nDATA\r\n")
	r.want("250", "452 4.2.2", "503")
	if err := s.SetMood(Slow); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	r.send("NOOP\r\nNOOP\r\n")
	r.want("250", "250")
	if d := time.Since(begin); d < 60*time.Millisecond {
		t.Errorf("two slow replies took %v", d)
	}
	if s.SetMood("cheerful") == nil || s.Mood() != Slow {
		t.Errorf("an unknown mood was taken: %v", s.Mood())
	}
}
