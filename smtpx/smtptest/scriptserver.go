package smtptest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
)

// ScriptServer plays a script. Its end is checked when the test ends, or by Wait.
type ScriptServer struct {
	t     TB
	d     *dialogue
	steps []Step
	pipe  net.Conn // the client's end, when there is no listener
	done  chan struct{}
	once  sync.Once
	err   error // set before done is closed
}

// Script listens on a free port of 127.0.0.1, accepts one connection and plays steps on it. A step that fails, and
// steps that were never reached, fail the test t with the dialogue so far.
func Script(t TB, steps ...Step) *ScriptServer {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Errorf("smtptest: %v", err)
		return nil
	}
	s := &ScriptServer{t: t, steps: append([]Step{Accept()}, steps...), d: &dialogue{ln: ln, quit: make(chan struct{})}}
	return s.start()
}

// Pipe plays steps over a net.Pipe, which has no buffer at all: a client that needs one deadlocks here. The client's
// end is given by Dial.
func Pipe(t TB, steps ...Step) *ScriptServer {
	t.Helper()
	client, server := net.Pipe()
	s := &ScriptServer{t: t, steps: steps, pipe: client, d: &dialogue{quit: make(chan struct{})}}
	s.d.setConn(server)
	return s.start()
}

func (s *ScriptServer) start() *ScriptServer {
	s.done = make(chan struct{})
	go s.play()
	s.t.Cleanup(func() { s.finish() })
	return s
}

func (s *ScriptServer) play() {
	defer close(s.done)
	defer s.d.shut()
	for i, step := range s.steps {
		err := step.run(s.d)
		if errors.Is(err, errStop) {
			return
		}
		if err != nil {
			s.err = fmt.Errorf("step %d of %d (%s): %w\ndialogue:\n%s", i+1, len(s.steps), step.name, err, s.d.log.String())
			return
		}
	}
}

// finish ends whatever is under way and reports.
func (s *ScriptServer) finish() {
	s.once.Do(func() {
		close(s.d.quit)
		if s.d.ln != nil {
			_ = s.d.ln.Close()
		}
		if s.pipe != nil {
			_ = s.pipe.Close()
		}
		<-s.done
		if s.err != nil {
			s.t.Errorf("scripted server: %v", s.err)
		}
	})
}

// Wait blocks until the script has ended, by its last step or a failure, and returns that failure.
func (s *ScriptServer) Wait() error {
	<-s.done
	return s.err
}

// Addr is the server's host and port; "" over a pipe.
func (s *ScriptServer) Addr() string {
	if s.d.ln == nil {
		return ""
	}
	return s.d.ln.Addr().String()
}

// Port is the server's TCP port; 0 over a pipe.
func (s *ScriptServer) Port() int {
	if s.d.ln == nil {
		return 0
	}
	a, ok := s.d.ln.Addr().(*net.TCPAddr)
	if !ok {
		return 0
	}
	return a.Port
}

// Dial connects to the server, whatever address is asked for. It fits smtpx.Config.Dial.
func (s *ScriptServer) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	if s.pipe != nil {
		return s.pipe, nil
	}
	var d net.Dialer
	return d.DialContext(ctx, "tcp", s.Addr())
}
