//go:build unix

package compose

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"hongyan/app/model"
)

// cpu is the processor time of this process: unlike the clock it does not depend on what else the machine does.
func cpu(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// Four times the letter costs about four times the work, whatever it holds: sixteen times would be quadratic, and
// a hostile letter of some megabytes would take minutes.
func TestLinear(t *testing.T) {
	rep := strings.Repeat
	for name, body := range map[string]func(n int) string{
		"braces":       func(n int) string { return rep("{ ", 2*n) },
		"one brace":    func(n int) string { return rep("{x", n) + rep("}", n) },
		"open":         func(n int) string { return "{{a" + rep("|{", n) + rep("}", n) + "}}" },
		"tags":         func(n int) string { return rep("{{a}}", n/2) },
		"tags in text": func(n int) string { return rep("{{a}} "+rep("x", 100), n/8) },
		"conditions":   func(n int) string { return rep("{{#if a}}x{{else}}y{{/if}}", n/8) },
		"markers":      func(n int) string { return rep("hyfld0x000000z hyfld1x ", n/2) },
		"links":        func(n int) string { return rep("<a href='{{a}}'>x", n/4) },
		"lists":        func(n int) string { return rep("<ul><li>x", n/2) },
		"tables":       func(n int) string { return rep("<table><tr><td>x", n/2) },
		"breaks":       func(n int) string { return rep("<br>", n) + "x" },
		"quotes":       func(n int) string { return rep(`<p title="`, n) },
		"comments":     func(n int) string { return rep("<!-- ", n) },
		"lt":           func(n int) string { return rep("<", n) },
		"entities":     func(n int) string { return rep("&amp;", n) },
		"attributes":   func(n int) string { return "<p " + rep("a='{{a}}' ", n/8) + ">x</p>" },
		"newlines":     func(n int) string { return "a" + rep("\n", 2*n) + "b" },
	} {
		for _, f := range []model.Format{model.FormatText, model.FormatHTML, model.FormatMarkdown} {
			if f == model.FormatMarkdown && strings.Contains(body(8), "<") {
				continue // what goldmark makes of HTML is its own affair
			}
			cost := func(n int) (least time.Duration) {
				l := model.Letter{Subject: "s", Body: body(n), Format: f}
				for range 2 {
					began := cpu(t)
					c, err := Compile(l, Options{})
					if err == nil {
						_, err = c.Render(Recipient{Email: "a@example.com", Fields: map[string]string{"a": "v"}}, testEnv)
					}
					if err != nil && asError(err).Code != model.ELetterSyntax {
						t.Fatalf("%s as %s: %v", name, f, err)
					}
					if took := cpu(t) - began; least == 0 || took < least {
						least = took
					}
				}
				return least
			}
			const n = 4_000
			if small, large := cost(n), cost(4*n); large > 10*small && large > 150*time.Millisecond {
				t.Errorf("%s as %s: %v, and %v for four times as much", name, f, small, large)
			}
		}
	}
}
