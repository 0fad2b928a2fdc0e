package main

import (
	"bufio"
	"context"

	"hongyan/app"
	"hongyan/app/model"
	"hongyan/app/oauth"
)

// lines gives what is typed or piped in from now on, line by line. The reader ends with the program: a terminal cannot be
// asked to stop.
func (c *cli) lines() <-chan string {
	out := make(chan string)
	go func() {
		defer close(out)
		for s := bufio.NewScanner(c.stdin); s.Scan(); {
			out <- s.Text()
		}
	}()
	return out
}

// accountSignIn signs an account in at its provider: on any device where the provider has that, else in the browser of
// this machine.
func accountSignIn(c *cli) func(context.Context) (int, error) {
	clientID := c.flags.String("client-id", "", "flag.signin.client-id")
	secretStdin := c.flags.Bool("client-secret-stdin", false, "flag.signin.client-secret-stdin")
	browser := c.flags.Bool("browser", false, "flag.signin.browser")
	return func(ctx context.Context) (int, error) {
		if err := c.names(1, "the account's name"); err != nil {
			return 0, err
		}
		if *secretStdin && *clientID == "" {
			return 0, usage("--client-secret-stdin goes with --client-id ID")
		}
		h, err := c.open(ctx, false)
		if err != nil {
			return 0, err
		}
		a, err := h.AccountByName(ctx, c.args[0])
		if err != nil {
			return 0, err
		}
		o := app.SignInOptions{ClientID: *clientID}
		if *secretStdin {
			c.stdin = bufio.NewReader(c.stdin) // what follows the secret may be the address of the last page
			if o.ClientSecret, err = c.password(true); err != nil {
				return 0, err
			}
		}
		if err := c.unlock(h); err != nil {
			return 0, err
		}
		info, err := h.SignInInfo(ctx, *a)
		if err != nil {
			return 0, err
		}
		if *clientID == "" && info.ClientID == "" {
			return 0, model.E(model.ESignInNoClient, nil, "provider", info.Name, "url", info.RegisterURL)
		}
		if *clientID != "" && info.NeedsSecret && !*secretStdin {
			if o.ClientSecret, err = c.askSecret(c.texts.T("ctl.client.secret")); err != nil {
				return 0, err
			}
		}
		if info.Device && !*browser {
			o.Device = func(d oauth.DeviceCode) {
				c.print(map[string]string{"signin": "device", "url": d.URL, "code": d.Code},
					c.texts.T("ctl.signin.device", "url", d.URL, "code", d.Code, "user", a.User))
			}
		} else {
			o.Pasted = c.lines()
			o.Open = func(url string) error {
				c.print(map[string]string{"signin": "browser", "url": url}, c.texts.T("ctl.signin.browser", "url", url, "user", a.User))
				return nil
			}
		}
		if err := h.SignIn(ctx, a.ID, o); err != nil {
			return 0, err
		}
		c.print(map[string]string{"signed_in": a.Name, "provider": info.Provider}, c.texts.T("ctl.signin.done", "name", a.Name, "provider", info.Name))
		return exitDone, nil
	}
}
