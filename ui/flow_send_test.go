package ui

import (
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"hongyan/app/model"
)

// TestSend follows a campaign from the check to its end: start, progress by ticks, pause, going on, stop, retry.
func TestSend(t *testing.T) {
	f := shop("en")
	r := newRig(t, "en", f)
	r.w.recipients.setList(1)
	r.run()
	r.tap("Start")
	r.wants("Before it is sent", "287 people of Autumn fair get this letter.", "about 1 h 35 min", "consent not recorded 11", "city")
	r.tap("Send to 287 people")
	r.noDialog()
	if !f.has("Start 1") {
		t.Fatalf("calls: %v", f.calls)
	}
	c := f.campaigns[0]
	if c.ListID != 1 || len(c.AccountIDs) != 2 || !strings.HasPrefix(c.Name, "Autumn fair ") || f.settings[keyCampaign] != "1" {
		t.Errorf("campaign %+v, remembered %q", c, f.settings[keyCampaign])
	}

	f.mu.Lock()
	f.snap.Counts = model.Counts{Total: 287, Accepted: 100, Rejected: 2, Queued: 185}
	f.snap.PerMinute, f.snap.Left, f.snap.NextAt = 12, 15*time.Minute, f.at(45)
	f.log = []LogLine{{At: f.at(1), Kind: LogClient, Text: "MAIL FROM:<a@b>"}, {At: f.at(2), Kind: LogServer, Text: "250 OK"}}
	f.mu.Unlock()
	r.w.Tick(false)
	r.run()
	r.wants("accepted 100", "refused 2", "waiting 185", "102 of 287 done", "12 a minute", "about 15 min 0 s left", "next letter at 09:30:45", "MAIL FROM:<a@b>", "250 OK")
	for name, on := range map[string]bool{"Pause": true, "Stop": true, "Start": false, "Retry": false} {
		if r.w.command(strings.ToLower(name)).button.Disabled() == on {
			t.Errorf("while sending, %s is enabled: %v", name, !on)
		}
	}

	r.w.command("pause").fire()
	r.tick()
	if !f.has("Pause 1") || r.w.progress.running {
		t.Fatal("it was not paused")
	}
	r.wants("paused", "This campaign has 185 letters left.")

	r.tap("Start")
	r.wants("has 185 letters left. Go on with it?")
	r.tap("Go on")
	if n := strings.Count(strings.Join(f.calls, "\n"), "Start 1"); n != 2 {
		t.Errorf("started %d times", n)
	}
	if len(f.campaigns) != 1 {
		t.Error("going on made another campaign")
	}

	f.mu.Lock()
	f.snap.Counts = model.Counts{Total: 287, Accepted: 284, Rejected: 2, Unknown: 1}
	f.mu.Unlock()
	r.tap("Stop")
	r.wants(r.text("ui.stop.ask"))
	r.press("Stop")
	r.tick()
	if !f.has("Stop 1") {
		t.Error("it was not stopped")
	}
	r.wants("2 people did not get it, 1 may have")
	r.w.letter.edit(func(l *model.Letter) { l.Subject += "!" }) // on to the next campaign
	r.run()
	r.wants("Ready: press Start")

	r.tap("Retry")
	r.wants("2 people were refused")
	r.tap("Retry 1 unknown")
	r.wants(r.text("ui.retry.unknown.ask", "n", "1"))
	r.tap("Cancel")
	if f.has("Retry unknown 1") {
		t.Error("what may have arrived was sent again without the user's word")
	}
	r.tap("Retry")
	r.tap("Retry 2 failed")
	if !f.has("Retry rejected 1") || f.counts.Queued != 2 || !r.w.progress.running {
		t.Errorf("calls %v, counts %+v", f.calls, f.counts)
	}
}

// TestCheckBlocks: a finding that forbids the send keeps the button off, and another list is checked anew.
func TestCheckBlocks(t *testing.T) {
	f := shop("en")
	f.check.Findings = []Finding{{Blocker: true, Key: "check.no_people"}}
	r := newRig(t, "en", f)
	r.tap("Start")
	r.wants(r.text("check.no_people"), r.text("ui.check.blocked"))
	if r.enabled("Send to 287 people") {
		t.Error("a blocked send can be started")
	}
	f.check.Findings = nil
	var lists *widget.Select
	walk(r.top(), func(o fyne.CanvasObject) {
		if s, ok := o.(*widget.Select); ok {
			lists = s
		}
	})
	lists.SetSelectedIndex(2) // after everybody and the first
	r.run()
	r.wants("287 people of Old members")
	if !strings.HasPrefix(r.field("ui.check.name").Text, "Old members ") {
		t.Errorf("named %q", r.field("ui.check.name").Text)
	}
	for _, a := range []string{"Reading Circle <reading.circle@qq.com>", "circle@163.com"} {
		walk(r.top(), func(o fyne.CanvasObject) {
			if c, ok := o.(*widget.Check); ok && c.Text == a {
				c.SetChecked(false)
			}
		})
		r.run()
	}
	r.wants(r.text("check.no_account"))
}

