package contacts

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"hongyan/app/model"
)

type readRow struct {
	line  int
	cells []string
}

func tokenize(r io.Reader, sep, eol byte) (rows []readRow, err error) {
	t := newRecords(r, sep, eol)
	for {
		cells, no, err := t.next()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil && !errors.Is(err, errRowLength) {
			return rows, err
		}
		rows = append(rows, readRow{no, slices.Clone(cells)})
	}
}

// What a correct writer wrote is read as it was, with the line that each row starts on.
func TestCSVLikeTheStandardLibrary(t *testing.T) {
	cell := rapid.StringMatching(`[a-c"\n ,;张@.]{0,8}`)
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(rapid.SliceOfN(cell, 2, 5), 1, 20).Draw(t, "rows")
		sep := rapid.SampledFrom([]byte{',', '\t', ';', '|'}).Draw(t, "sep")
		crlf := rapid.Bool().Draw(t, "crlf")
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		w.Comma, w.UseCRLF = rune(sep), crlf
		if err := w.WriteAll(want); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		got, err := tokenize(iotest.OneByteReader(strings.NewReader(text)), sep, '\n')
		if err != nil || len(got) != len(want) {
			t.Fatalf("%q: %v, %v", text, got, err)
		}
		r := csv.NewReader(strings.NewReader(text))
		r.Comma, r.FieldsPerRecord = rune(sep), -1
		for i := range got {
			if _, err := r.Read(); err != nil {
				t.Fatal(err)
			}
			line, _ := r.FieldPos(0)
			for k := range want[i] {
				if crlf {
					want[i][k] = strings.ReplaceAll(want[i][k], "\n", "\r\n")
				}
			}
			if !slices.Equal(got[i].cells, want[i]) || got[i].line != line {
				t.Fatalf("%q: row %d is %d %q, want %d %q", text, i, got[i].line, got[i].cells, line, want[i])
			}
		}
	})
}

func TestCSVAsPeopleWriteIt(t *testing.T) {
	for _, c := range []struct {
		text string
		want []readRow
	}{
		{"a,b\n\nc", []readRow{{1, []string{"a", "b"}}, {2, []string{""}}, {3, []string{"c"}}}},
		{"a,\"b\nc\",d\ne", []readRow{{1, []string{"a", "b\nc", "d"}}, {3, []string{"e"}}}},
		{"5\" disk,b\nc", []readRow{{1, []string{`5" disk`, "b"}}, {2, []string{"c"}}}},
		{"\"Tom\" Smith,b\n", []readRow{{1, []string{"Tom Smith", "b"}}}},
		{"\"never closed,b\nc,d\n", []readRow{{1, []string{`"never closed`, "b"}}, {2, []string{"c", "d"}}}},
		{"\"stray,b\n\"x\",\"y\"\n", []readRow{{1, []string{`"stray`, "b"}}, {2, []string{"x", "y"}}}},
		{"\"a\"\"b\",\"\"\n", []readRow{{1, []string{`a"b`, ""}}}},
		{"a,\"b\n\n\nc\"\"\n\",d\r\ne,f", []readRow{{1, []string{"a", "b\n\n\nc\"\n", "d"}}, {6, []string{"e", "f"}}}},
		{"a\x00b,c\n", []readRow{{1, []string{"ab", "c"}}}},
		{"a,b\r\n", []readRow{{1, []string{"a", "b"}}}},
		{"\"a\", \"b\" ,c\n", []readRow{{1, []string{"a", "b", "c"}}}},
	} {
		got, err := tokenize(strings.NewReader(c.text), ',', '\n')
		if err != nil || len(got) != len(c.want) {
			t.Errorf("%q: %v, %v", c.text, got, err)
			continue
		}
		for i := range got {
			if got[i].line != c.want[i].line || !slices.Equal(got[i].cells, c.want[i].cells) {
				t.Errorf("%q: %d %q, want %d %q", c.text, got[i].line, got[i].cells, c.want[i].line, c.want[i].cells)
			}
		}
	}
}

