package model

import "time"

// Format is how a letter's body is written.
type Format string

// The formats.
const (
	FormatMarkdown Format = "markdown"
	FormatHTML     Format = "html"
	FormatText     Format = "text"
)

// Letter is what is sent: subject and body with fields such as {{name|friend}}.
type Letter struct {
	ID          int64
	Name        string
	Subject     string
	Body        string
	Format      Format
	FromName    string // overrides the account's
	ReplyTo     string
	Attachments []Attachment
	UpdatedAt   time.Time
}

// Attachment is a file that goes with every letter. In a campaign's snapshot Data holds the bytes, so that a
// later change of the file does not mix two versions; in a draft it is nil and Path is read.
type Attachment struct {
	Path string
	Name string
	Type string // media type
	Data []byte
}

// Rendered is a letter as one recipient gets it, for the preview.
type Rendered struct {
	Subject  string
	From     string
	To       string
	ReplyTo  string
	Text     string   // the plain-text part
	HTML     string   // the HTML part, or ""
	Markdown string   // body with fields filled, when the letter is Markdown
	Raw      []byte   // the whole message as it goes over the wire, before dot-stuffing
	Size     int64    // octets of Raw
	Missing  []string // fields that were empty for this recipient and have no fallback
}
