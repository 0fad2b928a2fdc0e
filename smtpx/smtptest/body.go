package smtptest

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
)

// maxText is the longest line of a letter without its CRLF, RFC 5321 §4.5.3.1.6.
const maxText = 998

// headKept is how much of a letter's head is looked at for its subject and identifier.
const headKept = 16 << 10

// body takes the octets of one letter and remembers the first thing that is wrong with it. Once something is, the
// rest is swallowed.
type body struct {
	max   int64
	eight bool // 8-bit text was declared
	file  *os.File
	w     *bufio.Writer // onto file
	head  []byte
	size  int64
	line  int  // octets of the line under way
	cr    bool // the last octet was CR
	wrong string
}

func (b *body) refuse(reply string) {
	if b.wrong == "" {
		b.wrong = reply
	}
}

// add takes some more octets, already free of stuffed dots.
func (b *body) add(p []byte) {
	b.size += int64(len(p))
	if b.size > b.max {
		b.refuse("552 5.3.4 Message too large")
	}
	if b.wrong != "" {
		return
	}
	b.check(p)
	if room := headKept - len(b.head); room > 0 {
		b.head = append(b.head, p[:min(room, len(p))]...)
	}
	if b.w != nil {
		if _, err := b.w.Write(p); err != nil {
			b.refuse("452 4.3.1 The practice server cannot write the letter")
		}
	}
}

func (b *body) check(p []byte) {
	for _, c := range p {
		if b.cr != (c == '\n') {
			b.refuse("550 5.6.0 Bare CR or LF in the letter")
			return
		}
		switch {
		case c == '\n':
			b.line, b.cr = 0, false
			continue
		case c == '\r':
			b.cr = true
			continue
		case c == 0:
			b.refuse("550 5.6.0 NUL in the letter")
			return
		case c >= 0x80 && !b.eight:
			b.refuse("554 5.6.1 8-bit text that was not declared by BODY=8BITMIME")
			return
		}
		if b.line++; b.line > maxText {
			b.refuse("554 5.6.0 A line is longer than 998 octets")
			return
		}
	}
}

// finish looks at the end of a letter that is complete.
func (b *body) finish() {
	if b.cr {
		b.refuse("550 5.6.0 Bare CR or LF in the letter")
	}
	if b.w != nil {
		if err := errors.Join(b.w.Flush(), b.file.Close()); err != nil {
			b.refuse("452 4.3.1 The practice server cannot write the letter")
		}
	}
}

// discard removes what was written of a letter that is not to be kept.
func (b *body) discard() {
	if b.file != nil {
		_ = b.file.Close()
		_ = os.Remove(b.file.Name())
	}
}

// readDot reads text up to CRLF.CRLF, which alone ends it (RFC 5321 §4.1.1.4), takes stuffed dots off (§4.5.2) and
// gives the rest to b. It ends early with errDropped when more than most octets were read and most is not negative.
func readDot(r *bufio.Reader, b *body, most int64) error {
	fresh := true // at the start of a line that follows a CRLF
	lastCR := false
	for {
		p, err := r.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			if errors.Is(err, io.EOF) {
				return io.ErrUnexpectedEOF
			}
			return err
		}
		if fresh && p[0] == '.' {
			if bytes.Equal(p, []byte(".\r\n")) {
				return nil
			}
			p = p[1:]
		}
		b.add(p)
		fresh = bytes.HasSuffix(p, []byte("\r\n")) || (lastCR && string(p) == "\n")
		if len(p) > 0 {
			lastCR = p[len(p)-1] == '\r'
		}
		if most >= 0 && b.size > most {
			return errDropped
		}
	}
}

// errDropped says that the mood wants the connection to end here.
var errDropped = errors.New("dropped")
