package app

import (
	"context"
	"time"

	"hongyan/app/campaign"
	"hongyan/app/model"
)

// Store is what the use cases need of the two databases; package store implements it.
type Store interface {
	AccountStore
	ContactStore
	SegmentStore
	ChangeStore
	LetterStore
	SuppressionStore
	SettingStore
	CampaignStore
	campaign.Journal
	Close() error
}

// AccountStore keeps accounts, without their secrets.
type AccountStore interface {
	Accounts(ctx context.Context) ([]model.Account, error)
	Account(ctx context.Context, id int64) (*model.Account, error)
	AccountByName(ctx context.Context, name string) (*model.Account, error)
	// SaveAccount inserts (ID 0, which it sets) or updates. EExists when the name is taken.
	SaveAccount(ctx context.Context, a *model.Account) error
	RemoveAccount(ctx context.Context, id int64) error
}

// ContactStore keeps people, lists and imports.
type ContactStore interface {
	Lists(ctx context.Context) ([]model.List, error)
	ListsOf(ctx context.Context, contactID int64) ([]model.List, error)
	ListByName(ctx context.Context, name string) (*model.List, error)
	CreateList(ctx context.Context, name string) (*model.List, error)
	RenameList(ctx context.Context, id int64, name string) error
	RemoveList(ctx context.Context, id int64) error // contacts in no other list stay

	// ContactIDs gives the ids that match, in order: 8 bytes a row, so a million is fine.
	ContactIDs(ctx context.Context, q model.ContactQuery) ([]int64, error)
	// Contacts fetches by id, in the order asked; an id that is gone is left out.
	Contacts(ctx context.Context, ids []int64) ([]model.Contact, error)
	ContactByEmail(ctx context.Context, email string) (*model.Contact, error)
	SaveContact(ctx context.Context, c *model.Contact, listID int64) error
	// RemoveContacts takes contacts out of a list; listID 0 removes them altogether.
	RemoveContacts(ctx context.Context, ids []int64, listID int64) error
	// EraseContact removes somebody so that it cannot be taken back.
	EraseContact(ctx context.Context, id int64) error
	// AddToList puts contacts on a list that it makes when it is not there; n is how many are new on it.
	AddToList(ctx context.Context, ids []int64, listName string) (n int, err error)
	// MergeContacts makes others a part of keep: what keep has wins.
	MergeContacts(ctx context.Context, keep int64, others []int64, when time.Time) error
	// FieldNames lists the fields that contacts of a list have, most frequent first.
	FieldNames(ctx context.Context, listID int64) ([]string, error)

	// BeginImport starts an import into a list that it creates when it is not there.
	BeginImport(ctx context.Context, spec model.ImportSpec) (Importer, error)
	// ResumeImport goes on with one that was cut off. Import.Rows are stored already: what follows them is wanted. EInvalid
	// for an import that is not open. Of two who go on with the same one, the second fails and changes nothing.
	ResumeImport(ctx context.Context, importID int64) (Importer, model.Import, error)
	// Prospect counts what an import would do and stores nothing. No list and no consent need be there.
	Prospect(ctx context.Context, spec model.ImportSpec) (Importer, error)
	UndoImport(ctx context.Context, importID int64) (removed int, err error)
	OpenImports(ctx context.Context) ([]model.Import, error) // cut off, or under way
	KeepImport(ctx context.Context, importID int64) error    // an open one counts as done
	ImportsOf(ctx context.Context, contactID int64) ([]model.Import, error)
	// RecordConsent writes down how people agreed where nothing is recorded yet; n is how many they were.
	RecordConsent(ctx context.Context, ids []int64, consent string, when time.Time) (n int, err error)
	// EachContact walks a list in id order, for exports and for freezing an audience.
	EachContact(ctx context.Context, listID int64, f func(*model.Contact) error) error
}

