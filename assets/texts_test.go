package assets_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"hongyan/app/model"
	"hongyan/assets"
)

var placeholder = regexp.MustCompile(`\{[a-z_]+\}`)

// TestSameKeys: what is said in one language is said in the other, with the same arguments.
func TestSameKeys(t *testing.T) {
	zh, en := assets.For("zh"), assets.For("en")
	for _, k := range zh.Keys() {
		if !en.Has(k) {
			t.Errorf("%s is not in English", k)
		}
	}
	for _, k := range en.Keys() {
		if !zh.Has(k) {
			t.Errorf("%s is not in Chinese", k)
			continue
		}
		a, b := placeholder.FindAllString(en.T(k), -1), placeholder.FindAllString(zh.T(k), -1)
		slices.Sort(a)
		slices.Sort(b)
		if a, b = slices.Compact(a), slices.Compact(b); !slices.Equal(a, b) {
			t.Errorf("%s: arguments differ: en %v, zh %v", k, a, b)
		}
		if strings.TrimSpace(en.T(k)) == "" || strings.TrimSpace(zh.T(k)) == "" {
			t.Errorf("%s is empty", k)
		}
	}
}

// TestEveryCodeHasASentence reads the codes from their source, so that a new one cannot be forgotten.
func TestEveryCodeHasASentence(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "../app/model/errors.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	ast.Inspect(f, func(node ast.Node) bool {
		vs, ok := node.(*ast.ValueSpec)
		if !ok || len(vs.Values) != 1 {
			return true
		}
		if id, ok := vs.Type.(*ast.Ident); !ok || id.Name != "Code" {
			return true
		}
		code, err := strconv.Unquote(vs.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		n++
		for _, lang := range assets.Languages {
			if !assets.For(lang).Has("error." + code) {
				t.Errorf("%s: no sentence for error.%s", lang, code)
			}
		}
		return true
	})
	if n < 40 {
		t.Fatalf("found only %d codes", n)
	}
}

func TestError(t *testing.T) {
	err := model.E(model.EHost, errors.New("lookup: no such host"), "host", "smtp.qq.con")
	for lang, want := range map[string]string{"en": "The server smtp.qq.con does not exist.", "zh": "服务器 smtp.qq.con 不存在"} {
		if got := assets.For(lang).Error(err); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q", lang, got)
		}
	}
	if got := assets.For("en").Error(errors.New("boom")); !strings.Contains(got, "boom") {
		t.Errorf("an error without a code must be quoted: %q", got)
	}
	if got := assets.For("en").Error(nil); got != "" {
		t.Errorf("nil gives %q", got)
	}
	// Literal braces round an argument stay: the user sees the field as it is to be written.
	field := model.E(model.ELetterField, nil, "field", "nmae", "place", "subject", "line", "1", "known", "name")
	if got := assets.For("en").Error(field); !strings.Contains(got, "{{nmae}}") || !strings.Contains(got, "{{nmae|friend}}") {
		t.Errorf("%q", got)
	}
}

func TestSystemLanguage(t *testing.T) {
	for _, c := range []struct{ language, all, lang, want string }{
		{"", "", "zh_CN.UTF-8", "zh"},
		{"en_GB:en", "", "zh_CN.UTF-8", "en"},
		{"", "C.UTF-8", "zh_CN.UTF-8", "zh"},
		{"", "", "", "en"},
		{"", "", "fr_FR", "en"},
	} {
		t.Setenv("LANGUAGE", c.language)
		t.Setenv("LC_ALL", c.all)
		t.Setenv("LC_MESSAGES", "")
		t.Setenv("LANG", c.lang)
		if got := assets.For("").Lang(); got != c.want {
			t.Errorf("%+v: got %s", c, got)
		}
	}
}

// TestWordsOfErrors: what the program calls a part of a letter or a kind of thing is said in the reader's words, what
// the user wrote is not touched.
func TestWordsOfErrors(t *testing.T) {
	for _, c := range []struct {
		err    error
		en, zh string
	}{
		{model.E(model.ELetterEmpty, nil, "part", "body"), "The letter has no body yet.", "信件还没有正文"},
		{model.E(model.ELetterSyntax, nil, "place", "subject", "line", "1", "detail", "unclosed"), "The subject of the letter, line 1: two opening braces", "信件主题第 1 行：左边的双花括号没有"},
		{model.E(model.ELetterField, nil, "field", "subject", "place", "body", "line", "3", "known", "name"), "The field {{subject}} in the body, line 3", "正文第 3 行的字段 {{subject}}"},
		{model.E(model.ELetterFront, nil, "line", "2", "detail", "name"), "line 2: name.", "第 2 行无法读取：name"},
		{model.E(model.ENotFound, nil, "kind", "list", "name", "list"), "There is no list named “list”.", "没有名为“list”的列表"},
		{model.E(model.EInvalid, nil, "field", "from", "value", "from"), "“from” cannot be used for the From address.", "发件地址 不能填“from”"},
	} {
		if got := assets.For("en").Error(c.err); !strings.Contains(got, c.en) {
			t.Errorf("%v: %s", c.err, got)
		}
		if got := assets.For("zh").Error(c.err); !strings.Contains(got, c.zh) {
			t.Errorf("%v: %s", c.err, got)
		}
	}
}

func TestReplaced(t *testing.T) {
	en := assets.For("en")
	plain := en.Replaced(strings.NewReplacer("“", `"`, "”", `"`))
	if plain.Lang() != "en" || len(plain.Keys()) != len(en.Keys()) {
		t.Fatalf("%s, %d keys of %d", plain.Lang(), len(plain.Keys()), len(en.Keys()))
	}
	for _, k := range plain.Keys() {
		if s := plain.T(k); strings.ContainsAny(s, "“”") || len(s) > len(en.T(k)) {
			t.Errorf("%s: %q", k, s)
		}
	}
}
