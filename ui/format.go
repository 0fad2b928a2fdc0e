package ui

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"hongyan/assets"
)

// number writes n with its thousands apart: 1,234,567.
func number(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// duration says how long d is, in one or two units.
func duration(t *assets.Texts, d time.Duration) string {
	d = d.Round(time.Second)
	h, m, s := int(d/time.Hour), int(d%time.Hour/time.Minute), int(d%time.Minute/time.Second)
	switch {
	case h >= 48:
		return t.T("ui.time.days", "n", strconv.Itoa((h+12)/24))
	case h > 0:
		return t.T("ui.time.hours", "h", strconv.Itoa(h), "m", strconv.Itoa(m))
	case m > 0:
		return t.T("ui.time.minutes", "m", strconv.Itoa(m), "s", strconv.Itoa(s))
	}
	return t.T("ui.time.seconds", "s", strconv.Itoa(s))
}

// clock writes a time of today as hours and minutes, any other with its date.
func clock(at, now time.Time) string {
	at, now = at.Local(), now.Local()
	if at.YearDay() == now.YearDay() && at.Year() == now.Year() {
		return at.Format("15:04:05")
	}
	return at.Format("2006-01-02 15:04")
}

// size writes a number of octets as people do.
func size(n int64) string {
	switch {
	case n >= 10<<20:
		return fmt.Sprintf("%d MB", n>>20)
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%d KB", n>>10)
	}
	return fmt.Sprintf("%d B", n)
}

// plainQuotes are for English in a Chinese face: there the curly ones are as wide as a character of Chinese.
var plainQuotes = strings.NewReplacer("“", `"`, "”", `"`, "‘", "'", "’", "'")

// textsFor gives the texts of a language as the window shows them.
func textsFor(lang string) *assets.Texts {
	t := assets.For(lang)
	if t.Lang() == "zh" {
		return t
	}
	return t.Replaced(plainQuotes)
}

// counted is a text about n of something: the one with ".one" behind its key where there is just one, because English
// has a form for that.
func counted(t *assets.Texts, key string, n int, pairs ...string) string {
	if one := key + ".one"; n == 1 && t.Has(one) {
		key = one
	}
	return t.T(key, append(pairs, "n", number(n))...)
}
