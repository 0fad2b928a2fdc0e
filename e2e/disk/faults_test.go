package disk

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	_ "modernc.org/sqlite"

	"hongyan/e2e/ctl"
)

const page = 4096

var faults = []fault{
	{name: "the disk becomes full", place: smallDisk, strike: fill},
	{name: "the file may not grow any more (ulimit -f)", strike: limitFiles},
	{name: "the files and the folder are made read-only", strike: forbid, goesOn: true},
	{name: "a page of deliveries.db is overwritten: who is due", strike: damage("deliveries.db", indexLeaf, "queued"), late: true},
	{name: "a page of deliveries.db is overwritten: addresses", strike: damage("deliveries.db", indexLeaf, "p1990@"), goesOn: true},
	{name: "a page of app.db is overwritten: people", strike: damage("app.db", tableLeaf, "p1990@"), goesOn: true},
	{name: "deliveries.db is deleted, then put back", strike: takeAway(false)},
	{name: "deliveries.db is replaced by another file, then put back", strike: takeAway(true)},
	{name: "another program locks deliveries.db for a second", strike: lock("deliveries.db", time.Second), goesOn: true},
	{name: "another program locks deliveries.db and keeps it", strike: lock("deliveries.db", 0)},
	{name: "another program locks app.db for a second", strike: lock("app.db", time.Second), goesOn: true},
}

// smallDisk is a disk of its own, which only root can make.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=100m"); err != nil {
		t.Skipf("left out: a small disk cannot be made here (%v)", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill gives all the room that is left to another file.
func fill(s *story, _ *ctl.Proc) func() {
	f, err := os.Create(filepath.Join(s.Data, "..", "filler"))
	if err != nil {
		s.Fatal(err)
	}
	for b := make([]byte, page); err == nil; {
		_, err = f.Write(b)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		s.Fatal(err)
	}
	_ = f.Close()
	return func() { must(s, os.Remove(f.Name())) }
}

// limitFiles lets no file of the process grow beyond what the log has now.
func limitFiles(s *story, p *ctl.Proc) func() {
	fi, err := os.Stat(s.file("deliveries.db-wal"))
	must(s, err)
	limit := unix.Rlimit{Cur: uint64(fi.Size()), Max: unix.RLIM_INFINITY}
	if err := unix.Prlimit(p.PID(), unix.RLIMIT_FSIZE, &limit, nil); err != nil {
		s.Skipf("left out: a process cannot be limited here (%v)", err)
	}
	return func() {} // the limit ends with the process
}

// forbid takes away every permission to write. Who holds a file open may go on, and root may anyway.
func forbid(s *story, _ *ctl.Proc) func() {
	all, err := filepath.Glob(s.file("*"))
	must(s, err)
	for _, f := range all {
		must(s, os.Chmod(f, 0o400))
	}
	must(s, os.Chmod(s.Data, 0o500))
	return func() {
		must(s, os.Chmod(s.Data, 0o700))
		for _, f := range all {
			if err := os.Chmod(f, 0o600); err != nil && !errors.Is(err, os.ErrNotExist) {
				s.Fatal(err)
			}
		}
	}
}

// The first byte of a page with rows, and of one of an index (https://sqlite.org/fileformat2.html §1.6).
const (
	tableLeaf = 0x0d
	indexLeaf = 0x0a
)

// damage overwrites the last page of a kind that holds a text: what it is about is used late in the campaign, so that
// it is not in memory yet.
func damage(name string, kind byte, text string) func(*story, *ctl.Proc) func() {
	return func(s *story, _ *ctl.Proc) func() {
		f, err := os.OpenFile(s.file(name), os.O_RDWR, 0)
		must(s, err)
		defer func() { _ = f.Close() }()
		whole, err := os.ReadFile(f.Name())
		must(s, err)
		for at := len(whole) - page; at > 0; at -= page {
			b := whole[at : at+page]
			if b[0] != kind || !bytes.Contains(b, []byte(text)) {
				continue
			}
			_, err = f.WriteAt(bytes.Repeat([]byte{0xa5}, page), int64(at))
			must(s, err)
			return func() {
				f, err := os.OpenFile(s.file(name), os.O_RDWR, 0)
				must(s, err)
				_, err = f.WriteAt(b, int64(at))
				must(s, errors.Join(err, f.Close()))
			}
		}
		s.Fatalf("%s holds no %s", name, text)
		return nil
	}
}

// takeAway removes the journal's file, and puts another one in its place where that is asked for.
func takeAway(replace bool) func(*story, *ctl.Proc) func() {
	return func(s *story, _ *ctl.Proc) func() {
		file, kept := s.file("deliveries.db"), s.file("kept")
		if replace { // at one blow
			must(s, os.Link(file, kept))
			must(s, os.WriteFile(file+".new", []byte("another"), 0o600))
			must(s, os.Rename(file+".new", file))
		} else {
			must(s, os.Rename(file, kept))
		}
		return func() { must(s, os.Rename(kept, file)) }
	}
}

// lock holds a file as a program does that writes it, for d or, with 0, until it is mended.
func lock(name string, d time.Duration) func(*story, *ctl.Proc) func() {
	return func(s *story, p *ctl.Proc) func() {
		db, err := sql.Open("sqlite", "file:"+s.file(name)+"?_pragma=busy_timeout(10000)")
		must(s, err)
		conn, err := db.Conn(context.Background())
		must(s, err)
		_, err = conn.ExecContext(context.Background(), "BEGIN EXCLUSIVE")
		must(s, err)
		release := func() {
			_, err := conn.ExecContext(context.Background(), "ROLLBACK")
			must(s, errors.Join(err, conn.Close(), db.Close()))
		}
		if d == 0 {
			return release
		}
		before := s.srv.Count()
		time.Sleep(d) // the time is what is tested
		if p.Ended() {
			s.Error("the run did not wait")
		}
		if n := s.srv.Count() - before; n > atRisk && name == "deliveries.db" {
			s.Errorf("%d letters went out while the journal could not be written", n)
		}
		release()
		return func() {}
	}
}

func must(s *story, err error) {
	s.Helper()
	if err != nil {
		s.Fatal(fmt.Errorf("the test itself: %w", err))
	}
}
