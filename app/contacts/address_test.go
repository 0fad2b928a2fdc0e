package contacts

import (
	"strconv"
	"strings"
	"testing"
)

func itoa(n int) string { return strconv.Itoa(n) }

func TestNormalise(t *testing.T) {
	long := strings.Repeat("a", 64)
	for in, want := range map[string]string{ // key and address, or the reason
		"user@example.com":                  "user@example.com user@example.com",
		" User.Name+Tag@Example.COM ":       "user.name+tag@example.com User.Name+Tag@example.com",
		"ｕｓｅｒ＠ｅｘａｍｐｌｅ．ｃｏｍ":                  "user@example.com user@example.com",
		"mailto:user@example.com?subject=x": "user@example.com user@example.com",
		"王芳 <wang@example.com>":             "wang@example.com wang@example.com",
		`"Lee, Ann" <ann@example.com>`:      "ann@example.com ann@example.com",
		"user (at) example [dot] com":       "user@example.com user@example.com",
		"user@例子。测试":                        "user@xn--fsqu00a.xn--0zwm56d user@例子.测试",
		"用户@例子.测试":                          "用户@xn--fsqu00a.xn--0zwm56d 用户@例子.测试",
		`"a b"@example.com`:                 `"a b"@example.com "a b"@example.com`,
		`"ab"@example.com`:                  "ab@example.com ab@example.com",
		"user@[127.0.0.1]":                  "user@[127.0.0.1] user@[127.0.0.1]",
		long + "@example.com":               long + "@example.com " + long + "@example.com",
		long + "a@example.com":              ReasonTooLong,
		"a..b@example.com":                  ReasonLocal,
		"user@example":                      ReasonDomain,
		"user@-example.com":                 ReasonDomain,
		"user@exa_mple.com":                 ReasonDomain,
		"user@gmial.com":                    ReasonTypo,
		"user@qq.con":                       ReasonTypo,
		"user":                              ReasonSyntax,
		"":                                  ReasonNoAddress,
		"=HYPERLINK(\"mailto:a@b.com\")":    "a@b.com a@b.com",
		"=LOWER(\"A@B.COM\")":               ReasonFormula,
		"1 2 3 4 5 6@qq.com":                ReasonNumber,
		"1234@qq.com":                       ReasonNumber,
		"bob @ example . com":               "bob@example.com bob@example.com",
		"bob@@example.com":                  ReasonSyntax, // nobody knows which address was meant
		"bob 艾特 example 点 com":              "bob@example.com bob@example.com",
		"bob艾特mail.example点com":             "bob@mail.example.com bob@mail.example.com",
		"bob@qq点com":                        "bob@qq.com bob@qq.com",
		"bob&#64;example&#46;com":           "bob@example.com bob@example.com",
		"bob&commat;example.com":            "bob@example.com bob@example.com",
		"a@example.comb@example.com":        ReasonSyntax,
		"bob@example.com-办公":                "bob@example.com bob@example.com",
		"a@example.com b@example.com":       ReasonSyntax,
		"张@qq.com":                          ReasonLocal,
		"user@" + strings.Repeat("a.", 130): ReasonTooLong,
		"user@xn--fsqu00a.xn--0zwm56d":      "user@xn--fsqu00a.xn--0zwm56d user@xn--fsqu00a.xn--0zwm56d",
		"user@xn--broken-.com":              ReasonDomain,
		"user@example.com.":                 "user@example.com user@example.com",
		"\u200Buser@example.com\u200B":      "user@example.com user@example.com",
		"o'neil@example.com":                "o'neil@example.com o'neil@example.com",
	} {
		email, address, err := Normalise(in)
		got := email + " " + address
		if err != nil {
			got = err.(*AddressError).Reason //nolint:errorlint // the type is the contract
		}
		if got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

func TestQQ(t *testing.T) {
	for in, want := range map[string]string{
		"10001": "10001@qq.com", "4200000000": "4200000000@qq.com", "12345678901": "12345678901@qq.com", "１２３４５６": "123456@qq.com",
		"QQ:123456": "123456@qq.com", `="4200000001"`: "4200000001@qq.com", "'4200000001": "4200000001@qq.com", "4200000001.0": "4200000001@qq.com",
		"0123456": "", "1234": "", "123456789012": "", "13800000000": "", "4.2E+09": "", "abc": "", "": "", "10000": "", "-123456": "", "12345a": "",
	} {
		if email, ok := QQ(in); email != want || ok != (want != "") {
			t.Errorf("%q: %q, %v", in, email, ok)
		}
	}
}

func TestNumbersInText(t *testing.T) {
	for in, want := range map[string]string{ // addresses and reasons
		"我的电话 13800001111,别发邮件":         ReasonPhone,
		"订单号 20240304123344 已发货":        ReasonNumber,
		"QQ:4200023757 加我":              "4200023757@qq.com",
		"qq群 123456789":                 ReasonGroup,
		"2024-03-04":                    "",
		"20240304":                      ReasonDate,
		"书单在 https://e.com/?id=4200000": "",
		"010-12345678":                  ReasonPhone,
		"张三 4200000001":                 "4200000001@qq.com",
		"4200000001、4200000002":         "4200000001@qq.com 4200000002@qq.com",
		"价格 12345 元":                    ReasonNumber,
		"邮编 100080":                     ReasonNumber,
	} {
		hits, misses := scanText(in)
		var got []string
		for _, h := range hits {
			got = append(got, h.email)
		}
		for _, m := range misses {
			got = append(got, m.reason)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
