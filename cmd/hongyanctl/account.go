package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/term"

	"hongyan/app"
	"hongyan/app/diagnose"
	"hongyan/app/model"
)

// password reads a secret from the standard input, or asks for it on a terminal.
func (c *cli) password(fromStdin bool) (string, error) {
	if !fromStdin {
		return c.askSecret(c.texts.T("ctl.password"))
	}
	line, err := bufio.NewReader(c.stdin).ReadString('\n')
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return "", usage(fmt.Sprintf("no password came from the standard input (%v)", err))
	}
	return line, nil
}

// askSecret asks on the terminal without echo. Where there is none a script must give it another way.
func (c *cli) askSecret(prompt string) (string, error) {
	in, ok := c.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		if strings.HasPrefix(prompt, "HONGYAN_PASSPHRASE") {
			return "", model.E(model.ENeedPhrase, nil)
		}
		return "", usage("the password: use --password-stdin, or run on a terminal")
	}
	_, _ = fmt.Fprint(c.errOut, prompt)
	b, err := term.ReadPassword(int(in.Fd()))
	_, _ = fmt.Fprintln(c.errOut)
	if err != nil {
		return "", usage(err.Error())
	}
	return string(b), nil
}

// accountLine is an account as scripts see it. It has no place for a secret.
type accountLine struct {
	Name     string `json:"name"`
	From     string `json:"from"`
	Provider string `json:"provider"`
	Host     string `json:"host"`
	Port     int    `json:"port"`
	TLS      string `json:"tls"`
	User     string `json:"user"`
	Profile  string `json:"profile"`
	State    string `json:"state"`
	Until    string `json:"until,omitempty"`
	Reply    string `json:"reply,omitempty"`
	Why      string `json:"why,omitempty"` // the sentence for people
	Secret   bool   `json:"has_secret"`
	SentHour int    `json:"sent_hour"`
	SentDay  int    `json:"sent_day"`
}

func accountJSON(v app.AccountView) accountLine {
	l := accountLine{Name: v.Name, From: v.From, Provider: v.Provider, Host: v.Host, Port: v.Port, TLS: string(v.TLS), User: v.User,
		Profile: string(v.Profile), State: string(v.Clock.State), Reply: v.Clock.Reply, Secret: v.HasSecret, SentHour: v.SentHour, SentDay: v.SentDay}
	if l.State == "" {
		l.State = string(model.ClockFit)
	}
	if v.Clock.State == model.ClockResting {
		l.Until = v.Clock.Until.Format("2006-01-02T15:04:05Z07:00")
	}
	return l
}

func showAccount(_ context.Context, c *cli, h *app.App, v app.AccountView) error {
	l := accountJSON(v)
	state := c.texts.T("ctl.clock." + l.State)
	if v.Clock.State == model.ClockResting {
		state = c.texts.T("ctl.clock.until", "at", clockTime(v.Clock.Until))
	}
	line := c.texts.T("ctl.account.line", "name", l.Name, "from", l.From, "host", l.Host, "port", strconv.Itoa(l.Port),
		"state", state, "day", strconv.Itoa(l.SentDay))
	if l.Why = c.whyNot(h, v); l.Why != "" {
		line = c.texts.T("ctl.account.why", "line", line, "why", l.Why)
	}
	c.print(l, line)
	return nil
}

