package livelog

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"hongyan/smtpx"
)

// Kind says who speaks in a Line.
type Kind int

// The kinds.
const (
	Note   Kind = iota // about the connection
	Client             // a command or a letter, from us
	Server             // a reply
	Error
)

// Line is one line of a conversation.
type Line struct {
	At      time.Time
	Account int64
	Conn    int64
	Letter  int64 // the delivery it belongs to, or 0
	Kind    Kind
	Code    int // of a reply
	Text    string
}

// String is the line for a terminal: time, connection, direction, text.
func (l Line) String() string {
	mark := [...]string{"*", ">", "<", "!"}[l.Kind]
	return l.At.Local().Format("15:04:05.000") + " #" + strconv.FormatInt(l.Conn, 10) + " " + mark + " " + l.Text
}

// DefaultLines is how many events a Log keeps.
const DefaultLines = 10_000

// Log is a ring of the last events. Its methods are safe for concurrent use.
type Log struct {
	mu   sync.Mutex
	ring []entry
	next uint64 // sequence number of the next event; event n is at ring[n % len]
}

type entry struct {
	account int64
	e       smtpx.Event
}

// New makes a Log of the last n events; 0 means DefaultLines.
func New(n int) *Log {
	if n <= 0 {
		n = DefaultLines
	}
	return &Log{ring: make([]entry, n)}
}

// Listen gives the listener for the sessions of an account.
func (l *Log) Listen(account int64) func(smtpx.Event) {
	return func(e smtpx.Event) {
		l.mu.Lock()
		l.ring[l.next%uint64(len(l.ring))] = entry{account, e}
		l.next++
		l.mu.Unlock()
	}
}

// Since gives at most limit lines from sequence number seq on, and the number to ask with the next time. What
// the ring has lost is passed over.
func (l *Log) Since(seq uint64, limit int) (lines []Line, next uint64) {
	l.mu.Lock()
	if kept := uint64(len(l.ring)); l.next > kept && seq < l.next-kept {
		seq = l.next - kept
	}
	n := min(l.next-min(seq, l.next), uint64(max(limit, 0)))
	entries := make([]entry, n)
	for i := range entries {
		entries[i] = l.ring[(seq+uint64(i))%uint64(len(l.ring))]
	}
	l.mu.Unlock()
	if n == 0 {
		return nil, seq
	}
	lines = make([]Line, n)
	for i, en := range entries {
		lines[i] = format(en)
	}
	return lines, seq + n
}

func format(en entry) Line {
	e := en.e
	l := Line{At: e.Time, Account: en.account, Conn: e.Conn, Letter: e.Letter, Code: e.Code, Text: e.Text}
	switch e.Kind {
	case smtpx.EventCommand:
		l.Kind = Client
	case smtpx.EventBody:
		l.Kind = Client
		l.Text = strings.TrimSpace("[" + octets(e.Bytes) + "] " + e.Text)
	case smtpx.EventReply:
		l.Kind, l.Text = Server, reply(e.Code, e.Text)
	case smtpx.EventError:
		l.Kind = Error
	case smtpx.EventConnect:
		l.Text = "TCP " + e.Text
	case smtpx.EventTLS:
		l.Text = "TLS " + strings.TrimPrefix(e.Text, "TLS ")
	case smtpx.EventClose:
		l.Text = strings.TrimSpace("closed " + e.Text)
	}
	return l
}

// reply is a reply as the server wrote it: the code before each line.
func reply(code int, text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		mark := "-"
		if i == len(lines)-1 {
			mark = " "
		}
		lines[i] = strconv.Itoa(code) + mark + lines[i]
	}
	return strings.Join(lines, "\n")
}

func octets(n int64) string {
	switch {
	case n < 1<<10:
		return strconv.FormatInt(n, 10) + " B"
	case n < 1<<20:
		return fmt.Sprintf("%.1f KB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
}
