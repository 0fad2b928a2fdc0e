package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"hongyan/app"
	"hongyan/app/contacts"
	"hongyan/app/model"
	"hongyan/store"
)

// importLine is the last line of import --json, part of the contract with scripts. Where there are several files, a line
// for each comes before it, and the last has the sums.
type importLine struct {
	File       string  `json:"file,omitempty"`
	Read       int     `json:"read"`
	Added      int     `json:"added"`
	Updated    int     `json:"updated"`
	Duplicate  int     `json:"duplicate"`
	Invalid    int     `json:"invalid"`
	Suppressed int     `json:"suppressed"`
	Charset    string  `json:"charset"`
	Seconds    float64 `json:"seconds"`
}

func importFile(c *cli) func(context.Context) (int, error) {
	var spec model.ImportSpec
	var rejects string
	var dry bool
	opt := contacts.Options{Folder: c.folder}
	f := c.flags
	f.StringVar(&spec.ListName, "list", "", "flag.import.list")
	f.StringVar(&spec.Source, "source", "", "flag.import.source")
	f.StringVar(&spec.Consent, "consent", "", "flag.import.consent")
	f.StringVar(&opt.Charset, "charset", "", "flag.import.charset")
	f.StringVar(&opt.Sheet, "sheet", "", "flag.import.sheet")
	f.BoolVar(&dry, "dry-run", false, "flag.import.dry-run")
	f.StringVar(&rejects, "rejects", "", "flag.import.rejects")
	cut := cutOff{c: c}
	f.BoolVar(&cut.resume, "resume", false, "flag.import.resume")
	f.BoolVar(&cut.keep, "keep", false, "flag.import.keep")
	f.BoolVar(&cut.undo, "undo", false, "flag.import.undo")
	return func(ctx context.Context) (int, error) {
		// A million rows are little to a collector that looks often, and much to one that lets memory grow to twice what is used.
		debug.SetGCPercent(25)
		if cut.resume && cut.keep || cut.resume && cut.undo || cut.keep && cut.undo {
			return 0, usage("only one of --resume, --keep and --undo")
		}
		if cut.resume || cut.keep || cut.undo {
			return exitDone, cut.run(ctx, rejects)
		}
		if len(c.args) == 0 {
			return 0, usage("missing: the file")
		}
		if spec.ListName == "" {
			return 0, usage("--list L is needed")
		}
		in := imports{c: c, spec: spec, opt: opt, dry: dry, cut: &cut, rejects: rejects}
		if len(c.args) > 1 {
			return exitDone, in.all(ctx, c.args)
		}
		report, err := in.one(ctx, c.args[0])
		if err != nil {
			return 0, err
		}
		in.consent()
		return exitDone, c.imported(in.app, spec.ListName, report, rejects)
	}
}

// imports are what one call imports.
type imports struct {
	c       *cli
	spec    model.ImportSpec
	opt     contacts.Options
	dry     bool
	cut     *cutOff
	rejects string

	app   *app.App // opened with the first file that can be read
	sum   model.ImportReport
	codes []string // charsets of the files
	found int      // people of pages and the like, whose consent is not recorded by an import
}

// one imports a file.
func (in *imports) one(ctx context.Context, path string) (r model.ImportReport, err error) {
	src, err := contacts.Open(path, in.opt)
	if err != nil {
		return r, err
	}
	defer func() { _ = src.Close() }() // it was only read
	if in.app == nil {
		if in.dry {
			in.app, err = in.c.look(ctx)
		} else {
			in.app, err = in.c.open(ctx, false)
		}
		if err == nil {
			err = in.cut.tell(ctx, in.app)
		}
		if err != nil {
			return r, err
		}
	}
	r, err = in.app.Import(ctx, src, in.spec, in.dry, nil)
	if err == nil && src.NoConsent() {
		in.found += r.Added
	}
	return r, err
}

// consent tells whose consent was not recorded, whatever --consent said, and how it is done.
func (in *imports) consent() {
	if in.found > 0 {
		_, _ = fmt.Fprintln(in.c.errOut, "hongyanctl: "+in.c.texts.T("ctl.import.noconsent", "n", strconv.Itoa(in.found), "list", in.spec.ListName))
	}
}

