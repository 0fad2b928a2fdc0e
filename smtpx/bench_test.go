package smtpx

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"runtime"
	"testing"
)

// bottomless takes letters without allocating anything.
func bottomless(p *peer) {
	p.hello("PIPELINING", "CHUNKING")
	ok, first, end := []byte("250 2.0.0 ok\r\n"), []byte("354 go\r\n"), []byte(".\r\n")
	var out []byte
	body, chunk := false, 0
	flush := func() {
		if p.br.Buffered() == 0 {
			_, _ = p.c.Write(out)
			out = out[:0]
		}
	}
	for {
		if chunk > 0 {
			n, err := p.br.Discard(min(chunk, max(p.br.Buffered(), 1)))
			if chunk -= n; err != nil {
				return
			}
			if chunk == 0 {
				out = append(out, ok...)
				flush()
			}
			continue
		}
		line, err := p.br.ReadSlice('\n')
		if err != nil {
			return
		}
		switch {
		case body && bytes.Equal(line, end):
			body = false
			out = append(out, ok...)
		case body:
		case bytes.HasPrefix(line, []byte("DATA")):
			body = true
			out = append(out, first...)
		case bytes.HasPrefix(line, []byte("BDAT ")):
			for _, c := range line[5:] {
				if c < '0' || c > '9' {
					break
				}
				chunk = chunk*10 + int(c-'0')
			}
			continue
		default:
			out = append(out, ok...)
		}
		flush()
	}
}

// stream hands out n letters of size octets.
type stream struct {
	n, size int
	tx      Transaction
	line    []byte
	done    int
}

func newStream(n, size int) *stream {
	s := &stream{n: n, size: size, line: bytes.Repeat([]byte("x"), 78)}
	s.line = append(s.line, "\r\n"...)
	s.tx = Transaction{From: mustAddr("me@example.com"), To: []Address{mustAddr("you@example.org")},
		Body: func(w io.Writer) error {
			for left := s.size; left > 0; left -= len(s.line) {
				if _, err := w.Write(s.line); err != nil {
					return err
				}
			}
			return nil
		},
		Done: func(r Result) {
			if r.Outcomes[0].Status == Accepted {
				s.done++
			}
		}}
	return s
}

func (s *stream) Next(context.Context, bool) (*Transaction, error) {
	if s.n == 0 {
		return nil, io.EOF
	}
	s.n--
	return &s.tx, nil
}

// What a letter costs in memory does not depend on how long it is.
func TestMemoryIsFlat(t *testing.T) {
	for _, window := range []int{0, 4} {
		var perLetter [2]float64
		for i, size := range []int{4 << 10, 2 << 20} {
			cfg := serve(t, bottomless)
			cfg.Overlap, cfg.ChunkWindow = true, window
			s := dial(t, cfg)
			if err := s.Run(t.Context(), newStream(4, size)); err != nil { // grow what grows once
				t.Fatal(err)
			}
			const n = 10
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			if err := s.Run(t.Context(), newStream(n, size)); err != nil {
				t.Fatal(err)
			}
			runtime.ReadMemStats(&after)
			perLetter[i] = float64(after.TotalAlloc-before.TotalAlloc) / n
			_ = s.Close()
		}
		t.Logf("window %d: %.0f octets a letter of 4 KB, %.0f one of 2 MB", window, perLetter[0], perLetter[1])
		if perLetter[1] > perLetter[0]+1024 {
			t.Errorf("window %d: %.0f octets a letter of 4 KB, %.0f one of 2 MB", window, perLetter[0], perLetter[1])
		}
	}
}

func BenchmarkLetters(b *testing.B) {
	for _, c := range []struct {
		name   string
		window int
		trace  bool
	}{{"overlap", 0, false}, {"traced", 0, true}, {"window16", 16, false}} {
		for _, size := range []int{4 << 10, 64 << 10, 1 << 20} {
			b.Run(fmt.Sprintf("%s/%dKB", c.name, size>>10), func(b *testing.B) {
				cfg := serve(b, bottomless)
				cfg.Overlap, cfg.ChunkWindow = true, c.window
				if c.trace {
					cfg.Trace = func(Event) {}
				}
				s, err := Dial(b.Context(), cfg)
				if err != nil {
					b.Fatal(err)
				}
				defer s.Close()
				b.SetBytes(int64(size))
				b.ReportAllocs()
				b.ResetTimer()
				src := newStream(b.N, size)
				if err := s.Run(b.Context(), src); err != nil || src.done != b.N {
					b.Fatal(src.done, err)
				}
			})
		}
	}
}
