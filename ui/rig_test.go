package ui

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"hongyan/app/model"
	"hongyan/ui/widgets"
)

// TestMain makes one app for all windows: each new one would read the Chinese font again.
func TestMain(m *testing.M) {
	test.NewApp()
	os.Exit(m.Run())
}

// rig is a window over the fake on a test canvas. Nothing happens by itself: what the window queues runs in settle,
// on the goroutine of the test, and timers fire there too, so that no test sleeps or races.
type rig struct {
	t   testing.TB
	svc *fake
	app fyne.App
	w   *Window

	mu     sync.Mutex
	queue  []func()
	timers []*ripe
	closed chan struct{}                   // the use cases were closed
	gone   bool                            // the window is
	sizes  map[fyne.CanvasObject]fyne.Size // of the last frame
}

// ripe is a timer that waits for settle.
type ripe struct{ f func() }

// queues gives the Dispatch and the timer of a Tasks that the rig drives.
func (r *rig) dispatch(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.queue = append(r.queue, f)
}

func (r *rig) timer(_ time.Duration, f func()) func() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	tm := &ripe{f}
	r.timers = append(r.timers, tm)
	return func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		n := len(r.timers)
		r.timers = slices.DeleteFunc(r.timers, func(x *ripe) bool { return x == tm })
		return len(r.timers) < n
	}
}

// drain runs what is queued, and says whether there was anything.
func (r *rig) drain() bool {
	r.mu.Lock()
	q := r.queue
	r.queue = nil
	r.mu.Unlock()
	for _, f := range q {
		f()
	}
	return len(q) > 0
}

// settle waits for the background and runs the queue until both are empty; each timer that is set at its start
// fires once, so that a timer that sets itself again does not keep it.
func (r *rig) settle(tasks *Tasks) {
	r.idle(tasks)
	r.mu.Lock()
	timers := r.timers
	r.timers = nil
	r.mu.Unlock()
	for _, tm := range timers {
		tm.f()
	}
	r.idle(tasks)
}

func (r *rig) idle(tasks *Tasks) {
	for again := true; again; {
		tasks.wg.Wait()
		again = r.drain()
	}
}

// newRig opens a window of 1280x800 in a language over svc.
func newRig(t testing.TB, lang string, svc *fake) *rig {
	t.Helper()
	r := &rig{t: t, svc: svc, app: fyne.CurrentApp(), closed: make(chan struct{})}
	r.w = New(r.app, svc, Options{Lang: lang, Version: "1.0", DataDir: "/home/shop/Hongyan", Dispatch: r.dispatch, Tick: -1, timer: r.timer,
		Close: func(context.Context) error { close(r.closed); return nil }})
	r.w.progress.now = func() time.Time { return svc.at(30) }
	r.w.win.SetOnClosed(func() { r.gone = true })
	t.Cleanup(func() {
		r.w.tasks.Close()
		if !r.gone {
			r.w.win.Close()
		}
	})
	r.w.Show()
	r.run()
	return r
}

// run settles the window and draws a frame.
func (r *rig) run() {
	r.settle(r.w.tasks)
	r.frame()
}

// tick is what the ticker does, slowly.
func (r *rig) tick() {
	r.w.Tick(true)
	r.run()
}

// top is the content that has the user's attention: the topmost dialog or menu, else the window.
func (r *rig) top() fyne.CanvasObject {
	if o := r.w.win.Canvas().Overlays().Top(); o != nil {
		return o
	}
	return r.w.win.Content()
}

// walk visits what is shown within o, parents first.
func walk(o fyne.CanvasObject, visit func(fyne.CanvasObject)) {
	if o == nil || !o.Visible() {
		return
	}
	visit(o)
	switch c := o.(type) {
	case *fyne.Container:
		for _, x := range c.Objects {
			walk(x, visit)
		}
	case fyne.Widget:
		for _, x := range test.WidgetRenderer(c).Objects() {
			walk(x, visit)
		}
	}
}

