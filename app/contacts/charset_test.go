package contacts

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	uni "golang.org/x/text/encoding/unicode"
	"pgregory.net/rapid"

	"hongyan/app/model"
)

const (
	simplified  = "姓名,邮箱,城市\r\n张伟,zhang@example.com,北京\r\n李娜,li@example.com,上海\r\n"
	traditional = "姓名,郵箱,城市\r\n陳小明,chen@example.com,台北\r\n林美玲,lin@example.com,高雄\r\n"
	nippon      = "氏名,メールアドレス\r\n佐藤 太郎,sato@example.com\r\n鈴木 花子,suzuki@example.com\r\n"
	latin       = "name;email\r\nJosé Núñez;jose@example.com\r\nJürgen Groß;jg@example.com\r\nFrançois;f@example.com\r\n"
)

func TestCharsets(t *testing.T) {
	for _, c := range []struct {
		name, text, want, first string
		enc                     encoding.Encoding
	}{
		{"utf-8", simplified, UTF8, "张伟", encoding.Nop},
		{"utf-8 with mark", "\uFEFF" + simplified, UTF8, "张伟", encoding.Nop},
		{"gbk", simplified, GB18030, "张伟", simplifiedchinese.GBK},
		{"gb18030", simplified + "𠮷,x@example.com,上海\r\n", GB18030, "张伟", simplifiedchinese.GB18030},
		{"big5", traditional, Big5, "陳小明", traditionalchinese.Big5},
		{"shift-jis", nippon, ShiftJIS, "佐藤 太郎", japanese.ShiftJIS},
		{"latin-1", latin, Latin1, "José Núñez", charmap.ISO8859_1},
		{"utf-16le with mark", simplified, UTF16LE, "张伟", uni.UTF16(uni.LittleEndian, uni.UseBOM)},
		{"utf-16be with mark", simplified, UTF16BE, "张伟", uni.UTF16(uni.BigEndian, uni.UseBOM)},
		{"utf-16le", simplified, UTF16LE, "张伟", uni.UTF16(uni.LittleEndian, uni.IgnoreBOM)},
		{"utf-16be", simplified, UTF16BE, "张伟", uni.UTF16(uni.BigEndian, uni.IgnoreBOM)},
		{"one name in gbk", "邮箱,姓名\na@example.com,王芳\n", GB18030, "王芳", simplifiedchinese.GBK},
		{"no name at all", "email,name\na@example.com,Ann\n", UTF8, "Ann", encoding.Nop},
	} {
		raw, err := c.enc.NewEncoder().String(c.text)
		if err != nil {
			t.Fatal(c.name, err)
		}
		s, err := Open(write(t, "a.csv", []byte(raw)), Options{})
		rows, rejects := readAll(t, s, err)
		if s.Charset() != c.want || s.Format() != FormatCSV || len(rejects) != 0 || rows[0].Name != c.first {
			t.Errorf("%s: %s, %s, %v, %v", c.name, s.Charset(), s.Format(), rows, rejects)
		}
	}
}

func TestCharsetByHand(t *testing.T) {
	raw, err := simplifiedchinese.GBK.NewEncoder().String(simplified)
	if err != nil {
		t.Fatal(err)
	}
	path := write(t, "a.csv", []byte(raw))
	s, err := Open(path, Options{Charset: "Latin1"})
	if err != nil {
		t.Fatal(err)
	}
	if s.Charset() != Latin1 || s.Columns()[0].Header == "姓名" {
		t.Errorf("%s, %v", s.Charset(), s.Columns())
	}
	if err := s.SetCharset("GBK"); err != nil {
		t.Fatal(err)
	}
	rows, _ := readAll(t, s, nil)
	if s.Charset() != GB18030 || rows[0].Name != "张伟" || rows[0].Fields["城市"] != "北京" {
		t.Errorf("%s, %v", s.Charset(), rows)
	}
	if err := s.SetCharset("nothing"); err == nil {
		t.Error("a charset that is none was taken")
	}
	for _, name := range Charsets() {
		if _, canon, err := charsetByName(name); err != nil || canon != name {
			t.Errorf("%s: %s, %v", name, canon, err)
		}
	}
}

