package smtptest

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"sync"
	"time"

	"hongyan/smtpx"
)

// Options are how a practice server is to be. The zero value is a server with implicit TLS on a free port of
// 127.0.0.1 that takes any login and keeps nothing but counts.
type Options struct {
	Addr string        // host:port to listen on, loopback only; default 127.0.0.1:0
	TLS  smtpx.TLSMode // implicit, STARTTLS or none
	// Certificate is the server's; default: the one kept in Dir, or a new one.
	Certificate *Certificate

	// Dir keeps each letter as an .eml file, exactly as it came, and an index of them. "": only counts are kept.
	Dir string
	// Log is a file to which a line is appended for each letter before its 250 is sent, so that another process can
	// ask who got what ([ReadLog]). "": with Dir its index is that file, without there is none.
	Log string

	AllowPlain  bool   // with STARTTLS: take logins and letters without it too
	RequireAuth bool   // MAIL is refused before a login
	Password    string // the only right one, for any user; "": any
	NoAuth      bool   // offer no AUTH

	Mood       Mood          // default Normal
	Delay      time.Duration // of each reply in the mood Slow; default 700 ms
	WaitFor    time.Duration // a spell of the mood Wait; default 60 s
	MaxSize    int64         // octets of a letter; default 70 MiB, as QQ
	MaxRcpts   int           // recipients of a letter; default 100
	MaxConns   int           // connections at a time; default 64
	PerSession int           // letters a connection, advertised by LIMITS MAILMAX; 0: no limit
	Idle       time.Duration // a connection silent for so long is closed; default 5 min

	NoPipelining bool // do not offer PIPELINING
	NoChunking   bool // do not offer CHUNKING

	// OnLetter is called for each letter that was taken, from its connection's goroutine.
	OnLetter func(Letter)
}

// Server is a practice server that runs.
type Server struct {
	opts Options
	ln   net.Listener
	cert *Certificate // nil without TLS
	tls  *tls.Config
	mood temper
	keep *keeper

	mu     sync.Mutex
	conns  map[net.Conn]struct{}
	closed bool
	wg     sync.WaitGroup
}

// Start listens and serves until Close. An address that is not loopback is refused: a practice server takes mail from
// anybody and is not for a network.
func Start(o Options) (*Server, error) {
	setDefaults(&o)
	host, _, err := net.SplitHostPort(o.Addr)
	if err != nil {
		return nil, fmt.Errorf("smtptest: %w", err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("smtptest: %s is not a loopback address", o.Addr)
	}
	if _, err := ParseMood(string(o.Mood)); err != nil {
		return nil, err
	}
	s := &Server{opts: o, cert: o.Certificate, conns: map[net.Conn]struct{}{}}
	s.mood.delay, s.mood.waitFor, s.mood.now = o.Delay, o.WaitFor, time.Now
	s.mood.set(o.Mood)
	if s.keep, err = openKeeper(o.Dir, o.Log); err != nil {
		return nil, err
	}
	if err := s.listen(); err != nil {
		return nil, errors.Join(err, s.keep.close())
	}
	s.wg.Add(1)
	go s.accept()
	return s, nil
}

func setDefaults(o *Options) {
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	if o.Mood == "" {
		o.Mood = Normal
	}
	if o.Delay == 0 {
		o.Delay = 700 * time.Millisecond
	}
	if o.WaitFor == 0 {
		o.WaitFor = time.Minute
	}
	if o.MaxSize == 0 {
		o.MaxSize = 70 << 20
	}
	if o.MaxRcpts == 0 {
		o.MaxRcpts = 100
	}
	if o.MaxConns == 0 {
		o.MaxConns = 64
	}
	if o.Idle == 0 {
		o.Idle = 5 * time.Minute
	}
}

func (s *Server) listen() error {
	var err error
	if s.opts.TLS != smtpx.TLSNone {
		switch {
		case s.cert != nil:
		case s.opts.Dir != "":
			s.cert, err = keptCertificate(filepath.Join(s.opts.Dir, "certificate.pem"))
		default:
			s.cert, err = NewCertificate()
		}
		if err != nil {
			return err
		}
		s.tls = s.cert.Config()
	}
	s.ln, err = net.Listen("tcp", s.opts.Addr)
	return err
}

func (s *Server) accept() {
	defer s.wg.Done()
	for {
		c, err := s.ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // out of descriptors, most likely: the connections there are must end first
			time.Sleep(20 * time.Millisecond)
			continue
		}
		s.mu.Lock()
		full := len(s.conns) >= s.opts.MaxConns
		if !s.closed {
			s.conns[c] = struct{}{}
			s.wg.Add(1)
			go s.serve(c, full)
		} else {
			_ = c.Close()
		}
		s.mu.Unlock()
	}
}

func (s *Server) serve(c net.Conn, full bool) {
	defer s.wg.Done()
	defer func() {
		s.mu.Lock()
		delete(s.conns, c)
		s.mu.Unlock()
		_ = c.Close()
	}()
	ss := newSession(s, c)
	if s.opts.TLS == smtpx.TLSImplicit && !ss.upgrade() {
		return
	}
	if full {
		ss.reply("421 4.7.0 Too many connections")
		_ = ss.w.Flush()
		return
	}
	ss.run()
}

// Addr is the host and port the server listens on.
func (s *Server) Addr() string { return s.ln.Addr().String() }

// Port is the TCP port the server listens on.
func (s *Server) Port() int {
	if a, ok := s.ln.Addr().(*net.TCPAddr); ok {
		return a.Port
	}
	return 0
}

// CertPEM is the certificate of the authority that signed the server's; nil without TLS.
func (s *Server) CertPEM() []byte {
	if s.cert == nil {
		return nil
	}
	return s.cert.CAPEM
}

// Certificate is the server's certificate; nil without TLS.
func (s *Server) Certificate() *Certificate { return s.cert }

// Fingerprint is the SHA-256 of the server's certificate; nil without TLS. It fits smtpx.Config.Fingerprint.
func (s *Server) Fingerprint() []byte {
	if s.cert == nil {
		return nil
	}
	return s.cert.Fingerprint[:]
}

// Dir is the folder that holds the letters; "" when only counts are kept.
func (s *Server) Dir() string { return s.opts.Dir }

// SetMood changes the server's behaviour from the next command on.
func (s *Server) SetMood(m Mood) error {
	if _, err := ParseMood(string(m)); err != nil {
		return err
	}
	s.mood.set(m)
	return nil
}

// Mood is the server's behaviour now.
func (s *Server) Mood() Mood { return s.mood.get() }

// Count is how many letters were taken, those of earlier runs on the same folder or log included.
func (s *Server) Count() int64 { return s.keep.count() }

// CountByRecipient is how many letters each recipient got.
func (s *Server) CountByRecipient() (map[string]int, error) { return s.keep.byRecipient() }

// Letters returns up to n letters, newest first, after leaving out the newest offset ones. Without Dir and Log there
// are none to show.
func (s *Server) Letters(offset, n int) ([]Letter, error) { return s.keep.page(offset, n) }

// Each calls f for each letter, oldest first, until f returns false. Without Dir and Log there are none to show.
func (s *Server) Each(f func(Letter) bool) error { return s.keep.each(f) }

// Clear forgets all letters and removes their files.
func (s *Server) Clear() error { return s.keep.clear() }

// Close ends all connections and waits until they are gone. What was kept stays.
func (s *Server) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	for c := range s.conns {
		_ = c.Close()
	}
	s.mu.Unlock()
	err := s.ln.Close()
	s.wg.Wait()
	return errors.Join(err, s.keep.close())
}
