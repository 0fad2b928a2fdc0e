package main

import (
	"archive/zip"
	"io"
	"path/filepath"
	"strings"
	"testing"
)

func TestSupport(t *testing.T) {
	p := newProgram(t)
	p.want(exitDone, "secret-code\n", "account", "add", "--from", "desk@books.test", "--host", "127.0.0.1", "--port", "2525", "--tls", "none", "--user", "desk", "--password-stdin")
	file := filepath.Join(t.TempDir(), "support.zip")
	p.want(exitDone, "", "support", "--to", file, "--no-addresses")
	z, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		for _, no := range []string{"secret-code", "desk@books.test", "books.test"} {
			if strings.Contains(string(b), no) {
				t.Errorf("%s shows %s", f.Name, no)
			}
		}
	}
	p.want(exitUsage, "", "support")
	p.want(exitUsage, "", "support", "--to", filepath.Join(t.TempDir(), "no", "folder.zip"))
}
