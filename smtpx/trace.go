package smtpx

import (
	"bytes"
	"errors"
	"slices"
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

const (
	mask      = "****"
	minHidden = 4
)

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
	if !errors.Is(e.Err, ErrClosed) {
		t.note(EventError, e.Phase, e.Error())
	}
	t.note(EventClose, e.Phase, "")
}

// hide makes sure that a secret is never shown, neither bare nor anywhere inside something in base64, where it has
// one of three forms by its distance from the start.
func (t *tracer) hide(secret string) {
	t.hideExactly(secret)
	if len(secret) < minHidden {
		return
	}
	for skip := range 3 {
		enc := b64.EncodeToString([]byte("\x00\x00"[:skip] + secret))
		enc = strings.TrimRight(enc, "=")
		if tail := (skip + len(secret)) % 3; tail != 0 {
			enc = enc[:len(enc)-1] // shares its bits with what follows
		}
		t.hideExactly(enc[(skip*8+5)/6:])
	}
}

// hideExactly hides a text as it is. Very short ones are left: masking them would eat half of every reply.
func (t *tracer) hideExactly(text string) {
	if len(text) >= minHidden && !slices.Contains(t.hidden, text) {
		t.hidden = append(t.hidden, text)
		// The longest first: a short one may be part of it.
		slices.SortStableFunc(t.hidden, func(a, b string) int { return len(b) - len(a) })
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
		if bytes.Contains(raw, []byte(h)) {
			raw = bytes.ReplaceAll(raw, []byte(h), []byte(mask))
		}
	}
	return newReply(code, raw)
}
