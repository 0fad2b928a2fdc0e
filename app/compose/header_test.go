package compose

import (
	"bytes"
	"io"
	"mime"
	"net/mail"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"hongyan/app/model"
)

// names gives the fields of a message's header in their order, from the octets themselves.
func names(t testing.TB, raw []byte) []string {
	t.Helper()
	head, _, ok := bytes.Cut(raw, []byte("\r\n\r\n"))
	if !ok {
		t.Fatal("no end of the header")
	}
	var out []string
	for _, l := range strings.Split(string(head), "\r\n") {
		if l[0] == ' ' || l[0] == '\t' {
			continue
		}
		name, _, ok := strings.Cut(l, ":")
		if !ok {
			t.Fatalf("line %q", l)
		}
		out = append(out, name)
	}
	return out
}

var wantFields = []string{"Date", "From", "To", "Reply-To", "Subject", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post", "MIME-Version", "Content-Type"}

// Nothing that a user, a file or a list may hold adds a field, ends the header, or turns the text around.
func TestHeaderInjection(t *testing.T) {
	for _, evil := range []string{"x\r\nBcc: victim@example.com", "x\nBcc: a@example.com", "x\rBcc: a@example.com", "x\r\n\r\n<h1>body</h1>", "x\u2028Bcc: a", "x\u0085Bcc: a",
		"x\x00\r\n.\r\nMAIL FROM:<a@example.com>", "\u202egpj.exe", "x\r\n y", "\x1b[31mred", "=?utf-8?B?DQpCY2M6IGFAZXhhbXBsZS5jb20=?=", "\"><a@example.com>,\"", "a@example.com>, <b@example.com"} {
		l := model.Letter{Subject: evil + " {{name}} {{x}}", Body: "hi", FromName: evil, ReplyTo: "desk@example.com", Format: model.FormatHTML,
			Attachments: []model.Attachment{{Name: evil + ".txt", Data: []byte("x")}}}
		out := render(t, l, Recipient{Email: "a@example.com", Name: evil, Fields: map[string]string{"x": evil}})
		if d := cmp.Diff(wantFields, names(t, out.Raw)); d != "" {
			t.Errorf("%q: %s", evil, d)
		}
		p := parse(t, out.Raw)
		for _, h := range []string{"From", "To"} {
			list, err := p.header.AddressList(h)
			if err != nil || len(list) != 1 || list[0].Name != cleanHeader(evil) {
				t.Errorf("%q: %s %+v, %v", evil, h, list, err)
			}
		}
		subject, err := p.header.Subject()
		if err != nil || subject != out.Subject || strings.ContainsAny(subject, "\r\n\u2028\u202e\x00\x1b") {
			t.Errorf("%q: subject %q, %v", evil, subject, err)
		}
		if strings.Count(string(out.Raw), "\r\nBcc") != 0 {
			t.Errorf("%q made a field", evil)
		}
	}
	// An address is never repaired: it is refused.
	for _, addr := range []string{"a@example.com\r\nBcc: b@example.com", "a b@example.com", "a@example.com,b@example.com", "<a@example.com>", "a@", "@b", "", "a@b\x00", "a@ex ample.com", "a(c)@example.com",
		"a@-", "a\"b@example.com", "ü@example.com", "a@example..com", "a@.com", "a@example.com.", strings.Repeat("a", 900) + "@example.com"} {
		for name, env := range map[string]Envelope{
			"to":       {From: "desk@example.com", To: addr},
			"from":     {From: addr, To: "a@example.com"},
			"reply-to": {From: "desk@example.com", To: "a@example.com", ReplyTo: addr},
		} {
			if addr == "" && name != "from" || addr == "a@-" || addr == "<a@example.com>" && name == "reply-to" {
				continue // a default goes instead, or it is well formed
			}
			_, err := compile(t, model.Letter{Subject: "s", Body: "b"}).Render(Recipient{Email: "x@example.com"}, env)
			if asError(err).Code != model.EInvalid {
				t.Errorf("%s %q: %v", name, addr, err)
			}
		}
	}
	for _, bad := range []Envelope{
		{UnsubscribeURL: "http://example.com/"}, {UnsubscribeURL: "https://example.com/>\r\nBcc: x"}, {UnsubscribeURL: "https://e.com/a b"}, {UnsubscribeURL: "javascript:x"},
		{UnsubscribeMailto: "a@example.com>"}, {UnsubscribeMailto: "a@example.com\r\nBcc: x"}, {UnsubscribeMailto: "mailto:"}, {UnsubscribeURL: "https://" + strings.Repeat("a", 1000)},
		{MessageID: "a b@example.com"}, {MessageID: "no-at"}, {MessageID: "a@b>\r\nBcc: x"}, {MessageID: strings.Repeat("a", 250) + "@example.com"},
	} {
		bad.From = "desk@example.com"
		if _, err := compile(t, model.Letter{Subject: "s", Body: "b"}).Render(Recipient{Email: "x@example.com"}, bad); asError(err).Code != model.EInvalid {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	for _, reply := range []string{"nobody", "a@b@c d", "x <", "a@example.com, b@example.com <c@example.com>", "ü@example.com"} {
		if _, err := Compile(model.Letter{Subject: "s", Body: "b", ReplyTo: reply}, Options{}); asError(err).Code != model.EInvalid {
			t.Errorf("reply-to %q: %v", reply, err)
		}
	}
}

// Subjects and names come back as they were from two readers of other make, and no line is too long.
func TestEncodedWords(t *testing.T) {
	dec := mime.WordDecoder{CharsetReader: func(_ string, in io.Reader) (io.Reader, error) { return in, nil }}
	text := rapid.OneOf(
		rapid.StringMatching(`[ -~]{0,200}`),
		rapid.StringMatching(`[张李 王,，。!?=_"<>@a-z🌸é]{0,120}`),
		rapid.StringMatching(`[a-z]{0,900}`),
		rapid.StringMatching(`(=\?utf-8\?[bBqQ]\?[a-zA-Z0-9=_]{0,9}\?= ?){1,3}`),
		rapid.String())
	rapid.Check(t, func(t *rapid.T) {
		subject, name, from := text.Draw(t, "subject"), text.Draw(t, "name"), text.Draw(t, "from name")
		c, err := Compile(model.Letter{Subject: "{{s|}}", Body: "b", Format: model.FormatText, FromName: from}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		out, err := c.Render(Recipient{Email: "li@example.net", Name: name, Fields: map[string]string{"s": subject}}, testEnv)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range strings.Split(string(out.Raw), "\r\n") {
			if len(l) > 998 || len(l) > 78 && !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZ \"abcdefghijklmnopqrstuvwxyz", rune(l[0])) {
				t.Fatalf("line %q", l)
			}
		}
		for _, w := range strings.Fields(string(out.Raw)) {
			if strings.HasPrefix(w, "=?utf-8?") && len(w) > 75 {
				t.Fatalf("word %q", w)
			}
		}
		msg, err := mail.ReadMessage(bytes.NewReader(out.Raw))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := dec.DecodeHeader(msg.Header.Get("Subject")); err != nil || got != out.Subject || !utf8.ValidString(got) {
			t.Fatalf("subject %q, %v, shown %q", got, err, out.Subject)
		}
		for field, want := range map[string]string{"To": cleanHeader(strings.TrimSpace(name)), "From": cleanHeader(from)} {
			if field == "From" && from == "" {
				want = testEnv.FromName
			}
			a, err := mail.ParseAddress(msg.Header.Get(field))
			if err != nil || strings.TrimSpace(a.Name) != strings.TrimSpace(want) && !strings.Contains(want, "  ") {
				t.Fatalf("%s %q: %+v, %v, want %q", field, msg.Header.Get(field), a, err, want)
			}
		}
	})
}

func TestSubjects(t *testing.T) {
	for in, want := range map[string]string{
		"Hello":                       "Subject: Hello",
		"读书会周六活动":                     "Subject: =?utf-8?B?6K+75Lmm5Lya5ZGo5YWt5rS75Yqo?=",
		"Café au lait":                "Subject: =?utf-8?Q?Caf=C3=A9 au lait?=",
		"a =?b? c":                    "Subject: =?utf-8?B?YSA9P2I/IGM=?=",
		"  a  b  ":                    "Subject: a  b",
		strings.Repeat("abcdef ", 20): "Subject: " + strings.Repeat("abcdef ", 9) + "abcdef\r\n" + strings.Repeat(" abcdef", 10),
		strings.Repeat("读", 40):       "Subject: =?utf-8?B?" + strings.Repeat("6K+7", 13) + "?=\r\n =?utf-8?B?" + strings.Repeat("6K+7", 15) + "?=\r\n =?utf-8?B?" + strings.Repeat("6K+7", 12) + "?=",
	} {
		out := render(t, model.Letter{Subject: in, Body: "b"}, li)
		head, _, _ := strings.Cut(string(out.Raw), "\r\nMessage-ID")
		_, got, _ := strings.Cut(head, "\r\nSubject")
		if got = strings.ReplaceAll("Subject"+got, "_", " "); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if _, err := compile(t, model.Letter{Subject: "{{x}}", Body: "b"}).Render(Recipient{Email: "a@example.com", Fields: map[string]string{"x": strings.Repeat("x", maxValue+1)}}, testEnv); asError(err).Code != model.EInvalid {
		t.Errorf("a subject without end: %v", err)
	}
}

func TestEnvelope(t *testing.T) {
	l := model.Letter{Subject: "s", Body: "b", FromName: "Letter", ReplyTo: "Desk 台 <desk@例子.测试>"}
	env := testEnv
	out, err := compile(t, l).Render(Recipient{Email: `"a b"@例子.测试`, Name: "Lee, Ann"}, env)
	if err != nil {
		t.Fatal(err)
	}
	p := parse(t, out.Raw)
	for field, want := range map[string]string{
		"From": "Letter <desk@example.com>", "To": `"Lee, Ann" <"a b"@xn--fsqu00a.xn--0zwm56d>`, "Message-Id": "<" + env.MessageID + ">", "Mime-Version": "1.0",
		"List-Unsubscribe": "<mailto:desk@example.com>, <https://example.com/u?k=1>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
		"Date": "Tue, 24 Nov 2026 09:30:00 +0800", "Reply-To": "=?utf-8?B?RGVzayDlj7A=?= <desk@xn--fsqu00a.xn--0zwm56d>",
	} {
		if got := p.header.Get(field); got != want {
			t.Errorf("%s %q, want %q", field, got, want)
		}
	}
	// A second attempt bears the same id and date; another person has another id.
	id := MessageID("seed", "li@example.net", "example.com")
	if id != testEnv.MessageID || id == MessageID("seed", "han@example.net", "example.com") || id == MessageID("other", "li@example.net", "example.com") || strings.Contains(id, "li") && strings.Contains(id, "example.net") {
		t.Errorf("id %s", id)
	}
	if id := MessageID("s", "a", "[127.0.0.1]"); !strings.HasSuffix(id, "@hongyan.invalid") {
		t.Errorf("id %s", id)
	}
	// Without anything but addresses the message is whole.
	out, err = compile(t, model.Letter{Subject: "s", Body: "b"}).Render(Recipient{Email: "a@example.com"}, Envelope{From: "desk@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	p = parse(t, out.Raw)
	when, err := p.header.Date()
	if err != nil || time.Since(when) > time.Minute || p.header.Get("List-Unsubscribe") != "" || p.header.Get("Message-Id") == "" || p.header.Get("To") != "a@example.com" {
		t.Errorf("%v, %v", p.header, err)
	}
}