// TestFailures: failures stand together by reason, and a click explains them with the words of the server.
func TestFailures(t *testing.T) {
	r := newRig(t, "en", shop("en").sending("en"))
	r.tick()
	r.w.progressPane.tabs.SelectIndex(1)
	r.run()
	r.wants("Failures (14)", "This address does not exist.", "Hongyan tries again in 2 h.")
	r.w.progressPane.problems.Click(0, 0)
	r.run()
	r.wants("9 people: refused", "What to do", "550 5.1.1 Mailbox unavailable", "customer001@163.com")
	r.tap("Copy for support")
	if got := r.app.Clipboard().Content(); !strings.Contains(got, "550 5.1.1") || strings.Contains(got, "**") {
		t.Errorf("copied %q", got)
	}
}

// TestCloseWhileSending: closing asks; no is no, and yes closes the use cases before the window.
func TestCloseWhileSending(t *testing.T) {
	r := newRig(t, "zh", shop("zh").sending("zh"))
	r.tick()
	r.w.askClose()
	r.wants("关闭鸿雁", r.text("ui.close.text"))
	r.tap("取消")
	r.noDialog()
	if r.w.closing {
		t.Fatal("it closes all the same")
	}
	r.w.askClose()
	r.w.main.SetOffset(0.4)
	r.press("停下并关闭")
	r.waitGone()
	if !strings.Contains(r.svc.settings[keyGeometry], `"Main":0.4`) {
		t.Error("the shape of the window was not kept")
	}
	r.w.askClose() // once is enough
}

// TestCloseWhenIdle: nothing under way, nothing asked.
func TestCloseWhenIdle(t *testing.T) {
	r := newRig(t, "en", shop("en"))
	r.w.askClose()
	r.waitGone()
}

// waitGone runs the queue until the window has closed.
func (r *rig) waitGone() {
	r.t.Helper()
	<-r.closed
	for !r.gone {
		r.idle(r.w.tasks)
	}
}

// TestLanguage: the other language is there at once, also in what the panes hold, and is remembered.
func TestLanguage(t *testing.T) {
	r := newRig(t, "zh", shop("zh").sending("zh"))
	r.tick()
	r.w.progressPane.tabs.SelectIndex(1)
	r.wants("账号", "收件人", "已接收 156", "这个邮箱地址不存在")
	r.tap("English")
	r.wants("Accounts", "Recipients", "accepted 156", "This address does not exist.", "Pause")
	if strings.Contains(r.said(), "账号") || r.svc.settings[keyLang] != "en" || r.w.progressPane.tabs.SelectedIndex() != 1 {
		t.Errorf("language %q, tab %d", r.svc.settings[keyLang], r.w.progressPane.tabs.SelectedIndex())
	}
	r.tap("中文")
	r.wants("已接收 156")
	again := newRig(t, "", r.svc)
	again.wants("账号")
}

// TestGeometry: size and splits come back.
func TestGeometry(t *testing.T) {
	f := shop("en")
	r := newRig(t, "en", f)
	r.w.win.Resize(fyne.NewSize(1100, 720))
	r.w.main.SetOffset(0.42)
	r.w.letterPane.split.SetOffset(0.61)
	r.tick()
	again := newRig(t, "en", f)
	if s := again.w.win.Canvas().Size(); s != fyne.NewSize(1100, 720) || again.w.main.Offset != 0.42 || again.w.letterPane.split.Offset != 0.61 {
		t.Errorf("%v, splits %v and %v", s, again.w.main.Offset, again.w.letterPane.split.Offset)
	}
}

// TestPractice: one click makes server and account; moods are set; a letter can be read in the window.
func TestPractice(t *testing.T) {
	f := newFake()
	r := newRig(t, "en", f)
	r.tap("Practice server")
	if r.w.win.Canvas().Overlays().Top() == nil { // the button of the empty pane: everything at once
		r.wants("Practice 练习", "ready")
	}
	f.practiceLetters = practiceLetters(shop("en"))
	r.w.practiceDialog()
	r.run()
	r.wants("holds 0 letters", "customer001@163.com")
	var mood *widget.Select
	walk(r.top(), func(o fyne.CanvasObject) {
		if s, ok := o.(*widget.Select); ok {
			mood = s
		}
	})
	mood.SetSelectedIndex(2)
	r.run()
	if !f.has("SetPracticeMood refuse-tenth") {
		t.Errorf("calls %v", f.calls)
	}
	r.tap("Stop")
	if f.practice.Running {
		t.Error("it still runs")
	}
	r.wants(r.text("ui.practice.off"))
}

