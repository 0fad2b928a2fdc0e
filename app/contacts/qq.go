package contacts

import (
	"regexp"
	"strings"
	"unicode"
)

// QQ makes number@qq.com of a text that is a QQ number: 5 to 11 digits, the first not 0, no phone number.
func QQ(s string) (email string, ok bool) {
	email, reason := columnQQ(s)
	return email, reason == ""
}

var (
	reQQCell = regexp.MustCompile(`(?i)^(?:q+|qq号码?|qq账号|q号|扣扣|企鹅号?)?\s*[:=号]?\s*([0-9][0-9, ]*)(?:\.0+)?$`)
	reSci    = regexp.MustCompile(`^[0-9](?:\.[0-9]+)?[eE]\+?[0-9]{1,2}$`)
	reExact  = regexp.MustCompile(`^[1-9]\.[0-9]{4,}E(?:[4-9]|10)$`)
	rePhone  = regexp.MustCompile(`^1[3-9][0-9]{9}$`)
)

// columnQQ reads a cell of a column that holds QQ numbers. reason is "" for a number, ReasonNoAddress where
// there is no number at all.
func columnQQ(s string) (email, reason string) {
	s = strings.TrimSpace(fold(unquoteCell(s)))
	if reExact.MatchString(s) { // as programs write all digits of a number, not as a spreadsheet shows it
		s = numberText(s)
	}
	if reSci.MatchString(s) {
		return "", ReasonScientific
	}
	m := reQQCell.FindStringSubmatch(s)
	if m == nil {
		return "", ReasonNoAddress
	}
	n := strings.NewReplacer(",", "", " ", "").Replace(m[1])
	switch {
	case len(n) < 5 || len(n) > 11 || n[0] == '0':
		return "", ReasonNumber
	case rePhone.MatchString(n):
		return "", ReasonPhone
	case systemQQ[n]:
		return "", ReasonSystem
	}
	return n + "@qq.com", ""
}

// systemQQ are senders in chat records that are no person.
var systemQQ = map[string]bool{"10000": true, "1000000": true, "80000000": true}

// numberShape gives why a bare number is no QQ number, "" where it can be one.
func numberShape(n string) string {
	switch {
	case rePhone.MatchString(n):
		return ReasonPhone
	case len(n) == 13 && strings.HasPrefix(n, "86") && rePhone.MatchString(n[2:]):
		return ReasonPhone
	case systemQQ[n]:
		return ReasonSystem
	case len(n) < 5 || len(n) > 11:
		return ReasonNumber
	case n[0] == '0':
		if len(n) >= 10 {
			return ReasonPhone
		}
		return ReasonNumber
	case len(n) == 8 && isDate(n):
		return ReasonDate
	case len(n) == 5 && (strings.HasPrefix(n, "100") || strings.HasPrefix(n, "95") || strings.HasPrefix(n, "123")):
		return ReasonPhone // service lines: 10086, 95588, 12306
	}
	return ""
}

func isDate(n string) bool {
	y, m, d := n[:4], n[4:6], n[6:8]
	return y >= "1900" && y <= "2099" && m >= "01" && m <= "12" && d >= "01" && d <= "31"
}

