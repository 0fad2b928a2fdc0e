package store_test

import (
	"testing"

	"hongyan/store"
	"hongyan/store/journaltest"
)

func TestJournal(t *testing.T) {
	for name, ahead := range map[string]int{"each by itself": 0, "two ahead": 2, "many ahead": 100} {
		t.Run(name, func(t *testing.T) {
			ready := func(s *store.Store) *store.Store {
				if ahead > 0 {
					s.ReserveAhead(ahead)
				}
				return s
			}
			journaltest.Run(t, journaltest.Factory{
				Open: func(t testing.TB) journaltest.Store { return ready(fresh(t)) },
				Crash: func(t testing.TB, s journaltest.Store) journaltest.Store {
					dir := s.(*store.Store).Dir()
					s.(*store.Store).Crash()
					return ready(open(t, dir, store.Options{}))
				},
				Hasten: ahead > 0,
			})
		})
	}
}
