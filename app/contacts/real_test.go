package contacts

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hongyan/app/model"
)

// TestRealWorkbooks reads one workbook as several programs wrote it: it means the same people in each.
func TestRealWorkbooks(t *testing.T) {
	want := strings.Split(`4	zhangsan@example.com	张三
5	lisi@example.com	李四
6	wangwu2@example.com	王五
6	wangwu@example.com	王五
6	ww3@example.com	王五
7	zhao6@example.com	赵六
7	zhao@example.com	赵六
8	987654321@qq.com	钱七
9	!no_address	孙八, 无, 13600136000`, "\n")
	fields := map[string]string{"QQ号": "1234567890", "手机": "13900139000", "生日": "1985-05-06", "订单号": "20240301", "身份证号": "11010119850506123X"}
	for _, name := range []string{"openpyxl.xlsx", "calc.xlsx", "calc.ods", "gnumeric.xlsx", "gnumeric.ods"} {
		t.Run(name, func(t *testing.T) {
			rows, rejects, s := readFile(t, filepath.Join("real", name))
			if d := cmp.Diff(sorted(want), sorted(listing(rows, rejects))); d != "" {
				t.Error(d)
			}
			for _, r := range rows {
				if r.Email == "lisi@example.com" {
					if d := cmp.Diff(fields, r.Fields); d != "" {
						t.Error(d)
					}
				}
			}
			sheets := []string{"客户", "Partners"}
			if name == "gnumeric.xlsx" {
				sheets = []string{"客户", "旧客户", "Partners"}
			}
			if d := cmp.Diff(sheets, s.Sheets()); d != "" || s.Sheet() != "客户" {
				t.Error(s.Sheet(), d)
			}
		})
	}
}

