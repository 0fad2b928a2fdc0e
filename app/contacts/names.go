package contacts

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// labels are words that stand before an address or a number and are no name.
var labels = func() map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(`邮箱 邮件 邮箱地址 电子邮箱 电子邮件 电邮 信箱 邮址 地址 联系 联系人 联系方式 姓名 名字 名称 称呼 昵称 我的邮箱
		收件人 发件人 抄送 回复 来自 发送 主题 时间 日期 电话 手机 手机号 微信 网址 备注 qq qq号 qq号码 qq邮箱 扣扣 企鹅 企鹅号
		email e-mail mail mailto to cc bcc from reply-to contact name phone tel mobile wechat address 郵箱 電郵 電子郵件 信箱 與 与 和 或 及
		and or at 是 为 请 发到 发送到 联络 写信 发信 写邮件 发邮件 发送邮件 联系我 联系我们 点击发送 写给 发给 寄给 见 详见 咨询 或者 以及 还有 mail: メール メールアドレス 名前 氏名`) {
		m[w] = true
	}
	return m
}()

func isLabel(s string) bool {
	return labels[strings.ToLower(strings.Trim(s, " :*-·.()[]<>\"'"))]
}

// plausibleName tells whether a text that stands by an address can be a person's or firm's name.
func plausibleName(s string) bool {
	s = strings.TrimSpace(s)
	if s == "" || len(s) > 60 || isLabel(s) || strings.ContainsAny(s, "@/\\=#%$￥¥{}<>\"|;:?!*&^~`") {
		return false
	}
	letters, han, digits := 0, 0, 0
	for _, r := range s {
		switch {
		case isCJK(r):
			han++
		case unicode.IsLetter(r):
			letters++
		case unicode.IsDigit(r):
			digits++
		}
	}
	if digits > 0 || han+letters == 0 {
		return false
	}
	if han > 0 {
		return han <= 6 && letters <= 12 && !badNameWord(s)
	}
	return len(strings.Fields(s)) <= 4 && letters >= 2
}

