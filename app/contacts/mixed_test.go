package contacts

import (
	"bytes"
	"context"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
	"pgregory.net/rapid"

	"hongyan/app/model"
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
		got, err := io.ReadAll(newMixed(iotest.HalfReader(bytes.NewReader(raw.Bytes())), fromGB18030))
		if err != nil || !bytes.Equal(got, want.Bytes()) {
			t.Errorf("%q, %v; want %q", got, err, want.Bytes())
		}
	})
}

// A line of UTF-8 among those of GB18030 keeps its address: n10@例子.中国 must not become somebody else's.
func TestUTF8AmongGB18030(t *testing.T) {
	han := []rune(simplified)
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.Map(rapid.SliceOfN(rapid.SampledFrom(han).Filter(func(r rune) bool { return r > 0x4E00 }), 2, 8), func(r []rune) string { return string(r) })
		var lines, want []string
		for i := range rapid.IntRange(1, 3).Draw(t, "utf-8") {
			want = append(want, "n"+strconv.Itoa(i)+"@例子.中国")
			lines = append(lines, want[i]+","+word.Draw(t, "name"))
		}
		for range rapid.IntRange(4, 12).Draw(t, "gb18030") {
			raw, err := simplifiedchinese.GB18030.NewEncoder().String("张" + word.Draw(t, "other"))
			if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, "b@example.com,"+raw)
		}
		text := strings.Join(rapid.Permutation(lines).Draw(t, "lines"), "\n") + "\n"
		s, err := FromReader("a.csv", strings.NewReader(text), int64(len(text)), Options{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		if err := s.Read(context.Background(), func(r model.Row) error {
			if r.Address != "b@example.com" {
				got = append(got, r.Address)
			}
			return nil
		}, func(r model.Reject) error { t.Errorf("%s: %+v", s.Charset(), r); return nil }, nil); err != nil {
			t.Fatal(err)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("read as %s: %v, want %v; %q", s.Charset(), got, want, text)
		}
	})
}

// A line that is GB18030 is never taken for UTF-8: whatever is not surely UTF-8 stays as it is.
func TestGB18030IsNotTakenForUTF8(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := string(rapid.SliceOfN(rapid.SampledFrom([]rune(simplified)), 1, 30).Draw(t, "name"))
		raw, err := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(name))
		if err != nil {
			t.Fatal(err)
		}
		if out, ok := toGB18030(raw); ok {
			t.Errorf("%s became %q", name, out)
		}
	})
}

// What is neither, and lines without an end, stay as they are; nothing gets lost.
func TestMixedKeepsTheRest(t *testing.T) {
	long := strings.Repeat("长", longestMixed)
	for _, in := range []string{"", "a", "b\xffc\nd\xff", long, long + "\nx\xff\n" + long} {
		got, err := io.ReadAll(newMixed(strings.NewReader(in), fromGB18030))
		if err != nil || string(got) != in {
			t.Errorf("%d octets became %d, %v", len(in), len(got), err)
		}
	}
}

// A text of many short lines is read to its end, though it is given line by line.
func TestMixedOfManyLines(t *testing.T) {
	text := strings.Repeat("张伟 a@example.com 北京\n", 500) + "x@example.com \xff\n"
	s, err := FromReader("a.txt", strings.NewReader(text), int64(len(text)), Options{})
	rows, _ := readAll(t, s, err)
	if !s.mixed || len(rows) != 501 {
		t.Errorf("%d rows, mixed %v", len(rows), s.mixed)
	}
}
