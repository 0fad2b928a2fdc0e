package compose

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-message/mail"

	"hongyan/app/model"
)

var update = flag.Bool("update", false, "write the golden files anew")

var testEnv = Envelope{
	From: "desk@example.com", FromName: "账号名", MessageID: MessageID("seed", "li@example.net", "example.com"),
	Date:              time.Date(2026, 11, 24, 9, 30, 0, 0, time.FixedZone("", 8*3600)),
	UnsubscribeMailto: "desk@example.com", UnsubscribeURL: "https://example.com/u?k=1",
}

func compile(t testing.TB, l model.Letter) *Compiled {
	t.Helper()
	c, err := Compile(l, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func render(t testing.TB, l model.Letter, r Recipient) model.Rendered {
	t.Helper()
	out, err := compile(t, l).Render(r, testEnv)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// parsed is a message as a reader of another make sees it.
type parsed struct {
	header mail.Header
	parts  map[string]string // by media type; files by name
}

func parse(t testing.TB, raw []byte) parsed {
	t.Helper()
	checkWire(t, raw)
	r, err := mail.CreateReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatalf("%v\n%s", err, raw)
	}
	p := parsed{r.Header, map[string]string{}}
	for {
		part, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return p
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, raw)
		}
		body, err := io.ReadAll(part.Body)
		if err != nil {
			t.Fatalf("%v\n%s", err, raw)
		}
		switch h := part.Header.(type) {
		case *mail.InlineHeader:
			typ, _, err := h.ContentType()
			if err != nil {
				t.Fatal(err)
			}
			if id := h.Get("Content-Id"); id != "" {
				typ = "cid:" + strings.Trim(id, "<>")
			}
			p.parts[typ] = strings.ReplaceAll(string(body), "\r\n", "\n")
		case *mail.AttachmentHeader:
			name, err := h.Filename()
			if err != nil {
				t.Fatal(err)
			}
			p.parts[name] = string(body)
		}
	}
}

// checkWire fails for what may never leave: 8-bit octets, control characters, bare CR or LF, long lines.
func checkWire(t testing.TB, raw []byte) {
	t.Helper()
	if !bytes.HasSuffix(raw, []byte("\r\n")) {
		t.Fatalf("the message does not end its last line: %q", raw)
	}
	header := true
	for _, line := range strings.Split(strings.TrimSuffix(string(raw), "\r\n"), "\r\n") {
		if len(line) > 998 {
			t.Fatalf("a line of %d octets", len(line))
		}
		if header && len(line) > 78 && strings.Contains(strings.TrimSpace(line), " ") && !strings.HasPrefix(line, "List-") {
			t.Fatalf("a field was not folded: %q", line)
		}
		header = header && line != ""
		for _, c := range []byte(line) {
			if c >= 0x7f || c < 0x20 && c != '\t' {
				t.Fatalf("octet %#x in %q", c, line)
			}
		}
	}
}

func TestSampleLetter(t *testing.T) {
	l, err := ParseFile("testdata/letter.md")
	if err != nil {
		t.Fatal(err)
	}
	c := compile(t, l)
	if err := c.Check([]string{"city"}); err != nil {
		t.Fatal(err)
	}
	out, err := c.Render(Recipient{Email: "li@example.net", Name: "李雷", Fields: map[string]string{"city": "广州 & 深圳"}}, testEnv)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "letter.eml", out.Raw)
	golden(t, "letter.txt", []byte(out.Text))
	golden(t, "letter.html", []byte(out.HTML))
	var sent bytes.Buffer
	n, err := c.WriteTo(&sent, Recipient{Email: "li@example.net", Name: "李雷", Fields: map[string]string{"city": "广州 & 深圳"}}, testEnv)
	if err != nil || n != out.Size || !bytes.Equal(sent.Bytes(), out.Raw) {
		t.Errorf("what is sent (%d octets, %v) is not what was shown (%d)", n, err, out.Size)
	}
	p := parse(t, out.Raw)
	if got := p.parts["text/plain"]; got != out.Text {
		t.Errorf("text part %q, shown %q", got, out.Text)
	}
	if got := p.parts["text/html"]; got != out.HTML {
		t.Errorf("HTML part %q, shown %q", got, out.HTML)
	}
	if s, err := p.header.Subject(); err != nil || s != "读书会周六活动，李雷，期待您来" {
		t.Errorf("subject %q, %v", s, err)
	}
	if a, err := p.header.AddressList("From"); err != nil || a[0].Name != "读书会" || a[0].Address != "desk@example.com" {
		t.Errorf("from %v, %v", a, err)
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs:\n%s", name, got)
	}
}
