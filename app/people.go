package app

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"time"

	"hongyan/app/contacts"
	"hongyan/app/model"
)

// Person is all that is known of one person.
type Person struct {
	Contact    model.Contact
	Imports    []model.Import // that named them, the first of them first
	Letters    []PersonLetter // the newest campaign first
	Suppressed string         // the reason why they are never mailed, or ""
}

// PersonLetter is what a campaign had for one person.
type PersonLetter struct {
	model.Delivery
	Campaign string
	Subject  string // before fields are filled in
}

// Person tells all that is known of a contact. ENotFound when it is gone.
func (a *App) Person(ctx context.Context, contactID int64) (Person, error) {
	cs, err := a.store.Contacts(ctx, []int64{contactID})
	if err == nil && len(cs) == 0 {
		err = model.E(model.ENotFound, nil, "kind", "contact", "name", "")
	}
	if err != nil {
		return Person{}, err
	}
	p := Person{Contact: cs[0]}
	if p.Imports, err = a.store.ImportsOf(ctx, contactID); err != nil {
		return p, err
	}
	if p.Suppressed, _, err = a.store.Suppressed(ctx, p.Contact.Email); err != nil {
		return p, err
	}
	ds, err := a.store.DeliveriesTo(ctx, p.Contact.Email)
	if err != nil || len(ds) == 0 {
		return p, err
	}
	campaigns, err := a.store.Campaigns(ctx)
	if err != nil {
		return p, err
	}
	of := make(map[int64]*model.Campaign, len(campaigns))
	for i := range campaigns {
		of[campaigns[i].ID] = &campaigns[i]
	}
	for _, d := range ds {
		l := PersonLetter{Delivery: d}
		if c := of[d.CampaignID]; c != nil {
			l.Campaign, l.Subject = c.Name, c.Letter.Subject
		}
		p.Letters = append(p.Letters, l)
	}
	return p, nil
}

// ContactByAddress finds the person of an address, in whatever form it is written. ENotFound when there is none.
func (a *App) ContactByAddress(ctx context.Context, address string) (*model.Contact, error) {
	email, _, err := contacts.Normalise(address)
	if err != nil {
		return nil, invalid("address", address)
	}
	return a.store.ContactByEmail(ctx, email)
}

// RecordConsent writes down how people agreed, where nothing is recorded yet; n is how many they were. EConsent
// when nothing is said.
func (a *App) RecordConsent(ctx context.Context, contactIDs []int64, consent string) (n int, err error) {
	if consent = strings.TrimSpace(consent); consent == "" {
		return 0, model.E(model.EConsent, nil)
	}
	return a.store.RecordConsent(ctx, contactIDs, consent, a.now())
}

// MergeContacts makes one person of several entries: the others become a part of keep, and go. What keep has wins:
// address, name, each field that is not empty, source and consent. What it lacks is taken from the first of the others
// who has it; but the consent of somebody who is never mailed is not taken, because it may have been withdrawn. Lists,
// tags and imports of all become keep's. The others' addresses are not suppressed by it, and one that is stays so. A
// filter counts the letters to them as letters to keep. UndoChange takes it back. EInvalid when keep is among the
// others or there are none, ENotFound when somebody is gone.
func (a *App) MergeContacts(ctx context.Context, keep int64, others []int64) error {
	if len(others) == 0 {
		return invalid("contact", "")
	}
	return a.store.MergeContacts(ctx, keep, others, a.now())
}

// personFile is what ExportPerson writes. Times are those of the machine, with their zone.
type personFile struct {
	Address    string             `json:"address"`
	Name       string             `json:"name,omitempty"`
	Fields     map[string]string  `json:"fields,omitempty"`
	Source     string             `json:"source"`
	Consent    string             `json:"consent"`
	Added      time.Time          `json:"added"`
	Changed    time.Time          `json:"changed"`
	Suppressed string             `json:"never_mailed_because,omitempty"`
	Imports    []personFileImport `json:"imports"`
	Letters    []personFileLetter `json:"letters"`
}

type personFileImport struct {
	At      time.Time `json:"at"`
	File    string    `json:"file,omitempty"`
	List    string    `json:"list"`
	Source  string    `json:"source"`
	Consent string    `json:"consent"`
}

type personFileLetter struct {
	At       time.Time `json:"at"`
	Campaign string    `json:"campaign"`
	Subject  string    `json:"subject"`
	State    string    `json:"state"`
	Reply    string    `json:"reply,omitempty"`
}

// ExportPerson writes all that is known of a contact to a JSON file, for the person who asks for it.
func (a *App) ExportPerson(ctx context.Context, contactID int64, path string) error {
	p, err := a.Person(ctx, contactID)
	if err != nil {
		return err
	}
	c := p.Contact
	out := personFile{Address: c.Address, Name: c.Name, Fields: c.Fields, Source: c.Source, Consent: c.Consent, Added: c.CreatedAt.Local(), Changed: c.UpdatedAt.Local(),
		Suppressed: p.Suppressed, Imports: []personFileImport{}, Letters: []personFileLetter{}}
	for _, im := range p.Imports {
		out.Imports = append(out.Imports, personFileImport{At: im.StartedAt.Local(), File: im.FileName, List: im.ListName, Source: im.Source, Consent: im.Consent})
	}
	for _, l := range p.Letters {
		out.Letters = append(out.Letters, personFileLetter{At: l.UpdatedAt.Local(), Campaign: l.Campaign, Subject: l.Subject, State: string(l.State), Reply: l.Reply})
	}
	return writeFile(path, func(f *os.File) error {
		enc := json.NewEncoder(f)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		return enc.Encode(out)
	})
}

// ErasePerson forgets a contact on request: it goes from every list, and what campaigns know of it loses address,
// name, fields and the servers' words. It cannot be taken back. That it must never be mailed, if so, stays: the address alone is kept for it.
// ECampaignRun while a letter to it is under way; then nothing is removed.
func (a *App) ErasePerson(ctx context.Context, contactID int64) error {
	cs, err := a.store.Contacts(ctx, []int64{contactID})
	if err != nil || len(cs) == 0 {
		return err
	}
	if err := a.store.EraseDeliveries(ctx, contactID, cs[0].Email); err != nil {
		return err
	}
	return a.store.EraseContact(ctx, contactID)
}

// OpenImports lists the imports that were cut off. Asked while an import runs it names that one too.
func (a *App) OpenImports(ctx context.Context) ([]model.Import, error) {
	return a.store.OpenImports(ctx)
}

// KeepImport keeps what an import brought until it was cut off; UndoImport takes it back.
func (a *App) KeepImport(ctx context.Context, importID int64) error {
	return a.store.KeepImport(ctx, importID)
}
