package widgets

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// Colours that the theme of the program adds to Fyne's.
const (
	ColorCard     fyne.ThemeColorName = "hongyan-card"     // behind the body of a pane
	ColorMuted    fyne.ThemeColorName = "hongyan-muted"    // secondary text
	ColorClient   fyne.ThemeColorName = "hongyan-client"   // what we say
	ColorServer   fyne.ThemeColorName = "hongyan-server"   // what the server says
	ColorAccepted fyne.ThemeColorName = "hongyan-accepted" // states, in the bar of outcomes
	ColorDeferred fyne.ThemeColorName = "hongyan-deferred"
	ColorRejected fyne.ThemeColorName = "hongyan-rejected"
	ColorUnknown  fyne.ThemeColorName = "hongyan-unknown"
	ColorSkipped  fyne.ThemeColorName = "hongyan-skipped"
	ColorQueued   fyne.ThemeColorName = "hongyan-queued"
	ColorSpark    fyne.ThemeColorName = "hongyan-spark" // the bars of the sparkline
)

// themed gives a colour of the current theme; one that the theme does not know falls back to the foreground, so
// that nothing is ever invisible.
func themed(name fyne.ThemeColorName) color.Color {
	c := theme.Color(name)
	if _, _, _, a := c.RGBA(); a == 0 {
		return theme.Color(theme.ColorNameForeground)
	}
	return c
}
