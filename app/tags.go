package app

import (
	"context"

	"hongyan/app/model"
)

// Tags gives every tag, ordered by name.
func (a *App) Tags(ctx context.Context) ([]model.Tag, error) { return a.store.Tags(ctx) }

// TagsOf gives the tags of a person, ordered by name.
func (a *App) TagsOf(ctx context.Context, contactID int64) ([]model.Tag, error) {
	return a.store.TagsOf(ctx, contactID)
}

// TagByName finds a tag. ENotFound when there is none of that name.
func (a *App) TagByName(ctx context.Context, name string) (*model.Tag, error) {
	return a.store.TagByName(ctx, name)
}

// TagContacts puts a tag on people, and makes it when it is missing; n is how many did not have it. UndoChange takes
// it back.
func (a *App) TagContacts(ctx context.Context, ids []int64, name string) (n int, err error) {
	name, err = named("tag", name)
	if err != nil {
		return 0, err
	}
	return a.store.TagContacts(ctx, ids, name)
}

// UntagContacts takes a tag from people, and says how many had it. UndoChange takes it back.
func (a *App) UntagContacts(ctx context.Context, ids []int64, tagID int64) (int, error) {
	return a.store.UntagContacts(ctx, ids, tagID)
}

// RenameTag gives a tag another name. EExists when it is taken.
func (a *App) RenameTag(ctx context.Context, id int64, name string) error {
	name, err := named("tag", name)
	if err != nil {
		return err
	}
	return a.store.RenameTag(ctx, id, name)
}

// RemoveTag removes a tag from everybody who has it. Segments that ask for it cannot be used until it is there again:
// UndoChange brings it back.
func (a *App) RemoveTag(ctx context.Context, id int64) error { return a.store.RemoveTag(ctx, id) }
