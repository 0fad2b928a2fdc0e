package store

import (
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"
)

// marks is a file in memory that outlives the process but not the machine: it tells which of the letters that were
// reserved (ahead.go) had begun. A slot is written without a sync, with one call, before the letter's final dot can
// leave. After a kill it is whole; after a power failure it is gone, or bears another boot's id, and is not believed.
type marks struct {
	path   string
	file   *os.File
	broken atomic.Bool // a write failed: no letter may rely on it any more
}

// mark is what a slot says: that this attempt had begun.
type mark struct {
	id, n, account, started, seq int64
}

const (
	markSlots  = 4096
	markSize   = 44
	markHeader = 64 // holds the id of the boot
)

// marksPath is where the marks of an opening of a folder are: in memory where the system has a place for that.
func marksPath(install string, epoch int64) string {
	dir := os.TempDir()
	if runtime.GOOS == "linux" {
		if fi, err := os.Stat("/dev/shm"); err == nil && fi.IsDir() {
			dir = "/dev/shm"
		}
	}
	return filepath.Join(dir, "hongyan-"+install+"-"+strconv.FormatInt(epoch, 10))
}

// newMarks makes the file. It must not be there: others could have left one for us to write to. nil where marks
// cannot be had, or could not be told from those of another boot.
func newMarks(path string) *marks {
	boot := bootID()
	if boot == "" || len(boot) > markHeader {
		return nil
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the name is ours
	if err != nil {
		return nil
	}
	head := make([]byte, markHeader+markSlots*markSize)
	copy(head, boot)
	if _, err := f.WriteAt(head, 0); err != nil {
		_ = f.Close()
		_ = os.Remove(path)
		return nil
	}
	return &marks{path: path, file: f}
}

// set writes a slot; false when that failed.
func (m *marks) set(slot int, k mark) bool {
	var b [markSize]byte
	for i, v := range []int64{k.id, k.n, k.account, k.started, k.seq} {
		binary.LittleEndian.PutUint64(b[4+8*i:], uint64(v)) //nolint:gosec // bits
	}
	binary.LittleEndian.PutUint32(b[:], crc32.ChecksumIEEE(b[4:]))
	if _, err := m.file.WriteAt(b[:], int64(markHeader+slot*markSize)); err != nil {
		m.broken.Store(true)
		return false
	}
	return true
}

// remove ends the marks.
func (m *marks) remove() {
	_ = m.file.Close()
	_ = os.Remove(m.path)
}

// readMarks reads the marks of an opening that came to no orderly end. ok is false when they cannot be believed: they
// are gone, from another boot, or newer than the file that knows reservations up to highest, which then is a copy
// from before.
func readMarks(path string, highest int64) (all []mark, ok bool) {
	boot := bootID()
	fi, err := os.Lstat(path)
	if err != nil || boot == "" || !fi.Mode().IsRegular() || !ownFile(fi) {
		return nil, false
	}
	b, err := os.ReadFile(path) //nolint:gosec // it is ours: see above
	if err != nil || len(b) != markHeader+markSlots*markSize {
		return nil, false
	}
	head := make([]byte, markHeader)
	copy(head, boot)
	if string(b[:markHeader]) != string(head) {
		return nil, false
	}
	for b = b[markHeader:]; len(b) > 0; b = b[markSize:] {
		if binary.LittleEndian.Uint32(b) != crc32.ChecksumIEEE(b[4:markSize]) {
			continue // never written
		}
		var v [5]int64
		for i := range v {
			v[i] = int64(binary.LittleEndian.Uint64(b[4+8*i:])) //nolint:gosec // bits
		}
		k := mark{v[0], v[1], v[2], v[3], v[4]}
		if k.seq > highest {
			return nil, false
		}
		all = append(all, k)
	}
	return all, true
}

// markOf is the mark of a letter that begins.
func markOf(id int64, l *lease, at time.Time) mark {
	return mark{id: id, n: int64(l.tries + 1), account: l.account, started: ms(at), seq: l.held.seq}
}
