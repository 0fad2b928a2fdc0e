package support

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"hongyan/app/model"
)

func TestPseudonyms(t *testing.T) {
	s := NewScrubber(nil, true)
	s.Learn(&model.Account{From: "Desk@Books.cn", User: "AKIAEXAMPLE"})
	for _, c := range []struct{ in, want string }{
		{"MAIL FROM:<desk@books.cn> SIZE=1", "MAIL FROM:<user1@domain1> SIZE=1"},
		{"DESK@BOOKS.CN, desk@books.cn.", "user1@domain1, user1@domain1."},
		{"<10001@qq.com>... 550 no such user 10001 here", "<user2@domain2>... 550 no such user user2 here"},
		{"smtp.qq.com:465", "smtp.qq.com:465"}, // a known provider's server is no secret
		{"relaying denied for mail.books.cn", "relaying denied for mail.domain1"},
		{"from bounce+10001=qq.com@mail.books.cn", "from user3@domain3"},
		{"张三@例子.中国：不存在", "user4@domain4：不存在"},
		{"a+b_c'd@sub.example.com;e@x", "user5@domain5;user6@domain6"},
		{"user AKIAEXAMPLE", "user login1"},
		{"Hello [203.0.113.9], 203.0.113.9, 198.51.100.1, 127.0.0.1 and version 5.7.1", "Hello [ip1], ip1, ip2, 127.0.0.1 and version 5.7.1"},
		{"2026-11-24T08:00:00.110001Z", "2026-11-24T08:00:00.110001Z"},
		{"nothing to hide @ all", "nothing to hide @ all"},
	} {
		if got := s.Text(c.in); got != c.want {
			t.Errorf("%q\ngot  %q\nwant %q", c.in, got, c.want)
		}
	}
	if got := NewScrubber(nil, false).Text("a@books.cn 203.0.113.9"); got != "a@books.cn 203.0.113.9" {
		t.Errorf("without the choice: %q", got)
	}
}

// forms are the ways in which a secret could be seen.
func forms(secret string) []string {
	var quoted strings.Builder
	e := json.NewEncoder(&quoted)
	e.SetEscapeHTML(false)
	if err := e.Encode(secret); err != nil {
		panic(err)
	}
	return []string{secret, quoted.String()[1 : quoted.Len()-2], url.QueryEscape(secret), base64.StdEncoding.EncodeToString([]byte(secret))}
}

// TestNoSecretSurvives: bare, in JSON, in an address, and wherever it lies within base64.
func TestNoSecretSurvives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.StringOfN(rapid.RuneFrom([]rune("abcXYZ019 +/=&%\"\\<>中密~")), 6, 30, -1).Draw(t, "secret")
		before := rapid.StringN(0, 8, -1).Draw(t, "before")
		after := rapid.StringN(0, 8, -1).Draw(t, "after")
		text := before + secret + after
		b := &Bundle{Crash: text + "\n" + base64.StdEncoding.EncodeToString([]byte(text)), Log: []string{url.QueryEscape(text)},
			Settings: map[string]string{"x": text}, Accounts: []Account{{Name: text, Reply: "335 " + base64.StdEncoding.EncodeToString([]byte(text))}}}
		var out bytes.Buffer
		if err := Write(&out, b, NewScrubber([]string{secret, "", "x"}, rapid.Bool().Draw(t, "no addresses"))); err != nil {
			t.Fatal(err)
		}
		all := unpack(t, out.Bytes())
		for _, f := range forms(secret) {
			if strings.Contains(all, f) {
				t.Fatalf("%q is there", f)
			}
		}
		for skip := range 3 {
			if f := inBase64(secret, skip); strings.Contains(all, f) {
				t.Fatalf("%q, %d behind a group's start, is there", f, skip)
			}
		}
	})
}

func unpack(t interface {
	Fatal(args ...any)
}, data []byte) string {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.Copy(&all, r)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&all)
	}
	return all.String()
}

// TestTheSameEachTime: a pseudonym does not depend on chance, and a domain that is seen late is hidden early.
func TestTheSameEachTime(t *testing.T) {
	made := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	write := func() []byte {
		b := &Bundle{Made: made, Settings: map[string]string{"b@x.cn": "1", "a@x.cn": "2", "c@y.cn": "late.example-shop.cn"},
			Failures: []Failure{{To: "li@example-shop.cn", Reply: "no mail for example-shop.cn"}}}
		var out bytes.Buffer
		if err := Write(&out, b, NewScrubber(nil, true)); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	first := write()
	if diff := cmp.Diff(unpack(t, first), unpack(t, write())); diff != "" {
		t.Error(diff)
	}
	if all := unpack(t, first); strings.Contains(all, "example-shop") || !strings.Contains(all, "user1@domain1") {
		t.Errorf("got %s", all)
	}
}
