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

// mixed reads a text of which some lines are in another charset, as when tables of two programs were put behind each
// other: such a line is given in the charset of the others. What is neither stays as it is.
type mixed struct {
	in   *bufio.Reader
	rest []byte
	turn func(line []byte) (out []byte, ok bool) // brings a line to the charset of the others, where it is not in it
}

func newMixed(r io.Reader, turn func([]byte) ([]byte, bool)) *mixed {
	return &mixed{in: bufio.NewReaderSize(r, longestMixed), turn: turn}
}

// Read implements io.Reader.
func (m *mixed) Read(p []byte) (int, error) {
	if len(m.rest) == 0 {
		line, err := m.in.ReadSlice('\n')
		if len(line) == 0 {
			return 0, err
		}
		m.rest = line
		if !errors.Is(err, bufio.ErrBufferFull) { // a piece of a longer one may end in a character
			if out, ok := m.turn(line); ok {
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
	if utf8.Valid(line) {
		return nil, false
	}
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

// toGB18030 brings a line that is UTF-8 to GB18030; ok is false where it is no whole UTF-8, or makes better sense as
// GB18030. Two octets alone ("联通" in GBK) prove nothing.
func toGB18030(line []byte) (out []byte, ok bool) {
	if asciiOctets(line) || !utf8.Valid(line) || !bytes.ContainsFunc(line, func(r rune) bool { return r >= 0x800 }) {
		return nil, false
	}
	asGB, err := simplifiedchinese.GB18030.NewDecoder().Bytes(line)
	if err != nil || rateSimplified([]rune(string(asGB))) >= rateSimplified([]rune(string(line))) {
		return nil, false
	}
	out, err = simplifiedchinese.GB18030.NewEncoder().Bytes(line)
	return out, err == nil
}
