package main

import (
	"context"
	"path/filepath"

	"hongyan/app"
)

func showVersion(c *cli) func(context.Context) (int, error) {
	return func(context.Context) (int, error) {
		c.print(map[string]string{"version": version}, "hongyanctl "+version)
		return exitDone, nil
	}
}

// practice runs the practice server until it is interrupted. It needs no data folder but a place for the
// letters, so it works beside a running window.
func practice(c *cli) func(context.Context) (int, error) {
	addr := c.flags.String("addr", "127.0.0.1:2525", "flag.practice.addr")
	mood := c.flags.String("mood", "normal", "flag.practice.mood")
	dir := c.flags.String("dir", "", "flag.practice.dir")
	return func(ctx context.Context) (int, error) {
		if err := c.names(0, ""); err != nil {
			return 0, err
		}
		if *dir == "" {
			*dir = filepath.Join(c.data, "practice")
		}
		p, err := app.OpenPractice(*addr, *dir, *mood)
		if err != nil {
			return 0, err
		}
		c.close = append(c.close, p.Close)
		info := p.Info()
		c.print(map[string]string{"addr": info.Addr, "dir": info.Dir, "mood": info.Mood},
			c.texts.T("ctl.practice", "addr", info.Addr, "dir", info.Dir))
		<-ctx.Done()
		return exitDone, nil
	}
}