// label is what a button says.
func label(o fyne.CanvasObject) (text string, tap func(), disabled bool) {
	switch b := o.(type) {
	case *widget.Button:
		return b.Text, func() { test.Tap(b) }, b.Disabled()
	case *widgets.Action:
		return b.Text, func() { test.Tap(b) }, b.Disabled()
	}
	return "", nil, false
}

// tap presses the button that says text in the topmost dialog, and settles.
func (r *rig) tap(text string) {
	r.t.Helper()
	var do func()
	var have []string
	walk(r.top(), func(o fyne.CanvasObject) {
		if s, f, off := label(o); f != nil {
			have = append(have, fmt.Sprintf("%q", s))
			if s == text && !off {
				do = f
			}
		}
	})
	if do == nil {
		r.t.Fatalf("no button %q that can be pressed; there are %s", text, strings.Join(have, " "))
	}
	do()
	r.run()
}

// enabled tells whether the button that says text can be pressed.
func (r *rig) enabled(text string) bool {
	r.t.Helper()
	found, on := false, false
	walk(r.top(), func(o fyne.CanvasObject) {
		if s, f, off := label(o); f != nil && s == text {
			found, on = true, on || !off
		}
	})
	if !found {
		r.t.Fatalf("no button %q", text)
	}
	return on
}

// entry finds the field with a placeholder in the topmost dialog.
func (r *rig) entry(placeholder string) *widget.Entry {
	r.t.Helper()
	var found *widget.Entry
	walk(r.top(), func(o fyne.CanvasObject) {
		switch e := o.(type) {
		case *widget.Entry:
			if e.PlaceHolder == placeholder {
				found = e
			}
		case *widget.SelectEntry:
			if e.PlaceHolder == placeholder {
				found = &e.Entry
			}
		case *pasteEntry:
			if e.PlaceHolder == placeholder {
				found = &e.Entry
			}
		}
	})
	if found == nil {
		r.t.Fatalf("no field %q", placeholder)
	}
	return found
}

// password finds the field of the topmost dialog that hides what is typed.
func (r *rig) password() *widget.Entry {
	r.t.Helper()
	var found *widget.Entry
	walk(r.top(), func(o fyne.CanvasObject) {
		if e, ok := o.(*widget.Entry); ok && e.Password {
			found = e
		}
	})
	if found == nil {
		r.t.Fatal("no field for a password")
	}
	return found
}

// field finds the entry behind a label of the form in the topmost dialog.
func (r *rig) field(key string) *widget.Entry {
	r.t.Helper()
	var found *widget.Entry
	walk(r.top(), func(o fyne.CanvasObject) {
		f, ok := o.(*widget.Form)
		if !ok {
			return
		}
		for _, it := range f.Items {
			if it.Text != r.text(key) {
				continue
			}
			switch e := it.Widget.(type) {
			case *widget.Entry:
				found = e
			case *widget.SelectEntry:
				found = &e.Entry
			}
		}
	})
	if found == nil {
		r.t.Fatalf("no field %s (%s)", key, r.text(key))
	}
	return found
}

// said is all the text that is shown in the topmost dialog, line by line.
func (r *rig) said() string { return textOf(r.top()) }

func textOf(o fyne.CanvasObject) string {
	var lines []string
	walk(o, func(o fyne.CanvasObject) {
		switch x := o.(type) {
		case *widgets.Text:
			lines = append(lines, x.Full())
		case *widget.Label:
			lines = append(lines, x.Text)
		case *widgets.Cell:
			lines = append(lines, x.Text())
		case *widget.RichText:
			lines = append(lines, x.String())
		case *widget.Entry:
			lines = append(lines, x.Text)
		case *canvas.Text:
			lines = append(lines, x.Text)
		case *widget.Check:
			lines = append(lines, x.Text)
		case *container.AppTabs:
			for _, it := range x.Items {
				lines = append(lines, it.Text)
			}
		default:
			if s, f, _ := label(o); f != nil {
				lines = append(lines, s)
			}
		}
	})
	return strings.Join(lines, "\n")
}

