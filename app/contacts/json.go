package contacts

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
)

const maxJSONDepth = 4 // objects inside objects whose keys become columns

// isJSON tells objects, one a line or in a list, by the first of them.
func isJSON(start, text string) bool {
	if start == "" || start[0] != '{' && start[0] != '[' {
		return false
	}
	rows := newJSONRows(strings.NewReader(text), nil)
	cells, _, err := rows.next()
	return err == nil && len(cells) > 0
}

// sniffJSON finds the columns: the keys of the first objects, in the order in which they come.
func (s *Source) sniffJSON(text string) *table {
	rows := newJSONRows(strings.NewReader(text), nil)
	sample, _ := sampleOf(rows) // a string has no errors
	s.keys = rows.names
	t, _ := tableOf(s.keys, 0, sample)
	return t
}

// readJSON reads every object as a row of a table. A key that none of the first objects has is left out.
func readJSON(r *run) error {
	in, err := r.open()
	if err != nil {
		return err
	}
	return readRows(r, newJSONRows(in, r.src.keys), nil)
}

// jsonRows cuts a text into its objects, whether there is one a line (JSON lines), a list of them, or objects over
// several lines, and goes on behind one that is damaged.
type jsonRows struct {
	r     *bufio.Reader
	line  int
	began bool // an object was seen
	flat  bool // every object has a line of its own, as the first had
	fixed bool // no column is added
	index map[string]int
	names []string
	buf   []byte
	cells []string
}

func newJSONRows(in io.Reader, names []string) *jsonRows {
	j := &jsonRows{r: bufio.NewReaderSize(in, 64<<10), line: 1, names: names, fixed: names != nil, index: make(map[string]int, len(names))}
	for i, n := range names {
		j.index[n] = i
	}
	return j
}

func (j *jsonRows) next() ([]string, int, error) {
	for {
		c, err := j.r.ReadByte()
		if err != nil {
			return nil, 0, err
		}
		switch c {
		case '\n':
			j.line++
		case ' ', '\t', '\r', '[', ']', ',', 0xEF, 0xBB, 0xBF, 0x1E: // 0x1E: RFC 7464
		case '{':
			return j.object()
		default:
			no := j.line
			if err := j.rest(c); err != nil {
				return nil, no, err
			}
			return j.bad(), no, errRowDamaged
		}
	}
}

// rest gathers the start of a line that is no object.
func (j *jsonRows) rest(c byte) error {
	j.buf = append(j.buf[:0], c)
	for {
		c, err := j.r.ReadByte()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if c == '\n' {
			j.line++
			return nil
		}
		if len(j.buf) < 1024 {
			j.buf = append(j.buf, c)
		}
	}
}

// bad gives the start of what is in the buffer, for a report.
func (j *jsonRows) bad() []string {
	j.cells = append(j.cells[:0], cleanLine(j.buf[:min(len(j.buf), 1024)]))
	return j.cells
}

// object reads an object whose brace was read. A line end inside a string ends it, since JSON has none there, and so
// does any where each object has its line.
func (j *jsonRows) object() ([]string, int, error) {
	no, depth, size := j.line, 1, 1
	inString, escaped := false, false
	j.buf = append(j.buf[:0], '{')
	for depth > 0 {
		c, err := j.r.ReadByte()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, no, err
		}
		if size++; size <= maxRecord {
			j.buf = append(j.buf, c)
		}
		if c == '\n' {
			if j.line++; inString || j.flat {
				break
			}
		}
		switch {
		case escaped:
			escaped = false
		case inString:
			escaped, inString = c == '\\', c != '"'
		case c == '"':
			inString = true
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		}
	}
	if size > maxRecord {
		return j.bad(), no, errRowLength
	}
	if depth > 0 || !j.take() {
		return j.bad(), no, errRowDamaged
	}
	if !j.began {
		j.began, j.flat = true, j.line == no
	}
	return j.cells, no, nil
}

// take makes cells of the object in the buffer.
func (j *jsonRows) take() bool {
	for i := range j.cells {
		j.cells[i] = ""
	}
	j.cells = j.cells[:0]
	return j.members("", j.buf, 0)
}

// members puts the values of an object into their columns; the keys of an object inside have its own in front.
func (j *jsonRows) members(prefix string, raw []byte, depth int) bool {
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return false
	}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return false
		}
		key, ok := t.(string)
		var v json.RawMessage
		if !ok || d.Decode(&v) != nil {
			return false
		}
		name := strings.ReplaceAll(clip(prefix+key, 120), "\x00", "")
		if v[0] == '{' && depth < maxJSONDepth {
			if !j.members(name+".", v, depth+1) {
				return false
			}
			continue
		}
		if s := jsonText(v); s != "" {
			j.put(name, s)
		}
	}
	_, err := d.Token()
	return err == nil
}

// put sets the cell of a column. Of two values with one key the last counts, as everywhere.
func (j *jsonRows) put(name, s string) {
	i, known := j.index[name]
	if !known {
		if j.fixed || len(j.names) >= maxColumns || name == "" {
			return
		}
		i = len(j.names)
		j.index[name], j.names = i, append(j.names, name)
	}
	for len(j.cells) <= i {
		j.cells = append(j.cells, "")
	}
	j.cells[i] = s
}

// jsonText writes a value as a cell: the parts of a list behind commas, null as nothing.
func jsonText(raw json.RawMessage) string {
	switch raw[0] {
	case '"':
		var s string
		if json.Unmarshal(raw, &s) != nil {
			return ""
		}
		return strings.ReplaceAll(s, "\x00", "")
	case '[':
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) != nil {
			return ""
		}
		parts := make([]string, 0, len(list))
		for _, v := range list {
			switch v[0] {
			case '[':
			case '{':
				parts = append(parts, jsonMail(v))
			default:
				parts = append(parts, jsonText(v))
			}
		}
		return strings.Join(trimBlank(parts), ", ")
	case '{', 'n':
		return ""
	case 't', 'f':
		return string(raw)
	}
	return numberText(string(raw))
}

// jsonMail finds the address in an object such as {"value":"a@example.com","type":"home"}.
func jsonMail(raw json.RawMessage) string {
	var m map[string]any
	if json.Unmarshal(raw, &m) != nil {
		return ""
	}
	for _, key := range []string{"value", "email", "address", "mail"} {
		if s, ok := m[key].(string); ok {
			return strings.ReplaceAll(s, "\x00", "")
		}
	}
	return ""
}
