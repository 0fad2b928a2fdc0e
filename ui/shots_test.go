package ui

import (
	"fmt"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"hongyan/app/model"
)

// shoot writes a picture of the window to the folder that HONGYAN_SHOTS names.
func (r *rig) shoot(name string) {
	r.t.Helper()
	dir := os.Getenv("HONGYAN_SHOTS")
	f, err := os.Create(filepath.Join(dir, name+".png"))
	if err != nil {
		r.t.Fatal(err)
	}
	if err := png.Encode(f, r.w.win.Canvas().Capture()); err != nil {
		r.t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		r.t.Fatal(err)
	}
}

// scenes are the states of the window that are worth a look, each with its name.
func scenes(lang string, w, h float32) map[string]func(t testing.TB) *rig {
	newRig := func(t testing.TB, lang string, svc *fake) *rig {
		svc.settings[keyGeometry] = fmt.Sprintf(`{"W":%v,"H":%v,"Main":0.36,"Left":0.3,"Right":0.5,"Letter":0.5}`, w, h)
		return newRig(t, lang, svc)
	}
	return map[string]func(t testing.TB) *rig{
		"first": func(t testing.TB) *rig { return newRig(t, lang, newFake()) },
		"ready": func(t testing.TB) *rig { return newRig(t, lang, shop(lang)) },
		"sending": func(t testing.TB) *rig {
			r := newRig(t, lang, shop(lang).sending(lang))
			for i := range 60 {
				r.w.progress.rates = append(r.w.progress.rates, 9+float64((i*7)%5))
			}
			r.tick()
			r.w.recipients.click(3, false, false)
			r.w.recipients.click(6, false, true)
			r.w.recipientsPane.table.Refresh()
			r.w.recipientsPane.counts()
			r.run()
			return r
		},
		"failures": func(t testing.TB) *rig {
			r := newRig(t, lang, shop(lang).sending(lang))
			r.tick()
			r.w.progressPane.tabs.SelectIndex(1)
			r.run()
			return r
		},
		"account": func(t testing.TB) *rig {
			r := newRig(t, lang, shop(lang))
			r.w.accountDialog(Account{})
			r.entry("name@example.com").SetText("reading.circle@qq.com")
			r.run()
			return r
		},
		"import": func(t testing.TB) *rig {
			f := shop(lang)
			f.preview = csvPreview()
			r := newRig(t, lang, f)
			r.w.importDialog("/home/shop/customers-gbk.csv", "")
			r.run()
			return r
		},
		"importseveral": func(t testing.TB) *rig {
			f := shop(lang)
			f.preview = csvPreview()
			r := newRig(t, lang, f)
			r.w.importFiles(ImportInput{Path: "/home/shop/customers-gbk.csv"}, []string{"/home/shop/会员.xlsx", "/home/shop/contacts.vcf"}, nil)
			r.run()
			return r
		},
		"check": func(t testing.TB) *rig {
			r := newRig(t, lang, shop(lang))
			r.w.checkDialog()
			r.run()
			return r
		},
		"problem": func(t testing.TB) *rig {
			r := newRig(t, lang, shop(lang).sending(lang))
			r.tick()
			r.w.problemDialog(r.w.progress.problems[0])
			r.run()
			return r
		},
		"practice": func(t testing.TB) *rig {
			f := shop(lang)
			f.practiceLetters = practiceLetters(f)
			r := newRig(t, lang, f)
			r.w.practiceDialog()
			r.run()
			r.tap(r.text("ui.practice.start"))
			return r
		},
		"doctor": func(t testing.TB) *rig {
			f := shop(lang)
			f.doctor = []DoctorLine{{Name: "dns", Status: "pass", Key: "doctor.connect.ok", Args: map[string]string{"host": "smtp.qq.com", "port": "465"}}, {Name: "tls", Status: "pass", Key: "doctor.tls.ok", Args: map[string]string{"version": "TLS 1.3", "issuer": "DigiCert", "until": "2027-03-01"}},
				{Name: "login", Status: "fail", Key: "diag.qq.auth.code"}}
			r := newRig(t, lang, f)
			r.w.doctorDialog(f.accounts[0])
			r.run()
			return r
		},
		"settings": func(t testing.TB) *rig {
			r := newRig(t, lang, shop(lang))
			r.w.settingsDialog()
			r.run()
			return r
		},
		"help": func(t testing.TB) *rig {
			r := newRig(t, lang, shop(lang))
			r.w.helpDialog()
			r.run()
			return r
		},
		"close": func(t testing.TB) *rig {
			r := newRig(t, lang, shop(lang).sending(lang))
			r.tick()
			r.w.askClose()
			r.run()
			return r
		},
		"report": func(t testing.TB) *rig {
			r := newRig(t, lang, shop(lang))
			r.w.importDialog("", "a@example.com 12 b@example.com c@example.com nobody")
			r.run()
			r.field("ui.import.list").SetText("Fair")
			r.field("ui.import.source").SetText("sheet")
			r.field("ui.import.consent").SetText("ticked")
			r.tap(r.text("ui.cmd.import"))
			return r
		},
	}
}

