package app

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"hongyan/app/campaign"
	"hongyan/app/compose"
	"hongyan/app/livelog"
	"hongyan/app/model"
	"hongyan/smtpx"
)

// run is a campaign at work, or one that was at work in this process.
type run struct {
	runner *campaign.Runner
	done   chan struct{}
	err    error // valid once done is closed
}

func (r *run) over() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

// pausePoll is how often a running campaign looks for the word of another process to pause.
const pausePoll = 200 * time.Millisecond

// Log is the conversation with the servers.
func (a *App) Log() *livelog.Log { return a.log }

// Start sends a campaign, or goes on with it; it returns when the campaign is at work. ECampaignRun when it is
// already, ECampaignEnd when nothing is left, ENoAccount when none of its accounts is there any more, ENeedPhrase
// or ENoSecret when no password can be read.
func (a *App) Start(ctx context.Context, id int64) error {
	camp, err := a.store.Campaign(ctx, id)
	if err != nil {
		return err
	}
	counts, err := a.store.Counts(ctx, id)
	if err != nil {
		return err
	}
	if counts.Left() == 0 {
		return model.E(model.ECampaignEnd, nil, "name", camp.Name)
	}
	senders, err := a.senders(ctx, camp)
	if err != nil {
		return err
	}
	if err := a.rehearse(ctx, senders); err != nil {
		return err
	}
	compiled, err := compose.Compile(camp.Letter, compose.Options{})
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return model.E(model.ECancelled, nil)
	}
	if r := a.runs[id]; r != nil && !r.over() {
		return model.E(model.ECampaignRun, nil, "name", camp.Name)
	}
	for _, word := range []string{wordPause, wordStop} {
		a.takeWord(word, id) // that nobody was there to hear
	}
	r := &run{done: make(chan struct{}), runner: campaign.New(campaign.Config{
		CampaignID: id,
		Journal:    a.store,
		Suppressor: a.store,
		Accounts:   a.lanes,
		Senders:    senders,
		Message:    composer(compiled, camp.Seed, a.startOf(camp)),
		Dial: func(ctx context.Context, acct model.Account, connID int64, trace func(smtpx.Event)) (campaign.Session, error) {
			s, err := a.dial(ctx, &acct, connID, trace)
			if err != nil {
				return nil, err // never a nil *smtpx.Session in an interface
			}
			return attentive{s, a, serverOf(&acct)}, nil
		},
		Trace:           a.log.Listen,
		Clock:           a.clock,
		DomainPerMinute: camp.Schedule.DomainPerMinute,
	})}
	a.runs[id] = r
	release := a.awake("sending letters")
	go func() {
		defer release()
		r.err = r.runner.Run(context.WithoutCancel(ctx)) // the caller starts it, and Pause or Stop end it
		close(r.done)
	}()
	go a.heed(id, r)
	return nil
}

// senders are the accounts of a campaign that are still there and whose passwords can be read.
func (a *App) senders(ctx context.Context, camp *model.Campaign) ([]model.Account, error) {
	var senders []model.Account
	var why error
	for _, id := range camp.AccountIDs {
		acct, err := a.store.Account(ctx, id)
		if err == nil {
			_, err = a.secret(acct)
		}
		switch model.CodeOf(err) {
		case "":
			senders = append(senders, *acct)
		case model.ENotFound:
		case model.ENoSecret, model.ENeedPhrase, model.ESignIn:
			why = err
		default:
			return nil, err
		}
	}
	switch {
	case len(senders) > 0:
		return senders, nil
	case why != nil:
		return nil, why
	}
	return nil, model.E(model.ENoAccount, nil)
}

// startOf gives the time that the letters of a campaign bear: when it was started first, or when its schedule let it
// begin, if it was started to wait for that. It is asked for once the runner has stored the former.
func (a *App) startOf(camp *model.Campaign) func() time.Time {
	first := func(c *model.Campaign) time.Time {
		if at := c.Schedule.StartAt; at.After(c.StartedAt) {
			return at
		}
		return c.StartedAt
	}
	if !camp.StartedAt.IsZero() {
		return func() time.Time { return first(camp) }
	}
	return sync.OnceValue(func() time.Time {
		c, err := a.store.Campaign(context.Background(), camp.ID)
		if err != nil || c.StartedAt.IsZero() {
			return a.now()
		}
		return first(c)
	})
}

// heed pauses or stops a run when another process left word to.
func (a *App) heed(id int64, r *run) {
	tick := time.NewTicker(pausePoll)
	defer tick.Stop()
	for {
		select {
		case <-r.done:
			return
		case <-tick.C:
			if a.takeWord(wordStop, id) {
				r.runner.Stop()
			}
			if a.takeWord(wordPause, id) {
				r.runner.Pause()
			}
		}
	}
}

func (a *App) running(id int64) *run {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.runs[id]
}

func (a *App) isRunning(id int64) bool {
	r := a.running(id)
	return r != nil && !r.over()
}

// Pause ends a run once the letters under way have their replies. It returns at once.
func (a *App) Pause(id int64) {
	if r := a.running(id); r != nil {
		r.runner.Pause()
	}
}

// PauseUntil is Pause for a run whose next letter may leave at a time that is too long to wait for.
func (a *App) PauseUntil(id int64, at time.Time) {
	if r := a.running(id); r != nil {
		r.runner.PauseUntil(at)
	}
}

// Stop ends a run at once: letters whose final dot is not out stay queued. It returns at once.
func (a *App) Stop(id int64) {
	if r := a.running(id); r != nil {
		r.runner.Stop()
	}
}

// Wait returns when a campaign that runs in this process has ended, with the fault that ended it or nil.
func (a *App) Wait(ctx context.Context, id int64) error {
	r := a.running(id)
	if r == nil {
		return nil
	}
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return model.E(model.ECancelled, ctx.Err())
	}
}

// Running lists the campaigns at work.
func (a *App) Running() []int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	var ids []int64
	for id, r := range a.runs {
		if !r.over() {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// Snapshot is a campaign that runs, or ran, in this process; the zero value for any other.
func (a *App) Snapshot(id int64) campaign.Snapshot {
	if r := a.running(id); r != nil {
		return r.runner.Snapshot()
	}
	return campaign.Snapshot{}
}

// Close pauses what runs, waits for it and stops the practice server. Letters under way are brought to their end;
// when ctx ends first those whose final dot is out become unknown. The store stays open.
func (a *App) Close(ctx context.Context) error {
	a.mu.Lock()
	a.closed = true
	var open []*run
	for _, r := range a.runs {
		if !r.over() {
			open = append(open, r)
		}
	}
	a.mu.Unlock()
	for _, r := range open {
		r.runner.Pause()
	}
	var errs []error
	for _, r := range open {
		select {
		case <-r.done:
		case <-ctx.Done():
			r.runner.Stop()
			r.runner.Stop() // the second does not wait for replies
			<-r.done
		}
		errs = append(errs, r.err)
	}
	return errors.Join(append(errs, a.StopPractice())...)
}
