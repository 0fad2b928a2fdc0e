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
	news    func(model.Change)  // somebody was changed by hand
	altered func()              // or that was taken back: what is shown of people elsewhere is out of date

	groups
	query   model.ContactQuery
	segment int64   // whose filter the query has; 0: none, or the user's own
	ids     []int64 // never changed in place: what works in the background shares it
	known   bool    // groups are read
	loaded  bool    // ids answer query
	loading bool
	stale   bool // ids answer an earlier question: they are shown, and nothing is done with them
	working int  // things that are being done to people

	// The selection is everybody, or the rows [lo, hi), or nobody, but for a set of ids that are the other way: selecting
	// a million costs nothing.
	all    bool
	lo, hi int
	except map[int64]struct{}
	picked int  // how many are selected, unless all
	picks  int  // counts the changes of the selection
	lent   bool // except is read in the background: it is copied before it is changed
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
	GroupService
}

// groups are what people are sorted by, and what was done to them.
type groups struct {
	lists    []model.List
	segments []model.Segment
	tags     []model.Tag
	changes  []model.Change // that can be taken back, the newest first
}

type page struct {
	n    int
	rows []model.Contact
}

func newRecipientsVM(svc peopleServices, tasks *Tasks) *recipientsVM {
	vm := &recipientsVM{
		svc: svc, tasks: tasks, except: map[int64]struct{}{}, anchor: -1, cursor: -1,
		changed: func() {}, rows: func(int, int) {}, failed: func(error) {}, moved: func(int64) {}, news: func(model.Change) {}, altered: func() {},
	}
	vm.query.Sort = model.SortAdded
	vm.dropPages()
	return vm
}

func (vm *recipientsVM) dropPages() {
	vm.set++
	vm.pages, vm.lru, vm.waiting = map[int]*list.Element{}, list.New(), map[int]bool{}
}

// load reads the lists, all that people are sorted by, and the ids again.
func (vm *recipientsVM) load() {
	was, known := newest(vm.changes), vm.known
	background(vm.tasks, vm.readGroups, func(g groups, err error) {
		if err != nil {
			vm.failed(err)
			return
		}
		vm.groups, vm.known = g, true
		gone := func(id int64, in bool) bool { return id != 0 && !in }
		if _, ok := vm.list(); gone(vm.query.ListID, ok) {
			vm.query.ListID = 0
		}
		if vm.segment != 0 {
			s, ok := vm.shownSegment()
			if !ok {
				vm.segment = 0
			}
			vm.query.Filter = s.Filter
			vm.reload()
		}
		vm.changed()
		id := newest(vm.changes)
		if known && id != was {
			vm.altered()
		}
		if known && id > was {
			vm.news(vm.changes[0])
		}
	})
	if vm.segment == 0 { // else its filter is read first
		vm.reload()
	}
}

func newest(changes []model.Change) int64 {
	if len(changes) == 0 {
		return 0
	}
	return changes[0].ID
}

func (vm *recipientsVM) readGroups(ctx context.Context) (g groups, err error) {
	if g.lists, err = vm.svc.Lists(ctx); err != nil {
		return g, err
	}
	if g.segments, err = vm.svc.Segments(ctx); err != nil {
		return g, err
	}
	if g.tags, err = vm.svc.Tags(ctx); err != nil {
		return g, err
	}
	g.changes, err = vm.svc.Changes(ctx)
	return g, err
}

// reload asks for the ids of the query; an earlier question that is still running is given up.
func (vm *recipientsVM) reload() {
	if vm.stop != nil {
		vm.stop()
	}
	vm.gen++
	gen, q, picks := vm.gen, vm.query, vm.picks
	rows := func() map[int64]struct{} { return nil } // those selected by their rows, which are others then
	if vm.hi > vm.lo {
		rows = vm.selectionSet()
	}
	var set map[int64]struct{}
	vm.loading = true
	vm.stop = background(vm.tasks,
		func(ctx context.Context) ([]int64, error) {
			ids, err := vm.svc.ContactIDs(ctx, q)
			set = rows()
			return ids, err
		},
		func(ids []int64, err error) {
			if gen != vm.gen {
				return
			}
			vm.loading, vm.stale = false, false
			if err != nil {
				vm.ids = nil // what is shown is not what was asked for
				vm.clearSelection()
				vm.dropPages()
				vm.changed()
				vm.failed(err)
				return
			}
			if vm.hi > vm.lo {
				if picks != vm.picks { // selected in the meantime, in rows that are gone
					set = map[int64]struct{}{}
				}
				vm.choose(false, set)
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

// setList shows a list, or everybody. The user's own filter stays; that of a segment goes with the segment.
func (vm *recipientsVM) setList(id int64) {
	if id == vm.query.ListID && vm.segment == 0 && vm.loaded {
		return
	}
	if vm.segment != 0 {
		vm.segment, vm.query.Filter = 0, model.Filter{}
	}
	vm.query.ListID = id
	vm.ask()
}

// setSegment shows those who belong to a segment, of all lists.
func (vm *recipientsVM) setSegment(s model.Segment) {
	vm.segment, vm.query.ListID, vm.query.Filter = s.ID, 0, s.Filter
	vm.ask()
}

// setFilter shows only those whom a filter chooses.
func (vm *recipientsVM) setFilter(f model.Filter) {
	vm.segment, vm.query.Filter = 0, f
	vm.ask()
}

// onList is a filter with the list that is shown as one more condition: a segment is asked of all lists, and whoever saves
// what they see means these people. Where one condition of several is enough, that cannot be said.
func (vm *recipientsVM) onList(f model.Filter) model.Filter {
	if vm.query.ListID == 0 || f.Any && len(f.Conditions) > 1 {
		return f
	}
	return model.Filter{Conditions: append([]model.Condition{{What: model.WhereList, ID: vm.query.ListID}}, f.Conditions...)}
}

// show turns to a list without search and filter; load follows.
func (vm *recipientsVM) show(listID int64) {
	vm.segment, vm.query.ListID, vm.query.Search, vm.query.Filter = 0, listID, "", model.Filter{}
	vm.clearSelection()
}

// ownFilter reports whether a filter is in force that is not that of a segment.
func (vm *recipientsVM) ownFilter() bool { return vm.segment == 0 && !vm.query.Filter.Empty() }

func (vm *recipientsVM) shownSegment() (model.Segment, bool) {
	for _, s := range vm.segments {
		if s.ID == vm.segment {
			return s, true
		}
	}
	return model.Segment{}, false
}

func (vm *recipientsVM) search(text string) {
	if text == vm.query.Search {
		return
	}
	vm.query.Search = text
	vm.ask()
}

// ask reads who answers another question.
func (vm *recipientsVM) ask() {
	vm.clearSelection()
	vm.stale = true
	vm.reload()
	vm.changed()
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