// all imports several files one after the other, each as an import of its own that can be undone. The first that fails
// ends it: those before it stay.
func (in *imports) all(ctx context.Context, paths []string) error {
	c := in.c
	for _, path := range paths {
		c.about = path + ": "
		r, err := in.one(ctx, path)
		if err != nil {
			return err
		}
		c.rejected(r)
		in.add(path, r)
		if err := in.save(); err != nil {
			return err
		}
		l := lineOf(r)
		l.File = path
		c.print(l, c.texts.T("ctl.import.file", l.args("file", path)...))
	}
	c.about = ""
	in.consent()
	l := lineOf(in.sum)
	l.Charset = strings.Join(in.codes, ",")
	c.print(l, c.texts.T("ctl.import.sum", l.args("list", in.spec.ListName, "n", strconv.Itoa(len(paths)))...))
	return nil
}

// add adds a report to the sums.
func (in *imports) add(path string, r model.ImportReport) {
	s := &in.sum
	s.Read, s.Added, s.Updated, s.Duplicate = s.Read+r.Read, s.Added+r.Added, s.Updated+r.Updated, s.Duplicate+r.Duplicate
	s.Invalid, s.Suppressed, s.Seconds = s.Invalid+r.Invalid, s.Suppressed+r.Suppressed, s.Seconds+r.Seconds
	if !slices.Contains(in.codes, r.Charset) {
		in.codes = append(in.codes, r.Charset)
	}
	if in.rejects == "" {
		return
	}
	for _, rej := range r.Rejects { // a line number says little without its file
		rej.Text = filepath.Base(path) + ": " + rej.Text
		s.Rejects = append(s.Rejects, rej)
	}
}

// save writes the refused rows of all files until now: the next may fail.
func (in *imports) save() error {
	if in.rejects == "" {
		return nil
	}
	return in.app.SaveRejects(in.rejects, in.sum)
}

// look opens the data folder for looking only. Where there is none it is an empty one elsewhere.
func (c *cli) look(ctx context.Context) (*app.App, error) {
	st, err := store.Open(ctx, c.data, store.Options{ReadOnly: true})
	if err == nil {
		err = st.Close()
	}
	switch {
	case model.CodeOf(err) == model.EFileMissing:
		return c.elsewhere(ctx)
	case err != nil:
		return nil, err
	}
	return c.open(ctx, true)
}

// elsewhere opens an empty data folder that is gone afterwards.
func (c *cli) elsewhere(ctx context.Context) (*app.App, error) {
	dir, err := os.MkdirTemp("", "hongyan-")
	if err != nil {
		return nil, model.E(model.EFolder, err, "path", os.TempDir())
	}
	c.close = append(c.close, func() error { return os.RemoveAll(dir) })
	c.data = dir
	return c.open(ctx, false)
}

// imported prints a report, and writes the refused rows to a file when one is named.
func (c *cli) imported(h *app.App, list string, report model.ImportReport, rejects string) error {
	if rejects != "" {
		if err := h.SaveRejects(rejects, report); err != nil {
			return err
		}
	}
	c.rejected(report)
	l := lineOf(report)
	c.print(l, c.texts.T("ctl.import.done", l.args("list", list)...))
	return nil
}

// rejected shows people the first refused rows.
func (c *cli) rejected(report model.ImportReport) {
	if c.json {
		return
	}
	for i, r := range report.Rejects {
		if i == 20 {
			_, _ = fmt.Fprintln(c.out, c.texts.T("ctl.import.more", "n", strconv.Itoa(report.Invalid-i)))
			break
		}
		_, _ = fmt.Fprintln(c.out, c.texts.T("ctl.import.reject", "line", strconv.Itoa(r.Line),
			"reason", c.texts.T("reject."+r.Reason, "hint", r.Hint), "text", shorten(r.Text)))
	}
}

func lineOf(r model.ImportReport) importLine {
	return importLine{Read: r.Read, Added: r.Added, Updated: r.Updated, Duplicate: r.Duplicate, Invalid: r.Invalid, Suppressed: r.Suppressed,
		Charset: r.Charset, Seconds: r.Seconds}
}

// args are the counts as arguments of a sentence, behind more of them.
func (l importLine) args(more ...string) []string {
	return append(more, "read", strconv.Itoa(l.Read), "added", strconv.Itoa(l.Added), "updated", strconv.Itoa(l.Updated),
		"duplicate", strconv.Itoa(l.Duplicate), "invalid", strconv.Itoa(l.Invalid), "suppressed", strconv.Itoa(l.Suppressed), "charset", l.Charset)
}
