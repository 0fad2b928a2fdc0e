package compose

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// marker stands for tag number n while Markdown and HTML are parsed: letters and digits only, so that it
// passes through text, attributes and URLs unchanged. Its last letter says where in plain text it stands:
// z in text, s at the start of a URL, u inside one.
type marker struct {
	prefix string
	re     *regexp.Regexp
}

func newMarker(src string) marker {
	taken := map[string]bool{}
	for _, x := range reMarker.FindAllString(strings.ToLower(src), -1) {
		taken[x] = true
	}
	for i := 0; ; i++ {
		if p := fmt.Sprintf("hyfld%dx", i); !taken[p] {
			return marker{p, regexp.MustCompile(p + `(\d{6})([zsu])`)}
		}
	}
}

// reMarker finds what a letter says that looks like a marker.
var reMarker = regexp.MustCompile(`hyfld\d+x`)

func (m marker) put(n int) string { return fmt.Sprintf("%s%06dz", m.prefix, n) }

// inURL marks that s is a URL of the plain text.
func (m marker) inURL(s string) string {
	if !strings.Contains(s, m.prefix) {
		return s
	}
	s = m.re.ReplaceAllString(s, m.prefix+"${1}u")
	if strings.HasPrefix(s, m.prefix) {
		end := len(m.prefix) + 6
		s = s[:end] + "s" + s[end+1:]
	}
	return s
}

// source shows markers as the tags they stand for, so that two places can be compared.
func (m marker) source(s string, tags []tag) string {
	return m.re.ReplaceAllStringFunc(s, func(x string) string {
		if t := m.tag(x, tags); t != nil {
			return fmt.Sprintf("{{%d %s|%s:%s}}", t.kind, t.text, t.fallback, t.format)
		}
		return x
	})
}

// tag is the one that a marker stands for, nil when there is none of its number.
func (m marker) tag(s string, tags []tag) *tag {
	n, err := strconv.Atoi(s[len(m.prefix) : len(m.prefix)+6])
	if err != nil || n >= len(tags) {
		return nil
	}
	return &tags[n]
}

// mark joins tags to one source with markers; with blocks, a condition that has a line to itself becomes a
// paragraph of its own, so that it can enclose paragraphs.
func (m marker) mark(tags []tag, blocks bool) string {
	var b strings.Builder
	for i, t := range tags {
		switch {
		case t.kind == tagText:
			b.WriteString(t.text)
		case blocks && t.kind != tagField && lineStart(tags, i) && lineEnd(tags, i):
			b.WriteString("\n" + m.put(i) + "\n")
		default:
			b.WriteString(m.put(i))
		}
	}
	return b.String()
}

// split calls lit for the text between markers and mark for each marker.
func (m marker) split(s string, lit func(string), mark func(x string)) {
	last := 0
	if strings.Contains(s, m.prefix) {
		for _, x := range m.re.FindAllStringIndex(s, -1) {
			if x[0] > last {
				lit(s[last:x[0]])
			}
			mark(s[x[0]:x[1]])
			last = x[1]
		}
	}
	if last < len(s) {
		lit(s[last:])
	}
}

// opsOf collects instructions; literal texts that follow each other become one, with CRLF line ends.
type opsOf struct {
	m    marker
	tags []tag
	ops  []op
	text strings.Builder // literal text that is not among ops yet
}

func (o *opsOf) lit(s string) { o.text.WriteString(strings.ReplaceAll(s, "\n", "\r\n")) }

func (o *opsOf) add(s string, esc func(x string) escape) {
	o.m.split(s, o.lit, func(x string) {
		if t := o.m.tag(x, o.tags); t != nil {
			o.flush()
			o.ops = append(o.ops, op{tag: *t, esc: esc(x)})
		} else {
			o.lit(x)
		}
	})
}

func (o *opsOf) flush() {
	if o.text.Len() > 0 {
		o.ops = append(o.ops, op{tag: tag{kind: tagText, text: o.text.String()}})
		o.text.Reset()
	}
}

// program gives the instructions, linked.
func (o *opsOf) program() ([]op, error) {
	o.flush()
	return link("body", o.ops)
}

// textOps makes instructions of marked plain text.
func textOps(m marker, tags []tag, s string) ([]op, error) {
	o := opsOf{m: m, tags: tags}
	o.add(s, func(x string) escape {
		switch x[len(x)-1] {
		case 's':
			return escTextURLStart
		case 'u':
			return escTextURL
		}
		return escText
	})
	return o.program()
}