// A file that is UTF-8 but for a few octets, or was cut in the middle of a character, is still UTF-8.
// TestSomeRowsOfAnotherCharset: rows that were damaged, or pasted in from another file, do not turn the addresses of the
// others into something else.
func TestSomeRowsOfAnotherCharset(t *testing.T) {
	gbk, err := simplifiedchinese.GBK.NewEncoder().String("gbk@example.com,李小明同学")
	if err != nil {
		t.Fatal(err)
	}
	const plain = "email,name\na@example.com,Ann\n"
	for name, c := range map[string]struct {
		text, charset, address string
	}{
		"one of each":            {plain + "n@例子.中国,Bo\n" + gbk + "\nb\xff@example.com,y\nc@exa\xffmple.com,y\n", UTF8, "n@例子.中国"},
		"a cut character":        {plain + "n@例子.中国,Bo\nx@example.com,王\xe4\xbd\n", UTF8, "n@例子.中国"},
		"more of the other":      {plain + gbk + "\n" + gbk + "2\n" + gbk + "3\nn@例子.中国,Bo\n", GB18030, ""},
		"a word like two octets": {"email,name\na@example.com,\xc1\xaa\xcd\xa8\n" + gbk + "\n", GB18030, ""}, // 联通
	} {
		s, err := Open(write(t, "a.csv", []byte(c.text)), Options{})
		rows, _ := readAll(t, s, err)
		if strings.Contains(c.text, gbk) && !slices.ContainsFunc(rows, func(r model.Row) bool { return r.Name == "李小明同学" }) {
			t.Errorf("%s: the row of GBK is %v", name, rows)
		}
		found := slices.ContainsFunc(rows, func(r model.Row) bool { return r.Address == c.address || r.Email == c.address })
		if s.Charset() != c.charset || !found && c.address != "" {
			t.Errorf("%s: %s, %v", name, s.Charset(), rows)
		}
	}
}

// TestUTF8OfWhichPartIsBroken: whatever is broken in fewer lines than are whole, the charset stays.
func TestUTF8OfWhichPartIsBroken(t *testing.T) {
	han := []rune(simplified + traditional)
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.SliceOfN(rapid.SampledFrom(han).Filter(func(r rune) bool { return r > 0x4E00 }), 1, 8)
		var lines []string
		whole := rapid.IntRange(1, 20).Draw(t, "whole")
		for range whole {
			lines = append(lines, "a@example.com,陈"+string(word.Draw(t, "name")))
		}
		for range rapid.IntRange(0, whole).Draw(t, "broken") {
			raw, err := simplifiedchinese.GBK.NewEncoder().String(string(word.Draw(t, "other")))
			if err == nil {
				lines = append(lines, "b@example.com,"+raw)
			}
		}
		text := strings.Join(rapid.Permutation(lines).Draw(t, "lines"), "\n")
		if got := DetectCharset([]byte(text)); got != UTF8 {
			t.Errorf("%s: %q", got, text)
		}
		gbk, err := simplifiedchinese.GBK.NewEncoder().String(strings.Repeat("张伟,北京\n", 3))
		if err != nil {
			t.Fatal(err)
		}
		if got := DetectCharset([]byte(gbk)); got != GB18030 {
			t.Errorf("%s for GBK", got)
		}
	})
}

func TestDamagedText(t *testing.T) {
	text := []byte(strings.Repeat(simplified, 5) + "\xff\xfe坏,ok@example.com,x\r\n坏,b\xffad@example.com,x\r\n张")
	s, err := Open(write(t, "a.csv", text[:len(text)-1]), Options{})
	rows, rejects := readAll(t, s, err)
	if s.Charset() != UTF8 || !slices.Contains(emailsOf(rows), "ok@example.com") {
		t.Errorf("%s, %v", s.Charset(), rows)
	}
	if len(rejects) == 0 || !slices.ContainsFunc(Reasons(), func(r string) bool { return r == rejects[len(rejects)-1].Reason }) {
		t.Fatalf("rejects %+v", rejects)
	}
	found := false
	for _, r := range rejects {
		found = found || r.Reason == ReasonEncoding
	}
	if !found {
		t.Errorf("rejects %+v", rejects)
	}
}
