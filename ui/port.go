package ui

import (
	"context"
	"time"

	"hongyan/app/model"
)

// Services is all that the window needs of the use cases. Every method may block, except those of Live.
type Services interface {
	AccountService
	SignInService
	RecipientService
	PeopleService
	GroupService
	DomainService
	LetterService
	CampaignService
	PracticeService
	SupportService
	Live
}

// Account is an account with what is known of it at present.
type Account struct {
	model.Account
	Clock             model.Clock
	HasSecret         bool
	SentHour, SentDay int
}

// DoctorLine is one finding of the account doctor.
type DoctorLine struct {
	Name   string // what was looked at: a text "doctor.<Name>" where there is one, else shown as it is
	Status string // "pass", "warn", "fail" or "skip"
	Key    string // Key + ".what" is the sentence, Key + ".do", where there is one, the fix
	Args   map[string]string
}

// DoctorReport is how a test ended; Better holds settings that would work where the given ones do not, or nil.
type DoctorReport struct {
	OK     bool
	Better *model.Account
}

// AccountService keeps accounts.
type AccountService interface {
	Presets() []model.Preset
	PresetFor(addr string) (model.Preset, bool)
	Accounts(ctx context.Context) ([]Account, error)
	SaveAccount(ctx context.Context, a *model.Account, secret string, setSecret bool) error
	RemoveAccount(ctx context.Context, id int64) error
	TestAccount(ctx context.Context, a model.Account, secret string, progress func(DoctorLine)) (DoctorReport, error)
	WakeAccount(ctx context.Context, id int64) error
	SecretsNeedPassphrase() bool
	SecretsStored() bool // a sealed file of passwords is there; if not, the passphrase given is a new one
	UnlockSecrets(passphrase string) error
}

// ImportInput is what the user gives to an import: a file or text, and what was guessed wrong ("" guesses).
type ImportInput struct {
	Path, Text      string
	Format, Charset string
	Sheet           string
	Columns         map[int]string // by position: "email", "name", "qq", "skip", or a field's name
}

// ImportPreview is an opened source: what it seems to be, and its first rows.
type ImportPreview struct {
	Format, Charset   string
	Formats, Charsets []string
	Sheet             string
	Sheets            []string // those of a workbook that have addresses
	Header            []string // titles of the columns; nil where there are none
	Guess             []string // what each column is taken for
	Sample            []model.Row
	NoConsent         bool
}

// RecipientService keeps people and lists.
type RecipientService interface {
	PreviewImport(ctx context.Context, in ImportInput) (ImportPreview, error)
	Prospect(ctx context.Context, in ImportInput, spec model.ImportSpec) (model.Prospect, error)
	Import(ctx context.Context, in ImportInput, spec model.ImportSpec, progress func(done, total int64)) (model.ImportReport, error)
	UndoImport(ctx context.Context, importID int64) (int, error)
	OpenImports(ctx context.Context) ([]model.Import, error) // cut off, when asked before any was begun
	KeepImport(ctx context.Context, importID int64) error
	ResumeImport(ctx context.Context, im model.Import, progress func(done, total int64)) (model.ImportReport, error)
	SaveRejects(path string, r model.ImportReport) error
	Lists(ctx context.Context) ([]model.List, error)
	RenameList(ctx context.Context, id int64, name string) error
	RemoveList(ctx context.Context, id int64) error // people in no other list stay
	ContactIDs(ctx context.Context, q model.ContactQuery) ([]int64, error)
	Contacts(ctx context.Context, ids []int64) ([]model.Contact, error)
	SaveContact(ctx context.Context, c *model.Contact, listID int64) error
	RemoveContacts(ctx context.Context, ids []int64, listID int64) error
	FieldNames(ctx context.Context, listID int64) ([]string, error)
	ExportPeople(ctx context.Context, q model.ContactQuery, path string) (int, error)
}

// TestResult is how a test letter fared. What and Do are keys of sentences, filled by Args.
type TestResult struct {
	Accepted bool
	Reply    string
	TextKey  string
	Args     map[string]string
}

