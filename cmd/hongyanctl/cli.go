package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"hongyan/app"
	"hongyan/app/awake"
	"hongyan/app/contacts"
	"hongyan/app/model"
	"hongyan/app/secrets"
	"hongyan/assets"
	"hongyan/store"
)

// Exit codes, part of the contract with scripts.
const (
	exitDone    = 0
	exitSome    = 1 // some recipients failed or are unknown
	exitUsage   = 2 // wrong use or bad input
	exitStopped = 3 // the run was stopped early: no usable account, limits, disk full
)

// closeGrace is how long the end of the program waits for letters under way.
const closeGrace = time.Minute

// version is set at build time.
var version = "dev"

// cli is one call of the program.
type cli struct {
	stdin       io.Reader
	out, errOut io.Writer
	texts       *assets.Texts
	flags       *flag.FlagSet
	args        []string // names, flags taken out

	data  string
	json  bool
	lang  string
	about string         // what an error line begins with: which of several files it is about
	close []func() error // in the order opened
}

// run is the program: it returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, out, errOut io.Writer) int {
	c := &cli{stdin: stdin, out: out, errOut: errOut, texts: assets.For("")}
	v, rest, ok := find(args)
	if !ok {
		return c.guide(split(args))
	}
	c.declare(strings.Join(v.words, " "))
	exec := v.make(c)
	if err := c.parse(rest); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			_, _ = fmt.Fprintln(out, "hongyanctl "+v.synopsis)
			c.lang = cmp.Or(c.lang, langOf(rest))
			c.help()
			return exitDone
		}
		return c.fail(usage(err.Error() + " (hongyanctl " + strings.Join(v.words, " ") + " --help)"))
	}
	c.texts = assets.For(c.lang)
	if err := c.blank(); err != nil {
		return c.fail(err)
	}
	code, err := exec(ctx)
	for i := len(c.close) - 1; i >= 0; i-- {
		err = errors.Join(err, c.close[i]())
	}
	if err != nil {
		if f := c.fail(err); code == exitDone {
			code = f
		}
	}
	return code
}

// declare declares the flags that every verb has.
func (c *cli) declare(name string) {
	c.flags = flag.NewFlagSet(name, flag.ContinueOnError)
	c.flags.SetOutput(io.Discard)
	c.flags.StringVar(&c.data, "data", DefaultDir(), "flag.data")
	c.flags.BoolVar(&c.json, "json", false, "flag.json")
	c.flags.StringVar(&c.lang, "lang", "", "flag.lang")
}

// guide answers a line that names no verb: with help where that is asked for, else with what could have been meant.
func (c *cli) guide(words, flags []string) int {
	c.declare("help")
	if c.flags.Parse(flags) == nil {
		c.texts = assets.For(c.lang)
	}
	if len(words) == 0 {
		c.usage(verbs())
		return exitUsage
	}
	help := func(word string) bool { return word == "help" || word == "-h" || word == "--help" }
	if help(words[0]) {
		if words = words[1:]; len(words) == 0 || strings.HasPrefix(words[0], "-") {
			c.usage(verbs())
			return exitDone
		}
		words = []string{words[0], "help"}
	}
	of := group(words[0])
	switch {
	case len(of) == 0:
		return c.fail(usage("unknown command: " + words[0] + " (hongyanctl help lists them)"))
	case len(words) > 1 && help(words[1]):
		c.usage(of)
		return exitDone
	case len(words) > 1 && !strings.HasPrefix(words[1], "-"):
		return c.fail(usage("unknown command: " + words[0] + " " + words[1] + "; there is " + seconds(of)))
	}
	return c.fail(usage(words[0] + " what? There is " + seconds(of) + " (hongyanctl " + words[0] + " --help)"))
}

