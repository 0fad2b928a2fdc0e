package contacts

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"strings"
	"testing"

	"github.com/emersion/go-vcard"
	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"hongyan/app/model"
)

var exported = []model.Contact{
	{Address: "=cmd@example.com", Name: "@me", Fields: map[string]string{"城市": "北京", "=a": "=1+1", "QQ": "4200000000", "手机": "0013800000000"}, Source: "展会", Consent: "书面"},
	{Address: "b@example.com", Name: "乙; 二", Fields: map[string]string{"编号": "007", "备注": "a\r\nb,\\c\x01", "公司": "甲, 乙"}, Source: "+x", Consent: `"a",b`},
	{Address: "c@例子.测试"},
}

func TestWriteXLSX(t *testing.T) {
	var b bytes.Buffer
	n, err := WriteXLSX(&b, walk(exported))
	if err != nil || n != len(exported) {
		t.Fatal(n, err)
	}
	rows, rejects, s := readBytes(t, "a.xlsx", b.Bytes())
	var want []model.Row
	for i, c := range exported {
		fields := maps.Clone(c.Fields)
		for k, v := range map[string]string{headSource: c.Source, headConsent: c.Consent} {
			if v != "" {
				fields[k] = v
			}
		}
		if fields["备注"] != "" {
			fields["备注"] = "a\nb,\\c"
		}
		want = append(want, model.Row{Line: i + 2, Email: c.Address, Address: c.Address, Name: c.Name, Fields: fields})
	}
	want[2].Email = "c@xn--fsqu00a.xn--0zwm56d"
	if d := cmp.Diff(want, rows); d != "" || len(rejects) > 0 {
		t.Error(d, rejects)
	}
	if c := s.Columns(); c[0].Header != headEmail || c[len(c)-1].Header != headConsent {
		t.Error(c)
	}
	// Every cell is a text: there is no formula and no number in the file.
	z := must[*zip.Reader](t)(zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len())))
	xml := string(must[[]byte](t)(fs.ReadFile(z, "xl/worksheets/sheet1.xml")))
	if strings.Contains(xml, "<f") || strings.Count(xml, "<c ") != strings.Count(xml, `t="inlineStr"`) || !strings.Contains(xml, "=1+1") {
		t.Error(xml)
	}
}

func TestWriteXLSXSheets(t *testing.T) {
	people := make([]model.Contact, 7)
	for i := range people {
		people[i] = model.Contact{Address: fmt.Sprintf("u%d@example.com", i)}
	}
	var b bytes.Buffer
	if n, err := writeXLSX(&b, walk(people), 4); err != nil || n != 7 {
		t.Fatal(n, err)
	}
	f := must[*excelize.File](t)(excelize.OpenReader(&b))
	var got []string
	for _, name := range f.GetSheetList() {
		for _, r := range must[[][]string](t)(f.GetRows(name)) {
			got = append(got, r[0])
		}
	}
	ok(t, f.Close())
	if s := strings.Join(got, " "); s != "email u0@example.com u1@example.com u2@example.com email u3@example.com u4@example.com u5@example.com email u6@example.com" {
		t.Error(s)
	}
}

func TestWriteVCard(t *testing.T) {
	var b bytes.Buffer
	n, err := WriteVCard(&b, walk(exported))
	if err != nil || n != len(exported) {
		t.Fatal(n, err)
	}
	text := b.String()
	if strings.Count(text, "\n") != strings.Count(text, "\r\n") || strings.Count(text, "VERSION:4.0") != 3 {
		t.Error(text)
	}
	dec := vcard.NewDecoder(strings.NewReader(text))
	for range exported {
		card := must[vcard.Card](t)(dec.Decode())
		if card.Value(vcard.FieldFormattedName) == "" || card.Value(vcard.FieldEmail) == "" {
			t.Error(card)
		}
	}
	rows, rejects, s := readBytes(t, "a.vcf", b.Bytes())
	want := []model.Row{
		{Line: 1, Email: "=cmd@example.com", Address: "=cmd@example.com", Name: "@me", Fields: map[string]string{"qq": "4200000000", "tel": "0013800000000", "note": "=a: =1+1\n城市: 北京"}},
		{Line: 9, Email: "b@example.com", Address: "b@example.com", Name: "乙; 二", Fields: map[string]string{"org": "甲, 乙", "note": "a\nb,\\c\n编号: 007"}},
		{Line: 16, Email: "c@xn--fsqu00a.xn--0zwm56d", Address: "c@例子.测试", Name: "c@例子.测试"},
	}
	if d := cmp.Diff(want, rows); d != "" || len(rejects) > 0 || s.Format() != FormatVCard {
		t.Error(d, rejects, text)
	}
}

func TestWriteErrors(t *testing.T) {
	boom := errors.New("boom")
	bad := func(func(*model.Contact) error) error { return boom }
	for name, write := range map[string]func(io.Writer, func(func(*model.Contact) error) error) (int, error){"xlsx": WriteXLSX, "vcard": WriteVCard} {
		if _, err := write(io.Discard, bad); !errors.Is(err, boom) {
			t.Errorf("%s: the error of the walk is lost: %v", name, err)
		}
		if _, err := write(&fullDisk{20}, walk(exported)); !errors.Is(err, errFull) {
			t.Errorf("%s: a full disk gave %v", name, err)
		}
	}
}
