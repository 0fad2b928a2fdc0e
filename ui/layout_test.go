package ui

import (
	"fmt"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
)

// TestNothingIsClipped: at every size from the least on, in both languages, every label, button and title is seen
// whole and lies within the window.
func TestNothingIsClipped(t *testing.T) {
	for _, lang := range []string{"zh", "en"} {
		for _, s := range []fyne.Size{fyne.NewSize(1280, 800), fyne.NewSize(1024, 700), fyne.NewSize(640, 480)} {
			for name, open := range scenes(lang, s.Width, s.Height) {
				t.Run(fmt.Sprintf("%s-%s-%v", name, lang, s.Width), func(t *testing.T) {
					r := open(t)
					if bad := r.clipped(); len(bad) > 0 {
						t.Errorf("%s", strings.Join(bad, "\n"))
					}
					if least := r.w.win.Content().MinSize(); least.Width > s.Width || least.Height > s.Height {
						t.Errorf("needs %v, the window has %v", least, s)
					}
				})
			}
		}
	}
}
