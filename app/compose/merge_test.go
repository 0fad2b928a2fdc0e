package compose

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"hongyan/app/model"
)

var li = Recipient{Email: "li@example.net", Name: "李雷", Fields: map[string]string{
	"city": "广州 & <b>深圳</b>", "day": "2026/3/5", "sum": "1234567.891", "blank": "  ", "url": "https://example.com/a?b=1&c=\"x\"", "bad url": "javascript:alert(1)",
	"lines": "one\ntwo\r\nthree", "尊称": "先生", "today": "someday", "when": "2026-03-05 14:30", "neg": "-1,234.5", "word": "n/a", "q": "O'Neil \"x\" 中"}}

// Each case is the body of a text letter and the text that comes of it.
func TestMergeLanguage(t *testing.T) {
	for name, c := range map[string][2]string{
		"a field":               {"Dear {{name}},", "Dear 李雷,"},
		"blanks in it":          {"{{  name  }} {{ city | x }}", "李雷 广州 & <b>深圳</b>"},
		"in Chinese":            {"{{姓名}}{{称呼}}{{尊称}}{{邮箱}}", "李雷李雷先生li@example.net"},
		"email":                 {"{{email}} {{Email}}", "li@example.net li@example.net"},
		"today is a field here": {"{{today}} {{今天}}", "someday 2026-11-24"},
		"unsubscribe":           {"{{unsubscribe}} {{退订}}", "https://example.com/u?k=1 https://example.com/u?k=1"},
		"none":                  {"[{{nothing}}]", "[]"},
		"fallback":              {"{{nothing|friend}} {{blank|朋友}} {{name|friend}}", "friend 朋友 李雷"},
		"empty fallback":        {"[{{nothing|}}]", "[]"},
		"full-width bar":        {"{{nothing｜朋友}}", "朋友"},
		"bar in a fallback":     {"{{nothing|a|b}}", "a|b"},
		"braces in a fallback":  {"{{nothing|{x}}} {{nothing|a}b}}", "{x} a}b"},
		"colon in a fallback":   {"{{nothing|12:30}}", "12:30"},
		"escaped":               {`\{{name}} \\{{name}}`, `{{name}} \{{name}}`},
		"single braces":         {"{name} } }} { {{name}}}", "{name} } }} { 李雷}"},
		"if":                    {"{{#if city}}yes{{/if}}{{#if nothing}}no{{/if}}", "yes"},
		"if of blanks":          {"[{{#if blank}}no{{/if}}]", "[]"},
		"else":                  {"{{#if nothing}}no{{else}}yes{{/if}} {{#if name}}yes{{else}}no{{/if}}", "yes yes"},
		"nested":                {"{{#if name}}a{{#if nothing}}b{{else}}c{{/if}}d{{else}}e{{/if}}", "acd"},
		"if leaves no line":     {"a\n{{#if nothing}}\nb\n{{/if}}\nc", "a\nc"},
		"lines of both":         {"a\n{{#if name}}\nb\n{{else}}\nc\n{{/if}}\nd", "a\nb\nd"},
		"a date":                {"{{day:YYYY-MM-DD}} {{day:YYYY年M月D日}} {{day:D/M/YYYY}} {{when:hh:mm}} {{when:MM-DD hh点}}", "2026-03-05 2026年3月5日 5/3/2026 14:30 03-05 14点"},
		"digits in a date form": {"{{day:01-15}} {{day:DD 2006}}", "2026/3/5 05 2006"},
		"no date":               {"{{word:YYYY}} {{nothing:YYYY|soon}}", "n/a soon"},
		"a sum":                 {"{{sum:0.00}} {{sum:#,##0.00}} {{sum:#,##0}} {{sum:0}} {{neg:#,##0.0}}", "1234567.89 1,234,567.89 1,234,568 1234568 -1,234.5"},
		"no sum":                {"{{word:0.00}} {{nothing:0.00|free}}", "n/a free"},
		"lines in a value":      {"{{lines}}", "one\ntwo\nthree"},
		"tags of other makes":   {"${name} %name% <%= name %> {% if %}", "${name} %name% <%= name %> {% if %}"},
	} {
		t.Run(name, func(t *testing.T) {
			out := render(t, model.Letter{Subject: "s", Body: c[0], Format: model.FormatText}, li)
			if d := cmp.Diff(c[1], strings.TrimSuffix(out.Text, "\n")); d != "" {
				t.Error(d)
			}
			if got := strings.TrimSuffix(parse(t, out.Raw).parts["text/plain"], "\n"); got != c[1] {
				t.Errorf("sent %q", got)
			}
		})
	}
}

