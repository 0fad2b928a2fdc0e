package app

import (
	"cmp"
	"slices"
)

// tally counts by label and remembers the order in which labels came.
type tally struct {
	n     map[string]int
	order []string
}

func newTally() *tally { return &tally{n: map[string]int{}} }

func (t *tally) add(label string) {
	if t.n[label] == 0 {
		t.order = append(t.order, label)
	}
	t.n[label]++
}

// bars gives a bar a label, as wide as its share of the largest: by size, the largest first, or by label.
func (t *tally) bars(bySize bool) []reportBar {
	most := 0
	for _, n := range t.n {
		most = max(most, n)
	}
	labels := slices.Clone(t.order)
	slices.SortStableFunc(labels, func(a, b string) int {
		if bySize {
			return t.n[b] - t.n[a]
		}
		return cmp.Compare(a, b)
	})
	bars := make([]reportBar, len(labels))
	for i, l := range labels {
		bars[i] = bar(l, "plain", t.n[l], most)
	}
	return bars
}