var (
	reQQLabel  = regexp.MustCompile(`(?i)(?:^|[^a-z])(?:q{1,2}|扣扣|企鹅)\s*(?:号码|号|账号|帐号|邮箱)?\s*(?:是|为|[:=])?\s*[(\[<]?\s*$|(?:加q|加扣)\s*$`)
	reGroup    = regexp.MustCompile(`(?i)群\s*(?:号码|号|聊)?\s*(?:是|为|[:=])?\s*[(\[]?\s*$`)
	rePhoneLbl = regexp.MustCompile(`(?i)(电话|手机|座机|传真|联系方式|热线|tel|phone|mobile|mob|fax|cell|call|携帯)[^0-9]{0,6}$`)
	reDateLbl  = regexp.MustCompile(`(?i)(日期|时间|生日|出生|date|birthday)[^0-9]{0,6}$`)
	reOtherLbl = regexp.MustCompile(`(?i)(订单|单号|运单|快递|编号|流水|工号|学号|身份证|卡号|账户|银行|邮编|邮政|zip|post|金额|价格|微信|密码|验证码|会议号|会议|端口|货号|型号|票号|税号|isbn|order|invoice|no\.?|id|code|pin|[$￥¥€£#])[^0-9]{0,6}$`)
	reUnit     = regexp.MustCompile(`(?i)^\s*(元|块|人|个|年|月|日|号楼|号院|次|件|分|公斤|kg|km|%|万|亿|美元|usd|rmb|px|mb|gb|米|室|栋|届|期|页|字)`)
	reStreet   = regexp.MustCompile(`[省市区县镇乡村路街道巷弄号楼室]`)
	reDigits   = regexp.MustCompile(`[0-9]+`)
	rePhoneFmt = regexp.MustCompile(`(?:\+|00)?[0-9]{1,4}[- ]?(?:\(0?[0-9]{2,4}\)|0[0-9]{2,3}|1[3-9][0-9]|400|800)[- ][0-9]{3,4}[- ]?[0-9]{3,4}(?:[- ][0-9]{4})?|\(0[0-9]{2,3}\) ?[0-9]{7,8}|\b0[0-9]{2,3}[- ][0-9]{7,8}|\b1[3-9][0-9][- ][0-9]{4}[- ][0-9]{4}\b`)
)

// scanNumbers finds QQ numbers in a prepared text. taken are spans that hold something else already. The
// rules are strict: a number counts where it is labelled as QQ, or where it stands alone or by a name.
func scanNumbers(s string, taken [][]int) (hits []hit, misses []miss) {
	if !hasRun(s, 5) {
		return nil, nil
	}
	taken = append(taken, urlSpans(s)...)
	for _, p := range rePhoneFmt.FindAllStringIndex(s, -1) {
		if !overlaps(taken, p[0], p[1]) {
			misses = append(misses, miss{text: s[p[0]:p[1]], reason: ReasonPhone, start: p[0], end: p[1]})
		}
		taken = append(taken, p)
	}
	prev := 0
	runs := reDigits.FindAllStringIndex(s, -1)
	for k, p := range runs {
		n := s[p[0]:p[1]]
		if len(n) < 5 || overlaps(taken, p[0], p[1]) {
			continue
		}
		lo, hi := segment(s, prev, p[0], p[1], taken)
		if k+1 < len(runs) && runs[k+1][0] < hi && runs[k+1][1]-runs[k+1][0] >= 5 {
			hi = runs[k+1][0]
			if i := strings.LastIndexByte(strings.TrimRight(s[p[1]:hi], " ("), ' '); i >= 0 {
				hi = p[1] + i // what stands right before the next number belongs to it
			} else {
				hi = p[1]
			}
		}
		before, after := s[lo:p[0]], s[p[1]:hi]
		name, reason, sure := judgeNumber(n, before, after, s[:lo])
		prev = p[1]
		if reason != "" {
			if sure {
				misses = append(misses, miss{text: strings.TrimSpace(s[lo:hi]), reason: reason, start: p[0], end: p[1]})
			}
			continue
		}
		hits = append(hits, hit{email: n + "@qq.com", address: n + "@qq.com", name: name, start: p[0], end: p[1]})
	}
	return hits, misses
}

