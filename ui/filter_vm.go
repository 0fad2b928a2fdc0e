package ui

import (
	"context"
	"slices"
	"strings"
	"time"

	"hongyan/app/model"
)

// way is how a condition compares, as the user chooses it: what it looks at is said before, the value after.
type way struct {
	op    model.ConditionOp
	not   bool
	value valueKind
}

// valueKind is what a condition compares with.
type valueKind int

const (
	noValue valueKind = iota
	textValue
	dayValue
	listValue
	tagValue
	campaignValue
)

// key ends the keys of the texts of a way: of the operation where there is one, else of what is looked at.
func (y way) key(what model.ConditionKind) string {
	k := string(y.op)
	if k == "" {
		k = string(what)
	}
	if y.not {
		k += ".not"
	}
	return k
}

var (
	textWays = []way{{model.OpContains, false, textValue}, {model.OpContains, true, textValue}, {model.OpIs, false, textValue}, {model.OpIs, true, textValue},
		{model.OpStarts, false, textValue}, {model.OpEnds, false, textValue}, {model.OpEmpty, false, noValue}, {model.OpEmpty, true, noValue}}
	fieldWays = append(slices.Clone(textWays), way{model.OpMore, false, textValue}, way{model.OpLess, false, textValue})
	dayWays   = []way{{model.OpAfter, false, dayValue}, {model.OpBefore, false, dayValue}}
)

// conditionKinds are what a person can be chosen by, in the order they are offered in; the fields come last.
var conditionKinds = []model.ConditionKind{model.WhereAddress, model.WhereName, model.WhereList, model.WhereTag, model.WhereSent, model.WhereBounced,
	model.WhereConsent, model.WhereSuppressed, model.WhereSource, model.WhereAdded}

// waysOf are the ways in which a kind of condition compares.
func waysOf(k model.ConditionKind) []way {
	value := noValue
	switch k {
	case model.WhereField:
		return fieldWays
	case model.WhereAdded:
		return dayWays
	case model.WhereAddress, model.WhereName, model.WhereSource:
		return textWays
	case model.WhereList:
		value = listValue
	case model.WhereTag:
		value = tagValue
	case model.WhereSent:
		value = campaignValue
	}
	return []way{{"", false, value}, {"", true, value}}
}

// wayOf is the way of a condition.
func wayOf(c model.Condition) way {
	ways := waysOf(c.What)
	for _, y := range ways {
		if y.op == c.Op && y.not == c.Not {
			return y
		}
	}
	// One that the window does not offer, such as "does not begin with", from another program.
	for _, y := range ways {
		if y.op == c.Op {
			y.not = c.Not
			return y
		}
	}
	return ways[0]
}

// complete reports whether a condition has all that it needs to choose by.
func complete(c model.Condition) bool {
	switch wayOf(c).value {
	case textValue:
		return strings.TrimSpace(c.Text) != ""
	case dayValue:
		_, err := time.Parse(time.DateOnly, c.Text)
		return err == nil
	case listValue, tagValue:
		return c.ID != 0
	}
	return true
}

// dayOf reads a day as people write it, and gives it as conditions have it; anything else stays as it is.
func dayOf(text string) string {
	text = strings.TrimSpace(text)
	for _, layout := range []string{"2006-1-2", "2006/1/2", "2006.1.2", "20060102", "2006年1月2日"} {
		if d, err := time.Parse(layout, text); err == nil {
			return d.Format(time.DateOnly)
		}
	}
	return text
}

// filterVM is a filter while it is put together: its rows, and how many people it chooses. All methods are called on
// the window's goroutine.
type filterVM struct {
	svc     RecipientService
	tasks   *Tasks
	changed func() // the count is different

	any    bool
	rows   []model.Condition
	listID int64 // counted within

	n        int
	counting bool
	err      error
	gen      int
	pause    pause
	stop     context.CancelFunc
}

func newFilterVM(svc RecipientService, tasks *Tasks, listID int64, f model.Filter) *filterVM {
	vm := &filterVM{svc: svc, tasks: tasks, listID: listID, any: f.Any, rows: slices.Clone(f.Conditions), changed: func() {}}
	if len(vm.rows) == 0 {
		vm.add()
	}
	return vm
}

// filter is what the rows say; those that lack something are left out.
func (vm *filterVM) filter() model.Filter {
	f := model.Filter{Any: vm.any}
	for _, c := range vm.rows {
		if complete(c) {
			c.Text = strings.TrimSpace(c.Text)
			f.Conditions = append(f.Conditions, c)
		}
	}
	if len(f.Conditions) < 2 {
		f.Any = false // one condition is the same either way
	}
	return f
}

// unfinished is how many rows lack something.
func (vm *filterVM) unfinished() (n int) {
	for _, c := range vm.rows {
		if !complete(c) {
			n++
		}
	}
	return n
}

// add puts one more row below the others.
func (vm *filterVM) add() {
	vm.rows = append(vm.rows, model.Condition{What: model.WhereAddress, Op: model.OpContains})
}

func (vm *filterVM) remove(i int) {
	vm.rows = slices.Delete(vm.rows, i, i+1)
	vm.later()
}

// look makes row i look at something else, in the first of its ways.
func (vm *filterVM) look(i int, what model.ConditionKind, field string) {
	if c := vm.rows[i]; c.What == what && c.Field == field {
		return
	}
	first := waysOf(what)[0]
	c := model.Condition{What: what, Field: field, Op: first.op, Not: first.not}
	if first.value == textValue && wayOf(vm.rows[i]).value == textValue {
		c.Text = vm.rows[i].Text // typed before the choice
	}
	vm.rows[i] = c
	vm.later()
}

// compare makes row i compare in another way.
func (vm *filterVM) compare(i int, y way) {
	vm.rows[i].Op, vm.rows[i].Not = y.op, y.not
	if y.value == noValue {
		vm.rows[i].Text, vm.rows[i].ID = "", 0
	}
	vm.later()
}

// value gives row i what to compare with.
func (vm *filterVM) value(i int, text string, id int64) {
	if wayOf(vm.rows[i]).value == dayValue {
		text = dayOf(text)
	}
	vm.rows[i].Text, vm.rows[i].ID = text, id
	vm.later()
}

// later counts a moment after the last change; a count that is under way is given up at once.
func (vm *filterVM) later() {
	vm.close()
	vm.counting = true
	vm.tasks.after(&vm.pause, 250*time.Millisecond, vm.count)
	vm.changed()
}

// count asks how many people the filter chooses.
func (vm *filterVM) count() {
	vm.close()
	gen := vm.gen
	q := model.ContactQuery{ListID: vm.listID, Filter: vm.filter(), Sort: model.SortAdded}
	vm.counting = true
	vm.stop = background(vm.tasks, func(ctx context.Context) (int, error) {
		ids, err := vm.svc.ContactIDs(ctx, q)
		return len(ids), err
	}, func(n int, err error) {
		if gen != vm.gen {
			return
		}
		vm.n, vm.err, vm.counting = n, err, false
		vm.changed()
	})
}

// close gives up a count that is under way.
func (vm *filterVM) close() {
	vm.gen++
	if vm.stop != nil {
		vm.stop()
		vm.stop = nil
	}
}