func TestRealXlsxWriter(t *testing.T) {
	rows, rejects, _ := readFile(t, "real/xlsxwriter.xlsx")
	want := []string{"2\tjuergen@example.com\tJürgen Müßig", "3\tana@example.com\tAna Núñez", "4\teve@example.com\tEve O'Neil", "5\tbob@example.com\tBob Q"}
	if d := cmp.Diff(want, listing(rows, rejects)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(map[string]string{"Geburtstag": "1980-02-29", "QQ": "4200000001"}, rows[0].Fields); d != "" {
		t.Error(d)
	}
}

// TestTwoTables: tables side by side, with the header said again below, and with another header below.
func TestTwoTables(t *testing.T) {
	raw, err := os.ReadFile("testdata/real/twotables.xlsx")
	ok(t, err)
	_, _, s := readBytes(t, "twotables.xlsx", raw)
	for sheet, want := range map[string][]string{
		"side":     {"3\tjia@example.com\t甲", "3\tyi@example.com\t乙", "4\tbing@example.com\t丙", "4\tding@example.com\t丁", "5\twu@example.com\t戊"},
		"stacked":  {"2\tjia@example.com\t甲", "7\tyi@example.com\t乙", "5\t!no_address\t第二组"},
		"stacked2": {"2\tjia@example.com\t甲", "7\tp@example.com\tPia Q", "5\t!no_address\tPartners"},
	} {
		ok(t, s.SetSheet(sheet))
		rows, rejects := readAll(t, s, nil)
		if d := cmp.Diff(want, listing(rows, rejects)); d != "" {
			t.Errorf("%s: %s", sheet, d)
		}
	}
	if cols := s.Columns(); cols[1].Header != "邮箱" && cols[0].Header != "姓名" {
		t.Errorf("a header further down changed the columns shown: %v", cols)
	}
	// What the user said of the columns holds for the whole sheet.
	ok(t, s.SetSheet("stacked2"))
	ok(t, s.SetMapping(map[int]Role{1: RoleEmail}))
	rows, _ := readAll(t, s, nil)
	if len(rows) != 1 {
		t.Errorf("read %v", rows)
	}
}

func TestFlatODS(t *testing.T) {
	head := strings.Replace(odsHead, "<office:document-content ", `<office:document office:version="1.3" office:mimetype="`+odsMime+`" `, 1)
	tail := strings.Replace(odsTail, "document-content", "document", 1)
	rows, rejects, s := readBytes(t, "a.fods", []byte(head+`<table:table table:name="a">`+odsRow("姓名", "邮箱")+
		odsRow("张三", `<table:table-cell office:value-type="string"><text:p><text:a xlink:href="mailto:zs@example.com?subject=x">写信</text:a></text:p></table:table-cell>`)+`</table:table>`+tail))
	if d := cmp.Diff([]string{"2\tzs@example.com\t张三"}, listing(rows, rejects)); d != "" || s.Format() != FormatODS {
		t.Error(s.Format(), d)
	}
	if s.Sheet() != "a" {
		t.Error(s.Sheet())
	}
}

// TestTablesOfPrograms are the address books that programs and sites save as CSV.
func TestTablesOfPrograms(t *testing.T) {
	for name, c := range map[string][2]string{
		"outlook": {"\"First Name\",\"Last Name\",\"E-mail Address\",\"E-mail 2 Address\",\"Notes\"\r\n\"Jane\",\"Doe\",\"jane@example.com\",\"j2@example.org\",\"a\r\nb\"\r\n",
			"2 jane@example.com Jane Doe\n2 j2@example.org Jane Doe"},
		"outlook in Chinese":       {"名,姓,商务电话,电子邮件地址,电子邮件类型,电子邮件 2 地址\r\n三,张,,zs@example.com,SMTP,z2@example.com\r\n", "2 zs@example.com 张三\n2 z2@example.com 张三"},
		"google":                   {"First Name,Last Name,E-mail 1 - Label,E-mail 1 - Value\nJane,Doe,* Work,jane@example.com ::: j2@example.com\n", "2 jane@example.com Jane Doe\n2 j2@example.com Jane Doe"},
		"thunderbird":              {"First Name,Last Name,Display Name,Primary Email,Secondary Email\nJane,Doe,Jane Doe,jane@example.com,j2@example.com\n", "2 jane@example.com Jane Doe\n2 j2@example.com Jane Doe"},
		"qq mail":                  {"姓名,昵称,电子邮件,移动电话,QQ\n张三,小三,10001234@qq.com,13800138000,10001234\n", "2 10001234@qq.com 张三"},
		"a form":                   {"序号,来自IP,1、您的姓名：,2、您的邮箱：,3、您的QQ号码：\n1,1.2.3.4(北京),张三,zs@example.com,12345678\n2,1.2.3.4(北京),李四,(空),87654321\n", "2 zs@example.com 张三\n3 87654321@qq.com 李四"},
		"nicknames are no headers": {"QQ12,12345678\nqq2008,23456789\n小明,345678901\n", "1 12345678@qq.com\n2 23456789@qq.com\n3 345678901@qq.com"},
		"a form in English":        {"Timestamp,Email Address,What is your name?\n2024/03/01,a@example.com,Ann\n", "2 a@example.com Ann"},
		"a shop":                   {"订单编号,买家支付宝账号,收货人姓名,联系手机,买家邮箱\n\"=\"\"202403010001\"\"\",zs@example.com,张三,'13800138000,z2@example.com\n", "2 z2@example.com 张三"},
		"separator named":          {"sep=;\r\nName;E-Mail\r\nAnn;a@example.com\r\n", "3 a@example.com Ann"},
		"French":                   {"Nom;Prénom;Courriel\nLefèvre;Zoë;zoe@example.fr\n", "2 zoe@example.fr Zoë Lefèvre"},
		"Spanish":                  {"Nombre,Apellidos,Correo electrónico\nAna,Núñez,ana@example.es\n", "2 ana@example.es Ana Núñez"},
		"lone returns":             {"姓名,邮箱\r\n甲,a@example.com\r乙,b@example.com\n丙,c@example.com\r\n", "2 a@example.com 甲\n3 b@example.com 乙\n4 c@example.com 丙"},
		"two files in one":         {"\uFEFF姓名,邮箱\n甲,a@example.com\n\uFEFF姓名,邮箱\n乙,b@example.com\n", "2 a@example.com 甲\n4 b@example.com 乙"},
		"Markdown":                 {"| 姓名 | 邮箱 |\n|---|---|\n| 张三 | [zs@example.com](mailto:zs@example.com) |\n| 李四 | <ls@example.com> |\n", "3 zs@example.com 张三\n4 ls@example.com 李四"},
		"links":                    {"姓名,邮箱\n李四,\"=HYPERLINK(\"\"mailto:ls@example.com\"\",\"\"写信\"\")\"\n", "2 ls@example.com 李四"},
		"said to be empty":         {"姓名,邮箱,QQ\n张三,无,12345678\n李四,-,\n王五,N/A,23456789\n赵六,暂无,/\n", "2 12345678@qq.com 张三\n4 23456789@qq.com 王五\n3 !no_address 李四, -\n5 !no_address 赵六, 暂无, /"},
		"numbers of programs":      {"QQ,名字\n1.23456789E9,甲\n10001.0,乙\n1.23E+09,丙\n", "2 1234567890@qq.com 甲\n3 10001@qq.com 乙\n4 !scientific 1.23E+09"},
		"several in a cell":        {"姓名,邮箱\n甲,a@example.com；b@example.com、c@example.com\n乙,d@example.com/e@example.com\n", "2 a@example.com 甲\n2 b@example.com 甲\n2 c@example.com 甲\n3 d@example.com 乙\n3 e@example.com 乙"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := FromText(c[0], Options{})
			rows, rejects := readAll(t, s, err)
			var got []string
			for _, l := range listing(rows, rejects) {
				got = append(got, strings.TrimSpace(strings.ReplaceAll(l, "\t", " ")))
			}
			if d := cmp.Diff(strings.Split(c[1], "\n"), got); d != "" || s.Format() != FormatCSV {
				t.Error(s.Format(), d)
			}
		})
	}
}

