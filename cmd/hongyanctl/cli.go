package main

import (
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
	close []func() error // in the order opened
}

// run is the program: it returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, out, errOut io.Writer) int {
	c := &cli{stdin: stdin, out: out, errOut: errOut, texts: assets.For("")}
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		c.usage()
		if len(args) == 0 {
			return exitUsage
		}
		return exitDone
	}
	v, rest, ok := find(args)
	if !ok {
		return c.fail(usage("unknown command: " + strings.Join(args, " ") + " (hongyanctl help lists them)"))
	}
	c.flags = flag.NewFlagSet(strings.Join(v.words, " "), flag.ContinueOnError)
	c.flags.SetOutput(io.Discard)
	c.flags.StringVar(&c.data, "data", DefaultDir(), "the data folder")
	c.flags.BoolVar(&c.json, "json", false, "print one JSON object a line")
	c.flags.StringVar(&c.lang, "lang", "", "zh or en")
	exec := v.make(c)
	if err := c.parse(rest); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			_, _ = fmt.Fprintln(out, "hongyanctl "+v.synopsis)
			c.flags.SetOutput(out)
			c.flags.PrintDefaults()
			return exitDone
		}
		return c.fail(usage(err.Error() + " (hongyanctl " + strings.Join(v.words, " ") + " --help)"))
	}
	c.texts = assets.For(c.lang)
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
	_, _ = fmt.Fprintln(c.errOut, "hongyanctl: "+strings.ReplaceAll(c.texts.Error(err), "\n", " "))
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
	if readOnly && model.CodeOf(err) == model.EFileMissing { // a folder that nobody has used yet: there is nothing in it
		st, err = store.Open(ctx, c.data, store.Options{})
	}
	if err != nil {
		return nil, err
	}
	c.close = append(c.close, st.Close)
	keeper := secrets.Open(secrets.Options{Dir: c.data, Passphrase: os.Getenv("HONGYAN_PASSPHRASE")})
	a := app.New(app.Options{Dir: c.data, Store: st, Secrets: keeper, Version: version})
	c.close = append(c.close, func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeGrace)
		defer cancel()
		return a.Close(ctx)
	})
	return a, nil
}

// one opens the data folder and finds the thing that the only name on the line names; what says what that is.
func one[T any](ctx context.Context, c *cli, readOnly bool, what string, find func(*app.App, context.Context, string) (*T, error)) (*app.App, *T, error) {
	if err := c.names(1, what); err != nil {
		return nil, nil, err
	}
	h, err := c.open(ctx, readOnly)
	if err != nil {
		return nil, nil, err
	}
	v, err := find(h, ctx, c.args[0])
	return h, v, err
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

func (c *cli) usage() {
	_, _ = fmt.Fprintln(c.out, "hongyanctl "+version+"\n\n"+c.texts.T("ctl.intro")+"\n")
	for _, v := range verbs() {
		_, _ = fmt.Fprintln(c.out, "  hongyanctl "+v.synopsis)
	}
	_, _ = fmt.Fprintln(c.out, "\n"+c.texts.T("ctl.outro", "dir", filepath.Clean(DefaultDir())))
}
