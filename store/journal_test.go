package store_test

import (
	"testing"

	"hongyan/store"
	"hongyan/store/journaltest"
)

func TestJournal(t *testing.T) {
	journaltest.Run(t, journaltest.Factory{
		Open: func(t testing.TB) journaltest.Store { return fresh(t) },
		Crash: func(t testing.TB, s journaltest.Store) journaltest.Store {
			dir := s.(*store.Store).Dir()
			s.(*store.Store).Crash()
			return open(t, dir, store.Options{})
		},
	})
}
