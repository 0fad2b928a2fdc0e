package store

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"

	"hongyan/app/model"
)

// eachField calls f with each name and value, quoted as they stand, of a JSON object of strings as fieldsText makes
// it. It is many times as fast as to unmarshal, which a million contacts need.
func eachField(text []byte, f func(name, value []byte)) error {
	if len(text) < 2 || text[0] != '{' {
		return errNoFields()
	}
	for text = text[1:]; text[0] == '"'; text = text[1:] {
		name := quotedLen(text)
		if name == 0 || len(text) < name+2 || text[name] != ':' {
			return errNoFields()
		}
		value := quotedLen(text[name+1:])
		if value == 0 || len(text) < name+1+value+1 {
			return errNoFields()
		}
		f(text[:name], text[name+1:name+1+value])
		if text = text[name+1+value:]; text[0] != ',' {
			break
		}
		if len(text) < 2 {
			return errNoFields()
		}
	}
	if len(text) != 1 || text[0] != '}' {
		return errNoFields()
	}
	return nil
}

func errNoFields() error {
	return model.E(model.EInternal, nil, "detail", "the fields of a contact are no JSON object of texts")
}

// quotedLen is the length of the quoted string that text begins with, quotes included; 0 when there is none.
func quotedLen(text []byte) int {
	if len(text) == 0 || text[0] != '"' {
		return 0
	}
	for i := 1; i < len(text); {
		j := bytes.IndexAny(text[i:], `"\`)
		if j < 0 {
			return 0
		}
		if i += j; text[i] == '"' {
			return i + 1
		}
		i += 2 // a backslash and what it escapes
	}
	return 0
}

// unquote gives the text of a JSON string.
func unquote(quoted []byte) (text []byte, ok bool) {
	for _, b := range quoted {
		if b == '\\' {
			var v string
			err := json.Unmarshal(quoted, &v)
			return []byte(v), err == nil
		}
	}
	return quoted[1 : len(quoted)-1], true
}

// byCount gives the names, the most frequent first.
func byCount(count map[string]int) ([]string, error) {
	quoted := make([]string, 0, len(count))
	for k := range count {
		quoted = append(quoted, k)
	}
	slices.SortFunc(quoted, func(a, b string) int { return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a, b)) })
	names := make([]string, len(quoted))
	for i, q := range quoted {
		if err := json.Unmarshal([]byte(q), &names[i]); err != nil {
			return nil, err
		}
	}
	return names, nil
}
