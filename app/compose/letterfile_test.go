package compose

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"pgregory.net/rapid"

	"hongyan/app/model"
)

func TestLetterFiles(t *testing.T) {
	whole := model.Letter{Name: "a", Format: model.FormatMarkdown, Subject: "你好，{{name|朋友}}", FromName: "读书会", ReplyTo: "desk@example.com", Body: "正文\n\n完\n"}
	text := "---\nsubject: 你好，{{name|朋友}}\nfrom-name: 读书会\nreply-to: desk@example.com\n---\n\n正文\n\n完\n"
	gbk, err := simplifiedchinese.GBK.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	utf16le, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	utf16be, err := unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string]string{
		"plain": text, "mark": "\uFEFF" + text, "CRLF": strings.ReplaceAll(text, "\n", "\r\n"), "CR": strings.ReplaceAll(text, "\n", "\r"), "GBK": gbk, "UTF-16LE": utf16le, "UTF-16BE": utf16be,
		"loose":  "--- \n# a remark\n\n Subject :  你好，{{name|朋友}}  \nFROM_NAME: \"读书会\"\nReply To: desk@example.com\n---\n\n正文\n\n完\n",
		"quoted": "---\nsubject: \"\\u4f60好，{{name|朋友}}\"\nfrom name: 读书会\nreply-to: desk@example.com\n ---\n正文\n\n完\n",
	} {
		got, err := ParseLetter("/x/a.md", []byte(data))
		if d := cmp.Diff(whole, got); err != nil || d != "" {
			t.Errorf("%s: %v, %s", name, err, d)
		}
	}
	for name, want := range map[string]model.Format{"a.md": model.FormatMarkdown, "a": model.FormatMarkdown, "a.HTML": model.FormatHTML, "a.htm": model.FormatHTML, "a.txt": model.FormatText} {
		if l, err := ParseLetter(name, []byte("x")); err != nil || l.Format != want || l.Name != "a" || l.Body != "x" {
			t.Errorf("%s: %+v, %v", name, l, err)
		}
	}
}

func TestBadLetterFiles(t *testing.T) {
	for data, want := range map[string]string{
		"":                             "file.empty",
		" \r\n\t":                      "file.empty",
		"a\x00b":                       "file.binary",
		"\x80\xff\xff":                 "file.format",
		"---":                          "letter.front 2 unclosed",
		"---\nsubject: x\n":            "letter.front 3 unclosed",
		"---\nsubject: x\nbody":        "letter.front 3 body",
		"---\nsubject: x\nto: a\n---":  "letter.front 3 to",
		"---\n\n#\nsubject\n---\nbody": "letter.front 4 subject",
		"---\r\nsubject: x\r\n- a\r\n": "letter.front 3 - a",
		"---\nsubject: x\n---\n":       "",
		"--\nsubject: x\n---\n":        "",
		"x\n---\nsubject: y\n---\n":    "",
		"---\n---\n":                   "",
	} {
		_, err := ParseLetter("a.md", []byte(data))
		e, got := asError(err), ""
		if err != nil {
			got = strings.TrimSpace(string(e.Code) + " " + strings.TrimSpace(e.Args["line"]+" "))
			if e.Code == model.ELetterFront {
				got += " " + e.Args["detail"]
			}
		}
		if got != want {
			t.Errorf("%q: %q, want %q", data, got, want)
		}
	}
	dir := t.TempDir()
	big := filepath.Join(dir, "big.md")
	if err := os.WriteFile(big, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(big, 2<<30); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]model.Code{filepath.Join(dir, "none.md"): model.EFileMissing, dir: model.EFileDirectory, big: model.EFileTooBig,
		filepath.Join(big, "x.md"): model.EFileUnreadable, os.DevNull: model.EFileFormat} {
		if _, err := ParseFile(path); model.CodeOf(err) != want {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// The paths of attachments are taken from where the letter lies.
func TestAttachmentsOfFile(t *testing.T) {
	dir := t.TempDir()
	path, abs := filepath.Join(dir, "a.md"), filepath.Join(dir, "x", "b.pdf")
	if err := os.WriteFile(path, []byte("---\nsubject: s\nattach: 图/邀请函.pdf\nattach: "+abs+"\n---\nb"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := ParseFile(path)
	want := []model.Attachment{{Path: filepath.Join(dir, "图", "邀请函.pdf"), Name: "邀请函.pdf"}, {Path: abs, Name: "b.pdf"}}
	if d := cmp.Diff(want, l.Attachments); err != nil || d != "" {
		t.Errorf("%v, %s", err, d)
	}
}

// A letter that is written is read back as it was.
func TestLetterRoundTrip(t *testing.T) {
	value := rapid.OneOf(rapid.StringMatching(`["'#:\\ a-z你{}|-]{0,20}`), rapid.Just("---"), rapid.StringMatching(`"[ -~]{0,8}"`), rapid.StringMatching("[a\n\t\"\\\\]{0,9}"))
	rapid.Check(t, func(t *rapid.T) {
		want := model.Letter{Name: "a", Format: model.FormatMarkdown, Subject: value.Draw(t, "subject"), FromName: value.Draw(t, "from"), ReplyTo: value.Draw(t, "reply"),
			Body: rapid.StringMatching("[-a-z \n你{}]{0,40}").Draw(t, "body")}
		if p := value.Draw(t, "path"); p != "" {
			want.Attachments = []model.Attachment{{Path: p, Name: filepath.Base(p)}}
		}
		got, err := ParseLetter("a.md", FormatLetter(want))
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Fatalf("%v, %s\n%s", err, d, FormatLetter(want))
		}
	})
}

func FuzzLetterFile(f *testing.F) {
	for _, s := range []string{"---\nsubject: a\nattach: b.pdf\n---\n\nbody", "---\nsubject: \"a\\nb\"\n---\n", "\xff\xfea\x00", "\xef\xbb\xbf---\r\n---\r\n", "<p>{{a}}"} {
		f.Add("a.md", []byte(s))
		f.Add("a.html", []byte(s))
	}
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		l, err := ParseLetter(name, data)
		if err != nil {
			if asError(err).Code == "" {
				t.Fatalf("no code in %v", err)
			}
			return
		}
		if strings.ContainsAny(l.Subject+l.FromName+l.ReplyTo, "\x00") || strings.Contains(l.Body, "\r") {
			t.Fatalf("%+v", l)
		}
		again, err := ParseLetter(name, FormatLetter(l))
		if d := cmp.Diff(l, again); err != nil || d != "" {
			t.Fatalf("%v, %s", err, d)
		}
	})
}
