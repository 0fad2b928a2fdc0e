package compose

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"

	"hongyan/app/model"
)

// Bounds of the merge language.
const (
	maxNesting = 32
	maxTags    = 100_000
	maxOutput  = 10 << 20 // octets of one rendered part
	maxName    = 200      // characters of a field's name
)

// FieldUse is one place where a letter uses a field.
type FieldUse struct {
	Name        string // as written
	HasFallback bool
	Condition   bool   // in {{#if}}: never missing
	BuiltIn     bool   // Hongyan gives it a value itself
	Place       string // "subject" or "body"
	Line        int    // from 1
}

type tagKind uint8

const (
	tagText tagKind = iota
	tagField
	tagIf
	tagElse
	tagEnd
)

// tag is a piece of a letter: literal text, or something in braces.
type tag struct {
	kind     tagKind
	builtin  builtin
	hasFall  bool
	text     string // literal text, or the field's name
	fallback string
	format   string
	line     int
}

func syntaxError(place string, line int, detail string) error {
	return model.E(model.ELetterSyntax, nil, "place", place, "line", strconv.Itoa(line), "detail", detail)
}

func tooBig(size, limit int64) error {
	return model.E(model.ELetterTooBig, nil, "size", sizeText(size), "limit", sizeText(limit))
}

// sizeText shows a number of octets to a person, rounded up so that what is over a limit never looks like it.
func sizeText(n int64) string {
	if n < 1<<20 {
		return strconv.FormatInt((n+1<<10-1)>>10, 10) + " KB"
	}
	tenths := (n*10 + 1<<20 - 1) >> 20
	return strconv.FormatFloat(float64(tenths)/10, 'f', -1, 64) + " MB"
}

// lex splits src into tags and checks that conditions are well nested.
func lex(place, src string) ([]tag, error) {
	var tags []tag
	var lit strings.Builder
	flush := func() {
		if lit.Len() > 0 {
			tags = append(tags, tag{kind: tagText, text: lit.String()})
			lit.Reset()
		}
	}
	line := 1
	var open []bool // per open condition: an else was seen
	for src != "" {
		i := strings.Index(src, "{{")
		if i < 0 {
			lit.WriteString(src)
			break
		}
		line += strings.Count(src[:i], "\n")
		if i > 0 && src[i-1] == '\\' {
			lit.WriteString(src[:i-1] + "{{")
			src = src[i+2:]
			continue
		}
		lit.WriteString(src[:i])
		src = src[i+2:]
		inner, ok := inBraces(src)
		if !ok {
			return nil, syntaxError(place, line, "unclosed")
		}
		flush()
		t, detail := parseTag(strings.TrimSpace(inner))
		src = src[len(inner)+2:]
		t.line = line
		switch {
		case detail != "":
		case len(tags) > maxTags:
			detail = "tags"
		case t.kind == tagIf:
			if open = append(open, false); len(open) > maxNesting {
				detail = "nesting"
			}
		case t.kind == tagElse && (len(open) == 0 || open[len(open)-1]):
			detail = "else"
		case t.kind == tagElse:
			open[len(open)-1] = true
		case t.kind == tagEnd && len(open) == 0:
			detail = "endif"
		case t.kind == tagEnd:
			open = open[:len(open)-1]
		}
		if detail != "" {
			return nil, syntaxError(place, line, detail)
		}
		tags = append(tags, t)
	}
	flush()
	if len(open) > 0 {
		return nil, syntaxError(place, line, "if")
	}
	return tags, nil
}

// inBraces gives what stands before the closing braces of a tag, which is on one line; single braces in it
// pair up: the fallback of {{name|{x}}} is {x}.
func inBraces(s string) (string, bool) {
	end := strings.Index(s, "}}")
	if end < 0 || strings.IndexByte(s[:end], '\n') >= 0 || strings.Contains(s[:end], "{{") {
		return "", false
	}
	open := strings.Count(s[:end], "{") - strings.Count(s[:end], "}")
	for ; open > 0 && strings.HasPrefix(s[end+2:], "}"); open-- {
		end++
	}
	return s[:end], true
}

