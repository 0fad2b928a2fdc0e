package ui

import (
	"context"
	"os"
	"slices"
	"strings"

	"hongyan/app/model"
)

// The half of fake that writes letters and sends them.

func (f *fake) Letters(context.Context) ([]model.Letter, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.letters), f.fail["Letters"]
}

func (f *fake) SaveLetter(_ context.Context, l *model.Letter) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.called("SaveLetter"); err != nil {
		return err
	}
	if l.ID == 0 {
		l.ID = int64(len(f.letters) + 1)
		f.letters = append(f.letters, model.Letter{})
	}
	f.letters[l.ID-1] = *l
	return nil
}

func (f *fake) LoadLetter(path string) (model.Letter, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return model.Letter{}, model.E(model.EFileMissing, err, "path", path)
	}
	return model.Letter{Subject: "From a file", Body: string(b), Format: model.FormatMarkdown}, nil
}

func (f *fake) WriteLetter(string, model.Letter) error { return f.fail["WriteLetter"] }

// Preview fills {{name}} and {{name|friend}} in, and refuses every other field.
func (f *fake) Preview(_ context.Context, l model.Letter, _, contact int64) (model.Rendered, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.called("Preview"); err != nil {
		return model.Rendered{}, err
	}
	name, to := "", "name@example.com"
	for _, c := range f.contacts {
		if c.ID == contact {
			name, to = c.Name, c.Address
		}
	}
	fill := func(s string) string {
		s = strings.ReplaceAll(s, "{{name|朋友}}", first(name, "朋友"))
		s = strings.ReplaceAll(s, "{{name|friend}}", first(name, "friend"))
		return strings.ReplaceAll(s, "{{name}}", name)
	}
	body := fill(l.Body)
	if _, rest, ok := strings.Cut(body, "{{"); ok {
		field, _, _ := strings.Cut(rest, "}}")
		return model.Rendered{}, model.E(model.ELetterField, nil, "field", field, "place", "body", "line", "1", "known", "name, city")
	}
	r := model.Rendered{Subject: fill(l.Subject), To: to, From: "desk@example.com", Text: body, HTML: "<p>" + body + "</p>",
		Raw: []byte("From: desk@example.com\r\nTo: " + to + "\r\nSubject: " + fill(l.Subject) + "\r\n\r\n" + body)}
	if l.Format == model.FormatMarkdown {
		r.Markdown = body
	}
	return r, nil
}

func (f *fake) TestLetter(_ context.Context, _ model.Letter, _, _ int64, to string) (TestResult, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tests = append(f.tests, to)
	return f.result, f.fail["TestLetter"]
}

func (f *fake) Check(_ context.Context, spec CampaignSpec) (Check, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.check
	f.checked = spec
	if len(spec.AccountIDs) == 0 {
		c.Findings = append(slices.Clone(c.Findings), Finding{Blocker: true, Key: "check.no_account"})
	}
	return c, f.called("Check")
}

func (f *fake) CreateCampaign(_ context.Context, spec CampaignSpec) (*model.Campaign, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.called("CreateCampaign"); err != nil {
		return nil, err
	}
	c := model.Campaign{ID: int64(len(f.campaigns) + 1), Name: spec.Name, State: model.CampaignReady, Letter: spec.Letter, ListID: spec.ListID, AccountIDs: spec.AccountIDs}
	f.campaigns = append([]model.Campaign{c}, f.campaigns...)
	f.counts = model.Counts{Total: f.check.People, Queued: f.check.People}
	return &c, nil
}

// set changes the state of a campaign and whether it runs.
func (f *fake) set(id int64, s model.CampaignState) {
	for i := range f.campaigns {
		if f.campaigns[i].ID == id {
			f.campaigns[i].State = s
		}
	}
	f.running = slices.DeleteFunc(f.running, func(r int64) bool { return r == id })
	if s == model.CampaignRunning {
		f.running = append(f.running, id)
		f.snap = Snapshot{State: s, Counts: f.counts}
	}
}

func (f *fake) Start(_ context.Context, id int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.called("Start", id); err != nil {
		return err
	}
	if f.ends != nil {
		f.ends()
		f.set(id, model.CampaignDone)
		return nil
	}
	f.set(id, model.CampaignRunning)
	return nil
}

