package app

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"hongyan/app/model"
	"hongyan/app/oauth"
	"hongyan/app/support"
)

// SupportOptions say what goes into a support bundle.
type SupportOptions struct {
	// NoAddresses replaces every address by a pseudonym that stays the same throughout the file.
	NoAddresses bool
}

const (
	supportLog       = 3000 // lines
	supportFailures  = 300  // of all campaigns
	supportCampaigns = 50   // the newest
	supportPages     = 200  // of deliveries that are looked at
	supportCrash     = 1 << 20
)

// supportSettings are the settings that are told. Anything else may be more than whoever helps should know.
var supportSettings = []string{"ui.lang", "ui.theme", "ui.geometry", "ui.font", "ui.list", "ui.campaign"}

// SupportBundle writes the file that a user passes to whoever helps them: see package support. A password that cannot
// be read at present, because the passphrase was not given, is not in the file either: nothing of it is ever read.
func (a *App) SupportBundle(ctx context.Context, path string, o SupportOptions) error {
	b := &support.Bundle{Made: a.now(), System: a.system(), Settings: map[string]string{}, Crash: a.crashLog()}
	b.System.Language = a.Setting(ctx, "ui.lang")
	keys := slices.Clone(supportSettings)
	for _, p := range oauth.Providers() {
		for _, what := range []string{"client_id", "auth_url", "token_url", "device_url"} {
			keys = append(keys, "oauth."+p.Key+"."+what)
		}
	}
	for _, k := range keys {
		if v := a.Setting(ctx, k); v != "" {
			b.Settings[k] = v
		}
	}
	views, err := a.Accounts(ctx)
	if err != nil {
		return err
	}
	scrub := support.NewScrubber(a.knownSecrets(views), o.NoAddresses)
	for i := range views {
		scrub.Learn(&views[i].Account)
		b.Accounts = append(b.Accounts, supportAccount(&views[i]))
	}
	if err := a.supportCampaigns(ctx, b, views); err != nil {
		return err
	}
	lines, _ := a.log.Since(0, 1<<30)
	for _, l := range lines[max(0, len(lines)-supportLog):] {
		b.Log = append(b.Log, l.String())
	}
	return writeFile(path, func(f *os.File) error { return support.Write(f, b, scrub) })
}

func (a *App) system() support.System {
	s := support.System{Version: a.version, OS: runtime.GOOS, Arch: runtime.GOARCH, Release: osRelease(), Go: runtime.Version(), CPUs: runtime.NumCPU(),
		Made: a.now(), Keychain: a.secrets.InKeychain(), Folder: tilde(a.dir), Files: map[string]int64{}, Modules: map[string]string{}}
	for _, url := range []string{"https://hongyan.invalid/", "http://hongyan.invalid/"} {
		if r, err := http.NewRequest(http.MethodGet, url, nil); err == nil {
			p, err := http.ProxyFromEnvironment(r)
			s.Proxy = s.Proxy || p != nil || err != nil
		}
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == "fyne.io/fyne/v2" || m.Path == "modernc.org/sqlite" {
				s.Modules[m.Path] = m.Version
			}
		}
	}
	entries, err := os.ReadDir(a.dir)
	if err != nil {
		return s
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			s.Files[e.Name()] = info.Size()
		}
	}
	return s
}

// osRelease is the name that a Linux system gives itself.
func osRelease() string {
	b, err := os.ReadFile("/etc/os-release")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), "PRETTY_NAME="); ok {
			return strings.Trim(v, `"`)
		}
	}
	return ""
}

// tilde hides the user's name, which the home folder has.
func tilde(path string) string {
	home, err := os.UserHomeDir()
	if err != nil || home == "" || home == "/" {
		return path
	}
	if rest, ok := strings.CutPrefix(path, home); ok && (rest == "" || os.IsPathSeparator(rest[0])) {
		return "~" + rest
	}
	return path
}

// crashLog is what main leaves when the window had to stop.
func (a *App) crashLog() string {
	b, err := os.ReadFile(filepath.Join(a.dir, "crash.log"))
	if err != nil {
		return ""
	}
	return strings.ToValidUTF8(string(b[:min(len(b), supportCrash)]), "?")
}