// A value is never read as a tag, whatever it holds.
func TestValuesAreNotTags(t *testing.T) {
	r := Recipient{Email: "a@example.com", Name: "{{email}}", Fields: map[string]string{"x": "{{#if name}}", "hyfld0x000000z": "z"}}
	for _, f := range []model.Format{model.FormatText, model.FormatHTML, model.FormatMarkdown} {
		out := render(t, model.Letter{Subject: "{{name}} {{x}}", Body: "{{name}} {{x}} hyfld0x000000z", Format: f}, r)
		if want := "{{email}} {{#if name}} hyfld0x000000z"; strings.TrimSpace(out.Text) != want || out.Subject != "{{email}} {{#if name}}" {
			t.Errorf("%s: %q, %q", f, out.Text, out.Subject)
		}
	}
}

func TestSyntaxErrors(t *testing.T) {
	for body, want := range map[string]string{ // line and detail
		"a\n{{name":                            "2 unclosed",
		"{{name\n}}":                           "1 unclosed",
		"{{a{{b}}":                             "1 unclosed",
		"{{}}":                                 "1 name",
		"{{ | x}}":                             "1 name",
		"{{" + strings.Repeat("a", 201) + "}}": "1 name",
		"{{a\tb}}":                             "1 name",
		"{{#if }}x{{/if}}":                     "1 command",
		"{{#if a|b}}x{{/if}}":                  "1 name",
		"{{#each a}}":                          "1 command",
		"{{/each}}":                            "1 command",
		"x\n\n{{#if a}}":                       "3 if",
		"{{/if}}":                              "1 endif",
		"{{else}}":                             "1 else",
		"{{#if a}}{{else}}\n{{else}}{{/if}}":   "2 else",
		strings.Repeat("{{#if a}}", 33):        "1 nesting",
		strings.Repeat("{{a}}", 50_002) + "\n{{a": "2 unclosed",
		strings.Repeat("{{a}}", 100_002):          "1 tags",
	} {
		for _, f := range []model.Format{model.FormatText, model.FormatHTML, model.FormatMarkdown} {
			_, err := Compile(model.Letter{Subject: "s", Body: body, Format: f}, Options{})
			e := asError(err)
			if e.Code != model.ELetterSyntax || e.Args["place"] != "body" || e.Args["line"]+" "+e.Args["detail"] != want {
				t.Errorf("%.40q as %s: %v, want %s", body, f, err, want)
			}
		}
	}
	_, err := Compile(model.Letter{Subject: "a {{x", Body: "b"}, Options{})
	if e := asError(err); e.Code != model.ELetterSyntax || e.Args["place"] != "subject" {
		t.Errorf("in the subject: %v", err)
	}
}

func asError(err error) *model.Error {
	if e, ok := err.(*model.Error); ok { //nolint:errorlint // what is returned is looked at
		return e
	}
	return &model.Error{}
}

// In places where no escape is right a field is refused, not filled.
func TestFieldsWhereNoneMayStand(t *testing.T) {
	for body, line := range map[string]string{
		"<style>\np{color:{{x}}}</style>":       "2",
		"<p style='color:{{x}}'>a</p>":          "1",
		"<p onclick='{{x}}'>a</p>":              "1",
		"<{{x}}>a":                              "1",
		"<p {{x}}='1'>a</p>":                    "1",
		"<img srcset='{{x}} 2x'>":               "1",
		"</p{{x}}>":                             "1",
		"<iframe srcdoc='{{x}}'></iframe>":      "1",
		"a\n\n<a href='javascript:{{x}}'>b</a>": "3",
	} {
		_, err := Compile(model.Letter{Subject: "s", Body: body, Format: model.FormatHTML}, Options{})
		e := asError(err)
		if e.Code != model.ELetterSyntax || e.Args["detail"] != "place" || e.Args["line"] != line {
			t.Errorf("%q: %v, want line %s", body, err, line)
		}
	}
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		subject, body string
		want          string
	}{
		{"s", "{{name}} {{city}} {{称呼}} {{today}} {{unsubscribe}}", ""},
		{"s", "{{town|}} {{town|x}}", ""},
		{"s", "a\nb {{town}}", "letter.field town body 2 name, email, city"},
		{"x {{town}}", "{{other}}", "letter.field town subject 1 name, email, city"},
		{"s", "a\n{{#if toun}}x{{/if}}", "letter.field toun body 2 name, email, city"},
		{"s", "{{City}}", "letter.field City body 1 name, email, city"},
		{" \r\n", "b", "letter.empty subject"},
		{"s", " \n\t", "letter.empty body"},
	} {
		err := compile(t, model.Letter{Subject: c.subject, Body: c.body}).Check([]string{"city"})
		got := ""
		if err != nil {
			e := asError(err)
			got = strings.Join(strings.Fields(string(e.Code)+" "+e.Args["part"]+" "+e.Args["field"]+" "+e.Args["place"]+" "+e.Args["line"]+" "+e.Args["known"]), " ")
		}
		if got != c.want {
			t.Errorf("%q %q: %q, want %q", c.subject, c.body, got, c.want)
		}
	}
}

