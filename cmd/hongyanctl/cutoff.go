package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"hongyan/app"
	"hongyan/app/contacts"
	"hongyan/app/model"
)

// cutOff is what import does about imports that were cut off.
type cutOff struct {
	c                  *cli
	resume, keep, undo bool
}

// tell says on the error output which imports were cut off: scripts read the other one.
func (o *cutOff) tell(ctx context.Context, h *app.App) error {
	open, err := h.OpenImports(ctx)
	if err != nil || len(open) == 0 {
		return err
	}
	for _, im := range open {
		_, _ = fmt.Fprintln(o.c.errOut, "hongyanctl: "+o.line(&im))
	}
	_, _ = fmt.Fprintln(o.c.errOut, "hongyanctl: "+o.c.texts.T("ctl.import.choice"))
	return nil
}

func (o *cutOff) line(im *model.Import) string {
	file := im.Path
	if file == "" {
		file = im.FileName
	}
	return o.c.texts.T("ctl.import.cut", "id", "#"+strconv.FormatInt(im.ID, 10), "file", file, "list", im.ListName, "n", strconv.Itoa(im.Rows),
		"at", im.StartedAt.Local().Format("2006-01-02 15:04"))
}

// run goes on with the one import that is meant, keeps it or undoes it; when it cannot be told which, it lists them.
func (o *cutOff) run(ctx context.Context, rejects string) error {
	c := o.c
	if len(c.args) > 0 {
		if err := c.names(1, ""); err != nil {
			return err
		}
	}
	h, err := c.open(ctx, false)
	if err != nil {
		return err
	}
	open, err := h.OpenImports(ctx)
	if err != nil {
		return err
	}
	found := open
	var src *contacts.Source
	if len(c.args) == 1 {
		if found, err = meant(open, c.args[0]); err != nil {
			return err
		}
	}
	switch {
	case len(found) == 0:
		return model.E(model.ENotFound, nil, "kind", "import", "name", strings.Join(c.args, ""))
	case len(found) > 1:
		for _, im := range found {
			c.print(map[string]any{"import": im.ID, "list": im.ListName, "file": im.Path, "rows": im.Rows}, o.line(&im))
		}
		return usage("several imports were cut off: --resume #N says which")
	}
	im := &found[0]
	switch {
	case o.undo:
		n, err := h.UndoImport(ctx, im.ID)
		if err == nil {
			c.print(map[string]any{"import": im.ID, "removed": n}, c.texts.T("ctl.import.undone", "n", strconv.Itoa(n)))
		}
		return err
	case o.keep:
		if err := h.KeepImport(ctx, im.ID); err != nil {
			return err
		}
		c.print(map[string]any{"import": im.ID, "kept": im.Rows}, c.texts.T("ctl.import.kept", "n", strconv.Itoa(im.Rows)))
		return nil
	case len(c.args) == 1 && !strings.HasPrefix(c.args[0], "#"): // where the file is now
		if src, err = contacts.Open(c.args[0], contacts.Options{Folder: c.folder}); err != nil {
			return err
		}
		c.close = append(c.close, src.Close)
	}
	report, err := h.ResumeImport(ctx, im.ID, src, nil)
	if err != nil {
		return err
	}
	return c.imported(h, im.ListName, report, rejects)
}

// meant chooses by "#" and number, by the path of the file, or, where it is another now, by its name.
func meant(open []model.Import, word string) (found []model.Import, err error) {
	path, err := filepath.Abs(word)
	if err != nil {
		return nil, usage(err.Error())
	}
	var named []model.Import
	for _, im := range open {
		switch {
		case word == "#"+strconv.FormatInt(im.ID, 10), im.Path == path:
			found = append(found, im)
		case im.Path != "" && filepath.Base(im.Path) == filepath.Base(path):
			named = append(named, im)
		}
	}
	if len(found) == 0 {
		found = named
	}
	return found, nil
}
