package contacts

import (
	"strconv"
	"strings"
	"time"
)

// numberText writes the number of a cell as a person would: 4200000000 whether the file has 4200000000 or 4.2E9,
// and with the 15 digits that a spreadsheet shows. What is no number stays as it is.
func numberText(s string) string {
	s = strings.TrimSpace(s)
	if isDigits(s) {
		return s
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || strings.ContainsAny(s, "xXnN_") { // no hexadecimal, no NaN, no Inf
		return s
	}
	if shown, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 15, 64), 64); err == nil {
		v = shown
	}
	if v >= 1e21 || v <= -1e21 {
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// serialText writes the number of a cell with a date format: days since 1900 (or 1904), the fraction is the time.
// ok is false for a number that is no date.
func serialText(s string, from1904 bool) (text string, ok bool) {
	v, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil || v < 0 || v >= 2_958_466 { // the year 10000
		return "", false
	}
	epoch := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	switch {
	case from1904:
		epoch = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
	case v >= 1 && v < 60: // 1900 has a 29th of February there
		epoch = epoch.AddDate(0, 0, 1)
	}
	days := int(v)
	seconds := int((v-float64(days))*86400 + 0.5)
	at := epoch.AddDate(0, 0, days).Add(time.Duration(seconds) * time.Second)
	switch {
	case seconds == 0:
		return at.Format("2006-01-02"), true
	case days == 0:
		return timeText(at), true
	}
	return at.Format("2006-01-02 ") + timeText(at), true
}

func timeText(at time.Time) string {
	if at.Second() == 0 {
		return at.Format("15:04")
	}
	return at.Format("15:04:05")
}

// isoText writes 2024-03-01T00:00:00 as people do.
func isoText(s string) string {
	s = strings.TrimSpace(s)
	day, clock, timed := strings.Cut(s, "T")
	if !timed || len(day) != 10 {
		return s
	}
	clock = strings.TrimSuffix(clock, "Z")
	if whole, part, _ := strings.Cut(clock, "."); strings.Trim(part, "0") == "" {
		clock = whole
	}
	if clock == "00:00:00" || clock == "" {
		return day
	}
	return day + " " + strings.TrimSuffix(clock, ":00")
}

// dateFormat tells a number format that shows a date or time by its letters, outside quotes and colours.
func dateFormat(code string) bool {
	code, _, _ = strings.Cut(code, ";")
	for i := 0; i < len(code); i++ {
		switch code[i] {
		case '"':
			j := strings.IndexByte(code[i+1:], '"')
			if j < 0 {
				return false
			}
			i += j + 1
		case '\\', '_', '*':
			i++
		case '[':
			j := strings.IndexByte(code[i:], ']')
			if j < 0 {
				return false
			}
			if in := strings.ToLower(code[i+1 : i+j]); in != "" && strings.Trim(in, "hms") == "" {
				return true // elapsed time
			}
			i += j
		case 'y', 'Y', 'm', 'M', 'd', 'D', 'h', 'H', 's', 'S', 'e':
			return !strings.HasPrefix(strings.ToLower(code), "general")
		case 'E':
			if i+1 < len(code) && (code[i+1] == '+' || code[i+1] == '-') {
				return false // an exponent
			}
			return true
		}
	}
	return false
}

// unescapeCell undoes _x000D_, as characters are written that XML cannot hold.
func unescapeCell(s string) string {
	i := strings.Index(s, "_x")
	if i < 0 {
		return s
	}
	var b strings.Builder
	for ; i >= 0; i = strings.Index(s, "_x") {
		b.WriteString(s[:i])
		s = s[i:]
		n := 2
		if len(s) >= 7 && s[6] == '_' {
			if v, err := strconv.ParseUint(s[2:6], 16, 16); err == nil {
				if v != 0 {
					b.WriteRune(rune(v))
				}
				s, n = s[7:], 0
			}
		}
		b.WriteString(s[:n])
		s = s[n:]
	}
	return b.String() + s
}

// columnOf gives the column, from 0, of a cell's name such as AB12; -1 for none. Columns past the last of a sheet
// are all one.
func columnOf(name string) int {
	n := 0
	for i := 0; i < len(name); i++ {
		c := name[i] &^ 0x20
		if c < 'A' || c > 'Z' {
			break
		}
		if n = n*26 + int(c-'A') + 1; n > 16_384 {
			return 16_384
		}
	}
	return n - 1
}
