package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// line is a TCP proxy that behaves as a long line: every octet arrives half a round trip after it was sent, in both
// directions. A connection costs what it costs on a real one: what the client says first cannot arrive before SYN and
// SYN-ACK have made a round trip, and the server does not know of it before that.
type line struct {
	half time.Duration
	to   string
}

// runLine serves until its standard input ends, and prints the port it listens on.
func runLine(half time.Duration, to string) error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(ln.Addr().(*net.TCPAddr).Port)
	go func() { _, _ = io.Copy(io.Discard, os.Stdin); os.Exit(0) }()
	l := &line{half, to}
	for {
		c, err := ln.Accept()
		if err != nil {
			return err
		}
		go l.carry(c, time.Now().Add(3*half))
	}
}

// parcel is what one read gave, and when it is to arrive.
type parcel struct {
	b   []byte
	due time.Time
}

// carry joins a client with the server, which sees the connection at the time open.
func (l *line) carry(c net.Conn, open time.Time) {
	up := make(chan parcel, 4096)
	go l.read(c, up, open)
	time.Sleep(time.Until(open))
	s, err := net.Dial("tcp", l.to)
	if err != nil {
		_ = c.Close()
		return
	}
	down := make(chan parcel, 4096)
	go l.read(s, down, open)
	go deliver(s, up)
	deliver(c, down)
}

func (l *line) read(from net.Conn, to chan<- parcel, earliest time.Time) {
	defer close(to)
	for {
		b := make([]byte, 32<<10)
		n, err := from.Read(b)
		if n > 0 {
			due := time.Now().Add(l.half)
			if due.Before(earliest) {
				due = earliest
			}
			to <- parcel{b[:n], due}
		}
		if err != nil {
			to <- parcel{nil, time.Now().Add(l.half)}
			return
		}
	}
}

func deliver(to net.Conn, from <-chan parcel) {
	defer to.Close()
	for p := range from {
		time.Sleep(time.Until(p.due))
		if p.b == nil {
			return
		}
		if _, err := to.Write(p.b); err != nil {
			return
		}
	}
}
