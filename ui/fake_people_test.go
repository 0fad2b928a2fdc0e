package ui

import (
	"context"
	"slices"
	"strings"

	"hongyan/app/model"
)

// The half of fake that answers for single people, signs in and helps.

func (f *fake) OpenImports(context.Context) ([]model.Import, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.open), f.fail["OpenImports"]
}

func (f *fake) KeepImport(_ context.Context, id int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.called("KeepImport", id)
}

func (f *fake) ExportPeople(_ context.Context, q model.ContactQuery, path string) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return 300, f.called("ExportPeople "+path+" "+q.Search, q.ListID)
}

func (f *fake) Person(_ context.Context, id int64) (Person, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.contacts {
		if c.ID == id {
			p := f.person
			p.Contact = c
			return p, f.called("Person", id)
		}
	}
	return Person{}, model.E(model.ENotFound, nil, "kind", "contact", "name", itoa(id))
}

func (f *fake) RecordConsent(_ context.Context, ids []int64, consent string) (n int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.contacts {
		if c := &f.contacts[i]; c.Consent == "" && slices.Contains(ids, c.ID) {
			c.Consent = consent
			n++
		}
	}
	return n, f.called("RecordConsent")
}

func (f *fake) ExportPerson(_ context.Context, id int64, path string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.called("ExportPerson "+path, id)
}

func (f *fake) ErasePerson(_ context.Context, id int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.called("ErasePerson", id); err != nil {
		return err
	}
	f.contacts = slices.DeleteFunc(f.contacts, func(c model.Contact) bool { return c.ID == id })
	return nil
}

func (f *fake) Suppress(_ context.Context, keys []string, reason string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, k := range keys {
		if !strings.Contains(k, "@") {
			return model.E(model.EInvalid, nil, "field", "address", "value", k)
		}
		f.suppressed = append(f.suppressed, model.Suppression{ID: int64(len(f.suppressed) + 1), Key: k, Reason: reason, At: f.at(0)})
	}
	return f.called("Suppress " + strings.Join(keys, ","))
}

func (f *fake) Suppressions(context.Context) ([]model.Suppression, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.suppressed), f.fail["Suppressions"]
}

func (f *fake) RemoveSuppression(_ context.Context, id int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.suppressed = slices.DeleteFunc(f.suppressed, func(s model.Suppression) bool { return s.ID == id })
	return f.called("RemoveSuppression", id)
}

func (f *fake) ImportSuppressions(_ context.Context, path, text string) (SuppressionImport, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return SuppressionImport{Read: 3, Added: 2, Refused: 1}, f.called("ImportSuppressions " + first(path, text))
}

func (f *fake) ExportSuppressions(_ context.Context, path string) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.suppressed), f.called("ExportSuppressions " + path)
}

func (f *fake) SignInInfo(_ context.Context, a model.Account) (SignInInfo, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	info, ok := f.signIns[a.Provider]
	if !ok {
		return info, model.E(model.ESignInNotOffers, nil, "host", a.Host)
	}
	return info, f.fail["SignInInfo"]
}

// SignIn waits until the browser is "open", and then for signInWait, if there is one, or the end of ctx.
func (f *fake) SignIn(ctx context.Context, id int64, client, secret string, open func(string) error) error {
	if err := open("https://login.example.com/authorize?client_id=" + client); err != nil {
		return err
	}
	if f.signInWait != nil {
		select {
		case <-f.signInWait:
		case <-ctx.Done():
			return model.E(model.ECancelled, ctx.Err())
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.called("SignIn "+client+" "+secret, id); err != nil {
		return err
	}
	f.accounts[id-1].Auth = model.AuthOAuth2
	f.secrets[id] = "grant"
	return nil
}

// ExplainAccount knows what a stopped account is told of in the shop.
func (f *fake) ExplainAccount(a Account) (Diagnosis, bool) {
	if a.Clock.State != model.ClockStopped && a.Clock.State != model.ClockResting {
		return Diagnosis{}, false
	}
	return f.accountTrouble, true
}

func (f *fake) Dialogue(d model.Delivery) []LogLine {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.dialogue[d.ID]
}

func (f *fake) AccountDialogue(id int64) []LogLine {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.dialogue[-id]
}

func (f *fake) SupportBundle(_ context.Context, path string, noAddresses bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	name := "SupportBundle "
	if noAddresses {
		name = "SupportBundle without addresses "
	}
	return f.called(name + path)
}
