package contacts

import "strings"

// known are mail domains that are never a typo of another, and towards which typos are corrected. Their
// local parts are ASCII only where asciiOnly says so.
var known = map[string]bool{}

// asciiOnly are providers that give out no mailbox with letters beyond ASCII.
var asciiOnly = map[string]bool{}

// typos maps a wrong name to the right domain. A name is here only where it has no mail of its own that a
// person would write to: mail.com and ymail.com are neighbours of gmail.com, and real.
var typos = map[string]string{}

// wrongTLD are endings that are not in the DNS root, each a slip of the one beside it.
var wrongTLD = map[string]string{
	"con": "com", "cmo": "com", "ocm": "com", "comm": "com", "coom": "com", "ccom": "com", "vom": "com",
	"xom": "com", "cpm": "com", "c0m": "com", "cim": "com", "dom": "com", "cok": "com", "comn": "com",
	"coml": "com", "conm": "com", "copm": "com", "ent": "net", "nte": "net", "nett": "net",
	"ney": "net", "ogr": "org", "rog": "org", "orgg": "org", "cnn": "cn",
}

func init() {
	for _, d := range strings.Fields(`qq.com vip.qq.com foxmail.com 163.com vip.163.com 126.com vip.126.com yeah.net
		188.com 139.com 189.cn wo.cn sina.com sina.cn vip.sina.com sohu.com vip.sohu.com tom.com 21cn.com aliyun.com
		gmail.com googlemail.com hotmail.com outlook.com live.com live.cn msn.com yahoo.com ymail.com yahoo.com.cn
		yahoo.cn yahoo.co.jp yahoo.com.hk yahoo.com.tw icloud.com me.com mac.com mail.com aol.com gmx.com gmx.de
		proton.me protonmail.com zoho.com`) {
		known[d] = true
	}
	for _, d := range strings.Fields(`qq.com vip.qq.com foxmail.com 163.com 126.com yeah.net 188.com 139.com 189.cn
		sina.com sohu.com aliyun.com gmail.com googlemail.com hotmail.com outlook.com live.com yahoo.com icloud.com`) {
		asciiOnly[d] = true
	}
	for right, wrong := range map[string]string{
		"gmail.com": `gmial.com gmai.com gamil.com gmal.com gmil.com gnail.com gmaill.com gmali.com gimail.com ggmail.com
			gmaul.com gmaii.com gmsil.com gmqil.com gmaol.com gmail.co gmail.cm gmail.om gmail.cn`,
		"hotmail.com": `hotmial.com hotmai.com hotmal.com hotmil.com homail.com hotamil.com hotnail.com htomail.com
			otmail.com hotmaill.com hotmali.com hotmaul.com hormail.com hitmail.com hotmail.co hotmail.cm`,
		"outlook.com": `outlok.com outloo.com outllok.com outlool.com outlock.com outlokk.com oulook.com outook.com
			outlookk.com outloook.com otulook.com outlook.co outlook.cm`,
		"yahoo.com":  `yaho.com yahooo.com yhaoo.com yahho.com yhoo.com yaoo.com yahoo.co yahoo.cm`,
		"icloud.com": `iclod.com icould.com iclould.com icoud.com icloud.co icloude.com iclowd.com`,
		"foxmail.com": `foxmial.com foxmal.com foxmai.com foxmali.com fxomail.com foxmil.com foxmaill.com foxamil.com
			foxmail.cn foxmail.co`,
		"163.com":    `163.com.com 1633.com 163com.com l63.com 163.co 163.cm 163.cmm`,
		"126.com":    `126.com.com 126com.com l26.com 126.co 126.cm`,
		"qq.com":     `qq.com.com qqq.com qqcom.com qq.co qq.cm qq.om vip.qq.con`,
		"sina.com":   `sian.com snia.com sina.com.com sina.co`,
		"sohu.com":   `souhu.com sohu.co`,
		"yeah.net":   `yaeh.net yeh.net`,
		"aliyun.com": `aliyn.com alyun.com aliyu.com aliyun.co`,
		"139.com":    `139.co 139.com.com`,
	} {
		for _, w := range strings.Fields(wrong) {
			typos[w] = right
		}
	}
	// The dot was forgotten, or the ending.
	for d := range known {
		if strings.Count(d, ".") == 1 {
			typos[strings.ReplaceAll(d, ".", "")] = d
		}
	}
	for _, d := range []string{"qq.com", "163.com", "126.com", "gmail.com", "hotmail.com", "outlook.com", "foxmail.com",
		"yahoo.com", "sina.com", "icloud.com", "139.com", "sohu.com"} {
		typos[strings.TrimSuffix(d, ".com")] = d
	}
}

// WellKnown says that a domain (in lower case) is that of a large mail provider.
func WellKnown(domain string) bool { return known[domain] }

// typo gives what a domain (in lower case) surely was meant to be, or "".
func typo(domain string) string {
	if known[domain] {
		return ""
	}
	if right := typos[domain]; right != "" {
		return right
	}
	dot := strings.LastIndexByte(domain, '.')
	if dot < 1 || len(domain)-dot > 5 {
		return ""
	}
	if tld := wrongTLD[domain[dot+1:]]; tld != "" {
		fixed := domain[:dot+1] + tld
		if right := typos[fixed]; right != "" {
			return right
		}
		return fixed
	}
	return ""
}
