package contacts

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"hongyan/app/model"
)

// saved gives a workbook as excelize writes it.
func saved(t testing.TB, f *excelize.File, opt ...excelize.Options) []byte {
	t.Helper()
	b, err := f.WriteToBuffer()
	if err == nil && len(opt) > 0 {
		raw, e := excelize.Encrypt(b.Bytes(), &opt[0])
		b, err = bytes.NewBuffer(raw), e
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func readBytes(t *testing.T, name string, b []byte) ([]model.Row, []model.Reject, *Source) {
	t.Helper()
	s, err := FromReader(name, bytes.NewReader(b), int64(len(b)), Options{})
	rows, rejects := readAll(t, s, err)
	return rows, rejects, s
}

func TestXLSX(t *testing.T) {
	f := excelize.NewFile()
	day := must[int](t)(f.NewStyle(&excelize.Style{NumFmt: 14}))
	own := "yyyy\"年\"m\"月\"d\"日\""
	dayCN := must[int](t)(f.NewStyle(&excelize.Style{CustomNumFmt: &own}))
	euro := `#,##0.00\ "days"`
	amount := must[int](t)(f.NewStyle(&excelize.Style{CustomNumFmt: &euro}))
	must[int](t)(f.NewSheet("客户"))
	must[int](t)(f.NewSheet("later"))
	ok(t, f.SetSheetRow("Sheet1", "A1", &[]any{"季度", "收入"}))
	ok(t, f.SetSheetRow("Sheet1", "A2", &[]any{"Q1", 12.5}))
	ok(t, f.SetCellValue("later", "A1", "late@example.com"))
	ok(t, f.SetCellValue("客户", "B2", "客户名单 2024"))
	ok(t, f.SetSheetRow("客户", "B4", &[]any{"姓名", "邮箱", "QQ", "生日", "余额", "建立", "编号"}))
	at := time.Date(2024, 3, 1, 9, 30, 0, 0, time.UTC)
	ok(t, f.SetSheetRow("客户", "B5", &[]any{"张三", "ZhangSan@Example.com", 4200000000, at.Truncate(24 * time.Hour), 0.1, at, true}))
	ok(t, f.SetSheetRow("客户", "B6", &[]any{"李四", nil, 4200000001, nil, 123456789012345.0, nil, "a\nb"}))
	ok(t, f.SetSheetRow("客户", "B8", &[]any{"王五", "wang@example.com; wu@example.com"}))
	ok(t, f.SetSheetRow("客户", "B9", &[]any{"坏", "not an address"}))
	ok(t, f.SetSheetRow("客户", "B10", &[]any{"电话", nil, 13800000001}))
	ok(t, f.SetCellRichText("客户", "C11", []excelize.RichTextRun{{Text: "rich"}, {Text: "@example.com", Font: &excelize.Font{Bold: true}}}))
	ok(t, f.SetCellFormula("客户", "C12", `LOWER("F@EXAMPLE.COM")`))
	ok(t, f.SetCellStyle("客户", "E5", "E5", day))
	ok(t, f.SetCellStyle("客户", "G5", "G5", dayCN))
	ok(t, f.SetCellStyle("客户", "F5", "F5", amount))
	raw := saved(t, f)
	// A formula as Excel saves it, with the value that it gave.
	raw = edit(t, raw, "xl/worksheets/sheet2.xml", `</f>`, `</f><v>f@example.com</v>`)
	rows, rejects, s := readBytes(t, "a.xlsx", raw)
	want := []string{
		"5\tzhangsan@example.com\t张三", "6\t4200000001@qq.com\t李四", "8\twang@example.com\t王五", "8\twu@example.com\t王五",
		"11\trich@example.com\t", "12\tf@example.com\t", "9\t!syntax\tnot an address", "10\t!phone\t13800000001",
	}
	if d := cmp.Diff(want, listing(rows, rejects)); d != "" {
		t.Error(d)
	}
	fields := map[string]string{"QQ": "4200000000", "生日": "2024-03-01", "余额": "0.1", "建立": "2024-03-01 09:30", "编号": "TRUE"}
	if d := cmp.Diff(fields, rows[0].Fields); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(map[string]string{"QQ": "4200000001", "余额": "123456789012345", "编号": "a\nb"}, rows[1].Fields); d != "" {
		t.Error(d)
	}
	if s.Format() != FormatXLSX || s.Charset() != UTF8 || s.NoConsent() {
		t.Errorf("found %s, %s", s.Format(), s.Charset())
	}
	if c := s.Columns(); len(c) != 8 || c[1] != (Column{"姓名", RoleName}) || c[2].Role != RoleEmail || c[3].Role != RoleQQ {
		t.Errorf("columns %v", c)
	}
	ok(t, s.SetMapping(map[int]Role{3: RoleIgnore, 1: RoleField}))
	ok(t, s.SetCharset(GB18030))
	got, bad, err := s.Preview(2)
	if err != nil || len(got) != 1 && len(got) != 2 || got[0].Name != "" || got[0].Fields["姓名"] != "张三" || got[0].Fields["QQ"] != "" || len(bad) == 0 {
		t.Errorf("preview %+v %+v %v", got, bad, err)
	}
}

// edit replaces text in one part of a ZIP file.
func edit(t testing.TB, raw []byte, name, from, to string) []byte {
	t.Helper()
	z := must[*zip.Reader](t)(zip.NewReader(bytes.NewReader(raw), int64(len(raw))))
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range z.File {
		b := must[[]byte](t)(io.ReadAll(must[io.ReadCloser](t)(f.Open())))
		if f.Name == name {
			if !bytes.Contains(b, []byte(from)) {
				t.Fatalf("%s has no %q: %s", name, from, b)
			}
			b = bytes.ReplaceAll(b, []byte(from), []byte(to))
		}
		must[int](t)(must[io.Writer](t)(w.Create(f.Name)).Write(b))
	}
	ok(t, w.Close())
	return out.Bytes()
}

// pack makes a ZIP file of parts, in pairs of name and text.
func pack(t testing.TB, parts ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for i := 0; i < len(parts); i += 2 {
		must[int](t)(io.WriteString(must[io.Writer](t)(w.Create(parts[i])), parts[i+1]))
	}
	ok(t, w.Close())
	return out.Bytes()
}

const (
	types    = `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>`
	relsHead = `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">`
	relsType = `http://schemas.openxmlformats.org/officeDocument/2006/relationships/`
)

// bare makes a workbook of one sheet with the XML of a sheet, or with its rows, and shared strings where given.
func bare(t testing.TB, sheet string, shared ...string) []byte {
	t.Helper()
	if !strings.Contains(sheet, "<worksheet") {
		sheet = `<worksheet><sheetData>` + sheet + `</sheetData></worksheet>`
	}
	parts := []string{
		"[Content_Types].xml", types,
		"_rels/.rels", relsHead + `<Relationship Id="r1" Type="` + relsType + `officeDocument" Target="xl/workbook.xml"/></Relationships>`,
		"xl/workbook.xml", `<workbook><sheets><sheet name="a" sheetId="1" r:id="r1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels", relsHead + `<Relationship Id="r1" Type="` + relsType + `worksheet" Target="worksheets/sheet1.xml"/>` +
			`<Relationship Id="r2" Type="` + relsType + `sharedStrings" Target="sharedStrings.xml"/></Relationships>`,
		"xl/worksheets/sheet1.xml", sheet,
	}
	if len(shared) > 0 {
		parts = append(parts, "xl/sharedStrings.xml", shared[0])
	}
	return pack(t, parts...)
}

const personRow = `<row><c t="inlineStr"><is><t>a@example.com</t></is></c></row>`

func TestXLSXCells(t *testing.T) {
	for name, c := range map[string]struct{ sheet, shared, want string }{
		"no names of rows and cells": {personRow + personRow, "", "1:a@example.com 2:a@example.com"},
		"prefix":                     {`<x:worksheet><x:sheetData><x:row r="7"><x:c r="C7" t="str"><x:v>a@example.com</x:v></x:c></x:row></x:sheetData></x:worksheet>`, "", "7:a@example.com"},
		"number as text":             {`<row><c><v>4.2E9</v></c></row><row><c><v>4200000001.0</v></c></row><row><c><v>4.2000000020000001E9</v></c></row>`, "", "1:4200000000@qq.com 2:4200000001@qq.com 3:4200000002@qq.com"},
		"strings":                    {`<row><c t="s"><v>1</v></c><c t="s"><v>0</v></c></row>`, `<sst><si><t xml:space="preserve"> 王 </t><rPh><t>ou</t></rPh></si><si><r><t>a</t></r><r><t>_x0040_example.com</t></r></si></sst>`, "1:a@example.com:王"},
		"an error beside":            {`<row><c t="e"><v>#N/A</v></c><c t="str"><v>a@example.com</v></c></row>`, "", "1:a@example.com"},
		"a comment, an instruction":  {`<?x y?><!-- <row><c t="str"><v>b@example.com</v></c></row> -->` + personRow, "", "1:a@example.com"},
		"what is behind the data":    {`<worksheet><sheetData>` + personRow + `</sheetData><x><c t="str"><v>b@example.com</v></c></x></worksheet>`, "", "1:a@example.com"},
		"many columns":               {`<row>` + strings.Repeat("<c><v>1</v></c>", 600) + `</row><row><c r="XFD2" t="str"><v>b@example.com</v></c><c r="ZZZZZZZ2"><v>1</v></c></row>` + personRow, "", "3:a@example.com"},
		"twice the same cell":        {`<row><c r="A1" t="str"><v>a@example.com</v></c><c r="A1" t="str"><v>b@example.com</v></c></row>`, "", "1:a@example.com"},
		"entities":                   {`<row><c t="str"><v>&#97;&#x40;example.com</v></c><c t="str"><v>A &amp; B</v></c></row>`, "", "1:a@example.com"},
	} {
		var shared []string
		if c.shared != "" {
			shared = []string{c.shared}
		}
		rows, _, _ := readBytes(t, name, bare(t, c.sheet, shared...))
		var got []string
		for _, r := range rows {
			s := fmt.Sprintf("%d:%s", r.Line, r.Email)
			if r.Name != "" {
				s += ":" + r.Name
			}
			got = append(got, s)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestNumberAndDateText(t *testing.T) {
	for in, want := range map[string]string{
		"5": "5", "0012": "0012", "4.2E+09": "4200000000", "1.38E10": "13800000000", "0.1": "0.1", "0.30000000000000004": "0.3", "-5": "-5",
		"1e400": "1e400", "1E+30": "1e+30", "NaN": "NaN", "0x10": "0x10", "": "", "x": "x", "1_0": "1_0",
	} {
		if got := numberText(in); got != want {
			t.Errorf("number %q gave %q", in, got)
		}
	}
	for _, c := range []struct {
		in, want string
		of1904   bool
	}{
		{"45352", "2024-03-01", false}, {"45352.395833333336", "2024-03-01 09:30", false}, {"0.5", "12:00", false}, {"1", "1900-01-01", false},
		{"59", "1900-02-28", false}, {"61", "1900-03-01", false}, {"43890", "2024-03-01", true}, {"-1", "", false}, {"2958466", "", false}, {"x", "", false},
		{"45352.9999999", "2024-03-02 00:00", false}, {"45352.00001", "2024-03-01 00:00:01", false},
	} {
		if got, _ := serialText(c.in, c.of1904); got != c.want {
			t.Errorf("date %q gave %q", c.in, got)
		}
	}
	for code, want := range map[string]bool{
		"General": false, "0.00": false, "yyyy-mm-dd": true, `#,##0.00\ "days"`: false, "[Red]0": false, "[h]:mm": true, "0.00E+00": false, "@": false,
		`[$-804]yyyy"年"`: true, `_-* #,##0.00\ _D_M_-`: false, "mm:ss.0": true, "[$€-407] #,##0": false, "[DBNum1]0": false, "\"": false, "[": false,
	} {
		if got := dateFormat(code); got != want {
			t.Errorf("format %q: %v", code, got)
		}
	}
	for in, want := range map[string]string{"2024-03-01": "2024-03-01", "2024-03-01T00:00:00": "2024-03-01", "2024-03-01T09:30:00.000Z": "2024-03-01 09:30",
		"2024-03-01T09:30:05": "2024-03-01 09:30:05", "PT1H": "PT1H"} {
		if got := isoText(in); got != want {
			t.Errorf("%q gave %q", in, got)
		}
	}
}

// repeated is a text of equal octets, to be packed.
type repeated struct {
	b    byte
	left int64
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), r.left)]
	for i := range p {
		p[i] = r.b
	}
	r.left -= int64(len(p))
	return len(p), nil
}

// bomb is a workbook whose sheet is head and then n octets.
func bomb(t testing.TB, head string, b byte, n int64) []byte {
	t.Helper()
	raw := bare(t, personRow)
	z := must[*zip.Reader](t)(zip.NewReader(bytes.NewReader(raw), int64(len(raw))))
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range z.File {
		if !strings.HasSuffix(f.Name, "sheet1.xml") {
			ok(t, w.Copy(f))
		}
	}
	to := must[io.Writer](t)(w.Create("xl/worksheets/sheet1.xml"))
	must[int](t)(io.WriteString(to, head))
	must[int64](t)(io.Copy(to, &repeated{b, n}))
	ok(t, w.Close())
	return out.Bytes()
}

// claim writes another unpacked size into the list of parts of a ZIP file, for its last part.
func claim(raw []byte, size uint32) []byte {
	at := bytes.LastIndex(raw, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint32(raw[at+24:], size)
	return raw
}

// tenGB packs ten GB of one octet behind head into some ten MB, as the sheet of a workbook that says it is size octets.
func tenGB(t testing.TB, head string, b byte, size uint64) []byte {
	t.Helper()
	block := func(in io.Reader) []byte {
		var out bytes.Buffer
		w := must[*flate.Writer](t)(flate.NewWriter(&out, flate.BestCompression))
		must[int64](t)(io.Copy(w, in))
		ok(t, w.Flush()) // ends on an octet, so that blocks can be joined
		return out.Bytes()
	}
	packed := block(strings.NewReader(head))
	packed = append(packed, bytes.Repeat(block(&repeated{b, 1 << 20}), 10<<10)...)
	packed = append(packed, 3, 0) // the last block, empty
	raw := bare(t, personRow)
	z := must[*zip.Reader](t)(zip.NewReader(bytes.NewReader(raw), int64(len(raw))))
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range z.File {
		if !strings.HasSuffix(f.Name, "sheet1.xml") {
			ok(t, w.Copy(f))
		}
	}
	to := must[io.Writer](t)(w.CreateRaw(&zip.FileHeader{Name: "xl/worksheets/sheet1.xml", Method: zip.Deflate, UncompressedSize64: size, CompressedSize64: uint64(len(packed))}))
	must[int](t)(to.Write(packed))
	ok(t, w.Close())
	return out.Bytes()
}

func TestXLSXHostile(t *testing.T) {
	const head = `<worksheet><sheetData><row><c t="inlineStr"><is><t>`
	lol := `<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;">]>`
	encrypted := saved(t, excelize.NewFile(), excelize.Options{Password: "x"})
	good := bare(t, personRow)
	many := make([]string, 0, 2*maxParts+4)
	for i := range maxParts + 1 {
		many = append(many, fmt.Sprint(i), "")
	}
	broken := bytes.Clone(good)
	copy(broken[bytes.Index(broken, []byte("xl/worksheets"))+30:], "\xff\xff\xff\xff\xff\xff")
	for name, c := range map[string]struct {
		raw  []byte
		want model.Code
	}{
		"zeros":                {bomb(t, head, 0, 4<<20), model.EFileFormat},
		"blanks in a cell":     {bomb(t, head, ' ', 4<<20), model.EFileFormat},
		"blanks between":       {bomb(t, `<worksheet><sheetData>`, ' ', 4<<20), model.EFileFormat},
		"packed too well":      {claim(bomb(t, head, ' ', 1<<20), 900<<20), model.EFileFormat},
		"says ten GB":          {claim(bomb(t, head, ' ', 1<<20), 3<<30), model.EFileTooBig},
		"ten GB of zeros":      {tenGB(t, head, 0, 10<<30), model.EFileTooBig},
		"ten GB, said one":     {tenGB(t, head, ' ', 1<<30), model.EFileFormat},
		"ten GB between rows":  {tenGB(t, "<worksheet><sheetData>"+personRow, ' ', 1<<30), model.EFileFormat},
		"ten GB, said little":  {tenGB(t, head, ' ', 5000), model.EFileFormat},
		"row past the last":    {bare(t, fmt.Sprintf(`<row r="%d"/><row/>`, maxSheetRows)), model.EFileFormat},
		"endless cells":        {bare(t, "<row>"+strings.Repeat("<c/>", maxMarkup)), model.EFileFormat},
		"Excel 2003":           {[]byte(`<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">a@example.com</Workbook>`), model.EFileConvert},
		"says less than it is": {claim(bomb(t, head, ' ', 1<<20), 10), model.EFileFormat},
		"billion laughs":       {bare(t, lol+`<worksheet><sheetData><row><c t="str"><v>&lol2;</v></c></row></sheetData></worksheet>`), model.EFileFormat},
		"unknown entity":       {bare(t, `<row><c t="str"><v>&lol2;</v></c></row>`), model.EFileFormat},
		"deep nesting":         {bare(t, `<worksheet><sheetData>`+strings.Repeat("<a>", 300_000)), model.EFileFormat},
		"deep in a row":        {bare(t, `<worksheet><sheetData><row>`+strings.Repeat("<a>", 300_000)), model.EFileFormat},
		"cut sheet":            {bare(t, `<worksheet><sheetData>`+personRow+`<row>`), model.EFileFormat},
		"rows backwards":       {bare(t, `<row r="5"/><row r="4"/>`), model.EFileFormat},
		"row two million":      {bare(t, `<row r="2000000"/>`), model.EFileFormat},
		"row of letters":       {bare(t, `<row r="x"/>`), model.EFileFormat},
		"string not there":     {bare(t, `<row><c t="s"><v>5</v></c></row>`), model.EFileFormat},
		"string below zero":    {bare(t, `<row><c t="s"><v>-1</v></c></row>`, `<sst><si/></sst>`), model.EFileFormat},
		"cut strings":          {bare(t, personRow, `<sst><si><t>x`), model.EFileFormat},
		"nothing":              {bare(t, ``), model.EFileEmpty},
		"password":             {encrypted, model.EFileEncrypted},
		"cut file":             {good[:len(good)/2], model.EFileFormat},
		"spoilt octets":        {broken, model.EFileFormat},
		"no parts":             {pack(t), model.EFileConvert},
		"many parts":           {pack(t, many...), model.EFileFormat},
		"other ZIP":            {pack(t, "a.txt", "a@example.com"), model.EFileConvert},
		"path tricks":          {pack(t, "../../etc/passwd", "x", "[Content_Types].xml", types, "_rels/.rels", relsHead+`<Relationship Id="r1" Type="officeDocument" Target="../../../etc/passwd"/></Relationships>`), model.EFileFormat},
		"target outside":       {edit(t, good, "xl/_rels/workbook.xml.rels", "worksheets/sheet1.xml", "../../../../etc/passwd"), model.EFileFormat},
		"external target":      {edit(t, good, "xl/_rels/workbook.xml.rels", `Target="worksheets/sheet1.xml"`, `TargetMode="External" Target="https://example.com/"`), model.EFileFormat},
		"target is itself":     {edit(t, good, "xl/_rels/workbook.xml.rels", "worksheets/sheet1.xml", "workbook.xml"), model.EFileFormat},
		"xlsb":                 {pack(t, "[Content_Types].xml", types, "_rels/.rels", relsHead+`<Relationship Id="r1" Type="officeDocument" Target="xl/workbook.bin"/></Relationships>`), model.EFileConvert},
		"docx":                 {pack(t, "[Content_Types].xml", types, "word/document.xml", "x"), model.EFileEmpty},
		"other charset":        {bare(t, `<?xml version="1.0" encoding="klingon"?><worksheet/>`), model.EFileFormat},
		"pdf":                  {[]byte("%PDF-1.7\nhello"), model.EFileConvert},
		"xls":                  {oldXLS("Workbook"), model.EFileConvert},
		"xls, short":           {[]byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"), model.EFileConvert},
	} {
		began := time.Now()
		s, err := FromReader(name, bytes.NewReader(c.raw), int64(len(c.raw)), Options{})
		if err == nil {
			err = s.Read(context.Background(), func(model.Row) error { return nil }, func(model.Reject) error { return nil }, nil)
		}
		if got := model.CodeOf(err); got != c.want {
			t.Errorf("%s: %q (%v), want %q", name, got, err, c.want)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s took %v", name, took)
		}
	}
}

// One string that many cells share cannot become more text than a file may have.
func TestSheetText(t *testing.T) {
	r := sheetRow{src: &Source{}, text: maxSheetText - 5}
	if err := r.put(0, "12345"); err != nil {
		t.Error(err)
	}
	if err := r.put(1, "6"); model.CodeOf(err) != model.EFileTooBig {
		t.Error(err)
	}
}

// oldXLS is the start of a compound file with one name in its directory.
func oldXLS(name string) []byte {
	b := make([]byte, 1536)
	copy(b, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1")
	binary.LittleEndian.PutUint16(b[30:], 9)
	binary.LittleEndian.PutUint32(b[48:], 1)
	for i, c := range []byte(name) {
		b[1024+2*i] = c
	}
	return b
}

func TestDataFolder(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, dataFile)
	ok(t, os.WriteFile(file, append([]byte("SQLite format 3\x00"), make([]byte, 1000)...), 0o600))
	for _, path := range []string{dir, file} {
		if _, err := Open(path, Options{}); model.CodeOf(err) != model.EFileDataFolder {
			t.Errorf("%s: %v", path, err)
		}
		asked, busy := "", errors.New("busy")
		if _, err := Open(path, Options{Folder: func(path string) (Folder, error) { asked = path; return nil, busy }}); asked != dir || !errors.Is(err, busy) {
			t.Errorf("%s: asked for %q, %v", path, asked, err)
		}
	}
}

func TestXLSXCancelAndForced(t *testing.T) {
	raw := bare(t, strings.Repeat(personRow, 5000))
	s := must[*Source](t)(FromReader("a.xlsx", bytes.NewReader(raw), int64(len(raw)), Options{Format: FormatCSV}))
	ctx, cancel := context.WithCancel(context.Background())
	n := 0
	err := s.Read(ctx, func(model.Row) error {
		if n++; n == 500 {
			cancel()
		}
		return nil
	}, func(model.Reject) error { return nil }, nil)
	if model.CodeOf(err) != model.ECancelled || n > 2000 || s.Format() != FormatXLSX {
		t.Errorf("%v after %d rows", err, n)
	}
	if _, err := FromText("a@example.com", Options{Format: FormatXLSX}); model.CodeOf(err) != model.EFileFormat {
		t.Errorf("a text as a workbook: %v", err)
	}
}

// hundredThousand is a workbook of rows as a shop has them.
func hundredThousand(b testing.TB) []byte {
	f := excelize.NewFile()
	w := must[*excelize.StreamWriter](b)(f.NewStreamWriter("Sheet1"))
	ok(b, w.SetRow("A1", []any{"姓名", "邮箱", "QQ", "城市", "余额"}))
	for i := range 100_000 {
		ok(b, w.SetRow(fmt.Sprintf("A%d", i+2), []any{fmt.Sprintf("客户%d", i), fmt.Sprintf("u%d@example.com", i), 4200000000 + i, "上海", float64(i) / 4}))
	}
	ok(b, w.Flush())
	return saved(b, f)
}

// BenchmarkXLSX reads 100,000 rows; BenchmarkExcelizeRows is the bare loop that it is measured against.
func BenchmarkXLSX(b *testing.B) {
	raw := hundredThousand(b)
	b.ReportAllocs()
	for b.Loop() {
		s := must[*Source](b)(FromReader("a.xlsx", bytes.NewReader(raw), int64(len(raw)), Options{}))
		n := 0
		ok(b, s.Read(context.Background(), func(model.Row) error { n++; return nil }, func(r model.Reject) error { return nil }, nil))
		if n != 100_000 {
			b.Fatalf("%d rows", n)
		}
	}
}

func BenchmarkExcelizeRows(b *testing.B) {
	raw := hundredThousand(b)
	b.ReportAllocs()
	for b.Loop() {
		f := must[*excelize.File](b)(excelize.OpenReader(bytes.NewReader(raw)))
		rows := must[*excelize.Rows](b)(f.Rows("Sheet1"))
		n := 0
		for rows.Next() {
			if len(must[[]string](b)(rows.Columns())) > 0 {
				n++
			}
		}
		ok(b, rows.Close())
		ok(b, f.Close())
		if n != 100_001 {
			b.Fatalf("%d rows", n)
		}
	}
}
