package contacts

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// longestMixed is the longest line that is looked at as a whole, in octets.
const longestMixed = 64 << 10

// mixed reads UTF-8 of which some lines are GB18030, as when tables of two programs were put behind each other: such a
// line is given in UTF-8. What is neither stays as it is.
type mixed struct {
	in   *bufio.Reader
	rest []byte
}

func newMixed(r io.Reader) *mixed { return &mixed{in: bufio.NewReaderSize(r, longestMixed)} }

// Read implements io.Reader.
func (m *mixed) Read(p []byte) (int, error) {
	if len(m.rest) == 0 {
		line, err := m.in.ReadSlice('\n')
		if len(line) == 0 {
			return 0, err
		}
		m.rest = line
		if !errors.Is(err, bufio.ErrBufferFull) && !utf8.Valid(line) { // a piece of a longer one may end in a character
			if out, ok := fromGB18030(line); ok {
				m.rest = out
			}
		}
	}
	n := copy(p, m.rest)
	m.rest = m.rest[n:]
	return n, nil
}

// fromGB18030 reads a line as GB18030; ok is false where that leaves something unread, or where it is rather UTF-8 that was
// damaged or cut.
func fromGB18030(line []byte) (out []byte, ok bool) {
	whole := bytes.TrimRight(line, "\r\n")
	for i := 1; i < utf8.UTFMax && i <= len(whole); i++ { // a character that was cut at the end of a file
		if tail := whole[len(whole)-i:]; utf8.RuneStart(tail[0]) {
			if !utf8.FullRune(tail) {
				whole = whole[:len(whole)-i]
			}
			break
		}
	}
	if utf8.Valid(whole) {
		return nil, false
	}
	out, err := simplifiedchinese.GB18030.NewDecoder().Bytes(line)
	if err != nil || bytes.ContainsRune(out, utf8.RuneError) {
		return nil, false
	}
	return out, rateSimplified([]rune(string(out))) > rateSimplified([]rune(string(whole)))
}