// wants fails unless each text is shown in the topmost dialog.
func (r *rig) wants(texts ...string) {
	r.t.Helper()
	said := r.said()
	for _, s := range texts {
		if !strings.Contains(said, s) {
			r.t.Fatalf("%q is not shown in:\n%s", s, said)
		}
	}
}

func (r *rig) text(key string, pairs ...string) string {
	return r.w.t.T(key, pairs...)
}

// noDialog fails when a dialog or a menu is open.
func (r *rig) noDialog() {
	r.t.Helper()
	if r.w.win.Canvas().Overlays().Top() != nil {
		r.t.Fatalf("a dialog is open:\n%s", r.said())
	}
}

// shop is a fake in the middle of a day's work: three accounts, 300 people, a letter, and a campaign of which n
// letters are done.
func shop(lang string) *fake {
	f := newFake()
	zh := lang == "zh"
	pick := func(a, b string) string {
		if zh {
			return a
		}
		return b
	}
	add := func(a Account) {
		a.ID = int64(len(f.accounts) + 1)
		f.secrets[a.ID] = "secret"
		f.accounts = append(f.accounts, a)
	}
	add(Account{Account: model.Account{Name: pick("读书会", "Reading Circle"), From: "reading.circle@qq.com", Provider: "qq", Host: "smtp.qq.com", Port: 465, TLS: model.TLSImplicit,
		Auth: model.AuthPassword, Limits: model.Limits{PerDay: 50, Connections: 1}}, SentDay: 38})
	add(Account{Account: model.Account{Name: "circle@163.com", From: "circle@163.com", Provider: "163", Host: "smtp.163.com", Port: 465, TLS: model.TLSImplicit,
		Auth: model.AuthPassword, Limits: model.Limits{PerDay: 50, Connections: 1}}, SentDay: 50,
		Clock: model.Clock{State: model.ClockResting, Until: f.at(0).Add(3 * time.Hour)}})
	add(Account{Account: model.Account{Name: pick("老邮箱", "Old mailbox"), From: "old@126.com", Provider: "", Host: "smtp.126.com", Port: 465, TLS: model.TLSImplicit,
		Auth: model.AuthPassword}, Clock: model.Clock{State: model.ClockStopped, Reply: "535 authentication failed"}})

	f.lists = []model.List{{ID: 1, Name: pick("秋季展会客户", "Autumn fair"), Count: 300}, {ID: 2, Name: pick("老会员", "Old members"), Count: 42}}
	surnames, given := []string{"张", "王", "李", "赵", "刘", "陈", "杨", "黄", "周", "吴"}, []string{"伟", "芳", "娜", "秀英", "敏", "静", "丽", "强", "磊", "洋"}
	english := []string{"Anna Bell", "Tom Reed", "Mia Wong", "Jack Hall", "Rose Lee", "Sam Cole", "Eva Stone", "Max Ford", "Lily Gray", "Ben Fox"}
	hosts := []string{"qq.com", "163.com", "126.com", "gmail.com", "example.com"}
	for i := range 300 {
		c := model.Contact{ID: int64(i + 1), Source: pick("秋季展会签到表", "autumn fair sheet"), Consent: "signed up"}
		c.Name = english[i%10]
		if zh {
			c.Name = surnames[i%10] + given[(i/10)%10]
		}
		c.Email = fmt.Sprintf("%d@%s", 10086000+i*37, hosts[i%5])
		if i%3 == 1 {
			c.Email = fmt.Sprintf("customer%03d@%s", i, hosts[i%5])
		}
		c.Address = c.Email
		if i%29 == 7 {
			c.Consent = ""
		}
		f.contacts = append(f.contacts, c)
		f.member[c.ID] = 1
	}
	f.letters = []model.Letter{{ID: 1, Format: model.FormatMarkdown, UpdatedAt: f.at(0),
		Subject: pick("读书会周六活动，{{name|朋友}}，期待您来", "Saturday's reading, {{name|friend}}: see you there?"),
		Body: pick("{{name|朋友}}您好：\n\n周六下午两点，我们在**图书馆三楼**见面，本期共读一本书。\n\n| 时间 | 内容 |\n|---|---|\n| 14:00 | 签到 |\n| 14:30 | 讨论 |\n\n[报名](https://example.com/join)\n\n如不想再收到，请回复「退订」。\n",
			"Dear {{name|friend}},\n\nwe meet on Saturday at two on the **third floor of the library** to read a book together.\n\n| Time | What |\n|---|---|\n| 14:00 | Welcome |\n| 14:30 | Talk |\n\n[Sign up](https://example.com/join)\n\nTo hear no more from us, reply “unsubscribe”.\n")}}
	f.check = Check{People: 287, Skipped: 13, SkippedWhy: map[string]int{"consent": 11, "suppressed": 2}, Duration: 95 * time.Minute,
		Findings: []Finding{{Key: "check.empty_field", Args: map[string]string{"field": "city", "n": "12", "example": "10086037@163.com"}}}}
	f.result = TestResult{Accepted: true, Reply: "250 2.0.0 OK queued"}
	return f
}

