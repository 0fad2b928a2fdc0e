package bridge

import (
	"context"

	"hongyan/app"
	"hongyan/app/diagnose"
	"hongyan/app/livelog"
	"hongyan/app/model"
	"hongyan/ui"
)

// Person implements ui.PeopleService.
func (b *Bridge) Person(ctx context.Context, contactID int64) (ui.Person, error) {
	p, err := b.App.Person(ctx, contactID)
	return ui.Person{Contact: p.Contact, Imports: p.Imports, Suppressed: p.Suppressed,
		Letters: mapped(p.Letters, func(l app.PersonLetter) ui.PersonLetter { return ui.PersonLetter(l) })}, err
}

// ImportSuppressions implements ui.PeopleService.
func (b *Bridge) ImportSuppressions(ctx context.Context, path, text string) (ui.SuppressionImport, error) {
	r, err := b.App.ImportSuppressions(ctx, path, text)
	return ui.SuppressionImport(r), err
}

// SignInInfo implements ui.SignInService.
func (b *Bridge) SignInInfo(ctx context.Context, a model.Account) (ui.SignInInfo, error) {
	s, err := b.App.SignInInfo(ctx, a)
	return ui.SignInInfo{Name: s.Name, ClientID: s.ClientID, NeedsSecret: s.NeedsSecret, RegisterURL: s.RegisterURL}, err
}

// SignIn implements ui.SignInService.
func (b *Bridge) SignIn(ctx context.Context, accountID int64, clientID, clientSecret string, open func(url string) error) error {
	return b.App.SignIn(ctx, accountID, app.SignInOptions{ClientID: clientID, ClientSecret: clientSecret, Open: open})
}

func diagnosis(d diagnose.Diagnosis) ui.Diagnosis {
	next, n := d.Next()
	return ui.Diagnosis{TextKey: d.TextKey, Args: d.Args, Then: d.Consequences(), Next: next, NextN: n}
}

// ExplainAccount implements ui.SupportService.
func (b *Bridge) ExplainAccount(a ui.Account) (ui.Diagnosis, bool) {
	d, ok := b.ExplainClock(app.AccountView{Account: a.Account, Clock: a.Clock})
	if !ok {
		return ui.Diagnosis{}, false
	}
	return diagnosis(d), true
}

func logLine(l livelog.Line) ui.LogLine {
	return ui.LogLine{At: l.At, Conn: l.Conn, Kind: logKinds[l.Kind], Text: l.Text}
}

// Dialogue implements ui.SupportService.
func (b *Bridge) Dialogue(d model.Delivery) []ui.LogLine { return mapped(b.App.Dialogue(d), logLine) }

// AccountDialogue implements ui.SupportService.
func (b *Bridge) AccountDialogue(accountID int64) []ui.LogLine {
	return mapped(b.App.AccountDialogue(accountID), logLine)
}

// SupportBundle implements ui.SupportService.
func (b *Bridge) SupportBundle(ctx context.Context, path string, noAddresses bool) error {
	return b.App.SupportBundle(ctx, path, app.SupportOptions{NoAddresses: noAddresses})
}
