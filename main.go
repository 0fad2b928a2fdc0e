// Hongyan (鸿雁) is a desktop program that mails a letter to a list of people who agreed to it, and tells exactly
// who got it, who did not, and why. This file is flags and wiring; hongyanctl is the same without a window.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"syscall"
	"time"

	"fyne.io/fyne/v2"
	fyneapp "fyne.io/fyne/v2/app"

	"hongyan/app"
	"hongyan/app/awake"
	"hongyan/app/contacts"
	"hongyan/app/secrets"
	"hongyan/assets"
	"hongyan/store"
	"hongyan/ui"
	"hongyan/ui/bridge"
)

// version is set at build time.
var version = "dev"

// endGrace is how long an end without the window waits for letters under way.
const endGrace = 10 * time.Second

// appID names the program to the desktop.
const appID = "io.github.hongyan.Hongyan"

func main() {
	data := flag.String("data", app.DefaultDir(), "the data folder")
	lang := flag.String("lang", "", "zh or en; default: the setting, else the system's")
	practice := flag.Bool("practice", false, "open with the practice server, a sample list and a sample letter")
	showVersion := flag.Bool("version", false, "say the version and end")
	flag.Parse()
	if *showVersion {
		fmt.Println("hongyan " + version)
		return
	}
	if flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "hongyan: unknown argument:", flag.Arg(0))
		os.Exit(2)
	}
	os.Exit(run(*data, *lang, *practice))
}

func run(data, lang string, practice bool) (code int) {
	lean()
	a := fyneapp.NewWithID(appID)
	st, err := store.Open(context.Background(), data, store.Options{})
	if err != nil {
		return trouble(a, lang, err)
	}
	defer func() { code = crashed(recover(), data, lang, code) }()
	core := app.New(app.Options{Dir: data, Store: st, Version: version, Awake: awake.Hold,
		Folder:  func(path string) (contacts.Folder, error) { return otherFolder(data, path) },
		Secrets: secrets.Open(secrets.Options{Dir: data, Passphrase: os.Getenv("HONGYAN_PASSPHRASE")})})
	svc := bridge.New(core)
	// The journal is closed last, when nothing can write to it any more.
	end := func() int {
		if err := st.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "hongyan:", assets.For(lang).Error(err))
			return 1
		}
		return 0
	}
	w := ui.New(a, svc, ui.Options{Lang: lang, Practice: practice, Version: version, DataDir: data, Close: svc.Close,
		// Fyne 2.8.1 may panic while it ends (a send on its closed queue), so the process ends here.
		Closed: func() { os.Exit(end()) }})
	a.Lifecycle().SetOnStarted(func() { onSignal(w.Quit) })
	w.Show()
	a.Run()
	// The window's own end does not come here; something ended the program without asking it.
	ctx, cancel := context.WithTimeout(context.Background(), endGrace)
	defer cancel()
	if err := svc.Close(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "hongyan:", assets.For(lang).Error(err))
	}
	return end()
}

// lean keeps memory low: a desktop has other programs. Reading fonts and a long list at the start would take twice what
// is kept of them, so Go collects more often then, and gives back above a bound that a folder of a million people does
// not need. The bound goes soon, because a larger folder would be collected without end.
func lean() {
	debug.SetGCPercent(25)
	bound := debug.SetMemoryLimit(100 << 20)
	time.AfterFunc(time.Second, debug.FreeOSMemory)
	time.AfterFunc(5*time.Second, func() {
		debug.SetMemoryLimit(bound)
		debug.SetGCPercent(50)
		debug.FreeOSMemory()
	})
}

// otherFolder opens the data folder of another Hongyan to import from.
func otherFolder(data, path string) (contacts.Folder, error) {
	f, err := store.OpenFolder(context.Background(), data, path)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// onSignal calls f, on the window's goroutine, when the session ends or somebody asks the process to. Fyne would end
// its loop at once, in the middle of a letter.
func onSignal(f func()) {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	signal.Reset(signals...)
	c := make(chan os.Signal, 1)
	signal.Notify(c, signals...)
	go func() {
		<-c
		fyne.Do(f)
	}()
}

// crashed turns a panic of the window into one sentence, and keeps the details for whoever can mend it. The journal
// stands as it was: what was being sent is in doubt when the program is opened again.
func crashed(what any, data, lang string, code int) int {
	if what == nil {
		return code
	}
	path := filepath.Join(data, "crash.log")
	text := fmt.Sprintf("%s hongyan %s\n%v\n\n%s", time.Now().Format(time.RFC3339), version, what, debug.Stack())
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		path = err.Error()
	}
	fmt.Fprintln(os.Stderr, "hongyan:", assets.For(lang).T("error.crashed", "path", path))
	return 1
}

// trouble shows why the program cannot start, in a window and on the terminal.
func trouble(a fyne.App, lang string, err error) int {
	fmt.Fprintln(os.Stderr, "hongyan:", assets.For(lang).Error(err))
	ui.Trouble(a, lang, err).ShowAndRun()
	return 1
}
