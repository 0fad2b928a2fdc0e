package compose

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"hongyan/app/model"
)

// ParseFile reads a letter file: Markdown (.md, or any other extension), HTML (.html, .htm) or text (.txt). Its
// attachments' paths are taken relative to the file's folder. Errors are coded: file.*, letter.front.
func ParseFile(path string) (model.Letter, error) {
	st, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return model.Letter{}, model.E(model.EFileMissing, err, "path", path)
	case err != nil:
		return model.Letter{}, model.E(model.EFileUnreadable, err, "path", path, "detail", err.Error())
	case st.IsDir():
		return model.Letter{}, model.E(model.EFileDirectory, nil, "path", path)
	case !st.Mode().IsRegular(): // a device or a pipe might never end
		return model.Letter{}, model.E(model.EFileFormat, nil, "path", path, "detail", "not_a_file")
	case st.Size() > maxOutput:
		return model.Letter{}, model.E(model.EFileTooBig, nil, "path", path, "size", sizeText(st.Size()), "limit", sizeText(maxOutput))
	}
	data, err := os.ReadFile(path) // #nosec G304 -- the file that the user chose
	if err != nil {
		return model.Letter{}, model.E(model.EFileUnreadable, err, "path", path, "detail", err.Error())
	}
	l, err := ParseLetter(path, data)
	for i := range l.Attachments {
		if !filepath.IsAbs(l.Attachments[i].Path) {
			l.Attachments[i].Path = filepath.Join(filepath.Dir(path), l.Attachments[i].Path)
		}
	}
	return l, err
}

// ParseLetter is ParseFile for bytes in hand; name decides the format and names the letter.
func ParseLetter(name string, data []byte) (model.Letter, error) {
	base := filepath.Base(name)
	l := model.Letter{Name: strings.TrimSuffix(base, filepath.Ext(base)), Format: model.FormatMarkdown}
	switch strings.ToLower(filepath.Ext(base)) {
	case ".html", ".htm":
		l.Format = model.FormatHTML
	case ".txt":
		l.Format = model.FormatText
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return l, model.E(model.EFileEmpty, nil, "path", name)
	}
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) { // "Unicode" of Windows' editor
		dec, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder().Bytes(data)
		if err != nil {
			return l, model.E(model.EFileFormat, err, "path", name, "detail", "charset")
		}
		data = dec
	}
	if bytes.IndexByte(data, 0) >= 0 {
		return l, model.E(model.EFileBinary, nil, "path", name)
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(data) {
		dec, err := simplifiedchinese.GB18030.NewDecoder().Bytes(data)
		if err != nil || bytes.ContainsRune(dec, utf8.RuneError) {
			return l, model.E(model.EFileFormat, err, "path", name, "detail", "charset")
		}
		data = dec
	}
	src := strings.ReplaceAll(strings.ReplaceAll(string(data), "\r\n", "\n"), "\r", "\n")
	first, rest, _ := strings.Cut(src, "\n")
	if strings.TrimSpace(first) != "---" {
		l.Body = src
		return l, nil
	}
	for line := 2; ; line++ {
		if rest == "" {
			return l, frontError(line, "unclosed")
		}
		var s string
		s, rest, _ = strings.Cut(rest, "\n")
		if strings.TrimSpace(s) == "---" {
			l.Body = strings.TrimPrefix(rest, "\n")
			return l, nil
		}
		if s = strings.TrimSpace(s); s == "" || s[0] == '#' {
			continue
		}
		key, value, ok := strings.Cut(s, ":")
		if !ok {
			return l, frontError(line, s)
		}
		value = strings.TrimSpace(value)
		if n := len(value); n >= 2 && value[0] == '"' && value[n-1] == '"' {
			if u, err := strconv.Unquote(value); err == nil {
				value = u
			}
		}
		switch strings.NewReplacer(" ", "-", "_", "-").Replace(strings.ToLower(strings.TrimSpace(key))) {
		case "subject":
			l.Subject = value
		case "from-name":
			l.FromName = value
		case "reply-to":
			l.ReplyTo = value
		case "attach":
			if value == "" {
				continue // a line of a template that was not filled in
			}
			l.Attachments = append(l.Attachments, model.Attachment{Path: value, Name: filepath.Base(value)})
		default:
			return l, frontError(line, strings.TrimSpace(key))
		}
	}
}

func frontError(line int, detail string) error {
	return model.E(model.ELetterFront, nil, "line", strconv.Itoa(line), "detail", detail)
}

// FormatLetter writes a letter as ParseLetter reads it; line ends are LF.
func FormatLetter(l model.Letter) []byte {
	var b strings.Builder
	put := func(key, v string) {
		if v == "" {
			return
		}
		if strings.ContainsAny(v, "\r\n\"\\") || strings.TrimSpace(v) != v {
			v = strconv.Quote(v)
		}
		b.WriteString(key + ": " + v + "\n")
	}
	b.WriteString("---\n")
	put("subject", l.Subject)
	put("from-name", l.FromName)
	put("reply-to", l.ReplyTo)
	for _, a := range l.Attachments {
		put("attach", a.Path)
	}
	b.WriteString("---\n\n" + l.Body)
	return []byte(b.String())
}
