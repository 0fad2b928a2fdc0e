package ui

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"hongyan/app/model"
	"hongyan/assets"
)

// Options are how a window differs from the usual one.
type Options struct {
	Lang     string                      // "zh", "en", or "" for the user's setting, else the system's
	Practice bool                        // prepare a rehearsal: practice server, its account, sample list and letter
	Version  string                      // shown in the window about the program
	DataDir  string                      // shown there too
	Dispatch func(func())                // queues on the window's goroutine; default fyne.Do
	Tick     time.Duration               // how often live values are read; default 100 ms, below 0 never
	Close    func(context.Context) error // stops the use cases; called once, before the window goes
	Closed   func()                      // called last, when nothing runs any more, in place of closing the window

	timer func(d time.Duration, f func()) (stop func() bool) // of Tasks; tests have their own
}

// Window is the main window. Its methods are called on the window's goroutine.
type Window struct {
	app   fyne.App
	win   fyne.Window
	svc   Services
	opt   Options
	tasks *Tasks
	t     *assets.Texts
	look  *Theme

	accounts   *accountsVM
	recipients *recipientsVM
	letter     *letterVM
	progress   *progressVM

	accountsPane      *accountsPane
	recipientsPane    *recipientsPane
	letterPane        *letterPane
	progressPane      *progressPane
	commands          []*command
	step              *stepBar
	open              []*popup    // the dialogs that are shown, the topmost last
	asking            *importForm // the import that is asked about, if one is
	main, left, right *container.Split

	ended    *endMark
	slow     func() // what an open dialog wants to look at now and then; nil is nothing
	temp     tempFiles
	stopTick chan struct{}
	awake    bool  // the machine is kept from sleeping
	begun    int64 // the campaign that was started and not yet seen to end
	closing  bool
	saved    geometry
}

// endMark is what stood in the window when a campaign came to its end: as long as it stands there, the next step is
// to look at how it went.
type endMark struct {
	campaign, list, segment int64
	edits                   int
}

func (w *Window) mark() endMark {
	return endMark{w.progress.id, w.recipients.query.ListID, w.recipients.segment, w.letter.edits}
}

// geometry is what is remembered of the window's shape.
type geometry struct {
	W, H              float32
	Main, Left, Right float64
	Letter            float64 // editor and preview
}

// Keys of settings that the window keeps.
const (
	keyGeometry = "ui.geometry"
	keyLang     = "ui.lang"
	keyTheme    = "ui.theme"
	keyFont     = "ui.font"
	keyFolder   = "ui.folder"
	keyList     = "ui.list"
	keySegment  = "ui.segment"
	keyCampaign = "ui.campaign"
)

// New makes the window; Show opens it.
func New(a fyne.App, svc Services, o Options) *Window {
	if o.Dispatch == nil {
		o.Dispatch = fyne.Do
	}
	if o.Tick == 0 {
		o.Tick = 100 * time.Millisecond
	}
	w := &Window{app: a, svc: svc, opt: o, tasks: NewTasks(o.Dispatch), stopTick: make(chan struct{})}
	if o.timer != nil {
		w.tasks.timer = o.timer
	}
	w.t = textsFor(first(o.Lang, svc.Setting(keyLang)))
	w.setTheme(first(svc.Setting(keyTheme), "light"))

	w.accounts = newAccountsVM(svc, w.tasks)
	w.recipients = newRecipientsVM(svc, w.tasks)
	w.letter = newLetterVM(svc, w.tasks)
	w.progress = newProgressVM(svc, w.tasks)
	w.recipients.query.ListID, w.recipients.segment = atoi(svc.Setting(keyList)), atoi(svc.Setting(keySegment))

	w.win = a.NewWindow("鸿雁 Hongyan")
	w.win.SetIcon(Icon())
	w.win.SetMaster()
	w.win.SetPadded(false)
	w.win.SetCloseIntercept(w.askClose)
	w.win.SetOnDropped(w.dropped)
	w.win.Canvas().SetOnTypedKey(w.typedKey)
	// Where a field has the keyboard, the keys are its own: it takes back its text.
	w.win.Canvas().AddShortcut(&fyne.ShortcutUndo{}, func(fyne.Shortcut) { w.undo() })
	w.saved = geometry{W: 1280, H: 800, Main: 0.36, Left: 0.3, Right: 0.5, Letter: 0.5}
	if s := svc.Setting(keyGeometry); s != "" {
		_ = json.Unmarshal([]byte(s), &w.saved) // a damaged setting leaves the usual shape
	}
	w.build()
	w.win.Resize(fyne.NewSize(max(w.saved.W, 640), max(w.saved.H, 480)))
	return w
}

