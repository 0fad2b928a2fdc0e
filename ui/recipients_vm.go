package ui

import (
	"container/list"
	"context"
	"slices"

	"hongyan/app/model"
)

const (
	pageRows = 64 // contacts fetched at once
	maxPages = 48 // kept in memory
)

// recipientsVM is the list of people at any size: their ids in order, the pages that are on the screen, and what
// is selected. All methods are called on the window's goroutine.
type recipientsVM struct {
	svc     peopleServices
	tasks   *Tasks
	changed func()              // everything may be different
	rows    func(from, to int)  // rows [from, to) have arrived
	failed  func(err error)     // something went wrong in the background
	moved   func(contact int64) // another contact is the current one

	lists   []model.List
	query   model.ContactQuery
	ids     []int64
	loaded  bool // ids answer query
	loading bool

	// The selection is a set of ids, or all but a set: selecting a million costs nothing.
	all    bool
	except map[int64]struct{}
	anchor int
	cursor int

	pages   map[int]*list.Element
	lru     *list.List // of *page, most recent first
	waiting map[int]bool
	set     int // counts the sets of pages: a page of an earlier one that comes late is dropped
	gen     int // counts the questions for ids
	stop    context.CancelFunc
}

// peopleServices are what the list of people needs.
type peopleServices interface {
	RecipientService
	PeopleService
}

type page struct {
	n    int
	rows []model.Contact
}

func newRecipientsVM(svc peopleServices, tasks *Tasks) *recipientsVM {
	vm := &recipientsVM{
		svc: svc, tasks: tasks, except: map[int64]struct{}{}, anchor: -1, cursor: -1,
		changed: func() {}, rows: func(int, int) {}, failed: func(error) {}, moved: func(int64) {},
	}
	vm.query.Sort = model.SortAdded
	vm.dropPages()
	return vm
}

func (vm *recipientsVM) dropPages() {
	vm.set++
	vm.pages, vm.lru, vm.waiting = map[int]*list.Element{}, list.New(), map[int]bool{}
}

// load reads the lists and the ids again.
func (vm *recipientsVM) load() {
	background(vm.tasks, vm.svc.Lists, func(ls []model.List, err error) {
		if err != nil {
			vm.failed(err)
			return
		}
		vm.lists = ls
		if vm.query.ListID != 0 && !slices.ContainsFunc(ls, func(l model.List) bool { return l.ID == vm.query.ListID }) {
			vm.query.ListID = 0
		}
		vm.changed()
	})
	vm.reload()
}

// reload asks for the ids of the query; an earlier question that is still running is given up.
func (vm *recipientsVM) reload() {
	if vm.stop != nil {
		vm.stop()
	}
	vm.gen++
	gen, q := vm.gen, vm.query
	vm.loading = true
	vm.stop = background(vm.tasks,
		func(ctx context.Context) ([]int64, error) { return vm.svc.ContactIDs(ctx, q) },
		func(ids []int64, err error) {
			if gen != vm.gen {
				return
			}
			vm.loading = false
			if err != nil {
				vm.failed(err)
				return
			}
			vm.ids, vm.loaded = ids, true
			vm.dropPages()
			if vm.cursor >= len(ids) {
				vm.cursor, vm.anchor = -1, -1
			}
			vm.changed()
			vm.moved(vm.current())
		})
}

func (vm *recipientsVM) setList(id int64) {
	if id == vm.query.ListID && vm.loaded {
		return
	}
	vm.query.ListID = id
	vm.clearSelection()
	vm.reload()
}

func (vm *recipientsVM) search(text string) {
	if text == vm.query.Search {
		return
	}
	vm.query.Search = text
	vm.clearSelection()
	vm.reload()
}

// sort orders by a column; a second call with the same one turns the order round.
func (vm *recipientsVM) sort(k model.SortKey) {
	if k == vm.query.Sort {
		vm.query.Desc = !vm.query.Desc
	} else {
		vm.query.Sort, vm.query.Desc = k, false
	}
	vm.cursor, vm.anchor = -1, -1
	vm.reload()
}

func (vm *recipientsVM) list() (model.List, bool) {
	for _, l := range vm.lists {
		if l.ID == vm.query.ListID {
			return l, true
		}
	}
	return model.List{}, false
}

