package ui

import (
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"hongyan/app/model"
)

// selects are the choosers of the topmost dialog, in order.
func (r *rig) selects() (out []*widget.Select) {
	walk(r.top(), func(o fyne.CanvasObject) {
		if s, ok := o.(*widget.Select); ok {
			out = append(out, s)
		}
	})
	return out
}

// pick chooses an option of a chooser of the topmost dialog.
func (r *rig) pick(at int, option string) {
	r.t.Helper()
	s := r.selects()[at]
	i := slices.IndexFunc(s.Options, func(o string) bool { return strings.Contains(o, option) })
	if i < 0 {
		r.t.Fatalf("no option %q in %q", option, s.Options)
	}
	s.SetSelectedIndex(i)
	r.run()
}

// typed puts text into the last field of the topmost dialog.
func (r *rig) typed(text string) {
	r.t.Helper()
	var last *widget.Entry
	walk(r.top(), func(o fyne.CanvasObject) {
		switch e := o.(type) {
		case *widget.Entry:
			last = e
		case *widget.SelectEntry:
			last = &e.Entry
		}
	})
	last.SetText(text)
	r.run()
}

// TestFilterDialog: rows are put together, the count follows, and what is shown is said in the pane and taken away there.
func TestFilterDialog(t *testing.T) {
	r := newRig(t, "en", shop("en"))
	p := r.w.recipientsPane
	if p.chip.Visible() {
		t.Error("a filter is told of that is none")
	}
	test.Tap(p.filter)
	r.run()
	r.wants("300 people match.")
	r.typed("customer")
	r.wants("100 people match.") // counted without a press
	r.tap("Add a condition")
	r.pick(2, "Consent")
	r.pick(3, "is not recorded")
	r.wants("4 people match.", "all of it", "any of it")
	r.tap("Add a condition")
	r.wants("4 people match.", "Rows without a value do not count.")
	walk(r.top(), func(o fyne.CanvasObject) {
		if g, ok := o.(*widget.RadioGroup); ok {
			g.SetSelected("any of it")
		}
	})
	r.run()
	r.wants("107 people match.")
	r.tap("Show")
	r.noDialog()
	if got, want := p.chip.Text(), `Address contains "customer", or consent not recorded`; got != want {
		t.Errorf("the pane says %q, want %q", got, want)
	}
	r.wants("107 people", "A filter is on: 107 people are shown.")
	r.w.filterDialog()
	r.run()
	r.tap("Clear")
	r.wants("300 people match.")
	r.tap("Cancel")
	r.wants("107 people")
	p.clearFilter()
	r.run()
	r.wants("300 people")
	if p.chip.Visible() {
		t.Error("the filter is still told of")
	}
}

// TestFilterTrouble: what the use cases refuse is said, and cannot be shown or saved.
func TestFilterTrouble(t *testing.T) {
	r := newRig(t, "en", shop("en"))
	r.svc.fail["ContactIDs"] = model.E(model.EInvalid, nil, "field", "filter", "value", "x")
	r.w.filterDialog()
	r.run()
	r.wants(r.w.t.Error(r.svc.fail["ContactIDs"]))
	if r.enabled("Show") || r.enabled("Save as segment…") {
		t.Error("it can be used")
	}
	delete(r.svc.fail, "ContactIDs")
	r.typed("x")
	if !r.enabled("Show") || !r.enabled("Save as segment…") {
		t.Error("it cannot be used")
	}
}

// TestASegmentKeepsTheList: whoever saves what they see of a list means the people of this list.
func TestASegmentKeepsTheList(t *testing.T) {
	f := shop("en")
	r := newRig(t, "en", f)
	r.w.recipients.setList(1)
	r.run()
	r.w.filterDialog()
	r.typed("@qq.com")
	r.tap("Show")
	seen := len(r.w.recipients.ids)
	r.w.filterDialog()
	r.run()
	r.tap("Save as segment…")
	r.wants("on the list", `Address contains "@qq.com"`)
	r.field("ui.account.name").SetText("Some")
	r.press("Save")
	if n := len(r.w.recipients.ids); n != seen || seen == 0 || f.segments[0].Filter.Conditions[0] != (model.Condition{What: model.WhereList, ID: 1}) {
		t.Errorf("the segment shows %d people, the list and the filter had %d", n, seen)
	}
}

