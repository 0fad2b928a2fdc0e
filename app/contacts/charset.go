package contacts

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	uni "golang.org/x/text/encoding/unicode"

	"hongyan/app/model"
)

// Names of the charsets that are found by content; any other name of the WHATWG list may be set by hand.
const (
	UTF8     = "utf-8"
	UTF16LE  = "utf-16le"
	UTF16BE  = "utf-16be"
	GB18030  = "gb18030"
	Big5     = "big5"
	ShiftJIS = "shift_jis"
	Latin1   = "windows-1252"
)

// Charsets lists what is found by content, in the order of a menu.
func Charsets() []string { return []string{UTF8, GB18030, UTF16LE, UTF16BE, Big5, ShiftJIS, Latin1} }

// charsetByName gives the encoding of a name and its canonical name; EInvalid where there is none.
func charsetByName(name string) (encoding.Encoding, string, error) {
	switch n := strings.ToLower(strings.TrimSpace(name)); n {
	case "", "utf8", UTF8, "utf-8-sig", "us-ascii", "ascii":
		return encoding.Nop, UTF8, nil
	case "gbk", "gb2312", "cp936", "gb-2312", "gb_2312-80", GB18030:
		return simplifiedchinese.GB18030, GB18030, nil
	case "utf-16", "utf16", "utf16le", UTF16LE:
		return uni.UTF16(uni.LittleEndian, uni.UseBOM), UTF16LE, nil
	case "utf16be", UTF16BE:
		return uni.UTF16(uni.BigEndian, uni.UseBOM), UTF16BE, nil
	case Big5, "cp950":
		return traditionalchinese.Big5, Big5, nil
	case "sjis", "shift-jis", "cp932", ShiftJIS:
		return japanese.ShiftJIS, ShiftJIS, nil
	case "latin1", "latin-1", "iso-8859-1", Latin1:
		return charmap.Windows1252, Latin1, nil
	default:
		e, err := htmlindex.Get(n)
		if err != nil {
			return nil, "", model.E(model.EInvalid, err, "field", "charset", "value", name)
		}
		return e, n, nil
	}
}

// decode gives r in UTF-8, without a byte order mark.
func decode(r io.Reader, name string) (io.Reader, error) {
	e, canon, err := charsetByName(name)
	if err != nil {
		return nil, err
	}
	if canon == UTF8 {
		return &skipBOM{r: r}, nil
	}
	return e.NewDecoder().Reader(r), nil
}

// skipBOM drops the mark of UTF-8 at the start.
type skipBOM struct {
	r    io.Reader
	head []byte
	done bool
}

func (s *skipBOM) Read(p []byte) (int, error) {
	if !s.done {
		s.done = true
		b := make([]byte, 3)
		n, err := io.ReadFull(s.r, b)
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return 0, err
		}
		if s.head = b[:n]; bytes.Equal(s.head, bomUTF8) {
			s.head = nil
		}
	}
	if len(s.head) > 0 {
		n := copy(p, s.head)
		s.head = s.head[n:]
		return n, nil
	}
	return s.r.Read(p)
}

var bomUTF8 = []byte{0xEF, 0xBB, 0xBF}

// sampleCharset gathers what tells charsets apart: the head, and the first stretches that are not ASCII.
func sampleCharset(r io.ReaderAt, size int64) ([]byte, error) {
	const chunk, enough = 64 << 10, 192 << 10
	buf := make([]byte, chunk)
	var sample []byte
	for off := int64(0); off < size && len(sample) < enough; off += chunk {
		n, err := r.ReadAt(buf, off)
		if err != nil && err != io.EOF {
			return nil, err
		}
		b := buf[:n]
		if off == 0 {
			sample = append(sample, b...)
			continue
		}
		if !asciiOctets(b) {
			// Start at a line, so that no character is cut at the front.
			if nl := bytes.IndexByte(b, '\n'); nl >= 0 {
				b = b[nl:]
			}
			sample = append(sample, b...)
		}
	}
	return sample, nil
}

// asciiOctets looks at eight octets at a time: all of a large file may have to be searched.
func asciiOctets(b []byte) bool {
	for ; len(b) >= 8; b = b[8:] {
		if binary.LittleEndian.Uint64(b)&0x8080808080808080 != 0 {
			return false
		}
	}
	for _, c := range b {
		if c >= 128 {
			return false
		}
	}
	return true
}