// TestTextsOfPeople: what stands between, round and instead of the parts of an address.
func TestTextsOfPeople(t *testing.T) {
	checkShapes(t, FormatText, map[string][2]string{
		"full stops":      {"写给 a@example.com，b＠example．com。c@example。com", "1 a@example.com\n1 b@example.com\n1 c@example.com"},
		"what follows":    {"联系邮箱a@example.com请查收\n邮箱是b@example.com。谢谢\nc@example.com 张三", "1 a@example.com\n2 b@example.com\n3 c@example.com 张三"},
		"a word sticks":   {"见 first.last@example.com-办公", "1 first.last@example.com"},
		"two stick":       {"a@example.comb@example.com", "1 !syntax a@example.comb@example.com"},
		"Markdown":        {"[Ann](mailto:a@example.com) [b@example.com](mailto:b@example.com) _c@example.com_", "1 a@example.com Ann\n1 b@example.com\n1 c@example.com"},
		"entities":        {"&#97;&#64;example.com b&#x40;example&#46;com c&commat;example.com", "1 a@example.com\n1 b@example.com\n1 c@example.com"},
		"spoken":          {"a 艾特 example 点 com\nb艾特example点com\nc@qq点com", "1 a@example.com\n2 b@example.com\n3 c@qq.com"},
		"a piece of a QQ": {"1 2 3 4 5 6 7 8@qq.com", "1 !number 8@qq.com"},
		"direction marks": {"\u202Ea@example.com\u202C b\u200B@exam\u200Bple.com", "1 a@example.com\n1 b@example.com"},
	})
}

func sorted(s []string) []string { return slices.Sorted(slices.Values(s)) }

// TestTablesOfPages: a table whose first rows name its columns is read as one, whatever program made a page of it.
func TestTablesOfPages(t *testing.T) {
	checkShapes(t, FormatHTML, map[string][2]string{
		"saved as .xls by a site": {"<html><body><table><tr><td colspan=4>客户导出</td></tr>\n<tr><th>编号</th><th>公司</th><th>姓名</th><th>邮箱</th><th>QQ</th></tr>\n" +
			"<tr><td>1</td><td>示例公司</td><td>张三</td><td>zs@example.com</td><td></td></tr>\n<tr><td>2</td><td></td><td>李四</td><td>无</td><td>87654321</td></tr>\n" +
			"<tr><td>3</td><td colspan=2>王五</td><td></td><td></td></tr></table>",
			"3 zs@example.com 张三 公司=示例公司 编号=1\n4 87654321@qq.com 李四 QQ=87654321 编号=2\n5 !no_address 3, 王五"},
		"cell over columns":  {"<table><tr><th colspan=2>姓名</th><th>邮箱</th></tr><tr><td>张</td><td>三</td><td>zs@example.com</td></tr></table>", "1 zs@example.com 张"},
		"address elsewhere":  {"<table><tr><td>姓名<td>邮箱<td>备注<tr><td>张三<td><td>写到 zs@example.com</table>", "1 zs@example.com 张三"},
		"labels at the left": {"<table><tr><td>姓名</td><td>张三</td></tr><tr><td>邮箱</td><td>zs@example.com</td></tr></table>", "1 zs@example.com"},
		"next table":         {"<table><tr><td>姓名<td>邮箱<tr><td>张三<td>zs@example.com</table><table><tr><td>li@example.com<td>李四</table>", "1 zs@example.com 张三\n1 li@example.com 李四"},
	})
}