// moreScenes are the dialogs about single people, help and failures.
func moreScenes(lang string, w, h float32) map[string]func(t testing.TB) *rig {
	dialog := func(open func(t testing.TB, r *rig)) func(t testing.TB) *rig {
		return func(t testing.TB) *rig {
			f := shop(lang)
			f.settings[keyGeometry] = fmt.Sprintf(`{"W":%v,"H":%v,"Main":0.36,"Left":0.3,"Right":0.5,"Letter":0.5}`, w, h)
			r := newRig(t, lang, f)
			open(t, r)
			r.run()
			return r
		}
	}
	var all map[string]func(t testing.TB) *rig
	all = map[string]func(t testing.TB) *rig{
		"plain": dialog(func(testing.TB, *rig) {}),
		"signin": dialog(func(_ testing.TB, r *rig) {
			r.w.accountDialog(Account{})
			r.run()
			r.field("ui.account.from").SetText("shop@outlook.com")
		}),
		"signinwait": func(t testing.TB) *rig {
			r := all["plain"](t)
			r.svc.signInWait = make(chan struct{})
			r.w.signIn(r.svc.accounts[0].Account, "Microsoft", "id", "", func() {})
			for !r.enabled(r.text("ui.signin.copy")) {
				r.drain()
			}
			r.frame()
			return r
		},
		"suppressed": dialog(func(_ testing.TB, r *rig) {
			for i, reason := range []string{"unsubscribe", "bounce", "user", "complaint", "import"} {
				r.svc.suppressed = append(r.svc.suppressed, model.Suppression{ID: int64(i + 1), Key: r.svc.contacts[i*3].Email, Reason: reason, At: r.svc.at(i)})
			}
			r.svc.suppressed = append(r.svc.suppressed, model.Suppression{ID: 9, Key: "@competitor.example", Reason: "user", At: r.svc.at(0)})
			r.w.suppressDialog()
		}),
		"person": dialog(func(_ testing.TB, r *rig) { r.openPerson(lang) }),
		"personhistory": dialog(func(_ testing.TB, r *rig) {
			r.openPerson(lang)
			walk(r.top(), func(o fyne.CanvasObject) {
				if tabs, ok := o.(*container.AppTabs); ok {
					tabs.SelectIndex(1)
				}
			})
		}),
		"consent": dialog(func(_ testing.TB, r *rig) {
			r.w.recipients.selectAll()
			r.w.consentDialog()
		}),
		"support": dialog(func(_ testing.TB, r *rig) { r.w.supportDialog() }),
		"cutoff": dialog(func(_ testing.TB, r *rig) {
			r.w.cutOffDialog([]model.Import{{ID: 1, ImportSpec: model.ImportSpec{ImportFile: model.ImportFile{Path: "/home/shop/customers-gbk.csv"}, FileName: "customers-gbk.csv", ListName: r.svc.lists[0].Name}, Rows: 40_000, StartedAt: r.svc.at(0)}})
		}),
	}
	for name, open := range groupScenes {
		all[name] = dialog(open)
	}
	for _, x := range failures {
		all["failure-"+x.name] = dialog(x.open)
	}
	return all
}

// openPerson shows the page of somebody with a past.
func (r *rig) openPerson(lang string) {
	file, list, campaign, subject := "会员.csv", "秋季展会客户", "十一月通知", "读书会周六活动"
	if lang == "en" {
		file, list, campaign, subject = "members.csv", "Autumn fair", "November news", "Saturday's reading"
	}
	f := r.svc
	f.person = Person{Suppressed: "bounce", Imports: []model.Import{{ImportSpec: model.ImportSpec{FileName: file, ListName: list, Source: f.contacts[7].Source}, StartedAt: f.at(0)}}}
	for i, s := range []model.State{model.Rejected, model.Accepted, model.Skipped} {
		f.person.Letters = append(f.person.Letters, PersonLetter{Campaign: campaign, Subject: subject,
			Delivery: model.Delivery{ID: int64(i + 1), CampaignID: int64(3 - i), Email: f.contacts[7].Email, State: s, UpdatedAt: f.at(-86400 * i)}})
	}
	r.w.contactDialog(f.contacts[7])
	r.run()
}

// TestShots draws every scene; it is for the eye, and runs when HONGYAN_SHOTS names a folder.
func TestShots(t *testing.T) {
	if os.Getenv("HONGYAN_SHOTS") == "" {
		t.Skip("HONGYAN_SHOTS names no folder")
	}
	for _, lang := range []string{"zh", "en"} {
		all := scenes(lang, 1280, 800)
		maps.Copy(all, moreScenes(lang, 1280, 800))
		for name, open := range all {
			t.Run(name+"-"+lang, func(t *testing.T) { open(t).shoot(name + "-" + lang) })
		}
	}
	for _, lang := range []string{"zh", "en"} {
		r := scenes(lang, 1280, 800)["sending"](t)
		r.w.SetLook("dark")
		r.run()
		r.shoot("dark-" + lang)
		for name, open := range groupScenes {
			r := moreScenes(lang, 1280, 800)["plain"](t)
			r.w.SetLook("dark")
			open(t, r)
			r.run()
			r.shoot("dark-" + name + "-" + lang)
		}
		for _, name := range []string{"sending", "account", "import", "first"} {
			for _, s := range []fyne.Size{fyne.NewSize(1024, 700), fyne.NewSize(640, 480)} {
				scenes(lang, s.Width, s.Height)[name](t).shoot(name + "-" + lang + "-" + itoa(int64(s.Width)))
			}
		}
	}
}
