package store

import (
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"hongyan/app/model"
)

// marks is a file in memory that outlives the process but not the machine: it tells which of the letters that were
// reserved (ahead.go) had begun, and how they ended. A slot is written without a sync, with one call, before the letter's
// final dot can leave, and again when its result is known. After a kill it is whole; after a power failure it is gone, or
// bears another boot's id, and is not believed.
type marks struct {
	path   string
	file   *os.File
	broken atomic.Bool // a write failed: no letter may rely on it any more
}

// mark is what a slot says: that this attempt had begun and, where out has a state, how it ended.
type mark struct {
	id, n, account, started, seq int64
	out                          model.Outcome
}

const (
	markSlots  = 4096
	markSize   = 512
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
	_, err = f.WriteString(boot)
	if err == nil {
		err = f.Truncate(markHeader + markSlots*markSize)
	}
	if err != nil {
		_ = f.Close()
		_ = os.Remove(path)
		return nil
	}
	return &marks{path: path, file: f}
}

// set writes a slot; false when that failed.
func (m *marks) set(slot int, k mark) bool {
	if _, err := m.file.WriteAt(k.slot(), int64(markHeader+slot*markSize)); err != nil {
		m.broken.Store(true)
		return false
	}
	return true
}

// slot is a mark as it is written: a checksum of the rest, the length of the rest, and the rest.
func (k *mark) slot() []byte {
	b := make([]byte, 6, markSize)
	for _, v := range []int64{k.id, k.n, k.account, k.started, k.seq, ms(k.out.At), ms(k.out.NextAt), int64(k.out.Code)} {
		b = binary.AppendVarint(b, v)
	}
	for _, text := range []string{string(k.out.State), string(k.out.Step), string(k.out.Scope), k.out.Reason, k.out.Enhanced, k.out.Reply} {
		text = text[:min(len(text), max(markSize-len(b)-binary.MaxVarintLen16, 0))] // after a crash the end of a long reply is missing
		b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
	}
	binary.LittleEndian.PutUint16(b[4:], uint16(len(b))) //nolint:gosec // at most markSize
	binary.LittleEndian.PutUint32(b, crc32.ChecksumIEEE(b[4:]))
	return b
}

// readMark reads a slot; false for one that was never written.
func readMark(b []byte) (k mark, ok bool) {
	n := int(binary.LittleEndian.Uint16(b[4:]))
	if n < 6 || n > len(b) || binary.LittleEndian.Uint32(b) != crc32.ChecksumIEEE(b[4:n]) {
		return k, false
	}
	b = b[6:n]
	var v [8]int64
	for i := range v {
		x, n := binary.Varint(b)
		if n <= 0 {
			return k, false
		}
		v[i], b = x, b[n:]
	}
	var texts [6]string
	for i := range texts {
		x, n := binary.Uvarint(b)
		if n <= 0 || x > uint64(len(b)-n) {
			return k, false
		}
		texts[i], b = strings.ToValidUTF8(string(b[n:n+int(x)]), ""), b[n+int(x):] //nolint:gosec // at most len(b)
	}
	k = mark{id: v[0], n: v[1], account: v[2], started: v[3], seq: v[4]}
	k.out = model.Outcome{DeliveryID: k.id, AccountID: k.account, At: at(v[5]), NextAt: at(v[6]), Code: int(v[7]), State: model.State(texts[0]),
		Step: model.Step(texts[1]), Scope: model.Scope(texts[2]), Reason: texts[3], Enhanced: texts[4], Reply: texts[5]}
	return k, true
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
		k, ok := readMark(b[:markSize])
		if !ok {
			continue
		}
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
