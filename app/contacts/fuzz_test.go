package contacts

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"hongyan/app/model"
)

// checkRead reads a source of any octets and holds what is true of every reading.
func checkRead(t fataler, raw []byte, opt Options) {
	s, err := FromReader("x", bytes.NewReader(raw), int64(len(raw)), opt)
	if err != nil {
		if code := model.CodeOf(err); code == model.EInternal || code == "" {
			t.Fatalf("no code in %v", err)
		}
		return
	}
	if !slices.Contains(Formats(), s.Format()) || !slices.Contains(Charsets(), s.Charset()) {
		t.Fatalf("found %q in %q", s.Format(), s.Charset())
	}
	rows, rejects := 0, 0
	lines := maxSheetRows
	if s.book == nil && !s.fixed && s.format != FormatMHT { // whose lines are those of the page inside
		lines = bytes.Count(raw, []byte{'\n'}) + bytes.Count(raw, []byte{'\r'}) + 1
	}
	err = s.Read(context.Background(), func(r model.Row) error {
		rows++
		checkAccepted(t, "a row", r.Email, r.Address)
		if r.Line < 1 || r.Line > lines || !utf8.ValidString(r.Name) || len(r.Name) > maxField || strings.ContainsAny(r.Name, "\r\n\x00") {
			t.Fatalf("row %+v of %d lines", r, lines)
		}
		for k, v := range r.Fields {
			if k == "" || !utf8.ValidString(k+v) || len(v) > maxField || strings.Contains(v, "\x00") {
				t.Fatalf("field %q=%q", k, v)
			}
		}
		return nil
	}, func(r model.Reject) error {
		rejects++
		if r.Line < 1 || r.Line > lines || !slices.Contains(Reasons(), r.Reason) || !utf8.ValidString(r.Text) ||
			utf8.RuneCountInString(r.Text) > rejectTextMax+1 || strings.ContainsAny(r.Text, "\r\n\x00") {
			t.Fatalf("reject %+v of %d lines", r, lines)
		}
		return nil
	}, nil)
	if (s.book != nil || s.format == FormatMHT) && model.CodeOf(err) == model.EFileFormat {
		return // the damage lies behind the first rows
	}
	if err != nil {
		t.Fatalf("%v", err)
	}
	if st := s.Stats(); st.Rows != rows || st.Rejects != rejects {
		t.Fatalf("stats %+v of %d, %d", st, rows, rejects)
	}
}

func fuzzFormat(f *testing.F, format string, seeds ...string) {
	for _, s := range seeds {
		if raw, err := os.ReadFile(filepath.Join("testdata", s)); err == nil {
			s = string(raw[:min(len(raw), 2000)])
		}
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) { checkRead(t, raw, Options{Format: format}) })
}

func FuzzRead(f *testing.F) {
	fuzzFormat(f, "", "mixed.txt", "customers-gbk.csv", "qq-group-members.txt", "\xff\xfea\x00@\x00b\x00.\x00c\x00n\x00", "a\rb,c@example.com")
}

func FuzzText(f *testing.F) {
	fuzzFormat(f, FormatText, "mixed.txt", "张三 4200000001、(a at b dot com) 电话 010-12345678", "mailto:a%40b.com?x", "a@b。cn")
}

func FuzzCSV(f *testing.F) {
	fuzzFormat(f, FormatCSV, "customers-gbk.csv", "a;\"b\n\"\"c\";d@e.cn\n\"", "name,email\n'=x,'=a@example.com\n", "QQ\n42E+8\n13800000001")
}

func FuzzVCard(f *testing.F) {
	fuzzFormat(f, FormatVCard, "phone-contacts.vcf", "BEGIN:VCARD\nFN;ENCODING=QUOTED-PRINTABLE:=D5=\n=C5\nEMAIL:a@b.cn\n \nEND:VCARD")
}

func FuzzHTML(f *testing.F) {
	fuzzFormat(f, FormatHTML, "address-book.html", "<table><tr><td><a href=mailto:a@b.cn>x<tr><td>4200000001", "<script>a@b.cn</script><p>&#64;")
}

func FuzzChat(f *testing.F) {
	fuzzFormat(f, FormatChat, "qq-chat-export.txt", "王芳(4200000001) 9:00:00\nQQ:4200000002\n<a@b.cn> 2024/3/1 21:00:00")
}

