package store

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"slices"
	"strings"
	"unicode/utf8"

	"hongyan/app/model"
)

const (
	// packRows is how many rows an import stores in one transaction, unless Options say otherwise. An index of addresses,
	// which come in no order, has most of its pages written by each chunk, so larger chunks cost less; smaller ones let
	// another writer in sooner.
	packRows = 100_000
	// packText bounds the memory of a chunk, in octets.
	packText = 24 << 20
)

// pack is a chunk of rows, packed: nothing in it is a pointer, so that a hundred thousand rows cost little memory and
// the collector nothing.
type pack struct {
	text   []byte
	rows   []packed
	people []int32 // after fold: the rows that stand for a person, in order of addresses
	line   int     // of the last row
	keys   []packKey
	// consents are the statements of consent that rows have of their own.
	consents   []string
	consentNos map[string]int32
}

// packed is a row. What several rows say of one person is folded into the first of them.
type packed struct {
	email, address, name, fields span
	consent                      int32 // in pack.consents, from 1; 0: that of the import
	agreed                       bool  // the source does not speak against consent
	known                        bool  // the person was there before the chunk
	folded                       bool  // into an earlier row
}

// span is a part of pack.text.
type span struct{ at, n uint32 }

// packKey sorts a row by its address: the first octets of it in one number, which tell most addresses apart.
type packKey struct {
	head uint64
	row  int32
}

func (p *pack) reset() {
	p.text, p.rows, p.people, p.keys, p.line = p.text[:0], p.rows[:0], p.people[:0], p.keys[:0], 0
	p.consents = p.consents[:0]
	clear(p.consentNos)
}

func (p *pack) put(s string) span {
	at := len(p.text)
	p.text = append(p.text, s...)
	return span{uint32(at), uint32(len(s))} //#nosec G115 -- packText is far below
}

func (p *pack) bytes(s span) []byte  { return p.text[s.at : s.at+s.n] }
func (p *pack) string(s span) string { return string(p.bytes(s)) }

func (p *pack) add(r *model.Row) {
	p.rows = append(p.rows, packed{email: p.put(r.Email), address: p.put(shown(r.Address, r.Email)), name: p.put(r.Name),
		fields: p.put(fieldsText(r.Fields)), consent: p.consentNo(r.Consent), agreed: !r.NoConsent})
	p.line = r.Line
}

// consentNo is the place of a row's own statement, from 1; 0 for none. They are few: people who agreed
// in one way have the same.
func (p *pack) consentNo(text string) int32 {
	if text == "" {
		return 0
	}
	no, known := p.consentNos[text]
	if !known {
		if p.consentNos == nil {
			p.consentNos = map[string]int32{}
		}
		p.consents = append(p.consents, text)
		no = int32(len(p.consents)) //#nosec G115 -- at most one a row
		p.consentNos[text] = no
	}
	return no
}

// fold finds the rows of one person: what a later one says that is not empty replaces what an earlier one said.
func (p *pack) fold() error {
	for i := range p.rows {
		var head [8]byte
		copy(head[:], p.bytes(p.rows[i].email))
		p.keys = append(p.keys, packKey{binary.BigEndian.Uint64(head[:]), int32(i)}) //#nosec G115 -- at most packRows and a batch
	}
	slices.SortFunc(p.keys, func(a, b packKey) int {
		if a.head != b.head {
			return cmp.Compare(a.head, b.head)
		}
		return cmp.Or(bytes.Compare(p.bytes(p.rows[a.row].email), p.bytes(p.rows[b.row].email)), cmp.Compare(a.row, b.row))
	})
	for _, k := range p.keys {
		r := &p.rows[k.row]
		if n := len(p.people); n > 0 {
			if first := &p.rows[p.people[n-1]]; bytes.Equal(p.bytes(first.email), p.bytes(r.email)) {
				if err := p.join(first, r); err != nil {
					return err
				}
				continue
			}
		}
		p.people = append(p.people, k.row)
	}
	return nil
}

func (p *pack) join(first, r *packed) error {
	r.folded = true
	if r.name.n > 0 {
		first.name = r.name
	}
	if r.agreed {
		first.agreed = true
		if r.consent != 0 {
			first.consent = r.consent
		}
	}
	if r.fields.n == 0 || bytes.Equal(p.bytes(r.fields), p.bytes(first.fields)) {
		return nil
	}
	fields, err := fieldsOf(p.string(first.fields))
	if err != nil {
		return err
	}
	more, err := fieldsOf(p.string(r.fields))
	if err != nil {
		return err
	}
	if mergeFields(&fields, more) {
		first.fields = p.put(fieldsText(fields))
	}
	return nil
}

// addresses writes the addresses of the people as a JSON list.
func (p *pack) addresses() string {
	size := 2
	for _, row := range p.people {
		size += int(p.rows[row].email.n) + 3
	}
	var b strings.Builder
	b.Grow(size)
	b.WriteByte('[')
	for i, row := range p.people {
		if i > 0 {
			b.WriteByte(',')
		}
		if email := p.bytes(p.rows[row].email); plain(email) {
			b.WriteByte('"')
			b.Write(email)
			b.WriteByte('"')
		} else {
			b.WriteString(toJSON(string(email)))
		}
	}
	b.WriteByte(']')
	return b.String()
}

// plain reports whether a text stands in JSON as it is.
func plain(text []byte) bool {
	for _, c := range text {
		if c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// packer gathers rows into packs and gives each full one to sink, in a goroutine of its own, while it gathers the next.
type packer struct {
	sink    func(context.Context, *pack) error
	most    int // rows of a pack
	next    *pack
	spare   *pack      // was stored
	writing chan error // gets the end of the pack under way; nil when there is none
	failed  error      // what ended an earlier pack
}

// Add implements model.Importer.
func (k *packer) Add(ctx context.Context, rows []model.Row) error {
	if k.failed != nil {
		return k.failed
	}
	for i := range rows {
		if rows[i].Email == "" {
			return model.E(model.EInvalid, nil, "field", "address", "value", rows[i].Address)
		}
	}
	if k.next == nil {
		k.next = &pack{}
	}
	for i := range rows {
		k.next.add(&rows[i])
		if len(k.next.rows) >= k.most || len(k.next.text) >= packText {
			if err := k.send(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// Flush implements model.Importer.
func (k *packer) Flush(ctx context.Context) error {
	if k.failed == nil && k.next != nil && len(k.next.rows) > 0 {
		if err := k.send(ctx); err != nil {
			return err
		}
	}
	return k.wait()
}

// send starts to write the next pack, once the one before it is written.
func (k *packer) send(ctx context.Context) error {
	if err := k.wait(); err != nil {
		return err
	}
	p, end := k.next, make(chan error, 1)
	if k.next, k.spare = k.spare, p; k.next == nil {
		k.next = &pack{}
	}
	k.next.reset()
	k.writing = end
	go func() { end <- k.sink(ctx, p) }()
	return nil
}

// wait waits for the pack that is being written.
func (k *packer) wait() error {
	if k.writing != nil {
		k.failed = <-k.writing
		k.writing = nil
	}
	return k.failed
}

// Leave implements model.Importer.
func (k *packer) Leave() error {
	k.next = nil
	return k.wait()
}
