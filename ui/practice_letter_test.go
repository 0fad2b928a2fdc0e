package ui

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const receivedMail = "From: =?utf-8?b?6K+75Lmm5Lya?= <desk@example.com>\r\nTo: <a@example.com>\r\n" +
	"Subject: =?utf-8?b?5ZGo5YWt5rS75Yqo?=\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n" +
	"--x\r\nContent-Type: multipart/alternative; boundary=y\r\n\r\n" +
	"--y\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n5byg5Lyf5oKo\r\n5aW977yB\r\n" +
	"--y\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>=E5=BC=A0=\r\n=E4=BC=9F</p>\r\n" +
	"--y--\r\n--x\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"plan.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--x--\r\n"

func TestReadReceived(t *testing.T) {
	got := readReceived([]byte(receivedMail))
	want := received{from: "读书会 <desk@example.com>", to: "<a@example.com>", subject: "周六活动", text: "张伟您好！", html: "<p>张伟</p>",
		files: []string{"plan.pdf"}, raw: receivedMail}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(received{})); diff != "" {
		t.Error(diff)
	}
	for _, odd := range []string{"", "no header at all", "Content-Type: multipart/mixed\r\n\r\n--\r\n", "Subject: =?utf-8?b?!!?=\r\n\r\nx",
		strings.Repeat("Content-Type: multipart/mixed; boundary=z\r\n\r\n--z\r\n", 50)} {
		if got := readReceived([]byte(odd)); got.raw != odd {
			t.Errorf("%q: what came is lost", odd)
		}
	}
}

// TestPracticeLetter: a letter that arrived is read in the window, decoded; one that is gone is a sentence.
func TestPracticeLetter(t *testing.T) {
	f := shop("zh")
	f.practiceLetters = practiceLetters(f)
	path := filepath.Join(t.TempDir(), "1.eml")
	if err := os.WriteFile(path, []byte(receivedMail), 0o600); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, "zh", f)
	r.w.practiceLetter(path)
	r.run()
	r.wants("读书会 <desk@example.com>", "周六活动", "张伟您好！", "plan.pdf")
	if !r.enabled(r.text("ui.preview.browser")) {
		t.Error("its HTML cannot be looked at")
	}
	r.tap("关闭")
	r.w.practiceLetter(path + ".gone")
	r.run()
	r.wants(r.text("ui.error.title"), "1.eml.gone")
}
