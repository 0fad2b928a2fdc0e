package app

import (
	"context"
	"slices"

	"hongyan/app/model"
)

// Segments gives every segment, ordered by name.
func (a *App) Segments(ctx context.Context) ([]model.Segment, error) { return a.store.Segments(ctx) }

// SegmentByName finds a segment. ENotFound when there is none of that name.
func (a *App) SegmentByName(ctx context.Context, name string) (*model.Segment, error) {
	return a.store.SegmentByName(ctx, name)
}

// SaveSegment stores a filter under a name, new (ID 0, which it sets) or changed. EExists when the name is taken;
// EInvalid when a condition cannot be used.
func (a *App) SaveSegment(ctx context.Context, s *model.Segment) error {
	name, err := named("segment", s.Name)
	if err != nil {
		return err
	}
	s.Name = name
	if s.Filter.Empty() {
		return invalid("filter", "")
	}
	s.UpdatedAt = a.now()
	return a.store.SaveSegment(ctx, s)
}

// RemoveSegment removes a segment; its people stay.
func (a *App) RemoveSegment(ctx context.Context, id int64) error {
	return a.store.RemoveSegment(ctx, id)
}

// peopleAtOnce is how many people of a segment are fetched at a time.
const peopleAtOnce = 500

// People walks those of a list (0: everybody) whom a segment (0: none) chooses, in order of ids. A list is seen as
// it was at the beginning; of a segment that is who belongs to it, each as they are when their turn comes.
func (a *App) People(ctx context.Context, listID, segmentID int64, f func(*model.Contact) error) error {
	q := model.ContactQuery{ListID: listID}
	if segmentID != 0 {
		s, err := a.store.Segment(ctx, segmentID)
		if err != nil {
			return err
		}
		q.Filter = s.Filter
	}
	return a.EachPerson(ctx, q, f)
}

// EachPerson walks those whom a query chooses, in its order, each as they are when their turn comes; a list, or
// everybody, as it is and in order of ids, is seen as it was at the beginning.
func (a *App) EachPerson(ctx context.Context, q model.ContactQuery, f func(*model.Contact) error) error {
	if q.Filter.Empty() && q.Search == "" && q.Sort == "" && !q.Desc {
		return a.store.EachContact(ctx, q.ListID, f)
	}
	ids, err := a.store.ContactIDs(ctx, q)
	if err != nil {
		return err
	}
	for part := range slices.Chunk(ids, peopleAtOnce) {
		people, err := a.store.Contacts(ctx, part)
		if err != nil {
			return err
		}
		for i := range people {
			if err := f(&people[i]); err != nil {
				return err
			}
		}
	}
	return nil
}
