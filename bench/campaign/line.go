package main

import (
	"io"
	"net"
	"strconv"
	"sync"
	"time"
)

// line is a long line to a server on loopback: what goes in comes out later, at either end.
type line struct {
	ln   net.Listener
	port int
	one  time.Duration // one way
	to   string
}

func startLine(port int, one time.Duration) (*line, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	_, p, err := net.SplitHostPort(ln.Addr().String())
	if err != nil {
		return nil, err
	}
	l := &line{ln: ln, one: one, to: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))}
	if l.port, err = strconv.Atoi(p); err != nil {
		return nil, err
	}
	go l.accept()
	return l, nil
}

func (l *line) stop() { _ = l.ln.Close() }

func (l *line) accept() {
	for {
		c, err := l.ln.Accept()
		if err != nil {
			return
		}
		go l.join(c)
	}
}

func (l *line) join(c net.Conn) {
	defer func() { _ = c.Close() }()
	s, err := net.Dial("tcp", l.to)
	if err != nil {
		return
	}
	defer func() { _ = s.Close() }()
	time.Sleep(2 * l.one) // SYN and SYN-ACK
	var wg sync.WaitGroup
	wg.Go(func() { l.carry(s, c) })
	wg.Go(func() { l.carry(c, s) })
	wg.Wait()
}

// parcel is what was read at once.
type parcel struct {
	b   []byte
	due time.Time
}

// carry brings octets from one end to the other, each as late as the line is long.
func (l *line) carry(to, from net.Conn) {
	under := make(chan parcel, 4096)
	go func() {
		defer close(under)
		for {
			b := make([]byte, 32<<10)
			n, err := from.Read(b)
			if n > 0 {
				under <- parcel{b[:n], time.Now().Add(l.one)}
			}
			if err != nil {
				return
			}
		}
	}()
	for p := range under {
		time.Sleep(time.Until(p.due))
		if _, err := to.Write(p.b); err != nil {
			_ = from.Close() // its reader ends, and the channel with it
			for range under {
			}
			return
		}
	}
	if t, ok := to.(interface{ CloseWrite() error }); ok {
		_ = t.CloseWrite()
	} else if c, ok := to.(io.Closer); ok {
		_ = c.Close()
	}
}
