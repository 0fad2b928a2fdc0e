package app

import (
	"context"
	"errors"

	"hongyan/app/diagnose"
	"hongyan/app/model"
)

// Explain says what happened to a recipient who did not get the letter, what it means and what to do.
func (a *App) Explain(d model.Delivery) diagnose.Diagnosis {
	in := diagnose.Input{Step: d.Step, Code: d.Code, Enhanced: d.Enhanced, Text: d.Reply, Unknown: d.State == model.Unknown}
	if d.Code == 0 && d.Reply != "" {
		in.Err, in.Text = errors.New(d.Reply), ""
	}
	if acct, ok := a.accountOf(d.AccountID); ok {
		in.Provider, in.Host, in.Port, in.TLS = acct.Provider, acct.Host, acct.Port, acct.TLS
	}
	return diagnose.Explain(in)
}

// accountOf finds an account for an explanation, from memory after the first time: thousands of rows of a report
// ask for the same few.
func (a *App) accountOf(id int64) (model.Account, bool) {
	if id == 0 {
		return model.Account{}, false
	}
	a.mu.Lock()
	acct, ok := a.byID[id]
	a.mu.Unlock()
	if ok {
		return acct, acct.ID != 0
	}
	found, err := a.store.Account(context.Background(), id)
	if err != nil {
		found = &model.Account{} // gone: the explanation does without it
	}
	a.remember(id, *found)
	return *found, found.ID != 0
}

func (a *App) remember(id int64, acct model.Account) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.byID[id] = acct
}

// forget makes the next explanation read the account again.
func (a *App) forget(id int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.byID, id)
}
