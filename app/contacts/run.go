package contacts

import (
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
	return decode(&counter{io.NewSectionReader(r.src.r, 0, r.src.size), r}, r.src.charset)
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