func clockTime(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05") }

// whyNot says in one line why an account does not send at present, and what to do; "" where it sends.
func (c *cli) whyNot(h *app.App, v app.AccountView) string {
	d, ok := h.ExplainClock(v)
	if !ok {
		return ""
	}
	if d.TextKey == "" {
		return c.texts.Args("error."+string(d.Code), d.Args)
	}
	return c.sentences(d.TextKey, d.Args)
}

// sentences says in one line what the matter is and, where there is something to do, what.
func (c *cli) sentences(key string, args map[string]string) string {
	line := c.texts.Args(key+".what", args)
	if c.texts.Has(key + ".do") {
		line += " " + c.texts.Args(key+".do", args)
	}
	return strings.ReplaceAll(line, "\n", " ")
}

// unable tells of the accounts of a campaign that do not send at present: those that wait for the user always, those that
// rest where resting is wanted.
func (c *cli) unable(ctx context.Context, h *app.App, camp *model.Campaign, resting bool) error {
	all, err := h.Accounts(ctx)
	if err != nil {
		return err
	}
	for _, v := range all {
		if !slices.Contains(camp.AccountIDs, v.ID) {
			continue
		}
		switch {
		case v.Clock.State == model.ClockStopped:
			_, _ = fmt.Fprintln(c.errOut, "hongyanctl: "+c.texts.T("ctl.account.stopped", "name", v.Name, "why", c.whyNot(h, v)))
		case v.Clock.State == model.ClockResting && resting:
			_, _ = fmt.Fprintln(c.errOut, "hongyanctl: "+c.texts.T("ctl.account.resting", "name", v.Name, "at", clockTime(v.Clock.Until), "why", c.whyNot(h, v)))
		}
	}
	return nil
}

func accountRemove(c *cli) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		h, a, err := one(ctx, c, false, "the account's name", (*app.App).AccountByName)
		if err != nil {
			return 0, err
		}
		if a.Auth != model.AuthNone {
			if err := c.unlock(h); err != nil {
				return 0, err
			}
		}
		if err := h.RemoveAccount(ctx, a.ID); err != nil {
			return 0, err
		}
		c.print(map[string]string{"removed": a.Name}, c.texts.T("ctl.account.removed", "name", a.Name))
		return exitDone, nil
	}
}

func accountTest(c *cli) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		h, a, err := one(ctx, c, true, "the account's name", (*app.App).AccountByName)
		if err != nil {
			return 0, err
		}
		if a.Auth != model.AuthNone {
			if err := c.unlock(h); err != nil {
				return 0, err
			}
		}
		report, err := h.TestAccount(ctx, *a, "", func(ch diagnose.Check) {
			c.print(ch, c.checkLine(ch))
		})
		if err != nil {
			return 0, err
		}
		end := "ctl.doctor.ok"
		if !report.OK {
			end = "ctl.doctor.bad"
		}
		c.print(map[string]bool{"ok": report.OK}, c.texts.T(end))
		if b := report.Better; b != nil && !c.json {
			_, _ = fmt.Fprintln(c.out, c.texts.T("ctl.doctor.better", "host", b.Host, "port", strconv.Itoa(b.Port), "tls", string(b.TLS), "from", b.From))
		}
		if !report.OK {
			return exitStopped, nil
		}
		return exitDone, c.wake(ctx, a.ID)
	}
}

// wake lets an account send again that was stopped. One that rests does so because its provider wants it.
func (c *cli) wake(ctx context.Context, id int64) error {
	h, err := c.open(ctx, false)
	if model.CodeOf(err) == model.EInstance {
		return nil // a window is open there, and has a button for it
	}
	if err != nil {
		return err
	}
	v, err := viewOf(ctx, h, id)
	if err != nil || v.Clock.State != model.ClockStopped {
		return err
	}
	if err := h.WakeAccount(ctx, id); err != nil {
		return err
	}
	if !c.json {
		_, _ = fmt.Fprintln(c.out, c.texts.T("ctl.account.woken", "name", v.Name))
	}
	return nil
}

// viewOf is an account with what is known of it.
func viewOf(ctx context.Context, h *app.App, id int64) (app.AccountView, error) {
	all, err := h.Accounts(ctx)
	for _, v := range all {
		if v.ID == id {
			return v, nil
		}
	}
	return app.AccountView{}, err
}

// checkLine is a finding of the doctor in one line, with its fix.
func (c *cli) checkLine(ch diagnose.Check) string {
	return "[" + string(ch.Status) + "] " + c.texts.T("doctor."+ch.Name) + ": " + c.sentences(ch.Key, ch.Args)
}
