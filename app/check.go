package app

import (
	"context"
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"hongyan/app/campaign"
	"hongyan/app/compose"
	"hongyan/app/diagnose"
	"hongyan/app/model"
	"hongyan/app/provider"
)

// CampaignSpec is what a campaign is made of.
type CampaignSpec struct {
	Name       string
	ListID     int64 // 0: everybody
	SegmentID  int64 // 0: none; else only those of the list whom it chooses
	Letter     model.Letter
	AccountIDs []int64
	Schedule   model.Schedule
	// Advertising says that the letter is commercial, which asks for a mark in the subject where the law does.
	Advertising bool
}

// Finding is one thing that the check before a send found. Key is the whole key of its text, filled by Args.
type Finding struct {
	Blocker bool
	Key     string
	Args    map[string]string
}

// Check is what is known before a send.
type Check struct {
	People     int            // who will get it
	Skipped    int            // who will not
	SkippedWhy map[string]int // by reason: "suppressed", "consent", "invalid"
	Accounts   []AccountView
	Duration   time.Duration // under the limits of the accounts; 0: nothing limits it, or it is not known
	Findings   []Finding     // blockers first
}

// Blocked says whether something forbids the send.
func (c *Check) Blocked() bool {
	return slices.ContainsFunc(c.Findings, func(f Finding) bool { return f.Blocker })
}

func (c *Check) add(blocker bool, key string, pairs ...string) {
	args := make(map[string]string, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		args[pairs[i]] = pairs[i+1]
	}
	c.Findings = append(c.Findings, Finding{blocker, key, args})
}

// fail adds what an error says as a blocker.
func (c *Check) fail(err error) {
	if e, ok := errors.AsType[*model.Error](err); ok {
		key, args := e.TextKey()
		c.Findings = append(c.Findings, Finding{true, key, args})
		return
	}
	c.add(true, "error."+string(model.EInternal), "detail", err.Error())
}

// Check looks at a campaign before anything leaves: who would get it, who would not, what stands in its way and
// what is better changed. Only a fault of the store is an error.
func (a *App) Check(ctx context.Context, spec CampaignSpec) (Check, error) {
	c := Check{SkippedWhy: map[string]int{}}
	if at := spec.Schedule.StartAt; at.After(a.now()) {
		c.add(false, "check.start_at", "at", at.Local().Format("2006-01-02 15:04"))
	}
	if err := a.checkAccounts(ctx, &c, spec); err != nil {
		return c, err
	}
	var uses []compose.FieldUse
	compiled, err := compose.Compile(spec.Letter, compose.Options{})
	if err != nil {
		c.fail(err)
	} else {
		uses = checkLetter(&c, compiled, spec)
	}
	someone, err := a.checkPeople(ctx, &c, spec, uses)
	if err != nil {
		return c, err
	}
	if compiled != nil && someone != nil && len(c.Accounts) > 0 {
		a.checkMessage(ctx, &c, compiled, &c.Accounts[0].Account, someone)
	}
	c.Duration = a.estimate(ctx, &c, spec)
	slices.SortStableFunc(c.Findings, func(x, y Finding) int {
		switch {
		case x.Blocker == y.Blocker:
			return 0
		case x.Blocker:
			return -1
		}
		return 1
	})
	return c, nil
}

