package contacts

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"

	"hongyan/app/model"
)

// Signatures of files that are no text.
var (
	signZIP    = []byte("PK\x03\x04")
	signNoZIP  = []byte("PK\x05\x06") // one without parts
	signOLE    = []byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1")
	signPDF    = []byte("%PDF-")
	signSQLite = []byte("SQLite format 3\x00")
)

// dataFile is the file by which a data folder is known.
const dataFile = "app.db"

func isDataFolder(path string) bool {
	st, err := os.Stat(filepath.Join(path, dataFile))
	return err == nil && st.Mode().IsRegular()
}

// detectBinary opens a workbook, and names the kinds of files that cannot be read. is is false for everything else.
func (s *Source) detectBinary(head []byte) (is bool, err error) {
	switch {
	case bytes.HasPrefix(head, signZIP), bytes.HasPrefix(head, signNoZIP):
		return true, s.openWorkbook()
	case bytes.HasPrefix(head, signOLE):
		return true, s.oldOffice(head)
	case bytes.HasPrefix(head, signPDF):
		return true, s.convert("PDF")
	case bytes.HasPrefix(head, signSQLite) && filepath.Base(s.name) == dataFile:
		return true, model.E(model.EFileDataFolder, nil, "path", s.name)
	case s.opt.Format == FormatXLSX, s.opt.Format == FormatODS:
		return true, s.broken("it is no workbook", nil)
	}
	return false, nil
}

// flatODS is a workbook of OpenDocument in one text (.fods), which can be read.
const flatODS = "OpenDocument XML (.fods)"

// plainWorkbook names the workbooks that are one text in XML; "" for anything else.
func plainWorkbook(text string) string {
	text = strings.TrimSpace(clip(strings.TrimPrefix(text, bom), 16<<10))
	switch {
	case !strings.HasPrefix(text, "<?xml"):
	case strings.Contains(text, "urn:schemas-microsoft-com:office:spreadsheet") && strings.Contains(text, "<Workbook"):
		return "Excel XML 2003"
	case strings.Contains(text, "urn:oasis:names:tc:opendocument") && strings.Contains(text, "<office:document "):
		if strings.Contains(text, odsMime) {
			return flatODS
		}
		return "OpenDocument XML"
	}
	return ""
}

// openFlat opens a workbook that is one text.
func (s *Source) openFlat() error {
	s.format, s.charset, s.book = FormatODS, UTF8, &ods{a: &archive{src: s, flat: true}}
	err := s.layout()
	if err != nil {
		s.book = nil
	}
	return err
}

func (s *Source) convert(kind string) error {
	return model.E(model.EFileConvert, nil, "path", s.name, "kind", kind)
}

// openWorkbook tells the kinds of ZIP files by their parts.
func (s *Source) openWorkbook() error {
	a, err := openArchive(s)
	if err != nil {
		return err
	}
	main, err := a.mainPart()
	if err != nil {
		return err
	}
	isODS, isODT, err := a.openDocumentKind()
	if err != nil {
		return err
	}
	switch {
	case isODS:
		s.format = FormatODS
		s.book, err = openODS(a)
	case filepath.Ext(main) == ".bin":
		return s.convert("Excel (.xlsb)")
	case a.has(docxMain):
		return s.openDocument(a, docxMain)
	case isODT:
		return s.openDocument(a, odsContent)
	case a.has("mimetype") && a.has(odsContent):
		return s.convert("OpenDocument")
	case a.has("ppt/presentation.xml"):
		return s.convert("PowerPoint (.pptx)")
	case a.has("Index/Document.iwa"), a.has("index.apxl"):
		return s.convert("Numbers")
	case main != "":
		s.format = FormatXLSX
		s.book, err = openXLSX(a, main)
	default:
		return s.convert("ZIP")
	}
	if err != nil {
		s.book = nil
		return err
	}
	s.charset = UTF8
	return s.layout()
}

// oldOffice tells the files of Office before 2007, which later ones still wrap a workbook with a password in, by
// the names in their directory.
func (s *Source) oldOffice(head []byte) error {
	names := head
	if len(head) >= 52 {
		// MS-CFB §2.2: the size of a sector, and the first one of the directory.
		shift, sector := binary.LittleEndian.Uint16(head[30:]), binary.LittleEndian.Uint32(head[48:])
		dir := make([]byte, 8<<10)
		if n, err := s.r.ReadAt(dir, (int64(sector)+1)<<min(shift, 12)); err == nil || errors.Is(err, io.EOF) {
			names = append(dir[:n:n], head...)
		}
	}
	has := func(name string) bool {
		wide := make([]byte, 0, 2*len(name)+2)
		for _, c := range []byte(name + "\x00") {
			wide = append(wide, c, 0)
		}
		return bytes.Contains(names, wide)
	}
	switch {
	case has("EncryptedPackage"):
		return model.E(model.EFileEncrypted, nil, "path", s.name)
	case has("Workbook"), has("Book"):
		return s.convert("Excel 97-2003 (.xls)")
	case has("WordDocument"):
		return s.convert("Word 97-2003 (.doc)")
	}
	return s.convert("Office 97-2003")
}
