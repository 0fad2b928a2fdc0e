package dnstest

import (
	"context"
	"maps"
	"net"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// Zone is what a name server knows: "TXT name", "MX name", "A name" or "AAAA name", and the answers. A name that is not
// there does not exist; the answer "fail" makes the server fail.
type Zone map[string][]string

// Server is a name server, and the resolver that asks it.
type Server struct {
	*net.Resolver

	mu    sync.Mutex
	zone  Zone
	asked map[string]int // such as "MX qq.com"
}

// Serve starts a name server for a zone; it ends with the test.
func Serve(t testing.TB, z Zone) *Server {
	t.Helper()
	s := &Server{zone: maps.Clone(z), asked: map[string]int{}}
	s.Resolver = listen(t, s.answer)
	return s
}

// Refuse gives a resolver whose name server answers every question with a code, and with nothing else.
func Refuse(t testing.TB, code dnsmessage.RCode) *net.Resolver {
	t.Helper()
	return listen(t, func(m *dnsmessage.Message) { m.RCode = code })
}

// Set changes what the server knows of one name.
func (s *Server) Set(key string, answers ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.zone[key] = answers
}

// Asked says how often a question was asked, such as "MX qq.com"; with "" how many were asked in all.
func (s *Server) Asked(what string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, times := range s.asked {
		if what == "" || k == what {
			n += times
		}
	}
	return n
}

// listen answers each question by answer.
func listen(t testing.TB, answer func(*dnsmessage.Message)) *net.Resolver {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 1500)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
			answer(&m)
			out, err := m.Pack()
			if err != nil {
				t.Errorf("name server: %v", err)
				continue
			}
			_, _ = pc.WriteTo(out, from)
		}
	}()
	t.Cleanup(func() { _ = pc.Close(); <-done })
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", pc.LocalAddr().String())
	}}
}

func (s *Server) answer(m *dnsmessage.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := m.Questions[0]
	name := strings.ToLower(strings.TrimSuffix(q.Name.String(), "."))
	key := strings.TrimPrefix(q.Type.String(), "Type") + " " + name
	s.asked[key]++
	answers, known := s.zone[key]
	if !known {
		m.RCode = dnsmessage.RCodeNameError
		for k := range s.zone {
			if strings.HasSuffix(k, " "+name) {
				m.RCode = dnsmessage.RCodeSuccess // the name is there, without such a record
			}
		}
	}
	for _, a := range answers {
		if a == "fail" {
			m.RCode = dnsmessage.RCodeServerFailure
			return
		}
		h := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: dnsmessage.ClassINET, TTL: 60}
		m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: record(q.Type, a)})
	}
}

// record is the body of an answer.
func record(kind dnsmessage.Type, text string) dnsmessage.ResourceBody {
	switch kind {
	case dnsmessage.TypeTXT:
		var parts []string
		for ; len(text) > 255; text = text[255:] {
			parts = append(parts, text[:255])
		}
		return &dnsmessage.TXTResource{TXT: append(parts, text)}
	case dnsmessage.TypeMX:
		return &dnsmessage.MXResource{Pref: 10, MX: dnsmessage.MustNewName(strings.TrimSuffix(text, ".") + ".")}
	case dnsmessage.TypeAAAA:
		return &dnsmessage.AAAAResource{AAAA: [16]byte(net.ParseIP(text))}
	default:
		return &dnsmessage.AResource{A: [4]byte(net.ParseIP(text).To4())}
	}
}