func (a *App) checkAccounts(ctx context.Context, c *Check, spec CampaignSpec) error {
	for _, id := range spec.AccountIDs {
		acct, err := a.store.Account(ctx, id)
		if model.CodeOf(err) == model.ENotFound {
			c.fail(err)
			continue
		}
		if err != nil {
			return err
		}
		v, err := a.view(ctx, *acct)
		if err != nil {
			return err
		}
		c.Accounts = append(c.Accounts, v)
		switch {
		case v.Auth == model.AuthOAuth2 && (!v.HasSecret || v.Clock.State == model.ClockStopped && diagnose.SignInDue(v.Clock.Reply)):
			c.add(true, "check.signin", "account", v.Name)
		case !v.HasSecret:
			c.add(true, "check.secret", "account", v.Name)
		case v.Clock.State == model.ClockStopped:
			c.add(true, "check.stopped", "account", v.Name, "reply", v.Clock.Reply)
		case v.Clock.State == model.ClockResting && v.Clock.Until.After(a.now()):
			c.add(false, "check.resting", "account", v.Name, "until", v.Clock.Until.Local().Format("01-02 15:04"))
		}
		if strings.Contains(v.User, "@") && !strings.EqualFold(v.User, v.From) && fromIsLogin(v.Provider) {
			c.add(false, "check.from", "account", v.Name, "from", v.From, "user", v.User)
		}
		if v.Provider == practiceProvider {
			key := "check.practice"
			if len(spec.AccountIDs) > 1 {
				key = "check.practice.mixed"
			}
			c.add(false, key, "account", v.Name)
		}
	}
	if len(spec.AccountIDs) == 0 {
		c.add(true, "check.no_account")
	}
	return nil
}

// fromIsLogin says whether a provider refuses letters whose From is not the mailbox that logged in.
func fromIsLogin(key string) bool {
	p, known := provider.ByKey(key)
	return known && len(p.Domains) > 0
}

// optOut are words by which a letter tells how to get no more of them.
var optOut = []string{"退订", "取消订阅", "不再收", "不想再收", "unsubscribe", "opt out", "opt-out", "no longer wish"}

// adMark begins the subject of advertising as the rules for e-mail services in China ask for it.
var adMark = regexp.MustCompile(`(?i)^\s*[\[(（【]?\s*(ad([^a-z]|$)|广告)`)

var linkTarget = regexp.MustCompile(`(?i)(?:href\s*=\s*["']|\]\()\s*([^"'\s)>]+)`)

func checkLetter(c *Check, compiled *compose.Compiled, spec CampaignSpec) []compose.FieldUse {
	l := spec.Letter
	for _, part := range []struct{ name, text string }{{"subject", l.Subject}, {"body", l.Body}} {
		if strings.TrimSpace(part.text) == "" {
			c.fail(model.E(model.ELetterEmpty, nil, "part", part.name))
		}
	}
	body := strings.ToLower(l.Body)
	if !slices.ContainsFunc(optOut, func(w string) bool { return strings.Contains(body, w) }) {
		c.add(false, "check.opt_out")
	}
	if spec.Advertising && !adMark.MatchString(l.Subject) {
		c.add(true, "check.ad")
	}
	for _, m := range linkTarget.FindAllStringSubmatch(l.Body, 200) {
		if target := m[1]; !goodLink(target) {
			c.add(false, "check.link", "link", target)
		}
	}
	return compiled.Fields()
}

var anyField = regexp.MustCompile(`\{\{.*?\}\}`)

// goodLink says whether a reader's program could follow a link. One that begins with a field is anyone's guess.
func goodLink(s string) bool {
	if strings.HasPrefix(s, "{{") || strings.HasPrefix(s, "#") || strings.HasPrefix(strings.ToLower(s), "cid:") {
		return true
	}
	bare := anyField.ReplaceAllString(s, "x")
	bare, _, _ = strings.Cut(bare, "{{")
	u, err := url.Parse(bare)
	if err != nil {
		return false
	}
	switch strings.ToLower(u.Scheme) {
	case "http", "https":
		return u.Host != ""
	case "mailto", "tel":
		return u.Opaque != "" || u.Path != ""
	}
	return false
}

