package contacts

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"hongyan/app/model"
)

// readAll reads a source twice, checks that both passes give the same, and closes it.
func readAll(t *testing.T, s *Source, err error) ([]model.Row, []model.Reject) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	pass := func() (rows []model.Row, rejects []model.Reject) {
		var done, total int64
		err := s.Read(context.Background(),
			func(r model.Row) error { rows = append(rows, r); return nil },
			func(r model.Reject) error { rejects = append(rejects, r); return nil },
			func(d, of int64) { done, total = d, of })
		if err != nil {
			t.Fatal(err)
		}
		if done != total {
			t.Errorf("progress ended at %d of %d", done, total)
		}
		return rows, rejects
	}
	rows, rejects := pass()
	again, rejectsAgain := pass()
	if fmt.Sprint(rows) != fmt.Sprint(again) || fmt.Sprint(rejects) != fmt.Sprint(rejectsAgain) {
		t.Error("the second pass differs from the first")
	}
	if st := s.Stats(); st.Rows != len(rows) || st.Rejects != len(rejects) {
		t.Errorf("stats %+v, got %d rows and %d rejects", st, len(rows), len(rejects))
	}
	return rows, rejects
}

func readFile(t *testing.T, name string) ([]model.Row, []model.Reject, *Source) {
	t.Helper()
	s, err := Open(filepath.Join("testdata", name), Options{})
	rows, rejects := readAll(t, s, err)
	return rows, rejects, s
}

func readString(t *testing.T, text string, opt Options) ([]model.Row, []model.Reject) {
	t.Helper()
	s, err := FromText(text, opt)
	return readAll(t, s, err)
}

func emailsOf(rows []model.Row) []string {
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = r.Email
	}
	return out
}

