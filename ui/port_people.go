package ui

import (
	"context"

	"hongyan/app/model"
)

// Person is all that is known of one person.
type Person struct {
	Contact    model.Contact
	Imports    []model.Import
	Letters    []PersonLetter
	Suppressed string // why they are never mailed: a key "ui.suppress.<reason>" where there is one; "" when they are
}

// PersonLetter is what a campaign had for one person.
type PersonLetter struct {
	model.Delivery
	Campaign, Subject string
}

// SuppressionImport tells how a list of those who are never to be mailed was taken in.
type SuppressionImport struct{ Read, Added, Refused int }

// PeopleService answers for single people: what is known of them, how they agreed, and who is never mailed.
type PeopleService interface {
	Person(ctx context.Context, contactID int64) (Person, error)
	RecordConsent(ctx context.Context, contactIDs []int64, consent string) (int, error)
	ExportPerson(ctx context.Context, contactID int64, path string) error
	ErasePerson(ctx context.Context, contactID int64) error

	Suppress(ctx context.Context, keys []string, reason string) error // addresses, or domains as "@example.com"
	Suppressions(ctx context.Context) ([]model.Suppression, error)
	RemoveSuppression(ctx context.Context, id int64) error
	ImportSuppressions(ctx context.Context, path, text string) (SuppressionImport, error)
	ExportSuppressions(ctx context.Context, path string) (int, error)
}

// SignInInfo is how an account can sign in at its provider.
type SignInInfo struct {
	Name        string // of the provider, as the user knows it
	ClientID    string // "" when none is set: then the user has to give one
	NeedsSecret bool   // a client has a secret beside its id
	RegisterURL string // where a client id is made
}

// SignInService signs accounts in at their provider instead of keeping a password.
type SignInService interface {
	// SignInInfo fails with ESignInNotOffers where there is no sign-in.
	SignInInfo(ctx context.Context, a model.Account) (SignInInfo, error)
	// SignIn returns when the user has answered in the browser, which open shows a page in.
	SignIn(ctx context.Context, accountID int64, clientID, clientSecret string, open func(url string) error) error
}

// SupportService helps where the user is lost.
type SupportService interface {
	// ExplainAccount says why an account rests or was stopped; false for one that is fit.
	ExplainAccount(a Account) (Diagnosis, bool)
	// Dialogue is what was said with the server about a delivery, as far as it is still in memory.
	Dialogue(d model.Delivery) []LogLine
	// AccountDialogue is the latest conversation of an account, as far as it is still in memory.
	AccountDialogue(accountID int64) []LogLine
	// SupportBundle writes one file for whoever helps: no secrets, and addresses by choice.
	SupportBundle(ctx context.Context, path string, noAddresses bool) error
}
