package contacts

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
	"pgregory.net/rapid"
)

// TestMixed: whatever the mixture, each line comes back as what it was written as.
func TestMixed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var raw, want bytes.Buffer
		for _, line := range rapid.SliceOfN(rapid.StringOfN(rapid.SampledFrom([]rune("张伟北京上海测试,@abc ")), 0, 30, -1), 0, 20).Draw(t, "lines") {
			want.WriteString(line + "\n")
			enc, err := simplifiedchinese.GB18030.NewEncoder().String(line)
			if err != nil {
				t.Fatal(err)
			}
			if rapid.Bool().Draw(t, "gb") && !utf8.ValidString(enc) {
				line = enc
			}
			raw.WriteString(line + "\n")
		}
		got, err := io.ReadAll(newMixed(iotest.HalfReader(bytes.NewReader(raw.Bytes()))))
		if err != nil || !bytes.Equal(got, want.Bytes()) {
			t.Errorf("%q, %v; want %q", got, err, want.Bytes())
		}
	})
}

// What is neither, and lines without an end, stay as they are; nothing gets lost.
func TestMixedKeepsTheRest(t *testing.T) {
	long := strings.Repeat("长", longestMixed)
	for _, in := range []string{"", "a", "b\xffc\nd\xff", long, long + "\nx\xff\n" + long} {
		got, err := io.ReadAll(newMixed(strings.NewReader(in)))
		if err != nil || string(got) != in {
			t.Errorf("%d octets became %d, %v", len(in), len(got), err)
		}
	}
}
