//go:build unix

package store_test

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"hongyan/app/model"
	"hongyan/store"
)

const nobody = 65534

// lookAs runs look on a folder. Root may write everywhere, so the child of root is somebody else; it needs a copy
// of the test binary where it may read.
func lookAs(t *testing.T, dir string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	if os.Getuid() == 0 {
		bin := filepath.Join(dir, "..", "child")
		in, err := os.Open(os.Args[0])
		must(t, err)
		out, err := os.OpenFile(bin, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o755)
		must(t, err)
		_, err = io.Copy(out, in)
		must(t, err)
		must(t, in.Close())
		must(t, out.Close())
		cmd.Path = bin
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	cmd.Env = append(os.Environ(), childEnv+"=look "+dir)
	said, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	return strings.TrimSpace(string(said))
}

func TestReadOnlyFolder(t *testing.T) {
	base := t.TempDir()
	for d := base; d != filepath.Dir(os.TempDir()) && d != "/" && d != os.TempDir(); d = filepath.Dir(d) {
		must(t, os.Chmod(d, 0o755))
	}
	dir := filepath.Join(base, "data")
	s := open(t, dir, store.Options{})
	newList(t, s, "l")
	campaignOf(t, s, "c", 3, model.CampaignPaused)
	must(t, s.Close())
	chmod := func(folder, files os.FileMode) {
		names, err := filepath.Glob(filepath.Join(dir, "*"))
		must(t, err)
		for _, f := range names {
			must(t, os.Chmod(f, files))
		}
		must(t, os.Chmod(dir, folder))
	}
	defer chmod(0o700, 0o600)
	chmod(0o555, 0o444)
	if said := lookAs(t, dir); said != "write db.read_only\nread \ncampaigns 1  lists 1" {
		t.Errorf("a read-only folder:\n%s", said)
	}
	chmod(0o777, 0o444)
	if said := lookAs(t, dir); !strings.HasPrefix(said, "write db.read_only\n") {
		t.Errorf("read-only files:\n%s", said)
	}
}
