package contacts

import (
	"bytes"
	"encoding/csv"
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"hongyan/app/model"
)

func TestSafeCell(t *testing.T) {
	for in, want := range map[string]string{
		"":                              "",
		"王芳":                            "王芳",
		"=1+1":                          "'=1+1",
		`=HYPERLINK("http://e.com","")`: `'=HYPERLINK("http://e.com","")`,
		"+8613800000000":                "'+8613800000000",
		"-1+cmd|' /C calc'!A0":          "'-1+cmd|' /C calc'!A0",
		"@SUM(A1)":                      "'@SUM(A1)",
		"\t=1":                          "'\t=1",
		"\r=1":                          "'\r=1",
		"\n=1":                          "'\n=1",
		" =1":                           "' =1",
		"\u3000=1":                      "'\u3000=1",
		"＝1":                            "'＝1",
		"＋1":                            "'＋1",
		"－1":                            "'－1",
		"＠1":                            "'＠1",
		"\x00=1":                        "'=1",
		"-5":                            "-5",
		"-0.25":                         "-0.25",
		"-.5":                           "'-.5",
		"-5-3":                          "'-5-3",
		"-5.":                           "'-5.",
		"-":                             "'-",
		"a=b":                           "a=b",
		"a@example.com":                 "a@example.com",
		"'quoted'":                      "'quoted'",
	} {
		if got := SafeCell(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestWriteRejects(t *testing.T) {
	var b bytes.Buffer
	err := WriteRejects(&b, []model.Reject{
		{Line: 2, Text: "张三, 无", Reason: ReasonNoAddress},
		{Line: 70000, Text: `=HYPERLINK("x")`, Reason: ReasonFormula},
		{Line: 9, Text: "a@qq.con", Reason: ReasonTypo, Hint: "a@qq.com"},
	})
	want := "\uFEFFline,text,reason,hint\n2,\"张三, 无\",no_address,\n70000,\"'=HYPERLINK(\"\"x\"\")\",formula,\n9,a@qq.con,typo,a@qq.com\n"
	if err != nil || b.String() != want {
		t.Errorf("%v, %s", err, cmp.Diff(want, b.String()))
	}
	if err := WriteRejects(&fullDisk{4}, []model.Reject{{Line: 1}}); !errors.Is(err, errFull) {
		t.Errorf("a full disk gave %v", err)
	}
}

var errFull = errors.New("no space left")

// fullDisk takes n octets.
type fullDisk struct{ n int }

func (f *fullDisk) Write(p []byte) (int, error) {
	if f.n -= len(p); f.n < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func walk(people []model.Contact) func(func(*model.Contact) error) error {
	return func(f func(*model.Contact) error) error {
		for i := range people {
			if err := f(&people[i]); err != nil {
				return err
			}
		}
		return nil
	}
}

func TestWriteCSV(t *testing.T) {
	people := []model.Contact{
		{Address: "=cmd@example.com", Name: "@me", Fields: map[string]string{"城市": "北京", "=a": "-5"}, Source: "展会", Consent: "书面"},
		{Address: "b@example.com", Name: "乙\n二", Fields: map[string]string{"Age": "3", "城市": ""}, Source: "+x", Consent: `"a",b`},
		{Address: "c@例子.测试"},
	}
	var b bytes.Buffer
	n, err := WriteCSV(&b, walk(people))
	want := "\uFEFFemail,name,'=a,Age,城市,source,consent\n" +
		"'=cmd@example.com,'@me,-5,,北京,展会,书面\n" +
		"b@example.com,\"乙\n二\",,3,,'+x,\"\"\"a\"\",b\"\n" +
		"c@例子.测试,,,,,,\n"
	if err != nil || n != 3 || b.String() != want {
		t.Errorf("%d, %v, %s", n, err, cmp.Diff(want, b.String()))
	}
	boom := errors.New("boom")
	if _, err := WriteCSV(&b, func(func(*model.Contact) error) error { return boom }); !errors.Is(err, boom) {
		t.Errorf("the error of the walk is lost: %v", err)
	}
	if _, err := WriteCSV(&fullDisk{20}, walk(people)); !errors.Is(err, errFull) {
		t.Errorf("a full disk gave %v", err)
	}
}

// What was written comes back as it was, and no cell of the file could be a formula.
func TestExportComesBack(t *testing.T) {
	// A cell is trimmed when it is read, and an apostrophe of its own in front cannot be told from one that a
	// spreadsheet wrote.
	value := rapid.Custom(func(t *rapid.T) string {
		s := rapid.OneOf(rapid.StringMatching(`[=+@'"a, ;\n\t张-]{0,8}`), rapid.StringMatching(`[=+@-]?[0-9a-z'"(),;张]{0,12}`)).Draw(t, "value")
		return strings.TrimLeft(strings.TrimSpace(s), "' \t\n")
	})
	rapid.Check(t, func(t *rapid.T) {
		var people []model.Contact
		var want []model.Row
		for i := range rapid.IntRange(1, 20).Draw(t, "people") {
			c := model.Contact{Address: rapid.StringMatching(`[=+a-z-][a-z0-9.]{0,5}x`).Filter(func(s string) bool { return dotAtom(s) }).Draw(t, "local") + itoa(i) + "@example.com",
				Name: rapid.StringMatching(`[=@]?[a-z张]{0,6}`).Draw(t, "name"), Fields: map[string]string{}, Source: "展会", Consent: "=书面"}
			for _, k := range []string{"City", "编号", "=x"} {
				if v := strings.TrimSpace(value.Draw(t, k)); v != "" {
					c.Fields[k] = v
				}
			}
			people = append(people, c)
			fields := maps.Clone(c.Fields)
			fields[headSource], fields[headConsent] = c.Source, c.Consent
			want = append(want, model.Row{Email: c.Address, Address: c.Address, Name: c.Name, Fields: fields})
		}
		var b bytes.Buffer
		if _, err := WriteCSV(&b, walk(people)); err != nil {
			t.Fatal(err)
		}
		cells, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(b.String(), bom))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range cells {
			for _, c := range row {
				if c != "" && strings.ContainsAny(c[:1], "=+@\t\r\n") || len(c) > 1 && c[0] == '-' && !plainNegative(c) {
					t.Fatalf("cell %q", c)
				}
			}
		}
		s, err := FromText(b.String(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		var got []model.Row
		err = s.Read(t.Context(), func(r model.Row) error { r.Line = 0; got = append(got, r); return nil },
			func(r model.Reject) error { t.Fatalf("refused %+v", r); return nil }, nil)
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Fatalf("%v\n%s\nfile: %q", err, d, b.String())
		}
	})
}
