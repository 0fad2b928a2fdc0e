package smtpx

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func writeBody(stuff bool, parts ...string) (string, int64, error) {
	var out bytes.Buffer
	b := bodyWriter{w: &out, stuff: stuff}
	for _, p := range parts {
		_, _ = io.WriteString(&b, p)
	}
	err := b.end()
	return out.String(), b.size, err
}

func TestBody(t *testing.T) {
	for _, c := range []struct{ in, data, bdat string }{
		{"", "", ""},
		{"a", "a\r\n", "a\r\n"},
		{"a\r\n", "a\r\n", "a\r\n"},
		{"a\nb\rc\r\nd", "a\r\nb\r\nc\r\nd\r\n", "a\r\nb\r\nc\r\nd\r\n"},
		{"\r", "\r\n", "\r\n"},
		{"\r\r\n\n", "\r\n\r\n\r\n", "\r\n\r\n\r\n"},
		{".", "..\r\n", ".\r\n"},
		{".a\n..b\n.\n", "..a\r\n...b\r\n..\r\n", ".a\r\n..b\r\n.\r\n"},
		{"a.\r\n", "a.\r\n", "a.\r\n"},
		{"\r.", "\r\n..\r\n", "\r\n.\r\n"},
	} {
		for _, parts := range [][]string{{c.in}, strings.Split(c.in, "")} {
			if got, n, err := writeBody(true, parts...); got != c.data || n != int64(len(c.bdat)) || err != nil {
				t.Errorf("DATA %q: %q, %d, %v", parts, got, n, err)
			}
			if got, n, err := writeBody(false, parts...); got != c.bdat || n != int64(len(c.bdat)) || err != nil {
				t.Errorf("BDAT %q: %q, %d, %v", parts, got, n, err)
			}
		}
	}
}

func TestBodyLimits(t *testing.T) {
	longest := strings.Repeat("x", maxBodyLine)
	if got, _, err := writeBody(true, longest+"\r\n", longest); err != nil || got != longest+"\r\n"+longest+"\r\n" {
		t.Errorf("998 octets a line: %v", err)
	}
	for _, c := range []struct {
		parts []string
		want  error
	}{
		{[]string{longest + "x\r\n"}, ErrLongLine},
		{[]string{longest, "x"}, ErrLongLine},
		{[]string{"a\x00b"}, ErrNUL},
		{[]string{"a\n\x00"}, ErrNUL},
	} {
		if _, _, err := writeBody(true, c.parts...); !errors.Is(err, c.want) {
			t.Errorf("%d parts: %v, want %v", len(c.parts), err, c.want)
		}
	}
	b := bodyWriter{w: io.Discard}
	if _, err := io.WriteString(&b, "\x00"); !errors.Is(err, ErrNUL) {
		t.Error(err)
	}
	if n, err := io.WriteString(&b, "fine"); n != 0 || !errors.Is(err, ErrNUL) {
		t.Errorf("after an error: %d, %v", n, err)
	}
	full := bodyWriter{w: failWriter{}}
	_, _ = io.WriteString(&full, "a")
	if err := full.end(); !errors.Is(err, iotest.ErrTimeout) {
		t.Errorf("the error of the connection is lost: %v", err)
	}
}

type failWriter struct{}

func (failWriter) Write([]byte) (int, error) { return 0, iotest.ErrTimeout }

// smuggling are the forms of an end of data that some server has taken for one.
var smuggling = []string{"\n.\n", "\r.\r", "\r.\n", "\n.\r", "\n.\r\n", "\r\n.\n", "\r.\r\n", "\r\n.\r",
	"\r\n\x00.\r\n", "\r\n.\x00\r\n", "\r\n.\r\r\n", "\r\r\n.\r\r\n"}