// TestSegments: a filter is saved, shown from the chooser, remembered, renamed, changed and removed.
func TestSegments(t *testing.T) {
	f := shop("en")
	r := newRig(t, "en", f)
	p := r.w.recipientsPane
	r.w.filterDialog()
	r.typed("@qq.com")
	r.tap("Save as segment…")
	r.wants(`Address contains "@qq.com"`)
	if r.enabled("Save") {
		t.Error("it can be saved without a name")
	}
	f.segments = []model.Segment{{ID: 1, Name: "Fans", Filter: model.Filter{Conditions: []model.Condition{{What: model.WhereConsent}}}}}
	name := r.field("ui.account.name")
	name.SetText("Fans")
	r.press("Save")
	r.wants(r.w.t.Error(model.E(model.EExists, nil, "kind", "segment", "name", "Fans"))) // taken
	name.SetText("On QQ")
	r.press("Save")
	r.noDialog()
	if got := p.lists.Selected; got != "Segment: On QQ" {
		t.Errorf("shown is %q", got)
	}
	r.wants("60 people", "Ready: press Start to check the letter to On QQ (60 people) and send it.")
	again := newRig(t, "en", f)
	if again.w.recipientsPane.lists.Selected != "Segment: On QQ" || len(again.w.recipients.ids) != 60 {
		t.Errorf("after a start: %q, %d people", again.w.recipientsPane.lists.Selected, len(again.w.recipients.ids))
	}

	p.more.OnTapped()
	r.menu("Rename the segment")
	r.field("ui.account.name").SetText("QQ people")
	r.press("Save")
	if f.segments[1].Name != "QQ people" || f.segments[1].Filter.Empty() {
		t.Errorf("stored %+v", f.segments[1])
	}
	p.more.OnTapped()
	r.menu("Change the segment")
	r.typed("@163.com")
	r.tap("Save as segment…")
	r.press("Save")
	if len(f.segments) != 2 || f.segments[1].Filter.Conditions[0].Text != "@163.com" {
		t.Errorf("stored %+v", f.segments)
	}
	r.wants("60 people")
	p.choose(1) // a list: the filter of the segment goes with it
	r.run()
	r.wants("300 people")
	p.choose(3)
	r.run()
	if r.w.recipients.segment != 1 || len(r.w.recipients.ids) != 289 {
		t.Errorf("segment %d, %d people", r.w.recipients.segment, len(r.w.recipients.ids))
	}
	p.more.OnTapped()
	r.menu("Remove the segment")
	r.wants(`Remove the segment "Fans"?`)
	r.press("Remove")
	r.wants("300 people")
	if r.w.recipients.segment != 0 || p.chip.Visible() {
		t.Error("its filter is still in force")
	}
}

// TestTagSelection: a tag is put on those who are selected, by name; one that nobody has cannot be taken off.
func TestTagSelection(t *testing.T) {
	r := newRig(t, "en", shop("en"))
	if r.enabled("Tag") {
		t.Error("nobody can be tagged")
	}
	r.w.recipientsPane.table.Click(0, 0)
	r.w.recipientsPane.table.Click(2, fyne.KeyModifierShift)
	r.tap("Tag")
	r.wants("3 people are selected.")
	if r.enabled("Put on") || r.enabled("Take off") {
		t.Error("no tag can be put on or taken off")
	}
	r.typed("member")
	if r.enabled("Take off") {
		t.Error("a tag that there is not can be taken off")
	}
	r.tap("Put on")
	r.noDialog()
	if !r.svc.has("TagContacts member 1 2 3") {
		t.Errorf("calls %q", r.svc.calls)
	}
	r.wants("3 selected")
	r.tap("Tag")
	r.typed("MEMBER")
	r.tap("Take off")
	if !r.svc.has("UntagContacts 1 1 2 3") {
		t.Errorf("calls %q", r.svc.calls)
	}
}

