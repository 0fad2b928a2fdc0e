package store

import (
	"context"
	"testing"
)

// Reservations counts those on the disk.
func (s *Store) Reservations(t testing.TB) (n int) {
	if err := s.deliveries.row(context.Background(), `SELECT count(*) FROM reservations`, nil, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// ReserveAhead keeps n letters ready to leave ahead, however fast they leave.
func (s *Store) ReserveAhead(n int) {
	s.journal.mu.Lock()
	defer s.journal.mu.Unlock()
	s.journal.ahead.want, s.journal.ahead.fixed = n, true
}

// Ready is how many letters could leave ahead now.
func (s *Store) Ready() int {
	s.journal.mu.Lock()
	defer s.journal.mu.Unlock()
	return s.journal.ahead.ready
}

// MarksPath is where the marks of an open store are.
func (s *Store) MarksPath() string { return marksPath(s.marks) }

// SetBootID makes the machine another start of it, until the func that it gives is called.
func SetBootID(id string) (undo func()) {
	was := bootID
	bootID = func() string { return id }
	return func() { bootID = was }
}
