package widgets

import (
	"strings"
	"testing"
	"unicode/utf8"

	"fyne.io/fyne/v2"
	"pgregory.net/rapid"
)

// cells measures as a terminal does: 2 for a wide character, 1 for any other.
func cells(s string) (w float32) {
	for _, r := range s {
		w++
		if isWide(r) {
			w++
		}
	}
	return w
}

func TestWrapped(t *testing.T) {
	for _, c := range []struct {
		text  string
		width float32
		want  string
	}{
		{"把十六位授权码填进来。再测试", 12, "把十六位授权\n码填进来。再\n测试"},
		{"只需要填写一次。好", 14, "只需要填写一\n次。好"},                       // no full stop at the beginning
		{"它叫“客户端”吧", 6, "它叫\n“客户\n端”吧"},                        // marks stay with what they enclose
		{"把 16 位授权码", 8, "把 16 位\n授权码"},                        // a space is no better a place than any other
		{"Use port 465, please", 10, "Use port\n465,\nplease"}, // words stay whole
		{"don’t stop", 7, "don’t\nstop"},
		{"http://example.com/abc", 10, "http://exa\nmple.com/a\nbc"}, // but what is too long
		{"a\n\nb c", 3, "a\n\nb c"},
		{"", 5, ""},
	} {
		if got := wrapped(c.text, c.width, cells); got != c.want {
			t.Errorf("%q in %v: %q, want %q", c.text, c.width, got, c.want)
		}
	}
}

// TestWrappedKeeps: nothing but spaces is lost, no line is too wide, and none begins with a closing mark.
func TestWrappedKeeps(t *testing.T) {
	bare := func(s string) string { return strings.NewReplacer(" ", "", "\n", "").Replace(s) }
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.SampledFrom([]rune("中文信。，“”（）ab1 -.\n"))).Draw(t, "text")
		width := float32(rapid.IntRange(2, 40).Draw(t, "width"))
		got := wrapped(text, width, cells)
		if bare(got) != bare(text) {
			t.Fatalf("%q became %q", text, got)
		}
		for _, line := range strings.Split(got, "\n") {
			if cells(line) > width && utf8.RuneCountInString(line) > 1 {
				t.Fatalf("%q is wider than %v", line, width)
			}
		}
	})
}

// TestText: a Text is as high as the lines that its width makes.
func TestText(t *testing.T) {
	x := NewText(strings.Repeat("鸿雁 letters ", 20))
	x.Resize(fyne.NewSize(1000, 100))
	low := x.MinSize().Height
	x.Resize(fyne.NewSize(200, 100))
	if high := x.MinSize().Height; high < 3*low {
		t.Errorf("%v high at 200, %v at 1000", high, low)
	}
	if x.MinSize().Width > 60 {
		t.Errorf("needs a width of %v", x.MinSize().Width)
	}
	x.SetText("kurz")
	if x.Full() != "kurz" || x.Text != "kurz" {
		t.Errorf("says %q", x.Text)
	}
}
