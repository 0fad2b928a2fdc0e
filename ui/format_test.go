package ui

import (
	"testing"
	"time"

	"hongyan/assets"
)

func TestNumber(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1234: "-1,234", -100: "-100"} {
		if got := number(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

func TestDuration(t *testing.T) {
	en, zh := assets.For("en"), assets.For("zh")
	for d, want := range map[time.Duration][2]string{
		0:                             {"0 s", "0 秒"},
		1400 * time.Millisecond:       {"1 s", "1 秒"},
		90 * time.Second:              {"1 min 30 s", "1 分 30 秒"},
		95 * time.Minute:              {"1 h 35 min", "1 小时 35 分"},
		47 * time.Hour:                {"47 h 0 min", "47 小时 0 分"},
		60 * time.Hour:                {"3 days", "3 天"},
		59*time.Second + 600000000:    {"1 min 0 s", "1 分 0 秒"},
		24*time.Hour + 30*time.Minute: {"24 h 30 min", "24 小时 30 分"},
	} {
		if got := [2]string{duration(en, d), duration(zh, d)}; got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1 KB", 1 << 20: "1.0 MB", 3 << 19: "1.5 MB", 10 << 20: "10 MB"} {
		if got := size(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

func TestClock(t *testing.T) {
	now := time.Date(2026, 11, 24, 9, 30, 0, 0, time.Local)
	if got := clock(now.Add(65*time.Second), now); got != "09:31:05" {
		t.Errorf("today: %s", got)
	}
	if got := clock(now.AddDate(0, 0, 1), now); got != "2026-11-25 09:30" {
		t.Errorf("tomorrow: %s", got)
	}
	if got := clock(now.AddDate(1, 0, 0), now); got != "2027-11-24 09:30" {
		t.Errorf("the same day of next year: %s", got)
	}
}

func TestClip(t *testing.T) {
	if got := clip("鸿雁传书", 7); got != "鸿雁\n…" {
		t.Errorf("clip: %q", got)
	}
}

func TestSaid(t *testing.T) {
	for _, c := range []struct {
		code            int
		enhanced, reply string
		want            string
	}{
		{550, "5.1.1", "Mailbox not found", "550 5.1.1 Mailbox not found"},
		{550, "", "No such user", "550 No such user"},
		{550, "5.1.1", "550 5.1.1 gone", "550 5.1.1 gone"},
		{550, "5.1.1", "5.1.1 gone", "550 5.1.1 gone"},
		{0, "", "", ""},
		{0, "", "connection lost", "connection lost"},
	} {
		if got := said(c.code, c.enhanced, c.reply); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}