func FuzzMail(f *testing.F) {
	f.Add([]byte(letter), true)
	f.Add([]byte("From a 09:00\nTo: =?gbk?B?1cU=?= <a@b.cn>,\n x@\n\nFrom b 9:00\nCc: <"), false)
	f.Fuzz(func(t *testing.T, raw []byte, one bool) {
		format := FormatMbox
		if one {
			format = FormatEML
		}
		checkRead(t, raw, Options{Format: format})
	})
}

func FuzzMHT(f *testing.F) {
	fuzzFormat(f, FormatMHT, "Content-Type: multipart/related; boundary=x\n\n--x\nContent-Type: text/html\nContent-Transfer-Encoding: quoted-printable\n\n<p>a=40b.cn\n--x--\n",
		"Content-Type: text/html; charset=gbk\nContent-Transfer-Encoding: base64\n\nYUBiLmNu")
}

func FuzzLDIF(f *testing.F) {
	fuzzFormat(f, FormatLDIF, "dn: cn=a\ncn:: 5byg\nmail: a@b\n .cn\n\ndn: b\nmail:< x\nmember: y", "version: 1\ndn: x=y\nmail:: YUBiLmNu\nchangetype: add")
}

func FuzzJSON(f *testing.F) {
	fuzzFormat(f, FormatJSON, "{\"email\":\"a@b.cn\",\"n\":[1,{\"value\":\"c@d.cn\"}]}\n{\"email\":", "[\n{\"qq\":4.2E9,\"a\":{\"b\":null}}\n,{}]")
}

// FuzzXLSX and FuzzODS put any XML into the parts of a workbook; FuzzArchive spoils the file round them.
func FuzzXLSX(f *testing.F) {
	f.Add(personRow, `<sst><si><t>x</t></si></sst>`)
	f.Add(`<row r="3"><c r="C3" t="s" s="1"><v>0</v></c><c><f>A1</f><v>4.2E9</v></c></row>`, `<sst><si><r><t>a_x0040_b.cn</t></r><rPh><t/></rPh></si></sst>`)
	f.Fuzz(func(t *testing.T, sheet, shared string) { checkRead(t, bare(t, sheet, shared), Options{}) })
}

func FuzzODS(f *testing.F) {
	f.Add(odsRow("a@example.com", "王芳"))
	f.Add(`<table:table-row table:number-rows-repeated="3"><table:table-cell office:value-type="date" office:date-value="2024-03-01T09:00:00" table:number-columns-repeated="9"/><text:s text:c="5"/></table:table-row>`)
	f.Fuzz(func(t *testing.T, rows string) { checkRead(t, document(t, rows), Options{}) })
}

func FuzzDocument(f *testing.F) {
	f.Add(`<w:p><w:r><w:t>a@example.com</w:t></w:r></w:p>`)
	f.Add(`<w:tbl><w:tr><w:tc><w:p><w:t>QQ</w:t></w:p></w:tc><w:tc><w:t>邮箱</w:t></w:tc></w:tr><w:tr><w:tc><w:hyperlink r:id="a"><w:t>x</w:t></w:hyperlink></w:tc></w:tr></w:tbl>`)
	f.Fuzz(func(t *testing.T, body string) {
		checkRead(t, pack(t, "[Content_Types].xml", "<Types/>", "word/_rels/document.xml.rels", `<Relationship Id="a" Target="mailto:a@example.com"/>`,
			docxMain, "<w:document>"+body+"</w:document>"), Options{})
	})
}

func FuzzArchive(f *testing.F) {
	f.Add(bare(f, personRow))
	f.Add(document(f, odsRow("a@example.com")))
	f.Add(oldXLS("EncryptedPackage"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		checkRead(t, append([]byte("PK\x03\x04"), raw[min(4, len(raw)):]...), Options{})
	})
}

