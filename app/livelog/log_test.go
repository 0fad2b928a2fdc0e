package livelog

import (
	"strconv"
	"sync"
	"testing"
	"time"

	"hongyan/smtpx"
)

func TestSince(t *testing.T) {
	l := New(4)
	if lines, next := l.Since(0, 10); lines != nil || next != 0 {
		t.Fatalf("empty log: %v, %d", lines, next)
	}
	say := l.Listen(7)
	for i := range 3 {
		say(smtpx.Event{Kind: smtpx.EventCommand, Text: strconv.Itoa(i)})
	}
	lines, next := l.Since(0, 2)
	if len(lines) != 2 || lines[0].Text != "0" || lines[1].Text != "1" || next != 2 || lines[0].Account != 7 {
		t.Fatalf("first page: %+v, %d", lines, next)
	}
	if lines, next = l.Since(next, 10); len(lines) != 1 || lines[0].Text != "2" || next != 3 {
		t.Fatalf("rest: %+v, %d", lines, next)
	}
	for i := 3; i < 10; i++ {
		say(smtpx.Event{Kind: smtpx.EventCommand, Text: strconv.Itoa(i)})
	}
	// 6..9 are kept; what was lost is passed over.
	if lines, next = l.Since(next, 10); len(lines) != 4 || lines[0].Text != "6" || next != 10 {
		t.Fatalf("after a wrap: %+v, %d", lines, next)
	}
	if lines, next = l.Since(99, 10); lines != nil || next != 99 {
		t.Fatalf("beyond the end: %+v, %d", lines, next)
	}
}

func TestFormat(t *testing.T) {
	at := time.Date(2026, 11, 24, 14, 3, 20, 5e6, time.Local)
	for want, e := range map[string]smtpx.Event{
		"14:03:20.005 #3 > MAIL FROM:<a@example.com>": {Kind: smtpx.EventCommand, Text: "MAIL FROM:<a@example.com>"},
		"14:03:20.005 #3 < 250 2.0.0 ok":              {Kind: smtpx.EventReply, Text: "2.0.0 ok", Code: 250},
		"14:03:20.005 #3 < 250-one\n250 two":          {Kind: smtpx.EventReply, Text: "one\ntwo", Code: 250},
		"14:03:20.005 #3 > [4.0 KB]":                  {Kind: smtpx.EventBody, Bytes: 4096},
		"14:03:20.005 #3 > [900 B]":                   {Kind: smtpx.EventBody, Bytes: 900},
		"14:03:20.005 #3 ! reset":                     {Kind: smtpx.EventError, Text: "reset"},
		"14:03:20.005 #3 * TCP 127.0.0.1:25":          {Kind: smtpx.EventConnect, Text: "127.0.0.1:25"},
	} {
		e.Time, e.Conn = at, 3
		if got := format(entry{1, e}).String(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestConcurrent(t *testing.T) {
	l := New(64)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			say := l.Listen(1)
			for range 500 {
				say(smtpx.Event{Kind: smtpx.EventNote, Text: "x"})
			}
		})
	}
	var seq uint64
	for range 50 {
		lines, next := l.Since(seq, 1000)
		if next < seq || len(lines) > 64 {
			t.Fatalf("%d lines, next %d after %d", len(lines), next, seq)
		}
		seq = next
	}
	wg.Wait()
	if _, next := l.Since(0, 1000); next != 2000 {
		t.Errorf("next is %d after 2000 events", next)
	}
}
