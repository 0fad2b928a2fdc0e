package contacts

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// hit is an address found in a text, with the name that stands by it.
type hit struct {
	email, address, name string
	start, end           int // in the prepared text
}

// miss is a piece of text that was meant as an address or a QQ number and is none.
type miss struct {
	text, reason, hint string
	start, end         int
}

var reURL = regexp.MustCompile(`(?i)\b(?:https?|ftp|wss?|file)://[^\s<>"'\p{Han}]+|\bwww\.[^\s<>"'@\p{Han}]+`)

// scanCell finds the addresses of a cell that is meant to hold one or several. With qq also bare numbers.
func scanCell(s string, qq bool) ([]hit, []miss) {
	s = strings.TrimSpace(tidy(unquoteCell(s)))
	if s == "" {
		return nil, nil
	}
	if v := linkedBy(s, ""); v != "" && s[0] == '=' {
		s = v
	}
	if strings.HasPrefix(s, "=") && strings.ContainsAny(s, "(\"") {
		return nil, []miss{{text: s, reason: ReasonFormula}}
	}
	if strings.Count(s, "@") == 1 || s[0] == '"' {
		if h, ok := whole(s); ok {
			return []hit{h}, nil
		}
	}
	hits, misses := scanAts(s, true)
	if len(hits)+len(misses) > 0 {
		nameHits(s, hits)
		return hits, misses
	}
	if qq {
		if email, reason := columnQQ(s); reason == "" {
			return []hit{{email: email, address: email}}, nil
		} else if reason != ReasonNoAddress {
			return nil, []miss{{text: s, reason: reason}}
		}
	}
	if reason := ReasonSyntax; s != "" {
		misses = append(misses, miss{text: s, reason: reason, end: len(s)})
	}
	return hits, misses
}

// whole accepts a text that is an address and nothing else, by the full grammar.
func whole(s string) (hit, bool) {
	if len(s) > 7 && strings.EqualFold(s[:7], "mailto:") {
		s = s[7:]
		if q := strings.IndexByte(s, '?'); q >= 0 {
			s = s[:q]
		}
	}
	if len(s) > 2 && s[0] == '<' && s[len(s)-1] == '>' {
		s = s[1 : len(s)-1]
	}
	s = strings.TrimLeft(strings.TrimRight(s, ".;, "), "'")
	at := strings.LastIndexByte(s, '@')
	if at < 1 {
		return hit{}, false
	}
	local := s[:at]
	if i := strings.IndexFunc(local, isCJK); i >= 0 && strings.IndexFunc(local, func(r rune) bool { return r < 128 }) >= 0 {
		return hit{}, false // a name that sticks to an address
	}
	if tld := s[strings.LastIndexByte(s, '.')+1:]; !isASCII(tld) && strings.IndexFunc(tld, func(r rune) bool { return r < 128 }) >= 0 {
		return hit{}, false // a word that sticks to an address
	}
	email, address, bad := judge(local, s[at+1:])
	if bad != nil {
		return hit{}, false
	}
	return hit{email: email, address: address, end: len(s)}, true
}

func isCJK(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Bopomofo)
}

// scanAts looks around every @. In a cell the full set of atext may stand in the local part when the piece
// between blanks is an address as a whole.
func scanAts(s string, cell bool) (hits []hit, misses []miss) {
	urls := urlSpans(s)
	last := 0
	for i := 0; i < len(s); i++ {
		if s[i] != '@' || i < last || inSpans(urls, i) {
			continue
		}
		lo, literal := leftOf(s, last, i, cell)
		hi := rightOf(s, i+1, cell)
		local, domain := s[lo:i], s[i+1:hi]
		if !cell && local != "" && local[0] == '_' && strings.HasPrefix(s[hi:], "_") {
			lo, local = lo+1, local[1:] // emphasis in Markdown
		}
		if domain != "" && hi < len(s) && s[hi] == '@' { // two that stick together
			a, b := pieceAround(s, last, i)
			misses = append(misses, miss{text: s[a:b], reason: ReasonSyntax, start: a, end: b})
			last = b
			continue
		}
		if cell && !literal {
			if h, a, b, ok := wholePiece(s, last, i); ok {
				h.start, h.end = a, b
				hits = append(hits, h)
				last = b
				continue
			}
		}
		if local == "" || domain == "" {
			if cell || local != "" && isWordByte(s, i-1) && hi > i+1 {
				a, b := pieceAround(s, last, i)
				misses = append(misses, miss{text: s[a:b], reason: ReasonSyntax, start: a, end: b})
				last = b
			}
			continue
		}
		email, address, bad := judge(local, domain)
		if bad != nil {
			a, b := pieceAround(s, last, i)
			if !isASCII(domain) && !cell {
				continue // a mention, not an address
			}
			misses = append(misses, miss{text: s[a:b], reason: bad.Reason, hint: bad.Hint, start: a, end: b})
			last = b
			continue
		}
		hits = append(hits, hit{email: email, address: address, start: lo, end: hi})
		last = hi
	}
	return hits, misses
}

func urlSpans(s string) [][]int {
	if !strings.Contains(s, "://") && !containsFold(s, "www.") {
		return nil
	}
	return reURL.FindAllStringIndex(s, -1)
}