// judgeNumber decides on one number. sure says that the refusal deserves a line in the report.
func judgeNumber(n, before, after, earlier string) (name, reason string, sure bool) {
	shape := numberShape(n)
	if before != "" && strings.IndexByte(".-/:@_#%&=+\\", before[len(before)-1]) >= 0 && before[len(before)-1] != ':' &&
		before[len(before)-1] != '=' && strings.Trim(before, "- #") != "" || isWordByte(before, len(before)-1) && !reQQLabel.MatchString(before) {
		return "", ReasonNumber, false
	}
	if after != "" && (isWordByte(after, 0) || strings.IndexByte("-/:@_%.\\", after[0]) >= 0 && isWordByte(after, 1)) {
		return "", ReasonNumber, false
	}
	switch {
	case reGroup.MatchString(before):
		return "", ReasonGroup, true
	case reQQLabel.MatchString(before):
		if shape == ReasonDate || shape == ReasonPhone && len(n) == 5 {
			shape = ""
		}
		loc := reQQLabel.FindStringIndex(before)
		if name = cleanName(before[:loc[0]]); !plausibleName(name) {
			name = ""
		}
		return name, shape, true
	case rePhoneLbl.MatchString(before):
		return "", ReasonPhone, true
	case reDateLbl.MatchString(before):
		return "", ReasonDate, true
	case reOtherLbl.MatchString(before), reUnit.MatchString(after):
		return "", ReasonNumber, true
	}
	b := cleanName(strings.TrimRight(strings.TrimSpace(before), "(<[:="))
	tail := strings.Trim(after, " )>].:!~'\"")
	tail = strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(tail, "("), "QQ"))
	if (strings.TrimSpace(before) == "" || b == "" && strings.Trim(before, " :<>()[]\"'-*·•=") == "" || plausibleName(b)) &&
		(tail == "" || plausibleName(tail) && b == "") {
		if shape != "" {
			return "", shape, true
		}
		if len(n) == 6 && reStreet.MatchString(lastSegment(earlier)) {
			return "", ReasonNumber, false
		}
		if l := lastSegment(earlier); b == "" && (rePhoneLbl.MatchString(l) || reOtherLbl.MatchString(l)) {
			return "", ReasonNumber, true
		}
		if b == "" {
			b = cleanName(tail)
		}
		return b, "", true
	}
	return "", firstOf(shape, ReasonNumber), false
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func lastSegment(s string) string {
	s = strings.TrimRight(s, ",;|\t ")
	return s[strings.LastIndexAny(s, ",;|\t\n")+1:]
}

// segment widens [lo,hi) to the separators and spans around it.
func segment(s string, floor, lo, hi int, taken [][]int) (int, int) {
	for _, p := range taken {
		if p[1] <= lo && p[1] > floor {
			floor = p[1]
		}
	}
	a := floor
	if i := strings.LastIndexAny(s[floor:lo], ",;|\t\n"); i >= 0 {
		a = floor + i + 1
	}
	b := len(s)
	if i := strings.IndexAny(s[hi:], ",;|\t\n"); i >= 0 {
		b = hi + i
	}
	for _, p := range taken {
		if p[0] >= hi && p[0] < b {
			b = p[0]
		}
	}
	return a, b
}

func overlaps(spans [][]int, lo, hi int) bool {
	for _, p := range spans {
		if p[0] < hi && lo < p[1] {
			return true
		}
	}
	return false
}

func hasRun(s string, n int) bool {
	run := 0
	for i := 0; i < len(s); i++ {
		if s[i] >= '0' && s[i] <= '9' {
			if run++; run >= n {
				return true
			}
		} else {
			run = 0
		}
	}
	return false
}

// scanText finds every address and QQ number of a piece of free text, in order, with names.
func scanText(s string) ([]hit, []miss) { return scanPrepared(prepare(s)) }

// prepare brings a text to the form in which it is looked at.
func prepare(s string) string { return reDashes.ReplaceAllString(tidy(s), " ; ") }

func scanPrepared(s string) ([]hit, []miss) {
	hits, misses := scanAts(s, false)
	nameHits(s, hits)
	taken := make([][]int, 0, len(hits)+len(misses))
	for _, h := range hits {
		taken = append(taken, []int{h.start, h.end})
	}
	for _, m := range misses {
		taken = append(taken, []int{m.start, m.end})
	}
	nh, nm := scanNumbers(s, taken)
	for i := range nh {
		if strings.IndexFunc(nh[i].name, unicode.IsLetter) < 0 {
			nh[i].name = ""
		}
	}
	return mergeHits(hits, nh), append(misses, nm...)
}

var reDashes = regexp.MustCompile(`-{3,}|—{2,}|={3,}|_{4,}`)

func mergeHits(a, b []hit) []hit {
	if len(b) == 0 {
		return a
	}
	out := make([]hit, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		if a[0].start <= b[0].start {
			out, a = append(out, a[0]), a[1:]
		} else {
			out, b = append(out, b[0]), b[1:]
		}
	}
	return append(append(out, a...), b...)
}
