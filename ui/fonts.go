package ui

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"unicode/utf16"

	"fyne.io/fyne/v2"
)

// faces are the fonts of the theme; nil leaves the choice to Fyne, which looks up missing glyphs one by one.
type faces struct{ regular, bold fyne.Resource }

// fontPairs are files that hold Chinese and Latin, the first that is there wins. One face for both keeps Fyne
// from switching fonts in the middle of a line, and from drawing Japanese forms of the characters.
func fontPairs() [][2]string {
	switch runtime.GOOS {
	case "windows":
		dir := filepath.Join(os.Getenv("WINDIR"), "Fonts")
		return [][2]string{
			{filepath.Join(dir, "msyh.ttc"), filepath.Join(dir, "msyhbd.ttc")},
			{filepath.Join(dir, "Deng.ttf"), filepath.Join(dir, "Dengb.ttf")},
			{filepath.Join(dir, "simhei.ttf"), filepath.Join(dir, "simhei.ttf")},
		}
	case "darwin":
		return [][2]string{
			{"/System/Library/Fonts/Hiragino Sans GB.ttc", ""},
			{"/System/Library/Fonts/Supplemental/Arial Unicode.ttf", ""},
		}
	}
	return [][2]string{
		{"/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc", "/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc"},
		{"/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc", "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Bold.ttc"},
		{"/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc", "/usr/share/fonts/noto-cjk/NotoSansCJK-Bold.ttc"},
		{"/usr/share/fonts/truetype/wqy/wqy-microhei.ttc", ""},
		{"/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf", ""},
	}
}

var systemFont = sync.OnceValue(func() faces {
	if os.Getenv("FYNE_FONT") != "" {
		return faces{} // the user's own override
	}
	for _, p := range fontPairs() {
		if r := loadFace(p[0]); r != nil {
			return faces{regular: r, bold: loadFace(p[1])}
		}
	}
	return faces{}
})

func systemFaces(file string) faces {
	if file != "" {
		if r := loadFace(file); r != nil {
			return faces{regular: r}
		}
	}
	return systemFont()
}

func loadFace(path string) fyne.Resource {
	if path == "" {
		return nil
	}
	b, err := os.ReadFile(path) //nolint:gosec // a font that the system or the user names
	if err != nil {
		return nil
	}
	if b = singleFace(b, "SC"); b == nil {
		return nil
	}
	return fyne.NewStaticResource(filepath.Base(path), b)
}

// singleFace takes one face out of a TrueType collection, because Fyne reads single faces only: the one whose
// family name ends in want, else the first. Bytes that are no collection come back as they are; nil is damaged.
func singleFace(b []byte, want string) []byte {
	if len(b) < 16 || string(b[:4]) != "ttcf" {
		return b
	}
	n := int(binary.BigEndian.Uint32(b[8:]))
	if n < 1 || n > 64 || len(b) < 12+4*n {
		return nil
	}
	at := func(i int) int { return int(binary.BigEndian.Uint32(b[12+4*i:])) }
	for i := range n {
		if strings.HasSuffix(familyName(b, at(i)), want) {
			if face := extract(b, at(i)); face != nil {
				return face
			}
		}
	}
	for i := range n {
		if face := extract(b, at(i)); face != nil {
			return face
		}
	}
	return nil
}

// extract copies the tables of the face whose directory is at off into a file of its own.
func extract(b []byte, off int) []byte {
	if off < 0 || off+12 > len(b) {
		return nil
	}
	n := int(binary.BigEndian.Uint16(b[off+4:]))
	if off+12+16*n > len(b) {
		return nil
	}
	out := append([]byte(nil), b[off:off+12+16*n]...)
	for i := range n {
		rec := out[12+16*i:]
		start, size := int(binary.BigEndian.Uint32(rec[8:])), int(binary.BigEndian.Uint32(rec[12:]))
		if start < 0 || size < 0 || start+size > len(b) {
			return nil
		}
		binary.BigEndian.PutUint32(rec[8:], uint32(len(out))) //nolint:gosec // a font is far below 4 GB
		out = append(out, b[start:start+size]...)
		for len(out)%4 != 0 {
			out = append(out, 0)
		}
	}
	return out
}

// familyName reads name 1 (family) in UTF-16 from the name table of the face whose directory is at dir; the tables'
// places count from the start of the file.
func familyName(b []byte, dir int) string {
	if dir < 0 || dir+12 > len(b) {
		return ""
	}
	n := int(binary.BigEndian.Uint16(b[dir+4:]))
	if dir+12+16*n > len(b) {
		return ""
	}
	for i := range n {
		rec := b[dir+12+16*i:]
		if string(rec[:4]) != "name" {
			continue
		}
		off, size := int(binary.BigEndian.Uint32(rec[8:])), int(binary.BigEndian.Uint32(rec[12:]))
		if off < 0 || off+size > len(b) || size < 6 {
			return ""
		}
		t := b[off : off+size]
		count, text := int(binary.BigEndian.Uint16(t[2:])), int(binary.BigEndian.Uint16(t[4:]))
		for j := range count {
			if 6+12*j+12 > len(t) {
				return ""
			}
			r := t[6+12*j:]
			platform, language, id := binary.BigEndian.Uint16(r), binary.BigEndian.Uint16(r[4:]), binary.BigEndian.Uint16(r[6:])
			l, o := int(binary.BigEndian.Uint16(r[8:])), int(binary.BigEndian.Uint16(r[10:]))
			if platform != 3 || language != 0x409 || id != 1 || text+o+l > len(t) {
				continue
			}
			units := make([]uint16, l/2)
			for k := range units {
				units[k] = binary.BigEndian.Uint16(t[text+o+2*k:])
			}
			return string(utf16.Decode(units))
		}
	}
	return ""
}