func FuzzCharset(f *testing.F) {
	for _, s := range []string{simplified, "\xff\xfea\x00", "\xd5\xc5\xc8\xfd", "\xef\xbb\xbf", "\xe5\xbc"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		name := DetectCharset(raw)
		if !slices.Contains(Charsets(), name) {
			t.Fatalf("found %q", name)
		}
		if utf8.Valid(raw) && !bytes.Contains(raw, []byte{0}) && name != UTF8 && !bytes.HasPrefix(raw, []byte{0xFF, 0xFE}) {
			t.Fatalf("%q is UTF-8, found %s", raw, name)
		}
		if a, b := asciiOctets(raw), isASCII(string(raw)); a != b {
			t.Fatalf("asciiOctets of %q is %v", raw, a)
		}
	})
}

var reQQAddress = regexp.MustCompile(`^[1-9][0-9]{4,10}@qq\.com$`)

func FuzzQQ(f *testing.F) {
	for _, s := range []string{"4200000001", "QQ：4200000001", "１２３４５", "=\"42000\"", "4,200,000", "13800000001", "20240304"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { checkQQ(t, s) })
}

// checkQQ holds what a QQ number is, in a column, alone in a text, and behind a label.
func checkQQ(t fataler, s string) {
	bad := func(e string) bool {
		return !reQQAddress.MatchString(e) || rePhone.MatchString(strings.TrimSuffix(e, "@qq.com"))
	}
	if email, ok := QQ(s); ok != (email != "") || ok && bad(email) {
		t.Fatalf("%q gave %q, %v", s, email, ok)
	}
	for _, text := range []string{s, "QQ:" + s, "王芳 " + s, s + "，"} {
		hits, _ := scanText(text)
		for _, h := range hits {
			if strings.HasSuffix(h.email, "@qq.com") && !strings.Contains(fold(s), "@") && !strings.Contains(s, "at") && bad(h.email) {
				t.Fatalf("%q gave %q", text, h.email)
			}
		}
	}
}

func TestQQProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		checkQQ(t, rapid.StringMatching(`[QQ扣: ]{0,3}[0-9０-９,. +-]{0,14}(元|人|号|\.0)?`).Draw(t, "text"))
	})
	// Every number of the right shape is found in a column, behind a label, and beside a name.
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.StringMatching(`[1-9][0-9]{5,9}`).Draw(t, "number")
		if reason := numberShape(n); reason == ReasonDate || reason == ReasonSystem {
			return
		}
		if e, ok := QQ(n); !ok || e != n+"@qq.com" {
			t.Fatalf("%q gave %q", n, e)
		}
		for _, text := range []string{n, "QQ:" + n, "QQ号码：" + n, "王芳 " + n, "王芳(" + n + ")", n + "、", n + "@qq.com"} {
			if hits, _ := scanText(text); len(hits) != 1 || hits[0].email != n+"@qq.com" {
				t.Fatalf("%q gave %+v", text, hits)
			}
		}
	})
}

// Phone numbers, dates, order numbers, amounts, service numbers, numbers in URLs: none is mailed.
func TestNotQQ(t *testing.T) {
	phone := rapid.StringMatching(`1[3-9][0-9]{9}`)
	date := rapid.StringMatching(`(19[5-9]|20[0-3])[0-9](0[1-9]|1[0-2])(0[1-9]|[12][0-9])`)
	order := rapid.StringMatching(`[0-9]{12,20}`)
	number := rapid.StringMatching(`[1-9][0-9]{4,10}`)
	rapid.Check(t, func(t *rapid.T) {
		n := number.Draw(t, "number")
		for _, text := range []string{
			phone.Draw(t, "phone"), "手机" + phone.Draw(t, "phone2"), "+86 " + phone.Draw(t, "phone3"), "86" + phone.Draw(t, "phone4"),
			date.Draw(t, "date"), order.Draw(t, "order"), "订单号 " + n, "订单号：" + n, "运单号:" + n, "https://example.com/?id=" + n, "www.example.com/" + n,
			"￥" + n, "¥ " + n, n + "元", n + " 元", n + "人", "金额：" + n, "电话：" + n, "邮编 " + n, "群号：" + n, "QQ群:" + n, "验证码 " + n,
			"-" + n + "-1", n + ".5", "0" + n, "A" + n, n + "b", "身份证 " + n, n + "/2024", "x=" + n + "&y=1",
		} {
			if hits, _ := scanText(text); len(hits) != 0 {
				t.Fatalf("%q gave %+v", text, hits)
			}
		}
	})
}