// Pause and Stop end the run at once: counts are as the last snapshot had them.
func (f *fake) Pause(id int64) { f.end("Pause", id, model.CampaignPaused) }
func (f *fake) Stop(id int64)  { f.end("Stop", id, model.CampaignStopped) }

func (f *fake) end(call string, id int64, s model.CampaignState) {
	f.mu.Lock()
	defer f.mu.Unlock()
	_ = f.called(call, id)
	f.counts = f.snap.Counts
	f.set(id, s)
}

func (f *fake) Wait(context.Context, int64) error { return nil }

func (f *fake) Retry(_ context.Context, id int64, from ...model.State) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, s := range from {
		switch s {
		case model.Rejected:
			n, f.counts.Rejected = f.counts.Rejected, 0
		case model.Unknown:
			n, f.counts.Unknown = f.counts.Unknown, 0
		}
		_ = f.called("Retry "+string(s), id)
	}
	f.counts.Queued += n
	return n, f.fail["Retry"]
}

func (f *fake) Campaigns(context.Context) ([]model.Campaign, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.campaigns), f.fail["Campaigns"]
}

func (f *fake) Campaign(_ context.Context, id int64) (*model.Campaign, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.campaigns {
		if c.ID == id {
			return &c, nil
		}
	}
	return nil, model.E(model.ENotFound, nil, "kind", "campaign", "name", itoa(id))
}

func (f *fake) Counts(context.Context, int64) (model.Counts, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.counts, f.called("Counts")
}

func (f *fake) Deliveries(_ context.Context, q model.DeliveryQuery) ([]model.Delivery, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []model.Delivery
	for _, d := range f.deliveries {
		if len(q.States) == 0 || slices.Contains(q.States, d.State) {
			out = append(out, d)
		}
	}
	return out, f.fail["Deliveries"]
}

func (f *fake) Attempts(_ context.Context, id int64) ([]model.Attempt, error) {
	for _, d := range f.deliveries {
		if d.ID == id {
			return []model.Attempt{{DeliveryID: id, Started: f.at(0), State: d.State, Step: d.Step, Code: d.Code, Reply: d.Reply}}, nil
		}
	}
	return nil, f.fail["Attempts"]
}

// Explain knows three kinds of failure, by the step.
func (f *fake) Explain(d model.Delivery) Diagnosis {
	switch d.State {
	case model.Unknown:
		return Diagnosis{TextKey: "diag.net.unknown", Next: "diag.next.ask"}
	case model.Deferred:
		return Diagnosis{TextKey: "diag.soft.full", Next: "diag.next.hours", NextN: 2}
	}
	return Diagnosis{TextKey: "diag.hard.none", Next: "diag.next.never"}
}

func (f *fake) Report(_ context.Context, id int64, path, _ string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.called("Report "+path, id)
}

func (f *fake) StartPractice(string) (PracticeInfo, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.practice = PracticeInfo{Running: true, Addr: "127.0.0.1:2525", Mood: "normal", Count: len(f.practiceLetters)}
	return f.practice, f.called("StartPractice")
}

func (f *fake) StopPractice() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.practice.Running = false
	return f.called("StopPractice")
}

func (f *fake) SetPracticeMood(mood string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.practice.Mood = mood
	return f.called("SetPracticeMood " + mood)
}

func (f *fake) PracticeLetters(int, int) ([]PracticeLetter, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.practiceLetters, f.fail["PracticeLetters"]
}

func (f *fake) PracticeAccount(ctx context.Context) (*model.Account, error) {
	a := &model.Account{Name: "Practice 练习", From: "practice@example.org", Host: "127.0.0.1", Port: 2525, Auth: model.AuthNone}
	return a, f.SaveAccount(ctx, a, "", false)
}

func (f *fake) Running() []int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.running)
}

func (f *fake) Snapshot(int64) Snapshot {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.snap
}

func (f *fake) LogSince(seq uint64, limit int) ([]LogLine, uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	from := min(int(seq), len(f.log))
	to := min(from+limit, len(f.log))
	return f.log[from:to], uint64(to)
}

func (f *fake) Practice() PracticeInfo {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.practice
}

func (f *fake) Setting(key string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.settings[key]
}

func (f *fake) SetSetting(key, value string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.settings[key] = value
}
