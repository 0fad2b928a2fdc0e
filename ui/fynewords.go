package ui

import (
	"encoding/json"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"

	"hongyan/assets"
)

// fyneWords gives Fyne's own words (menus of entries, file dialogs) in the language of the window. Fyne follows the
// system's language and has no way to be told another, so they are registered as the system's.
func fyneWords(t *assets.Texts) {
	words := map[string]string{}
	for _, k := range t.Keys() {
		if w, ok := strings.CutPrefix(k, "ui.fyne."); ok {
			words[w] = t.T(k)
		}
	}
	data, err := json.Marshal(words)
	if err == nil {
		err = lang.AddTranslationsForLocale(data, lang.SystemLocale())
	}
	if err != nil {
		fyne.LogError("Fyne keeps its own words", err)
	}
}
