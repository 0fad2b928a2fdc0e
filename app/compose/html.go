package compose

import (
	"bytes"
	"io"
	"path"
	"regexp"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	ghtml "github.com/yuin/goldmark/renderer/html"
	"golang.org/x/net/html"

	"hongyan/app/model"
)

var markdown = goldmark.New(
	goldmark.WithExtensions(extension.Table, extension.Strikethrough, extension.Linkify),
	// The letter's author may write HTML in it; values of fields are escaped.
	goldmark.WithRendererOptions(ghtml.WithUnsafe(), ghtml.WithHardWraps()))

// The frame round a letter's own HTML. Styles are inline because mail readers drop style sheets; Outlook heeds
// no max-width, so it gets a table of its own.
const (
	htmlHead = "<!DOCTYPE html>\n<html><head><meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\">" +
		"<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"></head>\n<body style=\"margin:0;padding:16px\">\n" +
		"<!--[if mso]><table role=\"presentation\" width=\"640\" align=\"center\"><tr><td><![endif]-->\n" +
		"<div style=\"max-width:640px;margin:0 auto;font:16px/1.6 -apple-system,'Segoe UI','PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif;color:#222\">\n"
	htmlFoot = "</div>\n<!--[if mso]></td></tr></table><![endif]-->\n</body></html>\n"
)

const cellStyle = "border:1px solid #ccc;padding:6px 10px"

// markdownStyles are the styles of what Markdown makes; a style that is there already goes behind.
var markdownStyles = map[string]string{
	"p":          "margin:0 0 1em",
	"h1":         "font-size:24px;line-height:1.3;margin:0 0 .7em",
	"h2":         "font-size:20px;line-height:1.3;margin:1.2em 0 .6em",
	"h3":         "font-size:17px;line-height:1.3;margin:1.2em 0 .6em",
	"a":          "color:#0b57d0",
	"ul":         "margin:0 0 1em;padding-left:1.6em",
	"ol":         "margin:0 0 1em;padding-left:1.6em",
	"img":        "max-width:100%;height:auto;border:0",
	"table":      "border-collapse:collapse;margin:0 0 1em",
	"th":         cellStyle + ";background:#f5f5f5;text-align:left",
	"td":         cellStyle,
	"blockquote": "margin:0 0 1em;padding-left:12px;border-left:3px solid #ccc;color:#555",
	"pre":        "background:#f5f5f5;padding:10px;overflow:auto",
	"code":       "font-family:Consolas,Menlo,monospace;font-size:90%",
	"hr":         "border:0;border-top:1px solid #ccc;margin:1.5em 0",
}

// renderMarkdown makes HTML with markers of Markdown with tags.
func renderMarkdown(m marker, tags []tag) (string, error) {
	var b bytes.Buffer
	if err := markdown.Convert([]byte(m.mark(tags, true)), &b); err != nil {
		return "", model.E(model.ELetterSyntax, err, "place", "body", "line", "1", "detail", "markdown")
	}
	// A condition that is a paragraph of its own leaves no paragraph behind.
	paragraph := regexp.MustCompile(`<p>(` + m.prefix + `\d{6}z)</p>`)
	return paragraph.ReplaceAllStringFunc(b.String(), func(p string) string {
		if t := m.tag(p[3:], tags); t != nil && t.kind != tagField {
			return p[3 : len(p)-4]
		}
		return p
	}), nil
}

// markup walks the HTML of a letter once and makes of it the programs of the HTML part and of the text part.
type markup struct {
	out    opsOf
	text   textWriter
	styles map[string]string               // nil for a letter that is HTML itself
	cid    func(src string) (string, bool) // content id of an image that goes with the letter
	drop   int                             // depth of elements that are left out
	raw    string                          // element whose text is no HTML
	line   int
	err    error
}

func (p *markup) fail(detail string) {
	if p.err == nil {
		p.err = syntaxError("body", p.line, detail)
	}
}

func (p *markup) walk(src string) error {
	z := html.NewTokenizer(strings.NewReader(src))
	for p.err == nil {
		tt := z.Next()
		raw := string(z.Raw())
		p.findLine(raw)
		switch tt {
		case html.ErrorToken:
			if err := z.Err(); err != io.EOF { //nolint:errorlint // the tokenizer's own end
				return model.E(model.ELetterSyntax, err, "place", "body", "line", "1", "detail", "html")
			}
			p.out.lit(raw)
			return p.err
		case html.TextToken:
			p.textToken(raw)
		case html.StartTagToken, html.SelfClosingTagToken:
			t := z.Token()
			p.startTag(raw, &t)
		case html.EndTagToken:
			t := z.Token()
			p.endTag(raw, &t)
		default: // comments, among them Outlook's conditions, and the document type
			if p.drop == 0 {
				p.out.add(raw, func(string) escape { return escHTML })
			}
		}
	}
	return p.err
}

// findLine keeps the line of the last tag, for errors.
func (p *markup) findLine(raw string) {
	p.out.m.split(raw, func(string) {}, func(x string) {
		if t := p.out.m.tag(x, p.out.tags); t != nil {
			p.line = t.line
		}
	})
}