func badNameWord(s string) bool {
	for _, w := range []string{"电话", "手机", "订单", "邮箱", "邮件", "地址", "联系", "微信", "单号", "编号", "号码", "日期", "时间", "金额",
		"价格", "邮编", "密码", "账号", "帐号", "卡号", "电邮", "群号", "传真", "身份证", "验证码", "快递", "加我", "谢谢", "您好", "你好", "请", "感谢"} {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

// cleanName trims what stands around a name.
func cleanName(s string) string {
	s = strings.TrimSpace(s)
	s = strings.Trim(s, " \t\r\n:,;|<>-–—=·•*\u3000")
	if len(s) >= 2 && (s[0] == '"' && s[len(s)-1] == '"' || s[0] == '\'' && s[len(s)-1] == '\'' || s[0] == '(' && s[len(s)-1] == ')') {
		s = s[1 : len(s)-1]
	}
	s = strings.TrimSpace(strings.Trim(s, "\""))
	if len(s) >= 2 && s[0] == '[' && s[len(s)-1] == ']' { // a link in Markdown
		s = s[1 : len(s)-1]
	}
	for _, l := range []string{"姓名:", "名字:", "联系人:", "收件人:", "name:", "Name:", "From:", "To:", "Cc:", "发件人:"} {
		s = strings.TrimSpace(strings.TrimPrefix(s, l))
	}
	if s == "" || isLabel(s) || utf8.RuneCountInString(s) > 60 {
		return ""
	}
	return s
}

// nameHits gives each address of a line the name that stands by it.
func nameHits(s string, hits []hit) {
	prev := 0
	for i := range hits {
		h := &hits[i]
		next := len(s)
		if i+1 < len(hits) {
			next = hits[i+1].start
		}
		if h.name == "" {
			h.name = nameBefore(s[prev:h.start])
		}
		prev = h.end
		rest := s[h.end:next]
		if strings.HasPrefix(rest, ">") {
			rest = rest[1:]
			prev++
		}
		if h.name == "" {
			name, n := nameAfter(rest, i+1 == len(hits) && i == 0)
			h.name = name
			prev += n
		}
	}
}

// nameBefore finds a name at the end of the text before an address.
func nameBefore(s string) string {
	t := strings.TrimRight(s, " \t\"'")
	angle := strings.HasSuffix(t, "<") || strings.HasSuffix(t, "(") || strings.HasSuffix(t, "[")
	if angle {
		t = strings.TrimRight(t[:len(t)-1], " \t")
	} else {
		t = strings.TrimRight(s, " \t")
		if low := strings.ToLower(t); strings.HasSuffix(low, "mailto:") {
			t = strings.TrimRight(t[:len(t)-7], " \t<([")
		}
	}
	if n := len(t); angle && n > 1 && t[n-1] == '"' {
		if o := strings.LastIndexByte(t[:n-1], '"'); o >= 0 {
			return cleanName(t[o+1 : n-1])
		}
	}
	t = strings.TrimRight(t, ":= \t")
	// A label between the name and the address: "name: X, mail: a@b".
	for pass := 0; pass < 2; pass++ {
		cutAt := strings.LastIndexAny(t, ";|\t\n,>")
		seg := t[cutAt+1:]
		if k := strings.LastIndexAny(seg, ": "); k >= 0 && isLabel(seg[k+1:]) {
			seg = strings.TrimRight(seg[:k], " ")
		}
		seg = cleanName(seg)
		if k := strings.LastIndexByte(seg, ':'); k >= 0 {
			seg = cleanName(seg[k+1:])
		}
		if seg != "" {
			seg = dropSmallWords(seg)
			if angle && !strings.ContainsAny(seg, "@") && strings.IndexFunc(seg, unicode.IsLetter) >= 0 {
				return seg
			}
			if plausibleName(seg) && !unicode.IsLower([]rune(seg)[0]) {
				return seg
			}
			if f := strings.Fields(seg); len(f) > 1 && plausibleName(f[len(f)-1]) && strings.IndexFunc(f[len(f)-1], isCJK) >= 0 {
				return f[len(f)-1]
			}
			return ""
		}
		if cutAt < 0 || t[cutAt] == '>' || pass == 1 {
			return ""
		}
		t = strings.TrimRight(t[:cutAt], " \t")
	}
	return ""
}

var smallWords = map[string]bool{"or": true, "and": true, "to": true, "from": true, "by": true, "with": true, "via": true, "please": true,
	"contact": true, "write": true, "ask": true, "mail": true, "email": true, "e-mail": true, "at": true}

// dropSmallWords takes from a sentence what leads to a name: "or to Bob".
func dropSmallWords(s string) string {
	for {
		word, rest, _ := strings.Cut(s, " ")
		if !smallWords[strings.ToLower(word)] && (strings.TrimSpace(rest) == "" || !isLabel(word)) {
			return s
		}
		s = strings.TrimSpace(rest)
	}
}

// nameAfter finds a name behind an address: in brackets, or, alone on its line, after a blank.
func nameAfter(s string, alone bool) (name string, used int) {
	t := strings.TrimLeft(s, " \t")
	if strings.HasPrefix(t, "(") {
		if e := strings.IndexByte(t, ')'); e > 1 {
			if n := cleanName(t[1:e]); n != "" && plausibleName(n) {
				return n, len(s) - len(t) + e + 1
			}
		}
	}
	if alone {
		if t == s && t != "" && strings.IndexByte(",;|", t[0]) < 0 {
			return "", 0 // what sticks to the address: 请查收, -办公
		}
		t = strings.Trim(t, " \t,;|-")
		if i := strings.IndexAny(t, ",;|\t"); i > 0 {
			t = t[:i]
		}
		if plausibleName(t) {
			return cleanName(t), len(s)
		}
	}
	return "", 0
}
