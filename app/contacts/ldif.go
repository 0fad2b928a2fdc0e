package contacts

import (
	"encoding/base64"
	"errors"
	"io"
	"strings"
)

// ldifFields are attributes of people that become fields (RFC 2798, RFC 4519, and those of Mozilla's address book).
var ldifFields = map[string]string{"telephonenumber": "tel", "mobile": "tel", "homephone": "tel", "o": "org", "company": "org", "title": "title",
	"mozillanickname": "nickname", "description": "note", "birthday": "bday", "mozillahomeurl": "url", "mozillaworkurl": "url", "labeleduri": "url",
	"ou": "ou", "department": "ou", "departmentnumber": "ou", "l": "city", "mozillahomelocalityname": "city", "street": "street", "postalcode": "postcode"}

// isLDIF tells an LDIF file by its first entry.
func isLDIF(text string, eol byte) bool {
	text = strings.TrimPrefix(text, bom)
	for n := 0; n < 100 && text != ""; n++ {
		var s string
		s, text, _ = strings.Cut(text, string(rune(eol)))
		switch s = strings.ToLower(strings.TrimRight(s, "\r")); {
		case strings.HasPrefix(s, "dn:"):
			return strings.Contains(s, "=") || strings.HasPrefix(s, "dn::")
		case s == "", s[0] == '#', strings.HasPrefix(s, "version:"), s[0] == ' ':
		default:
			return false
		}
	}
	return false
}

// entry is what is kept of one entry beside what a card has.
type entry struct {
	card
	change string // what is to be done with it; "" or "add": it is a person as they are
	person bool   // it has a name, so that a missing address is worth a word
}

// readLDIF reads entries of LDIF (RFC 2849) as an address book: every mail attribute becomes a row. Values that
// stand in another file are never fetched.
func readLDIF(r *run) error {
	in, err := r.open()
	if err != nil {
		return err
	}
	t := &unfolder{t: newRecords(in, 0, r.src.eol)}
	var e entry
	for {
		s, no, err := t.next()
		if errors.Is(err, io.EOF) {
			return e.emit(r)
		}
		if terr := r.tick(); terr != nil {
			return terr
		}
		if err != nil && !errors.Is(err, errRowLength) {
			return r.src.unreadable(err)
		}
		switch {
		case strings.TrimSpace(s) == "":
			err := e.emit(r)
			if e = (entry{}); err != nil {
				return err
			}
		case s[0] != '#':
			if e.line == 0 {
				e.line = no
			}
			e.attribute(s)
		}
	}
}

// attribute takes one line of an entry.
func (e *entry) attribute(s string) {
	name, value, ok := strings.Cut(s, ":")
	if !ok {
		e.damaged = true
		return
	}
	name, _, _ = strings.Cut(strings.ToLower(strings.TrimSpace(name)), ";")
	switch {
	case strings.HasPrefix(value, "<"):
		return
	case strings.HasPrefix(value, ":"):
		if name == "jpegphoto" || name == "usercertificate" {
			return
		}
		raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(value[1:]), ""))
		if err != nil {
			e.damaged = true
			return
		}
		value = plainValue(raw, nil)
	}
	if value = strings.TrimSpace(value); value == "" {
		return
	}
	switch name {
	case "changetype":
		e.change = strings.ToLower(value)
	case "displayname":
		e.full, e.person = clip(value, maxField), true
	case "cn":
		if e.person = true; e.full == "" {
			e.full = clip(value, maxField)
		}
	case "sn", "surname":
		if e.person = true; e.family == "" {
			e.family = clip(value, maxField)
		}
	case "givenname", "gn":
		if e.person = true; e.given == "" {
			e.given = clip(value, maxField)
		}
	case "mail", "email", "rfc822mailbox", "emailaddress", "mailalternateaddress", "mozillasecondemail", "proxyaddresses":
		if name == "proxyaddresses" {
			if len(value) < 5 || !strings.EqualFold(value[:5], "smtp:") {
				return
			}
			value = value[5:]
		}
		if len(e.emails) < maxCardValues {
			e.emails = append(e.emails, value)
		}
	case "member", "uniquemember":
		e.person = false // a list of people
		e.field("member", "1")
	default:
		if key, ok := ldifFields[name]; ok {
			e.field(key, value)
		}
	}
	if e.first == "" {
		e.first = clip(value, maxField)
	}
}

// emit hands on the rows of a finished entry. What is no person, or is to be changed or deleted in a directory, is
// passed over.
func (e *entry) emit(r *run) error {
	switch {
	case e.line == 0, e.change != "" && e.change != "add":
		return nil
	case len(e.emails) == 0 && (!e.person || e.fields["member"] != "") && !e.damaged:
		return nil
	}
	delete(e.fields, "member")
	return e.card.emit(r)
}
