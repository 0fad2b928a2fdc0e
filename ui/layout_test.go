package ui

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
)

// TestNothingIsClipped: at every size from the least on, in both languages, every label, button and title is seen
// whole and lies within the window. A dialog keeps the size that it was opened with, so it is opened in the smallest.
func TestNothingIsClipped(t *testing.T) {
	least := fyne.NewSize(640, 480)
	look := func(t *testing.T, r *rig, s fyne.Size) {
		if bad := r.clipped(); len(bad) > 0 {
			t.Errorf("at %v:\n%s", s, strings.Join(bad, "\n"))
		}
		if need := r.w.win.Content().MinSize(); need.Width > s.Width || need.Height > s.Height {
			t.Errorf("needs %v, the window has %v", need, s)
		}
	}
	panes := []string{"first", "ready", "sending", "failures"}
	for _, lang := range []string{"zh", "en"} {
		all := scenes(lang, least.Width, least.Height)
		maps.Copy(all, moreScenes(lang, least.Width, least.Height))
		for name, open := range all {
			if slices.Contains(panes, name) {
				continue
			}
			t.Run(name+"-"+lang, func(t *testing.T) { look(t, open(t), least) })
		}
		for _, name := range panes {
			t.Run(name+"-"+lang, func(t *testing.T) {
				r := scenes(lang, 1280, 800)[name](t)
				for _, s := range []fyne.Size{fyne.NewSize(1280, 800), fyne.NewSize(1024, 700), least} {
					r.w.win.Resize(s)
					r.frame()
					look(t, r, s)
				}
			})
		}
	}
}
