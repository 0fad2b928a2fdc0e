package compose

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf8"

	"hongyan/app/model"
)

// DefaultMaxSize is the most octets of a whole message where nothing else is asked for: what Gmail and Microsoft
// take, in the encoded form that counts.
const DefaultMaxSize = 25 << 20

// refused are types of files that QQ, NetEase, Gmail or Microsoft turn away.
var refused = func() map[string]bool {
	m := map[string]bool{}
	for _, e := range strings.Fields(`ade adp apk app appx appxbundle bat cab chm cmd com cpl dll dmg ex ex_ exe hlp hta ins iso isp jar js jse lib
		lnk mde mjs msc msi msix msixbundle msp mst nsh pif ps1 psm1 reg scr sct sh shb sys url vb vbe vbs vhd vxd wsc wsf wsh xll`) {
		m[e] = true
	}
	return m
}()

// Refused tells whether providers turn a file of this name away, and its extension.
func Refused(name string) (ext string, yes bool) {
	ext = strings.TrimPrefix(strings.ToLower(filepath.Ext(strings.TrimRight(name, ". "))), ".")
	return ext, refused[ext]
}

// Load gives the letter with the bytes of its attachments, so that a later change of a file does not mix two
// versions in one campaign. limit is in octets, 0 means DefaultMaxSize. Errors: EAttachment, EAttachBlocked, ELetterTooBig.
func Load(l model.Letter, limit int64) (model.Letter, error) {
	if limit <= 0 {
		limit = DefaultMaxSize
	}
	out := make([]model.Attachment, len(l.Attachments))
	total := int64(0)
	for i, a := range l.Attachments {
		if a.Name == "" {
			a.Name = filepath.Base(a.Path)
		}
		a.Name = cleanFileName(a.Name)
		for _, n := range []string{a.Name, a.Path} {
			if ext, yes := Refused(n); yes {
				return l, model.E(model.EAttachBlocked, nil, "path", a.Name, "ext", ext)
			}
		}
		if a.Data == nil {
			data, err := readAttachment(a.Path, limit-total)
			if err != nil {
				return l, err
			}
			a.Data = data
		}
		if total += int64(len(a.Data)) / 3 * 4; total > limit {
			return l, tooBig(total, limit)
		}
		a.Type = mediaType(a)
		out[i] = a
	}
	l.Attachments = out
	return l, nil
}

func readAttachment(path string, limit int64) ([]byte, error) {
	fail := func(err error, detail string) error {
		return model.E(model.EAttachment, err, "path", path, "detail", detail)
	}
	st, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fail(err, "missing")
	case err != nil:
		return nil, fail(err, "unreadable")
	case !st.Mode().IsRegular(): // a folder, a device or a pipe, which might never end
		return nil, fail(nil, "not_a_file")
	case st.Size() > limit:
		return nil, tooBig(st.Size(), limit)
	}
	f, err := os.Open(path) // #nosec G304 -- a file that the user attached
	if err != nil {
		return nil, fail(err, "unreadable")
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, fail(err, "unreadable")
	case int64(len(data)) > limit: // it grew
		return nil, tooBig(int64(len(data)), limit)
	case data == nil:
		data = []byte{}
	}
	return data, nil
}

// types are media types by extension; the tables of operating systems differ.
var types = map[string]string{
	".pdf": "application/pdf", ".zip": "application/zip", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg",
	".gif": "image/gif", ".webp": "image/webp", ".bmp": "image/bmp", ".svg": "image/svg+xml", ".txt": "text/plain; charset=utf-8", ".csv": "text/csv",
	".ics": "text/calendar; charset=utf-8", ".doc": "application/msword", ".xls": "application/vnd.ms-excel", ".ppt": "application/vnd.ms-powerpoint",
	".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
	".mp3":  "audio/mpeg", ".mp4": "video/mp4", ".7z": "application/x-7z-compressed", ".rar": "application/vnd.rar",
}

func mediaType(a model.Attachment) string {
	if base, params, err := mime.ParseMediaType(a.Type); err == nil && strings.Contains(base, "/") && !strings.HasPrefix(base, "multipart/") && !strings.HasPrefix(base, "message/") {
		if s := mime.FormatMediaType(base, params); s != "" && len(s) < maxLine {
			return s
		}
	}
	ext := strings.ToLower(filepath.Ext(a.Name))
	if t, ok := types[ext]; ok {
		if ext == ".txt" && !utf8.Valid(a.Data) {
			return "text/plain"
		}
		return t
	}
	if t := http.DetectContentType(a.Data); strings.HasPrefix(t, "image/") {
		return t
	}
	return "application/octet-stream"
}

