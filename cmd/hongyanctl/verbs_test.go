package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFind(t *testing.T) {
	for _, c := range []struct{ args, verb, rest string }{
		{"account list", "account list", ""},
		{"--data d account list", "account list", "--data d"},
		{"account --data=d --json list", "account list", "--data=d --json"},
		{"--json campaign status C", "campaign status", "--json C"},
		{"list", "list", ""},
		{"list show L --limit 3", "list show", "L --limit 3"},
		{"list --json", "list", "--json"},
		{"import f.csv --list L", "import", "f.csv --list L"},
		{"--lang zh import --list L f.csv", "import", "--lang zh --list L f.csv"},
		{"send --name x --list y", "send", "--name x --list y"},
		{"campaign fly", "", ""},
		{"account", "", ""},
		{"--data", "", ""},
	} {
		v, rest, ok := find(strings.Fields(c.args))
		if got := strings.Join(v.words, " "); got != c.verb || ok != (c.verb != "") {
			t.Errorf("%s: verb %q", c.args, got)
			continue
		}
		if diff := cmp.Diff(c.rest, strings.Join(rest, " ")); diff != "" {
			t.Errorf("%s: %s", c.args, diff)
		}
	}
}
