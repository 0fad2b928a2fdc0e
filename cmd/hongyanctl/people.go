package main

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"hongyan/app"
	"hongyan/app/model"
)

// shorten makes one line of at most 60 characters of a row's text.
func shorten(s string) string {
	r := []rune(strings.Join(strings.Fields(s), " "))
	if len(r) > 60 {
		return string(r[:59]) + "…"
	}
	return string(r)
}

func showList(_ context.Context, c *cli, _ *app.App, l model.List) error {
	c.print(map[string]any{"list": l.Name, "count": l.Count}, c.texts.T("ctl.list.line", "name", l.Name, "n", strconv.Itoa(l.Count)))
	return nil
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
	limit := c.flags.Int("limit", 0, "flag.people.limit")
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
		if err := h.EachPerson(ctx, q, show); err != nil && !errors.Is(err, errEnough) {
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

func exportList(c *cli) func(context.Context) (int, error) {
	to := c.flags.String("to", "", "flag.people.to")
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
		n, err := h.ExportPeople(ctx, q, *to)
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
