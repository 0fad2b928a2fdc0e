package app_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// boaster offers CHUNKING, and knows no BDAT, nor RSET but behind a BDAT; user1 is not there.
type boaster struct {
	ln             net.Listener
	bdats, letters atomic.Int64
	wg             sync.WaitGroup
}

func newBoaster(t *testing.T) *boaster {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &boaster{ln: ln}
	b.wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			b.wg.Go(func() { b.serve(c) })
		}
	})
	t.Cleanup(func() { _ = ln.Close(); b.wg.Wait() })
	return b
}

func (b *boaster) serve(c net.Conn) {
	defer c.Close()
	r := bufio.NewReader(c)
	say := func(s string) { _, _ = io.WriteString(c, s+"\r\n") }
	say("220 hi")
	there, rset := false, "502 5.5.1 RSET?"
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		verb, arg, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch verb {
		case "EHLO":
			say("250-boaster\r\n250-PIPELINING\r\n250 CHUNKING")
		case "BDAT":
			var n int64
			_, _ = fmt.Sscan(arg, &n)
			_, _ = io.CopyN(io.Discard, r, n)
			b.bdats.Add(1)
			rset = "250 ok"
			say("502 5.5.1 BDAT?")
		case "DATA":
			if !there {
				say("503 5.5.1 Nobody to send to")
				continue
			}
			say("354 go")
			for line != ".\r\n" && err == nil {
				line, err = r.ReadString('\n')
			}
			if err != nil {
				return
			}
			b.letters.Add(1)
			say("250 ok")
		case "RSET":
			say(rset)
			rset = "502 5.5.1 RSET?"
		case "RCPT":
			if there = !strings.Contains(arg, "user1@"); there {
				say("250 ok")
			} else {
				say("550 5.1.1 Mailbox not found")
			}
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

// A server that promises CHUNKING and breaks it is asked once: afterwards its letters go by DATA, over new
// connections too. Nobody is forgotten, and that the server refuses RSET behind user1 is nobody else's refusal.
func TestBrokenChunkingIsRemembered(t *testing.T) {
	b := newBoaster(t)
	r := newRig(t)
	acct := r.account("boaster", b.ln.Addr().(*net.TCPAddr).Port)
	list := r.people("一", 3)
	for i := range 3 {
		n := r.send(r.campaign(fmt.Sprint(i), list, acct.ID))
		// user1 is on the list of those who get no more letters after the first.
		if n.Accepted != 2 || n.Rejected+n.Skipped != 1 {
			t.Fatalf("%+v", n)
		}
	}
	if n := b.bdats.Load(); n != 1 || b.letters.Load() != 6 {
		t.Errorf("%d times BDAT, %d letters by DATA", n, b.letters.Load())
	}
}

// A test letter does not fail for it.
func TestTestLetterWithoutBDAT(t *testing.T) {
	b := newBoaster(t)
	r := newRig(t)
	acct := r.account("boaster", b.ln.Addr().(*net.TCPAddr).Port)
	r.people("一", 1)
	res, err := r.TestLetter(t.Context(), letter, acct.ID, 0, "me@example.com")
	if err != nil || !res.Accepted || b.letters.Load() != 1 {
		t.Errorf("%+v, %v", res, err)
	}
}
