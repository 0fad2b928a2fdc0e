package ui

import (
	"context"

	"hongyan/app/model"
)

// GroupService sorts people by tags and segments, brings them together, and takes back what was done to them by hand.
// Where it takes ids, any number of them is fine.
type GroupService interface {
	Tags(ctx context.Context) ([]model.Tag, error)
	TagsOf(ctx context.Context, contactID int64) ([]model.Tag, error)
	TagContacts(ctx context.Context, ids []int64, name string) (int, error) // makes the tag when it is missing
	UntagContacts(ctx context.Context, ids []int64, tagID int64) (int, error)
	RenameTag(ctx context.Context, id int64, name string) error
	RemoveTag(ctx context.Context, id int64) error

	Segments(ctx context.Context) ([]model.Segment, error)
	SaveSegment(ctx context.Context, s *model.Segment) error // EExists where another has the name
	RemoveSegment(ctx context.Context, id int64) error

	ListsOf(ctx context.Context, contactID int64) ([]model.List, error)
	AddToList(ctx context.Context, ids []int64, list string) (int, error) // makes the list when it is missing
	MergeContacts(ctx context.Context, keep int64, others []int64) error

	Changes(ctx context.Context) ([]model.Change, error) // that can be taken back, the newest first
	UndoChange(ctx context.Context) (model.Change, error)
}
