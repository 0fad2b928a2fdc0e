package contacts

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/simplifiedchinese"

	"hongyan/app/model"
)

// word writes an encoded word (RFC 2047) in GBK.
func word(s string) string {
	b, _ := simplifiedchinese.GBK.NewEncoder().String(s)
	return "=?gb2312?B?" + base64.StdEncoding.EncodeToString([]byte(b)) + "?="
}

var letter = strings.ReplaceAll(`Return-Path: <zhang@example.com>
Received: from mx (mx.example.net [192.0.2.1]) by relay@example.net;
 Fri, 1 Mar 2024 09:00:00 +0800
From: "`+word("张三")+`" <Zhang@Example.com>
To: =?UTF-8?Q?J=C3=BCrgen?= <j@example.org>, "Doe, Jane"
 <jane@example.org>, undisclosed-recipients:;
Cc: friends: a@example.org (Anna), b@example.org;, 王芳 <wang@example.cn>
Reply-To: zhang@example.com
Bcc: broken <x y@>, kept@example.org
Message-ID: <id@example.com>
Subject: body@example.com
MIME-Version: 1.0
Content-Type: text/plain

From: notaheader@example.com
Written: body@example.com
`, "\n", "\r\n")

var letterPeople = []string{"4\tzhang@example.com\t张三", "5\tj@example.org\tJürgen", "5\tjane@example.org\tDoe, Jane",
	"7\ta@example.org\tAnna", "7\tb@example.org\t", "7\twang@example.cn\t王芳", "9\tkept@example.org\t", "9\t!syntax\ty@"}

func TestEML(t *testing.T) {
	rows, rejects, s := readBytes(t, "a.eml", []byte(letter))
	if d := cmp.Diff(letterPeople, listing(rows, rejects)); d != "" {
		t.Error(d)
	}
	if s.Format() != FormatEML || !s.NoConsent() || !rows[0].NoConsent {
		t.Errorf("found %s", s.Format())
	}
}

func TestMbox(t *testing.T) {
	second := "From MAILER-DAEMON Fri Mar  1 09:00:00 2024\nFrom: zhang@example.com\nTo: New <new@example.com>\nSubject: x\n\nFrom here on: nobody@example.com\n\nFrom: nobody@example.com\n\n"
	rows, rejects, s := readBytes(t, "Inbox", []byte("From - Fri Mar  1 08:00:00 2024\n"+strings.ReplaceAll(letter, "\r", "")+"\n"+second+second))
	var want []string
	for _, l := range letterPeople {
		no, rest, _ := strings.Cut(l, "\t")
		want = append(want, map[string]string{"4": "5", "5": "6", "7": "8", "9": "10"}[no]+"\t"+rest)
	}
	want = append(want[:len(want)-1:len(want)-1], "21\tnew@example.com\tNew", want[len(want)-1])
	if d := cmp.Diff(want, listing(rows, rejects)); d != "" {
		t.Error(d)
	}
	if s.Format() != FormatMbox || !s.NoConsent() {
		t.Errorf("found %s", s.Format())
	}
}

// What only looks like a mail stays what it is.
func TestMailShape(t *testing.T) {
	for text, want := range map[string]string{
		"From: a@example.com\nTo: b@example.com\n": FormatText,
		"Name: Bob\nMail: b@example.com\n":         FormatText,
		"From me: a@example.com\n":                 FormatText,
		"From a@example.com Fri 09:00\nfoo":        FormatText,
		letter:                                     FormatEML,
		"\n" + letter:                              FormatEML,
		bom + letter:                               FormatEML,
		"MIME-Version: 1.0\nContent-Type: multipart/related; boundary=x\n\n--x\nContent-Type: text/html\n\na@b.cn\n--x--\n": FormatMHT,
		"From: <Saved by Blink>\nSnapshot-Content-Location: x\nContent-Type: text/html\n\na@b.cn\n":                         FormatMHT,
	} {
		s, err := FromText(text, Options{})
		if err != nil || s.Format() != want {
			t.Errorf("%q: %v %v, want %s", clip(text, 60), s, err, want)
		}
	}
}

