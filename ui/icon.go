package ui

import (
	"fyne.io/fyne/v2"

	"hongyan/assets"
)

// Icon is the program's icon.
func Icon() fyne.Resource { return fyne.NewStaticResource("hongyan.svg", assets.Icon()) }