// LetterService keeps letters and shows them as a recipient gets them.
type LetterService interface {
	Letters(ctx context.Context) ([]model.Letter, error)
	SaveLetter(ctx context.Context, l *model.Letter) error
	LoadLetter(path string) (model.Letter, error)
	WriteLetter(path string, l model.Letter) error
	Preview(ctx context.Context, l model.Letter, accountID, contactID int64) (model.Rendered, error)
	TestLetter(ctx context.Context, l model.Letter, accountID, contactID int64, to string) (TestResult, error)
}

// CampaignSpec is what a campaign is made of.
type CampaignSpec struct {
	Name        string
	ListID      int64 // 0: everybody
	SegmentID   int64 // of those, only who belongs to it; 0: all
	Letter      model.Letter
	AccountIDs  []int64
	Schedule    model.Schedule
	Advertising bool
}

// Finding is one line of the check before a send; Key is the whole key of its text.
type Finding struct {
	Blocker bool
	Key     string
	Args    map[string]string
}

// Check is what is known before a send.
type Check struct {
	People, Skipped int
	SkippedWhy      map[string]int
	Accounts        []Account
	Duration        time.Duration // 0: not known
	Findings        []Finding
}

// Diagnosis explains a failure: TextKey + ".what", ".means" and ".do" are its sentences, filled by Args; Then are the
// sentences of what becomes of recipient, account and campaign; Next and NextN say when it is tried again.
type Diagnosis struct {
	TextKey string
	Args    map[string]string
	Then    []string
	Next    string
	NextN   int
}

// CampaignService makes and runs campaigns.
type CampaignService interface {
	Check(ctx context.Context, spec CampaignSpec) (Check, error)
	CreateCampaign(ctx context.Context, spec CampaignSpec) (*model.Campaign, error)
	Start(ctx context.Context, id int64) error
	Pause(id int64)
	Stop(id int64)
	Wait(ctx context.Context, id int64) error
	Retry(ctx context.Context, id int64, from ...model.State) (int, error)
	Campaigns(ctx context.Context) ([]model.Campaign, error)
	Campaign(ctx context.Context, id int64) (*model.Campaign, error)
	Counts(ctx context.Context, id int64) (model.Counts, error)
	Deliveries(ctx context.Context, q model.DeliveryQuery) ([]model.Delivery, error)
	Attempts(ctx context.Context, deliveryID int64) ([]model.Attempt, error)
	Explain(d model.Delivery) Diagnosis
	Report(ctx context.Context, campaignID int64, path, lang string) error
}

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
	Size                    int64
}

// PracticeService is the server to rehearse with.
type PracticeService interface {
	StartPractice(addr string) (PracticeInfo, error)
	StopPractice() error
	SetPracticeMood(mood string) error
	PracticeLetters(offset, n int) ([]PracticeLetter, error)
	PracticeAccount(ctx context.Context) (*model.Account, error)
}

// Sender is an account at work.
type Sender struct {
	AccountID int64
	Name      string
	State     string    // a key "sender.<State>"
	NextAt    time.Time // of its next letter; zero: now, or never
	Why       string    // what its server said, or what kept it from being reached; "" while there is no trouble
}

// inTrouble says that it does not send and has been told why.
func (s Sender) inTrouble() bool {
	return s.Why != "" && (s.State == "retrying" || s.State == "unreachable" || s.State == "resting" || s.State == "stopped")
}

// Snapshot is a running campaign at one moment.
type Snapshot struct {
	Counts    model.Counts
	State     model.CampaignState
	Reason    string
	Detail    string
	PerMinute float64
	Left      time.Duration // 0: not known
	NextAt    time.Time
	Senders   []Sender
}

// LogLine is a line of the conversation with a server.
type LogLine struct {
	At   time.Time
	Conn int64
	Kind LogKind
	Text string
}

// LogKind says who speaks in a LogLine.
type LogKind int

// The kinds.
const (
	LogNote LogKind = iota
	LogClient
	LogServer
	LogError
)

// Live is what changes while letters leave. Its methods return at once and are called on the window's goroutine.
type Live interface {
	Running() []int64
	Snapshot(campaignID int64) Snapshot
	LogSince(seq uint64, limit int) (lines []LogLine, next uint64)
	Practice() PracticeInfo
	Setting(key string) string
	SetSetting(key, value string) // known to Setting at once, and stored in the background
}
