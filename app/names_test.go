package app_test

import (
	"testing"

	"hongyan/app"
	"hongyan/app/model"
)

// Names that act on a terminal, or that are not seen for what they are, are refused wherever one is given.
func TestNamesThatAreNotSeen(t *testing.T) {
	r := newRig(t)
	ctx, list, acct := t.Context(), r.people("l", 1), r.account("a", 25)
	l, err := r.ListByName(ctx, "l")
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", " \n", "a\nb", "a\x1b[31mb", "a\u202Eb", "a\u2028b", "a\x7fb", "a\xffb"} {
		_, create := r.CreateCampaign(ctx, app.CampaignSpec{Name: bad, ListID: list, Letter: letter, AccountIDs: []int64{acct.ID}})
		_, newList := r.CreateList(ctx, bad)
		_, add := r.AddToList(ctx, []int64{1}, bad)
		_, tag := r.TagContacts(ctx, []int64{1}, bad)
		errs := map[string]error{"campaign": create, "list": newList, "add to list": add, "tag": tag, "rename": r.RenameList(ctx, l.ID, bad),
			"segment": r.SaveSegment(ctx, &model.Segment{Name: bad, Filter: model.Filter{Conditions: []model.Condition{{What: model.WhereConsent}}}})}
		if bad != "" && bad != " \n" { // an account is then named by its address
			other := *acct
			other.Name = bad
			errs["account"] = r.SaveAccount(ctx, &other, "", false)
		}
		for what, err := range errs {
			if model.CodeOf(err) != model.EInvalid {
				t.Errorf("%s %q: %v", what, bad, err)
			}
		}
	}
	if _, err := r.CreateList(ctx, " 读书会 & co. 👨‍👩‍👧 "); err != nil {
		t.Error(err)
	}
	if _, err := r.ListByName(ctx, "读书会 & co. 👨‍👩‍👧"); err != nil {
		t.Error(err)
	}
}