// DetectCharset finds the charset of a sample by its content: a byte order mark, validity as UTF-8, the
// pattern of zero bytes, and which reading gives the most common characters.
func DetectCharset(b []byte) string {
	switch {
	case bytes.HasPrefix(b, bomUTF8):
		return UTF8
	case bytes.HasPrefix(b, []byte{0xFF, 0xFE}):
		return UTF16LE
	case bytes.HasPrefix(b, []byte{0xFE, 0xFF}):
		return UTF16BE
	}
	if name := zeroPattern(b); name != "" {
		return name
	}
	good, bad := utf8Score(b)
	if bad == 0 || good > 6*bad || mostlyUTF8(b) {
		return UTF8
	}
	best, score := Latin1, scoreAs(b, charmap.Windows1252, rateLatin)
	for _, c := range []struct {
		name string
		enc  encoding.Encoding
		rate func([]rune) int
	}{
		{GB18030, simplifiedchinese.GB18030, rateSimplified},
		{Big5, traditionalchinese.Big5, rateTraditional},
		{ShiftJIS, japanese.ShiftJIS, rateJapanese},
		{UTF16LE, uni.UTF16(uni.LittleEndian, uni.IgnoreBOM), rateUTF16},
		{UTF16BE, uni.UTF16(uni.BigEndian, uni.IgnoreBOM), rateUTF16},
	} {
		if s := scoreAs(b, c.enc, c.rate); s > score {
			best, score = c.name, s
		}
	}
	return best
}

// zeroPattern finds UTF-16 without a mark: Latin letters and line ends leave zeros on one side only.
func zeroPattern(b []byte) string {
	if len(b) < 4 {
		return ""
	}
	var zeros [2]int
	for i, c := range b {
		if c == 0 {
			zeros[i&1]++
		}
	}
	half := len(b) / 2
	switch {
	case zeros[1] > 4*zeros[0] && zeros[1]*12 > half:
		return UTF16LE
	case zeros[0] > 4*zeros[1] && zeros[0]*12 > half:
		return UTF16BE
	}
	return ""
}

// utf8Score counts the good sequences beyond ASCII and the bytes that fit none. A character cut at the end
// of the sample is not held against it.
func utf8Score(b []byte) (good, bad int) {
	for i := 0; i < len(b); {
		if b[i] < 128 {
			i++
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			if len(b)-i >= utf8.UTFMax || utf8.FullRune(b[i:]) {
				bad++
			}
		} else {
			good++
		}
		i += n
	}
	return good, bad
}

// mostlyUTF8 reports whether as many lines are whole UTF-8 with characters of three octets or more as can only be another
// charset's: a file of which some rows were damaged, or came from elsewhere. A whole line of another charset that reads
// so by accident is rarer than any such damage; two octets alone ("联通" in GBK) prove nothing, and a line that GB18030
// cannot read either speaks for nobody.
func mostlyUTF8(b []byte) bool {
	whole, broken := 0, 0
	for line := range bytes.Lines(b) {
		switch {
		case asciiOctets(line):
		case !utf8.Valid(line):
			if _, ok := fromGB18030(line); ok {
				broken++
			}
		case bytes.ContainsFunc(line, func(r rune) bool { return r >= 0x800 }):
			whole++
		}
	}
	return whole > 0 && whole >= broken
}

func scoreAs(b []byte, e encoding.Encoding, rate func([]rune) int) int {
	if len(b) > 96<<10 {
		b = b[:96<<10]
	}
	out, err := e.NewDecoder().Bytes(b)
	if err != nil {
		return -1 << 30
	}
	return rate([]rune(string(out)))
}