// noHTML are elements whose text is never read as HTML, so that no escape is right in them.
var noHTML = map[string]bool{"style": true, "iframe": true, "noembed": true, "noframes": true, "xmp": true, "plaintext": true}

func (p *markup) textToken(raw string) {
	if p.drop > 0 {
		return
	}
	if noHTML[p.raw] {
		if strings.Contains(raw, p.out.m.prefix) {
			p.fail("place")
		}
		p.out.lit(raw)
		return
	}
	p.out.add(raw, func(string) escape { return escHTML })
	p.text.text(html.UnescapeString(raw))
}

func (p *markup) startTag(raw string, t *html.Token) {
	if t.Data == "script" {
		if t.Type == html.StartTagToken {
			p.drop++
		}
		return
	}
	if p.drop > 0 {
		return
	}
	if t.Type == html.StartTagToken && noHTML[t.Data] {
		p.raw = t.Data
	}
	p.text.start(t)
	if p.tidy(t) || strings.Contains(raw, p.out.m.prefix) {
		p.write(t)
		return
	}
	p.out.lit(raw)
}

func (p *markup) endTag(raw string, t *html.Token) {
	if t.Data == "script" {
		p.drop = max(p.drop-1, 0)
		return
	}
	if p.drop > 0 {
		return
	}
	p.raw = ""
	p.text.end(t)
	if strings.Contains(raw, p.out.m.prefix) {
		p.fail("place")
	}
	p.out.lit(raw)
}

// tidy takes out what no mail reader runs (scripts in attributes), names the charset that the part really has,
// points images at the parts that go with the letter and adds styles. It tells whether t was changed.
func (p *markup) tidy(t *html.Token) bool {
	changed := false
	kept := t.Attr[:0]
	for _, a := range t.Attr {
		val := strings.ToLower(strings.TrimSpace(a.Val))
		switch {
		case strings.HasPrefix(a.Key, "on"), a.Key == "srcdoc", urlAttr[a.Key] && strings.HasPrefix(val, "javascript:"):
			if strings.Contains(a.Val, p.out.m.prefix) {
				p.fail("place")
			}
			changed = true
			continue
		case t.Data == "meta" && a.Key == "charset" && val != "utf-8":
			a.Val, changed = "utf-8", true
		case t.Data == "meta" && a.Key == "content" && strings.Contains(val, "charset="):
			a.Val, changed = "text/html; charset=utf-8", true
		case t.Data == "img" && a.Key == "src", a.Key == "background":
			if id, ok := p.cid(a.Val); ok {
				a.Val, changed = "cid:"+id, true
			}
		}
		kept = append(kept, a)
	}
	t.Attr = kept
	if style, ok := p.styles[t.Data]; ok {
		p.addStyle(t, style)
		changed = true
	}
	return changed
}

func (p *markup) addStyle(t *html.Token, style string) {
	for i := range t.Attr {
		if t.Attr[i].Key == "style" {
			t.Attr[i].Val = style + ";" + t.Attr[i].Val
			return
		}
	}
	t.Attr = append(t.Attr, html.Attribute{Key: "style", Val: style})
}

// urlAttr are attributes that hold one URL.
var urlAttr = map[string]bool{"href": true, "src": true, "action": true, "formaction": true, "background": true, "cite": true,
	"poster": true, "data": true, "longdesc": true, "xlink:href": true}

// write writes a start tag anew, every value in double quotes, so that the place of each field is certain.
func (p *markup) write(t *html.Token) {
	if strings.Contains(t.Data, p.out.m.prefix) {
		p.fail("place")
		return
	}
	p.out.lit("<" + t.Data)
	for _, a := range t.Attr {
		if strings.Contains(a.Key, p.out.m.prefix) || strings.Contains(a.Val, p.out.m.prefix) && (a.Key == "style" || a.Key == "srcset") {
			p.fail("place")
			return
		}
		p.out.lit(" " + a.Key + `="`)
		first := true
		p.out.add(html.EscapeString(strings.TrimSpace(a.Val)), func(x string) escape {
			if !urlAttr[a.Key] {
				return escAttr
			}
			if tag := p.out.m.tag(x, p.out.tags); tag == nil || tag.kind != tagField {
				return escAttr
			}
			start := first && p.startsURL(a.Val)
			first = false
			if start {
				return escHrefStart
			}
			return escHref
		})
		p.out.lit(`"`)
	}
	if t.Type == html.SelfClosingTagToken {
		p.out.lit("/")
	}
	p.out.lit(">")
}

// startsURL tells whether a URL begins with a field.
func (p *markup) startsURL(v string) bool {
	return strings.HasPrefix(strings.TrimSpace(v), p.out.m.prefix)
}

// localImage tells whether an image's source is a file rather than something on the net.
func localImage(src string) bool {
	src = strings.TrimSpace(src)
	return src != "" && !strings.Contains(src, "://") && !strings.HasPrefix(src, "//") && !strings.HasPrefix(src, "#") &&
		!strings.HasPrefix(strings.ToLower(src), "data:") && !strings.HasPrefix(strings.ToLower(src), "cid:") &&
		strings.Contains(".png.jpg.jpeg.gif.webp.bmp.svg.", strings.ToLower(path.Ext(src))+".") && path.Ext(src) != ""
}