// TestProtectedPages: addresses that Cloudflare hides from robots and shows to people.
func TestProtectedPages(t *testing.T) {
	code := func(s string) string {
		out := "5a"
		for _, c := range []byte(s) {
			out += fmt.Sprintf("%02x", c^0x5a)
		}
		return out
	}
	span := func(s string) string {
		return `<span class="__cf_email__" data-cfemail="` + s + `">[email&#160;protected]</span>`
	}
	checkShapes(t, FormatHTML, map[string][2]string{
		"text":   {"<html><p>Ann " + span(code("a@example.com")), "1 a@example.com Ann"},
		"link":   {`<html><a href="/cdn-cgi/l/email-protection#` + code("a@example.com") + `">Ann Lee</a>`, "1 a@example.com Ann Lee"},
		"both":   {`<html><a href="/cdn-cgi/l/email-protection" class="__cf_email__" data-cfemail="` + code("a@example.com") + `">[email&#160;protected]</a>`, "1 a@example.com"},
		"broken": {"<html><p>b@example.com " + span("5a00zz") + span("5a") + span("") + span(code("no address")) + span(code("<a@example.com>")), "1 b@example.com"},
	})
}

// TestDocuments: a list in a word processor keeps its tables, its links and the lines between.
func TestDocuments(t *testing.T) {
	want := []string{"2\tzs@example.com\t张三", "2\tls@example.com\t李四", "4\tww@example.com\t王五", "5\t87654321@qq.com\t赵六"}
	for _, name := range []string{"writer.docx", "writer.odt"} {
		t.Run(name, func(t *testing.T) {
			rows, rejects, s := readFile(t, filepath.Join("real", name))
			if d := cmp.Diff(want, listing(rows, rejects)); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(map[string]string{"QQ": "12345678"}, rows[2].Fields); d != "" || s.NoConsent() || rows[0].NoConsent {
				t.Error(s.NoConsent(), d)
			}
			ok(t, s.SetCharset(GB18030)) // a document says its own
			again, rejects, err := s.Preview(10)
			if d := cmp.Diff(want, listing(again, rejects)); d != "" || err != nil {
				t.Error(err, d)
			}
		})
	}
	part := func(body string) []byte {
		return pack(t, "[Content_Types].xml", "<Types/>", "word/document.xml", `<w:document xmlns:w="w"><w:body>`+body+`</w:body></w:document>`)
	}
	for name, c := range map[string]struct {
		raw  []byte
		want model.Code
	}{
		"empty":     {part("<w:p/>"), model.EFileEmpty},
		"deleted":   {part("<w:p><w:del><w:r><w:delText>a@example.com</w:delText></w:r></w:del></w:p>"), model.EFileEmpty},
		"cut off":   {part("<w:p><w:t>a@example.com</w:t></w:p></w:body></w:document><"), model.EFileFormat},
		"tags":      {part("<w:p><w:t>&lt;script>a@example.com</w:t></w:p>" + strings.Repeat("<w:tbl>", 10_000) + "<w:t>b</w:t>"), ""},
		"encrypted": {pack(t, "mimetype", odtMime, "META-INF/manifest.xml", "<manifest><encryption-data/></manifest>", "content.xml", "x"), model.EFileEncrypted},
	} {
		s, err := FromReader("a", bytes.NewReader(c.raw), int64(len(c.raw)), Options{})
		if model.CodeOf(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			if rows, _ := readAll(t, s, nil); len(rows) != 1 {
				t.Errorf("%s: %v", name, rows)
			}
		}
	}
	raw := part("<w:p><w:t>a@example.com</w:t></w:p>")
	if _, err := FromReader("a", bytes.NewReader(raw), int64(len(raw)), Options{Sheet: "x"}); model.CodeOf(err) != model.ENotFound {
		t.Error(err)
	}
}

// TestLatinNames: accents in the middle of words are no Chinese characters.
func TestLatinNames(t *testing.T) {
	s, err := FromReader("a.csv", strings.NewReader("Name;E-Mail;Stadt\r\nJ\xFCrgen M\xFC\xDFig;j@example.com;K\xF6ln\r\nAna N\xFA\xF1ez;a@example.com;M\xE1laga\r\n"), 87, Options{})
	rows, rejects := readAll(t, s, err)
	if d := cmp.Diff([]string{"2\tj@example.com\tJürgen Müßig", "3\ta@example.com\tAna Núñez"}, listing(rows, rejects)); d != "" || s.Charset() != Latin1 {
		t.Error(s.Charset(), d)
	}
}