// rateCJK sums over the characters beyond ASCII; common ones weigh most, and what no text has weighs against.
func rateCJK(rs []rune, common map[rune]bool, kana, fullKana int) int {
	s := 0
	for i, r := range rs {
		switch {
		case r >= 0x3041 && i > 0 && i+1 < len(rs) && latinLetter(rs[i-1]) && latinLetter(rs[i+1]):
			s -= 4 // one in the middle of a Latin word: Müller read as what it is not
		case r < 128:
			if r < 32 && r != '\n' && r != '\r' && r != '\t' {
				s -= 4
			}
		case r == utf8.RuneError:
			s -= 20
		case common[r]:
			s += 8
		case r >= 0x4E00 && r <= 0x9FFF:
			s++
		case r >= 0x3041 && r <= 0x30FF:
			s += fullKana
		case r >= 0xFF61 && r <= 0xFF9F:
			s += kana
		case r >= 0x3000 && r <= 0x301F, r >= 0xFF01 && r <= 0xFF5E, r >= 0x2010 && r <= 0x2026:
			s += 3
		case r >= 0xE000 && r <= 0xF8FF, r > 0xFFFF:
			s -= 6
		default:
			s -= 3
		}
	}
	return s
}

func latinLetter(r rune) bool { return r|0x20 >= 'a' && r|0x20 <= 'z' }

func rateSimplified(rs []rune) int  { return rateCJK(rs, commonSimplified, -6, 0) }
func rateTraditional(rs []rune) int { return rateCJK(rs, commonTraditional, -6, 0) }
func rateJapanese(rs []rune) int    { return rateCJK(rs, commonJapanese, -3, 7) }
func rateUTF16(rs []rune) int {
	ascii := 0
	for _, r := range rs {
		if r == '\n' || r == ',' || r == '@' || r == '\t' {
			ascii++
		}
	}
	if ascii == 0 {
		return -1 << 20
	}
	return rateCJK(rs, commonSimplified, -6, 4)
}

// rateLatin counts letters with accents among other letters; two of them in a row are rare.
func rateLatin(rs []rune) int {
	s := 0
	for i, r := range rs {
		if r < 128 {
			continue
		}
		prev, next := rune(' '), rune(' ')
		if i > 0 {
			prev = rs[i-1]
		}
		if i+1 < len(rs) {
			next = rs[i+1]
		}
		switch {
		case r < 0xC0 && r != 0xA0 && r != 0xAB && r != 0xBB && r != 0xB0 || r == 0xD7 || r == 0xF7:
			s -= 4
		case prev >= 128 || next >= 128:
			s -= 3
		case unicode.IsLetter(r) && (prev < 128 && unicode.IsLetter(prev) || next < 128 && unicode.IsLetter(next)):
			s += 5
		}
	}
	return s
}

func runeSet(s string) map[rune]bool {
	m := make(map[rune]bool, len(s)/3)
	for _, r := range s {
		m[r] = true
	}
	return m
}

// The commonest characters, with those of names, places and the headers of address lists.
const shared = `的一是不了人我在有他中大上你到地出就生子那得着下自之年成多天能小心好都然没日起成只作如第但前所把性行`
const moreHan = `方法家十用主道工也同定理事公三山先水手名字信址地城市北京上海州四川南天津重高林王李黄周吴徐朱胡郭何罗宋唐曹彭曾程蔡潘于董余魏薛沈姚石金侯白江段孟史夏丁戴秦甲乙丙丁戊己庚辛壬癸示例文月日号全件机女男部主任老小友期星明文志伟明芳秀英平建国安`

var (
	commonSimplified  = runeSet(shared + moreHan + `这来个们为时过说国会里后么还对学开过从样经长现动点进当问应间实业电话务员将机东见两发无关邮箱备注张刘陈杨赵孙马罗郑谢韩冯邓许苏卢蒋贾叶阎钟谭陆汪范万联系试测练联单双错误单位广东区县镇职总昵称订号码验证报团购买师龙凤华丽军杰红霞云群员列表积分潜读书`)
	commonTraditional = runeSet(shared + moreHan + `這來個們為時過說國會裡後麼還對學開從樣經長現動點進當問應間實業電話務員將機東見兩發無關郵箱備註張劉陳楊趙孫馬羅鄭謝韓馮鄧許蘇盧蔣賈葉閻鍾譚陸汪範萬聯絡繫試測練單雙錯誤位廣區縣鎮職總稱訂號碼驗證報團購買師龍鳳華麗軍傑紅雲台臺灣灣港黃吳`)
	commonJapanese    = runeSet(`の一人日大年出本中子見国上分生行二間時気十女三前入小後長下学何田山木川村井藤佐鈴高橋伊渡辺中小林加吉松清斎様名前氏電話東京都大阪市区町県会社郎美恵智`)
)
