package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"hongyan/app"
	"hongyan/app/contacts"
	"hongyan/app/model"
	"hongyan/store"
)

// importLine is the last line of import --json, part of the contract with scripts.
type importLine struct {
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
	var charset, rejects string
	var dry bool
	f := c.flags
	f.StringVar(&spec.ListName, "list", "", "the list, made when it is not there")
	f.StringVar(&spec.Source, "source", "", "where these addresses come from")
	f.StringVar(&spec.Consent, "consent", "", "how these people agreed to get mail")
	f.StringVar(&charset, "charset", "", "when it is guessed wrong: utf-8, gb18030, utf-16le, ...")
	f.BoolVar(&dry, "dry-run", false, "count what would be; nothing is stored")
	f.StringVar(&rejects, "rejects", "", "write the refused rows to this CSV file")
	cut := cutOff{c: c}
	f.BoolVar(&cut.resume, "resume", false, "go on with an import that was cut off (FILE or #N says which)")
	f.BoolVar(&cut.keep, "keep", false, "let what a cut-off import brought stay as it is")
	f.BoolVar(&cut.undo, "undo", false, "take back what a cut-off import brought")
	return func(ctx context.Context) (int, error) {
		// A million rows are little to a collector that looks often, and much to one that lets memory grow to twice what is used.
		debug.SetGCPercent(25)
		if cut.resume && cut.keep || cut.resume && cut.undo || cut.keep && cut.undo {
			return 0, usage("only one of --resume, --keep and --undo")
		}
		if cut.resume || cut.keep || cut.undo {
			return exitDone, cut.run(ctx, rejects)
		}
		if err := c.names(1, "the file"); err != nil {
			return 0, err
		}
		if spec.ListName == "" {
			return 0, usage("--list L is needed")
		}
		src, err := contacts.Open(c.args[0], contacts.Options{Charset: charset})
		if err != nil {
			return 0, err
		}
		c.close = append(c.close, src.Close)
		open := func(ctx context.Context) (*app.App, error) { return c.open(ctx, false) }
		if dry {
			open = c.look
		}
		h, err := open(ctx)
		if err != nil {
			return 0, err
		}
		if err := cut.tell(ctx, h); err != nil {
			return 0, err
		}
		report, err := h.Import(ctx, src, spec, dry, nil)
		if err != nil {
			return 0, err
		}
		return exitDone, c.imported(h, spec.ListName, report, rejects)
	}
}

// look opens the data folder for looking only. Where there is none it is an empty one elsewhere, which is gone afterwards.
func (c *cli) look(ctx context.Context) (*app.App, error) {
	st, err := store.Open(ctx, c.data, store.Options{ReadOnly: true})
	if err == nil {
		err = st.Close()
	}
	if model.CodeOf(err) != model.EFileMissing {
		if err != nil {
			return nil, err
		}
		return c.open(ctx, true)
	}
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
	if !c.json {
		for i, r := range report.Rejects {
			if i == 20 {
				_, _ = fmt.Fprintln(c.out, c.texts.T("ctl.import.more", "n", strconv.Itoa(report.Invalid-i)))
				break
			}
			_, _ = fmt.Fprintln(c.out, c.texts.T("ctl.import.reject", "line", strconv.Itoa(r.Line),
				"reason", c.texts.T("reject."+r.Reason, "hint", r.Hint), "text", shorten(r.Text)))
		}
	}
	l := importLine{report.Read, report.Added, report.Updated, report.Duplicate, report.Invalid, report.Suppressed, report.Charset, report.Seconds}
	c.print(l, c.texts.T("ctl.import.done", "read", strconv.Itoa(l.Read), "added", strconv.Itoa(l.Added), "updated", strconv.Itoa(l.Updated),
		"duplicate", strconv.Itoa(l.Duplicate), "invalid", strconv.Itoa(l.Invalid), "suppressed", strconv.Itoa(l.Suppressed),
		"charset", l.Charset, "list", list))
	return nil
}

// shorten makes one line of at most 60 characters of a row's text.
func shorten(s string) string {
	r := []rune(strings.Join(strings.Fields(s), " "))
	if len(r) > 60 {
		return string(r[:59]) + "…"
	}
	return string(r)
}

