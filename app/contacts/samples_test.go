package contacts

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	uni "golang.org/x/text/encoding/unicode"

	"hongyan/app/model"
)

// samples are the shapes that real programs write. What is to be found in each stands in testdata/expected, line
// by line, as read by another program (regular expressions and the csv module of Python): line, address and
// name of each row, then line, "!" with the reason, and text of each refused one.
var samples = []struct {
	name, format, charset string
	rows, rejects         int
	noConsent             bool
}{
	{"mixed.txt", FormatText, UTF8, 120, 0, false},
	{"customers-gbk.csv", FormatCSV, GB18030, 380, 30, false},
	{"qq-group-members.txt", FormatGroup, UTF8, 242, 0, false},
	{"qq-chat-export.txt", FormatChat, UTF8, 68, 83, true},
	{"phone-contacts.vcf", FormatVCard, UTF8, 100, 0, false},
	{"address-book.html", FormatHTML, GB18030, 80, 0, true},
}

func listing(rows []model.Row, rejects []model.Reject) []string {
	var out []string
	for _, r := range rows {
		out = append(out, fmt.Sprintf("%d\t%s\t%s", r.Line, r.Email, r.Name))
	}
	for _, r := range rejects {
		out = append(out, fmt.Sprintf("%d\t!%s\t%s", r.Line, r.Reason, r.Text))
	}
	return out
}

func expected(t *testing.T, name string) []string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "expected", name+".tsv"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n")
}

func TestSamples(t *testing.T) {
	for _, c := range samples {
		t.Run(c.name, func(t *testing.T) {
			rows, rejects, s := readFile(t, c.name)
			if s.Format() != c.format || s.Charset() != c.charset || len(rows) != c.rows || len(rejects) != c.rejects || s.NoConsent() != c.noConsent {
				t.Errorf("found %s, %s, %d rows, %d refused", s.Format(), s.Charset(), len(rows), len(rejects))
			}
			if d := cmp.Diff(expected(t, c.name), listing(rows, rejects)); d != "" {
				t.Error(d)
			}
			for _, r := range rows {
				if r.NoConsent != c.noConsent {
					t.Fatalf("consent of %+v", r)
				}
			}
		})
	}
}

// The same people are found whatever charset and line ends the file has, and in the same text pasted.
func TestSamplesInEveryCharset(t *testing.T) {
	for _, c := range samples {
		raw, err := os.ReadFile(filepath.Join("testdata", c.name))
		if err != nil {
			t.Fatal(err)
		}
		from, _, err := charsetByName(c.charset)
		if err != nil {
			t.Fatal(err)
		}
		text, err := from.NewDecoder().String(string(raw))
		if err != nil {
			t.Fatal(err)
		}
		text = strings.TrimPrefix(text, bom)
		want := expected(t, c.name)
		for _, to := range []struct {
			name, charset string
			enc           encoding.Encoding
			mark          string
		}{
			{"utf-8", UTF8, encoding.Nop, ""},
			{"utf-8 with mark", UTF8, encoding.Nop, bom},
			{"gb18030", GB18030, simplifiedchinese.GB18030, ""},
			{"utf-16le with mark", UTF16LE, uni.UTF16(uni.LittleEndian, uni.UseBOM), ""},
			{"utf-16be with mark", UTF16BE, uni.UTF16(uni.BigEndian, uni.UseBOM), ""},
			{"utf-16le", UTF16LE, uni.UTF16(uni.LittleEndian, uni.IgnoreBOM), ""},
			{"utf-16be", UTF16BE, uni.UTF16(uni.BigEndian, uni.IgnoreBOM), ""},
		} {
			enc, err := to.enc.NewEncoder().String(to.mark + text)
			if err != nil {
				t.Fatal(c.name, to.name, err)
			}
			s, err := FromReader("sample", strings.NewReader(enc), int64(len(enc)), Options{})
			rows, rejects := readAll(t, s, err)
			if d := cmp.Diff(want, listing(rows, rejects)); d != "" || s.Format() != c.format || s.Charset() != to.charset {
				t.Errorf("%s in %s: %s, %s\n%s", c.name, to.name, s.Format(), s.Charset(), d)
			}
		}
		for how, text := range map[string]string{"as it is": text, "with mark": bom + text, "LF": strings.ReplaceAll(text, "\r\n", "\n"),
			"CRLF": strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", "\r\n")} {
			rows, rejects := readString(t, text, Options{})
			if d := cmp.Diff(want, listing(rows, rejects)); d != "" {
				t.Errorf("%s pasted, %s: %s", c.name, how, d)
			}
		}
	}
}
