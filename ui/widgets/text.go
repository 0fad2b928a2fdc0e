package widgets

import (
	"strings"
	"unicode"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Text is a label that breaks its lines as Chinese and English are broken: between any two characters of Chinese,
// between words of English, and never before a closing mark or after an opening one. A label of Fyne breaks at spaces
// alone, which leaves Chinese lines short and puts a full stop at the beginning of the next one.
type Text struct {
	widget.Label
	full  string
	width float32
}

// NewText makes a Text.
func NewText(text string) *Text {
	t := &Text{full: text}
	t.Text = text
	t.ExtendBaseWidget(t)
	return t
}

// SetText changes what is said.
func (t *Text) SetText(text string) {
	if text == t.full {
		return
	}
	t.full = text
	t.wrap()
}

// Full is the text without the line breaks of the moment.
func (t *Text) Full() string { return t.full }

// Resize is called by Fyne.
func (t *Text) Resize(s fyne.Size) {
	if s.Width != t.width {
		t.width = s.Width
		t.wrap()
	}
	t.Label.Resize(s)
}

// MinSize is called by Fyne: a Text can be as narrow as a word, and is as high as its lines.
func (t *Text) MinSize() fyne.Size {
	s := t.Label.MinSize()
	return fyne.NewSize(fyne.Min(s.Width, 60), s.Height)
}

func (t *Text) wrap() {
	size := theme.TextSize()
	if t.SizeName != "" {
		size = theme.Size(t.SizeName)
	}
	style := t.TextStyle
	wide := fyne.MeasureText("中", size, style).Width
	measure := func(s string) float32 {
		if r, n := firstRune(s); n == len(s) && isWide(r) {
			return wide
		}
		return fyne.MeasureText(s, size, style).Width
	}
	text := t.full
	if room := t.width - 2*theme.InnerPadding(); room > 0 {
		text = wrapped(t.full, room, measure)
	}
	if text != t.Text {
		t.Label.SetText(text)
	}
}

func firstRune(s string) (rune, int) {
	for i, r := range s {
		return r, i + len(string(r))
	}
	return 0, 0
}

// isWide says whether lines may be broken on either side of r: characters of Chinese, Japanese and Korean, and their
// punctuation.
func isWide(r rune) bool {
	return r >= 0x2e80 && (unicode.Is(unicode.Han, r) || unicode.Is(unicode.Hiragana, r) || unicode.Is(unicode.Katakana, r) ||
		unicode.Is(unicode.Hangul, r) || r >= 0x3000 && r < 0x3040 || r >= 0xff00 && r < 0xffef)
}

const (
	closing = "，。、；：！？）》」』】〉”’…％,.;:!?)]}%"
	opening = "（《「『【〈“‘([{"
)

// wrapped breaks the lines of text that are wider than width.
func wrapped(text string, width float32, measure func(string) float32) string {
	var out strings.Builder
	space := measure(" ")
	for i, line := range strings.Split(text, "\n") {
		if i > 0 {
			out.WriteByte('\n')
		}
		used := float32(0)
		for _, c := range chunks(line) {
			w := measureChunk(c.text, measure)
			gap := float32(0)
			if c.spaced && used > 0 {
				gap = space
			}
			if used > 0 && used+gap+w > width {
				out.WriteByte('\n')
				used, gap = 0, 0
			}
			if gap > 0 {
				out.WriteByte(' ')
			}
			for w > width { // a long address: broken where the line ends
				n := fitting(c.text, width, measure)
				out.WriteString(c.text[:n] + "\n")
				c.text = c.text[n:]
				w = measureChunk(c.text, measure)
			}
			out.WriteString(c.text)
			used += gap + w
		}
	}
	return out.String()
}

// fitting is how many octets of s, at least one character, are not wider than width.
func fitting(s string, width float32, measure func(string) float32) int {
	used, n := float32(0), 0
	for i, r := range s {
		w := measure(string(r))
		if i > 0 && used+w > width {
			return i
		}
		used += w
		n = i + len(string(r))
	}
	return n
}

// measureChunk adds up wide characters one by one: each is measured once.
func measureChunk(s string, measure func(string) float32) (w float32) {
	start := 0
	for i, r := range s {
		if isWide(r) {
			if start < i {
				w += measure(s[start:i])
			}
			w += measure(string(r))
			start = i + len(string(r))
		}
	}
	if start < len(s) {
		w += measure(s[start:])
	}
	return w
}

// chunk is what stays together on a line; spaced is one with a space before it.
type chunk struct {
	text   string
	spaced bool
}

// chunks cuts a line where it may be broken.
func chunks(line string) []chunk {
	var out []chunk
	spaced, glue := false, false // glue: the last chunk ends in an opening mark
	word := false                // the last chunk ends in a word that r may go on
	for _, r := range line {
		switch {
		case r == ' ':
			spaced, glue, word = true, false, false
			continue
		case len(out) > 0 && !spaced && (glue || strings.ContainsRune(closing, r) || word && !isWide(r)):
			out[len(out)-1].text += string(r)
		default:
			out = append(out, chunk{string(r), spaced})
		}
		glue = strings.ContainsRune(opening, r)
		word = !isWide(r)
		spaced = false
	}
	return out
}
