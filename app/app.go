package app

import (
	"crypto/rand"
	"encoding/hex"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"hongyan/app/campaign"
	"hongyan/app/contacts"
	"hongyan/app/livelog"
	"hongyan/app/model"
	"hongyan/app/secrets"
)

// Options are what an App is made of.
type Options struct {
	Dir     string // the data folder
	Store   Store
	Secrets *secrets.Keeper
	Version string
	Now     func() time.Time // default time.Now
	Clock   campaign.Clock   // of the runners; default the system's

	Resolver Resolver // of LookUpDomains; default the system's

	// Awake keeps the machine from falling asleep while a campaign runs, until release is called; nil: nothing does.
	Awake func(why string) (release func())

	// Folder opens the data folder of another Hongyan to import from; nil: it is refused.
	Folder func(path string) (contacts.Folder, error)
}

// App is Hongyan without a window. Its methods are safe for concurrent use.
type App struct {
	dir     string
	store   Store
	secrets *secrets.Keeper
	version string
	now     func() time.Time
	clock   campaign.Clock
	awake   func(why string) (release func())
	log     *livelog.Log
	lanes   *campaign.Accounts // what accounts may do at present, shared by every run
	tokens  signIns
	noBDAT  sync.Map // host:port of servers that offered CHUNKING and did not take BDAT

	folder   func(path string) (contacts.Folder, error)
	resolver Resolver
	domains  verdicts // of the resolver

	mu       sync.Mutex
	practice *Practice // nil when it does not run
	runs     map[int64]*run
	byID     map[int64]model.Account // for explanations, see accountOf
	closed   bool
}

// New makes an App over an open store, which stays the caller's to close.
func New(o Options) *App {
	a := &App{dir: o.Dir, store: o.Store, secrets: o.Secrets, version: o.Version, now: o.Now, clock: o.Clock, resolver: o.Resolver, folder: o.Folder,
		log: livelog.New(0), lanes: campaign.NewAccounts(o.Store, o.Clock), runs: map[int64]*run{}, byID: map[int64]model.Account{}}
	if a.now == nil {
		a.now = time.Now
	}
	if a.awake = o.Awake; a.awake == nil {
		a.awake = func(string) func() { return func() {} }
	}
	if a.resolver == nil {
		a.resolver = net.DefaultResolver
	}
	return a
}

// Version is the program's version.
func (a *App) Version() string { return a.version }

// newSeed is the random part of a campaign from which Message-IDs derive.
func newSeed() string {
	b := make([]byte, 16)
	rand.Read(b) // never fails: it ends the program instead
	return hex.EncodeToString(b)
}

// named trims a name that the user gave, and refuses one that is empty or that would not be seen for what it is: control
// characters act on a terminal, and marks of direction turn what stands behind them round.
func named(field, s string) (string, error) {
	s = strings.TrimSpace(s)
	hidden := func(r rune) bool {
		return unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control) || r == utf8.RuneError
	}
	if s == "" || strings.ContainsFunc(s, hidden) {
		return "", invalid(field, strings.Trim(strconv.QuoteToGraphic(s), `"`))
	}
	return s, nil
}

// invalid is the error of a value that the user gave and that cannot be used.
func invalid(field, value string) error {
	return model.E(model.EInvalid, nil, "field", field, "value", value)
}
