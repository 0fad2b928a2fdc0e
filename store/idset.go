package store

import (
	"context"
	"database/sql"
	"math/bits"
	"runtime"
	"strings"
	"sync"
)

// idSet is a set of ids, a bit each: a million people are 125 KB, and "and", "or" and "not" take microseconds.
type idSet []uint64

// newIDSet makes an empty set of ids up to highest.
func newIDSet(highest int64) idSet { return make(idSet, highest/64+1) }

func (s idSet) has(id int64) bool {
	i := id / 64
	return id > 0 && i < int64(len(s)) && s[i]&(1<<(id%64)) != 0
}

// add puts an id in. One above the highest is somebody who came after the set was made: they are left out.
func (s idSet) add(id int64) {
	if i := id / 64; id > 0 && i < int64(len(s)) {
		s[i] |= 1 << (id % 64)
	}
}

// reach makes room for ids up to highest.
func (s *idSet) reach(highest int64) {
	for i := highest / 64; i >= int64(len(*s)); {
		*s = append(*s, 0)
	}
}

func (s idSet) remove(id int64) {
	if s.has(id) {
		s[id/64] &^= 1 << (id % 64)
	}
}

// and, or and not change the set itself. The other is of the same size.
func (s idSet) and(o idSet) {
	for i := range s {
		s[i] &= o[i]
	}
}

func (s idSet) or(o idSet) {
	for i := range s {
		s[i] |= o[i]
	}
}

func (s idSet) not() {
	for i := range s {
		s[i] = ^s[i]
	}
}

// trim takes out who came after highest: of them nothing was asked.
func (s idSet) trim(highest int64) {
	for id := highest + 1; id/64 < int64(len(s)); id++ {
		s.remove(id)
	}
}

func (s idSet) count() (n int) {
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// ids lists the set in ascending order.
func (s idSet) ids() []int64 { return s.between(0, int64(len(s))*64-1) }

// between lists those of the set from one id to another, in ascending order.
func (s idSet) between(from, to int64) []int64 {
	words := s[from/64 : to/64+1]
	ids := make([]int64, 0, words.count())
	for i, w := range words {
		for ; w != 0; w &= w - 1 {
			if id := (from/64+int64(i))*64 + int64(bits.TrailingZeros64(w)); from <= id && id <= to {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// scanParts is into how many ranges a long scan is cut: several for each reader, because ids may lie unevenly.
const scanParts = 8

// cutFrom is from how many ids on a scan is cut.
var cutFrom int64 = 10_000

// idRange is a range of ids that a scan is over; where few of them matter, these.
type idRange struct {
	from, to int64
	few      []int64
}

// rangesOf cuts the ids up to highest into ranges.
func rangesOf(highest int64) []idRange {
	if highest < cutFrom {
		return []idRange{{from: 0, to: highest}}
	}
	ranges := make([]idRange, scanParts)
	for i := range ranges {
		ranges[i] = idRange{from: highest*int64(i)/scanParts + 1, to: highest * int64(i+1) / scanParts}
	}
	return ranges
}

// fewOf is how many times as long as a step of a scan it takes to look one id up.
const fewOf = 4

// ranges are the ranges up to highest where a scan can meet somebody of a set; nil is everybody.
func (s idSet) ranges(highest int64) []idRange {
	all := rangesOf(highest)
	if s == nil {
		return all
	}
	ranges := all[:0]
	for _, p := range all {
		if ids := s.between(p.from, p.to); len(ids) > 0 {
			p = idRange{from: ids[0], to: ids[len(ids)-1]}
			if int64(len(ids))*fewOf <= p.to-p.from {
				p.few = ids
			}
			ranges = append(ranges, p)
		}
	}
	return ranges
}

// matters tells whether an id matters to a condition that looks only at those of the set; nil is everybody.
func (s idSet) matters(id int64) bool { return s == nil || s.has(id) }

// inRange is how a query says which ids it is over; byID what stands there instead where they are few.
const (
	inRange = `BETWEEN ? AND ?`
	byID    = `IN (SELECT value FROM json_each(?))`
)

// eachPart runs a query that says inRange of an id, with its last arguments, over some ranges, on several readers at
// once. f scans; it is called by one goroutine at a time for each part. The readers do not see the same commit; each
// row is seen once.
func (d *database) eachPart(ctx context.Context, ranges []idRange, f func(part int, rows *sql.Rows) error, q string, args ...any) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	parts := make(chan int, len(ranges))
	for i := range ranges {
		parts <- i
	}
	close(parts)
	var first error
	var once sync.Once
	var work sync.WaitGroup
	// One reader is left to whoever turns a page meanwhile.
	for range min(len(ranges), runtime.GOMAXPROCS(0), max(1, d.readers.Stats().MaxOpenConnections-1)) {
		work.Go(func() {
			for i := range parts {
				q, args := q, append(args[:len(args):len(args)], ranges[i].from, ranges[i].to)
				if few := ranges[i].few; few != nil {
					q, args = strings.Replace(q, inRange, byID, 1), append(args[:len(args)-2], toJSON(few))
				}
				if err := d.each(ctx, func(rows *sql.Rows) error { return f(i, rows) }, q, args...); err != nil {
					once.Do(func() { first = err })
					cancel()
				}
			}
		})
	}
	work.Wait()
	return first
}

// collect is eachPart for one number a row, in the order of the ranges.
func (d *database) collect(ctx context.Context, highest int64, q string, args ...any) ([]int64, error) {
	var parts [scanParts][]int64
	err := d.eachPart(ctx, rangesOf(highest), func(part int, rows *sql.Rows) error {
		var v int64
		err := rows.Scan(&v)
		parts[part] = append(parts[part], v)
		return err
	}, q, args...)
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	all := make([]int64, 0, n)
	for _, p := range parts {
		all = append(all, p...)
	}
	return all, err
}

// gather is eachPart for the set of the ids that f says; size bounds the set.
func (d *database) gather(ctx context.Context, ranges []idRange, size int64, f func(rows *sql.Rows) (id int64, err error), q string, args ...any) (idSet, error) {
	parts := make([]idSet, len(ranges))
	err := d.eachPart(ctx, ranges, func(part int, rows *sql.Rows) error {
		id, err := f(rows)
		if parts[part] == nil {
			parts[part] = newIDSet(size)
		}
		parts[part].add(id)
		return err
	}, q, args...)
	set := newIDSet(size)
	for _, p := range parts {
		if p != nil {
			set.or(p)
		}
	}
	return set, err
}

// onlyID scans a row that is an id.
func onlyID(rows *sql.Rows) (id int64, err error) {
	err = rows.Scan(&id)
	return id, err
}
