package app

import (
	"context"
	"encoding/hex"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"hongyan/app/model"
	"hongyan/smtpx"
	"hongyan/smtpx/smtptest"
)

// PracticeInfo is the practice server as it stands; Count is how many letters it holds.
type PracticeInfo struct {
	Running         bool
	Addr, Dir, Mood string
	Count           int
}

// PracticeLetter is a letter that the practice server received.
type PracticeLetter struct {
	From, To, Subject, Path string
	At                      time.Time
	Size                    int64 // octets
}

// Practice is a practice server at work: it takes letters on loopback, keeps them, and delivers none.
type Practice struct{ s *smtptest.Server }

// PracticeMoods lists the moods, in the order in which a person would try them.
func PracticeMoods() []string {
	var names []string
	for _, m := range smtptest.Moods() {
		names = append(names, string(m))
	}
	return names
}

// OpenPractice starts a practice server that keeps its letters in dir. addr must be loopback; port 0 takes any
// free one. STARTTLS is offered, with a certificate made on the spot, and not insisted on: the line never leaves
// this machine.
func OpenPractice(addr, dir, mood string) (*Practice, error) {
	m, err := smtptest.ParseMood(mood)
	if err != nil {
		return nil, model.E(model.EInvalid, err, "field", "mood", "value", mood)
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil || !IsLoopback(host) {
		return nil, model.E(model.EInvalid, err, "field", "addr", "value", addr)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, model.E(model.EFolder, err, "path", dir, "detail", err.Error())
	}
	s, err := smtptest.Start(smtptest.Options{Addr: addr, TLS: smtpx.TLSStart, AllowPlain: true, Dir: dir, Mood: m})
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, model.E(model.EPracticeRun, err, "addr", addr)
	}
	if err != nil {
		return nil, model.E(model.EInternal, err, "detail", err.Error())
	}
	return &Practice{s}, nil
}

// Info tells how the server stands.
func (p *Practice) Info() PracticeInfo {
	return PracticeInfo{Running: true, Addr: p.s.Addr(), Dir: p.s.Dir(), Mood: string(p.s.Mood()), Count: int(p.s.Count())}
}

// SetMood changes how it behaves from now on.
func (p *Practice) SetMood(mood string) error {
	m, err := smtptest.ParseMood(mood)
	if err == nil {
		err = p.s.SetMood(m)
	}
	if err != nil {
		return model.E(model.EInvalid, err, "field", "mood", "value", mood)
	}
	return nil
}

// Letters gives n letters, the newest first, after offset newer ones.
func (p *Practice) Letters(offset, n int) ([]PracticeLetter, error) {
	page, err := p.s.Letters(offset, n)
	if err != nil {
		return nil, model.E(model.EFileUnreadable, err, "path", p.s.Dir(), "detail", err.Error())
	}
	letters := make([]PracticeLetter, len(page))
	for i, l := range page {
		letters[i] = PracticeLetter{From: l.From, To: strings.Join(l.To, ", "), Subject: l.Subject, Path: l.Path, At: l.Time, Size: l.Size}
	}
	return letters, nil
}

// Close stops the server; its letters stay.
func (p *Practice) Close() error { return p.s.Close() }

// defaultPracticeAddr is where the practice server listens unless the user says otherwise; any free port serves
// when another program has this one.
const defaultPracticeAddr = "127.0.0.1:2525"

// StartPractice starts the practice server of the window, or tells of the one that runs already. addr "" is
// 127.0.0.1:2525, or any free port when that is taken.
func (a *App) StartPractice(addr string) (PracticeInfo, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.practice != nil {
		return a.practice.Info(), nil
	}
	dir := filepath.Join(a.dir, "practice")
	want := addr
	if want == "" {
		want = defaultPracticeAddr
	}
	p, err := OpenPractice(want, dir, string(smtptest.Normal))
	if model.CodeOf(err) == model.EPracticeRun && addr == "" {
		p, err = OpenPractice("127.0.0.1:0", dir, string(smtptest.Normal))
	}
	if err != nil {
		return PracticeInfo{}, err
	}
	a.practice = p
	return p.Info(), nil
}

// StopPractice stops it; its letters stay.
func (a *App) StopPractice() error {
	a.mu.Lock()
	p := a.practice
	a.practice = nil
	a.mu.Unlock()
	if p == nil {
		return nil
	}
	return p.Close()
}

// Practice tells how the practice server stands.
func (a *App) Practice() PracticeInfo {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.practice == nil {
		return PracticeInfo{}
	}
	return a.practice.Info()
}

// SetPracticeMood changes the server's behaviour.
func (a *App) SetPracticeMood(mood string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.practice == nil {
		return model.E(model.ENotFound, nil, "kind", "practice server", "name", mood)
	}
	return a.practice.SetMood(mood)
}

// PracticeLetters pages through what the practice server holds, the newest first.
func (a *App) PracticeLetters(offset, n int) ([]PracticeLetter, error) {
	a.mu.Lock()
	p := a.practice
	a.mu.Unlock()
	if p == nil {
		return nil, nil
	}
	return p.Letters(offset, n)
}

// PracticeAccountName names the account that sends to the practice server.
const PracticeAccountName = "Practice 练习"

// rehearse starts the practice server where one of the accounts sends to it: it ends with the program, and a campaign that
// goes on after that has to find it. The account is brought up to date where the server is now another one.
func (a *App) rehearse(ctx context.Context, accounts []model.Account) error {
	i := slices.IndexFunc(accounts, func(x model.Account) bool { return x.Provider == practiceProvider && x.Name == PracticeAccountName })
	if i < 0 || a.Practice().Running {
		return nil
	}
	if _, err := a.StartPractice(""); err != nil {
		return err
	}
	acct, err := a.PracticeAccount(ctx)
	if err == nil {
		accounts[i] = *acct
	}
	return err
}

// practiceProvider is the provider of that account.
const practiceProvider = "practice"

// PracticeAccount makes, or brings up to date, the account that sends to the running practice server.
func (a *App) PracticeAccount(ctx context.Context) (*model.Account, error) {
	a.mu.Lock()
	p := a.practice
	a.mu.Unlock()
	if p == nil {
		return nil, model.E(model.ENotFound, nil, "kind", "practice server", "name", "")
	}
	host, port, err := net.SplitHostPort(p.s.Addr())
	if err != nil {
		return nil, model.E(model.EInternal, err)
	}
	acct, err := a.store.AccountByName(ctx, PracticeAccountName)
	if model.CodeOf(err) == model.ENotFound {
		// No login: the way there is not the point of a rehearsal, and no secret needs a place.
		acct, err = &model.Account{Name: PracticeAccountName, From: "practice@example.org", Provider: practiceProvider,
			Auth: model.AuthNone, Profile: model.ProfileConsumer}, nil
	}
	if err != nil {
		return nil, err
	}
	acct.Host, acct.TLS, acct.Fingerprint = host, model.TLSStart, hex.EncodeToString(p.s.Fingerprint())
	if acct.Port, err = strconv.Atoi(port); err != nil {
		return nil, model.E(model.EInternal, err)
	}
	if err := a.SaveAccount(ctx, acct, "", false); err != nil {
		return nil, err
	}
	return acct, nil
}
