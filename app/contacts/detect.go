package contacts

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"hongyan/app/model"
)

// The formats of sources.
const (
	FormatText   = "text"     // free text: addresses between anything
	FormatCSV    = "csv"      // a table with separators, quotes and perhaps a header
	FormatGroup  = "qq-group" // the member list of a QQ group, as the client copies it
	FormatChat   = "qq-chat"  // a chat record, as the client exports or copies it
	FormatVCard  = "vcard"    // an address book of a phone
	FormatHTML   = "html"     // a saved page
	FormatMHT    = "mht"      // a saved page with its pictures in one file
	FormatEML    = "eml"      // a mail: the people it is from and to
	FormatMbox   = "mbox"     // a mailbox file of many mails
	FormatLDIF   = "ldif"     // the address book of a directory or a mail program
	FormatJSON   = "json"     // objects, one a line or in a list
	FormatXLSX   = "xlsx"     // a workbook of Excel, WPS and others
	FormatODS    = "ods"      // a workbook of LibreOffice and others
	FormatFolder = "folder"   // the data folder of another Hongyan
)

// Formats lists the formats that a file can be read as, in the order of a menu. What is a data folder is never anything
// else.
func Formats() []string {
	return []string{FormatText, FormatCSV, FormatXLSX, FormatODS, FormatGroup, FormatChat, FormatVCard, FormatHTML, FormatMHT, FormatEML, FormatMbox,
		FormatLDIF, FormatJSON}
}

// detect finds format, charset and layout from the first octets.
func (s *Source) detect(head []byte) error {
	if s.opt.Format != "" && !slices.Contains(Formats(), s.opt.Format) {
		return model.E(model.EInvalid, nil, "field", "format", "value", s.opt.Format)
	}
	if is, err := s.detectBinary(head); is || err != nil {
		return err
	}
	if s.opt.Charset != "" {
		_, canon, err := charsetByName(s.opt.Charset)
		if err != nil {
			return err
		}
		s.charset = canon
	} else {
		sample, err := sampleCharset(s.r, s.size)
		if err != nil {
			return s.unreadable(err)
		}
		s.charset = DetectCharset(sample)
		s.mixed = s.charset == GB18030 || s.charset == UTF8 && !utf8.Valid(sample)
	}
	text, err := s.decodeHead(head)
	if err != nil {
		return err
	}
	if isBinary(text) {
		return model.E(model.EFileBinary, nil, "path", s.name)
	}
	switch kind := plainWorkbook(text); kind {
	case "":
	case flatODS:
		return s.openFlat()
	default:
		return s.convert(kind)
	}
	if s.opt.Sheet != "" {
		return s.noSheet()
	}
	return s.layout()
}

// decodeHead gives the start of the source in UTF-8.
func (s *Source) decodeHead(head []byte) (string, error) {
	r, err := decode(bytes.NewReader(head), s.charset)
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(r)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return "", s.unreadable(err)
	}
	return string(b), nil
}

// isBinary tells a picture or program from a text: too much of it is no text in any charset.
func isBinary(s string) bool {
	odd, n := 0, 0
	for i, r := range s {
		n++
		switch {
		case r == utf8.RuneError && len(s)-i > utf8.UTFMax:
			odd++
		case r < 32 && r != '\n' && r != '\r' && r != '\t' && r != '\f' && r != '\v' && r != 0x1A && r != 0x1B, r == 0x7F, r >= 0x80 && r < 0xA0 && r != 0x85:
			odd++
		}
	}
	return odd*10 > n || odd > 0 && n < 10 && odd*2 > n
}

// layout finds the sheet of a workbook, or line ends and separator of a text, and header and columns.
func (s *Source) layout() error {
	if s.book != nil {
		if err := s.sniffSheets(); err != nil {
			return err
		}
		return s.SetMapping(s.opt.Mapping)
	}
	head := make([]byte, min(s.size, 64<<10))
	n, err := s.r.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return s.unreadable(err)
	}
	text, err := s.decodeHead(head[:n])
	if err != nil {
		return err
	}
	if int64(n) < s.size {
		if i := strings.LastIndexAny(text, "\r\n"); i > 0 {
			text = text[:i+1] // the last line is cut
		}
	}
	s.eol, s.sep, s.table = '\n', 0, nil
	if strings.IndexByte(text, '\n') < 0 && strings.IndexByte(text, '\r') >= 0 {
		s.eol = '\r'
	} else if strings.IndexByte(text, '\r') >= 0 {
		b := []byte(text)
		loneCR(b, false)
		text = string(b)
	}
	if s.format = s.opt.Format; s.format == "" {
		s.format = shape(text, s.eol)
	}
	switch s.format {
	case FormatText, FormatChat, FormatVCard, FormatHTML, FormatMHT, FormatEML, FormatMbox, FormatLDIF:
		return nil
	case FormatJSON:
		s.table = s.sniffJSON(text)
		return s.SetMapping(s.opt.Mapping)
	}
	s.sep, s.table = findTable(text, s.eol)
	if s.table == nil {
		if s.format == "" {
			s.format = FormatText
			return nil
		}
		s.sep = ','
		s.table, _ = newTable(sampleText(text, ',', s.eol))
	}
	if s.format == "" {
		s.format = FormatCSV
		if s.table.isGroup() {
			s.format = FormatGroup
		}
	}
	return s.SetMapping(s.opt.Mapping)
}