func TestFieldsAndMissing(t *testing.T) {
	c := compile(t, model.Letter{Subject: "{{a}}", Body: "{{b|x}}\n{{#if c}}{{d}}{{/if}}\n{{name}} {{a}}"})
	want := []FieldUse{
		{Name: "a", Place: "subject", Line: 1}, {Name: "b", HasFallback: true, Place: "body", Line: 1}, {Name: "c", Condition: true, Place: "body", Line: 2},
		{Name: "d", Place: "body", Line: 2}, {Name: "name", BuiltIn: true, Place: "body", Line: 3}, {Name: "a", Place: "body", Line: 3}}
	if d := cmp.Diff(want, c.Fields()); d != "" {
		t.Error(d)
	}
	for name, want := range map[string][]string{"": {"a", "name"}, "Li": {"a"}} {
		out, err := c.Render(Recipient{Email: "a@example.com", Name: name}, testEnv)
		if d := cmp.Diff(want, out.Missing); err != nil || d != "" {
			t.Errorf("%q: %v, %s", name, err, d)
		}
	}
}

// What a value may hold is made safe for the place it stands in.
func TestEscapes(t *testing.T) {
	for name, c := range map[string]struct{ body, html, text string }{
		"HTML":           {"<p>{{city}}</p>", "<p>广州 &amp; &lt;b&gt;深圳&lt;/b&gt;</p>", "广州 & <b>深圳</b>"},
		"quotes":         {"<p>{{q}}</p>", "<p>O&#39;Neil &#34;x&#34; 中</p>", `O'Neil "x" 中`},
		"lines":          {"<p>{{lines}}</p>", "<p>one<br>two<br>three</p>", "one\ntwo\nthree"},
		"attribute":      {"<p title='{{q}}'>a</p>", `<p title="O&#39;Neil &#34;x&#34; 中">a</p>`, "a"},
		"no quotes":      {"<p title={{q}}>a</p>", `<p title="O&#39;Neil &#34;x&#34; 中">a</p>`, "a"},
		"in a URL":       {"<a href='https://e.com/?q={{q}}&c={{city}}'>a</a>", `<a href="https://e.com/?q=O%27Neil%20%22x%22%20%E4%B8%AD&amp;c=%E5%B9%BF%E5%B7%9E%20%26%20%3Cb%3E%E6%B7%B1%E5%9C%B3%3C%2Fb%3E">a</a>`, "a (https://e.com/?q=O%27Neil%20%22x%22%20%E4%B8%AD&c=%E5%B9%BF%E5%B7%9E%20%26%20%3Cb%3E%E6%B7%B1%E5%9C%B3%3C%2Fb%3E)"},
		"a whole URL":    {"<a href='{{url}}'>a</a>", `<a href="https://example.com/a?b=1&amp;c=%22x%22">a</a>`, "a (https://example.com/a?b=1&c=%22x%22)"},
		"a script":       {"<a href='{{bad url}}'>a</a>", `<a href="javascript%3Aalert%281%29">a</a>`, "a (javascript%3Aalert%281%29)"},
		"image source":   {"<img src='{{url}}' alt='{{q}}'>", `<img src="https://example.com/a?b=1&amp;c=%22x%22" alt="O&#39;Neil &#34;x&#34; 中">`, `[O'Neil "x" 中]`},
		"scripts go":     {"<script>{{x}}</script><p onclick='x()'>a</p><a href='JavaScript:x()'>b</a>", "<p>a</p><a>b</a>", "a\n\nb"},
		"text of a link": {"<a href='https://e.com/{{name}}'>{{name}}</a>", `<a href="https://e.com/%E6%9D%8E%E9%9B%B7">李雷</a>`, "李雷 (https://e.com/%E6%9D%8E%E9%9B%B7)"},
		"a comment":      {"<!-- {{city}} -->a", "<!-- 广州 &amp; &lt;b&gt;深圳&lt;/b&gt; -->a", "a"},
		"title, textarea": {"<textarea>{{city}}</textarea>", "<textarea>广州 &amp; &lt;b&gt;深圳&lt;/b&gt;</textarea>",
			"广州 & <b>深圳</b>"},
	} {
		t.Run(name, func(t *testing.T) {
			out := render(t, model.Letter{Subject: "s", Body: "<html><body>" + c.body + "</body></html>", Format: model.FormatHTML}, li)
			html := strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(out.HTML, "<html><body>"), "</body></html>"))
			if d := cmp.Diff(c.html, html) + cmp.Diff(c.text, strings.TrimSpace(out.Text)); d != "" {
				t.Error(d)
			}
			p := parse(t, out.Raw)
			if strings.TrimSpace(p.parts["text/html"]) != strings.TrimSpace(out.HTML) || p.parts["text/plain"] != out.Text {
				t.Error("what is sent is not what is shown")
			}
		})
	}
}