// parse reads flags and names in any order; package flag alone would stop at the first name.
func (c *cli) parse(args []string) error {
	for len(args) > 0 {
		if err := c.flags.Parse(args); err != nil {
			return err
		}
		rest := c.flags.Args()
		if len(rest) == 0 {
			return nil
		}
		if len(args) > len(rest) && args[len(args)-len(rest)-1] == "--" {
			c.args = append(c.args, rest...)
			return nil
		}
		c.args = append(c.args, rest[0])
		args = rest[1:]
	}
	return nil
}

// langOf finds the language that is asked for behind --help, where flags are not read any more.
func langOf(args []string) string {
	for i, a := range args {
		name, value, is := strings.Cut(strings.TrimLeft(a, "-"), "=")
		switch {
		case name != "lang" || a == name:
		case is:
			return value
		case i+1 < len(args):
			return args[i+1]
		}
	}
	return ""
}

// help prints what the flags mean, in the language of the user: the usage of each is the key of a text.
func (c *cli) help() {
	texts := assets.For(c.lang)
	c.flags.VisitAll(func(f *flag.Flag) {
		line := "  --" + f.Name + "\n        " + strings.ReplaceAll(texts.T(f.Usage), "\n", "\n        ")
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0" && f.DefValue != "0s" {
			line += texts.T("ctl.default", "value", f.DefValue)
		}
		_, _ = fmt.Fprintln(c.out, line)
	})
}

// blank refuses a list or segment of no name: where a script's variable is empty, nobody is meant, and not everybody.
func (c *cli) blank() (err error) {
	c.flags.Visit(func(f *flag.Flag) {
		if (f.Name == "list" || f.Name == "segment") && f.Value.String() == "" {
			err = usage("--" + f.Name + " has no name")
		}
	})
	return err
}

// names asserts that exactly n names were given.
func (c *cli) names(n int, what string) error {
	switch {
	case len(c.args) < n:
		return usage("missing: " + what)
	case len(c.args) > n:
		return usage("too many words: " + strings.Join(c.args[n:], " "))
	}
	return nil
}

func usage(detail string) error { return model.E(model.EUsage, nil, "detail", detail) }

// fail prints one clear line and gives the exit code of an error.
func (c *cli) fail(err error) int {
	text := c.texts.Error(err)
	if e, ok := errors.AsType[*model.Error](err); ok && e.Code == model.EInvalid {
		if key := "ctl.invalid." + e.Args["field"]; c.texts.Has(key) { // it is a flag's value: say which and what it may be
			text = c.texts.Args(key, e.Args)
		}
	}
	_, _ = fmt.Fprintln(c.errOut, "hongyanctl: "+c.about+strings.ReplaceAll(text, "\n", " "))
	switch model.CodeOf(err) {
	case model.EDiskFull, model.EDiskFault, model.EReadOnly, model.EDamaged, model.EGone, model.EReplaced, model.ELocked,
		model.ENoAccount, model.ECancelled, model.EInternal,
		model.EHost, model.ERefused, model.EHangs, model.EUnreachable, model.ENotSMTP, model.ETLS, model.ECertificate,
		model.EConnLost, model.EAuth, model.EReplied,
		model.ESignInServer, model.ESignInEnded, model.ESignInRejected, model.ESignInRefused, model.ESignInTimeout:
		return exitStopped
	}
	return exitUsage
}

// print writes one result: as JSON, or as a line for people.
func (c *cli) print(v any, line string) {
	if c.json {
		b, err := json.Marshal(v)
		if err == nil {
			_, _ = fmt.Fprintf(c.out, "%s\n", b)
		}
		return
	}
	_, _ = fmt.Fprintln(c.out, line)
}

