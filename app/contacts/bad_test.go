package contacts

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"hongyan/app/model"
)

func write(t *testing.T, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestBadFiles(t *testing.T) {
	random := make([]byte, 100<<10)
	rng := rand.NewChaCha8([32]byte{1})
	if _, err := rng.Read(random); err != nil {
		t.Fatal(err)
	}
	big := write(t, "big.csv", nil)
	if err := os.Truncate(big, 2<<30); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		path string
		want model.Code
	}{
		"missing":      {filepath.Join(t.TempDir(), "none.csv"), model.EFileMissing},
		"directory":    {t.TempDir(), model.EFileDirectory},
		"empty":        {write(t, "a.csv", nil), model.EFileEmpty},
		"blank":        {write(t, "a.txt", []byte("\xEF\xBB\xBF \r\n\t\n")), model.EFileEmpty},
		"two GB":       {big, model.EFileTooBig},
		"random":       {write(t, "a.dat", random), model.EFileBinary},
		"zeros":        {write(t, "a.img", make([]byte, 70<<10)), model.EFileBinary},
		"picture":      {write(t, "a.csv", append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"), random[:3000]...)), model.EFileBinary},
		"program":      {write(t, "a.exe", append([]byte("MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00"), random[:3000]...)), model.EFileBinary},
		"few octets":   {write(t, "a.bin", []byte{1, 2, 3, 4, 5}), model.EFileBinary},
		"below a file": {filepath.Join(write(t, "a.csv", []byte("x")), "b.csv"), model.EFileUnreadable},
		"NUL in name":  {"a\x00.csv", model.EFileUnreadable},
		"bare":         {write(t, "a.csv", []byte("a@example.com")), ""},
		"not regular":  {os.DevNull, model.EFileFormat},
	} {
		s, err := Open(c.path, Options{})
		if got := model.CodeOf(err); got != c.want {
			t.Errorf("%s: %q (%v), want %q", name, got, err, c.want)
		}
		if err == nil {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		} else if e, ok := errors.AsType[*model.Error](err); !ok || e.Args["path"] != c.path {
			t.Errorf("%s: the error names %v", name, e)
		}
	}
	for _, opt := range []Options{{Charset: "klingon"}, {Format: "doc"}} {
		if _, err := Open(filepath.Join("testdata", "mixed.txt"), opt); model.CodeOf(err) != model.EInvalid {
			t.Errorf("%+v: %v", opt, err)
		}
	}
}

// long is head, then a run of one octet, then tail; it takes no memory.
type long struct {
	head, tail string
	run        int64
	octet      byte
}

func (l long) size() int64 { return int64(len(l.head)) + l.run + int64(len(l.tail)) }

func (l long) ReadAt(p []byte, off int64) (int, error) {
	n := 0
	for n < len(p) && off < l.size() {
		switch h := int64(len(l.head)); {
		case off < h:
			p[n] = l.head[off]
		case off < h+l.run:
			k := int(min(int64(len(p)-n), h+l.run-off))
			p[n] = l.octet
			for done := 1; done < k; done *= 2 {
				copy(p[n+done:n+k], p[n:n+done])
			}
			n, off = n+k, off+int64(k)
			continue
		default:
			p[n] = l.tail[off-h-l.run]
		}
		n, off = n+1, off+1
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func TestLongLine(t *testing.T) {
	const table = "姓名,邮箱\r\na,a@example.com\r\n"
	const chatHead, cardHead = "2024-03-01 9:00:00 <", "BEGIN:VCARD\nEMAIL:"
	for name, in := range map[string]long{
		"text":             {"a@example.com\n", "\nb@example.com\n", 24 << 20, 'x'},
		"csv":              {table, "\r\nb,b@example.com\r\n", 24 << 20, 'x'},
		"csv in quotes":    {table + `"`, "\r\nb,b@example.com\r\n", 24 << 20, 'x'},
		"csv of quotes":    {table, "\r\nb,b@example.com\r\n", 8 << 20, '"'},
		"csv of commas":    {table, "\r\nb,b@example.com\r\n", 8 << 20, ','},
		"text of NULs":     {strings.Repeat(" \n", 40<<10) + "a@example.com\n", "\nb@example.com\n", 8 << 20, 0},
		"text of blanks":   {"a@example.com\n", "\nb@example.com\n", 4 << 20, ' '},
		"csv of newlines":  {table, "\r\nb,b@example.com\r\n", 1 << 20, '\n'},
		"text of at signs": {"a@example.com\n", "\nb@example.com\n", 256 << 10, '@'},
		"chat":             {chatHead + "a@example.com>\n", "\n" + chatHead + "b@example.com>\n", 24 << 20, 'x'},
		"chat of brackets": {chatHead + "a@example.com>\n", "\n" + chatHead + "b@example.com>\n", 1 << 20, '('},
		"card":             {cardHead + "a@example.com\nNOTE:", "\nEND:VCARD\n" + cardHead + "b@example.com\nEND:VCARD\n", 24 << 20, 'x'},
		"card of colons":   {cardHead + "a@example.com\nNOTE:", "\nEND:VCARD\n" + cardHead + "b@example.com\nEND:VCARD\n", 1 << 20, ':'},
		"card of folds":    {cardHead + "a@example.com\nNOTE:", "\nEND:VCARD\n" + cardHead + "b@example.com\nEND:VCARD\n", 1 << 20, '\n'},
		"page of text":     {"<html><p>a@example.com<p>", "<p>b@example.com", 2 << 20, 'x'},
		"page of digits":   {"<html><p>a@example.com<p>", "<p>b@example.com", 256 << 10, '1'},
		"page of at signs": {"<html><p>a@example.com<p>", "<p>b@example.com", 256 << 10, '@'},
		"mail":             {"From: a@example.com\nMessage-ID: x\nX: ", "\nTo: b@example.com\n\n", 24 << 20, 'x'},
		"mail of blanks":   {"From: a@example.com\nMessage-ID: x\nCc: a@example.com,", " lost@example.co\nTo: b@example.com\n\n", 8 << 20, ' '},
		"mail of commas":   {"From: a@example.com\nMessage-ID: x\nCc: c", "\nTo: b@example.com\n\n", 1 << 20, ','},
		"mail of brackets": {"From: a@example.com\nMessage-ID: x\nCc: c@", "\nTo: b@example.com\n\n", 1 << 20, '('},
		"mbox of blanks":   {"From a 09:00\nFrom: a@example.com\n\n", "From b 09:00\nFrom: b@example.com\n", 256 << 10, '\n'},
		"saved page":       {"Snapshot-Content-Location: x\nContent-Type: text/html\n\n<p>a@example.com<p>", " <p>b@example.com", 256 << 10, '\n'},
		"saved header":     {"Snapshot-Content-Location: x\nContent-Type: text/html\nX: ", "\n\n<p>a@example.com<p>b@example.com", 24 << 20, 'x'},
		"ldif":             {"dn: c=a\nmail: a@example.com\njpegPhoto:: ", "\n\ndn: c=b\nmail: b@example.com\n", 24 << 20, 'x'},
		"json":             {"{\"email\":\"a@example.com\"}\n{\"x\":\"", "\"}\n{\"email\":\"b@example.com\"}\n", 4 << 20, 'x'},
		"json of brackets": {"{\"email\":\"a@example.com\"}\n{\"x\":", "\n{\"email\":\"b@example.com\"}\n", 4 << 20, '['},
		"json of quotes":   {"{\"email\":\"a@example.com\"}\n{", "\n{\"email\":\"b@example.com\"}\n", 4 << 20, '"'},
		"page of tags":     {"<html><p>a@example.com<p ", "><p>b@example.com", 4 << 20, '<'},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			s, err := FromReader(name, in, in.size(), Options{})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			rejects := 0
			err = s.Read(context.Background(),
				func(r model.Row) error { got = append(got, r.Email); return nil },
				func(r model.Reject) error {
					if rejects++; len(r.Text) > 4*rejectTextMax+3 {
						t.Errorf("a refused row of %d octets", len(r.Text))
					}
					return nil
				}, nil)
			if err != nil || strings.Join(got, " ") != "a@example.com b@example.com" {
				t.Errorf("got %v, %v", got, err)
			}
			runtime.ReadMemStats(&after)
			if grown := int64(after.Sys) - int64(before.Sys); grown > 64<<20 {
				t.Errorf("took %d MB", grown>>20)
			}
		})
	}
}

// One line of a gigabyte: quick, and in the memory of a short one. The race detector sees nothing in it but costs a
// minute, so it gets less.
func TestGigabyteLine(t *testing.T) {
	in := long{"a@example.com\n", "\nb@example.com\n", gigabyte - 100, 'x'}
	s, err := FromReader("line", in, in.size(), Options{})
	rows, rejects := readAll(t, s, err)
	if len(rows) != 2 || len(rejects) != 1 || rejects[0].Line != 2 || rejects[0].Reason != ReasonRowLength || len(rejects[0].Text) > 4*rejectTextMax+3 {
		t.Errorf("%d rows, rejects %+v", len(rows), rejects)
	}
	in.run = maxStream
	if _, err := FromReader("line", in, in.size(), Options{}); model.CodeOf(err) != model.EFileTooBig {
		t.Errorf("more than the limit: %v", err)
	}
}

func TestCancelAndErrors(t *testing.T) {
	text := strings.Repeat("a@example.com\n", 10000)
	s, err := FromText(text, Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	n := 0
	err = s.Read(ctx, func(model.Row) error {
		if n++; n == 500 {
			cancel()
		}
		return nil
	}, func(model.Reject) error { return nil }, nil)
	if model.CodeOf(err) != model.ECancelled || n > 2000 {
		t.Errorf("%v after %d rows", err, n)
	}
	boom := errors.New("boom")
	if err := s.Read(context.Background(), func(model.Row) error { return boom }, nil, nil); !errors.Is(err, boom) {
		t.Errorf("the error of emit is lost: %v", err)
	}
}

// failing fails from an offset on.
type failing struct {
	*bytes.Reader
	from int64
}

func (f failing) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > f.from {
		return 0, errors.New("the disk is gone")
	}
	return f.Reader.ReadAt(p, off)
}

func TestReadError(t *testing.T) {
	for name, line := range map[string]string{"text": "a@example.com\n", "csv": "a,a@example.com\n"} {
		text := strings.Repeat(line, 100000)
		in := failing{bytes.NewReader([]byte(text)), int64(len(text)) - 1000}
		s, err := FromReader(name, in, int64(len(text)), Options{Charset: UTF8})
		if err != nil {
			t.Fatal(err)
		}
		err = s.Read(context.Background(), func(model.Row) error { return nil }, func(model.Reject) error { return nil }, nil)
		if model.CodeOf(err) != model.EFileUnreadable {
			t.Errorf("%s: %v", name, err)
		}
	}
}