// A value in Markdown is text, whatever marks it holds.
func TestMarkdownValues(t *testing.T) {
	r := Recipient{Email: "a@example.com", Name: "*x* _y_ [z](http://evil.example) <script>alert(1)</script> `c` # h"}
	out := render(t, model.Letter{Subject: "s", Body: "**{{name}}**\n\n{{name}}"}, r)
	if strings.Contains(out.HTML, "<script") || strings.Contains(out.HTML, "evil.example\"") || strings.Contains(out.HTML, "<em>") || strings.Contains(out.HTML, "<code>") {
		t.Errorf("HTML %s", out.HTML)
	}
	if want := r.Name + "\n\n" + r.Name; strings.TrimSpace(out.Text) != want {
		t.Errorf("text %q", out.Text)
	}
	again := render(t, model.Letter{Subject: "s", Body: strings.ReplaceAll(out.Markdown, "{{", `\{{`)}, Recipient{Email: "a@example.com"})
	if strings.TrimSpace(again.Text) != strings.TrimSpace(out.Text) {
		t.Errorf("the filled Markdown reads %q", again.Text)
	}
}

func FuzzMerge(f *testing.F) {
	for _, s := range []string{"{{name|friend}}", "{{#if a}}x{{else}}y{{/if}}", "{{a:YYYY-MM-DD}}", `\{{a}}`, "<a href='{{a}}'>{{b}}</a>", "# {{a}}\n\n- {{b|{x}}}\n\n|a|b|\n|-|-|\n|{{a}}|x|",
		"<style>{{a}}</style>", "<p {{a}}>", "{{#if a}}\n\n| x |\n|---|\n{{/if}}", "![]({{a}}.png)", "<!--[if mso]>{{a}}<![endif]-->"} {
		f.Add(s, "va\"l<ue>\n{{a}}", uint8(0))
		f.Add(s, "", uint8(1))
		f.Add(s, "2026-01-02", uint8(2))
	}
	f.Fuzz(func(t *testing.T, src, value string, kind uint8) {
		l := model.Letter{Subject: src, Body: src, Format: []model.Format{model.FormatMarkdown, model.FormatHTML, model.FormatText}[kind%3]}
		c, err := Compile(l, Options{})
		if err != nil {
			if asError(err).Code == "" {
				t.Fatalf("no code in %v", err)
			}
			return
		}
		out, err := c.Render(Recipient{Email: "a@example.com", Name: value, Fields: map[string]string{"a": value, "b": "b"}}, testEnv)
		if err != nil {
			if asError(err).Code == "" {
				t.Fatalf("no code in %v", err)
			}
			return
		}
		checkWire(t, out.Raw)
		p := parse(t, out.Raw)
		if got, err := p.header.Subject(); err != nil || strings.TrimSpace(got) != strings.TrimSpace(out.Subject) || strings.ContainsAny(out.Subject, "\r\n") {
			t.Fatalf("subject %q came back as %q, %v", out.Subject, got, err)
		}
		if !utf8.ValidString(out.Text + out.HTML + out.Markdown) {
			t.Fatal("not UTF-8")
		}
		if got := strings.TrimRight(p.parts["text/plain"], "\n"); got != strings.TrimRight(out.Text, "\n") {
			t.Fatalf("text %q came back as %q", out.Text, got)
		}
		if l.Format != model.FormatText && strings.TrimRight(p.parts["text/html"], "\n") != strings.TrimRight(out.HTML, "\n") {
			t.Fatalf("HTML %q came back as %q", out.HTML, p.parts["text/html"])
		}
	})
}
