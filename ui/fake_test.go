package ui

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"hongyan/app/model"
)

// fake is the use cases in memory: what the window asks for is answered from plain fields, which tests fill. It
// knows nothing of the window and has no clock of its own.
type fake struct {
	checked CampaignSpec // what Check was asked for last
	ends    func()       // makes a run that is over before Start returns

	mu sync.Mutex

	presets      []model.Preset
	accounts     []Account
	secrets      map[int64]string
	needPhrase   bool
	doctor       []DoctorLine
	doctorReport DoctorReport

	lists    []model.List
	contacts []model.Contact
	member   map[int64]int64 // contact to list; one list each is enough here
	preview  ImportPreview
	report   model.ImportReport
	undone   int64

	tags     []model.Tag
	tagged   tagged
	segments []model.Segment
	changes  []model.Change
	changed  int64           // the number of the latest change
	removed  []model.Contact // by the latest removal
	domains  DomainReport

	prospect     model.Prospect
	prospectWait chan struct{} // holds Prospect until it is closed
	asked        []prospectAsked

	open       []model.Import
	person     Person // what is known of whoever is asked for
	suppressed []model.Suppression

	signIns        map[string]SignInInfo // by provider
	signInWait     chan struct{}
	accountTrouble Diagnosis
	dialogue       map[int64][]LogLine // by delivery; by account below 0

	letters []model.Letter
	tests   []string // addresses that test letters went to
	result  TestResult

	check      Check
	campaigns  []model.Campaign
	counts     model.Counts
	deliveries []model.Delivery
	snap       Snapshot
	running    []int64
	log        []LogLine
	calls      []string // Start 1, Pause 1, ...

	practice        PracticeInfo
	practiceLetters []PracticeLetter

	settings map[string]string
	fail     map[string]error // by method
	block    chan struct{}    // holds Contacts until it is closed
}

func newFake() *fake {
	return &fake{secrets: map[int64]string{}, member: map[int64]int64{}, tagged: tagged{}, settings: map[string]string{}, fail: map[string]error{},
		presets: []model.Preset{
			{Key: "qq", Domains: []string{"qq.com"}, Host: "smtp.qq.com", Port: 465, TLS: model.TLSImplicit, Auth: []model.AuthKind{model.AuthPassword},
				Limits: model.Limits{Connections: 1, PerDay: 50, PerSession: 20}, HelpURL: "https://mail.qq.com"},
			{Key: "163", Domains: []string{"163.com"}, Host: "smtp.163.com", Port: 465, TLS: model.TLSImplicit, Auth: []model.AuthKind{model.AuthPassword},
				Limits: model.Limits{Connections: 1, PerDay: 50}, HelpURL: "https://mail.163.com"},
			{Key: "outlook", Domains: []string{"outlook.com"}, Host: "smtp-mail.outlook.com", Port: 587, TLS: model.TLSStart,
				Auth: []model.AuthKind{model.AuthOAuth2}, Limits: model.Limits{Connections: 1, PerDay: 100}, HelpURL: "https://outlook.live.com"}},
		signIns: map[string]SignInInfo{"outlook": {Name: "Microsoft", RegisterURL: "https://entra.microsoft.com"}}, dialogue: map[int64][]LogLine{}}
}

// called notes a call and gives the error that a test wants of it.
func (f *fake) called(name string, id ...int64) error {
	line := name
	for _, i := range id {
		line += fmt.Sprintf(" %d", i)
	}
	f.calls = append(f.calls, line)
	return f.fail[name]
}

func (f *fake) has(call string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Contains(f.calls, call)
}

func (f *fake) Presets() []model.Preset { return f.presets }

func (f *fake) PresetFor(addr string) (model.Preset, bool) {
	_, domain, _ := strings.Cut(addr, "@")
	for _, p := range f.presets {
		if slices.Contains(p.Domains, domain) {
			return p, true
		}
	}
	return model.Preset{}, false
}

func (f *fake) Accounts(context.Context) ([]Account, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := slices.Clone(f.accounts)
	for i := range out {
		_, out[i].HasSecret = f.secrets[out[i].ID]
	}
	return out, f.called("Accounts")
}

func (f *fake) SaveAccount(_ context.Context, a *model.Account, secret string, set bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.called("SaveAccount"); err != nil {
		return err
	}
	if a.ID == 0 {
		a.ID = int64(len(f.accounts) + 1)
		f.accounts = append(f.accounts, Account{})
	}
	f.accounts[a.ID-1].Account = *a
	if set {
		f.secrets[a.ID] = secret
	}
	return nil
}

func (f *fake) RemoveAccount(_ context.Context, id int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.accounts = slices.DeleteFunc(f.accounts, func(a Account) bool { return a.ID == id })
	return f.called("RemoveAccount", id)
}

func (f *fake) TestAccount(_ context.Context, _ model.Account, _ string, progress func(DoctorLine)) (DoctorReport, error) {
	for _, l := range f.doctor {
		progress(l)
	}
	return f.doctorReport, f.fail["TestAccount"]
}

func (f *fake) WakeAccount(_ context.Context, id int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.accounts {
		if f.accounts[i].ID == id {
			f.accounts[i].Clock = model.Clock{}
		}
	}
	return f.called("WakeAccount", id)
}

func (f *fake) SecretsNeedPassphrase() bool { return f.needPhrase }

func (f *fake) SecretsStored() bool { return f.needPhrase }

