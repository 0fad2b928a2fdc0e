package ui

import (
	"context"
	"slices"

	"hongyan/app/model"
)

// accountsVM is the list of accounts. All methods are called on the window's goroutine.
type accountsVM struct {
	svc     AccountService
	tasks   *Tasks
	changed func()
	failed  func(error)

	accounts []Account
	loaded   bool
	current  int64
}

func newAccountsVM(svc AccountService, tasks *Tasks) *accountsVM {
	return &accountsVM{svc: svc, tasks: tasks, changed: func() {}, failed: func(error) {}}
}

func (vm *accountsVM) load() {
	background(vm.tasks, vm.svc.Accounts, func(as []Account, err error) {
		if err != nil {
			vm.failed(err)
			return
		}
		vm.accounts, vm.loaded = as, true
		if _, ok := vm.selected(); !ok {
			vm.current = 0
			if len(as) > 0 {
				vm.current = as[0].ID
			}
		}
		vm.changed()
	})
}

func (vm *accountsVM) selected() (Account, bool) {
	i := slices.IndexFunc(vm.accounts, func(a Account) bool { return a.ID == vm.current })
	if i < 0 {
		return Account{}, false
	}
	return vm.accounts[i], true
}

// usable are the accounts that may send now or after a rest.
func (vm *accountsVM) usable() []int64 {
	var ids []int64
	for _, a := range vm.accounts {
		if a.Clock.State != model.ClockStopped && (a.HasSecret || a.Auth == model.AuthNone) {
			ids = append(ids, a.ID)
		}
	}
	return ids
}

// practiceProvider is the provider of the account that sends to the practice server.
const practiceProvider = "practice"

// proposed are the accounts that a new campaign goes by unless the user says otherwise: those that deliver, and a
// rehearsal only where there is no other.
func (vm *accountsVM) proposed() []int64 {
	usable := vm.usable()
	real := slices.DeleteFunc(slices.Clone(usable), func(id int64) bool {
		return slices.ContainsFunc(vm.accounts, func(a Account) bool { return a.ID == id && a.Provider == practiceProvider })
	})
	if len(real) > 0 {
		return real
	}
	return usable
}

func (vm *accountsVM) save(a model.Account, secret string, set bool, done func(error)) {
	background(vm.tasks, func(ctx context.Context) (int64, error) {
		err := vm.svc.SaveAccount(ctx, &a, secret, set)
		return a.ID, err
	}, func(id int64, err error) {
		if err == nil {
			vm.current = id
			vm.load()
		}
		done(err)
	})
}

func (vm *accountsVM) remove(id int64, done func(error)) {
	act(vm.tasks, func(ctx context.Context) error { return vm.svc.RemoveAccount(ctx, id) }, func(err error) {
		vm.load()
		done(err)
	})
}

func (vm *accountsVM) wake(id int64, done func(error)) {
	act(vm.tasks, func(ctx context.Context) error { return vm.svc.WakeAccount(ctx, id) }, func(err error) {
		vm.load()
		done(err)
	})
}

// status is the key and the argument of what an account does at present.
func (a Account) status() (key, until string) {
	switch {
	case a.Clock.State == model.ClockStopped:
		return "ui.account.stopped", ""
	case a.Clock.State == model.ClockResting:
		return "ui.account.resting", a.Clock.Until.Local().Format("15:04")
	case !a.HasSecret && a.Auth == model.AuthOAuth2:
		return "ui.account.nosignin", ""
	case !a.HasSecret && a.Auth != model.AuthNone:
		return "ui.account.nosecret", ""
	}
	return "ui.account.fit", ""
}

// troubled says that an account rests or was stopped.
func (a Account) troubled() bool { return a.Clock.State != "" && a.Clock.State != model.ClockFit }

// stopped is the first account that waits for the user.
func (vm *accountsVM) stopped() (Account, bool) {
	i := slices.IndexFunc(vm.accounts, func(a Account) bool { return a.Clock.State == model.ClockStopped })
	if i < 0 {
		return Account{}, false
	}
	return vm.accounts[i], true
}

// fromPreset fills in what a provider's preset knows.
func fromPreset(a *model.Account, p model.Preset) {
	a.Provider, a.Host, a.Port, a.TLS, a.Limits = p.Key, p.Host, p.Port, p.TLS, p.Limits
	a.Profile = model.ProfileConsumer
	if (a.Auth == "" || a.ID == 0) && len(p.Auth) > 0 {
		a.Auth = p.Auth[0]
	}
}