// maxFileName is in octets: what file systems take, and some room.
const maxFileName = 200

// clip cuts s to at most n octets at the start of a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// cleanFileName leaves only a name: no folder, no control characters, nothing that hides the extension.
func cleanFileName(s string) string {
	s = cleanHeader(s)
	if i := strings.LastIndexAny(s, `/\`); i >= 0 {
		s = s[i+1:]
	}
	s = strings.Trim(strings.Map(func(c rune) rune {
		if strings.ContainsRune(`<>:"|?*`, c) {
			return '_'
		}
		return c
	}, s), " .")
	if len(s) > maxFileName {
		if ext := filepath.Ext(s); len(ext) <= maxFileName/2 {
			s = clip(strings.TrimSuffix(s, ext), maxFileName-len(ext)) + ext
		} else {
			s = clip(s, maxFileName)
		}
	}
	if s == "" {
		return "attachment"
	}
	return s
}

// appendPartHeader writes the header of an attached file. Its name stands twice: as RFC 2231 says, and in the
// older form that QQ, Foxmail and old Outlook read.
func appendPartHeader(dst []byte, mediaType, name, cid string) []byte {
	dst = append(dst, "Content-Type: "+mediaType+";\r\n name=\""...)
	if plainASCII(name) {
		dst = append(dst, name...)
	} else {
		dst = appendWords(dst, name, len(` name="`)+2, true)
	}
	dst = append(dst, "\"\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: "...)
	if cid != "" {
		dst = append(dst, "inline;\r\n "...)
	} else {
		dst = append(dst, "attachment;\r\n "...)
	}
	dst = appendFileName(dst, name)
	if cid != "" {
		dst = append(dst, "\r\nContent-ID: <"+cid+">"...)
	}
	return append(dst, "\r\n\r\n"...)
}

// appendFileName writes the parameter filename, RFC 2231: encoded and in pieces where it must be.
func appendFileName(dst []byte, name string) []byte {
	if plainASCII(name) && len(name) < 60 {
		return append(dst, `filename="`+name+`"`...)
	}
	var enc []byte
	var pieces []string
	for _, c := range name {
		one := appendURLRune(nil, c, false, false)
		if len(enc)+len(one) > 54 {
			pieces = append(pieces, string(enc))
			enc = enc[:0]
		}
		enc = append(enc, one...)
	}
	pieces = append(pieces, string(enc))
	if len(pieces) == 1 {
		return append(dst, "filename*=utf-8''"+pieces[0]...)
	}
	for i, p := range pieces {
		if i > 0 {
			dst = append(dst, ";\r\n "...)
		}
		dst = append(dst, "filename*"+strconv.Itoa(i)+"*="...)
		if i == 0 {
			dst = append(dst, "utf-8''"...)
		}
		dst = append(dst, p...)
	}
	return dst
}

// images finds the attachments that stand for an image's source in the body.
type images struct {
	files []model.Attachment
	used  map[int]string
}

func (s *images) cid(src string) (string, bool) {
	if !localImage(src) {
		return "", false
	}
	src = strings.TrimPrefix(strings.TrimSpace(src), "./")
	if u, err := url.PathUnescape(src); err == nil {
		src = u
	}
	base := src[strings.LastIndexAny(src, `/\`)+1:]
	found := -1
	for i, a := range s.files {
		if a.Name == src || filepath.ToSlash(a.Path) == src {
			found = i
			break
		}
		if found < 0 && a.Name == base {
			found = i
		}
	}
	if found < 0 || !strings.HasPrefix(s.files[found].Type, "image/") {
		return "", false
	}
	id, ok := s.used[found]
	if !ok {
		sum := sha256.Sum256(append([]byte(s.files[found].Name+"\x00"), s.files[found].Data...))
		id = "img-" + hex.EncodeToString(sum[:8]) + "@hongyan.invalid"
		s.used[found] = id
	}
	return id, true
}

// encodeAttachment writes a whole part, header and body.
func encodeAttachment(a model.Attachment, cid string) []byte {
	var b bytes.Buffer
	b.Grow(len(a.Data)*4/3 + len(a.Data)/28 + 1024)
	b.Write(appendPartHeader(nil, a.Type, a.Name, cid))
	return appendBase64(b.Bytes(), a.Data)
}