func TestMixedText(t *testing.T) {
	rows, rejects, s := readFile(t, "mixed.txt")
	if s.Format() != FormatText || s.Charset() != UTF8 || s.Columns() != nil {
		t.Errorf("found %s, %s, %v", s.Format(), s.Charset(), s.Columns())
	}
	qq := 0
	for _, r := range rows {
		if strings.HasSuffix(r.Email, "@qq.com") {
			qq++
		}
	}
	if len(rows) != 120 || qq != 36 || len(rejects) != 0 {
		t.Errorf("%d rows, %d of QQ, %d rejects %v", len(rows), qq, len(rejects), rejects)
	}
	// The same by a way of its own: every mN@ and every long number, with its line.
	raw, err := os.ReadFile("testdata/mixed.txt")
	if err != nil {
		t.Fatal(err)
	}
	re := regexp.MustCompile(`m\d+@example\.org|42\d{8}`)
	var want []string
	for i, l := range strings.Split(string(raw), "\n") {
		for _, m := range re.FindAllString(l, -1) {
			if !strings.Contains(m, "@") {
				m += "@qq.com"
			}
			want = append(want, fmt.Sprint(i+1, " ", m))
		}
	}
	got := make([]string, len(rows))
	for i, r := range rows {
		got[i] = fmt.Sprint(r.Line, " ", r.Email)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
	names := map[string]string{"m14@example.org": "示戊乙, 经理", "m3@example.org": "测丁", "m23@example.org": "例丁丙", "m1@example.org": ""}
	for _, r := range rows {
		if want, ok := names[r.Email]; ok && r.Name != want {
			t.Errorf("%s is named %q, want %q", r.Email, r.Name, want)
		}
	}
}

func TestCustomersCSV(t *testing.T) {
	rows, rejects, s := readFile(t, "customers-gbk.csv")
	if s.Format() != FormatCSV || s.Charset() != GB18030 {
		t.Errorf("found %s, %s", s.Format(), s.Charset())
	}
	want := []Column{{"姓名", RoleName}, {"邮箱", RoleEmail}, {"QQ", RoleQQ}, {"手机", RolePhone}, {"城市", RoleField}, {"备注", RoleField}}
	if !slices.Equal(s.Columns(), want) {
		t.Errorf("columns %v", s.Columns())
	}
	// 321 plain addresses, 53 rows with a QQ number only, and by hand: two in one cell, full-width, IDN, a
	// leading =, one with blanks.
	if len(rows) != 321+53+6 {
		t.Errorf("%d rows", len(rows))
	}
	byEmail := map[string]model.Row{}
	qq := 0
	for _, r := range rows {
		if byEmail[r.Email].Email == "" {
			byEmail[r.Email] = r
		}
		if strings.HasSuffix(r.Email, "@qq.com") {
			qq++
			if r.Fields["QQ"]+"@qq.com" != r.Email {
				t.Errorf("row %+v", r)
			}
		}
	}
	if qq != 53 {
		t.Errorf("%d rows of QQ", qq)
	}
	if len(byEmail) != len(rows)-1 {
		t.Errorf("%d distinct addresses", len(byEmail))
	}
	one := byEmail["user1@example.com"]
	if one.Line != 4 || one.Name != "样乙甲" || one.Fields["QQ"] != "4200007919" || one.Fields["手机"] != "13800000001" || one.Fields["城市"] != "上海" || len(one.Fields) != 3 {
		t.Errorf("first row %+v", one)
	}
	for email, address := range map[string]string{
		"a1@example.com": "a1@example.com", "a2@example.com": "a2@example.com", "user@example.com": "user@example.com",
		"user@xn--fsqu00a.xn--0zwm56d": "user@例子.测试", "=cmd@example.com": "=cmd@example.com", "spaced@example.com": "Spaced@example.com",
	} {
		if byEmail[email].Address != address {
			t.Errorf("%s is shown as %q", email, byEmail[email].Address)
		}
	}
	// 27 rows with neither, a bad address, a formula, a short row.
	reasons := map[string]int{}
	for _, r := range rejects {
		reasons[r.Reason]++
	}
	if len(rejects) != 30 || reasons[ReasonNoAddress] != 28 || reasons[ReasonSyntax] != 1 || reasons[ReasonFormula] != 1 {
		t.Errorf("rejects %v", reasons)
	}
	if rejects[0].Line != 2 {
		t.Errorf("first reject %+v", rejects[0])
	}
	// Line numbers by a way of their own: the physical line that holds the address.
	raw, err := os.ReadFile("testdata/customers-gbk.csv")
	if err != nil {
		t.Fatal(err)
	}
	text, err := simplifiedchinese.GB18030.NewDecoder().String(string(raw))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(text, "\n")
	for _, r := range rows {
		needle := strings.Split(r.Email, "@")[0]
		if r.Email == "user@example.com" || r.Email == "spaced@example.com" {
			continue
		}
		if r.Line < 1 || r.Line > len(lines) || !strings.Contains(lines[r.Line-1], needle) {
			t.Errorf("line %d of %s is %q", r.Line, r.Email, lines[r.Line-1])
		}
	}
	if last := rejects[len(rejects)-1]; last.Text != "短行" || lines[last.Line-1] != "短行\r" && lines[last.Line-1] != "短行" {
		t.Errorf("last reject %+v", last)
	}
}

func TestGroupMembers(t *testing.T) {
	rows, rejects, s := readFile(t, "qq-group-members.txt")
	if s.Format() != FormatGroup || s.Charset() != UTF8 {
		t.Errorf("found %s, %s", s.Format(), s.Charset())
	}
	// 244 lines: a title, a header, 242 members of whom one stands twice.
	if len(rows) != 242 || len(rejects) != 0 {
		t.Errorf("%d rows, rejects %v", len(rows), rejects)
	}
	if r := rows[0]; r.Line != 3 || r.Email != "4200000000@qq.com" || r.Name != "示甲" || r.Fields["群昵称"] != "🌸示甲-研发" || r.Fields["QQ号"] != "4200000000" {
		t.Errorf("first row %+v", r)
	}
	if r := rows[241]; r.Line != 244 || r.Email != "12345678901@qq.com" || r.Name != "管理员" {
		t.Errorf("last row %+v", r)
	}
}

func TestEmailBeforeQQ(t *testing.T) {
	rows, rejects := readString(t, "姓名,邮箱,QQ\n"+
		"a,a@example.com,4200000001\n"+
		"b,,4200000002\n"+
		"c,broken@@example,4200000003\n"+
		"d,,\n"+
		"e,broken@@example,13800000000\n"+
		"f,4200000004,\n"+
		"g,,g@example.com\n", Options{})
	want := []string{"a@example.com", "4200000002@qq.com", "4200000003@qq.com", "4200000004@qq.com", "g@example.com"}
	if !slices.Equal(emailsOf(rows), want) {
		t.Errorf("rows %v", rows)
	}
	if rows[0].Fields["QQ"] != "4200000001" || rows[2].Fields["邮箱"] != "broken@@example" {
		t.Errorf("fields %v, %v", rows[0].Fields, rows[2].Fields)
	}
	if len(rejects) != 3 || rejects[0] != (model.Reject{Line: 5, Text: "d", Reason: ReasonNoAddress}) || rejects[1].Line != 6 || rejects[2].Reason != ReasonPhone {
		t.Errorf("rejects %+v", rejects)
	}
}
