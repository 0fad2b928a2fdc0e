package contacts

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"hongyan/app/model"
)

// books are one workbook in both formats: a cover, customers, figures, QQ numbers, a hidden sheet, partners.
func books(t *testing.T) map[string][]byte {
	sheets := []struct {
		name string
		rows [][]string
	}{
		{"封面", [][]string{{"2024 年通讯录"}}},
		{"客户", [][]string{{"姓名", "邮箱"}, {"张三", "zs@example.com"}}},
		{"Figures", [][]string{{"Q1", "twelve"}, {"Q2", "thirteen"}}},
		{"群", [][]string{{"成员", "QQ"}, {"王五", "123456789"}}},
		{"旧", [][]string{{"邮箱"}, {"old@example.com"}}},
		{"Partners", [][]string{{"Company", "Email"}, {"Example Ltd", "p@example.com"}}},
	}
	x, tables := excelize.NewFile(), strings.Builder{}
	ok(t, x.SetSheetName("Sheet1", sheets[0].name))
	tables.WriteString(`<style:style style:name="ta9" style:family="table"><style:table-properties table:display="false"/></style:style>`)
	for _, s := range sheets {
		_ = must[int](t)(x.NewSheet(s.name))
		style := "ta1"
		if s.name == "旧" {
			style = "ta9"
		}
		tables.WriteString(`<table:table table:name="` + s.name + `" table:style-name="` + style + `">`)
		for i, r := range s.rows {
			ok(t, x.SetSheetRow(s.name, must[string](t)(excelize.CoordinatesToCellName(1, i+1)), &r))
			tables.WriteString(odsRow(r...))
		}
		tables.WriteString(`</table:table>`)
	}
	ok(t, x.SetSheetVisible("旧", false))
	return map[string][]byte{"a.xlsx": saved(t, x), "a.ods": document(t, tables.String())}
}

func TestSheets(t *testing.T) {
	for name, raw := range books(t) {
		t.Run(name, func(t *testing.T) {
			rows, rejects, s := readBytes(t, name, raw)
			if d := cmp.Diff([]string{"2\tzs@example.com\t张三"}, listing(rows, rejects)); d != "" || s.Sheet() != "客户" {
				t.Error(s.Sheet(), d)
			}
			for range 2 {
				if d := cmp.Diff([]string{"客户", "群", "Partners"}, s.Sheets()); d != "" {
					t.Error(d)
				}
			}
			for sheet, want := range map[string]string{"partners ": "2\tp@example.com\tExample Ltd", "群": "2\t123456789@qq.com\t王五", "": "2\tzs@example.com\t张三"} {
				ok(t, s.SetSheet(sheet))
				rows, rejects := readAll(t, s, nil)
				if d := cmp.Diff([]string{want}, listing(rows, rejects)); d != "" {
					t.Errorf("%q: %s", sheet, d)
				}
				opened, err := FromReader(name, bytes.NewReader(raw), int64(len(raw)), Options{Sheet: sheet})
				rows, rejects = readAll(t, opened, err)
				if d := cmp.Diff([]string{want}, listing(rows, rejects)); d != "" || !sameSheet(opened.Sheet(), s.Sheet()) {
					t.Errorf("%q: %s", sheet, d)
				}
			}
			// A sheet without addresses can be chosen: the user may know better which column holds them.
			ok(t, s.SetSheet("Figures"))
			if cols := s.Columns(); s.Sheet() != "Figures" || len(cols) != 2 {
				t.Error(s.Sheet(), cols)
			}
			before := s.Columns()
			for _, gone := range []string{"旧", "nothing"} {
				if err := s.SetSheet(gone); model.CodeOf(err) != model.ENotFound {
					t.Errorf("%q: %v", gone, err)
				}
			}
			if d := cmp.Diff(before, s.Columns()); d != "" || s.Sheet() != "Figures" {
				t.Error("a sheet that is not there changed something", s.Sheet(), d)
			}
		})
	}
}

// TestSheetsAllHidden: what is hidden is read where there is nothing else.
func TestSheetsAllHidden(t *testing.T) {
	raw := document(t, `<style:style style:name="h" style:family="table"><style:table-properties table:display="false"/></style:style>`+
		`<table:table table:name="a" table:style-name="h">`+odsRow("a@example.com")+`</table:table>`)
	rows, _, s := readBytes(t, "a.ods", raw)
	if len(rows) != 1 || s.Sheet() != "a" {
		t.Errorf("read %v of sheet %q", rows, s.Sheet())
	}
}

// TestNoSheets: a text has no sheets, and does not take the name of one.
func TestNoSheets(t *testing.T) {
	s, err := FromText("a@example.com", Options{})
	ok(t, err)
	if s.Sheets() != nil || s.Sheet() != "" {
		t.Error(s.Sheets(), s.Sheet())
	}
	ok(t, s.SetSheet(""))
	_, opened := FromText("a@example.com", Options{Sheet: "a"})
	for _, err := range []error{opened, s.SetSheet("a")} {
		var e *model.Error
		if !errors.As(err, &e) || e.Code != model.ENotFound || e.Args["kind"] != "sheet" || e.Args["name"] != "a" {
			t.Errorf("got %v", err)
		}
	}
}