// SegmentStore keeps tags and segments.
type SegmentStore interface {
	Tags(ctx context.Context) ([]model.Tag, error)
	TagByName(ctx context.Context, name string) (*model.Tag, error)
	TagsOf(ctx context.Context, contactID int64) ([]model.Tag, error)
	TagContacts(ctx context.Context, ids []int64, name string) (n int, err error)
	UntagContacts(ctx context.Context, ids []int64, tagID int64) (n int, err error)
	RenameTag(ctx context.Context, id int64, name string) error
	RemoveTag(ctx context.Context, id int64) error
	Segments(ctx context.Context) ([]model.Segment, error)
	Segment(ctx context.Context, id int64) (*model.Segment, error)
	SegmentByName(ctx context.Context, name string) (*model.Segment, error)
	// SaveSegment inserts (ID 0, which it sets) or updates. EExists when the name is taken, EInvalid when the filter is none.
	SaveSegment(ctx context.Context, s *model.Segment) error
	RemoveSegment(ctx context.Context, id int64) error
}

// ChangeStore keeps what users did to people by hand, and takes it back.
type ChangeStore interface {
	Changes(ctx context.Context) ([]model.Change, error) // the newest first
	// UndoChange takes back the latest. ENotFound when there is none.
	UndoChange(ctx context.Context) (model.Change, error)
}

// Importer takes rows in chunks.
type Importer = model.Importer

// LetterStore keeps drafts.
type LetterStore interface {
	Letters(ctx context.Context) ([]model.Letter, error)
	Letter(ctx context.Context, id int64) (*model.Letter, error)
	SaveLetter(ctx context.Context, l *model.Letter) error
	RemoveLetter(ctx context.Context, id int64) error
}

// SuppressionStore keeps who is never to be mailed; it survives the removal of contacts.
type SuppressionStore interface {
	campaign.Suppressor
	Suppressions(ctx context.Context) ([]model.Suppression, error)
	SuppressAll(ctx context.Context, sups []model.Suppression) (added int, err error)
	RemoveSuppression(ctx context.Context, id int64) error
}

// SettingStore keeps small values such as the window's size. Never a secret.
type SettingStore interface {
	Setting(ctx context.Context, key string) (string, error) // "" when not set
	SetSetting(ctx context.Context, key, value string) error
}

// CampaignStore keeps campaigns and their frozen audiences; sending itself goes through campaign.Journal.
type CampaignStore interface {
	// CreateCampaign stores a draft with its snapshot of the letter. EExists when the name is taken.
	CreateCampaign(ctx context.Context, c *model.Campaign) error
	// AddDeliveries appends a chunk of the audience to a draft; an address that is already in it is
	// counted as skipped with reason "duplicate". Each delivery's State is Queued or Skipped.
	AddDeliveries(ctx context.Context, campaignID int64, ds []model.Delivery) error
	// Freeze closes the audience: the campaign becomes ready. Nobody can be added after it.
	Freeze(ctx context.Context, campaignID int64) error
	Campaigns(ctx context.Context) ([]model.Campaign, error) // newest first, letters without attachments' data
	CampaignByName(ctx context.Context, name string) (*model.Campaign, error)
	RemoveDraft(ctx context.Context, campaignID int64) error // only a draft that was never frozen
	Deliveries(ctx context.Context, q model.DeliveryQuery) ([]model.Delivery, error)
	// DeliveriesTo is what every campaign has of an address, the newest first.
	DeliveriesTo(ctx context.Context, email string) ([]model.Delivery, error)
	// EraseDeliveries takes out of every campaign what tells who somebody was, by their address and by all that
	// were merged with it. ECampaignRun while a letter to it
	// is under way.
	EraseDeliveries(ctx context.Context, contactID int64, email string) error
	Attempts(ctx context.Context, deliveryID int64) ([]model.Attempt, error)
	// Requeue moves deliveries in one of the states from back to queued, on the user's word. Nothing else
	// ever leaves unknown.
	Requeue(ctx context.Context, campaignID int64, from ...model.State) (int, error)
}