func parseTag(s string) (tag, string) {
	switch {
	case s == "else":
		return tag{kind: tagElse}, ""
	case s == "/if":
		return tag{kind: tagEnd}, ""
	case strings.HasPrefix(s, "#if "):
		name := strings.TrimSpace(s[4:])
		if !validName(name) || strings.ContainsAny(name, "|｜:") {
			return tag{}, "name"
		}
		return tag{kind: tagIf, text: name, builtin: builtinOf(name)}, ""
	case strings.HasPrefix(s, "#"), strings.HasPrefix(s, "/"):
		return tag{}, "command"
	}
	t := tag{kind: tagField}
	bar := "|"
	if !strings.Contains(s, bar) {
		bar = "｜" // what a Chinese keyboard types
	}
	s, t.fallback, t.hasFall = strings.Cut(s, bar)
	name, format, _ := strings.Cut(s, ":")
	t.text, t.format = strings.TrimSpace(name), strings.TrimSpace(format)
	t.fallback = strings.TrimSpace(t.fallback)
	t.builtin = builtinOf(t.text)
	if !validName(t.text) {
		return t, "name"
	}
	return t, ""
}

func validName(s string) bool {
	return s != "" && utf8.RuneCountInString(s) <= maxName && !strings.ContainsAny(s, "{}\t\\")
}

// alone drops the line end behind a condition that has a line to itself, so that it leaves no empty line.
func alone(tags []tag) []tag {
	out := make([]tag, len(tags))
	copy(out, tags)
	for i, t := range tags {
		if t.kind <= tagField || !lineStart(tags, i) || i+1 == len(tags) || tags[i+1].kind != tagText {
			continue
		}
		if rest := strings.TrimLeft(tags[i+1].text, " \t"); strings.HasPrefix(rest, "\n") {
			out[i+1].text = rest[1:]
		}
	}
	return out
}

// lineStart tells whether tag i is the first on its line.
func lineStart(tags []tag, i int) bool {
	if i == 0 {
		return true
	}
	t := tags[i-1]
	return t.kind == tagText && strings.HasSuffix(strings.TrimRight(t.text, " \t"), "\n")
}

// lineEnd tells whether tag i is the last on its line.
func lineEnd(tags []tag, i int) bool {
	if i+1 == len(tags) {
		return true
	}
	t := tags[i+1]
	return t.kind == tagText && strings.HasPrefix(strings.TrimLeft(t.text, " \t"), "\n")
}

// op is one instruction of a compiled part. A condition jumps when its field is empty.
type op struct {
	tag  tag
	esc  escape
	jump int
}

// program makes instructions of tags as they stand, all escaped in one way.
func program(place string, tags []tag, esc escape) ([]op, error) {
	ops := make([]op, len(tags))
	for i, t := range tags {
		ops[i] = op{tag: t, esc: esc}
	}
	return link(place, ops)
}

// link finds where conditions jump to; the order must be well nested.
func link(place string, ops []op) ([]op, error) {
	var stack []int
	for i := range ops {
		switch ops[i].tag.kind {
		case tagIf:
			stack = append(stack, i)
		case tagElse, tagEnd:
			if len(stack) == 0 {
				return nil, syntaxError(place, ops[i].tag.line, "crossed")
			}
			ops[stack[len(stack)-1]].jump = i + 1
			if ops[i].tag.kind == tagElse {
				stack[len(stack)-1] = i
			} else {
				stack = stack[:len(stack)-1]
			}
		}
	}
	if len(stack) > 0 {
		return nil, syntaxError(place, ops[stack[0]].tag.line, "crossed")
	}
	return ops, nil
}

// run appends the program's output for v to dst.
func run(dst []byte, ops []op, v *values) ([]byte, error) {
	start := len(dst)
	for i := 0; i < len(ops); i++ {
		o := &ops[i]
		switch o.tag.kind {
		case tagText:
			dst = append(dst, o.tag.text...)
		case tagField:
			s := v.get(&o.tag)
			if s != "" && o.tag.format != "" {
				s = reformat(s, o.tag.format)
			}
			if s == "" {
				s = o.tag.fallback
				if !o.tag.hasFall && v.collect {
					v.missed(o.tag.text)
				}
			}
			dst = appendEscaped(dst, s, o.esc)
		case tagIf:
			if v.get(&o.tag) == "" {
				i = o.jump - 1
			}
		case tagElse:
			i = o.jump - 1
		}
		if len(dst)-start > maxOutput {
			return dst, tooBig(int64(len(dst)-start), maxOutput)
		}
	}
	return dst, nil
}

// squeeze drops line ends at the start of dst[from:] and more than one empty line in a row, which are what a
// condition that does not hold leaves behind in plain text. Line ends are CRLF.
func squeeze(dst []byte, from int) []byte {
	out, breaks := from, 2
	for i := from; i < len(dst); {
		if bytes.HasPrefix(dst[i:], crlf) {
			if breaks++; breaks <= 2 {
				out += copy(dst[out:], crlf)
			}
			i += 2
			continue
		}
		breaks = 0
		dst[out] = dst[i]
		out++
		i++
	}
	return dst[:out]
}