// Show opens the window and starts to read.
func (w *Window) Show() {
	w.win.Show()
	w.load()
	if w.opt.Tick > 0 {
		go w.ticker()
	}
	// Before anything can begin one: what is open now was cut off.
	w.askOpenImports(func() {
		if w.opt.Practice {
			w.preparePractice()
		}
	})
	// Only where passwords are kept already: whoever has none is not troubled before the first one.
	if w.svc.SecretsNeedPassphrase() && w.svc.SecretsStored() {
		w.askPassphrase(func() {})
	}
}

func (w *Window) load() {
	w.accounts.load()
	w.recipients.load()
	w.letter.load()
	w.progress.load(atoi(w.svc.Setting(keyCampaign)))
}

// ticker queues one call ten times a second, and never a second one while the first waits.
func (w *Window) ticker() {
	tick := time.NewTicker(w.opt.Tick)
	defer tick.Stop()
	idle := make(chan struct{}, 1)
	idle <- struct{}{}
	for n := 0; ; n++ {
		select {
		case <-w.stopTick:
			return
		case <-tick.C:
		}
		select {
		case <-idle:
			slow := n%30 == 0
			w.tasks.Do(func() {
				w.Tick(slow)
				idle <- struct{}{}
			})
		default:
		}
	}
}

// Tick reads the live values; with slow it also looks at what changes seldom.
func (w *Window) Tick(slow bool) {
	was := w.progress.running
	w.progress.tick()
	running := w.svc.Running()
	if awake := len(running) > 0; awake != w.awake {
		// A machine that falls asleep in the middle of a send loses its connections, and the user an hour.
		w.awake = awake
		w.app.Driver().SetDisableScreenBlanking(awake)
	}
	begun := w.begun != 0 && !slices.Contains(running, w.begun) // a run may be shorter than a tick
	if begun || was && !w.progress.running {
		m := w.mark()
		if begun {
			m.campaign, w.begun = w.begun, 0
			w.progress.refresh()
		}
		w.ended = &m
		w.accounts.load()
	}
	if slow {
		w.keepGeometry()
		if w.progress.running {
			w.accounts.load()
		}
		if w.slow != nil {
			w.slow()
		}
	}
}

// build makes everything that is seen, in the language of the moment.
func (w *Window) build() {
	lastLetter, lastProgress := 0, 0
	if w.letterPane != nil { // another language: stay where the user was
		lastLetter, lastProgress = w.letterPane.tabs.SelectedIndex(), w.progressPane.tabs.SelectedIndex()
	}
	fyneWords(w.t)
	w.makeCommands()
	w.step = newStepBar(w)
	w.accountsPane = newAccountsPane(w)
	w.recipientsPane = newRecipientsPane(w)
	w.letterPane = newLetterPane(w)
	w.progressPane = newProgressPane(w)
	w.letterPane.tabs.SelectIndex(lastLetter)
	w.progressPane.tabs.SelectIndex(lastProgress)

	w.accounts.changed = func() { w.accountsPane.refresh(); w.sync() }
	w.recipients.changed = func() { w.recipientsPane.refresh(); w.sync() }
	w.recipients.rows = func(from, to int) { w.recipientsPane.rows(from, to) }
	w.recipients.moved = func(int64) { w.recipientsPane.counts(); w.sync() }
	w.recipients.news = func(c model.Change) { w.recipientsPane.notice.say(w.changeWords(c), true) }
	w.recipients.altered = func() { w.letter.touch(false) }
	w.letter.changed = func() { w.letterPane.load(); w.sync() }
	w.letter.shown = func() { w.letterPane.showPreview(); w.sync() }
	w.progress.changed = func() { w.progressPane.refresh(); w.sync() }
	w.progress.logged = func() { w.progressPane.showLog() }
	for _, f := range []*func(error){&w.accounts.failed, &w.recipients.failed, &w.letter.failed, &w.progress.failed} {
		*f = w.showError
	}

	w.left = container.NewVSplit(w.accountsPane.root, w.recipientsPane.root)
	w.right = container.NewVSplit(w.letterPane.root, w.progressPane.root)
	w.main = container.NewHSplit(w.left, w.right)
	w.main.SetOffset(w.saved.Main)
	w.left.SetOffset(w.saved.Left)
	w.right.SetOffset(w.saved.Right)
	w.win.SetMainMenu(w.makeMenu())
	w.win.SetContent(container.NewBorder(
		container.NewVBox(container.NewPadded(w.makeToolbar()), w.step.root), nil, nil, nil, container.NewPadded(w.main)))
	w.accountsPane.refresh()
	w.recipientsPane.refresh()
	w.letterPane.load()
	w.letterPane.showPreview()
	w.progressPane.refresh()
	w.progressPane.showLog()
	w.sync()
}