// shape tells the formats that have a shape of their own; "" for tables and free text.
func shape(text string, eol byte) string {
	start := strings.TrimSpace(clip(text, 256))
	switch {
	case len(start) >= 11 && strings.EqualFold(start[:11], "BEGIN:VCARD"):
		return FormatVCard
	case isHTML(text):
		return FormatHTML
	case isLDIF(text, eol):
		return FormatLDIF
	case isJSON(start, text):
		return FormatJSON
	case isChat(text, eol):
		return FormatChat
	}
	return mailShape(text, eol)
}

// sampleText gives the first rows of a text.
func sampleText(text string, sep, eol byte) []line {
	rows, _ := sampleOf(newRecords(strings.NewReader(text), sep, eol)) // a string has no errors
	return rows
}

// sampleOf gives the first rows of a table that are not blank.
func sampleOf(t rowSource) ([]line, error) {
	var rows []line
	for len(rows) < sampleRows {
		cells, no, err := t.next()
		switch {
		case errors.Is(err, errRowLength), errors.Is(err, errRowDamaged):
		case errors.Is(err, io.EOF):
			return rows, nil
		case err != nil:
			return rows, err
		case !blank(cells):
			rows = append(rows, line{no, append([]string(nil), cells...)})
		}
	}
	return rows, nil
}

// findTable tries the separators; nil where the text is no table.
func findTable(text string, eol byte) (byte, *table) {
	var best *table
	var bestSep byte
	bestScore := 0
	for _, sep := range []byte{'\t', ',', ';', '|', 0} {
		if sep != 0 && strings.IndexByte(text, sep) < 0 {
			continue
		}
		rows := sampleText(text, sep, eol)
		t, ok := newTable(rows)
		if !ok {
			continue
		}
		if score := tableScore(t, rows, sep); score > bestScore {
			best, bestSep, bestScore = t, sep, score
		}
	}
	return bestSep, best
}

// tableScore says how much rows are a table: 0 for none. A header speaks for it; without one every row has to
// have the same shape and at most one address in each cell.
func tableScore(t *table, rows []line, sep byte) int {
	named := 0
	for _, c := range t.columns {
		if headerRole(c.Header) != "" {
			named++
		}
	}
	if t.header > 0 && named > 0 {
		if sep == 0 && named == 1 {
			return 1
		}
		if len(t.columns) > 1 {
			return 100 + 10*named + len(t.columns)
		}
		return 0
	}
	if len(t.columns) < 2 || len(rows) < 2 {
		return 0
	}
	same, used, dirty := 0, 0, 0
	for _, l := range rows {
		if blank(l.cells) {
			continue
		}
		used++
		if len(l.cells) == len(t.columns) {
			same++
		}
		for i, c := range l.cells {
			if i < len(t.columns) && t.columns[i].Role == RoleEmail {
				if strings.Count(c, "@") > 1 || len(c) > 200 {
					dirty++
				}
			} else if strings.Contains(c, "@") {
				dirty++
			}
		}
	}
	if used < 2 || same*10 < used*8 || dirty*10 > used {
		return 0
	}
	return 10 + len(t.columns)
}

// isGroup tells the member list of a QQ group by its headers.
func (t *table) isGroup() bool {
	n, qq := 0, false
	for _, c := range t.columns {
		switch headerKey(c.Header) {
		case "群昵称", "群名片", "入群时间", "q龄", "等级", "最后发言", "成员":
			n++
		}
		qq = qq || c.Role == RoleQQ
	}
	return qq && n >= 2
}

// NoConsent says that the people in a source of this shape did not hand over their addresses themselves.
func (s *Source) NoConsent() bool {
	if s.fixed { // a list that somebody wrote
		return false
	}
	switch s.format {
	case FormatChat, FormatHTML, FormatMHT, FormatEML, FormatMbox:
		return true
	}
	return false
}

// read is one pass over the source.
func (s *Source) read(r *run) error {
	switch s.format {
	case FormatVCard:
		return readVCard(r)
	case FormatHTML:
		return readHTML(r)
	case FormatChat:
		return readChat(r)
	case FormatText:
		return readText(r)
	case FormatFolder:
		return readFolder(r)
	case FormatXLSX, FormatODS:
		return readSheet(r)
	case FormatMHT:
		return readMHT(r)
	case FormatEML, FormatMbox:
		return readMail(r)
	case FormatLDIF:
		return readLDIF(r)
	case FormatJSON:
		return readJSON(r)
	}
	return readCSV(r)
}

func readCSV(r *run) error {
	in, err := r.open()
	if err != nil {
		return err
	}
	return readRows(r, newRecords(in, r.src.sep, r.src.eol), nil)
}
