package compose

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-message"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"hongyan/app/model"
)

// png is the smallest picture that is one.
var png = []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89")

// tree shows the structure of a message as another reader sees it: types, with the names of files.
func tree(t *testing.T, raw []byte) string {
	t.Helper()
	e, err := message.Read(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	var show func(e *message.Entity) string
	show = func(e *message.Entity) string {
		typ, params, err := e.Header.ContentType()
		if err != nil {
			t.Fatal(err)
		}
		mr := e.MultipartReader()
		if mr == nil {
			if name := params["name"]; name != "" {
				disp, _, err := e.Header.ContentDisposition()
				if err != nil {
					t.Fatal(err)
				}
				return disp + " " + typ
			}
			return typ
		}
		var parts []string
		for {
			p, err := mr.NextPart()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			parts = append(parts, show(p))
		}
		return strings.TrimPrefix(typ, "multipart/") + "(" + strings.Join(parts, ", ") + ")"
	}
	return show(e)
}

func TestStructure(t *testing.T) {
	pdf := model.Attachment{Name: "邀请函 final.pdf", Data: []byte("%PDF-1.4")}
	pic := model.Attachment{Name: "photo.png", Data: png}
	for name, c := range map[string]struct {
		l    model.Letter
		want string
	}{
		"text":            {model.Letter{Body: "a", Format: model.FormatText}, "text/plain"},
		"text and file":   {model.Letter{Body: "a", Format: model.FormatText, Attachments: []model.Attachment{pdf}}, "mixed(text/plain, attachment application/pdf)"},
		"markdown":        {model.Letter{Body: "a"}, "alternative(text/plain, text/html)"},
		"HTML":            {model.Letter{Body: "<p>a", Format: model.FormatHTML}, "alternative(text/plain, text/html)"},
		"file":            {model.Letter{Body: "a", Attachments: []model.Attachment{pdf}}, "mixed(alternative(text/plain, text/html), attachment application/pdf)"},
		"image inside":    {model.Letter{Body: "![x](photo.png)", Attachments: []model.Attachment{pic}}, "alternative(text/plain, related(text/html, inline image/png))"},
		"image and file":  {model.Letter{Body: "![](./photo.png) ![](photo.png)", Attachments: []model.Attachment{pdf, pic}}, "mixed(alternative(text/plain, related(text/html, inline image/png)), attachment application/pdf)"},
		"image not shown": {model.Letter{Body: "a ![](https://example.com/photo.png)", Attachments: []model.Attachment{pic}}, "mixed(alternative(text/plain, text/html), attachment image/png)"},
	} {
		c.l.Subject = "s"
		if got := tree(t, render(t, c.l, li).Raw); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestInlineImage(t *testing.T) {
	l := model.Letter{Subject: "s", Body: "<img src='图%20片.png' alt='图'><p background='图 片.png'>{{name}}</p>", Format: model.FormatHTML,
		Attachments: []model.Attachment{{Name: "图 片.png", Data: png}}}
	out := render(t, l, li)
	p := parse(t, out.Raw)
	_, id, ok := strings.Cut(out.HTML, `src="cid:`)
	id, _, _ = strings.Cut(id, `"`)
	if !ok || id == "" || strings.Count(out.HTML, "cid:"+id) != 2 {
		t.Fatalf("HTML %s", out.HTML)
	}
	if got := p.parts["cid:"+id]; got != strings.ReplaceAll(string(png), "\r\n", "\n") {
		t.Errorf("the picture came back as %q; parts %v", got, p.parts)
	}
	if strings.TrimSpace(out.Text) != "[图]\n李雷" && strings.TrimSpace(out.Text) != "[图]\n\n李雷" {
		t.Errorf("text %q", out.Text)
	}
}

// Names of files come back, in Chinese and as long as they are; bytes come back whatever they are.
func TestAttachments(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		name := rapid.OneOf(rapid.StringMatching(`[a-z 0-9'()%;=,._-]{1,40}\.(pdf|docx|zip)`), rapid.StringMatching(`[张三邀请函 🌸é.-]{1,70}\.(pdf|png|txt)`), rapid.String()).Draw(rt, "name")
		data := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(rt, "data")
		if _, bad := Refused(cleanFileName(name)); bad {
			return
		}
		c, err := Compile(model.Letter{Subject: "s", Body: "b", Attachments: []model.Attachment{{Name: name, Data: data}}}, Options{})
		if err != nil {
			rt.Fatal(err)
		}
		out, err := c.Render(li, testEnv)
		if err != nil {
			rt.Fatal(err)
		}
		want := cleanFileName(name)
		p := parse(t, out.Raw)
		got, ok := p.parts[want]
		if !ok || got != string(data) || strings.ContainsAny(want, "/\\\"\r\n\x00") || len(want) > maxFileName {
			rt.Fatalf("%q is named %q; parts %q", name, want, p.parts)
		}
		if c.files < int64(len(data))*4/3 {
			rt.Fatalf("%d octets of %d", c.files, len(data))
		}
	})
	for in, want := range map[string]string{"../../etc/passwd": "passwd", `C:\x\a.pdf`: "a.pdf", "": "attachment", "...": "attachment", "a\u202egpj.pdf": "agpj.pdf", "a:b?.pdf": "a_b_.pdf",
		"x.pdf\r\nBcc: a": "x.pdf  Bcc_ a", strings.Repeat("长", 100) + ".pdf": strings.Repeat("长", 65) + ".pdf", "a." + strings.Repeat("b", 1<<20): "a." + strings.Repeat("b", 198)} {
		if got := cleanFileName(in); got != want {
			t.Errorf("%.40q: %q, want %q", in, got, want)
		}
	}
}

func TestAttachmentErrors(t *testing.T) {
	dir := t.TempDir()
	path := func(name string, size int64) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(p, size); err != nil {
			t.Fatal(err)
		}
		return p
	}
	for name, c := range map[string]struct {
		a    model.Attachment
		code model.Code
		arg  string
	}{
		"missing":           {model.Attachment{Path: filepath.Join(dir, "no.pdf")}, model.EAttachment, "missing"},
		"folder":            {model.Attachment{Path: dir}, model.EAttachment, "not_a_file"},
		"device":            {model.Attachment{Path: os.DevNull}, model.EAttachment, "not_a_file"},
		"below a file":      {model.Attachment{Path: filepath.Join(path("f.pdf", 1), "x.pdf")}, model.EAttachment, "unreadable"},
		"program":           {model.Attachment{Name: "a.EXE", Data: []byte("MZ")}, model.EAttachBlocked, ""},
		"program with dot":  {model.Attachment{Name: "a.exe. ", Data: []byte("MZ")}, model.EAttachBlocked, ""},
		"program in hiding": {model.Attachment{Name: "a.pdf", Path: "/x/a.scr", Data: []byte("MZ")}, model.EAttachBlocked, ""},
		"too big":           {model.Attachment{Path: path("big.pdf", 2<<30)}, model.ELetterTooBig, ""},
		"too big encoded":   {model.Attachment{Name: "a.pdf", Data: make([]byte, DefaultMaxSize*9/10)}, model.ELetterTooBig, ""},
		"empty":             {model.Attachment{Path: path("empty.pdf", 0)}, "", ""},
	} {
		_, err := Compile(model.Letter{Subject: "s", Body: "b", Attachments: []model.Attachment{c.a}}, Options{})
		if got := model.CodeOf(err); got != c.code || c.arg != "" && asError(err).Args["detail"] != c.arg {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The whole message counts, and what is over the limit is said before a byte is written.
	c, err := Compile(model.Letter{Subject: "s", Body: "{{x}}"}, Options{MaxSize: 4000})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	_, err = c.WriteTo(&b, Recipient{Email: "a@example.com", Fields: map[string]string{"x": strings.Repeat("x", 4000)}}, testEnv)
	if asError(err).Code != model.ELetterTooBig || b.Len() > 0 {
		t.Errorf("%v after %d octets", err, b.Len())
	}
	if _, err = c.WriteTo(&b, Recipient{Email: "a@example.com"}, testEnv); err != nil {
		t.Error(err)
	}
}

// A text comes back octet for octet through whichever encoding was chosen, and never as a line that begins with a
// dot, a boundary or a long line.
func TestTransferEncodings(t *testing.T) {
	line := rapid.OneOf(rapid.StringMatching(`[.F-]?[ -~]{0,90}`), rapid.StringMatching(`[张三a-z =.🌸\t]{0,60}`), rapid.StringMatching(`(From |--=_a_|\.)[a-z ]{0,990}`), rapid.Just(""))
	rapid.Check(t, func(rt *rapid.T) {
		body := strings.Join(rapid.SliceOfN(line, 1, 12).Draw(rt, "lines"), "\n")
		body = strings.ReplaceAll(body, "{{", "{ {")
		if strings.TrimSpace(body) == "" {
			return
		}
		out := render(t, model.Letter{Subject: "s", Body: body, Format: model.FormatText}, li)
		p := parse(t, out.Raw)
		want := cleanSource(body)
		if got := p.parts["text/plain"]; strings.TrimSuffix(got, "\n") != strings.TrimSuffix(want, "\n") {
			rt.Fatalf("%q came back as %q\n%s", want, got, out.Raw)
		}
		for _, l := range strings.Split(string(out.Raw), "\r\n") {
			if strings.HasPrefix(l, ".") || strings.HasPrefix(l, "From ") || len(l) > 78 && !strings.HasPrefix(l, "List") && strings.Contains(l, " ") {
				rt.Fatalf("line %q", l)
			}
		}
	})
}

// One compiled letter serves many goroutines, and each message is as if it were alone.
func TestConcurrent(t *testing.T) {
	c := compile(t, model.Letter{Subject: "{{name}}", Body: "**{{name}}** ![](a.png) {{city|x}}", Attachments: []model.Attachment{{Name: "a.png", Data: png}, {Name: "b.pdf", Data: make([]byte, 40<<10)}}})
	want := map[string][]byte{}
	people := []string{"Ann", "李雷", strings.Repeat("长", 300)}
	for _, n := range people {
		out, err := c.Render(Recipient{Email: "a@example.com", Name: n}, testEnv)
		if err != nil {
			t.Fatal(err)
		}
		want[n] = out.Raw
	}
	var wg sync.WaitGroup
	for k := range 4 {
		wg.Go(func() {
			for i := range 30 {
				n := people[(i+k)%3]
				var b bytes.Buffer
				if _, err := c.WriteTo(&b, Recipient{Email: "a@example.com", Name: n}, testEnv); err != nil || !bytes.Equal(b.Bytes(), want[n]) {
					t.Errorf("%s: %v, %s", n, err, cmp.Diff(string(want[n]), b.String()))
					return
				}
			}
		})
	}
	wg.Wait()
}