// TestTags: all tags are listed; who has one is shown, and it is renamed and removed.
func TestTags(t *testing.T) {
	f := shop("en")
	r := newRig(t, "en", f)
	r.w.command("tags").fire()
	r.run()
	r.wants("No tags yet.")
	r.tap("Close")
	f.tags, f.tagged = []model.Tag{{ID: 1, Name: "member"}, {ID: 2, Name: "guest"}}, tagged{1: {1, 2, 3}}
	r.w.recipients.load()
	r.run()
	r.w.command("tags").fire()
	r.run()
	r.wants("member", "guest", "3")
	if r.enabled("Rename") || r.enabled("Remove") || r.enabled("Show people") {
		t.Error("something can be done with no tag")
	}
	r.table().Click(0, 0)
	r.run()
	r.tap("Rename")
	r.field("ui.account.name").SetText("fellow")
	r.press("Save")
	r.wants("fellow")
	r.tap("Remove")
	r.wants(`Remove the tag "fellow" from 3 people?`)
	r.tap("Cancel")
	r.tap("Show people")
	r.noDialog()
	r.wants("3 people", `tagged "fellow"`)
	r.w.tagsDialog()
	r.table().Click(1, 0)
	r.run()
	r.tap("Remove")
	r.tap("Remove")
	if !f.has("RemoveTag 2") {
		t.Errorf("calls %q", f.calls)
	}
}

// TestUndo: what was removed is told of, and comes back by the button, the menu and Ctrl+Z in the list, never from a field.
func TestUndo(t *testing.T) {
	r := newRig(t, "en", shop("en"))
	p := r.w.recipientsPane
	undo := r.w.command("undo")
	if undo.item.Label != "Undo" || !undo.item.Disabled || p.notice.root.Visible() {
		t.Errorf("at the start: %q, %v", undo.item.Label, undo.item.Disabled)
	}
	remove := func() {
		p.table.Click(0, 0)
		p.table.Click(4, fyne.KeyModifierShift)
		p.askRemove()
		r.run()
		r.press("Remove")
		r.w.recipients.changes = r.svc.changes
		r.wants("295 people")
	}
	p.table.Click(0, 0)
	p.table.Click(4, fyne.KeyModifierShift)
	p.askRemove()
	walk(r.top(), func(o fyne.CanvasObject) {
		if s, f, _ := label(o); s == "Remove" {
			f()
		}
	})
	r.idle(r.w.tasks) // the line goes after a while: no timer runs
	r.frame()
	r.wants("5 people removed", "295 people")
	if undo.item.Label != "Undo: 5 people removed" || undo.item.Disabled {
		t.Errorf("the menu says %q", undo.item.Label)
	}
	walk(r.top(), func(o fyne.CanvasObject) {
		if s, f, _ := label(o); s == "Undo" {
			f()
		}
	})
	r.idle(r.w.tasks)
	r.frame()
	r.wants("300 people", "Undone: 5 people removed.")
	r.run()

	remove()
	r.w.win.Canvas().Focus(p.search)
	p.search.TypedShortcut(&fyne.ShortcutUndo{})
	r.run()
	r.wants("295 people")
	p.table.TypedShortcut(&fyne.ShortcutUndo{})
	r.run()
	r.wants("300 people")
	remove()
	undo.fire()
	r.run()
	r.wants("300 people")
	undo.fire()
	r.run()
	r.wants("There is nothing to take back.")
}

// TestNoticeGoes: the line about what was done goes by itself.
func TestNoticeGoes(t *testing.T) {
	r := newRig(t, "en", shop("en"))
	n := r.w.recipientsPane.notice
	n.say("done", true)
	r.frame()
	r.wants("done", "Undo")
	r.run()
	if n.root.Visible() {
		t.Error("it stays")
	}
}

// TestMerge: the one who is kept is chosen; one, or very many, cannot be merged.
func TestMerge(t *testing.T) {
	r := newRig(t, "en", shop("en"))
	table := r.w.recipientsPane.table
	table.OnAll()
	r.w.mergeDialog()
	r.run()
	r.wants("select from 2 to 20 of them")
	r.tap("OK")
	table.Click(0, 0)
	table.Click(2, fyne.KeyModifierShift)
	r.tap("More")
	r.menu("Merge")
	r.wants("These 3 entries become one.", "Anna Bell  <10086000@qq.com>", "10086074@126.com is kept.")
	walk(r.top(), func(o fyne.CanvasObject) {
		if g, ok := o.(*widget.RadioGroup); ok {
			g.SetSelected("Tom Reed  <customer001@163.com>")
		}
	})
	r.run()
	r.wants("customer001@163.com is kept.", "the other 2")
	r.tap("Merge")
	r.noDialog()
	if !r.svc.has("MergeContacts 2 1 3") {
		t.Errorf("calls %q", r.svc.calls)
	}
	r.wants("298 people")
}

