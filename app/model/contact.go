package model

import "time"

// Contact is a person who may be written to.
type Contact struct {
	ID                   int64
	Email                string // normalised: the key; domain in lower-case A-labels
	Address              string // as it is to be shown and sent
	Name                 string
	Fields               map[string]string // every other column, by its header
	Source               string            // where the address came from, in the user's words
	Consent              string            // how this person agreed; "" means not recorded
	ImportID             int64
	CreatedAt, UpdatedAt time.Time
}

// List is a named set of contacts.
type List struct {
	ID        int64
	Name      string
	Count     int
	CreatedAt time.Time
}

// SortKey is a column that contacts can be sorted by.
type SortKey string

// The sortable columns.
const (
	SortAdded  SortKey = "added"
	SortEmail  SortKey = "email"
	SortName   SortKey = "name"
	SortSource SortKey = "source"
)

// ContactQuery chooses and orders contacts.
type ContactQuery struct {
	ListID int64  // 0: every list
	Search string // part of the address, the name or a field; "" for all
	Filter Filter // besides
	Sort   SortKey
	Desc   bool
}

// Row is one recipient as read from a file or pasted text, before it is stored.
type Row struct {
	Line    int // first line (or row) in the source, from 1
	Email   string
	Address string
	Name    string
	Fields  map[string]string
	// NoConsent is set where the shape of the source (a chat record, a web page) shows that the
	// people in it did not hand over their address themselves.
	NoConsent bool
	// Consent is how this person agreed where the source has that of each person; "": as the import says of all.
	Consent string
}

// Reject is a row that was refused. Reason is a key "reject.<Reason>" in the language files.
type Reject struct {
	Line   int
	Text   string
	Reason string
	Hint   string // a likely correction, or ""
}

// ImportSpec is what the user says about an import.
type ImportSpec struct {
	ListName string
	Source   string
	Consent  string
	FileName string
	Format   string // csv, text, vcard, ...
	Charset  string
	ImportFile
}

// ImportFile is what it takes to read a file again as an import read it. The zero value is pasted text, which is not
// kept.
type ImportFile struct {
	Path   string // absolute
	Size   int64  // octets
	Digest string // SHA-256 of the content, in hexadecimal
	Sheet  string // of a workbook
	Roles  string // of the columns from the first on, with commas between; "" where there are none
}

// ImportReport is how an import ended. Read = Added + Updated + Duplicate + Invalid + Suppressed.
// Suppressed people are stored like others but never mailed.
type ImportReport struct {
	ImportID   int64
	ListID     int64
	Read       int
	Added      int // new in the list
	Updated    int // was there; a name, field or consent is new
	Duplicate  int // was there, nothing new; or came twice
	Invalid    int
	Suppressed int
	Charset    string
	Format     string
	Rejects    []Reject // at most 10,000; all of them when asked for by a writer
	Seconds    float64
}

// ImportState is where an import stands.
type ImportState string

// The states of an import. One that stays open was cut off: what it brought until then is there, and can be gone on
// with, kept or undone.
const (
	ImportOpen   ImportState = "open"
	ImportDone   ImportState = "done"
	ImportUndone ImportState = "undone"
)

// Import is the record of an import: where addresses came from, and how these people agreed.
type Import struct {
	ID int64
	ImportSpec
	ListID                                      int64
	State                                       ImportState
	Rows, Added, Updated, Duplicate, Suppressed int
	Line                                        int // of the last row that is stored, as in Row
	StartedAt, FinishedAt                       time.Time
}

// Suppression is an address or a whole domain ("@example.com") that is never mailed.
type Suppression struct {
	ID     int64
	Key    string // normalised address, or "@" + domain
	Reason string // user, bounce, unsubscribe, complaint, import
	Detail string
	At     time.Time
}
