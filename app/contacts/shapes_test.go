package contacts

import (
	"fmt"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// short writes what a text gave: "line address name {fields}" and "line !reason".
func short(t *testing.T, text, format string) string {
	t.Helper()
	s, err := FromText(text, Options{})
	rows, rejects := readAll(t, s, err)
	if s.Format() != format {
		t.Errorf("found %s, want %s", s.Format(), format)
	}
	var out []string
	for _, r := range rows {
		line := fmt.Sprintf("%d %s %s", r.Line, r.Email, r.Name)
		var keys []string
		for k := range r.Fields {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		for _, k := range keys {
			line += " " + k + "=" + r.Fields[k]
		}
		out = append(out, strings.TrimSpace(line))
	}
	for _, r := range rejects {
		out = append(out, fmt.Sprintf("%d !%s %s", r.Line, r.Reason, r.Text))
	}
	return strings.Join(out, "\n")
}

func checkShapes(t *testing.T, format string, cases map[string][2]string) {
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			want := strings.TrimSpace(strings.ReplaceAll(c[1], "\t", ""))
			if d := cmp.Diff(want, short(t, c[0], format)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestVCards(t *testing.T) {
	card := func(lines ...string) string {
		return "BEGIN:VCARD\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VCARD\r\n"
	}
	checkShapes(t, FormatVCard, map[string][2]string{
		"plain":                {card("FN:Ann", "EMAIL:Ann@Example.COM"), "1 ann@example.com Ann"},
		"lower case":           {"begin:vcard\nfn:Ann\nemail:ann@example.com\nend:vcard\n", "1 ann@example.com Ann"},
		"grouped":              {card("item1.EMAIL;type=INTERNET:ann@example.com", "item1.X-ABLabel:_$!<Home>!$_", "FN:Ann"), "1 ann@example.com Ann"},
		"name from its halves": {card("N:张;三;;;", "EMAIL:a@example.com") + card("N:Lee;Ann;;;", "EMAIL:b@example.com"), "1 a@example.com 张三\n5 b@example.com Ann Lee"},
		"name from elsewhere":  {card("ORG:Acme;Sales", "EMAIL:a@example.com") + card("EMAIL:Bob <b@example.com>"), "1 a@example.com Acme Sales org=Acme Sales\n5 b@example.com Bob"},
		"folded":               {card("FN:A", " nn", "EMAIL:ann@exam", "\tple.com", "NOTE:one\\ntwo\\, three"), "1 ann@example.com Ann note=one\ntwo, three"},
		"soft line break": {card("FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=E5=BC=A0=", "=E4=B8=89", "EMAIL:a@example.com"),
			"1 a@example.com 张三"},
		"gbk inside":        {card("FN;CHARSET=GBK;ENCODING=QUOTED-PRINTABLE:=D5=C5=C8=FD", "EMAIL:a@example.com"), "1 a@example.com 张三"},
		"no charset named":  {card("FN;ENCODING=QUOTED-PRINTABLE:=D5=C5=C8=FD", "EMAIL:a@example.com"), "1 a@example.com 张三"},
		"base64":            {card("FN;ENCODING=b;CHARSET=UTF-8:5byg5LiJ", "EMAIL:a@example.com"), "1 a@example.com 张三"},
		"broken encoding":   {card("FN;ENCODING=b:***", "EMAIL:a@example.com"), "1 a@example.com ***"},
		"quoted parameter":  {card(`FN;SORT-AS="a:b;c":Ann`, "EMAIL:a@example.com"), "1 a@example.com Ann"},
		"QQ alone":          {card("FN:Ann", "X-QQ:4200000001"), "1 4200000001@qq.com Ann qq=4200000001"},
		"QQ as messenger":   {card("FN:Ann", "IMPP;X-SERVICE-TYPE=QQ:x-apple:4200000001"), "1 4200000001@qq.com Ann qq=4200000001"},
		"QQ of a bad mail":  {card("FN:Ann", "EMAIL:a@b", "X-QQ:4200000001"), "1 4200000001@qq.com Ann qq=4200000001"},
		"same twice":        {card("EMAIL:a@example.com", "EMAIL;TYPE=WORK:A@example.com"), "1 a@example.com"},
		"phone":             {card("FN:Ann", "TEL;VALUE=uri:tel:+86-138-0000-0001", "EMAIL:a@example.com"), "1 a@example.com Ann tel=+86-138-0000-0001"},
		"no address":        {card("FN:Ann", "TEL:1") + card("TEL:22") + card(), "1 !no_address Ann\n5 !no_address 22\n8 !no_address VCARD"},
		"bad address":       {card("FN:Ann", "EMAIL:a@b@example.com", "EMAIL:b@qq.con"), "1 !syntax a@b@example.com\n1 !typo b@qq.con"},
		"bad QQ":            {card("FN:Ann", "X-QQ:13800000001"), "1 !phone 13800000001"},
		"no end":            {"BEGIN:VCARD\nFN:A\nEMAIL:a@example.com\n" + card("FN:B", "EMAIL:b@example.com") + "BEGIN:VCARD\nFN:C\n", "4 b@example.com B\n1 !damaged A\n8 !damaged C"},
		"noise":             {card("FN:Ann", "this is no line of a card", "EMAIL:a@example.com") + "rubbish\n" + card("FN:B", "rubbish"), "1 a@example.com Ann\n7 !damaged B"},
		"a picture":         {card("PHOTO;ENCODING=BASE64;TYPE=JPEG:"+strings.Repeat("QUJD", 9000), " "+strings.Repeat("QUJD", 9000), "", "FN:Ann", "EMAIL:a@example.com"), "1 a@example.com Ann"},
		"a line too long":   {card("FN:Ann", "NOTE:"+strings.Repeat("x", maxRecord+9), "EMAIL:a@example.com"), "1 a@example.com Ann note=" + strings.Repeat("x", 1019)},
		"folds without end": {card("FN:Ann", "NOTE:x"+strings.Repeat("\r\n "+strings.Repeat("y", 1000), 2000), "EMAIL:a@example.com"), "1 a@example.com Ann note=x" + strings.Repeat("y", maxField-1)},
		"old Mac":           {strings.ReplaceAll(card("FN:Ann", "EMAIL:a@example.com"), "\r\n", "\r"), "1 a@example.com Ann"},
	})
}

func TestPages(t *testing.T) {
	checkShapes(t, FormatHTML, map[string][2]string{
		"text":           {"<html><body><p>Write to ann@example.com</p>\n<p>or Bob &lt;bob@example.com&gt;</p></body></html>", "1 ann@example.com\n2 bob@example.com Bob"},
		"link":           {"<html><a href='mailto:ann@example.com?subject=x'>Ann Lee</a>", "1 ann@example.com Ann Lee"},
		"escaped link":   {"<html><A HREF=\"mailto:ann%40example.com\">写信</A>", "1 ann@example.com"},
		"shown link":     {"<html><p><a href='mailto:ann@example.com'>ann@example.com</a></p>", "1 ann@example.com"},
		"several lines":  {"<!DOCTYPE html>\n<html>\n<script>\nvar a='no@example.com'\n</script>\n<style>\na@b.com\n</style>\n<!-- c@example.com\n -->\n<p>d@example.com", "11 d@example.com"},
		"hidden":         {"<html><noscript>no@example.com</noscript><template>t@example.com</template><p title='x@example.com'>a@example.com", "1 a@example.com"},
		"entities":       {"<html><p>ann&#64;example&#46;com &nbsp;张三&lt;b&commat;example.com&gt;", "1 ann@example.com\n1 b@example.com 张三"},
		"split by tags":  {"<html><p><b>ann</b>@<i>example</i>.com", "1 ann@example.com"},
		"row":            {"<table>\n<tr><th>姓名<th>邮箱<th>电话<th>QQ\n<tr><td>王芳<td>wang@example.com<td>13800000001<td>4200000001</table>", "3 wang@example.com 王芳 QQ=4200000001 电话=13800000001"},
		"row of a QQ":    {"<table><tr><td>王芳</td><td>4200000001</td><td>13800000001</td></tr></table>", "1 4200000001@qq.com 王芳\n1 !phone 13800000001"},
		"bad mail":       {"<table><tr><td>王芳</td><td>wang@qq.con</td></tr></table>", "1 !typo wang@qq.con"},
		"table in table": {"<table><tr><td><table><tr><td>王芳</td><td>wang@example.com</td></tr></table></td></tr><tr><td>李娜</td><td>li@example.com</td></tr></table>", "1 wang@example.com 王芳\n1 li@example.com 李娜"},
		"layout":         {"<html><table><tr><td>Home</td><td>News</td></tr></table><p>Order 12345678 and 2024-03-04, https://e.com/?id=4200000001</p>", "1 !number Order 12345678 and 2024-03-04"},
		"list":           {"<html><ul><li>王芳 wang@example.com<li>李娜 li@example.com</ul>", "1 wang@example.com 王芳\n1 li@example.com 李娜"},
		"not closed":     {"<html><body><p>a@example.com <a href='mailto:b@example.com'>", "1 a@example.com\n1 b@example.com"},
		"long text":      {"<html><p>" + strings.Repeat("word ", 20000) + "a@example.com " + strings.Repeat("word ", 20000), "1 a@example.com"},
		"picture":        {"<html><img src='data:image/png;base64," + strings.Repeat("QUJD", 1<<19) + "'><p>a@example.com", "1 a@example.com"},
	})
}

func TestChats(t *testing.T) {
	const a, b = "2024-03-01 9:00:00 王芳(4200000001)\n", "2024-03-01 9:00:01 李娜<li@example.com>\n"
	checkShapes(t, FormatChat, map[string][2]string{
		"export":          {a + "hi\n\n" + b + "hello\n", "1 4200000001@qq.com 王芳\n4 li@example.com 李娜"},
		"each once":       {a + b + a + b + a, "1 4200000001@qq.com 王芳\n2 li@example.com 李娜"},
		"copied":          {"王芳(4200000001) 9:00:00\nhi\n李娜<li@example.com> 2024/3/1 21:00:00\n", "1 4200000001@qq.com 王芳\n3 li@example.com 李娜"},
		"twelve hours":    {"2024-03-01 上午 9:00:00 王芳(4200000001)\n2024-03-01 9:00:00 PM Bob(4200000002)\n", "1 4200000001@qq.com 王芳\n2 4200000002@qq.com Bob"},
		"title":           {"2024-03-01 9:00:00 【群主】王芳(4200000001)\n" + b, "1 4200000001@qq.com 王芳\n2 li@example.com 李娜"},
		"brackets":        {"2024-03-01 9:00:00 王芳(上海)(4200000001)\n" + b, "1 4200000001@qq.com 王芳(上海)\n2 li@example.com 李娜"},
		"of QQ itself":    {"2024-03-01 9:00:00 系统消息(10000)\n加入\n2024-03-01 9:00:00 系统消息(10000)\n" + b, "4 li@example.com 李娜\n1 !system 2024-03-01 9:00:00 系统消息(10000)"},
		"said":            {a + "我的邮箱 wang@example.com，QQ 4200000003\n" + b, "1 4200000001@qq.com 王芳\n2 wang@example.com\n2 4200000003@qq.com\n3 li@example.com 李娜"},
		"numbers":         {a + "666666\n12345678 人\n20240304\n" + b, "1 4200000001@qq.com 王芳\n5 li@example.com 李娜\n3 !number 12345678 人\n4 !date 20240304"},
		"head":            {"消息记录(此消息记录为文本格式,不支持重新导入)\n消息对象:读书会(123456789)\n" + a + b, "3 4200000001@qq.com 王芳\n4 li@example.com 李娜"},
		"a mention":       {a + "@全体成员 周六见 @王芳\n" + b, "1 4200000001@qq.com 王芳\n3 li@example.com 李娜"},
		"a long message":  {a + strings.Repeat("哈", 15000) + "\n" + b, "1 4200000001@qq.com 王芳\n3 li@example.com 李娜"},
		"one message":     {a + "hi\n", "1 4200000001@qq.com 王芳"},
		"no name":         {"2024-03-01 9:00:00 (4200000001)\n" + b, "1 4200000001@qq.com\n2 li@example.com 李娜"},
		"number for name": {"2024-03-01 9:00:00 4200000001(4200000001)\n" + b, "1 4200000001@qq.com 4200000001\n2 li@example.com 李娜"},
	})
}
