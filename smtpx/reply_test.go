package smtpx

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestParseReply(t *testing.T) {
	for _, c := range []struct {
		in   string
		code int
		enh  string
		text []string
	}{
		{"250 ok\r\n", 250, "", []string{"ok"}},
		{"250 ok\n", 250, "", []string{"ok"}},
		{"250\r\n", 250, "", []string{""}},
		{"250 \r\n", 250, "", []string{""}},
		{"250-a\r\n250-b\r\n250 c\r\n", 250, "", []string{"a", "b", "c"}},
		{"250-a\r\n250\r\n", 250, "", []string{"a", ""}},
		{"550 5.1.1 nobody\r\n", 550, "5.1.1", []string{"nobody"}},
		{"550-5.1.1 no\r\n550 5.1.1 body\r\n", 550, "5.1.1", []string{"no", "body"}},
		{"550-5.1.1 no\r\n550 5.1.2 body\r\n", 550, "5.1.1", []string{"no", "5.1.2 body"}},
		{"550 4.1.1 classes differ\r\n", 550, "", []string{"4.1.1 classes differ"}},
		{"550 5.1 short\r\n", 550, "", []string{"5.1 short"}},
		{"250 2.0.0\r\n", 250, "2.0.0", []string{""}},
		{"421 4.123.123 x\r\n", 421, "4.123.123", []string{"x"}},
		{"421 4.1234.1 x\r\n", 421, "", []string{"4.1234.1 x"}},
		// QQ's 535, in GBK.
		{"535 Error: \xc7\xeb\xca\xb9\xd3\xc3\xca\xda\xc8\xa8\xc2\xeb\xb5\xc7\xc2\xbc\r\n", 535, "", []string{"Error: 请使用授权码登录"}},
		{"550 请求被拒绝\r\n", 550, "", []string{"请求被拒绝"}},
		{"550 a\x1b[2Jb\x07\r\n", 550, "", []string{`a\x1b[2Jb\x07`}},
		{"550 a\rb\r\n", 550, "", []string{`a\x0db`}},
		{"550 a\u202eb\u2028c\u0085\u200b\r\n", 550, "", []string{`a\u202eb\u2028c\u0085\u200b`}},
		{"550 a\xff\r\n", 550, "", []string{`a\xff`}},
	} {
		r, err := ParseReply([]byte(c.in))
		if err != nil {
			t.Errorf("%q: %v", c.in, err)
			continue
		}
		if diff := cmp.Diff(&Reply{Code: c.code, Enhanced: c.enh, Lines: c.text, Raw: []byte(c.in)}, r); diff != "" {
			t.Errorf("%q: %s", c.in, diff)
		}
	}
	r, err := ParseReply([]byte("550-5.7.1 a\r\n550 5.7.1 b\r\n"))
	if err != nil || r.String() != "550 5.7.1 a / b" {
		t.Errorf("%v, %v", r, err)
	}
}

func TestBadReplies(t *testing.T) {
	for name, in := range map[string]string{
		"binary":              "\x00\x00\x00\x1a\x00\x00\x00\x00",
		"no code":             "hello\r\n",
		"empty line":          "\r\n",
		"two digits":          "25 ok\r\n",
		"four digits":         "2500 ok\r\n",
		"code 150":            "150 ok\r\n",
		"code 650":            "650 ok\r\n",
		"another separator":   "250_ok\r\n",
		"codes differ":        "250-a\r\n251 b\r\n",
		"broken in the midst": "250-a\r\nhello\r\n250 b\r\n",
		"long line":           "250 " + strings.Repeat("x", maxReplyLine) + "\r\n",
		"1 MB line":           "250 " + strings.Repeat("x", 1<<20),
		"too many lines":      strings.Repeat("250-x\r\n", maxReplyLines) + "250 x\r\n",
		"1 MB reply":          strings.Repeat("250-"+strings.Repeat("x", 1000)+"\r\n", 1000) + "250 x\r\n",
		"200000 lines":        strings.Repeat("250-X\r\n", 200000) + "250 x\r\n",
	} {
		src := &counter{r: strings.NewReader(in)}
		rr := replyReader{src: src}
		_, _, err := rr.next()
		if !errors.Is(err, ErrProtocol) {
			t.Errorf("%s: %v", name, err)
		}
		if src.n > maxReplyBytes+3*maxReplyLine {
			t.Errorf("%s: %d octets were read", name, src.n)
		}
	}
	for _, in := range []string{"", "2", "250 ok", "250-a\r\n250 b"} {
		if _, err := ParseReply([]byte(in)); !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%q: %v", in, err)
		}
	}
}

type counter struct {
	r io.Reader
	n int
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}

// What follows a reply is not touched, however the octets come.
func TestRepliesMergedAndSplit(t *testing.T) {
	const in = "250-a\r\n250 b\r\n354 go\r\n550 5.1.1 no\r\n250 ok\r\n"
	for name, src := range map[string]io.Reader{
		"merged": strings.NewReader(in), "split": iotest.OneByteReader(strings.NewReader(in)), "with EOF": iotest.DataErrReader(strings.NewReader(in)),
	} {
		rr := replyReader{src: src}
		for _, want := range []string{"250-a\r\n250 b\r\n", "354 go\r\n", "550 5.1.1 no\r\n", "250 ok\r\n"} {
			if _, raw, err := rr.next(); err != nil || string(raw) != want {
				t.Errorf("%s: %q, %v", name, raw, err)
			}
		}
		if _, _, err := rr.next(); err != io.EOF { //nolint:errorlint // the bare end of the stream
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzReply(f *testing.F) {
	for _, s := range []string{"250 ok\r\n", "250-a\r\n250 b\r\n", "550 5.1.1 \xc7\xeb\r\n", "250-a\r\n251 b\r\n", "\x00\x00\x00\x1a", "421\n", "250 a\x1b\u202e\r\n250 next"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		r, err := ParseReply(in)
		split := replyReader{src: iotest.OneByteReader(bytes.NewReader(in))}
		code, raw, err2 := split.next()
		if (err == nil) != (err2 == nil) {
			t.Fatalf("%q: %v whole, %v octet by octet", in, err, err2)
		}
		if err != nil {
			if !errors.Is(err, ErrProtocol) && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatal(err)
			}
			if strings.ContainsFunc(err.Error(), func(c rune) bool { return c < ' ' || c == 0x7f }) {
				t.Fatalf("%q", err)
			}
			return
		}
		if code != r.Code || !bytes.Equal(raw, r.Raw) || !bytes.HasPrefix(in, r.Raw) || r.Code < 200 || r.Code > 599 || len(r.Lines) == 0 || len(r.Lines) > maxReplyLines {
			t.Fatalf("%q: %+v, octet by octet %d %q", in, r, code, raw)
		}
		for _, l := range r.Lines {
			if !utf8.ValidString(l) || strings.ContainsFunc(l, func(c rune) bool { return c < ' ' || c >= 0x7f && c < 0xa0 || c == '\u202e' || c == '\u2028' }) {
				t.Fatalf("%q shows as %q", in, l)
			}
		}
	})
}
