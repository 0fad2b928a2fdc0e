package ui

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hongyan/app/model"
)

// filtering makes a filterVM over people with p000000@example.com and so on.
func filtering(t *testing.T, n int, f model.Filter) (*filterVM, *fake, func(), *rig) {
	vm, svc, run, r := people(t, n)
	return newFilterVM(svc, vm.tasks, 0, f), svc, run, r
}

// TestFilterRows: a row that lacks something does not choose, and keeps what was typed when it looks at something like it.
func TestFilterRows(t *testing.T) {
	vm, _, run, _ := filtering(t, 30, model.Filter{})
	if !vm.filter().Empty() || vm.unfinished() != 1 {
		t.Errorf("a new filter is %+v", vm.filter())
	}
	vm.value(0, " p00001 ", 0)
	vm.look(0, model.WhereName, "")
	vm.compare(0, way{model.OpContains, true, textValue})
	vm.look(0, model.WhereAddress, "")
	vm.add()
	vm.look(1, model.WhereTag, "")
	vm.any = true
	run()
	want := model.Filter{Conditions: []model.Condition{{What: model.WhereAddress, Op: model.OpContains, Text: "p00001"}}}
	if d := cmp.Diff(want, vm.filter()); d != "" {
		t.Errorf("one row that lacks nothing (-want +got):\n%s", d)
	}
	if vm.n != 10 || vm.counting || vm.unfinished() != 1 {
		t.Errorf("%d people, counting %v, %d rows unfinished", vm.n, vm.counting, vm.unfinished())
	}
	vm.value(1, "", 7)
	if got := vm.filter(); !got.Any || len(got.Conditions) != 2 || got.Conditions[1].ID != 7 {
		t.Errorf("both rows: %+v", got)
	}
	vm.compare(0, way{model.OpEmpty, false, noValue})
	if c := vm.rows[0]; c.Text != "" || !complete(c) {
		t.Errorf("empty needs no value: %+v", c)
	}
	vm.remove(0)
	if len(vm.rows) != 1 || vm.rows[0].What != model.WhereTag {
		t.Errorf("left: %+v", vm.rows)
	}
}

// TestFilterLateCount: the answer to an earlier question is dropped, and none comes after close.
func TestFilterLateCount(t *testing.T) {
	vm, _, run, _ := filtering(t, 30, model.Filter{})
	told := []int{}
	vm.changed = func() {
		if !vm.counting {
			told = append(told, vm.n)
		}
	}
	vm.value(0, "p00000", 0)
	vm.count()
	vm.value(0, "p000001", 0)
	run()
	if !slices.Equal(told, []int{1}) {
		t.Errorf("told of %v", told)
	}
	vm.count()
	vm.close()
	run()
	if !slices.Equal(told, []int{1}) {
		t.Errorf("after close, told of %v", told)
	}
}

// TestWays: each way that is offered is found again in the condition that it makes.
func TestWays(t *testing.T) {
	for _, k := range append(slices.Clone(conditionKinds), model.WhereField) {
		for _, y := range waysOf(k) {
			if got := wayOf(model.Condition{What: k, Op: y.op, Not: y.not}); got != y {
				t.Errorf("%s %v becomes %v", k, y, got)
			}
		}
	}
	odd := wayOf(model.Condition{What: model.WhereAddress, Op: model.OpEnds, Not: true}) // not offered, and yet kept
	if odd.op != model.OpEnds || !odd.not {
		t.Errorf("not ends is %v", odd)
	}
}

func TestDayOf(t *testing.T) {
	for in, want := range map[string]string{"2026-11-24": "2026-11-24", " 2026/1/5 ": "2026-01-05", "2026.1.5": "2026-01-05", "20260105": "2026-01-05",
		"2026年1月5日": "2026-01-05", "2026-13-01": "2026-13-01", "soon": "soon"} {
		if got := dayOf(in); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
		if ok := complete(model.Condition{What: model.WhereAdded, Op: model.OpAfter, Text: dayOf(in)}); ok != (want != in || in == "2026-11-24") {
			t.Errorf("%q: complete %v", in, ok)
		}
	}
}

// TestFilterWords: what a filter says in both languages.
func TestFilterWords(t *testing.T) {
	f := model.Filter{Conditions: []model.Condition{{What: model.WhereAddress, Op: model.OpEnds, Text: "@qq.com"}, {What: model.WhereField, Field: "city", Op: model.OpEmpty, Not: true},
		{What: model.WhereList, ID: 2}, {What: model.WhereList, ID: 99}, {What: model.WhereSent, Not: true}, {What: model.WhereBounced}, {What: model.WhereAddress, Op: model.OpEnds, Not: true, Text: "x"}}}
	for lang, want := range map[string]string{
		"en": `Address ends with "@qq.com", and Field "city" is not empty, and on the list "Old members", and on the list "(removed)", and never got a letter, and the last letter bounced, and Address not: ends with "x"`,
		"zh": "地址结尾是“@qq.com”，并且字段“city”不为空，并且在列表“老会员”里，并且在列表“（已删除）”里，并且从没收到过信，并且上一封信被退回，并且地址不满足：结尾是“x”",
	} {
		r := newRig(t, lang, shop(lang))
		if d := cmp.Diff(want, r.w.filterWords(f)); d != "" {
			t.Errorf("%s (-want +got):\n%s", lang, d)
		}
	}
}

// TestSelectionLent: what works in the background keeps those who were selected when it began.
func TestSelectionLent(t *testing.T) {
	vm, _, _, _ := people(t, 10)
	vm.click(1, false, false)
	vm.click(3, true, false)
	chosen := vm.selection()
	vm.click(5, true, false)
	vm.click(3, true, false)
	if got := chosen(); !slices.Equal(got, []int64{2, 4}) {
		t.Errorf("lent %v", got)
	}
	if got := vm.selection()(); !slices.Equal(got, []int64{2, 6}) {
		t.Errorf("selected %v", got)
	}
	vm.selectAll()
	all := vm.selection()
	vm.clearSelection()
	if len(all()) != 10 {
		t.Errorf("lent %v", all())
	}
}
