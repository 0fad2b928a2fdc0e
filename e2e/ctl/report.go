package ctl

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hongyan/assets"
)

// Row is a recipient in a report.
type Row struct {
	State                 string // as the journal calls it: accepted, rejected, ...
	Name, Why, Step, Code string
	Reply                 string
}

// states gives the journal's names of what a report calls them.
func states(tb testing.TB) map[string]string {
	tb.Helper()
	names := map[string]string{}
	t := assets.For("en")
	for _, s := range []string{"queued", "attempting", "accepted", "deferred", "rejected", "unknown", "skipped"} {
		names[t.T("report.state."+s)] = s
	}
	if len(names) != 7 {
		tb.Fatalf("two states have one name: %v", names)
	}
	return names
}

// Report writes the report of a campaign and reads it back: what became of each address.
func (c *Ctl) Report(campaign string) map[string]Row {
	c.tb.Helper()
	path := filepath.Join(c.tb.TempDir(), "report.csv")
	c.Run("report", campaign, "--to", path, "--lang", "en").Want(Done)
	b, err := os.ReadFile(path)
	if err != nil {
		c.tb.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(b), "\ufeff"))).ReadAll()
	if err != nil {
		c.tb.Fatal(err)
	}
	names, all := states(c.tb), map[string]Row{}
	for _, r := range rows[1:] {
		if _, twice := all[r[0]]; twice {
			c.tb.Errorf("%s is in the report twice", r[0])
		}
		if names[r[2]] == "" {
			c.tb.Errorf("%s has the state %q", r[0], r[2])
		}
		all[r[0]] = Row{State: names[r[2]], Name: r[1], Why: r[3], Step: r[7], Code: r[8], Reply: r[9]}
	}
	return all
}
