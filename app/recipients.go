package app

import (
	"context"
	"strings"

	"hongyan/app/contacts"
	"hongyan/app/model"
)

// Lists gives every list, ordered by name.
func (a *App) Lists(ctx context.Context) ([]model.List, error) { return a.store.Lists(ctx) }

// ListsOf gives the lists that a person is on, ordered by name.
func (a *App) ListsOf(ctx context.Context, contactID int64) ([]model.List, error) {
	return a.store.ListsOf(ctx, contactID)
}

// ListByName finds a list. ENotFound when there is none of that name.
func (a *App) ListByName(ctx context.Context, name string) (*model.List, error) {
	return a.store.ListByName(ctx, name)
}

// CreateList makes an empty list. EExists when the name is taken.
func (a *App) CreateList(ctx context.Context, name string) (*model.List, error) {
	name, err := named("list", name)
	if err != nil {
		return nil, err
	}
	return a.store.CreateList(ctx, name)
}

// RenameList gives a list another name.
func (a *App) RenameList(ctx context.Context, id int64, name string) error {
	name, err := named("list", name)
	if err != nil {
		return err
	}
	return a.store.RenameList(ctx, id, name)
}

// RemoveList removes a list; its people stay on their other lists.
func (a *App) RemoveList(ctx context.Context, id int64) error { return a.store.RemoveList(ctx, id) }

// ContactIDs gives the ids of the people that match, in order.
func (a *App) ContactIDs(ctx context.Context, q model.ContactQuery) ([]int64, error) {
	return a.store.ContactIDs(ctx, q)
}

// Contacts fetches people by id, in the order asked; who is gone is left out.
func (a *App) Contacts(ctx context.Context, ids []int64) ([]model.Contact, error) {
	return a.store.Contacts(ctx, ids)
}

// SaveContact stores a person by hand, new (ID 0) or changed, on a list (0: none in particular).
func (a *App) SaveContact(ctx context.Context, c *model.Contact, listID int64) error {
	email, shown, err := contacts.Normalise(c.Address)
	if err != nil {
		return invalid("address", c.Address)
	}
	c.Email, c.Address, c.Name = email, shown, strings.TrimSpace(c.Name)
	if c.ID == 0 {
		if strings.TrimSpace(c.Source) == "" || strings.TrimSpace(c.Consent) == "" {
			return model.E(model.EConsent, nil)
		}
		c.CreatedAt = a.now()
	}
	c.UpdatedAt = a.now()
	return a.store.SaveContact(ctx, c, listID)
}

// AddToList puts people on a list, which is made when it is missing; n is how many were not on it. UndoChange takes
// it back.
func (a *App) AddToList(ctx context.Context, ids []int64, listName string) (n int, err error) {
	listName, err = named("list", listName)
	if err != nil {
		return 0, err
	}
	return a.store.AddToList(ctx, ids, listName)
}

// RemoveContacts takes people off a list, or, with listID 0, out of the address book. UndoChange takes it back.
func (a *App) RemoveContacts(ctx context.Context, ids []int64, listID int64) error {
	return a.store.RemoveContacts(ctx, ids, listID)
}

// FieldNames lists the fields that the people of a list have, the most frequent first.
func (a *App) FieldNames(ctx context.Context, listID int64) ([]string, error) {
	return a.store.FieldNames(ctx, listID)
}

// Suppress puts addresses, or domains written as "@example.com", on the list of those that are never mailed.
func (a *App) Suppress(ctx context.Context, keys []string, reason string) error {
	for _, k := range keys {
		key := strings.ToLower(strings.TrimSpace(k))
		if !strings.HasPrefix(key, "@") {
			email, _, err := contacts.Normalise(k)
			if err != nil {
				return invalid("address", k)
			}
			key = email
		}
		if err := a.store.Suppress(ctx, model.Suppression{Key: key, Reason: reason, At: a.now()}); err != nil {
			return err
		}
	}
	return nil
}

// Suppressions lists who is never mailed.
func (a *App) Suppressions(ctx context.Context) ([]model.Suppression, error) {
	return a.store.Suppressions(ctx)
}

// RemoveSuppression lets an address be mailed again, on the user's word.
func (a *App) RemoveSuppression(ctx context.Context, id int64) error {
	return a.store.RemoveSuppression(ctx, id)
}

// Setting gives a small value such as the window's size; "" when it is not set or cannot be read.
func (a *App) Setting(ctx context.Context, key string) string {
	v, err := a.store.Setting(ctx, key)
	if err != nil {
		return ""
	}
	return v
}

// SetSetting keeps a small value. Never a secret.
func (a *App) SetSetting(ctx context.Context, key, value string) error {
	return a.store.SetSetting(ctx, key, value)
}