// TestShortcuts: the keys of the menus are as the help says, and why a command cannot run is said.
func TestShortcuts(t *testing.T) {
	r := newRig(t, "en", newFake())
	want := map[string]string{"Import": "I", "Start": "Return", "Pause": ".", "Accounts": "1", "Recipients": "2", "Letter": "3", "Progress": "4", "Find recipients": "F", "Filter": "F"}
	for _, m := range r.w.win.MainMenu().Items {
		for _, it := range m.Items {
			if s, ok := it.Shortcut.(fyne.KeyboardShortcut); ok {
				mod := fyne.KeyModifierShortcutDefault
				if it.Label == "Filter" {
					mod |= fyne.KeyModifierShift
				}
				if want[it.Label] != string(s.Key()) || s.Mod() != mod {
					t.Errorf("%s has %v %s", it.Label, s.Mod(), s.Key())
				}
				delete(want, it.Label)
			}
		}
	}
	if len(want) > 0 {
		t.Errorf("without a key: %v", want)
	}
	r.w.command("start").fire()
	r.wants(r.text("ui.why.noaccount"))
	r.noDialog()
	r = newRig(t, "en", shop("en").sending("en"))
	for pane, want := range map[int]fyne.Focusable{1: r.w.accountsPane.table, 2: r.w.recipientsPane.table, 3: r.w.letterPane.subject, 4: r.w.progressPane.campaign} {
		r.w.focus(pane)
		if r.w.win.Canvas().Focused() != want {
			t.Errorf("pane %d: focus is on %T", pane, r.w.win.Canvas().Focused())
		}
	}
}

func TestPassphrase(t *testing.T) {
	f := newFake()
	f.needPhrase = true
	r := newRig(t, "en", f)
	e := r.password()
	e.SetText("wrong")
	r.tap("OK")
	r.wants(r.w.t.Error(model.E(model.EPassphrase, nil)))
	e.SetText("right")
	r.tap("OK")
	r.noDialog()
}

// TestShortRun: a run that is over before the window looked again is shown as what it was, with what the accounts sent.
func TestShortRun(t *testing.T) {
	f := shop("en")
	r := newRig(t, "en", f)
	r.w.recipients.setList(1)
	r.run()
	r.tap("Start")
	f.ends = func() {
		f.counts = model.Counts{Total: 3, Accepted: 1, Rejected: 1, Unknown: 1}
		f.accounts[0].SentDay = 44
	}
	r.tap("Send to 287 people")
	r.tick()
	r.wants("finished", "44 / 50", "1 people did not get it, 1 may have")
}

// TestPracticeIsNotMixed: a new campaign goes by the accounts that deliver; a rehearsal has to be chosen.
func TestPracticeIsNotMixed(t *testing.T) {
	f := shop("en")
	practice := f.accounts[0].Account
	practice.ID, practice.Name, practice.Provider, practice.Auth = 77, "Practice", "practice", model.AuthNone
	f.accounts = append(f.accounts, Account{Account: practice, HasSecret: true})
	r := newRig(t, "en", f)
	r.w.recipients.setList(1)
	r.run()
	r.tap("Start")
	if len(f.checked.AccountIDs) == 0 || slices.Contains(f.checked.AccountIDs, 77) {
		t.Errorf("proposed %v", f.checked.AccountIDs)
	}
	walk(r.top(), func(o fyne.CanvasObject) {
		if c, ok := o.(*widget.Check); ok && strings.HasPrefix(c.Text, "Practice") {
			if c.Disabled() {
				t.Error("it cannot be chosen")
			}
			c.SetChecked(true)
		}
	})
	r.run()
	if !slices.Contains(f.checked.AccountIDs, 77) {
		t.Errorf("chosen %v", f.checked.AccountIDs)
	}
	r.tap("Cancel")
	f.accounts = f.accounts[len(f.accounts)-1:]
	r.w.accounts.load()
	r.run()
	r.tap("Start")
	if !slices.Equal(f.checked.AccountIDs, []int64{77}) {
		t.Errorf("where there is no other account, %v are proposed", f.checked.AccountIDs)
	}
}

// TestServerAway: the window says whose server is not reached, why and when it is tried again.
func TestServerAway(t *testing.T) {
	f := shop("zh").sending("zh")
	f.snap.NextAt = f.at(600)
	f.snap.Senders = []Sender{{AccountID: 1, Name: "店", State: "retrying", NextAt: f.at(600), Why: "connect: no route to host"}}
	r := newRig(t, "zh", f)
	r.tick()
	r.wants("连不上“店”的服务器，")
	r.w.progressPane.tabs.SelectIndex(2)
	r.run()
	r.wants("连不上服务器，稍后再试（connect: no route to host）")
}

// TestEnd: when the last letter is out the next step is the report, and the accounts show what they have sent.
func TestEnd(t *testing.T) {
	f := shop("en").sending("en")
	r := newRig(t, "en", f)
	r.tick()
	f.mu.Lock()
	f.counts = model.Counts{Total: 300, Accepted: 287, Skipped: 13}
	f.accounts[0].SentDay = 50
	f.set(1, model.CampaignDone)
	f.mu.Unlock()
	r.w.Tick(false)
	r.run()
	r.wants("Finished: the servers of 287 people took the letter.", "finished", "50 / 50")
	again := newRig(t, "en", f) // another day
	again.wants("Choose the list to write to")
}