// row gives contact i when its page is here; otherwise it is fetched, and rows is called when it has come.
func (vm *recipientsVM) row(i int) (model.Contact, bool) {
	if i < 0 || i >= len(vm.ids) {
		return model.Contact{}, false
	}
	n := i / pageRows
	if e, ok := vm.pages[n]; ok {
		vm.lru.MoveToFront(e)
		// A contact removed elsewhere is left out of its page, so find it by id from its place on.
		rows := e.Value.(*page).rows
		if j := i % pageRows; j < len(rows) && rows[j].ID == vm.ids[i] {
			return rows[j], true
		}
		for _, c := range rows {
			if c.ID == vm.ids[i] {
				return c, true
			}
		}
		return model.Contact{}, false
	}
	vm.fetch(n)
	return model.Contact{}, false
}

func (vm *recipientsVM) fetch(n int) {
	if vm.waiting[n] {
		return
	}
	vm.waiting[n] = true
	from, to := n*pageRows, min((n+1)*pageRows, len(vm.ids))
	ids, set := slices.Clone(vm.ids[from:to]), vm.set
	background(vm.tasks,
		func(ctx context.Context) ([]model.Contact, error) { return vm.svc.Contacts(ctx, ids) },
		func(rows []model.Contact, err error) {
			if set != vm.set {
				return
			}
			delete(vm.waiting, n)
			if err != nil {
				vm.failed(err)
				return
			}
			vm.pages[n] = vm.lru.PushFront(&page{n, rows})
			for vm.lru.Len() > maxPages {
				last := vm.lru.Back()
				delete(vm.pages, last.Value.(*page).n)
				vm.lru.Remove(last)
			}
			vm.rows(from, to)
		})
}

func (vm *recipientsVM) clearSelection() {
	vm.all, vm.except, vm.anchor, vm.cursor = false, map[int64]struct{}{}, -1, -1
}

func (vm *recipientsVM) selectAll() { vm.all, vm.except = true, map[int64]struct{}{} }

func (vm *recipientsVM) selected(i int) bool {
	if i < 0 || i >= len(vm.ids) {
		return false
	}
	_, in := vm.except[vm.ids[i]]
	return in != vm.all
}

func (vm *recipientsVM) selectedCount() int {
	if vm.all {
		return len(vm.ids) - len(vm.except)
	}
	return len(vm.except)
}

// selectedIDs lists the selection in the order of the list.
func (vm *recipientsVM) selectedIDs() []int64 {
	out := make([]int64, 0, vm.selectedCount())
	for i, id := range vm.ids {
		if vm.selected(i) {
			out = append(out, id)
		}
	}
	return out
}

// click selects row i as lists do: alone, with ctrl in addition, with shift from the last click on.
func (vm *recipientsVM) click(i int, ctrl, shift bool) {
	if i < 0 || i >= len(vm.ids) {
		return
	}
	switch {
	case shift && vm.anchor >= 0 && vm.anchor < len(vm.ids):
		vm.all, vm.except = false, map[int64]struct{}{}
		for j := min(i, vm.anchor); j <= max(i, vm.anchor); j++ {
			vm.except[vm.ids[j]] = struct{}{}
		}
	case ctrl:
		if _, in := vm.except[vm.ids[i]]; in {
			delete(vm.except, vm.ids[i])
		} else {
			vm.except[vm.ids[i]] = struct{}{}
		}
		vm.anchor = i
	default:
		vm.all, vm.except = false, map[int64]struct{}{vm.ids[i]: {}}
		vm.anchor = i
	}
	vm.cursor = i
	vm.moved(vm.current())
}

// current is the contact that the preview shows: the one clicked last, else the first; 0 when there is none.
func (vm *recipientsVM) current() int64 {
	switch {
	case vm.cursor >= 0 && vm.cursor < len(vm.ids):
		return vm.ids[vm.cursor]
	case len(vm.ids) > 0:
		return vm.ids[0]
	}
	return 0
}

// remove takes the selected people out of the list, or out of the program where no list is chosen.
func (vm *recipientsVM) remove(done func(error)) {
	ids, list := vm.selectedIDs(), vm.query.ListID
	act(vm.tasks, func(ctx context.Context) error { return vm.svc.RemoveContacts(ctx, ids, list) }, func(err error) {
		if err == nil {
			vm.clearSelection()
		}
		vm.load()
		done(err)
	})
}

// suppress keeps the selected people from ever being mailed.
func (vm *recipientsVM) suppress(done func(error)) {
	ids := vm.selectedIDs()
	act(vm.tasks, func(ctx context.Context) error {
		for len(ids) > 0 {
			n := min(500, len(ids))
			cs, err := vm.svc.Contacts(ctx, ids[:n])
			if err != nil {
				return err
			}
			emails := make([]string, len(cs))
			for i, c := range cs {
				emails[i] = c.Email
			}
			if err := vm.svc.Suppress(ctx, emails, "user"); err != nil {
				return err
			}
			ids = ids[n:]
		}
		return nil
	}, done)
}
