package contacts

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hongyan/app/model"
)

const odsHead = `<?xml version="1.0" encoding="UTF-8"?><office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"
 xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"><office:automatic-styles/><office:body><office:spreadsheet>`

const odsTail = `</office:spreadsheet></office:body></office:document-content>`

// document makes a workbook of OpenDocument out of the XML of its tables.
func document(t testing.TB, tables string) []byte {
	t.Helper()
	if !strings.Contains(tables, "<table:table ") && !strings.Contains(tables, "<!DOCTYPE") {
		tables = `<table:table table:name="a">` + tables + `</table:table>`
	}
	return pack(t, "mimetype", odsMime, "META-INF/manifest.xml", `<manifest:manifest/>`, "content.xml", odsHead+tables+odsTail)
}

func odsRow(cells ...string) string {
	var b strings.Builder
	b.WriteString(`<table:table-row>`)
	for _, c := range cells {
		if strings.HasPrefix(c, "<") {
			b.WriteString(c)
			continue
		}
		b.WriteString(`<table:table-cell office:value-type="string" calcext:value-type="string"><text:p>` + c + `</text:p></table:table-cell>`)
	}
	return b.String() + `</table:table-row>`
}

func TestODS(t *testing.T) {
	const blankCells = `<table:table-cell table:number-columns-repeated="2"/>`
	raw := document(t, `<table:tracked-changes><table:table-row><table:table-cell office:value-type="string"><text:p>old@example.com</text:p></table:table-cell></table:table-row></table:tracked-changes>`+
		`<table:table table:name="季度">`+odsRow("季度", "收入")+odsRow("Q1", `<table:table-cell office:value-type="float" office:value="12.5"><text:p>12,50</text:p></table:table-cell>`)+`</table:table>`+
		`<table:table table:name="客户"><table:table-column/>`+
		`<table:table-row table:number-rows-repeated="2"><table:table-cell table:number-columns-repeated="1024"/></table:table-row>`+
		`<table:table-header-rows>`+odsRow(blankCells, "姓名", "邮箱", "QQ", "生日", "备注")+`</table:table-header-rows>`+
		odsRow(blankCells, "张三", `Zhang<text:s/><text:span>San</text:span> &lt;<text:a>zs@Example.com</text:a>&gt;`,
			`<table:table-cell office:value-type="float" office:value="4.2E9"><text:p>4.20E+09</text:p></table:table-cell>`,
			`<table:table-cell office:value-type="date" office:date-value="2024-03-01"><text:p>01.03.24</text:p></table:table-cell>`,
			`<table:table-cell office:value-type="string"><office:annotation><text:p>note@example.com</text:p></office:annotation><text:p>eins</text:p><text:p>zwei<text:tab/><text:line-break/>drei</text:p></table:table-cell>`)+
		`<table:table-row table:number-rows-repeated="3"><table:table-cell table:number-columns-repeated="3"/><table:table-cell office:value-type="string"><text:p>li@example.com</text:p></table:table-cell></table:table-row>`+
		`<table:table-row><table:table-cell/></table:table-row>`+
		odsRow(blankCells, "坏", "not an address")+
		odsRow(blankCells, "公式", `<table:table-cell table:formula="of:=LOWER(&quot;F@X&quot;)" office:value-type="string" office:string-value="f@example.com"/>`)+
		`<table:table-row table:number-rows-repeated="1048565"><table:table-cell table:number-columns-repeated="1024"/></table:table-row></table:table>`)
	rows, rejects, s := readBytes(t, "a.ods", raw)
	want := []string{"4\tzs@example.com\t张三", "5\tli@example.com\t", "6\tli@example.com\t", "7\tli@example.com\t", "10\tf@example.com\t公式", "9\t!syntax\tnot an address"}
	if d := cmp.Diff(want, listing(rows, rejects)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(map[string]string{"QQ": "4200000000", "生日": "2024-03-01", "备注": "eins\nzwei\t\ndrei"}, rows[0].Fields); d != "" {
		t.Error(d)
	}
	if s.Format() != FormatODS || s.NoConsent() || len(s.Columns()) != 7 || s.Columns()[3].Role != RoleEmail {
		t.Errorf("found %s, %v", s.Format(), s.Columns())
	}
}

func TestODSHostile(t *testing.T) {
	person := odsRow("a@example.com")
	for name, c := range map[string]struct {
		raw  []byte
		want model.Code
		rows int
	}{
		"repeated very often":   {document(t, strings.Replace(person, "<table:table-row>", `<table:table-row table:number-rows-repeated="100000">`, 1)), "", 100_000},
		"repeated past the end": {document(t, strings.Replace(person, "<table:table-row>", `<table:table-row table:number-rows-repeated="99999999999999999999">`, 1)), "", 1},
		"rows past the end":     {document(t, `<table:table-row table:number-rows-repeated="1048576"/>`+person), model.EFileFormat, 0},
		"columns repeated":      {document(t, strings.Replace(person, "<table:table-cell ", `<table:table-cell table:number-columns-repeated="16000000" `, 1)), "", 1},
		"long rows repeated": {document(t, strings.Replace(odsRow("a@example.com", strings.Repeat("x", 60_000)), "<table:table-row>", `<table:table-row table:number-rows-repeated="1000000">`, 1)),
			model.EFileTooBig, 0},
		"rows too long": {document(t, person+strings.Replace(strings.Replace(odsRow("a@example.com", strings.Repeat("x", 60_000)), "<table:table-row>", `<table:table-row table:number-rows-repeated="20">`, 1),
			`office:value-type="string" calcext:value-type="string"><text:p>x`, `table:number-columns-repeated="500" office:value-type="string"><text:p>x`, 1)), "", 1},
		"billion laughs": {pack(t, "mimetype", odsMime, "content.xml", `<!DOCTYPE lolz [<!ENTITY lol "lol">]>`+odsHead+person+odsTail), model.EFileFormat, 0},
		"deep nesting":   {document(t, strings.Repeat("<a>", 300_000)), model.EFileFormat, 0},
		"deep in a cell": {document(t, odsRow(strings.Repeat("<text:p>", 300_000))), model.EFileFormat, 0},
		"cut":            {pack(t, "mimetype", odsMime, "content.xml", odsHead+`<table:table table:name="a">`+person), model.EFileFormat, 0},
		"NUL":            {document(t, odsRow("a\x00@example.com")), model.EFileFormat, 0},
		"no sheet":       {pack(t, "mimetype", odsMime, "content.xml", odsHead+odsTail), model.EFileEmpty, 0},
		"password":       {pack(t, "mimetype", odsMime, "META-INF/manifest.xml", `<manifest:manifest><manifest:file-entry><manifest:encryption-data/></manifest:file-entry></manifest:manifest>`, "content.xml", "\x01\x02"), model.EFileEncrypted, 0},
		"text document":  {pack(t, "mimetype", "application/vnd.oasis.opendocument.text", "content.xml", odsHead+odsTail), model.EFileEmpty, 0},
		"slides":         {pack(t, "mimetype", "application/vnd.oasis.opendocument.presentation", "content.xml", odsHead+odsTail), model.EFileConvert, 0},
	} {
		began := time.Now()
		n := 0
		s, err := FromReader(name, bytes.NewReader(c.raw), int64(len(c.raw)), Options{})
		if err == nil {
			err = s.Read(context.Background(), func(model.Row) error { n++; return nil }, func(model.Reject) error { return nil }, nil)
		}
		if got := model.CodeOf(err); got != c.want || c.want == "" && n != c.rows {
			t.Errorf("%s: %q (%v) after %d rows, want %q", name, got, err, n, c.want)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("%s took %v", name, took)
		}
	}
}
