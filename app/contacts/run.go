package contacts

import (
	"bytes"
	"context"
	"io"
	"strings"

	"hongyan/app/model"
)

// run is one pass over a source.
type run struct {
	ctx      context.Context
	src      *Source
	emit     func(model.Row) error
	reject   func(model.Reject) error
	progress func(done, total int64)
	done     int64
	told     int64
	ticks    int
	stats    Stats
}

// counter counts octets of the raw source for the progress.
type counter struct {
	r   io.Reader
	run *run
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.run.done += int64(n)
	return n, err
}

// open gives the source from its start, in UTF-8.
func (r *run) open() (io.Reader, error) {
	var raw io.Reader = &counter{io.NewSectionReader(r.src.r, 0, r.src.size), r}
	if r.src.mixed && r.src.charset == GB18030 {
		raw = newMixed(raw, toGB18030)
	}
	in, err := decode(raw, r.src.charset)
	if err == nil && r.src.mixed && r.src.charset == UTF8 {
		in = newMixed(in, fromGB18030)
	}
	if err == nil && r.src.eol == '\n' {
		in = &lineFeeds{r: in}
	}
	return in, err
}

// lineFeeds turns carriage returns that stand alone into line feeds: files put together of several have both.
type lineFeeds struct {
	r    io.Reader
	held bool // a carriage return is not given out yet
}

func (l *lineFeeds) Read(p []byte) (int, error) {
	n := 0
	if len(p) < 2 { // no room to look ahead
		if l.held && len(p) == 1 {
			p[0], n, l.held = '\r', 1, false
			return n, nil
		}
		return l.r.Read(p)
	}
	if l.held {
		p[0], n = '\r', 1
	}
	m, err := l.r.Read(p[n:])
	n += m
	if l.held = n > 0 && err == nil && p[n-1] == '\r'; l.held {
		n--
	}
	loneCR(p[:n], l.held)
	return n, err
}

// loneCR replaces the carriage returns of b that no line feed and no other carriage return follows; more says that one
// follows b.
func loneCR(b []byte, more bool) {
	for i := 0; ; i++ {
		k := bytes.IndexByte(b[i:], '\r')
		if k < 0 {
			return
		}
		if i += k; i+1 < len(b) && b[i+1] != '\n' && b[i+1] != '\r' || i+1 == len(b) && !more {
			b[i] = '\n'
		}
	}
}

// tick notices a cancel and tells the progress, now and then.
func (r *run) tick() error {
	if r.ticks++; r.ticks&255 != 0 {
		return nil
	}
	if r.progress != nil && r.done-r.told >= 256<<10 {
		r.told = r.done
		r.progress(r.done, r.src.size)
	}
	return r.ctx.Err()
}

func (r *run) row(row model.Row) error {
	r.stats.Rows++
	// A name is cut out of a line by what stands round it, and may begin or end inside a damaged character.
	row.Name = oneLine(strings.ToValidUTF8(row.Name, ""))
	return r.emit(row)
}

func (r *run) refuse(line int, text, reason, hint string) error {
	if strings.Contains(text, "\uFFFD") && reason != ReasonRowLength {
		reason, hint = ReasonEncoding, ""
	}
	r.stats.Rejects++
	return r.reject(model.Reject{Line: line, Text: cut(text, rejectTextMax), Reason: reason, Hint: hint})
}