// knownSecrets are those that can be read: nothing writes them anywhere, and all the same nothing that holds one
// leaves.
func (a *App) knownSecrets(views []AccountView) []string {
	var all []string
	get := func(key string) string {
		s, _, err := a.secrets.Get(key)
		if err != nil {
			return ""
		}
		return s
	}
	for _, v := range views {
		all = append(all, get(secretKey(v.ID)))
		if g, ok := oauth.DecodeGrant(get(signInKey(v.ID))); ok {
			all = append(all, g.RefreshToken, g.ClientSecret)
		}
	}
	for _, p := range oauth.Providers() {
		all = append(all, get(clientKey(p.Key)))
	}
	return all
}

func supportAccount(v *AccountView) support.Account {
	state := v.Clock.State
	if state == "" {
		state = model.ClockFit
	}
	return support.Account{Name: v.Name, From: v.From, Provider: v.Provider, Host: v.Host, Port: v.Port, TLS: string(v.TLS), User: v.User,
		Auth: string(v.Auth), Profile: string(v.Profile), Limits: v.Limits, CAFile: v.CAFile != "", Pinned: v.Fingerprint != "",
		LegacyTLS: v.LegacyTLS, Plaintext: v.AllowPlaintext, HasSecret: v.HasSecret, SentHour: v.SentHour, SentDay: v.SentDay,
		State: string(state), Until: v.Clock.Until, Step: string(v.Clock.Step), Code: v.Clock.Code, Enhanced: v.Clock.Enhanced, Reply: v.Clock.Reply}
}

// supportCampaigns adds the newest campaigns and the latest failures of all of them.
func (a *App) supportCampaigns(ctx context.Context, b *support.Bundle, views []AccountView) error {
	names := map[int64]string{}
	for _, v := range views {
		names[v.ID] = v.Name
	}
	all, err := a.store.Campaigns(ctx)
	if err != nil {
		return err
	}
	all = all[:min(len(all), supportCampaigns)]
	titles := map[int64]string{}
	for _, c := range all {
		n, err := a.store.Counts(ctx, c.ID)
		if err != nil {
			return err
		}
		titles[c.ID] = c.Name
		s := support.Campaign{Name: c.Name, State: string(c.State), Reason: c.Reason, Detail: c.Detail, List: c.ListName, Format: string(c.Letter.Format),
			Attachments: len(c.Letter.Attachments), Schedule: c.Schedule, Created: c.CreatedAt, Started: c.StartedAt, Finished: c.FinishedAt, Counts: n}
		for _, id := range c.AccountIDs {
			s.Accounts = append(s.Accounts, names[id])
		}
		b.Campaigns = append(b.Campaigns, s)
	}
	failed, err := a.latestFailures(ctx, all)
	if err != nil {
		return err
	}
	for _, d := range failed {
		b.Failures = append(b.Failures, support.Failure{Campaign: titles[d.CampaignID], To: d.Address, Account: names[d.AccountID], At: d.UpdatedAt,
			State: string(d.State), Step: string(d.Step), Code: d.Code, Enhanced: d.Enhanced, Reply: d.Reply, Scope: string(d.Scope),
			Attempts: d.Attempts, Rule: a.Explain(d).Rule})
	}
	return nil
}

// latestFailures gives what failed last, the newest first. Of campaigns that failed for more people than anybody could
// read, it looks at so many pages and no more.
func (a *App) latestFailures(ctx context.Context, campaigns []model.Campaign) ([]model.Delivery, error) {
	var latest []model.Delivery
	pages := supportPages
	for _, c := range campaigns {
		q := model.DeliveryQuery{CampaignID: c.ID, States: []model.State{model.Rejected, model.Deferred, model.Unknown}, Limit: 1000}
		for ; pages > 0; pages-- {
			page, err := a.store.Deliveries(ctx, q)
			if err != nil {
				return nil, err
			}
			latest = append(latest, page...)
			slices.SortStableFunc(latest, func(x, y model.Delivery) int { return y.UpdatedAt.Compare(x.UpdatedAt) })
			latest = latest[:min(len(latest), supportFailures)]
			if len(page) < q.Limit {
				break
			}
			q.AfterID = page[len(page)-1].ID
		}
	}
	return latest, nil
}
