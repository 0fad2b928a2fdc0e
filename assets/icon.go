package assets

import _ "embed"

//go:embed icon.svg
var iconSVG []byte

// Icon is the program's icon: a wild goose over an envelope, as SVG.
func Icon() []byte { return iconSVG }
