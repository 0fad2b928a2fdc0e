package main

import (
	"cmp"
	"context"
	"fmt"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"hongyan/app"
	"hongyan/app/compose"
	"hongyan/app/model"
)

// campaignFlags are those of campaign create; send takes them too.
type campaignFlags struct {
	name, list, segment, letter, accounts, subject string
	attach                                         listFlag
	advertising                                    bool
	when                                           app.ScheduleText
}

// listFlag is a flag that may be given several times.
type listFlag []string

func (l *listFlag) String() string     { return strings.Join(*l, ",") }
func (l *listFlag) Set(s string) error { *l = append(*l, s); return nil }

func (cf *campaignFlags) declare(c *cli) {
	f := c.flags
	f.StringVar(&cf.name, "name", "", "flag.campaign.name")
	f.StringVar(&cf.list, "list", "", "flag.campaign.list")
	f.StringVar(&cf.segment, "segment", "", "flag.campaign.segment")
	f.StringVar(&cf.letter, "letter", "", "flag.campaign.letter")
	f.StringVar(&cf.accounts, "account", "", "flag.campaign.account")
	f.StringVar(&cf.subject, "subject", "", "flag.campaign.subject")
	f.Var(&cf.attach, "attach", "flag.campaign.attach")
	f.BoolVar(&cf.advertising, "advertising", false, "flag.campaign.advertising")
	f.StringVar(&cf.when.StartAt, "start-at", "", "flag.campaign.start-at")
	f.StringVar(&cf.when.StopAfter, "stop-after", "", "flag.campaign.stop-after")
	f.StringVar(&cf.when.Days, "days", "", "flag.campaign.days")
	f.StringVar(&cf.when.Hours, "hours", "", "flag.campaign.hours")
	f.StringVar(&cf.when.PerDomain, "per-domain", "", "flag.campaign.per-domain")
}

func (cf *campaignFlags) create(ctx context.Context, c *cli, h *app.App) (*model.Campaign, error) {
	for flag, v := range map[string]string{"--list or --segment": cf.list + cf.segment, "--letter": cf.letter, "--account": cf.accounts} {
		if v == "" {
			return nil, usage(flag + " is needed")
		}
	}
	letter, err := compose.ParseFile(cf.letter)
	if err != nil {
		return nil, err
	}
	if cf.subject != "" {
		letter.Subject = cf.subject
	}
	for _, path := range cf.attach {
		letter.Attachments = append(letter.Attachments, model.Attachment{Path: path})
	}
	spec := app.CampaignSpec{Name: cf.name, Letter: letter, Advertising: cf.advertising}
	if cf.list != "" {
		l, err := h.ListByName(ctx, cf.list)
		if err != nil {
			return nil, err
		}
		spec.ListID = l.ID
	}
	if cf.segment != "" {
		s, err := h.SegmentByName(ctx, cf.segment)
		if err != nil {
			return nil, err
		}
		spec.SegmentID = s.ID
	}
	if spec.Schedule, err = cf.when.Parse(time.Now()); err != nil {
		return nil, err
	}
	if spec.Name == "" {
		spec.Name = cmp.Or(cf.list, cf.segment) + " " + time.Now().Format("2006-01-02 15:04:05")
	}
	for _, name := range strings.Split(cf.accounts, ",") {
		a, err := h.AccountByName(ctx, strings.TrimSpace(name))
		if err != nil {
			return nil, err
		}
		spec.AccountIDs = append(spec.AccountIDs, a.ID)
	}
	check, err := h.Check(ctx, spec)
	if err != nil {
		return nil, err
	}
	for _, f := range check.Findings {
		_, _ = fmt.Fprintln(c.errOut, "hongyanctl: "+c.texts.Args(f.Key, f.Args))
	}
	if check.Blocked() {
		return nil, usage(c.texts.T("ctl.blocked"))
	}
	return h.CreateCampaign(ctx, spec)
}

func campaignCreate(c *cli) func(context.Context) (int, error) {
	var cf campaignFlags
	cf.declare(c)
	return func(ctx context.Context) (int, error) {
		if err := c.names(0, ""); err != nil {
			return 0, err
		}
		if cf.name == "" {
			return 0, usage("--name C is needed")
		}
		h, err := c.open(ctx, false)
		if err != nil {
			return 0, err
		}
		camp, err := cf.create(ctx, c, h)
		if err != nil {
			return 0, err
		}
		return exitDone, c.status(ctx, h, camp.ID)
	}
}

