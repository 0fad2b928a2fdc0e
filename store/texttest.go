package store

import (
	"bytes"
	"strconv"
	"strings"
	"time"
	"unicode"

	"hongyan/app/model"
)

// textTest is what a text has to be like.
type textTest struct {
	op     model.ConditionOp
	text   []byte // in lower case
	number float64
	day    time.Time
	isDay  bool // of more and less: the text is a day
}

func newTextTest(c model.Condition) textTest {
	t := textTest{op: c.Op, text: bytes.ToLower([]byte(c.Text))}
	n, number := asNumber(c.Text)
	t.number = n
	if !number {
		t.day, t.isDay = asDay(c.Text)
	}
	return t
}

// holds tells whether it is true of a text.
func (t *textTest) holds(text []byte) bool {
	switch t.op {
	case model.OpEmpty:
		return len(bytes.TrimSpace(text)) == 0
	case model.OpMore, model.OpLess:
		return t.compares(string(text))
	}
	text = bytes.ToLower(text)
	switch t.op {
	case model.OpContains:
		return bytes.Contains(text, t.text)
	case model.OpIs:
		return bytes.Equal(text, t.text)
	case model.OpStarts:
		return bytes.HasPrefix(text, t.text)
	case model.OpEnds:
		return bytes.HasSuffix(text, t.text)
	}
	return false
}

func (t *textTest) compares(text string) bool {
	if t.isDay {
		day, ok := asDay(text)
		return ok && (t.op == model.OpMore && day.After(t.day) || t.op == model.OpLess && day.Before(t.day))
	}
	n, ok := asNumber(text)
	return ok && (t.op == model.OpMore && n > t.number || t.op == model.OpLess && n < t.number)
}

// exact tells whether LIKE finds, by the pattern, nothing but what holds.
func (t *textTest) exact() bool { return !strings.ContainsFunc(string(t.text), twoCases) }

// twoCases tells of a letter that LIKE does not know in both of its cases.
func twoCases(r rune) bool {
	return r > unicode.MaxASCII && (unicode.ToUpper(r) != r || unicode.ToLower(r) != r)
}

// pattern is what LIKE looks for so that nothing is missed of what holds: before and after are what stands around
// the text. LIKE knows the two cases of ASCII letters only; other letters that have two are any character to it.
func (t *textTest) pattern(before, after string) string {
	var b strings.Builder
	if t.op == model.OpStarts || t.op == model.OpIs {
		b.WriteString(before)
	} else {
		b.WriteByte('%')
	}
	text := string(t.text)
	if before != "" { // within JSON
		text = toJSON(text)
		text = text[1 : len(text)-1]
	}
	for _, r := range text {
		if twoCases(r) {
			b.WriteByte('_')
		} else {
			b.WriteString(escapeLike(string(r)))
		}
	}
	if t.op == model.OpEnds || t.op == model.OpIs {
		b.WriteString(after)
	} else {
		b.WriteByte('%')
	}
	return b.String()
}

// escapeLike makes text mean itself within a LIKE pattern.
func escapeLike(text string) string {
	p := like(text)
	return p[1 : len(p)-1]
}

// asNumber reads a number as people write it in a table.
func asNumber(text string) (float64, bool) {
	text = strings.TrimSpace(text)
	if text == "" || strings.Trim(text, "0123456789+-.eE") != "" {
		return 0, false // ParseFloat also knows Inf, NaN and hexadecimal
	}
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil
}

// days are the ways to write a day that are understood.
var days = []string{"2006-1-2", "2006/1/2", "2006.1.2", "2006年1月2日"}

func asDay(text string) (time.Time, bool) {
	text = strings.TrimSpace(text)
	if len(text) < len("2006-1-2") || len(text) > len("2006年01月02日") {
		return time.Time{}, false
	}
	for _, layout := range days {
		if day, err := time.Parse(layout, text); err == nil {
			return day, true
		}
	}
	return time.Time{}, false
}
