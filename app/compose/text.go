package compose

import (
	"strconv"
	"strings"

	"golang.org/x/net/html"
)

// textWriter makes readable text of HTML, fed token by token: markers stay in it. White space and line ends
// are a wish kept until the next word, so that a condition can stand between them and the word.
type textWriter struct {
	m    marker
	tags []tag
	b    strings.Builder

	gap     gap
	saved   []gap // per open condition: the wish at its start
	skip    int   // depth of elements that are not shown
	pre     int
	ordered []int // per open list: the next number, 0 for bullets
	tables  []table
	link    *anchor // that is open
}

type gap struct {
	breaks int
	space  bool
	cell   bool // a table cell begins
}

// table knows the cells of its present row. Only a table with headings holds data; others are layout.
type table struct {
	data  bool
	cells int
}

type anchor struct {
	href string
	at   int
}

// maxIndent is the deepest list that is still moved to the right.
const maxIndent = 8

const asciiSpace = " \t\r\n\f"

func (w *textWriter) line(n int) { w.gap.breaks, w.gap.space = max(w.gap.breaks, n), false }

func (w *textWriter) word(s string) {
	if s == "" {
		return
	}
	switch {
	case w.b.Len() == 0:
	case w.gap.breaks > 0:
		w.b.WriteString(strings.Repeat("\n", w.gap.breaks))
	case w.gap.cell:
		w.b.WriteString(" | ")
	case w.gap.space:
		w.b.WriteByte(' ')
	}
	w.gap = gap{}
	w.b.WriteString(s)
}

// text takes the text of a node, entities resolved.
func (w *textWriter) text(s string) {
	if w.skip > 0 {
		return
	}
	s = invisible.Replace(s)
	var piece strings.Builder
	w.m.split(s, func(lit string) { piece.WriteString(lit) }, func(x string) {
		if t := w.m.tag(x, w.tags); t == nil || t.kind == tagField {
			piece.WriteString(x)
			return
		}
		w.words(piece.String())
		piece.Reset()
		w.condition(x)
	})
	w.words(piece.String())
}

// invisible takes out what newsletters put in to steer clients: soft hyphens, joiners, no-break spaces.
var invisible = strings.NewReplacer("\u00a0", " ", "\u00ad", "", "\u034f", "", "\u200b", "", "\u200c", "", "\ufeff", "")

func (w *textWriter) words(s string) {
	if w.pre > 0 {
		w.word(s)
		return
	}
	for i, f := range strings.FieldsFunc(s, func(c rune) bool { return strings.ContainsRune(asciiSpace, c) }) {
		if i > 0 || strings.TrimLeft(s, asciiSpace) != s {
			w.gap.space = true
		}
		w.word(f)
	}
	if strings.TrimRight(s, asciiSpace) != s {
		w.gap.space = true
	}
}

// condition writes a marker without spending the wish: what follows in either branch needs it.
func (w *textWriter) condition(x string) {
	switch w.m.tag(x, w.tags).kind {
	case tagIf:
		w.saved = append(w.saved, w.gap)
	case tagElse:
		if n := len(w.saved); n > 0 {
			w.gap = w.saved[n-1]
		}
	case tagEnd:
		if n := len(w.saved); n > 0 {
			before := w.saved[n-1]
			w.saved = w.saved[:n-1]
			w.gap.breaks = max(w.gap.breaks, before.breaks)
			w.gap.cell = w.gap.cell || before.cell
		}
	}
	w.b.WriteString(x)
}

// hidden elements have no text of their own that a reader sees.
var hidden = map[string]bool{"head": true, "script": true, "style": true, "template": true, "title": true, "iframe": true,
	"noframes": true, "noembed": true, "object": true, "select": true, "svg": true}