// sync brings buttons, next step and preview up to what the panes hold.
func (w *Window) sync() {
	w.letter.as(w.accounts.current, w.recipients.current())
	changed := false
	for _, c := range w.commands {
		changed = c.refresh() || changed
	}
	if m := w.win.MainMenu(); changed && m != nil {
		m.Refresh()
	}
	w.step.refresh()
}

// SetLanguage turns the window to another language at once.
func (w *Window) SetLanguage(lang string) {
	w.set(keyLang, lang)
	w.keepGeometry()
	w.t = textsFor(lang)
	w.build()
}

// SetLook turns the window to "light", "dark" or "system".
func (w *Window) SetLook(variant string) {
	w.set(keyTheme, variant)
	w.keepGeometry()
	w.setTheme(variant)
	w.build()
}

// setTheme applies look and font, unless they are in force already: Fyne reads a font anew for each theme, and a
// Chinese one has 16 MB.
func (w *Window) setTheme(variant string) {
	w.look = NewTheme(variant, w.svc.Setting(keyFont))
	if is, ok := w.app.Settings().Theme().(*Theme); !ok || is.Variant != w.look.Variant || is.faces != w.look.faces {
		w.app.Settings().SetTheme(w.look)
	}
}

func (w *Window) set(key, value string) { w.svc.SetSetting(key, value) }

func (w *Window) keepGeometry() {
	s := w.win.Canvas().Size()
	g := geometry{s.Width, s.Height, w.main.Offset, w.left.Offset, w.right.Offset, w.letterPane.split.Offset}
	if s.Width < 100 || g == w.saved {
		return
	}
	w.saved = g
	if b, err := json.Marshal(g); err == nil {
		w.set(keyGeometry, string(b))
	}
}

// focus moves the keyboard to a pane, 1 to 4.
func (w *Window) focus(pane int) {
	switch pane {
	case 1:
		w.win.Canvas().Focus(w.accountsPane.table)
	case 2:
		w.win.Canvas().Focus(w.recipientsPane.table)
	case 3:
		w.win.Canvas().Focus(w.letterPane.subject)
	case 4:
		w.progressPane.focus()
	}
}

// askClose asks when letters are under way, and closes otherwise.
func (w *Window) askClose() {
	if w.closing {
		return
	}
	if len(w.svc.Running()) == 0 {
		w.close()
		return
	}
	w.confirm(w.t.T("ui.close.title"), w.t.T("ui.close.text"), w.t.T("ui.close.yes"), w.close)
}

// Quit closes without asking, because the desktop session ends or somebody sent a signal.
func (w *Window) Quit() {
	if !w.closing {
		w.close()
	}
}

// close stops what runs, and shows that it is stopping: a letter that is under way is brought to its end.
func (w *Window) close() {
	w.closing = true
	w.keepGeometry()
	close(w.stopTick)
	wait := w.popup(w.t.T("ui.close.title"), widget.NewLabel(w.t.T("ui.close.wait")))
	w.fit(wait, 420, 110)
	act(w.tasks, func(context.Context) error {
		if w.opt.Close == nil {
			return nil
		}
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		return w.opt.Close(ctx)
	}, func(error) {
		go func() {
			w.tasks.Close()
			w.temp.remove()
			if w.opt.Closed != nil {
				w.opt.Closed()
				return
			}
			w.opt.Dispatch(w.win.Close)
		}()
	})
}

// Canvas is what the window draws on.
func (w *Window) Canvas() fyne.Canvas { return w.win.Canvas() }

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// showCampaign turns to a campaign and remembers which.
func (w *Window) showCampaign(id int64) {
	w.set(keyCampaign, itoa(id))
	w.progress.load(id)
}

// showError says what went wrong, if anything did.
func (w *Window) showError(err error) {
	if err == nil || model.CodeOf(err) == model.ECancelled || w.closing {
		return
	}
	w.message(w.t.T("ui.error.title"), w.t.Error(err))
}
