package store

import (
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"hongyan/app/model"
)

// marks is a file in memory that outlives the process but not the machine: it tells which of the letters that were
// reserved (ahead.go) had begun, and how any letter ended whose result waits for a commit. It is mapped, so that a slot is written without a call of the
// system: before the letter's final dot can leave, and again when its result is known. The two lie apart: a process that
// is killed while it writes a result must not take with it that the letter had begun. After a power failure the file is
// gone, or bears another boot's id, and is not believed.
type marks struct {
	path  string
	bytes []byte
}

// mark is what a slot says: that this attempt had begun and, where out has a state, how it ended. seq is the reservation
// by which it left ahead; 0 for an attempt that the file has itself, of which only the result may be news.
type mark struct {
	id, n, account, started, seq int64
	out                          model.Outcome
}

const (
	markSlots  = 4096
	markSize   = 512
	markBegin  = 64  // of that, for the beginning
	markHeader = 512 // holds the id of the boot
)

// marksPath is where the marks of a name are: in memory where the system has a place for that. Each opening of a folder
// has a name of its own, which no copy has. "" for what is no such name: it stands in a file that others may have made.
func marksPath(name string) string {
	if b, err := hex.DecodeString(name); err != nil || len(b) != 16 {
		return ""
	}
	dir := os.TempDir()
	if runtime.GOOS == "linux" {
		if fi, err := os.Stat("/dev/shm"); err == nil && fi.IsDir() {
			dir = "/dev/shm"
		}
	}
	return filepath.Join(dir, "hongyan-"+name)
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
	defer func() { _ = f.Close() }()
	all := make([]byte, markHeader+markSlots*markSize) // written, not only reserved: memory may be full
	copy(all, boot)
	m := &marks{path: path}
	if _, err = f.Write(all); err == nil {
		m.bytes, err = mapFile(f, len(all))
	}
	if err != nil {
		_ = os.Remove(path)
		return nil
	}
	return m
}

// begin writes that a letter begins.
func (m *marks) begin(slot int, k mark) {
	at := markHeader + slot*markSize
	clear(m.bytes[at+markBegin : at+markBegin+6]) // the result of whoever had the slot before
	seal(append(m.bytes[at:at:at+markBegin], make([]byte, 6)...), func(b []byte) []byte {
		for _, v := range []int64{k.id, k.n, k.account, k.started, k.seq} {
			b = binary.AppendVarint(b, v)
		}
		return b
	})
}

// clear empties a slot.
func (m *marks) clear(slot int) {
	at := markHeader + slot*markSize
	clear(m.bytes[at : at+6])
}

// end writes how it ended.
func (m *marks) end(slot int, o *model.Outcome) {
	at := markHeader + slot*markSize + markBegin
	seal(append(m.bytes[at:at:at+markSize-markBegin], make([]byte, 6)...), func(b []byte) []byte {
		for _, v := range []int64{ms(o.At), ms(o.NextAt), int64(o.Code)} {
			b = binary.AppendVarint(b, v)
		}
		for _, text := range []string{string(o.State), string(o.Step), string(o.Scope), o.Reason, o.Enhanced, o.Reply} {
			text = text[:min(len(text), max(cap(b)-len(b)-16, 0))] // after a crash the end of a long reply is missing
			b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
		}
		return b
	})
}

// seal fills b, whose first six octets are for a checksum of the rest and the length of all.
func seal(b []byte, fill func([]byte) []byte) {
	b = fill(b)
	binary.LittleEndian.PutUint16(b[4:], uint16(len(b))) //nolint:gosec // at most markSize
	binary.LittleEndian.PutUint32(b, crc32.ChecksumIEEE(b[4:]))
}

// unseal gives what seal was given, and false for what was never written, or not to its end.
func unseal(b []byte) ([]byte, bool) {
	n := int(binary.LittleEndian.Uint16(b[4:]))
	if n < 6 || n > len(b) || binary.LittleEndian.Uint32(b) != crc32.ChecksumIEEE(b[4:n]) {
		return nil, false
	}
	return b[6:n], true
}

// readMark reads a slot; false for one whose letter had not begun.
func readMark(slot []byte) (k mark, ok bool) {
	b, ok := unseal(slot[:markBegin])
	if !ok {
		return k, false
	}
	for _, v := range []*int64{&k.id, &k.n, &k.account, &k.started, &k.seq} {
		if b, ok = readInt(b, v); !ok {
			return k, false
		}
	}
	if b, ok = unseal(slot[markBegin:]); ok {
		if o, ok := readOutcome(b); ok {
			k.out, k.out.DeliveryID, k.out.AccountID = o, k.id, k.account
		}
	}
	return k, true
}

func readInt(b []byte, v *int64) ([]byte, bool) {
	x, n := binary.Varint(b)
	if n <= 0 {
		return nil, false
	}
	*v = x
	return b[n:], true
}

func readOutcome(b []byte) (o model.Outcome, ok bool) {
	var when, next, code int64
	for _, v := range []*int64{&when, &next, &code} {
		if b, ok = readInt(b, v); !ok {
			return o, false
		}
	}
	var texts [6]string
	for i := range texts {
		x, n := binary.Uvarint(b)
		if n <= 0 || x > uint64(len(b)-n) { //nolint:gosec // not negative
			return o, false
		}
		texts[i], b = strings.ToValidUTF8(string(b[n:n+int(x)]), ""), b[n+int(x):] //nolint:gosec // at most len(b)
	}
	return model.Outcome{At: at(when), NextAt: at(next), Code: int(code), State: model.State(texts[0]), Step: model.Step(texts[1]),
		Scope: model.Scope(texts[2]), Reason: texts[3], Enhanced: texts[4], Reply: texts[5]}, true
}

// remove ends the marks.
func (m *marks) remove() {
	m.unmap()
	_ = os.Remove(m.path)
}

// unmap lets go of them.
func (m *marks) unmap() {
	_ = unmapFile(m.bytes)
	m.bytes = nil
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