// sending puts a campaign into a shop that runs with some failures.
func (f *fake) sending(lang string) *fake {
	name := "秋季展会客户 2026-11-24"
	if lang == "en" {
		name = "Autumn fair 2026-11-24"
	}
	f.campaigns = []model.Campaign{{ID: 1, Name: name, State: model.CampaignRunning, ListID: 1}}
	f.counts = model.Counts{Total: 300, Accepted: 156, Deferred: 4, Rejected: 9, Unknown: 1, Skipped: 13, Attempting: 1, Queued: 116}
	f.running = []int64{1}
	f.snap = Snapshot{Counts: f.counts, State: model.CampaignRunning, PerMinute: 11.6, Left: 10*time.Minute + 24*time.Second, NextAt: f.at(41),
		Senders: []Sender{{AccountID: 1, Name: f.accounts[0].Name, State: "waiting", NextAt: f.at(41)}, {AccountID: 2, Name: f.accounts[1].Name, State: "resting", NextAt: f.at(0).Add(3 * time.Hour)}}}
	id := int64(0)
	fail := func(n int, s model.State, step model.Step, code int, reply string) {
		for range n {
			id++
			f.deliveries = append(f.deliveries, model.Delivery{ID: id, CampaignID: 1, Email: f.contacts[id].Email, Address: f.contacts[id].Address, State: s, Step: step, Code: code, Reply: reply})
		}
	}
	fail(9, model.Rejected, model.StepRcpt, 550, "550 5.1.1 Mailbox unavailable or access denied")
	fail(4, model.Deferred, model.StepRcpt, 452, "452 4.2.2 The email account that you tried to reach is over quota")
	fail(1, model.Unknown, model.StepDot, 0, "")
	say := func(k LogKind, s string) {
		f.log = append(f.log, LogLine{At: f.at(len(f.log) / 6), Conn: 1, Kind: k, Text: s})
	}
	say(LogNote, "smtp.qq.com:465 TLS 1.3")
	say(LogServer, "220 newxmesmtplogicsvrszc1-0.qq.com XMail Esmtp QQ Mail Server.")
	say(LogClient, "EHLO localhost")
	say(LogServer, "250-newxmesmtplogicsvrszc1-0.qq.com")
	say(LogServer, "250-PIPELINING")
	say(LogServer, "250-SIZE 73400320")
	say(LogServer, "250 AUTH LOGIN PLAIN XOAUTH XOAUTH2")
	say(LogClient, "AUTH PLAIN ****")
	say(LogServer, "235 Authentication successful")
	for i := range 12 {
		c := f.contacts[150+i]
		say(LogClient, "MAIL FROM:<reading.circle@qq.com> SIZE=1432")
		say(LogServer, "250 OK.")
		say(LogClient, "RCPT TO:<"+c.Email+">")
		if i == 8 {
			say(LogError, "550 Mailbox unavailable or access denied")
			continue
		}
		say(LogServer, "250 OK")
		say(LogClient, "DATA")
		say(LogServer, "354 End data with <CR><LF>.<CR><LF>.")
		say(LogClient, "… 1,432 octets")
		say(LogServer, "250 OK: queued as.")
	}
	return f
}
