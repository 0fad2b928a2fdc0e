package app

import (
	"context"
	"net"

	"hongyan/app/diagnose"
	"hongyan/app/model"
)

// TestAccount examines how an account can send, and tells each finding as it comes. secret "" means the stored
// one. What the server or the network refuses is in the report; an error is ours.
func (a *App) TestAccount(ctx context.Context, acct model.Account, secret string, progress func(diagnose.Check)) (diagnose.Report, error) {
	if err := complete(&acct); err != nil {
		return diagnose.Report{}, err
	}
	one := []model.Account{acct}
	if err := a.rehearse(ctx, one); err != nil {
		return diagnose.Report{}, err
	}
	acct = one[0]
	if secret = cleanSecret(acct.Provider, secret); secret != "" && acct.Auth == model.AuthOAuth2 {
		acct.Auth = model.AuthPassword // as SaveAccount would take it
	}
	if secret == "" {
		var err error
		if secret, err = a.secret(&acct); err != nil {
			return diagnose.Report{}, err
		}
	}
	cfg, err := a.sessionConfig(&acct, secret)
	if err != nil {
		return diagnose.Report{}, err
	}
	cfg.Trace = a.log.Listen(acct.ID)
	doctor := diagnose.Doctor{Dial: a.dialer(&acct), LookupHost: net.DefaultResolver.LookupHost, Resolver: net.DefaultResolver, Now: a.now}
	return doctor.Examine(ctx, &acct, cfg, progress)
}
