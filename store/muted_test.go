package store_test

import (
	"fmt"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"hongyan/app/model"
	"hongyan/store"
)

// TestSuppressedAsTheListChanges compares what is answered from memory with a plain list, whatever is done to it.
func TestSuppressedAsTheListChanges(t *testing.T) {
	s := fresh(t)
	rapid.Check(t, func(rt *rapid.T) {
		keys := []string{"a@x.example", "b@x.example", "@x.example", "@example", "a@y.example", "@sub.y.example"}
		all, err := s.Suppressions(ctx)
		must(t, err)
		for _, x := range all {
			must(t, s.RemoveSuppression(ctx, x.ID))
		}
		on := map[string]bool{}
		for range rapid.IntRange(1, 20).Draw(rt, "steps") {
			k := rapid.SampledFrom(keys).Draw(rt, "key")
			switch rapid.IntRange(0, 3).Draw(rt, "what") {
			case 0:
				must(t, s.Suppress(ctx, model.Suppression{Key: k, Reason: "user"}))
				on[k] = true
			case 1:
				_, err := s.SuppressAll(ctx, []model.Suppression{{Key: k, Reason: "import"}})
				must(t, err)
				on[k] = true
			case 2:
				all, err := s.Suppressions(ctx)
				must(t, err)
				for _, x := range all {
					if x.Key == k {
						must(t, s.RemoveSuppression(ctx, x.ID))
					}
				}
				delete(on, k)
			}
			for email, by := range map[string][]string{"a@x.example": {"a@x.example", "@x.example", "@example"}, "c@x.example": {"@x.example", "@example"},
				"a@sub.y.example": {"@sub.y.example", "@y.example", "@example"}, "a@z.org": nil} {
				want := false
				for _, k := range by {
					want = want || on[k]
				}
				if _, got, err := s.Suppressed(ctx, email); err != nil || got != want {
					rt.Fatalf("%s is suppressed: %v %v, want %v with %v", email, got, err, want, on)
				}
			}
		}
	})
}

// TestSuppressedAtOnce: who is suppressed while others ask is so for the next who asks.
func TestSuppressedAtOnce(t *testing.T) {
	s := fresh(t)
	var asking sync.WaitGroup
	for w := range 4 {
		asking.Go(func() {
			for i := range 50 {
				key := fmt.Sprintf("user%d.%d@example.com", w, i)
				if err := s.Suppress(ctx, model.Suppression{Key: key, Reason: "user"}); err != nil {
					t.Error(err)
				}
				if reason, yes, err := s.Suppressed(ctx, key); !yes || reason != "user" || err != nil {
					t.Errorf("%s: %q %v %v", key, reason, yes, err)
				}
				if i%10 == 0 {
					if _, err := s.SuppressAll(ctx, []model.Suppression{{Key: key, Reason: "user"}}); err != nil { // makes the list be read anew
						t.Error(err)
					}
				}
			}
		})
	}
	asking.Wait()
}

// TestSuppressedBesideAWriter: who only looks sees what another process writes.
func TestSuppressedBesideAWriter(t *testing.T) {
	s := fresh(t)
	r := open(t, s.Dir(), store.Options{ReadOnly: true})
	for _, want := range []bool{false, true} {
		if _, yes, err := r.Suppressed(ctx, "a@example.com"); err != nil || yes != want {
			t.Fatalf("%v %v, want %v", yes, err, want)
		}
		must(t, s.Suppress(ctx, model.Suppression{Key: "a@example.com", Reason: "user"}))
	}
}