func send(c *cli) func(context.Context) (int, error) {
	var cf campaignFlags
	cf.declare(c)
	var rf runFlags
	rf.declare(c)
	return func(ctx context.Context) (int, error) {
		if err := c.names(0, ""); err != nil {
			return 0, err
		}
		h, err := c.open(ctx, false)
		if err != nil {
			return 0, err
		}
		camp, err := cf.create(ctx, c, h)
		if err != nil {
			return 0, err
		}
		return rf.run(ctx, c, h, camp.ID)
	}
}

// statusLine is the last line of campaign status --json, part of the contract with scripts.
type statusLine struct {
	Campaign string `json:"campaign"`
	State    string `json:"state"`
	model.Counts
}

// state says how a campaign stands, and why where it has stopped.
func (c *cli) state(camp *model.Campaign) string {
	text := c.texts.T("ctl.campaign." + string(camp.State))
	if camp.Reason != "" {
		text += c.texts.T("ui.colon") + c.texts.Pause(camp.Reason, camp.Detail)
	}
	return text
}

func (c *cli) status(ctx context.Context, h *app.App, id int64) error {
	camp, err := h.Campaign(ctx, id)
	if err != nil {
		return err
	}
	n, err := h.Counts(ctx, id)
	if err != nil {
		return err
	}
	state := c.state(camp)
	c.print(statusLine{camp.Name, string(camp.State), n}, c.texts.T("ctl.status", "name", camp.Name, "state", state,
		"total", strconv.Itoa(n.Total), "accepted", strconv.Itoa(n.Accepted), "rejected", strconv.Itoa(n.Rejected),
		"deferred", strconv.Itoa(n.Deferred), "unknown", strconv.Itoa(n.Unknown), "skipped", strconv.Itoa(n.Skipped),
		"queued", strconv.Itoa(n.Queued+n.Attempting)))
	return nil
}

// named opens the data folder and finds the campaign that was named.
func (c *cli) named(ctx context.Context, readOnly bool) (*app.App, *model.Campaign, error) {
	return one(ctx, c, readOnly, "the campaign's name", (*app.App).CampaignByName)
}

func campaignStatus(c *cli) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		h, camp, err := c.named(ctx, true)
		if err != nil {
			return 0, err
		}
		return exitDone, c.status(ctx, h, camp.ID)
	}
}

// runFlags are those of campaign run; send takes them too.
type runFlags struct {
	resume, quiet bool
	maxWait       time.Duration
}

func (rf *runFlags) declare(c *cli) {
	c.flags.BoolVar(&rf.resume, "resume", false, "flag.campaign.resume")
	c.flags.BoolVar(&rf.quiet, "quiet", false, "flag.campaign.quiet")
	c.flags.DurationVar(&rf.maxWait, "max-wait", 15*time.Minute, "flag.campaign.max-wait")
}

func campaignRun(c *cli) func(context.Context) (int, error) {
	var rf runFlags
	rf.declare(c)
	return func(ctx context.Context) (int, error) {
		h, camp, err := c.named(ctx, false)
		if err != nil {
			return 0, err
		}
		if (camp.State == model.CampaignPaused || camp.State == model.CampaignStopped) && !rf.resume {
			return 0, usage(c.texts.T("ctl.resume", "name", camp.Name))
		}
		return rf.run(ctx, c, h, camp.ID)
	}
}

// run sends until the campaign ends, and shows the dialogue as it happens.
func (rf *runFlags) run(ctx context.Context, c *cli, h *app.App, id int64) (int, error) {
	// Of what letters are made of little lives long, so the collector may look seldom, as long as memory stays small.
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(64 << 20)
	err := h.Start(ctx, id)
	if model.CodeOf(err) == model.ENeedPhrase {
		if err = c.unlock(h); err == nil {
			err = h.Start(ctx, id)
		}
	}
	if err != nil {
		return 0, err
	}
	done := make(chan error, 1)
	go func() { done <- h.Wait(context.WithoutCancel(ctx), id) }()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	var seq uint64
	stopped := ctx.Done()
	for {
		select {
		case err := <-done:
			c.progress(h, &seq, rf.quiet)
			return c.ended(context.WithoutCancel(ctx), h, id, err)
		case <-stopped:
			stopped = nil
			h.Pause(id) // finishes the letter under way
		case <-tick.C:
			c.progress(h, &seq, rf.quiet)
			if at := h.Snapshot(id).NextAt; stopped != nil && rf.maxWait > 0 && time.Until(at) > rf.maxWait {
				stopped = nil
				h.PauseUntil(id, at)
				_, _ = fmt.Fprintln(c.errOut, "hongyanctl: "+c.texts.T("ctl.later", "at", clockTime(at)))
			}
		}
	}
}

