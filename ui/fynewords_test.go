package ui

import (
	"testing"

	"fyne.io/fyne/v2/lang"

	"hongyan/assets"
)

// TestFyneWords: whatever the system speaks, Fyne's words are in the language of the window.
func TestFyneWords(t *testing.T) {
	for _, system := range []string{"C.UTF-8", "zh_CN.UTF-8", "en_GB.UTF-8", "fr_FR.UTF-8"} {
		t.Setenv("LC_ALL", system)
		t.Setenv("LANGUAGE", "")
		for _, l := range []string{"zh", "en", "zh"} {
			fyneWords(assets.For(l))
			want := map[string]string{"zh": "显示隐藏文件", "en": "Show Hidden Files"}[l]
			if got := lang.L("Show Hidden Files"); got != want {
				t.Errorf("system %s, window %s: %q", system, l, got)
			}
			if got := lang.X("file.parent", "?"); got != assets.For(l).T("ui.fyne.file.parent") {
				t.Errorf("system %s, window %s: the parent is %q", system, l, got)
			}
		}
	}
	fyneWords(assets.For("en"))
}
