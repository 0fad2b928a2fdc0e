package store

import (
	"context"
	"database/sql"
	"hash/maphash"
	"slices"
	"sync"
)

// muted is the suppression list in memory, as hashes of its keys, eight octets each: a running campaign asks it for
// every letter. What is not in it is not suppressed; what is, may be, and the file is asked.
type muted struct {
	mu     sync.RWMutex
	loaded bool
	seed   maphash.Seed
	hashes []uint64            // in order
	more   map[uint64]struct{} // added since
}

// may reports whether an address may be suppressed.
func (m *muted) may(ctx context.Context, d *database, email string) (bool, error) {
	m.mu.RLock()
	for !m.loaded {
		m.mu.RUnlock()
		if err := m.load(ctx, d); err != nil {
			return false, err
		}
		m.mu.RLock()
	}
	defer m.mu.RUnlock()
	if len(m.hashes)+len(m.more) == 0 {
		return false, nil
	}
	for _, k := range suppressionKeys(email) {
		h := maphash.String(m.seed, k)
		if _, yes := slices.BinarySearch(m.hashes, h); yes {
			return true, nil
		}
		if _, yes := m.more[h]; yes {
			return true, nil
		}
	}
	return false, nil
}

// load reads the list. What is committed meanwhile is added once it is done.
func (m *muted) load(ctx context.Context, d *database) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.loaded {
		return nil
	}
	m.seed, m.hashes, m.more = maphash.MakeSeed(), nil, make(map[uint64]struct{})
	err := d.each(ctx, func(rows *sql.Rows) error {
		var key sql.RawBytes
		err := rows.Scan(&key)
		m.hashes = append(m.hashes, maphash.Bytes(m.seed, key))
		return err
	}, `SELECT key FROM suppressions`)
	slices.Sort(m.hashes)
	m.loaded = err == nil
	return err
}

// add notes a key that is on the disk now.
func (m *muted) add(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.loaded {
		m.more[maphash.String(m.seed, key)] = struct{}{}
	}
}

// forget makes the list be read again.
func (m *muted) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.loaded, m.hashes, m.more = false, nil, nil
}
