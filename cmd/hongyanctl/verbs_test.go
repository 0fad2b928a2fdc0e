package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hongyan/assets"
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

// TestGuide: a line without a verb is answered with what could have been meant.
func TestGuide(t *testing.T) {
	for _, c := range []struct {
		args     string
		code     int
		out, err string // what is printed, among other things
		not      string // and what is not
	}{
		{"", exitUsage, "hongyanctl tag list", "", ""},
		{"--data d", exitUsage, "hongyanctl tag list", "", ""},
		{"help", exitDone, "hongyanctl tag list", "", ""},
		{"--help", exitDone, "hongyanctl tag list", "", ""},
		{"--data d help", exitDone, "hongyanctl tag list", "", ""},
		{"--lang zh -h", exitDone, "每个命令", "", ""},
		{"help --lang=zh", exitDone, "每个命令", "", ""},
		{"help tag", exitDone, "hongyanctl tag list", "", "segment save"},
		{"tag --help", exitDone, "hongyanctl tag list", "", "segment save"},
		{"--data d campaign help", exitDone, "hongyanctl campaign run", "", "segment save"},
		{"tag", exitUsage, "", "tag what? There is tag list, tag add, tag remove (hongyanctl tag --help)", ""},
		{"account --name x", exitUsage, "", "account what? There is account add", ""},
		{"tag paint vip --list L", exitUsage, "", "unknown command: tag paint; there is tag list, tag add, tag remove", "vip"},
		{"fly --data d away", exitUsage, "", "unknown command: fly (", "away"},
		{"help fly", exitUsage, "", "unknown command: fly (", ""},
		{"--colour red", exitUsage, "", "unknown command: --colour (", ""},
	} {
		var out, errOut strings.Builder
		code := run(t.Context(), strings.Fields(c.args), strings.NewReader(""), &out, &errOut)
		said := out.String() + errOut.String()
		if code != c.code || !strings.Contains(out.String(), c.out) || !strings.Contains(errOut.String(), c.err) || c.not != "" && strings.Contains(said, c.not) {
			t.Errorf("hongyanctl %s: %d\n%s", c.args, code, said)
		}
		if c.err != "" && (out.Len() > 0 || strings.Count(errOut.String(), "\n") != 1) {
			t.Errorf("hongyanctl %s: not one line of errors:\n%s", c.args, said)
		}
	}
}

// TestFlagsAreExplained: each flag of each verb has its words in every language, and --help shows them wherever --lang stands.
func TestFlagsAreExplained(t *testing.T) {
	for _, v := range verbs() {
		c := &cli{}
		c.declare("")
		v.make(c)
		c.flags.VisitAll(func(f *flag.Flag) {
			for _, lang := range assets.Languages {
				if !assets.For(lang).Has(f.Usage) {
					t.Errorf("%v: --%s has no words in %s: %s", v.words, f.Name, lang, f.Usage)
				}
			}
		})
	}
	for _, args := range [][]string{{"import", "--help", "--lang", "zh"}, {"import", "--lang=zh", "--help"}, {"--lang", "zh", "import", "-h"}} {
		var out, errs strings.Builder
		if code := run(t.Context(), args, nil, &out, &errs); code != exitDone || !strings.Contains(out.String(), "--list\n        名单，没有就新建\n") {
			t.Errorf("%v: status %d: %s%s", args, code, out.String(), errs.String())
		}
	}
}

// TestNoFolder: a verb that looks for something where there is no data says so, and leaves no folder behind.
func TestNoFolder(t *testing.T) {
	t.Setenv("HONGYAN_PASSPHRASE", "x")
	for verb, code := range map[string]int{"list": exitDone, "account list": exitDone, "campaign status c": exitUsage, "campaign run c": exitUsage,
		"campaign pause c": exitUsage, "account edit a": exitUsage, "account remove a": exitUsage, "report c --to x.csv": exitUsage, "tag add t --list l": exitUsage,
		"consent x --list l": exitUsage} {
		dir := filepath.Join(t.TempDir(), "slip of the pen")
		var out, errs strings.Builder
		got := run(t.Context(), append(strings.Fields(verb), "--data", dir, "--lang", "en"), nil, &out, &errs)
		if _, err := os.Stat(dir); got != code || !strings.Contains(errs.String(), "no data of Hongyan in "+dir) || !os.IsNotExist(err) {
			t.Errorf("%s: status %d, %s; the folder: %v", verb, got, errs.String(), err)
		}
	}
}
