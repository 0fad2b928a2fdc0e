package disk

import (
	"os"
	"syscall"
	"testing"

	"hongyan/e2e/ctl"
)

// paused is a campaign that was interrupted in the middle.
func paused(t *testing.T, dir string) *story {
	t.Helper()
	s := begin(t, dir)
	p := s.send("en")
	p.Interrupt()
	p.Wait().Want(ctl.Stopped)
	return s
}

// refused tries to go on in both languages: not one letter may go.
func (s *story) refused(code int) {
	s.Helper()
	before := s.srv.Count()
	for _, lang := range []string{"zh", "en"} {
		s.told(s.Run("campaign", "run", "c", "--resume", "--quiet", "--json", "--lang", lang), lang, code)
	}
	if n := s.srv.Count() - before; n != 0 {
		s.Errorf("%d letters went out", n)
	}
}

// TestReadOnlyBefore: a disk that became read-only lets no campaign go on, and takes nothing from it.
func TestReadOnlyBefore(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 { // who is not root is kept out by permissions
		s := paused(t, "")
		allow := forbid(s, nil)
		s.refused(ctl.Stopped)
		allow()
		s.resumed()
		return
	}
	disk := smallDisk(t)
	s := paused(t, disk)
	mode := func(flags uintptr) {
		if err := syscall.Mount("", disk, "", syscall.MS_REMOUNT|flags, ""); err != nil {
			t.Fatal(err)
		}
	}
	mode(syscall.MS_RDONLY)
	s.refused(ctl.Stopped)
	if n := s.Status("c"); n.State != "paused" || n.Accepted < 50 { // looking is allowed
		t.Errorf("%+v", n)
	}
	mode(0)
	s.resumed()
}

// TestLockedBefore: a file that another program holds is told of, and nothing is sent.
func TestLockedBefore(t *testing.T) {
	t.Parallel()
	s := paused(t, "")
	release := lock("deliveries.db", 0)(s, nil)
	s.refused(ctl.Stopped)
	release()
	s.resumed()
}

// TestGoneForGood: without its journal a campaign is not known any more, and nobody is written to.
func TestGoneForGood(t *testing.T) {
	t.Parallel()
	s := begin(t, "")
	p := s.send("en")
	must(s, os.Remove(s.file("deliveries.db")))
	s.told(p.Wait(), "en", ctl.Stopped)
	s.refused(ctl.Usage)
}