func TestMHT(t *testing.T) {
	gbk, err := simplifiedchinese.GBK.NewEncoder().String("<html><p>客服 <a href=mailto:help@example.cn>写信</a></html>")
	ok(t, err)
	saved := strings.ReplaceAll(`From: <Saved by Blink>
Snapshot-Content-Location: https://example.com/?a=hidden@example.com
Subject: =?utf-8?Q?x?=
MIME-Version: 1.0
Content-Type: multipart/related;
	type="text/html";
	boundary="----MultipartBoundary--abc----"

preamble@example.com
------MultipartBoundary--abc----
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: quoted-printable
Content-Location: https://example.com/

<html><body><table>
<tr><td>=E5=BC=A0=E4=B8=89</td><td>zhang=40exam=
ple.com</td></tr>
</table><style>x@example.com</style></body></html>
------MultipartBoundary--abc----
Content-Type: image/png
Content-Transfer-Encoding: base64

cGljdHVyZUBleGFtcGxlLmNvbQ==
------MultipartBoundary--abc----
Content-Type: multipart/alternative; boundary=inner

--inner
Content-Type: text/plain

plain@example.com
--inner
Content-Type: text/html
Content-Transfer-Encoding: base64

`+base64.StdEncoding.EncodeToString([]byte(gbk))+`
--inner--

------MultipartBoundary--abc----
Content-Type: text/html

last@example.com
------MultipartBoundary--abc------
epilogue@example.com
`, "\n", "\r\n")
	rows, rejects, s := readBytes(t, "a.mht", []byte(saved))
	if d := cmp.Diff([]string{"2\tzhang@example.com\t张三", "1\thelp@example.cn\t客服", "1\tlast@example.com\t"}, listing(rows, rejects)); d != "" {
		t.Error(d)
	}
	if s.Format() != FormatMHT || !s.NoConsent() {
		t.Errorf("found %s", s.Format())
	}
	for name, text := range map[string]string{
		"cut":     saved[:strings.Index(saved, "</table>")],
		"base64":  strings.Replace(saved, base64.StdEncoding.EncodeToString([]byte(gbk)), "!!!!", 1),
		"no page": "Snapshot-Content-Location: x\nContent-Type: multipart/related; boundary=x\n\n--x\nContent-Type: text/plain\n\na@b.cn\n--x--\n",
	} {
		s, err := FromText(text, Options{})
		ok(t, err)
		err = s.Read(t.Context(), func(model.Row) error { return nil }, func(model.Reject) error { return nil }, nil)
		if model.CodeOf(err) != model.EFileFormat {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLDIF(t *testing.T) {
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	text := `version: 1

# a folded
 remark
dn: cn=Jane Doe,
 dc=example,dc=com
objectClass: person
cn: Jane Doe
sn: Doe
givenName: Jane
mail: Jane@
 Example.com
mozillaSecondEmail: j2@example.com
telephoneNumber: +49 30 1
jpegPhoto:: ` + b64("photo@example.com") + `

dn:: ` + b64("cn=张三") + `
changetype: add
cn;lang-zh:: ` + b64("张三") + `
o:: ` + b64("公司") + `
mail:: ` + b64("zhang@example.com") + `
description:< file:///etc/passwd

dn: ou=people,dc=example,dc=com
ou: people

dn: cn=group
cn: group
member: cn=Jane Doe

dn: cn=gone
changetype: delete

dn: cn=No Mail
cn: No Mail

dn: cn=Bad
cn: Bad
mail: bad at all
sn:: !!!

dn: cn=last
sn: 李
givenName: 四
mail: li@example.com`
	rows, rejects, s := readBytes(t, "a.ldif", []byte(text))
	want := []string{"5\tjane@example.com\tJane Doe", "5\tj2@example.com\tJane Doe", "17\tzhang@example.com\t张三", "42\tli@example.com\t李四",
		"34\t!no_address\tNo Mail", "37\t!syntax\tbad at all"}
	if d := cmp.Diff(want, listing(rows, rejects)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(map[string]string{"tel": "+49 30 1"}, rows[0].Fields); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(map[string]string{"org": "公司"}, rows[2].Fields); d != "" || s.Format() != FormatLDIF || s.NoConsent() {
		t.Error(s.Format(), d)
	}
	for _, s := range []string{"version: 1\nx", "dn: foo", "", "#\n"} {
		if isLDIF(s, '\n') {
			t.Errorf("%q is no LDIF", s)
		}
	}
}

func TestJSON(t *testing.T) {
	const people = `{"email":"a@example.com","姓名":"张三","qq":4200000000,"tags":["x","y"],"addr":{"city":"上海","geo":{"lat":31.2}},"vip":true,"none":null}
{"email":["b@example.com","c@example.com"],"姓名":"B \"q\" \u674e\n","later":"no column of the first","nul":"x\u0000y"}
{"qq":4.2E+9}

{"email":"cut@example.com","姓名":"no end
{"email":"d@example.com"}
not an object
{"email":"bad","姓名":{}}
[{"emails":[{"value":"e@example.com"}]}]
{"email":"e@example.com",}
{"email":"f@example.com"} {"email":"g@example.com"}
{"email":"cut@example.com"`
	rows, rejects, s := readBytes(t, "a.jsonl", []byte(people))
	want := []string{"1\ta@example.com\t张三", "2\tb@example.com\tB \"q\" 李", "2\tc@example.com\tB \"q\" 李", "3\t4200000000@qq.com\t",
		"6\td@example.com\t", "9\te@example.com\t", "11\tf@example.com\t", "11\tg@example.com\t",
		"5\t!damaged\t{\"email\":\"cut@example.com\",\"姓名\":\"no end", "7\t!damaged\tnot an object", "8\t!syntax\tbad",
		"10\t!damaged\t{\"email\":\"e@example.com\",}", "12\t!damaged\t{\"email\":\"cut@example.com\""}
	if d := cmp.Diff(want, listing(rows, rejects)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(map[string]string{"qq": "4200000000", "tags": "x, y", "addr.city": "上海", "addr.geo.lat": "31.2", "vip": "true"}, rows[0].Fields); d != "" {
		t.Error(d)
	}
	if c := s.Columns(); s.Format() != FormatJSON || s.NoConsent() || c[0].Role != RoleEmail || c[1].Role != RoleName || c[2].Role != RoleQQ {
		t.Errorf("found %s %v", s.Format(), c)
	}
	list := "[\n  {\n    \"name\": \"A\",\n    \"email\": \"a@example.com\"\n  },\n  {\n    \"name\": \"B } \\\" {\",\n    \"email\": \"b@example.com\"\n  }\n]\n"
	rows, rejects, _ = readBytes(t, "a.json", []byte(list))
	if d := cmp.Diff([]string{"2\ta@example.com\tA", "6\tb@example.com\tB } \" {"}, listing(rows, rejects)); d != "" {
		t.Error(d)
	}
	for _, text := range []string{"[1,2] a@example.com", "{x} a@example.com", "{a@example.com}", "[a@example.com]"} {
		if s, err := FromText(text, Options{}); err != nil || s.Format() != FormatText {
			t.Errorf("%q: %v", text, err)
		}
	}
	deep := `{"email":"a@example.com"}` + "\n" + strings.Repeat(`{"a":`, 100_000) + strings.Repeat("}", 100_000) + "\n" + `{"email":"b@example.com","x":` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + "}\n"
	rows, rejects, _ = readBytes(t, "deep.jsonl", []byte(deep))
	if len(rows) != 2 || len(rejects) != 1 || rejects[0].Reason != ReasonDamaged {
		t.Errorf("%v %v", listing(rows, rejects), rejects)
	}
}

func TestTSV(t *testing.T) {
	rows, rejects, s := readBytes(t, "a.tsv", []byte("姓名\t邮箱\t备注\n张三\ta@example.com\t\"x\ty\"\n李四\tb@example.com\tz, w; v\n"))
	if d := cmp.Diff([]string{"2\ta@example.com\t张三", "3\tb@example.com\t李四"}, listing(rows, rejects)); d != "" || s.Format() != FormatCSV || rows[1].Fields["备注"] != "z, w; v" {
		t.Error(s.Format(), d, rows)
	}
}
