package smtpx

import (
	"bytes"
	"errors"
	"strings"
	"time"
)

// tracer makes events. Nothing is formatted when nobody listens.
type tracer struct {
	fn   func(Event)
	conn int64
	// hidden are the secrets of this session and the lines that carried them; a reply that repeats one is masked.
	hidden []string
}

const mask = "****"

func (t *tracer) event(e Event) {
	e.Time, e.Conn = time.Now(), t.conn
	t.fn(e)
}

func (t *tracer) note(k EventKind, p Phase, text string) {
	if t.fn != nil {
		t.event(Event{Kind: k, Phase: p, Text: t.masked(text)})
	}
}

func (t *tracer) command(p Phase, letter int64, line []byte) {
	if t.fn != nil {
		t.event(Event{Kind: EventCommand, Phase: p, Letter: letter, Text: string(line)})
	}
}

func (t *tracer) reply(p Phase, letter int64, r *Reply) {
	if t.fn != nil {
		text := strings.Join(r.Lines, "\n")
		if r.Enhanced != "" {
			text = r.Enhanced + " " + text
		}
		t.event(Event{Kind: EventReply, Phase: p, Letter: letter, Code: r.Code, Text: text})
	}
}

func (t *tracer) body(letter, n int64) {
	if t.fn != nil {
		t.event(Event{Kind: EventBody, Phase: PhaseBody, Letter: letter, Bytes: n})
	}
}

func (t *tracer) failed(e *Error) {
	if t.fn == nil {
		return
	}
	if e.Err != ErrClosed {
		t.note(EventError, e.Phase, e.Error())
	}
	t.note(EventClose, e.Phase, "")
}

// hide makes sure that text is never shown. Very short ones are left: masking them would eat half of a reply.
func (t *tracer) hide(texts ...string) {
	for _, s := range texts {
		if len(s) >= 4 {
			t.hidden = append(t.hidden, s)
		}
	}
}

func (t *tracer) masked(s string) string {
	for _, h := range t.hidden {
		s = strings.ReplaceAll(s, h, mask)
	}
	return s
}

// cleaned takes from a parse error what it quotes of the server once there is a secret that the server may repeat.
func (t *tracer) cleaned(err error) error {
	if len(t.hidden) > 0 && errors.Is(err, ErrProtocol) {
		return ErrProtocol
	}
	return err
}

// parse makes a Reply in which no secret is left.
func (t *tracer) parse(code int, raw []byte) *Reply {
	for _, h := range t.hidden {
		raw = bytes.ReplaceAll(raw, []byte(h), []byte(mask))
	}
	return newReply(code, raw)
}
