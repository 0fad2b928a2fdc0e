package main

import (
	"context"
	"strconv"
	"strings"
	"time"

	"hongyan/app"
	"hongyan/app/model"
)

func tagAdd(c *cli) func(context.Context) (int, error) {
	var p pick
	p.declare(c, true)
	return func(ctx context.Context) (int, error) {
		h, ids, err := c.picked(ctx, &p, "the tag")
		if err != nil {
			return 0, err
		}
		n, err := h.TagContacts(ctx, ids, c.args[0])
		if err != nil {
			return 0, err
		}
		c.print(map[string]any{"tag": c.args[0], "added": n}, c.texts.T("ctl.tag.added", "name", c.args[0], "n", strconv.Itoa(n)))
		return exitDone, nil
	}
}

// picked opens the data folder for a change to people whom flags choose; the only name on the line is what.
func (c *cli) picked(ctx context.Context, p *pick, what string) (*app.App, []int64, error) {
	if err := c.names(1, what); err != nil {
		return nil, nil, err
	}
	if !p.chosen() {
		return nil, nil, usage("who? --list L, --segment S or --where CONDITION is needed")
	}
	h, err := c.open(ctx, c.bare())
	if err != nil {
		return nil, nil, err
	}
	q, err := p.query(ctx, h)
	if err != nil {
		return nil, nil, err
	}
	ids, err := h.ContactIDs(ctx, q)
	return h, ids, err
}

// recordConsent notes how people agreed who were not asked by an import: see app.RecordConsent.
func recordConsent(c *cli) func(context.Context) (int, error) {
	var p pick
	p.declare(c, true)
	return func(ctx context.Context) (int, error) {
		h, ids, err := c.picked(ctx, &p, "how they agreed")
		if err != nil {
			return 0, err
		}
		n, err := h.RecordConsent(ctx, ids, c.args[0])
		if err != nil {
			return 0, err
		}
		c.print(map[string]any{"consent": strings.TrimSpace(c.args[0]), "recorded": n}, c.texts.T("ctl.consent.done", "n", strconv.Itoa(n)))
		return exitDone, nil
	}
}

func tagRemove(c *cli) func(context.Context) (int, error) {
	var p pick
	p.declare(c, true)
	return func(ctx context.Context) (int, error) {
		if !p.chosen() { // from everybody, and the tag itself
			h, t, err := one(ctx, c, false, "the tag", (*app.App).TagByName)
			if err == nil {
				err = h.RemoveTag(ctx, t.ID)
			}
			if err != nil {
				return 0, err
			}
			c.print(map[string]any{"tag": t.Name, "removed": t.Count}, c.texts.T("ctl.tag.gone", "name", t.Name, "n", strconv.Itoa(t.Count)))
			return exitDone, nil
		}
		h, ids, err := c.picked(ctx, &p, "the tag")
		if err != nil {
			return 0, err
		}
		t, err := h.TagByName(ctx, c.args[0])
		if err != nil {
			return 0, err
		}
		n, err := h.UntagContacts(ctx, ids, t.ID)
		if err != nil {
			return 0, err
		}
		c.print(map[string]any{"tag": t.Name, "removed": n}, c.texts.T("ctl.tag.removed", "name", t.Name, "n", strconv.Itoa(n)))
		return exitDone, nil
	}
}

func showTag(_ context.Context, c *cli, _ *app.App, t model.Tag) error {
	c.print(map[string]any{"tag": t.Name, "count": t.Count}, c.texts.T("ctl.list.line", "name", t.Name, "n", strconv.Itoa(t.Count)))
	return nil
}

func segmentSave(c *cli) func(context.Context) (int, error) {
	var p pick
	p.declareWhere(c)
	return func(ctx context.Context) (int, error) {
		if err := c.names(1, "the segment's name"); err != nil {
			return 0, err
		}
		if len(p.where) == 0 {
			return 0, usage("--where CONDITION is needed")
		}
		h, err := c.open(ctx, false)
		if err != nil {
			return 0, err
		}
		s, err := h.SegmentByName(ctx, c.args[0])
		if model.CodeOf(err) == model.ENotFound {
			s, err = &model.Segment{Name: c.args[0]}, nil
		}
		if err == nil {
			s.Filter, err = p.filter(ctx, h)
		}
		if err == nil {
			err = h.SaveSegment(ctx, s)
		}
		if err != nil {
			return 0, err
		}
		return exitDone, c.segment(ctx, h, s)
	}
}