func inSpans(spans [][]int, i int) bool {
	for _, p := range spans {
		if i >= p[0] && i < p[1] {
			return true
		}
	}
	return false
}

func isWordByte(s string, i int) bool {
	return i >= 0 && i < len(s) && (s[i]|0x20 >= 'a' && s[i]|0x20 <= 'z' || s[i] >= '0' && s[i] <= '9')
}

// leftOf gives where the local part before the @ at i starts; literal says that it is a quoted string.
func leftOf(s string, floor, i int, cell bool) (lo int, literal bool) {
	if i > floor && s[i-1] == '"' {
		for j := i - 2; j >= floor; j-- {
			if s[j] == '"' && (j == floor || s[j-1] != '\\') {
				return j, true
			}
		}
		return i, false
	}
	lo = i
	for lo > floor {
		r, n := utf8.DecodeLastRuneInString(s[floor:lo])
		if r < 128 && (isWordByte(s, lo-1) || strings.IndexByte("._+-'&~%", s[lo-1]) >= 0) ||
			r >= 128 && (unicode.In(r, unicode.Latin, unicode.Greek, unicode.Cyrillic) || unicode.IsMark(r)) ||
			cell && lo < i && r >= 128 && isCJK(r) && !isASCIIByte(s, lo) ||
			cell && lo == i && isCJK(r) {
			lo -= n
			continue
		}
		break
	}
	for lo < i && strings.IndexByte(".-'&~%", s[lo]) >= 0 {
		lo++
	}
	return lo, false
}

func isASCIIByte(s string, i int) bool { return i < len(s) && s[i] < 128 }

// rightOf gives where the domain that starts at i ends. A text in Chinese that sticks to a Latin domain is
// not part of it.
func rightOf(s string, i int, cell bool) int {
	if cell && i < len(s) && s[i] == '[' {
		if e := strings.IndexByte(s[i:], ']'); e > 0 {
			return i + e + 1
		}
		return i
	}
	hi, label := i, i
	for hi < len(s) {
		r, n := utf8.DecodeRuneInString(s[hi:])
		if r == '.' {
			hi++
			label = hi
			continue
		}
		if !(isWordByte(s, hi) || r == '-' || r == '_' || r >= 128 && r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r))) {
			break
		}
		if isCJK(r) && hi > label && s[hi-1] < 128 && label > i && ldh(strings.TrimRight(s[i:hi], "-_")) {
			break
		}
		hi += n
	}
	for hi > i && strings.IndexByte(".-_", s[hi-1]) >= 0 {
		hi--
	}
	if d := s[i:hi]; !isASCII(d) {
		return i + len(trimIDN(d, cell))
	}
	return hi
}

// trimIDN takes from a domain with other letters the labels behind its top level. In free text only a top
// level that exists is believed.
func trimIDN(d string, cell bool) string {
	labels := strings.Split(d, ".")
	for n := len(labels); n >= 2; n-- {
		tld := labels[n-1]
		if isASCII(tld) && len(tld) >= 2 || cjkTLD[tld] {
			return strings.Join(labels[:n], ".")
		}
	}
	if cell || len(labels) > 1 && strings.IndexFunc(d, isCJK) < 0 {
		return d
	}
	return ""
}

// cjkTLD are the top-level domains in Chinese, Japanese and Korean that people have mail in, and the test ones.
var cjkTLD = func() map[string]bool {
	m := map[string]bool{}
	for _, t := range strings.Fields(`中国 中國 公司 网络 網絡 香港 台湾 台灣 新加坡 澳门 澳門 在线 中文网 我爱你 集团 商城 网址
		网站 商标 餐厅 娱乐 购物 移动 信息 手机 时尚 政务 公益 机构 广东 佛山 世界 企业 健康 慈善 招聘 食品 游戏 新闻
		测试 測試 テスト コム みんな 닷컴 닷넷 한국 테스트`) {
		m[t] = true
	}
	return m
}()

const pieceEnds = " \t\r\n,;|<>()[]:\"\u3000"

// pieceAround gives the text between separators around i, for a report.
func pieceAround(s string, floor, i int) (lo, hi int) {
	lo, hi = i, i+1
	for lo > floor && strings.IndexByte(pieceEnds, s[lo-1]) < 0 {
		lo--
	}
	for hi < len(s) && strings.IndexByte(pieceEnds, s[hi]) < 0 {
		hi++
	}
	return lo, hi
}

func wholePiece(s string, floor, i int) (h hit, lo, hi int, ok bool) {
	lo, hi = pieceAround(s, floor, i)
	if lo == floor && floor > 0 && s[lo] == '/' { // a@b.com/c@d.com
		lo++
	}
	if strings.Count(s[lo:hi], "@") != 1 {
		return hit{}, 0, 0, false
	}
	h, ok = whole(s[lo:hi])
	return h, lo, hi, ok
}

// unquoteCell takes off what spreadsheets put around text: ="0123", and a leading apostrophe.
func unquoteCell(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > 3 && s[0] == '=' && s[1] == '"' && s[len(s)-1] == '"' && strings.Count(s, `"`) == 2 {
		return s[2 : len(s)-1]
	}
	if len(s) > 1 && s[0] == '\'' && (strings.Count(s, "'") == 1 || formulaStart(s[1:])) {
		return s[1:]
	}
	return s
}
