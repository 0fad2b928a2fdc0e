package provider

import (
	"encoding/json"
	"os"
	"testing"

	"hongyan/app/model"
)

func TestPresetsAreComplete(t *testing.T) {
	want := []string{"qq", "foxmail", "exmail", "163", "126", "yeah", "gmail", "microsoft365", "outlook", "yahoo", "icloud", "zoho", "aliyun", "ses", "other", "practice"}
	if len(All()) != len(want) {
		t.Fatalf("%d presets, want %d", len(All()), len(want))
	}
	for _, k := range want {
		p, ok := ByKey(k)
		if !ok {
			t.Errorf("%s is missing", k)
			continue
		}
		if len(p.Auth) == 0 || p.Port == 0 || p.TLS == "" {
			t.Errorf("%s is not complete: %+v", k, p)
		}
		if k == "other" || k == "practice" {
			continue
		}
		if p.TLS == model.TLSNone || p.Host == "" || p.HelpURL == "" || p.Limits.Connections != 1 || p.Limits.PerDay == 0 {
			t.Errorf("%s is not safe to begin with: %+v", k, p)
		}
		if (p.Port == 465) != (p.TLS == model.TLSImplicit) {
			t.Errorf("%s: port %d does not go with %s", k, p.Port, p.TLS)
		}
	}
}

func TestForAddressAndHost(t *testing.T) {
	for in, want := range map[string]string{
		"12345@qq.com": "qq", "A@FoxMail.com": "foxmail", "a@163.com": "163", "a@b@126.com": "126", "x@yeah.net": "yeah",
		"a@gmail.com": "gmail", "a@hotmail.com": "outlook", "a@shop.onmicrosoft.com": "microsoft365", "a@me.com": "icloud",
		"a@example.com": "", "": "", "qq.com.evil.example": "", "a@notqq.com": "",
	} {
		if p, _ := ForAddress(in); p.Key != want {
			t.Errorf("ForAddress(%q) = %q, want %q", in, p.Key, want)
		}
	}
	for in, want := range map[string]string{
		"SMTP.QQ.com.": "qq", "smtp.office365.com": "microsoft365", "email-smtp.eu-west-1.amazonaws.com": "ses",
		"smtp.zoho.eu": "zoho", "hwsmtp.exmail.qq.com": "exmail", "127.0.0.1": "", "": "", "mail.example.com": "",
	} {
		if p, _ := ForHost(in); p.Key != want {
			t.Errorf("ForHost(%q) = %q, want %q", in, p.Key, want)
		}
	}
}

func TestPresetsHaveTexts(t *testing.T) {
	for _, lang := range []string{"en", "zh"} {
		data, err := os.ReadFile("../../assets/text/provider." + lang + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var m map[string]string
		if err := json.Unmarshal(data, &m); err != nil {
			t.Fatal(err)
		}
		for _, p := range All() {
			for _, k := range []string{"provider." + p.Key, "provider." + p.Key + ".help"} {
				if m[k] == "" {
					t.Errorf("%s: %s has no sentence", lang, k)
				}
			}
		}
		if len(m) != 2*len(All()) {
			t.Errorf("%s: %d sentences for %d presets", lang, len(m), len(All()))
		}
	}
}

func TestCallersOwnWhatTheyGet(t *testing.T) {
	All()[0].Domains[0] = "changed.example"
	if p, ok := ForAddress("a@qq.com"); !ok || p.Key != "qq" {
		t.Error("a caller changed the presets")
	}
}

func TestDamagedPresetsAreRefused(t *testing.T) {
	for _, s := range []string{"", "{", `[{"key":"x","limits":{"gap":["soon","later"]}}]`} {
		if _, err := read([]byte(s)); err == nil {
			t.Errorf("%q was taken", s)
		}
	}
}