// segmentLine is a segment as scripts see it.
type segmentLine struct {
	Segment string   `json:"segment"`
	Any     bool     `json:"any"`
	Where   []string `json:"where"`
	Count   int      `json:"count"`
}

// segment shows a segment, and how many it chooses at present.
func (c *cli) segment(ctx context.Context, h *app.App, s *model.Segment) error {
	texts, err := whereTexts(ctx, h, s.Filter)
	if err != nil {
		return err
	}
	ids, err := h.ContactIDs(ctx, model.ContactQuery{Filter: s.Filter})
	if err != nil {
		return err
	}
	key := "ctl.segment.all"
	if s.Filter.Any {
		key = "ctl.segment.any"
	}
	c.print(segmentLine{s.Name, s.Filter.Any, texts, len(ids)},
		c.texts.T(key, "name", s.Name, "n", strconv.Itoa(len(ids)), "where", "\n  "+strings.Join(texts, "\n  ")))
	return nil
}

func segmentShow(c *cli) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		h, s, err := one(ctx, c, true, "the segment", (*app.App).SegmentByName)
		if err != nil {
			return 0, err
		}
		return exitDone, c.segment(ctx, h, s)
	}
}

func showSegment(ctx context.Context, c *cli, h *app.App, s model.Segment) error {
	texts, err := whereTexts(ctx, h, s.Filter)
	if err != nil {
		return err
	}
	c.print(map[string]any{"segment": s.Name, "any": s.Filter.Any, "where": texts}, s.Name)
	return nil
}

func segmentRemove(c *cli) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		h, s, err := one(ctx, c, false, "the segment", (*app.App).SegmentByName)
		if err == nil {
			err = h.RemoveSegment(ctx, s.ID)
		}
		if err != nil {
			return 0, err
		}
		c.print(map[string]any{"segment": s.Name, "removed": true}, c.texts.T("ctl.segment.removed", "name", s.Name))
		return exitDone, nil
	}
}

// changeLine is a change as scripts see it.
type changeLine struct {
	Kind model.ChangeKind `json:"kind"`
	N    int              `json:"n"`
	What string           `json:"what"`
	At   time.Time        `json:"at"`
}

func (c *cli) change(ch model.Change, key string) {
	what := c.texts.T("ctl.change."+string(ch.Kind), "n", strconv.Itoa(ch.N), "what", ch.What)
	c.print(changeLine{ch.Kind, ch.N, ch.What, ch.At}, c.texts.T(key, "what", what, "at", ch.At.Local().Format("2006-01-02 15:04:05")))
}

func undo(c *cli) func(context.Context) (int, error) {
	list := c.flags.Bool("list", false, "flag.undo.list")
	return func(ctx context.Context) (int, error) {
		if err := c.names(0, ""); err != nil {
			return 0, err
		}
		h, err := c.open(ctx, *list)
		if err != nil {
			return 0, err
		}
		if !*list {
			ch, err := h.UndoChange(ctx)
			if model.CodeOf(err) == model.ENotFound {
				return 0, usage(c.texts.T("ctl.undo.none"))
			}
			if err == nil {
				c.change(ch, "ctl.undo.done")
			}
			return exitDone, err
		}
		all, err := h.Changes(ctx)
		for _, ch := range all {
			c.change(ch, "ctl.undo.line")
		}
		return exitDone, err
	}
}

func merge(c *cli) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		if len(c.args) < 2 {
			return 0, usage("missing: the address that stays, and those that become a part of it")
		}
		h, err := c.open(ctx, false)
		if err != nil {
			return 0, err
		}
		ids := make([]int64, len(c.args))
		for i, address := range c.args {
			p, err := h.ContactByAddress(ctx, address)
			if err != nil {
				return 0, err
			}
			ids[i] = p.ID
		}
		if err := h.MergeContacts(ctx, ids[0], ids[1:]); err != nil {
			return 0, err
		}
		n := len(ids) - 1
		c.print(map[string]any{"kept": c.args[0], "merged": n}, c.texts.T("ctl.merge.done", "kept", c.args[0], "n", strconv.Itoa(n)))
		return exitDone, nil
	}
}