func (f *fake) UnlockSecrets(phrase string) error {
	if phrase != "right" {
		return model.E(model.EPassphrase, nil)
	}
	return nil
}

func (f *fake) PreviewImport(_ context.Context, in ImportInput) (ImportPreview, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.called("PreviewImport"); err != nil {
		return ImportPreview{}, err
	}
	if in.Path != "" {
		p := f.preview
		p.Charset, p.Format = first(in.Charset, p.Charset), first(in.Format, p.Format)
		return p, nil
	}
	p := ImportPreview{Format: "text", Charset: "utf-8", Formats: []string{"text", "csv"}, Charsets: []string{"utf-8", "gb18030"}}
	for i, line := range strings.Fields(in.Text) {
		p.Sample = append(p.Sample, model.Row{Line: i + 1, Email: line, Address: line})
	}
	return p, nil
}

func (f *fake) Import(_ context.Context, in ImportInput, spec model.ImportSpec, progress func(done, total int64)) (model.ImportReport, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.called("Import"); err != nil {
		return model.ImportReport{}, err
	}
	id := int64(0)
	for _, l := range f.lists {
		if l.Name == spec.ListName {
			id = l.ID
		}
	}
	if id == 0 {
		id = int64(len(f.lists) + 1)
		f.lists = append(f.lists, model.List{ID: id, Name: spec.ListName})
	}
	r := f.report
	r.ImportID, r.ListID = 7, id
	for _, line := range strings.Fields(in.Text) {
		r.Read++
		if !strings.Contains(line, "@") {
			r.Invalid++
			r.Rejects = append(r.Rejects, model.Reject{Line: r.Read, Text: line, Reason: "no_address"})
			continue
		}
		r.Added++
		c := model.Contact{ID: int64(len(f.contacts) + 1), Email: line, Address: line, Source: spec.Source, Consent: spec.Consent, ImportID: 7}
		f.contacts = append(f.contacts, c)
		f.member[c.ID] = id
		f.lists[id-1].Count++
	}
	progress(1, 1)
	return r, nil
}

func (f *fake) UndoImport(_ context.Context, id int64) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	before := len(f.contacts)
	f.contacts = slices.DeleteFunc(f.contacts, func(c model.Contact) bool { return c.ImportID == id })
	f.undone = id
	return before - len(f.contacts), f.fail["UndoImport"]
}

func (f *fake) SaveRejects(string, model.ImportReport) error { return f.fail["SaveRejects"] }

func (f *fake) Lists(context.Context) ([]model.List, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.lists), f.fail["Lists"]
}

func (f *fake) RenameList(_ context.Context, id int64, name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.lists {
		if f.lists[i].ID == id {
			f.lists[i].Name = name
		}
	}
	return f.called("RenameList", id)
}

func (f *fake) RemoveList(_ context.Context, id int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lists = slices.DeleteFunc(f.lists, func(l model.List) bool { return l.ID == id })
	return f.called("RemoveList", id)
}

func (f *fake) ContactIDs(_ context.Context, q model.ContactQuery) ([]int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var found []model.Contact
	for _, c := range f.contacts {
		if (q.ListID == 0 || f.member[c.ID] == q.ListID) && strings.Contains(c.Email+" "+c.Name, q.Search) && f.matches(c, q.Filter) {
			found = append(found, c)
		}
	}
	key := map[model.SortKey]func(model.Contact) string{model.SortEmail: func(c model.Contact) string { return c.Email },
		model.SortName: func(c model.Contact) string { return c.Name }, model.SortSource: func(c model.Contact) string { return c.Source }}[q.Sort]
	if key != nil {
		slices.SortStableFunc(found, func(a, b model.Contact) int { return strings.Compare(key(a), key(b)) })
	}
	if q.Desc {
		slices.Reverse(found)
	}
	ids := make([]int64, len(found))
	for i, c := range found {
		ids[i] = c.ID
	}
	return ids, f.fail["ContactIDs"]
}

func (f *fake) Contacts(_ context.Context, ids []int64) ([]model.Contact, error) {
	if f.block != nil {
		<-f.block
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []model.Contact
	for _, id := range ids {
		for _, c := range f.contacts {
			if c.ID == id {
				out = append(out, c)
			}
		}
	}
	return out, f.called("Contacts")
}

func (f *fake) SaveContact(_ context.Context, c *model.Contact, list int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.called("SaveContact"); err != nil {
		return err
	}
	c.Email = strings.ToLower(c.Address)
	if c.ID == 0 {
		c.ID = int64(len(f.contacts) + 1)
		f.contacts = append(f.contacts, *c)
		f.member[c.ID] = list
	}
	for i := range f.contacts {
		if f.contacts[i].ID == c.ID {
			f.contacts[i] = *c
		}
	}
	return nil
}

func (f *fake) RemoveContacts(_ context.Context, ids []int64, _ int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.removed = nil
	f.contacts = slices.DeleteFunc(f.contacts, func(c model.Contact) bool {
		gone := slices.Contains(ids, c.ID)
		if gone {
			f.removed = append(f.removed, c)
		}
		return gone
	})
	f.change(model.ChangeRemove, len(ids), "")
	return f.called("RemoveContacts", ids...)
}

func (f *fake) FieldNames(context.Context, int64) ([]string, error) {
	return []string{"city", "grade"}, f.fail["FieldNames"]
}

func (f *fake) at(second int) time.Time { return time.Date(2026, 11, 24, 9, 30, second, 0, time.Local) }