func TestTables(t *testing.T) {
	for name, c := range map[string]struct {
		text    string
		format  string
		roles   string
		want    string // line, address and name of each row
		refused int
	}{
		"tabs":              {"name\temail\nAnn\tann@example.com\n", FormatCSV, "name email", "2 ann@example.com Ann", 0},
		"semicolons":        {"Name;E-Mail;Ort\nAnn, Dr.;ann@example.com;Ulm\n", FormatCSV, "name email field", "2 ann@example.com Ann, Dr.", 0},
		"pipes":             {"name|email\nAnn|ann@example.com\n", FormatCSV, "name email", "2 ann@example.com Ann", 0},
		"no header":         {"王芳,wang@example.com,北京\n李娜,li@example.com,上海\n", FormatCSV, "name email field", "1 wang@example.com 王芳|2 li@example.com 李娜", 0},
		"title above":       {"客户通讯录,,\n,,\n姓名,电子邮箱,部门\n王芳,wang@example.com,研发\n", FormatCSV, "name email field", "4 wang@example.com 王芳", 0},
		"strange header":    {"Kontakt,Adresse,Stadt\nHans Huber,hans@example.com,Ulm\nEva Maier,eva@example.com,Hof\n", FormatCSV, "field email field", "2 hans@example.com |3 eva@example.com ", 0},
		"first and last":    {"First Name,Last Name,E-mail Address\nAnn,Lee,ann@example.com\n小明,陈,chen@example.com\n", FormatCSV, "name name email", "2 ann@example.com Ann Lee|3 chen@example.com 陈小明", 0},
		"google":            {"Name,Given Name,Family Name,E-mail 1 - Type,E-mail 1 - Value,Phone 1 - Value\nAnn Lee,Ann,Lee,Home,ann@example.com,1\n", FormatCSV, "name name name field email phone", "2 ann@example.com Ann Lee", 0},
		"only QQ":           {"QQ号\n4200000001\n20110304\n13800000000\n", FormatCSV, "qq", "2 4200000001@qq.com |3 20110304@qq.com ", 1},
		"QQ without header": {"王芳,4200000001\n李娜,4200000002\n", FormatCSV, "name qq", "1 4200000001@qq.com 王芳|2 4200000002@qq.com 李娜", 0},
		"phones only":       {"王芳,13800000001\n李娜,13800000002\n", FormatText, "", "", 2},
		"addresses only":    {"a@example.com\nb@example.com\n", FormatText, "", "1 a@example.com |2 b@example.com ", 0},
		"prose": {"Dear all,\nplease write to ann@example.com, or to Bob <bob@example.com>.\nThanks\n", FormatText, "",
			"2 ann@example.com |2 bob@example.com Bob", 2},
		"old Mac":       {"name,email\rAnn,ann@example.com\rBob,bob@example.com\r", FormatCSV, "name email", "2 ann@example.com Ann|3 bob@example.com Bob", 0},
		"ragged":        {"name,email,city\nAnn,ann@example.com\nBob,bob@example.com,Ulm,more\nEve\n", FormatCSV, "name email field field", "2 ann@example.com Ann|3 bob@example.com Bob", 1},
		"header remark": {"*姓名（必填）,*邮箱（必填）\n王芳,wang@example.com\n", FormatCSV, "name email", "2 wang@example.com 王芳", 0},
		"several":       {"姓名,邮箱,邮箱2\n王芳,wang@example.com，w2@example.com,wang@example.com\n", FormatCSV, "name email email", "2 wang@example.com 王芳|2 w2@example.com 王芳", 0},
		"typo":          {"name,email\nAnn,ann@gmial.com\nBob,bob@qq.con\n", FormatCSV, "name email", "", 2},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := FromText(c.text, Options{})
			rows, rejects := readAll(t, s, err)
			var got, roles []string
			for _, r := range rows {
				got = append(got, itoa(r.Line)+" "+r.Email+" "+r.Name)
			}
			for _, col := range s.Columns() {
				roles = append(roles, string(col.Role))
			}
			if s.Format() != c.format || strings.Join(roles, " ") != c.roles || strings.Join(got, "|") != c.want || len(rejects) != c.refused {
				t.Errorf("%s, %v\n got %v\nwant %v\nrejects %+v", s.Format(), roles, strings.Join(got, "|"), c.want, rejects)
			}
			for _, r := range rejects {
				if r.Reason == ReasonTypo && !strings.HasSuffix(r.Hint, ".com") {
					t.Errorf("no hint in %+v", r)
				}
			}
		})
	}
}

func TestMapping(t *testing.T) {
	const text = "a;b;c\nann@example.com;bob@example.com;4200000001\n;x;4200000002\n"
	s, err := FromText(text, Options{Format: FormatCSV, Mapping: map[int]Role{0: RoleIgnore, 1: RoleEmail, 2: RoleQQ}})
	rows, _ := readAll(t, s, err)
	if !slices.Equal(emailsOf(rows), []string{"bob@example.com", "4200000002@qq.com"}) {
		t.Errorf("rows %+v", rows)
	}
	if err := s.SetMapping(map[int]Role{0: RoleEmail, 1: RoleField, 2: RoleField}); err != nil {
		t.Fatal(err)
	}
	rows, rejects := readAll(t, s, nil)
	if len(rows) != 1 || rows[0].Email != "ann@example.com" || rows[0].Fields["b"] != "bob@example.com" || rows[0].Fields["c"] != "4200000001" || len(rejects) != 1 {
		t.Errorf("rows %+v, rejects %+v", rows, rejects)
	}
	for _, bad := range []map[int]Role{{3: RoleEmail}, {-1: RoleEmail}, {0: "boss"}} {
		if err := s.SetMapping(bad); model.CodeOf(err) != model.EInvalid {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

func TestPreview(t *testing.T) {
	s, err := FromText("name,email\n"+strings.Repeat("x,bad@@\n", 3)+strings.Repeat("a,a@example.com\n", 50), Options{})
	if err != nil {
		t.Fatal(err)
	}
	rows, rejects, err := s.Preview(5)
	if err != nil || len(rows) != 5 || len(rejects) != 3 || rows[0].Line != 5 {
		t.Errorf("%d rows, %d rejects, %v", len(rows), len(rejects), err)
	}
	rows, rejects, err = s.Preview(100)
	if err != nil || len(rows) != 50 || len(rejects) != 3 {
		t.Errorf("%d rows, %d rejects, %v", len(rows), len(rejects), err)
	}
}
