package smtptest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Letter is a letter that the practice server took.
type Letter struct {
	N         int64     `json:"n"` // 1 for the first
	Time      time.Time `json:"time"`
	From      string    `json:"from"` // the envelope's
	To        []string  `json:"to"`   // the envelope's
	Subject   string    `json:"subject,omitempty"`
	MessageID string    `json:"message_id,omitempty"`
	Size      int64     `json:"size"`           // octets
	File      string    `json:"file,omitempty"` // the .eml file, inside the folder of letters
	Path      string    `json:"-"`              // the .eml file's whole path
}

const indexName = "index.jsonl"

// keeper keeps letters and counts. In memory it holds 8 octets a letter, or, when there is no file to read again, a
// count a recipient.
type keeper struct {
	dir string

	mu      sync.Mutex
	n       int64
	log     *os.File // nil: only counts
	size    int64
	offsets []int64 // where each letter's line begins in log
	counts  map[string]int
}

func openKeeper(dir, log string) (*keeper, error) {
	k := &keeper{dir: dir}
	if dir != "" {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
		if log == "" {
			log = filepath.Join(dir, indexName)
		}
	}
	if log == "" {
		k.counts = map[string]int{}
		return k, nil
	}
	// #nosec G304 -- the path is the caller's own choice
	f, err := os.OpenFile(log, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	k.log = f
	r := bufio.NewReaderSize(f, 64<<10)
	for {
		line, err := r.ReadSlice('\n')
		for errors.Is(err, bufio.ErrBufferFull) {
			k.size += int64(len(line))
			line, err = r.ReadSlice('\n')
		}
		if err != nil { // what a killed server left of a line is cut off: no 250 was sent for it
			return k, errors.Join(f.Truncate(k.size), ignoreEOF(err))
		}
		k.offsets = append(k.offsets, k.size)
		k.size += int64(len(line))
		k.n++
	}
}

func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// newBody opens the place where a letter's octets go until it is whole.
func (k *keeper) newBody() (*os.File, error) {
	if k.dir == "" {
		return nil, nil
	}
	return os.CreateTemp(k.dir, ".incoming-*")
}

// add takes a letter whose octets are in body, which may be nil, and returns it with its number and file.
func (k *keeper) add(l Letter, body *os.File) (Letter, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	l.N = k.n + 1
	if body != nil {
		l.File = fmt.Sprintf("%08d-%s.eml", l.N, l.Time.Format("20060102-150405"))
		l.Path = filepath.Join(k.dir, l.File)
		if err := os.Rename(body.Name(), l.Path); err != nil {
			return l, err
		}
	}
	if k.log == nil {
		for _, to := range l.To {
			k.counts[to]++
		}
		k.n++
		return l, nil
	}
	line, err := json.Marshal(l)
	if err != nil {
		return l, err
	}
	line = append(line, '\n')
	if _, err := k.log.Write(line); err != nil {
		if l.Path != "" {
			_ = os.Remove(l.Path)
		}
		return l, errors.Join(err, k.log.Truncate(k.size))
	}
	k.offsets = append(k.offsets, k.size)
	k.size += int64(len(line))
	k.n++
	return l, nil
}

func (k *keeper) count() int64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.n
}

// span is the part of the log that holds letters from up to before to, and how many there are.
func (k *keeper) span(offset, n int) (from, to int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	last := len(k.offsets) - max(0, offset)
	first := max(0, last-max(0, n))
	if k.log == nil || last <= 0 || first >= last {
		return 0, 0
	}
	to = k.size
	if last < len(k.offsets) {
		to = k.offsets[last]
	}
	return k.offsets[first], to
}

func (k *keeper) page(offset, n int) ([]Letter, error) {
	from, to := k.span(offset, n)
	var page []Letter
	err := k.scan(from, to, func(l Letter) bool { page = append(page, l); return true })
	slices.Reverse(page)
	return page, err
}

func (k *keeper) each(f func(Letter) bool) error {
	from, to := k.span(0, int(k.count()))
	return k.scan(from, to, f)
}

func (k *keeper) scan(from, to int64, f func(Letter) bool) error {
	if from == to {
		return nil
	}
	return readLetters(io.NewSectionReader(k.log, from, to-from), func(l Letter) bool {
		if l.File != "" {
			l.Path = filepath.Join(k.dir, l.File)
		}
		return f(l)
	})
}

func (k *keeper) byRecipient() (map[string]int, error) {
	counts := map[string]int{}
	if k.log == nil {
		k.mu.Lock()
		defer k.mu.Unlock()
		for to, n := range k.counts {
			counts[to] = n
		}
		return counts, nil
	}
	err := k.each(func(l Letter) bool {
		for _, to := range l.To {
			counts[to]++
		}
		return true
	})
	return counts, err
}

func (k *keeper) clear() error {
	var files []string
	err := k.each(func(l Letter) bool {
		if l.Path != "" {
			files = append(files, l.Path)
		}
		return true
	})
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, file := range files {
		if rm := os.Remove(file); rm != nil && !errors.Is(rm, os.ErrNotExist) {
			err = errors.Join(err, rm)
		}
	}
	k.n, k.size, k.offsets = 0, 0, nil
	if k.log == nil {
		k.counts = map[string]int{}
		return err
	}
	return errors.Join(err, k.log.Truncate(0))
}

func (k *keeper) close() error {
	if k.log == nil {
		return nil
	}
	return k.log.Close()
}

// ReadLog reads the log or index of a practice server, which may be running in another process, and calls f for each
// letter, oldest first, until f returns false. A line that is still being written is left out.
func ReadLog(path string, f func(Letter) bool) error {
	file, err := os.Open(path) // #nosec G304 -- the path is the caller's own choice
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	return readLetters(file, f)
}

func readLetters(r io.Reader, f func(Letter) bool) error {
	br := bufio.NewReaderSize(r, 64<<10)
	for {
		line, err := br.ReadBytes('\n')
		if err != nil {
			return ignoreEOF(err)
		}
		var l Letter
		if err := json.Unmarshal(bytes.TrimSuffix(line, []byte("\n")), &l); err != nil {
			return fmt.Errorf("smtptest: log: %w", err)
		}
		if !f(l) {
			return nil
		}
	}
}

// headField finds a field in a letter's head and unfolds it.
func headField(head []byte, name string) string {
	for len(head) > 0 {
		line, rest, _ := bytes.Cut(head, []byte("\r\n"))
		if len(line) == 0 {
			return ""
		}
		head = rest
		if len(line) <= len(name) || line[len(name)] != ':' || !strings.EqualFold(string(line[:len(name)]), name) {
			continue
		}
		value := string(bytes.TrimSpace(line[len(name)+1:]))
		for len(head) > 0 && (head[0] == ' ' || head[0] == '\t') {
			line, head, _ = bytes.Cut(head, []byte("\r\n"))
			value += " " + string(bytes.TrimSpace(line))
		}
		return strings.TrimSpace(value)
	}
	return ""
}
