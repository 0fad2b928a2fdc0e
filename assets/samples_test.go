package assets

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
)

func TestSampleLetterHasAFrontMatter(t *testing.T) {
	for _, lang := range Languages {
		s := string(SampleLetter(lang))
		if !utf8.ValidString(s) || !strings.HasPrefix(s, "---\nsubject: ") || !strings.Contains(s, "{{name|") {
			t.Errorf("%s: not a letter with a subject and a field: %q", lang, s)
		}
	}
}

func TestSampleListIsGB18030(t *testing.T) {
	if utf8.Valid(SampleList()) {
		t.Fatal("the sample list is UTF-8: it must show that GB18030 is recognised")
	}
	r := csv.NewReader(simplifiedchinese.GB18030.NewDecoder().Reader(bytes.NewReader(SampleList())))
	r.FieldsPerRecord = -1
	head, err := r.Read()
	if err != nil || len(head) < 3 || head[0] != "姓名" || head[1] != "邮箱" || head[2] != "QQ" {
		t.Fatalf("header %q, %v", head, err)
	}
	rows := 0
	for ; ; rows++ {
		if _, err := r.Read(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if rows < 100 {
		t.Errorf("%d rows", rows)
	}
}

func TestSamplesAreCopies(t *testing.T) {
	SampleLetter("zh")[0], SampleLetter("en")[0] = 'x', 'x'
	SampleList()[0] = 'x'
	if SampleLetter("zh")[0] != '-' || SampleLetter("en")[0] != '-' || SampleList()[0] == 'x' {
		t.Error("a caller can change the sample")
	}
}
