package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"hongyan/ui/widgets"
)

// Theme is compact, teal, light or dark, with one face that has Chinese and Latin where the system has such a font.
type Theme struct {
	Variant  string // "light", "dark", or anything else to follow the system
	faces    faces
	fallback fyne.Theme
}

// NewTheme makes the theme with the system's CJK face, or fontFile where the user chose one.
func NewTheme(variant, fontFile string) *Theme {
	return &Theme{Variant: variant, faces: systemFaces(fontFile), fallback: theme.DefaultTheme()}
}

func rgb(hex uint32) color.Color {
	return color.NRGBA{R: uint8(hex >> 16), G: uint8(hex >> 8), B: uint8(hex), A: 255} //nolint:gosec // the bytes are wanted
}

// The pairs are {light, dark}. Text colours keep a contrast of 4.5:1 to the card behind them (WCAG AA).
var palette = map[fyne.ThemeColorName][2]uint32{
	theme.ColorNameBackground:          {0xeceff1, 0x15191c},
	theme.ColorNameForeground:          {0x1b2327, 0xe4e9ec},
	theme.ColorNamePrimary:             {0x0b6572, 0x5cc3d1},
	theme.ColorNameForegroundOnPrimary: {0xffffff, 0x06262c},
	theme.ColorNameHyperlink:           {0x0b6572, 0x5cc3d1},
	theme.ColorNameButton:              {0xdfe5e8, 0x2b3439},
	theme.ColorNameDisabledButton:      {0xe8ecee, 0x22292d},
	theme.ColorNameDisabled:            {0x8a979d, 0x6e7b82},
	theme.ColorNamePlaceHolder:         {0x66737a, 0x93a0a7},
	theme.ColorNameInputBackground:     {0xf7f9fa, 0x14181b},
	theme.ColorNameInputBorder:         {0xb9c4ca, 0x414c53},
	theme.ColorNameSeparator:           {0xd3dadd, 0x343d43},
	theme.ColorNameSelection:           {0xbfe3e8, 0x1d4a52},
	theme.ColorNameHeaderBackground:    {0xf2f5f6, 0x22292d},
	theme.ColorNameMenuBackground:      {0xffffff, 0x262e33},
	theme.ColorNameOverlayBackground:   {0xffffff, 0x20272b},
	theme.ColorNameScrollBar:           {0x93a0a7, 0x5f6c73},
	theme.ColorNameError:               {0xb3261e, 0xff8a80},
	theme.ColorNameForegroundOnError:   {0xffffff, 0x3b0a07},
	theme.ColorNameWarning:             {0x8a5300, 0xffc266},
	theme.ColorNameForegroundOnWarning: {0xffffff, 0x2e1c00},
	theme.ColorNameSuccess:             {0x1f6f3d, 0x7fd49b},
	theme.ColorNameForegroundOnSuccess: {0xffffff, 0x05230f},
	widgets.ColorCard:                  {0xffffff, 0x1d2327},
	widgets.ColorMuted:                 {0x525e65, 0xaab7be},
	widgets.ColorClient:                {0x1a4f9c, 0x8fb8f5},
	widgets.ColorServer:                {0x1f6f3d, 0x7fd49b},
	widgets.ColorAccepted:              {0x2e8b57, 0x59b984},
	widgets.ColorDeferred:              {0xd69a2d, 0xe0ae54},
	widgets.ColorRejected:              {0xc0392b, 0xe66a5e},
	widgets.ColorUnknown:               {0x7a4fb3, 0xae8be0},
	widgets.ColorSkipped:               {0x9aa6ac, 0x6b777d},
	widgets.ColorQueued:                {0xd6dee2, 0x333d43},
	widgets.ColorSpark:                 {0x9cc7cd, 0x2f6a73},
}

// Color is part of fyne.Theme.
func (t *Theme) Color(name fyne.ThemeColorName, v fyne.ThemeVariant) color.Color {
	switch t.Variant {
	case "light":
		v = theme.VariantLight
	case "dark":
		v = theme.VariantDark
	}
	if name == theme.ColorNameShadow { // beside scrolled lists, the handles of the splits, and the keys in menus
		if v == theme.VariantDark {
			return color.NRGBA{A: 0x8c}
		}
		return color.NRGBA{A: 0x38}
	}
	if pair, ok := palette[name]; ok {
		if v == theme.VariantDark {
			return rgb(pair[1])
		}
		return rgb(pair[0])
	}
	return t.fallback.Color(name, v)
}

// Font is part of fyne.Theme.
func (t *Theme) Font(s fyne.TextStyle) fyne.Resource {
	switch {
	case s.Symbol, s.Monospace:
		return t.fallback.Font(s)
	case s.Bold && t.faces.bold != nil:
		return t.faces.bold
	case t.faces.regular != nil:
		return t.faces.regular
	}
	return t.fallback.Font(s)
}

// Icon is part of fyne.Theme.
func (t *Theme) Icon(n fyne.ThemeIconName) fyne.Resource { return t.fallback.Icon(n) }

// Size is part of fyne.Theme.
func (t *Theme) Size(n fyne.ThemeSizeName) float32 {
	switch n {
	case theme.SizeNameText:
		return 13
	case theme.SizeNameCaptionText:
		return 12
	case theme.SizeNameSubHeadingText:
		return 15
	case theme.SizeNameHeadingText:
		return 18
	case theme.SizeNameInnerPadding:
		return 5
	case theme.SizeNamePadding:
		return 4
	case theme.SizeNameInlineIcon:
		return 17
	case theme.SizeNameLineSpacing:
		return 3
	case theme.SizeNameScrollBar:
		return 10
	}
	return t.fallback.Size(n)
}
