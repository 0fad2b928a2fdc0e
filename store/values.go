package store

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"hongyan/app/model"
)

// ms is a time as it is stored: Unix milliseconds, 0 for the zero time.
func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func at(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

// toJSON writes v compactly, keys sorted, Chinese and '<' as they are: the text is searched with LIKE.
func toJSON(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("store: " + err.Error()) // only strings, numbers and structs of them come here
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// fieldsText is a contact's fields as they are stored; equal fields give equal text.
func fieldsText(m map[string]string) string {
	if len(m) == 0 {
		return ""
	}
	return toJSON(m)
}

func fieldsOf(text string) (map[string]string, error) {
	if text == "" {
		return nil, nil
	}
	m, whole := make(map[string]string, 4), true
	err := eachField([]byte(text), func(name, value []byte) {
		k, ok := unquote(name)
		v, ok2 := unquote(value)
		m[string(k)], whole = string(v), whole && ok && ok2
	})
	if err == nil && !whole {
		err = errNoFields()
	}
	return m, err
}

// shown is the address as it is stored: empty when the normalised one says it all.
func shown(address, email string) string {
	if address == email {
		return ""
	}
	return address
}

func addressOf(stored, email string) string {
	if stored == "" {
		return email
	}
	return stored
}

// like makes a LIKE pattern (ESCAPE '\') that finds text anywhere.
func like(text string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text) + "%"
}

// holes is "?,?,..." for n values.
func holes(n int) string {
	if n <= 0 {
		return ""
	}
	return strings.Repeat("?,", n-1) + "?"
}

func idName(id int64) string { return "#" + strconv.FormatInt(id, 10) }

// one gives the only row of a query by a key, or ENotFound.
func one[T any](found []T, err error, kind, name string) (*T, error) {
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, model.E(model.ENotFound, nil, "kind", kind, "name", name)
	}
	return &found[0], nil
}

// rowsOf is the VALUES of n rows.
func rowsOf(row string, n int) string { return strings.Repeat(row+",", n-1) + row }