func TestAddToList(t *testing.T) {
	r := newRig(t, "en", shop("en"))
	r.w.recipientsPane.table.Click(1, 0)
	r.w.addToListDialog()
	r.run()
	r.wants("One person is selected.")
	if r.enabled("Add") {
		t.Error("without a list")
	}
	r.typed("  Newcomers ")
	r.tap("Add")
	if !r.svc.has("AddToList Newcomers 2") {
		t.Errorf("calls %q", r.svc.calls)
	}
}

// TestRowMenu: a secondary click selects the row that is not selected, and leaves a selection that it is in.
func TestRowMenu(t *testing.T) {
	r := newRig(t, "en", shop("en"))
	table := r.w.recipientsPane.table
	table.OnMenu(3, fyne.NewPos(50, 400))
	r.run()
	if got := r.w.recipients.selection()(); !slices.Equal(got, []int64{4}) {
		t.Errorf("selected %v", got)
	}
	r.menu("Details")
	r.wants("Jack Hall")
	r.tap("Cancel")
	table.OnAll()
	table.OnMenu(3, fyne.NewPos(50, 400))
	r.run()
	if n := r.w.recipients.selectedCount(); n != 300 {
		t.Errorf("%d selected", n)
	}
	r.menu("Tag")
	r.wants("300 people are selected.")
}

// TestPersonTags: tags and lists of a person are shown; what is put on and taken off counts when the page is saved, and
// nothing else is saved with it.
func TestPersonTags(t *testing.T) {
	f := shop("en")
	f.tags, f.tagged = []model.Tag{{ID: 1, Name: "member"}, {ID: 2, Name: "guest"}}, tagged{1: {1}}
	r := newRig(t, "en", f)
	r.w.contactDialog(f.contacts[0])
	r.run()
	r.wants("member", "Autumn fair")
	r.entry(r.text("ui.tag.hint")).SetText("Guest")
	r.tap("Add")
	r.wants("guest")
	r.entry(r.text("ui.tag.hint")).SetText("vip")
	r.press("Save")
	r.noDialog()
	if !f.has("TagContacts guest 1") || !f.has("TagContacts vip 1") || f.has("SaveContact") {
		t.Errorf("calls %q", f.calls)
	}
	fld := newTagsField(r.w)
	fld.set([]model.Tag{{ID: 1, Name: "member"}})
	fld.names = []string{"vip"}
	if put, take := fld.changes(); !slices.Equal(put, []string{"vip"}) || !slices.Equal(take, []int64{1}) {
		t.Errorf("put %v, take %v", put, take)
	}
}

// TestFilteredStart: who sees only some people is asked whether the letter is for them alone.
func TestFilteredStart(t *testing.T) {
	f := shop("en")
	r := newRig(t, "en", f)
	r.w.recipients.setFilter(model.Filter{Conditions: []model.Condition{{What: model.WhereAddress, Op: model.OpEnds, Text: "@qq.com"}}})
	r.run()
	r.w.command("start").fire()
	r.run()
	r.wants(`You see 60 people: Address ends with "@qq.com".`)
	r.tap("The whole list")
	r.wants("Before it is sent", "Autumn fair")
	if f.checked.SegmentID != 0 || f.checked.ListID != 1 {
		t.Errorf("checked %+v", f.checked)
	}
	r.tap("Cancel")
	r.w.command("start").fire()
	r.run()
	r.tap("Only these people…")
	r.field("ui.account.name").SetText("On QQ")
	r.press("Save")
	r.wants("Before it is sent", "Segment: On QQ")
	if f.checked.SegmentID != 1 || f.checked.ListID != 0 {
		t.Errorf("checked %+v", f.checked)
	}
	if name := r.field("ui.check.name").Text; !strings.HasPrefix(name, "On QQ ") {
		t.Errorf("it is called %q", name)
	}
	r.pick(0, "Old members")
	if f.checked.SegmentID != 1 || f.checked.ListID != 2 {
		t.Errorf("checked %+v", f.checked)
	}
	r.wants("287 people of Old members · On QQ")
}