// None of them leaves the session as an end of data or as a command, wherever blocks end.
func TestSmuggling(t *testing.T) {
	const evil = "MAIL FROM:<admin@example.com>"
	for i, v := range smuggling {
		for _, border := range []int{0, 4 << 10, outSize, chunkSize} {
			for split := 0; split <= len(v); split++ {
				at := max(border-split, 0)
				line := strings.Repeat("x", 70) + "\r\n"
				pad := strings.Repeat(line, at/len(line))
				pad += strings.Repeat("y", at-len(pad))
				in := pad + v + evil + "\r\n"
				for _, parts := range [][]string{{in}, {in[:at], in[at:]}, {pad + v[:split], v[split:] + evil + "\r\n"}} {
					got, _, err := writeBody(true, parts...)
					if strings.ContainsRune(v, 0) {
						if !errors.Is(err, ErrNUL) {
							t.Fatalf("%d: NUL: %v", i, err)
						}
						continue
					}
					if err != nil {
						t.Fatalf("%d: %v", i, err)
					}
					if bad := unsafeBody(got, true); bad != "" {
						t.Fatalf("vector %d (%q) at %d: %s", i, v, at, bad)
					}
				}
			}
		}
	}
}

// unsafeBody says what a server could take for an end of data in a stuffed body.
func unsafeBody(s string, stuffed bool) string {
	if strings.ContainsRune(s, 0) {
		return "NUL"
	}
	if !strings.HasSuffix(s, "\r\n") && s != "" {
		return "no line end"
	}
	for line := range strings.SplitSeq(s, "\r\n") {
		switch {
		case strings.ContainsAny(line, "\r\n"):
			return fmt.Sprintf("bare CR or LF in %q", line)
		case stuffed && line == ".":
			return "end of data"
		case stuffed && strings.HasPrefix(line, ".") && !strings.HasPrefix(line, ".."):
			return fmt.Sprintf("unstuffed %q", line)
		case len(line) > maxBodyLine+1:
			return "long line"
		}
	}
	return ""
}

// Over a real conversation the server sees one letter for each vector.
func TestSmugglingOverTheWire(t *testing.T) {
	for i, v := range smuggling {
		if strings.ContainsRune(v, 0) {
			continue
		}
		for _, chunked := range []bool{false, true} {
			var got string
			cfg := serve(t, func(p *peer) {
				if !chunked {
					p.hello("PIPELINING")
					p.letter()
					got = p.body
				} else {
					p.hello("PIPELINING", "CHUNKING")
					got = p.chunks()
				}
				p.quit()
			})
			if chunked {
				cfg.ChunkWindow = 1
			}
			s := dial(t, cfg)
			tx := letter(t, 1)
			tx.Body = func(w io.Writer) error {
				_, err := io.WriteString(w, "a"+v+"MAIL FROM:<admin@example.com>\r\nRCPT TO:<x@example.org>\r\nDATA\r\n")
				return err
			}
			if o := s.Send(t.Context(), tx).Outcomes[0]; o.Status != Accepted {
				t.Fatalf("%d: %+v", i, o)
			}
			_ = s.Close()
			if !strings.HasSuffix(got, "\r\nDATA\r\n") || unsafeBody(got, !chunked) != "" {
				t.Errorf("%d (%q): server got %q: %s", i, v, got, unsafeBody(got, !chunked))
			}
		}
	}
}

func FuzzBody(f *testing.F) {
	for _, v := range smuggling {
		f.Add([]byte("a"+v+"b"), uint16(3), true)
		f.Add([]byte(v), uint16(1), false)
	}
	f.Fuzz(func(t *testing.T, in []byte, cut uint16, stuff bool) {
		at := min(int(cut), len(in))
		got, n, err := writeBody(stuff, string(in[:at]), string(in[at:]))
		whole, m, err2 := writeBody(stuff, string(in))
		if (err == nil) != (err2 == nil) || err == nil && (got != whole || n != m) {
			t.Fatalf("cut at %d: %q (%v), whole: %q (%v)", at, got, err, whole, err2)
		}
		if err != nil {
			if !errors.Is(err, ErrNUL) && !errors.Is(err, ErrLongLine) {
				t.Fatal(err)
			}
			return
		}
		if bad := unsafeBody(got, stuff); bad != "" {
			t.Fatalf("%q gave %q: %s", in, got, bad)
		}
		// What a server makes of it is the text with its line ends made CRLF.
		if stuff {
			got = strings.TrimPrefix(strings.ReplaceAll("\r\n"+got, "\r\n.", "\r\n"), "\r\n")
		}
		want := strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(string(in), "\r\n", "\n"), "\r", "\n"), "\n", "\r\n")
		if want != "" && !strings.HasSuffix(want, "\r\n") {
			want += "\r\n"
		}
		if got != want || int64(len(want)) != n {
			t.Fatalf("%q arrives as %q (%d)", in, got, n)
		}
	})
}
