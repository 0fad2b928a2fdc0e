package app

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"hongyan/app/model"
)

// DefaultDir is the data folder of this user: the window and hongyanctl share it.
func DefaultDir() string {
	base, err := os.UserConfigDir()
	if err != nil {
		base = "." // no home at all: beside where the program was started
	}
	return filepath.Join(base, "Hongyan")
}

// askWait is how long RequestPause and RequestStop wait for the other process: a letter under way is finished first.
const askWait = 15 * time.Second

// The words that can be left for the process that runs a campaign.
const (
	wordPause = "pause"
	wordStop  = "stop"
)

// wordFile asks the process that runs a campaign to pause or stop it: only that process may write the journal, so
// another one leaves word in the data folder.
func (a *App) wordFile(word string, id int64) string {
	return filepath.Join(a.dir, word+"-"+strconv.FormatInt(id, 10))
}

// RequestPause pauses a campaign that runs in this process or in another one on the same folder, and waits
// until it stands. A campaign that does not run is left as it is.
func (a *App) RequestPause(ctx context.Context, id int64) error { return a.ask(ctx, wordPause, id) }

// RequestStop stops such a campaign at once, as Stop does: letters whose final dot is not out stay queued.
func (a *App) RequestStop(ctx context.Context, id int64) error { return a.ask(ctx, wordStop, id) }

func (a *App) ask(ctx context.Context, word string, id int64) error {
	camp, err := a.store.Campaign(ctx, id)
	if err != nil || camp.State != model.CampaignRunning {
		return err
	}
	path := a.wordFile(word, id)
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		return model.E(model.EFileUnwritable, err, "path", path, "detail", err.Error())
	}
	deadline := time.Now().Add(askWait)
	for time.Now().Before(deadline) {
		select {
		case <-ctx.Done():
			return model.E(model.ECancelled, ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
		if camp, err = a.store.Campaign(ctx, id); err != nil || camp.State != model.CampaignRunning {
			return err
		}
	}
	return nil // asked; the letter under way takes its time
}

// takeWord tells whether somebody left word to pause or stop a campaign, and takes the word away.
func (a *App) takeWord(word string, id int64) bool {
	err := os.Remove(a.wordFile(word, id))
	return err == nil || !errors.Is(err, fs.ErrNotExist)
}
