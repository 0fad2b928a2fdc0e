package ui

import (
	"context"
	"maps"

	"hongyan/app/model"
)

// The half of recipientsVM that selects people and does something with those who are selected.

func (vm *recipientsVM) choose(all bool, except map[int64]struct{}) {
	vm.all, vm.except, vm.lent = all, except, false
	vm.lo, vm.hi, vm.picked = 0, 0, len(except)
	vm.picks++
}

func (vm *recipientsVM) clearSelection() {
	vm.choose(false, map[int64]struct{}{})
	vm.anchor, vm.cursor = -1, -1
}

func (vm *recipientsVM) selectAll() {
	if !vm.stale {
		vm.choose(true, map[int64]struct{}{})
	}
}

func (vm *recipientsVM) selected(i int) bool {
	if i < 0 || i >= len(vm.ids) {
		return false
	}
	_, in := vm.except[vm.ids[i]]
	return in != (vm.all || i >= vm.lo && i < vm.hi)
}

func (vm *recipientsVM) selectedCount() int {
	if vm.all {
		return len(vm.ids) - len(vm.except)
	}
	return vm.picked
}

// selection gives what lists those who are selected now, in the order of the list. It is for the background: among a
// million it takes a while, and nothing that is selected later changes its answer.
func (vm *recipientsVM) selection() func() []int64 {
	ids, all, lo, hi, except, n := vm.ids, vm.all, vm.lo, vm.hi, vm.except, vm.selectedCount()
	vm.lent = true
	return func() []int64 {
		if all && len(except) == 0 {
			return ids
		}
		out := make([]int64, 0, n)
		for i, id := range ids {
			if _, in := except[id]; in != (all || i >= lo && i < hi) {
				out = append(out, id)
			}
		}
		return out
	}
}

// selectionSet is selection as a set.
func (vm *recipientsVM) selectionSet() func() map[int64]struct{} {
	chosen := vm.selection()
	return func() map[int64]struct{} {
		ids := chosen()
		set := make(map[int64]struct{}, len(ids))
		for _, id := range ids {
			set[id] = struct{}{}
		}
		return set
	}
}

// click selects row i as lists do: alone, with ctrl in addition, with shift from the last click on.
func (vm *recipientsVM) click(i int, ctrl, shift bool) {
	if i < 0 || i >= len(vm.ids) || vm.stale {
		return
	}
	switch {
	case shift && vm.anchor >= 0 && vm.anchor < len(vm.ids):
		vm.choose(false, map[int64]struct{}{})
		vm.lo, vm.hi = min(i, vm.anchor), max(i, vm.anchor)+1
		vm.picked = vm.hi - vm.lo
	case ctrl:
		if vm.lent {
			vm.except, vm.lent = maps.Clone(vm.except), false
		}
		vm.picks++
		if vm.selected(i) {
			vm.picked--
		} else {
			vm.picked++
		}
		if _, in := vm.except[vm.ids[i]]; in {
			delete(vm.except, vm.ids[i])
		} else {
			vm.except[vm.ids[i]] = struct{}{}
		}
		vm.anchor = i
	default:
		vm.choose(false, map[int64]struct{}{vm.ids[i]: {}})
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

// with does something with those who are selected, in the background, and reads everything again.
func (vm *recipientsVM) with(work func(ctx context.Context, ids []int64) (int, error), done func(n int, err error)) {
	chosen := vm.selection()
	vm.work(func(ctx context.Context) (int, error) { return work(ctx, chosen()) }, done)
}

// work does something to people in the background, says meanwhile that it does, and reads everything again.
func (vm *recipientsVM) work(do func(ctx context.Context) (int, error), done func(n int, err error)) {
	vm.working++
	background(vm.tasks, do, func(n int, err error) {
		vm.working--
		vm.load()
		done(n, err)
	})
	vm.changed()
}

// remove takes the selected people out of the list, or out of the program where no list is chosen.
func (vm *recipientsVM) remove(done func(error)) {
	list := vm.query.ListID
	vm.with(func(ctx context.Context, ids []int64) (int, error) {
		return len(ids), vm.svc.RemoveContacts(ctx, ids, list)
	}, func(_ int, err error) {
		if err == nil {
			vm.clearSelection()
		}
		done(err)
	})
}

// suppress keeps the selected people from ever being mailed.
func (vm *recipientsVM) suppress(done func(error)) {
	vm.with(func(ctx context.Context, ids []int64) (int, error) {
		n := len(ids)
		for len(ids) > 0 {
			some := ids[:min(500, len(ids))]
			cs, err := vm.svc.Contacts(ctx, some)
			if err != nil {
				return 0, err
			}
			emails := make([]string, len(cs))
			for i, c := range cs {
				emails[i] = c.Email
			}
			if err := vm.svc.Suppress(ctx, emails, "user"); err != nil {
				return 0, err
			}
			ids = ids[len(some):]
		}
		return n, nil
	}, func(_ int, err error) { done(err) })
}

// merge brings people together into one of them.
func (vm *recipientsVM) merge(keep int64, others []int64, done func(error)) {
	vm.work(func(ctx context.Context) (int, error) { return 1, vm.svc.MergeContacts(ctx, keep, others) }, func(_ int, err error) {
		if err == nil {
			vm.clearSelection()
		}
		done(err)
	})
}

// undo takes back what was done last. It waits for nothing: what is still being done cannot be taken back yet.
func (vm *recipientsVM) undo(done func(model.Change, error)) {
	if vm.working > 0 {
		return
	}
	var c model.Change
	vm.work(func(ctx context.Context) (n int, err error) {
		c, err = vm.svc.UndoChange(ctx)
		return c.N, err
	}, func(_ int, err error) { done(c, err) })
}
