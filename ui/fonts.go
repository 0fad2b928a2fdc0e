package ui

import (
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"unicode/utf16"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
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

// faceFile is a face in a file of the system. It is read whenever Fyne asks, which is once for each style, and never
// kept: Fyne copies what it needs of it, and a face of Chinese has 18 MB.
type faceFile struct{ path string }

// loadFace gives the face of a file; nil where the file is not there or is no font.
func loadFace(path string) fyne.Resource {
	if path == "" {
		return nil
	}
	f := faceFile{path}
	if f.read(false) == nil {
		return nil
	}
	return &f
}

// Name is part of fyne.Resource.
func (f *faceFile) Name() string { return filepath.Base(f.path) }

// Content is part of fyne.Resource. A file that is gone by now leaves Fyne's own face.
func (f *faceFile) Content() []byte {
	if b := f.read(true); b != nil {
		return b
	}
	return theme.DefaultTextFont().Content()
}

// read gives the face, or with whole false anything but nil if it can be read.
func (f *faceFile) read(whole bool) []byte {
	file, err := os.Open(f.path) //nolint:gosec // a font that the system or the user names
	if err != nil {
		return nil
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	return singleFace(fontFile{file, info.Size()}, "SC", whole)
}

// fontFile is a TrueType file or a collection of them (OpenType 1.9, "Organization of an OpenType Font").
type fontFile struct {
	r    io.ReaderAt
	size int64
}

// at reads n octets from off; nil where they are not there.
func (f fontFile) at(off, n int64) []byte {
	if off < 0 || n < 0 || off > f.size || n > f.size-off {
		return nil
	}
	b := make([]byte, n)
	if _, err := f.r.ReadAt(b, off); err != nil && err != io.EOF {
		return nil
	}
	return b
}

// singleFace takes one face out of a collection, because Fyne reads single faces only: the one whose family name ends
// in want, else the first. A file that is no collection comes back as it is; nil is damaged. Without whole the face
// is only looked for.
func singleFace(f fontFile, want string, whole bool) []byte {
	head := f.at(0, 12)
	if head == nil {
		return nil
	}
	if string(head[:4]) != "ttcf" {
		if whole {
			return f.at(0, f.size)
		}
		return head
	}
	n := int64(binary.BigEndian.Uint32(head[8:]))
	if n < 1 || n > 64 {
		return nil
	}
	dirs := f.at(12, 4*n)
	if dirs == nil {
		return nil
	}
	at := func(i int64) int64 { return int64(binary.BigEndian.Uint32(dirs[4*i:])) }
	for i := range n {
		if strings.HasSuffix(f.familyName(at(i)), want) {
			if face := f.extract(at(i), whole); face != nil {
				return face
			}
		}
	}
	for i := range n {
		if face := f.extract(at(i), whole); face != nil {
			return face
		}
	}
	return nil
}

// tables reads the directory of the face at off: its header, and a record of 16 octets for each table.
func (f fontFile) tables(off int64) (dir []byte, n int) {
	head := f.at(off, 12)
	if head == nil {
		return nil, 0
	}
	n = int(binary.BigEndian.Uint16(head[4:]))
	return f.at(off, int64(12+16*n)), n
}

// extract copies the tables of the face whose directory is at off into a file of its own.
func (f fontFile) extract(off int64, whole bool) []byte {
	dir, n := f.tables(off)
	if dir == nil {
		return nil
	}
	total := int64(len(dir))
	for i := range n {
		rec := dir[12+16*i:]
		start, size := int64(binary.BigEndian.Uint32(rec[8:])), int64(binary.BigEndian.Uint32(rec[12:]))
		if start+size > f.size {
			return nil
		}
		total += (size + 3) &^ 3
	}
	if !whole {
		return dir
	}
	if total > 2*f.size { // tables that overlap, in a file that was made to be large
		return nil
	}
	out := make([]byte, len(dir), total)
	copy(out, dir)
	for i := range n {
		rec := out[12+16*i:]
		start, size := int64(binary.BigEndian.Uint32(rec[8:])), int64(binary.BigEndian.Uint32(rec[12:]))
		binary.BigEndian.PutUint32(rec[8:], uint32(len(out))) //nolint:gosec // a font is far below 4 GB
		to := out[len(out) : int64(len(out))+size]
		if _, err := f.r.ReadAt(to, start); err != nil && err != io.EOF {
			return nil
		}
		out = out[:(int64(len(out))+size+3)&^3]
	}
	return out
}

// familyName reads name 1 (family) in UTF-16 from the name table of the face whose directory is at dir; the tables'
// places count from the start of the file.
func (f fontFile) familyName(off int64) string {
	dir, n := f.tables(off)
	if dir == nil {
		return ""
	}
	for i := range n {
		rec := dir[12+16*i:]
		if string(rec[:4]) == "name" {
			return nameIn(f.at(int64(binary.BigEndian.Uint32(rec[8:])), int64(binary.BigEndian.Uint32(rec[12:]))))
		}
	}
	return ""
}

// nameIn reads name 1 in UTF-16 from a name table.
func nameIn(t []byte) string {
	if len(t) < 6 {
		return ""
	}
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
	return ""
}
