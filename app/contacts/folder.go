package contacts

import (
	"context"
	"path/filepath"

	"hongyan/app/model"
)

// Folder is the data folder of another Hongyan, open for looking only. Whoever opens sources implements it: nothing here
// may know the database.
type Folder interface {
	// Identity tells the folder from every other one; "" where that is not known.
	Identity(ctx context.Context) (string, error)
	// Lists lists the lists; People says how many people there are in all.
	Lists(ctx context.Context) ([]model.List, error)
	People(ctx context.Context) (int, error)
	// Each walks a list, or with 0 everybody, in order of ids. suppressed says that the folder lets nobody mail this person.
	Each(ctx context.Context, listID int64, f func(c *model.Contact, suppressed bool) error) error
	// Suppressions lists who is never mailed.
	Suppressions(ctx context.Context) ([]model.Suppression, error)
	Close() error
}

// folder is a Folder as a source. Its lists stand for the sheets of a workbook.
type folder struct {
	Folder

	identity string
	lists    []model.List
	all      int   // people in the folder
	list     int64 // that is read; 0: everybody
}

func (f *folder) names() []string {
	names := make([]string, len(f.lists))
	for i, l := range f.lists {
		names[i] = l.Name
	}
	return names
}

// openFolder opens a data folder: EFileDataFolder where nobody said how.
func openFolder(path string, opt Options) (*Source, error) {
	if opt.Folder == nil {
		return nil, model.E(model.EFileDataFolder, nil, "path", path)
	}
	if full, err := filepath.Abs(path); err == nil {
		path = full // "." says nothing to whoever reads it later
	}
	in, err := opt.Folder(path)
	if err != nil {
		return nil, err
	}
	s := &Source{name: path, opt: opt, format: FormatFolder, charset: UTF8, folder: &folder{Folder: in}, close: in.Close}
	if err := s.layFolder(context.Background()); err != nil {
		_ = in.Close()
		return nil, err
	}
	return s, nil
}

func (s *Source) layFolder(ctx context.Context) (err error) {
	f := s.folder
	if f.identity, err = f.Identity(ctx); err != nil {
		return err
	}
	if f.lists, err = f.Lists(ctx); err != nil {
		return err
	}
	if f.all, err = f.People(ctx); err != nil {
		return err
	}
	if err = s.chooseList(); err != nil {
		return err
	}
	return s.SetMapping(s.opt.Mapping)
}

// chooseList finds the list to read. Two lists may differ in capitals only, so that the very name goes first.
func (s *Source) chooseList() error {
	f, name := s.folder, s.opt.Sheet
	if name == "" {
		f.list, s.sheetName, s.size = 0, "", int64(f.all)
		return nil
	}
	found := -1
	for i, l := range f.lists {
		if l.Name == name || found < 0 && sameSheet(l.Name, name) {
			found = i
		}
		if l.Name == name {
			break
		}
	}
	if found < 0 {
		return s.noSheet()
	}
	l := &f.lists[found]
	f.list, s.sheetName, s.size = l.ID, l.Name, int64(l.Count)
	return nil
}

// Identity tells a data folder from every other one; "" for other sources, and where it is not known.
func (s *Source) Identity() string {
	if s.folder == nil {
		return ""
	}
	return s.folder.identity
}

// Suppressions are those whom a data folder never mails, to be taken over by whoever imports from it, whichever list of
// it is read; nil for other sources. Read leaves these people out, which is not enough: who said no there may be known
// here already, or come again from elsewhere, and may be mailed from neither.
func (s *Source) Suppressions(ctx context.Context) ([]model.Suppression, error) {
	if s.folder == nil {
		return nil, nil
	}
	all, err := s.folder.Suppressions(ctx)
	for i := range all {
		was := &all[i]
		detail := was.Reason
		if was.Detail != "" {
			detail += ": " + was.Detail
		}
		*was = model.Suppression{Key: was.Key, Reason: "import", Detail: detail, At: was.At}
	}
	return all, err
}

// readFolder reads people as they are in the folder; Line is their id there. Those whom it never mails are refused:
// nothing of them has to be copied. The consent that is recorded of a person comes along, and of whom none is recorded
// there none is here.
func readFolder(r *run) error {
	f := r.src.folder
	return f.Each(r.ctx, f.list, func(c *model.Contact, suppressed bool) error {
		if err := r.tick(); err != nil {
			return err
		}
		r.done++
		id := int(c.ID)
		if suppressed {
			return r.refuse(id, c.Address, ReasonSuppressed, "")
		}
		email, address, ok := fastAddress(c.Address)
		if !ok {
			var err error
			if email, address, err = Normalise(c.Address); err != nil {
				return r.refuse(id, c.Address, ReasonSyntax, "")
			}
		}
		return r.row(model.Row{Line: id, Email: email, Address: address, Name: clip(c.Name, maxField), Fields: c.Fields,
			Consent: c.Consent, NoConsent: c.Consent == ""})
	})
}