// checkPeople walks the audience as freezing it would, and counts what the letter's fields would find empty.
func (a *App) checkPeople(ctx context.Context, c *Check, spec CampaignSpec, uses []compose.FieldUse) (someone *model.Contact, err error) {
	supp, err := a.loadSuppressed(ctx)
	if err != nil {
		return nil, err
	}
	needed := neededFields(uses)
	known := map[string]bool{}
	empty := make([]int, len(needed))
	example := make([]string, len(needed))
	err = a.People(ctx, spec.ListID, spec.SegmentID, func(p *model.Contact) error {
		if why := skipReason(p, supp); why != "" {
			c.Skipped++
			c.SkippedWhy[why]++
			return nil
		}
		c.People++
		if someone == nil {
			one := *p
			someone = &one
		}
		for k := range p.Fields {
			known[k] = true
		}
		for i, u := range needed {
			if valueOf(p, u) == "" {
				if empty[i]++; empty[i] == 1 {
					example[i] = p.Address
				}
			}
		}
		return nil
	})
	if code := model.CodeOf(err); code == model.ENotFound || code == model.EInvalid { // a segment, or what it asks for, is gone
		c.fail(err)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if c.People == 0 {
		c.add(true, "check.no_people")
	}
	if n := c.SkippedWhy["consent"]; n > 0 {
		c.add(false, "check.skipped.consent", "n", strconv.Itoa(n))
	}
	if n := c.SkippedWhy["suppressed"]; n > 0 {
		c.add(false, "check.skipped.suppressed", "n", strconv.Itoa(n))
	}
	names := []string{"name", "email"}
	for k := range known {
		names = append(names, k)
	}
	slices.Sort(names[2:])
	for i, u := range needed {
		switch {
		case c.People == 0:
		case !u.BuiltIn && !known[u.Name]:
			c.add(true, "check.field", "field", u.Name, "place", u.Place, "line", strconv.Itoa(u.Line), "known", strings.Join(names, ", "))
		case empty[i] > 0:
			c.add(false, "check.empty_field", "field", u.Name, "n", strconv.Itoa(empty[i]), "example", example[i])
		}
	}
	return someone, nil
}

// neededFields are the fields without a fallback, each once.
func neededFields(uses []compose.FieldUse) []compose.FieldUse {
	var needed []compose.FieldUse
	for _, u := range uses {
		same := func(n compose.FieldUse) bool { return n.Name == u.Name }
		if !u.HasFallback && !u.Condition && (!u.BuiltIn || isName(u.Name)) && !slices.ContainsFunc(needed, same) {
			needed = append(needed, u)
		}
	}
	return needed
}

func isName(field string) bool {
	return field == "姓名" || field == "称呼" || strings.EqualFold(field, "name")
}

func valueOf(p *model.Contact, u compose.FieldUse) string {
	if v := strings.TrimSpace(p.Fields[u.Name]); v != "" || !u.BuiltIn {
		return v
	}
	return strings.TrimSpace(p.Name)
}

// bigLetter is the size, in octets, above which many mailboxes and phones are slow to take a letter.
const bigLetter = 5 << 20

// checkMessage makes the letter once, for a real recipient, by the code that sends.
func (a *App) checkMessage(ctx context.Context, c *Check, compiled *compose.Compiled, acct *model.Account, p *model.Contact) {
	env := envelope(acct)
	env.Date = a.now()
	msg, err := compiled.Message(recipientOf(p), env)
	if err != nil {
		c.fail(err)
		return
	}
	defer msg.Release()
	size := msg.Size()
	for _, v := range c.Accounts {
		limit, err := strconv.ParseInt(a.Setting(ctx, sizeKey(v.ID)), 10, 64)
		if err == nil && limit > 0 && size > limit {
			c.add(true, "check.size", "account", v.Name, "size", megabytes(size), "limit", megabytes(limit))
		}
	}
	if size > bigLetter {
		c.add(false, "check.big", "size", megabytes(size))
	}
}

func megabytes(n int64) string { return strconv.FormatFloat(float64(n)/(1<<20), 'f', 1, 64) }

func (a *App) estimate(ctx context.Context, c *Check, spec CampaignSpec) time.Duration {
	now := a.now()
	paces := make([]campaign.Pace, 0, len(c.Accounts))
	for _, v := range c.Accounts {
		recent, err := a.store.RecentAttempts(ctx, v.ID, now.Add(-25*time.Hour))
		if err != nil {
			return 0 // an estimate is not worth an error
		}
		paces = append(paces, campaign.Pace{Limits: v.Limits, Recent: recent, Rest: v.Clock.Until})
	}
	return campaign.Estimate(now, paces, spec.Schedule, c.People)
}
