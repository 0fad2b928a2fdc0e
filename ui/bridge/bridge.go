package bridge

import (
	"context"
	"sync"

	"hongyan/app"
	"hongyan/app/model"
	"hongyan/ui"
)

// Bridge is an *app.App as the window sees it. What takes no other shape there is promoted from App.
type Bridge struct {
	*app.App

	mu       sync.Mutex
	settings map[string]string
	saving   sync.WaitGroup
	queue    chan [2]string
}

var _ ui.Services = (*Bridge)(nil)

// New makes a Bridge, which Close ends.
func New(a *app.App) *Bridge {
	b := &Bridge{App: a, settings: map[string]string{}, queue: make(chan [2]string, 64)}
	b.saving.Go(func() {
		for kv := range b.queue {
			// A setting that cannot be kept, on a full disk say, is worth no dialogue: the journal will tell.
			_ = a.SetSetting(context.Background(), kv[0], kv[1])
		}
	})
	return b
}

// Close stores the last settings, and closes the App as App.Close does.
func (b *Bridge) Close(ctx context.Context) error {
	err := b.App.Close(ctx)
	b.mu.Lock()
	if b.queue != nil {
		close(b.queue)
		b.queue = nil
	}
	b.mu.Unlock()
	b.saving.Wait()
	return err
}

// Setting implements ui.Live: each key is read from the disk once.
func (b *Bridge) Setting(key string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	v, ok := b.settings[key]
	if !ok {
		v = b.App.Setting(context.Background(), key)
		b.settings[key] = v
	}
	return v
}

// SetSetting implements ui.Live.
func (b *Bridge) SetSetting(key, value string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.settings[key] == value && value != "" {
		return
	}
	b.settings[key] = value
	if b.queue != nil {
		b.queue <- [2]string{key, value}
	}
}

func account(v app.AccountView) ui.Account {
	return ui.Account{Account: v.Account, Clock: v.Clock, HasSecret: v.HasSecret, SentHour: v.SentHour, SentDay: v.SentDay}
}

// mapped applies f to each element.
func mapped[A, B any](in []A, f func(A) B) []B {
	out := make([]B, len(in))
	for i, v := range in {
		out[i] = f(v)
	}
	return out
}

// Accounts implements ui.AccountService.
func (b *Bridge) Accounts(ctx context.Context) ([]ui.Account, error) {
	views, err := b.App.Accounts(ctx)
	return mapped(views, account), err
}

// Practice implements ui.Live.
func (b *Bridge) Practice() ui.PracticeInfo { return ui.PracticeInfo(b.App.Practice()) }

// StartPractice implements ui.PracticeService.
func (b *Bridge) StartPractice(addr string) (ui.PracticeInfo, error) {
	info, err := b.App.StartPractice(addr)
	return ui.PracticeInfo(info), err
}

// PracticeLetters implements ui.PracticeService.
func (b *Bridge) PracticeLetters(offset, n int) ([]ui.PracticeLetter, error) {
	ls, err := b.App.PracticeLetters(offset, n)
	return mapped(ls, func(l app.PracticeLetter) ui.PracticeLetter { return ui.PracticeLetter(l) }), err
}

// TestLetter implements ui.LetterService.
func (b *Bridge) TestLetter(ctx context.Context, l model.Letter, accountID, contactID int64, to string) (ui.TestResult, error) {
	r, err := b.App.TestLetter(ctx, l, accountID, contactID, to)
	return ui.TestResult{Accepted: r.Accepted, Reply: r.Reply, TextKey: r.Diagnosis.TextKey, Args: r.Diagnosis.Args}, err
}
