package ui

import (
	"context"
	"slices"
	"strings"
	"time"

	"hongyan/app/model"
)

const maxLog = 5000 // lines kept for the log pane; the whole log is a file

// progressVM is the campaign that is shown: live while it runs, from the journal otherwise. All methods are
// called on the window's goroutine.
type progressVM struct {
	svc interface {
		CampaignService
		Live
	}
	tasks   *Tasks
	changed func() // campaign or counts
	logged  func() // the log
	failed  func(error)
	now     func() time.Time

	campaigns []model.Campaign
	id        int64
	snap      Snapshot
	running   bool
	problems  []Problem
	log       []LogLine
	logSeq    uint64
	rates     []float64 // letters a minute, one value a second
	rateAt    time.Time
	loadedAt  time.Time
	loading   bool
	again     bool // what is being read may be from before: it is read once more
}

// Problem is a group of recipients that failed or wait for the same reason.
type Problem struct {
	State     model.State
	Diagnosis Diagnosis
	First     model.Delivery
	N         int
}

func newProgressVM(svc interface {
	CampaignService
	Live
}, tasks *Tasks) *progressVM {
	return &progressVM{svc: svc, tasks: tasks, now: time.Now,
		changed: func() {}, logged: func() {}, failed: func(error) {}}
}

// load reads the campaigns and shows the one with id; 0 chooses a running one, else the newest.
func (vm *progressVM) load(id int64) {
	background(vm.tasks, vm.svc.Campaigns, func(cs []model.Campaign, err error) {
		if err != nil {
			vm.failed(err)
			return
		}
		vm.campaigns = cs
		has := func(id int64) bool { return slices.ContainsFunc(cs, func(c model.Campaign) bool { return c.ID == id }) }
		if !has(id) {
			id = 0
			if r := vm.svc.Running(); len(r) > 0 {
				id = r[0]
			} else if len(cs) > 0 {
				id = cs[0].ID
			}
		}
		vm.show(id)
	})
}

// show turns to another campaign.
func (vm *progressVM) show(id int64) {
	if id != vm.id {
		vm.rates, vm.problems = nil, nil
	}
	vm.id = id
	vm.snap = Snapshot{}
	vm.refresh()
}

func (vm *progressVM) campaign() (model.Campaign, bool) {
	i := slices.IndexFunc(vm.campaigns, func(c model.Campaign) bool { return c.ID == vm.id })
	if i < 0 {
		return model.Campaign{}, false
	}
	return vm.campaigns[i], true
}

type journalView struct {
	campaign *model.Campaign
	counts   model.Counts
	problems []Problem
}

// refresh reads state, counts and failures from the journal.
func (vm *progressVM) refresh() {
	id := vm.id
	if id == 0 || vm.loading {
		vm.again = vm.loading // what is being read may be from before
		vm.changed()
		return
	}
	vm.loading, vm.again = true, false
	background(vm.tasks, func(ctx context.Context) (v journalView, err error) {
		if v.campaign, err = vm.svc.Campaign(ctx, id); err != nil {
			return v, err
		}
		if v.counts, err = vm.svc.Counts(ctx, id); err != nil {
			return v, err
		}
		ds, err := vm.svc.Deliveries(ctx, model.DeliveryQuery{CampaignID: id, Limit: 2000,
			States: []model.State{model.Rejected, model.Unknown, model.Deferred}})
		v.problems = group(ds, vm.svc.Explain)
		return v, err
	}, func(v journalView, err error) {
		vm.loading, vm.loadedAt = false, vm.now()
		if id != vm.id {
			vm.refresh()
			return
		}
		if err != nil {
			vm.failed(err)
			return
		}
		for i := range vm.campaigns {
			if vm.campaigns[i].ID == id {
				vm.campaigns[i] = *v.campaign
			}
		}
		vm.problems = v.problems
		vm.running = slices.Contains(vm.svc.Running(), id)
		if !vm.running {
			vm.snap = Snapshot{Counts: v.counts, State: v.campaign.State, Reason: v.campaign.Reason, Detail: v.campaign.Detail}
		}
		vm.changed()
		if vm.again {
			vm.refresh()
		}
	})
}

// group puts deliveries with the same explanation together, most frequent first.
func group(ds []model.Delivery, explain func(model.Delivery) Diagnosis) []Problem {
	type key struct {
		state model.State
		text  string
	}
	at := map[key]int{}
	var ps []Problem
	for _, d := range ds {
		diag := explain(d)
		k := key{d.State, diag.TextKey}
		i, ok := at[k]
		if !ok {
			i = len(ps)
			at[k] = i
			ps = append(ps, Problem{State: d.State, Diagnosis: diag, First: d})
		}
		ps[i].N++
	}
	slices.SortStableFunc(ps, func(a, b Problem) int { return b.N - a.N })
	return ps
}

// tick is called ten times a second: it takes the snapshot and the new lines of the log.
func (vm *progressVM) tick() {
	if lines, next := vm.svc.LogSince(vm.logSeq, 500); len(lines) > 0 {
		vm.logSeq = next
		for _, l := range lines {
			for text := range strings.Lines(l.Text) { // a reply of several lines comes as one
				l.Text = strings.TrimRight(text, "\r\n")
				vm.log = append(vm.log, l)
			}
		}
		if over := len(vm.log) - maxLog; over > 0 {
			vm.log = slices.Delete(vm.log, 0, over)
		}
		vm.logged()
	}
	running := slices.Contains(vm.svc.Running(), vm.id)
	now := vm.now()
	switch {
	case running:
		vm.running = true
		vm.snap = vm.svc.Snapshot(vm.id)
		if now.Sub(vm.rateAt) >= time.Second {
			vm.rateAt = now
			vm.rates = append(vm.rates, vm.snap.PerMinute)
			if len(vm.rates) > 60 {
				vm.rates = vm.rates[1:]
			}
		}
		if !vm.loading && now.Sub(vm.loadedAt) > 2*time.Second {
			vm.refresh() // failures; it calls changed
		}
		vm.changed()
	case vm.running:
		vm.running = false
		vm.refresh()
	}
}

func (vm *progressVM) clearLog() {
	vm.log = nil
	vm.logged()
}

// may says what can be done with the campaign; "" is yes, else the key of the reason.
func (vm *progressVM) mayPause() string {
	if vm.running {
		return ""
	}
	return "ui.why.notrunning"
}

func (vm *progressVM) mayRetry() string {
	switch {
	case vm.id == 0:
		return "ui.why.nocampaign"
	case vm.running:
		return "ui.why.running"
	case vm.snap.Counts.Rejected+vm.snap.Counts.Unknown == 0:
		return "ui.why.nofailed"
	}
	return ""
}

// resumable says that the campaign has letters left and does not run.
func (vm *progressVM) resumable() bool {
	return vm.id != 0 && !vm.running && vm.snap.Counts.Left() > 0 && vm.snap.State != model.CampaignDraft
}
