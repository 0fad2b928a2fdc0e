package main

import (
	"context"

	"hongyan/app"
)

// supportFile writes the file for whoever helps. It works beside a running window; what that window's log holds can only
// be written by the window itself.
func supportFile(c *cli) func(context.Context) (int, error) {
	to := c.flags.String("to", "", "flag.support.to")
	noAddresses := c.flags.Bool("no-addresses", false, "flag.support.no-addresses")
	return func(ctx context.Context) (int, error) {
		if err := c.names(0, ""); err != nil {
			return 0, err
		}
		if *to == "" {
			return 0, usage("--to FILE.zip is needed")
		}
		h, err := c.open(ctx, true)
		if err != nil {
			return 0, err
		}
		if err := h.SupportBundle(ctx, *to, app.SupportOptions{NoAddresses: *noAddresses}); err != nil {
			return 0, err
		}
		c.print(map[string]string{"support": *to}, c.texts.T("ctl.support.done", "file", *to))
		return exitDone, nil
	}
}