func attrOf(t *html.Token, key string) string {
	for _, a := range t.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func (w *textWriter) start(t *html.Token) {
	if hidden[t.Data] {
		if t.Type == html.StartTagToken {
			w.skip++
		}
		return
	}
	if t.Data == "body" {
		w.skip = 0
	}
	if w.skip > 0 {
		return
	}
	switch t.Data {
	case "br":
		w.gap.breaks++
		w.gap.space = false
	case "hr":
		w.line(2)
		w.word("----------")
		w.line(2)
	case "img":
		if alt := strings.TrimSpace(attrOf(t, "alt")); alt != "" {
			w.text("[" + alt + "]")
		}
	case "a":
		w.closeLink() // a link cannot stand in another
		w.link = &anchor{strings.TrimSpace(attrOf(t, "href")), w.b.Len()}
	case "li":
		w.line(1)
		mark := "- "
		k := len(w.ordered)
		if k > 0 && w.ordered[k-1] > 0 {
			mark = strconv.Itoa(w.ordered[k-1]) + ". "
			w.ordered[k-1]++
		}
		w.word(strings.Repeat("  ", min(max(k-1, 0), maxIndent)) + mark)
	case "ul":
		w.list(0)
	case "ol":
		first := 1
		if n, err := strconv.Atoi(attrOf(t, "start")); err == nil && n > 0 {
			first = n
		}
		w.list(first)
	case "pre":
		w.line(2)
		w.pre++
	case "table":
		w.line(2)
		w.tables = append(w.tables, table{})
	case "tr":
		w.line(1)
		if k := len(w.tables); k > 0 {
			w.tables[k-1].cells = 0
		}
	case "td", "th":
		w.cell(t.Data == "th")
	default:
		w.line(blockLines[t.Data])
	}
}

// blockLines are the line ends round blocks.
var blockLines = map[string]int{"p": 2, "h1": 2, "h2": 2, "h3": 2, "h4": 2, "h5": 2, "h6": 2, "blockquote": 2, "dl": 2,
	"div": 1, "section": 1, "article": 1, "header": 1, "footer": 1, "center": 1, "address": 1, "dt": 1, "dd": 1, "figure": 1,
	"figcaption": 1, "caption": 1, "tbody": 1, "thead": 1, "form": 1, "body": 1}

func (w *textWriter) list(first int) {
	w.ordered = append(w.ordered, first)
	if len(w.ordered) == 1 {
		w.line(2)
	} else {
		w.line(1)
	}
}

func (w *textWriter) cell(heading bool) {
	k := len(w.tables)
	if k == 0 {
		return
	}
	w.tables[k-1].data = w.tables[k-1].data || heading
	if w.tables[k-1].cells++; w.tables[k-1].cells > 1 {
		if w.tables[k-1].data && w.gap.cell {
			w.b.WriteString(" | ") // the cell before is empty: columns stay in line
		}
		w.gap = gap{cell: true}
	}
}

func (w *textWriter) end(t *html.Token) {
	if hidden[t.Data] {
		w.skip = max(w.skip-1, 0)
		return
	}
	if w.skip > 0 {
		return
	}
	switch t.Data {
	case "a":
		w.closeLink()
	case "ul", "ol":
		if k := len(w.ordered); k > 0 {
			w.ordered = w.ordered[:k-1]
		}
		if len(w.ordered) == 0 {
			w.line(2)
		} else {
			w.line(1)
		}
	case "pre":
		w.pre = max(w.pre-1, 0)
		w.line(2)
	case "table":
		if k := len(w.tables); k > 0 {
			w.tables = w.tables[:k-1]
		}
		w.gap.cell = false
		w.line(2)
	case "tr":
		w.gap.cell = false
		w.line(1)
	case "li":
		w.line(1)
	case "br", "hr", "td", "th":
	default:
		w.line(blockLines[t.Data])
	}
}

// closeLink puts the target behind a link's text, unless it is the text.
func (w *textWriter) closeLink() {
	a := w.link
	if w.link = nil; a == nil {
		return
	}
	if a.href == "" || strings.HasPrefix(a.href, "#") || strings.HasPrefix(strings.ToLower(a.href), "javascript:") {
		return
	}
	shown := strings.TrimSpace(w.m.source(w.b.String()[a.at:], w.tags))
	target := w.m.source(a.href, w.tags)
	bare := strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(target, "mailto:"), "https://"), "http://"), "/")
	switch {
	case shown == target || strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(shown, "https://"), "http://"), "/") == bare:
	case shown == "" || shown == "|":
		w.word(w.m.inURL(a.href))
	default:
		w.gap = gap{}
		w.word(" (" + w.m.inURL(a.href) + ")")
	}
}

// result is the text with LF line ends.
func (w *textWriter) result() string {
	lines := strings.Split(w.b.String(), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " \t\r")
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n") + "\n"
}
