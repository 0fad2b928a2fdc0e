package ui

import (
	"bytes"
	"encoding/binary"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"hongyan/app/model"
	"hongyan/ui/widgets"
)

func TestSettings(t *testing.T) {
	r := newRig(t, "zh", shop("zh"))
	r.tap("设置")
	r.w.step.hint("") // the pointer is elsewhere
	var choices []*widget.Select
	walk(r.top(), func(o fyne.CanvasObject) {
		if s, ok := o.(*widget.Select); ok {
			choices = append(choices, s)
		}
	})
	choices[0].SetSelected("English")
	choices[1].SetSelected("深色")
	r.tap("保存")
	r.noDialog()
	if s := r.svc.settings; s[keyLang] != "en" || s[keyTheme] != "dark" || r.w.look.Variant != "dark" {
		t.Errorf("kept %v", s)
	}
	r.wants("Accounts", "Recipients", "中文")
	r.w.SetLook("light")
	r.run()
}

func TestHelpAndReport(t *testing.T) {
	r := newRig(t, "en", shop("en").sending("en"))
	r.w.command("help").fire()
	r.run()
	r.wants("Five steps", "Hongyan 1.0", "/home/shop/Hongyan")
	r.tap("Close")
	r.tick()
	r.tap("Report")
	r.wants("Table (CSV)", "Page (HTML)")
	r.tap("Cancel")
	r.noDialog()
}

// TestTrouble: what keeps the program from starting is one sentence, in the language asked for.
func TestTrouble(t *testing.T) {
	app := fyne.CurrentApp()
	win := Trouble(app, "zh", model.E(model.EInstance, nil, "path", "/data"))
	defer win.Close()
	win.Resize(fyne.NewSize(520, 240))
	said := textOf(win.Content())
	if !strings.Contains(said, "鸿雁无法启动") || !strings.Contains(said, "/data") || strings.Contains(said, "error.") {
		t.Errorf("said %q", said)
	}
	walk(win.Content(), func(o fyne.CanvasObject) {
		if b, ok := o.(*widget.Button); ok && b.Text == "复制" {
			test.Tap(b)
		}
	})
	if got := app.Clipboard().Content(); !strings.Contains(got, "/data") {
		t.Errorf("copied %q", got)
	}
}

