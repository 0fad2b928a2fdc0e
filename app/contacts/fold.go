package contacts

import (
	"html"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// fold brings full-width forms and Chinese punctuation to their ASCII forms, and drops characters that have
// no width. Nothing happens to ASCII.
func fold(s string) string {
	if isASCII(s) {
		return s
	}
	rs := []rune(s)
	var b strings.Builder
	b.Grow(len(s))
	for i, r := range rs {
		switch {
		case r >= 0xFF01 && r <= 0xFF5E:
			b.WriteByte(byte(r - 0xFEE0))
		case r == '﹫':
			b.WriteByte('@')
		case r == 0x3000 || r == 0xA0 || r == 0x2002 || r == 0x2003 || r == 0x2009 || r == 0x202F:
			b.WriteByte(' ')
		case r == 0x2028 || r == 0x2029 || r == 0x85:
			b.WriteByte('\n')
		case r >= 0x200B && r <= 0x200F, r >= 0x202A && r <= 0x202E, r == 0x2060, r == 0xFEFF, r == 0xAD:
		case r == '。' || r == '｡':
			if i > 0 && i+1 < len(rs) && dotBetween(rs[i-1], rs[i+1]) && !betweenAddresses(rs[:i], rs[i+1:]) {
				b.WriteByte('.')
			} else {
				b.WriteByte(';')
			}
		case r == '、' || r == '､' || r == '﹐':
			b.WriteByte(',')
		case r == '︰' || r == '∶':
			b.WriteByte(':')
		case r == '〈' || r == '《' || r == '‹':
			b.WriteByte('<')
		case r == '〉' || r == '》' || r == '›':
			b.WriteByte('>')
		case r == '【' || r == '〔':
			b.WriteByte('[')
		case r == '】' || r == '〕':
			b.WriteByte(']')
		case r == '“' || r == '”' || r == '„' || r == '「' || r == '」':
			b.WriteByte('"')
		case r == '‘' || r == '’':
			b.WriteByte('\'')
		case r == '‐' || r == '‑' || r == '－':
			b.WriteByte('-')
		case r == '｜' || r == '│' || r == '丨':
			b.WriteByte('|')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// betweenAddresses says that a full stop ends one address and another follows: a@b.com。c@d.com. In a。b@c and a@b。com
// it is a dot.
func betweenAddresses(before, after []rune) bool {
	return atInWord(before, len(before)-1, -1) && atInWord(after, 0, 1)
}

// atInWord looks for an @ in the word that begins at i and goes on by step.
func atInWord(rs []rune, i, step int) bool {
	for n := 0; n < maxAddress && i >= 0 && i < len(rs); i, n = i+step, n+1 {
		switch r := rs[i]; {
		case r == '@' || r == '＠' || r == '﹫':
			return true
		case unicode.IsSpace(r) || strings.ContainsRune(",;|<>()[]\"，；、｜（）【】《》", r):
			return false
		}
	}
	return false
}

func dotBetween(a, b rune) bool {
	word := func(r rune) bool {
		return r < 128 && (unicode.IsLetter(r) || unicode.IsDigit(r)) || r >= 0xFF10 && r <= 0xFF5A || unicode.Is(unicode.Han, r)
	}
	return word(a) && word(b)
}

var (
	reBracketAt = regexp.MustCompile(`(?i)\s*[\[({<]\s*(?:at|a|@|艾特|圈a|圈)\s*[\])}>]\s*`)
	reBracketDt = regexp.MustCompile(`(?i)\s*[\[({<]\s*(?:dot|d|\.|点)\s*[\])}>]\s*`)
	reWordAtDot = regexp.MustCompile(`(?i)\b([a-z0-9][a-z0-9._+-]*) +at +([a-z0-9-]+(?:(?: +dot +|\.)[a-z0-9-]+)* +dot +[a-z]{2,})\b`)
	reWordDot   = regexp.MustCompile(`(?i) +dot +`)
	reWholeAt   = regexp.MustCompile(`(?i)^\s*([a-z0-9][a-z0-9._+-]*) +at +([a-z0-9-]+(?:\.[a-z0-9-]+)+)\s*$`)
	reHash      = regexp.MustCompile(`(?i)\b([a-z0-9][a-z0-9._-]*)\s?(?:#|★|☆|\*)\s?((?:[a-z0-9-]+\.)+[a-z]{2,})\b`)
	reSpacedAt  = regexp.MustCompile(`(?i)([a-z0-9][a-z0-9._+-]*)(\s*)@(\s*)((?:[a-z0-9-]+ ?\. ?)+[a-z]{2,})`)
	// 艾特 is how @ sounds.
	reHanAt     = regexp.MustCompile(`(?i)\b([a-z0-9][a-z0-9._+-]*) ?(?:艾特|圈a|圈|@) ?([a-z0-9-]+(?: ?(?:点|\.) ?[a-z0-9-]+)* ?(?:点|\.) ?[a-z]{2,})\b`)
	reHanDot    = regexp.MustCompile(` ?[点.] ?`)
	reEntity    = regexp.MustCompile(`(?i)&(?:#[0-9]{2,5}|#x[0-9a-f]{2,4}|commat|period);`)
	reMailtoPct = regexp.MustCompile(`(?i)mailto:[^\s"'<>]*%40`)
)

// tidy brings a text to the form in which addresses are looked for.
func tidy(s string) string {
	if strings.Contains(s, "&#") || strings.Contains(s, "&commat;") {
		s = reEntity.ReplaceAllStringFunc(s, html.UnescapeString) // a piece of a page
	}
	return plain(fold(s))
}

// plain undoes what people write to keep robots away, where it is sure what they meant.
func plain(s string) string {
	if strings.ContainsAny(s, "[({<") {
		if reBracketAt.MatchString(s) {
			s = reBracketAt.ReplaceAllString(s, "@")
		}
		if reBracketDt.MatchString(s) {
			s = reBracketDt.ReplaceAllString(s, ".")
		}
	}
	if containsFold(s, " at ") {
		s = reWordAtDot.ReplaceAllStringFunc(s, func(m string) string {
			p := reWordAtDot.FindStringSubmatch(m)
			return p[1] + "@" + reWordDot.ReplaceAllString(p[2], ".")
		})
		s = reWholeAt.ReplaceAllString(s, "$1@$2")
	}
	if containsFold(s, " dot ") && strings.Contains(s, "@") {
		s = reWordDot.ReplaceAllString(s, ".")
	}
	if strings.ContainsAny(s, "#*★☆") {
		s = reHash.ReplaceAllStringFunc(s, func(m string) string {
			p := reHash.FindStringSubmatch(m)
			if known[strings.ToLower(p[2])] {
				return p[1] + "@" + p[2]
			}
			return m
		})
	}
	if strings.Contains(s, "艾特") || strings.Contains(s, "圈") || strings.Contains(s, "点") && strings.Contains(s, "@") {
		s = reHanAt.ReplaceAllStringFunc(s, func(m string) string {
			p := reHanAt.FindStringSubmatch(m)
			return p[1] + "@" + reHanDot.ReplaceAllString(p[2], ".")
		})
	}
	if strings.Contains(s, " @") || strings.Contains(s, "@ ") || strings.Contains(s, ". ") || strings.Contains(s, " .") {
		s = reSpacedAt.ReplaceAllStringFunc(s, func(m string) string {
			p := reSpacedAt.FindStringSubmatch(m)
			domain := strings.ReplaceAll(p[4], " ", "")
			if domain == p[4] && (p[2] == "" || p[3] != "") || known[strings.ToLower(domain)] || m == strings.TrimSpace(s) {
				return p[1] + "@" + domain
			}
			return m
		})
	}
	if reMailtoPct.MatchString(s) {
		s = strings.ReplaceAll(s, "%40", "@")
	}
	return s
}

func containsFold(s, low string) bool {
	for i := 0; i+len(low) <= len(s); i++ {
		if strings.EqualFold(s[i:i+len(low)], low) {
			return true
		}
	}
	return false
}

// cut shortens s to n runes for a report, and makes its line ends visible as spaces.
func cut(s string, n int) string {
	s = strings.ToValidUTF8(strings.TrimSpace(s), "\uFFFD")
	s = strings.Map(func(r rune) rune {
		if r < 32 || r == 127 {
			return ' '
		}
		return r
	}, lineEnds(clip(s, n*utf8.UTFMax)))
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n]) + "…"
}

// oneLine makes a name fit for one line: no control characters, no blanks round it.
func oneLine(s string) string {
	if strings.IndexFunc(s, unicode.IsControl) < 0 {
		return s
	}
	return strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)), " ")
}

// lineEnds writes every line end as one line feed.
func lineEnds(s string) string {
	if strings.IndexByte(s, '\r') < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}

// clip cuts s to at most n octets at the start of a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