// progress prints the dialogue since the last call to the error stream, so that the output stays the result.
func (c *cli) progress(h *app.App, seq *uint64, quiet bool) {
	if quiet || c.json {
		return
	}
	lines, next := h.Log().Since(*seq, 10000)
	*seq = next
	for _, l := range lines {
		_, _ = fmt.Fprintln(c.errOut, l.String())
	}
}

func (c *cli) ended(ctx context.Context, h *app.App, id int64, runErr error) (int, error) {
	if err := c.status(ctx, h, id); err != nil {
		return exitStopped, err
	}
	if runErr != nil {
		return exitStopped, runErr
	}
	camp, err := h.Campaign(ctx, id)
	if err != nil {
		return exitStopped, err
	}
	if err := c.unable(ctx, h, camp, camp.State != model.CampaignDone); err != nil {
		return exitStopped, err
	}
	n, err := h.Counts(ctx, id)
	switch {
	case err != nil:
		return exitStopped, err
	case camp.State != model.CampaignDone:
		if c.json { // people have read it in the status
			_, _ = fmt.Fprintln(c.errOut, "hongyanctl: "+camp.Name+": "+c.state(camp))
		}
		return exitStopped, nil
	case n.Rejected+n.Unknown > 0:
		return exitSome, nil
	}
	return exitDone, nil
}

func campaignPause(c *cli) func(context.Context) (int, error) {
	return campaignAsk(c, (*app.App).RequestPause)
}

func campaignStop(c *cli) func(context.Context) (int, error) {
	return campaignAsk(c, (*app.App).RequestStop)
}

// campaignAsk asks whoever runs a campaign for something.
func campaignAsk(c *cli, ask func(*app.App, context.Context, int64) error) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		h, camp, err := c.named(ctx, true)
		if err != nil {
			return 0, err
		}
		if err := ask(h, ctx, camp.ID); err != nil {
			return 0, err
		}
		return exitDone, c.status(ctx, h, camp.ID)
	}
}

func campaignRetry(c *cli) func(context.Context) (int, error) {
	failed := c.flags.Bool("failed", false, "flag.campaign.failed")
	unknown := c.flags.Bool("unknown", false, "flag.campaign.unknown")
	return func(ctx context.Context) (int, error) {
		if *failed == *unknown {
			return 0, usage("one of --failed and --unknown is needed")
		}
		h, camp, err := c.named(ctx, false)
		if err != nil {
			return 0, err
		}
		from := model.Rejected
		if *unknown {
			from = model.Unknown
		}
		if *unknown {
			was, err := h.Counts(ctx, camp.ID)
			if err != nil {
				return 0, err
			}
			if was.Unknown > 0 {
				_, _ = fmt.Fprintln(c.errOut, "hongyanctl: "+c.texts.T("ctl.retry.unknown", "n", strconv.Itoa(was.Unknown)))
			}
		}
		n, err := h.Retry(ctx, camp.ID, from)
		if err != nil {
			return 0, err
		}
		if !c.json {
			_, _ = fmt.Fprintln(c.out, c.texts.T("ctl.retry", "n", strconv.Itoa(n), "name", camp.Name))
		}
		return exitDone, c.status(ctx, h, camp.ID)
	}
}

func report(c *cli) func(context.Context) (int, error) {
	to := c.flags.String("to", "", "flag.campaign.to")
	return func(ctx context.Context) (int, error) {
		if *to == "" {
			return 0, usage("--to FILE is needed")
		}
		h, camp, err := c.named(ctx, true)
		if err != nil {
			return 0, err
		}
		if err := h.Report(ctx, camp.ID, *to, c.texts); err != nil {
			return 0, err
		}
		c.print(map[string]string{"report": *to}, c.texts.T("ctl.report.done", "file", *to))
		return exitDone, nil
	}
}
