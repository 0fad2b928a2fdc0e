package store

import (
	"context"
	"database/sql"
	"math/bits"
	"runtime"
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
func (s idSet) ids() []int64 {
	ids := make([]int64, 0, s.count())
	for i, w := range s {
		for ; w != 0; w &= w - 1 {
			ids = append(ids, int64(i)*64+int64(bits.TrailingZeros64(w)))
		}
	}
	return ids
}

// scanParts is into how many ranges a long scan is cut: several for each reader, because ids may lie unevenly.
const scanParts = 8

// eachPart runs a query that is bound to a range of ids by its last two arguments, over all ids up to highest, on
// several readers at once. f scans; it is called by one goroutine at a time for each part. The readers do not see the
// same commit; each row is seen once.
func (d *database) eachPart(ctx context.Context, highest int64, f func(part int, rows *sql.Rows) error, q string, args ...any) error {
	if highest < 10_000 {
		return d.each(ctx, func(rows *sql.Rows) error { return f(0, rows) }, q, append(args[:len(args):len(args)], 0, highest)...)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	parts := make(chan int, scanParts)
	for i := range scanParts {
		parts <- i
	}
	close(parts)
	var first error
	var once sync.Once
	var work sync.WaitGroup
	// One reader is left to whoever turns a page meanwhile.
	for range min(runtime.GOMAXPROCS(0), max(1, d.readers.Stats().MaxOpenConnections-1)) {
		work.Go(func() {
			for i := range parts {
				from, to := highest*int64(i)/scanParts+1, highest*int64(i+1)/scanParts
				err := d.each(ctx, func(rows *sql.Rows) error { return f(i, rows) }, q, append(args[:len(args):len(args)], from, to)...)
				if err != nil {
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
	err := d.eachPart(ctx, highest, func(part int, rows *sql.Rows) error {
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

// gather is eachPart for the set of the ids that f says; highest bounds the ranges, size the set.
func (d *database) gather(ctx context.Context, highest, size int64, f func(rows *sql.Rows) (id int64, err error), q string, args ...any) (idSet, error) {
	var parts [scanParts]idSet
	err := d.eachPart(ctx, highest, func(part int, rows *sql.Rows) error {
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