// contrast is the ratio of WCAG 2.1 §1.4.3.
func contrast(a, b color.Color) float64 {
	light := func(c color.Color) float64 {
		r, g, b, _ := c.RGBA()
		lin := func(v uint32) float64 {
			x := float64(v) / 0xffff
			if x <= 0.04045 {
				return x / 12.92
			}
			return math.Pow((x+0.055)/1.055, 2.4)
		}
		return 0.2126*lin(r) + 0.7152*lin(g) + 0.0722*lin(b)
	}
	x, y := light(a), light(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// TestContrast: words can be read on what is behind them, in both looks.
func TestContrast(t *testing.T) {
	for _, variant := range []string{"light", "dark"} {
		th := NewTheme(variant, "")
		c := func(n fyne.ThemeColorName) color.Color { return th.Color(n, theme.VariantLight) }
		for text, behind := range map[fyne.ThemeColorName][]fyne.ThemeColorName{
			theme.ColorNameForeground:          {widgets.ColorCard, theme.ColorNameBackground, theme.ColorNameHeaderBackground, theme.ColorNameSelection, theme.ColorNameButton, theme.ColorNameInputBackground, theme.ColorNameOverlayBackground},
			widgets.ColorMuted:                 {widgets.ColorCard, theme.ColorNameSelection},
			theme.ColorNamePrimary:             {widgets.ColorCard, theme.ColorNameOverlayBackground},
			theme.ColorNamePlaceHolder:         {theme.ColorNameInputBackground},
			theme.ColorNameError:               {widgets.ColorCard, theme.ColorNameOverlayBackground},
			theme.ColorNameWarning:             {widgets.ColorCard, theme.ColorNameOverlayBackground},
			theme.ColorNameSuccess:             {widgets.ColorCard, theme.ColorNameOverlayBackground},
			widgets.ColorClient:                {widgets.ColorCard},
			widgets.ColorServer:                {widgets.ColorCard},
			widgets.ColorUnknown:               {widgets.ColorCard},
			theme.ColorNameForegroundOnPrimary: {theme.ColorNamePrimary},
			theme.ColorNameForegroundOnWarning: {theme.ColorNameWarning},
		} {
			for _, b := range behind {
				if r := contrast(c(text), c(b)); r < 4.5 {
					t.Errorf("%s: %s on %s has %.1f:1", variant, text, b, r)
				}
			}
		}
	}
}

// collection builds a TrueType collection of faces that hold a name table only.
func collection(families ...string) []byte {
	b := append([]byte("ttcf\x00\x01\x00\x00"), make([]byte, 4+4*len(families))...)
	binary.BigEndian.PutUint32(b[8:], uint32(len(families)))
	for i, f := range families {
		var name []byte
		for _, u := range f {
			name = binary.BigEndian.AppendUint16(name, uint16(u))
		}
		table := []byte{0, 0, 0, 1, 0, 18, 0, 3, 0, 1, 4, 9, 0, 1, 0, byte(len(name)), 0, 0}
		table = append(table, name...)
		binary.BigEndian.PutUint32(b[12+4*i:], uint32(len(b)))
		face := []byte("OTTO\x00\x01\x00\x00\x00\x00\x00\x00name\x00\x00\x00\x00")
		face = binary.BigEndian.AppendUint32(face, uint32(len(b)+28))
		face = binary.BigEndian.AppendUint32(face, uint32(len(table)))
		b = append(append(b, face...), table...)
	}
	return b
}

// file is a font in memory.
func file(b []byte) fontFile { return fontFile{bytes.NewReader(b), int64(len(b))} }

// TestSingleFace: the face for simplified Chinese is taken out of a collection, and damage is no panic.
func TestSingleFace(t *testing.T) {
	ttc := collection("Sans CJK JP", "Sans CJK SC", "Sans CJK TC")
	if got := file(singleFace(file(ttc), "SC", true)).familyName(0); got != "Sans CJK SC" {
		t.Errorf("took %q", got)
	}
	if got := file(singleFace(file(ttc), "KR", true)).familyName(0); got != "Sans CJK JP" {
		t.Errorf("without the wanted one it took %q", got)
	}
	single := []byte("OTTO, a file of one face")
	if !slices.Equal(singleFace(file(single), "SC", true), single) {
		t.Error("a file of one face was changed")
	}
	for n := range ttc {
		for _, whole := range []bool{false, true} {
			singleFace(file(ttc[:n]), "SC", whole)
			broken := slices.Clone(ttc)
			broken[n] = 0xff
			singleFace(file(broken), "SC", whole)
		}
	}
}

// TestFaceFile: a font is read when it is asked for and not kept, and one that goes meanwhile leaves Fyne's own.
func TestFaceFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "face.ttc")
	if err := os.WriteFile(path, collection("Sans SC"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := loadFace(path)
	if r == nil || r.Name() != "face.ttc" {
		t.Fatalf("loaded %v", r)
	}
	if got := file(r.Content()).familyName(0); got != "Sans SC" {
		t.Errorf("holds %q", got)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(r.Content(), theme.DefaultTextFont().Content()) {
		t.Error("a font that is gone leaves no face")
	}
	if loadFace(path) != nil || loadFace(filepath.Dir(path)) != nil || loadFace("") != nil {
		t.Error("what is no font was loaded")
	}
}

// TestSystemFont: where the font is installed, the face that is used has simplified Chinese.
func TestSystemFont(t *testing.T) {
	path := fontPairs()[0][0]
	if _, err := os.Stat(path); err != nil {
		t.Skip("not installed:", path)
	}
	r := loadFace(path)
	if r == nil || !strings.HasSuffix(file(r.Content()).familyName(0), "SC") {
		t.Error("no face for simplified Chinese in", path)
	}
}
