package ui

import (
	"context"
	"slices"
	"strings"

	"hongyan/app/model"
)

// The half of fake that sorts people.

// tagged is who has which tag.
type tagged map[int64][]int64

func (f *fake) Tags(context.Context) ([]model.Tag, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := slices.Clone(f.tags)
	for i := range out {
		out[i].Count = len(f.tagged[out[i].ID])
	}
	return out, f.fail["Tags"]
}

func (f *fake) TagsOf(_ context.Context, id int64) (out []model.Tag, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, g := range f.tags {
		if slices.Contains(f.tagged[g.ID], id) {
			out = append(out, g)
		}
	}
	return out, f.fail["TagsOf"]
}

func (f *fake) TagContacts(_ context.Context, ids []int64, name string) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.called("TagContacts "+name, ids...); err != nil {
		return 0, err
	}
	at := slices.IndexFunc(f.tags, func(g model.Tag) bool { return g.Name == name })
	if at < 0 {
		at = len(f.tags)
		f.tags = append(f.tags, model.Tag{ID: int64(at + 1), Name: name})
	}
	g := f.tags[at].ID
	f.tagged[g] = append(f.tagged[g], ids...)
	f.change(model.ChangeTag, len(ids), name)
	return len(ids), nil
}

func (f *fake) UntagContacts(_ context.Context, ids []int64, tag int64) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tagged[tag] = slices.DeleteFunc(f.tagged[tag], func(id int64) bool { return slices.Contains(ids, id) })
	f.change(model.ChangeUntag, len(ids), "tag")
	return len(ids), f.called("UntagContacts", append([]int64{tag}, ids...)...)
}

func (f *fake) RenameTag(_ context.Context, id int64, name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.tags {
		if f.tags[i].ID == id {
			f.tags[i].Name = name
		}
	}
	return f.called("RenameTag "+name, id)
}

func (f *fake) RemoveTag(_ context.Context, id int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tags = slices.DeleteFunc(f.tags, func(g model.Tag) bool { return g.ID == id })
	return f.called("RemoveTag", id)
}

func (f *fake) Segments(context.Context) ([]model.Segment, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.segments), f.fail["Segments"]
}

func (f *fake) SaveSegment(_ context.Context, s *model.Segment) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if slices.ContainsFunc(f.segments, func(o model.Segment) bool { return o.Name == s.Name && o.ID != s.ID }) {
		return model.E(model.EExists, nil, "kind", "segment", "name", s.Name)
	}
	if s.ID == 0 {
		s.ID = int64(len(f.segments) + 1)
		f.segments = append(f.segments, model.Segment{})
	}
	f.segments[s.ID-1] = *s
	return f.called("SaveSegment "+s.Name, s.ID)
}

func (f *fake) RemoveSegment(_ context.Context, id int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.segments = slices.DeleteFunc(f.segments, func(s model.Segment) bool { return s.ID == id })
	return f.called("RemoveSegment", id)
}

func (f *fake) ListsOf(_ context.Context, id int64) ([]model.List, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, l := range f.lists {
		if l.ID == f.member[id] {
			return []model.List{l}, f.fail["ListsOf"]
		}
	}
	return nil, f.fail["ListsOf"]
}

func (f *fake) AddToList(_ context.Context, ids []int64, list string) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.change(model.ChangeOnList, len(ids), list)
	return len(ids), f.called("AddToList "+list, ids...)
}

func (f *fake) MergeContacts(_ context.Context, keep int64, others []int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.contacts = slices.DeleteFunc(f.contacts, func(c model.Contact) bool { return slices.Contains(others, c.ID) })
	f.change(model.ChangeMerge, len(others)+1, f.contact(keep).Email)
	return f.called("MergeContacts", append([]int64{keep}, others...)...)
}

// contact is called with f locked.
func (f *fake) contact(id int64) model.Contact {
	for _, c := range f.contacts {
		if c.ID == id {
			return c
		}
	}
	return model.Contact{}
}

// change notes what can be taken back; it is called with f locked.
func (f *fake) change(kind model.ChangeKind, n int, what string) {
	f.changed++
	f.changes = append([]model.Change{{ID: f.changed, Kind: kind, N: n, What: what, At: f.at(0)}}, f.changes...)
}

func (f *fake) Changes(context.Context) ([]model.Change, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.changes), f.fail["Changes"]
}

func (f *fake) UndoChange(context.Context) (model.Change, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.called("UndoChange"); err != nil || len(f.changes) == 0 {
		return model.Change{}, err
	}
	c := f.changes[0]
	f.changes = f.changes[1:]
	if c.Kind == model.ChangeRemove {
		f.contacts = append(slices.Clone(f.removed), f.contacts...)
	}
	return c, nil
}

func (f *fake) Prospect(ctx context.Context, in ImportInput, spec model.ImportSpec) (model.Prospect, error) {
	f.mu.Lock()
	wait := f.prospectWait
	f.asked = append(f.asked, prospectAsked{in, spec.ListName})
	p, err := f.prospect, f.fail["Prospect"]
	f.mu.Unlock()
	if wait != nil {
		select {
		case <-wait:
		case <-ctx.Done():
			return model.Prospect{}, model.E(model.ECancelled, ctx.Err())
		}
	}
	return p, err
}

// prospectAsked is a count that was asked for.
type prospectAsked struct {
	in   ImportInput
	list string
}

func (f *fake) ResumeImport(_ context.Context, im model.Import, progress func(done, total int64)) (model.ImportReport, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	progress(1, 1)
	return model.ImportReport{ImportID: im.ID, ListID: 1, Read: 60_000, Added: 60_000}, f.called("ResumeImport", im.ID)
}

func (f *fake) LookUpDomains(_ context.Context, _ model.ContactQuery, progress func(done, total int)) (DomainReport, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	progress(1, 2)
	return f.domains, f.called("LookUpDomains")
}

// matches reports whether a filter chooses a person, as far as the tests of the window need it.
func (f *fake) matches(c model.Contact, q model.Filter) bool {
	for _, w := range q.Conditions {
		yes := false
		text := strings.ToLower(w.Text)
		switch w.What {
		case model.WhereAddress:
			yes = w.Op == model.OpContains && strings.Contains(c.Email, text) || w.Op == model.OpEnds && strings.HasSuffix(c.Email, text)
		case model.WhereConsent:
			yes = c.Consent != ""
		case model.WhereTag:
			yes = slices.Contains(f.tagged[w.ID], c.ID)
		case model.WhereList:
			yes = f.member[c.ID] == w.ID
		}
		if yes == w.Not != q.Any {
			return q.Any
		}
	}
	return !q.Any || q.Empty()
}