// open opens the data folder. readOnly works beside a running window.
func (c *cli) open(ctx context.Context, readOnly bool) (*app.App, error) {
	st, err := store.Open(ctx, c.data, store.Options{ReadOnly: readOnly})
	switch code := model.CodeOf(err); {
	case readOnly && code == model.EFileMissing:
		if c.data != DefaultDir() { // a slip of the pen, perhaps: it is told, and leaves no folder behind
			_, _ = fmt.Fprintln(c.errOut, "hongyanctl: "+c.texts.T("ctl.nofolder", "path", c.data))
		}
		return c.elsewhere(ctx)
	case readOnly && code == model.EReadOnly: // one of an earlier version can be read once it is brought up to this one
		st, err = store.Open(ctx, c.data, store.Options{})
	}
	if err != nil {
		return nil, err
	}
	if readOnly && st.Unclean(ctx) { // after a kill it is first found out who may have got a letter; a running Hongyan keeps us out
		if whole, err := store.Open(ctx, c.data, store.Options{}); err == nil {
			_ = st.Close()
			st = whole
		}
	}
	c.close = append(c.close, st.Close)
	keeper := secrets.Open(secrets.Options{Dir: c.data, Passphrase: os.Getenv("HONGYAN_PASSPHRASE")})
	a := app.New(app.Options{Dir: c.data, Store: st, Secrets: keeper, Version: version, Folder: c.folder, Awake: awake.Hold})
	c.close = append(c.close, func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeGrace)
		defer cancel()
		return a.Close(ctx)
	})
	return a, nil
}

// bare reports that there is no data in the folder yet: whoever looks for something in it is told so, and makes none.
func (c *cli) bare() bool {
	_, err := os.Stat(filepath.Join(c.data, "app.db"))
	return errors.Is(err, os.ErrNotExist)
}

// folder opens the data folder of another Hongyan to import from.
func (c *cli) folder(path string) (contacts.Folder, error) {
	f, err := store.OpenFolder(context.Background(), c.data, path)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// one opens the data folder and finds the thing that the only name on the line names; what says what that is.
func one[T any](ctx context.Context, c *cli, readOnly bool, what string, find func(*app.App, context.Context, string) (*T, error)) (*app.App, *T, error) {
	if err := c.names(1, what); err != nil {
		return nil, nil, err
	}
	h, err := c.open(ctx, readOnly || c.bare())
	if err != nil {
		return nil, nil, err
	}
	v, err := find(h, ctx, c.args[0])
	return h, v, err
}

// all is the verb that prints all things of a kind; none is the text for where there are none.
func all[T any](read func(*app.App, context.Context) ([]T, error), none string, show func(context.Context, *cli, *app.App, T) error) func(*cli) func(context.Context) (int, error) {
	return func(c *cli) func(context.Context) (int, error) {
		return func(ctx context.Context) (int, error) {
			if err := c.names(0, ""); err != nil {
				return 0, err
			}
			h, err := c.open(ctx, true)
			if err != nil {
				return 0, err
			}
			found, err := read(h, ctx)
			if err != nil {
				return 0, err
			}
			if len(found) == 0 && !c.json {
				_, _ = fmt.Fprintln(c.out, c.texts.T(none))
			}
			for _, v := range found {
				if err := show(ctx, c, h, v); err != nil {
					return 0, err
				}
			}
			return exitDone, nil
		}
	}
}

// unlock asks for the passphrase of the secrets file where one is needed and none was given.
func (c *cli) unlock(a *app.App) error {
	if !a.SecretsNeedPassphrase() {
		return nil
	}
	pass, err := c.askSecret("HONGYAN_PASSPHRASE: ")
	if err != nil {
		return err
	}
	return a.UnlockSecrets(pass)
}

// DefaultDir is the data folder that the window uses too.
func DefaultDir() string { return app.DefaultDir() }

func (c *cli) usage(of []verb) {
	_, _ = fmt.Fprintln(c.out, "hongyanctl "+version+"\n\n"+c.texts.T("ctl.intro")+"\n")
	for _, v := range of {
		_, _ = fmt.Fprintln(c.out, "  hongyanctl "+v.synopsis)
	}
	_, _ = fmt.Fprintln(c.out, "\n"+c.texts.T("ctl.outro", "dir", filepath.Clean(DefaultDir())))
}