func listAll(c *cli) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		if err := c.names(0, ""); err != nil {
			return 0, err
		}
		h, err := c.open(ctx, true)
		if err != nil {
			return 0, err
		}
		lists, err := h.Lists(ctx)
		if err != nil {
			return 0, err
		}
		if len(lists) == 0 && !c.json {
			_, _ = fmt.Fprintln(c.out, c.texts.T("ctl.list.none"))
		}
		for _, l := range lists {
			c.print(map[string]any{"list": l.Name, "count": l.Count}, c.texts.T("ctl.list.line", "name", l.Name, "n", strconv.Itoa(l.Count)))
		}
		return exitDone, nil
	}
}

// contactLine is a person as scripts see them.
type contactLine struct {
	Email   string            `json:"email"`
	Address string            `json:"address"`
	Name    string            `json:"name"`
	Fields  map[string]string `json:"fields,omitempty"`
	Source  string            `json:"source"`
	Consent string            `json:"consent"`
}

// errEnough ends a walk over a list at its limit.
var errEnough = errors.New("enough")

func listShow(c *cli) func(context.Context) (int, error) {
	limit := c.flags.Int("limit", 0, "at most so many; 0: all")
	var p pick
	p.declare(c, false)
	return func(ctx context.Context) (int, error) {
		h, q, err := c.audience(ctx, &p)
		if err != nil {
			return 0, err
		}
		n := 0
		show := func(p *model.Contact) error {
			if *limit > 0 && n == *limit {
				return errEnough
			}
			n++
			c.print(contactLine{p.Email, p.Address, p.Name, p.Fields, p.Source, p.Consent}, p.Address+"\t"+p.Name)
			return nil
		}
		if err := each(ctx, h, q, show); err != nil && !errors.Is(err, errEnough) {
			return 0, err
		}
		return exitDone, nil
	}
}

// audience opens the data folder for the people of the list that is named, which may be left out where flags choose.
func (c *cli) audience(ctx context.Context, p *pick) (h *app.App, q model.ContactQuery, err error) {
	if len(c.args) > 0 || !p.chosen() {
		if err := c.names(1, "the list"); err != nil {
			return nil, q, err
		}
		if p.list = c.args[0]; p.list == "" {
			return nil, q, usage("the list has no name")
		}
	}
	if h, err = c.open(ctx, true); err == nil {
		q, err = p.query(ctx, h)
	}
	return h, q, err
}

// each walks the people whom a query chooses, in order of ids.
func each(ctx context.Context, h *app.App, q model.ContactQuery, f func(*model.Contact) error) error {
	if q.Filter.Empty() {
		return h.EachContact(ctx, q.ListID, f)
	}
	ids, err := h.ContactIDs(ctx, q)
	if err != nil {
		return err
	}
	for part := range slices.Chunk(ids, 500) {
		people, err := h.Contacts(ctx, part)
		if err != nil {
			return err
		}
		for i := range people {
			if err := f(&people[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

func exportList(c *cli) func(context.Context) (int, error) {
	to := c.flags.String("to", "", "the file: .csv, .xlsx or .vcf")
	var p pick
	p.declare(c, false)
	return func(ctx context.Context) (int, error) {
		if *to == "" && (len(c.args) == 1 || p.chosen()) {
			return 0, usage("--to FILE is needed")
		}
		h, q, err := c.audience(ctx, &p)
		if err != nil {
			return 0, err
		}
		export := func() (int, error) { return h.ExportList(ctx, q.ListID, *to) }
		if !q.Filter.Empty() {
			export = func() (int, error) { return h.ExportPeople(ctx, q, *to) }
		}
		n, err := export()
		if err != nil {
			return 0, err
		}
		line := map[string]any{"list": p.list, "exported": n, "file": *to}
		if p.segment != "" {
			line["segment"] = p.segment
		}
		c.print(line, c.texts.T("ctl.export.done", "n", strconv.Itoa(n), "file", *to))
		return exitDone, nil
	}
}
