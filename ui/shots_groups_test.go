package ui

import (
	"testing"

	"fyne.io/fyne/v2"

	"hongyan/app/model"
)

// grouped is a rig whose people have tags and segments.
func (r *rig) grouped() {
	f, zh := r.svc, r.w.t.Lang() == "zh"
	member, guest, segment := "member", "guest of the fair", "Members on QQ"
	if zh {
		member, guest, segment = "会员", "展会来宾", "QQ 上的会员"
	}
	f.tags, f.tagged = []model.Tag{{ID: 1, Name: guest}, {ID: 2, Name: member}}, tagged{1: {1, 2, 3, 8}, 2: {1, 5, 8, 9, 11}}
	f.segments = []model.Segment{{ID: 1, Name: segment, Filter: model.Filter{Conditions: []model.Condition{
		{What: model.WhereAddress, Op: model.OpEnds, Text: "@qq.com"}, {What: model.WhereTag, ID: 2}}}}}
	r.w.recipients.load()
	r.run()
}

// groupScenes are the states of what sorts people.
var groupScenes = map[string]func(testing.TB, *rig){
	"filter": func(_ testing.TB, r *rig) {
		r.grouped()
		d := r.w.filterDialog()
		d.vm.rows = []model.Condition{{What: model.WhereAddress, Op: model.OpEnds, Text: "@qq.com"}, {What: model.WhereTag, Not: true, ID: 2}, {What: model.WhereConsent},
			{What: model.WhereField, Field: "city", Op: model.OpContains}, {What: model.WhereSent, Not: true}}
		d.vm.later()
		d.fill()
	},
	"filtered": func(_ testing.TB, r *rig) {
		r.grouped()
		r.w.recipients.setFilter(model.Filter{Conditions: []model.Condition{{What: model.WhereAddress, Op: model.OpEnds, Text: "@qq.com"}, {What: model.WhereConsent}}})
		r.run()
		r.w.recipientsPane.table.Click(0, 0)
		r.w.recipientsPane.table.Click(4, fyne.KeyModifierShift)
		r.run()
		r.w.recipientsPane.notice.say(r.w.changeWords(model.Change{Kind: model.ChangeTag, N: 5, What: r.svc.tags[1].Name}), true)
		r.timers = nil
	},
	"segment": func(_ testing.TB, r *rig) {
		r.grouped()
		r.w.showSegment(r.svc.segments[0])
	},
	"segmentname": func(_ testing.TB, r *rig) {
		r.grouped()
		r.w.segmentDialog(model.Segment{Filter: r.svc.segments[0].Filter}, func(model.Segment) {})
	},
	"tag": func(_ testing.TB, r *rig) {
		r.grouped()
		r.w.recipients.selectAll()
		r.w.tagDialog()
	},
	"tags": func(_ testing.TB, r *rig) {
		r.grouped()
		r.w.tagsDialog()
		r.table().Click(0, 0)
	},
	"merge": func(_ testing.TB, r *rig) {
		r.w.recipientsPane.table.Click(0, 0)
		r.w.recipientsPane.table.Click(2, fyne.KeyModifierShift)
		r.w.mergeDialog()
	},
	"addtolist": func(_ testing.TB, r *rig) {
		r.w.recipientsPane.table.Click(0, 0)
		r.w.addToListDialog()
	},
	"rowmenu": func(_ testing.TB, r *rig) {
		r.w.recipientsPane.rowMenu(3, fyne.NewPos(120, 480))
	},
	"listmenu": func(_ testing.TB, r *rig) {
		r.grouped()
		r.w.showSegment(r.svc.segments[0])
		r.run()
		r.w.recipientsPane.more.OnTapped()
	},
	"moremenu": func(_ testing.TB, r *rig) {
		r.w.recipientsPane.table.Click(0, 0)
		r.w.recipientsPane.actions.OnTapped()
	},
	"editrow": func(_ testing.TB, r *rig) {
		r.w.recipientsPane.table.Click(2, 0)
		r.run()
		r.w.recipientsPane.edit(2)
	},
	"persontags": func(_ testing.TB, r *rig) {
		r.grouped()
		r.openPerson(r.w.t.Lang())
	},
	"startfiltered": func(_ testing.TB, r *rig) {
		r.w.recipients.setFilter(model.Filter{Conditions: []model.Condition{{What: model.WhereAddress, Op: model.OpEnds, Text: "@qq.com"}}})
		r.run()
		r.w.checkDialog()
	},
	"checksegment": func(_ testing.TB, r *rig) {
		r.grouped()
		r.w.checkFor(1, 1)
	},
	"importcount": func(_ testing.TB, r *rig) {
		r.svc.preview = csvPreview()
		r.svc.preview.Sheets, r.svc.preview.Sheet = []string{"2025", "2026"}, "2025"
		r.svc.prospect = model.Prospect{Read: 12_345, Added: 12_000, Updated: 200, Duplicate: 100, Invalid: 40, Suppressed: 5}
		r.w.importDialog("/home/shop/customers.xlsx", "")
	},
	"domains": func(_ testing.TB, r *rig) {
		r.svc.domains = DomainReport{Domains: 5, People: 300, Unknown: 1, Dead: []DeadDomain{{"qq.con", "domain.missing", []int64{1, 2}}, {"old.example", "domain.refuses", []int64{3}}}}
		r.w.domainsDialog()
		r.run()
		r.tap(r.text("ui.domains.start", "n", "300"))
	},
	"domainsask": func(_ testing.TB, r *rig) { r.w.domainsDialog() },
	"cutoffpasted": func(_ testing.TB, r *rig) {
		r.w.cutOffDialog([]model.Import{{ID: 1, ImportSpec: model.ImportSpec{ListName: r.svc.lists[0].Name}, Rows: 40_000, StartedAt: r.svc.at(0)}})
	},
}
