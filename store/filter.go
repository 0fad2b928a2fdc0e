package store

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"hongyan/app/model"
)

// filtered is the set of those among some (nil: all) whom a filter chooses; it may hold others who are not among them.
// Each condition is a set by one query; the rest is bits. exact tells that all of them are there; else the set may
// hold ids of people who are gone, or never were.
//
// The cheap conditions come first; the later ones look only at those whom the earlier ones have not decided: where
// all have to hold, who is still chosen; where any does, who is not yet.
func (s *Store) filtered(ctx context.Context, f model.Filter, among idSet, highest int64) (all idSet, exact bool, err error) {
	if err := checkFilter(f); err != nil {
		return nil, false, err
	}
	cheaper := func(a, b model.Condition) int { return cmp.Compare(costs[a.What], costs[b.What]) }
	for _, c := range slices.SortedStableFunc(slices.Values(f.Conditions), cheaper) {
		set, err := s.condition(ctx, c, undecided(all, among, f.Any, highest), highest)
		if err != nil {
			return nil, false, err
		}
		if c.Not {
			set.not()
			set.trim(highest)
		}
		there := !c.Not && c.What != model.WhereConsent && c.What != model.WhereSent && c.What != model.WhereBounced
		switch {
		case all == nil:
			all, exact = set, there
		case f.Any:
			all.or(set)
			exact = exact && there
		default:
			all.and(set)
			exact = exact || there
		}
	}
	return all, exact, nil
}

// costs order the kinds of conditions: by an index, by what stands in the row, by text that is taken apart. Last are
// those who are never mailed: few are, so that to ask of them first spares the others little.
var costs = map[model.ConditionKind]int{
	model.WhereList: 0, model.WhereTag: 0, model.WhereSent: 1, model.WhereBounced: 1, model.WhereAdded: 2, model.WhereSource: 2,
	model.WhereConsent: 2, model.WhereAddress: 3, model.WhereName: 3, model.WhereField: 4, model.WhereSuppressed: 5,
}

// undecided are those among some to whom the next condition matters, after all the earlier ones made a set.
func undecided(all, among idSet, anyOf bool, highest int64) idSet {
	if all == nil {
		return among
	}
	rest := slices.Clone(all)
	if anyOf {
		rest.not()
		rest.trim(highest)
	}
	if among != nil {
		rest.and(among)
	}
	return rest
}

// maxFilterText is how many octets a condition may compare with; SQLite takes 50,000 in a pattern.
const maxFilterText = 4_000

// checkFilter looks at the form of a filter: EInvalid with the field "filter" where a condition is none, or compares
// in a way that it cannot; "filter.text" where there is nothing to compare with, or too much; "filter.number" where
// it is neither a number nor a day; "filter.day" where it is no day.
func checkFilter(f model.Filter) error {
	for _, c := range f.Conditions {
		if err := checkCondition(c); err != nil {
			return err
		}
	}
	return nil
}

func checkCondition(c model.Condition) error {
	invalid := func(field, value string) error { return model.E(model.EInvalid, nil, "field", field, "value", value) }
	ops, known := c.What.Ops()
	if !known {
		return invalid("filter", string(c.What))
	}
	if ops == nil {
		return nil
	}
	if !slices.Contains(ops, c.Op) {
		return invalid("filter", strings.TrimSpace(string(c.What)+" "+string(c.Op)))
	}
	if c.What == model.WhereField && c.Field == "" {
		return invalid("filter", string(c.What))
	}
	switch c.Op {
	case model.OpEmpty:
	case model.OpMore, model.OpLess:
		if _, number := asNumber(c.Text); !number {
			if _, day := asDay(c.Text); !day {
				return invalid("filter.number", c.Text)
			}
		}
	case model.OpBefore, model.OpAfter:
		if _, err := time.ParseInLocation(time.DateOnly, c.Text, time.Local); err != nil {
			return invalid("filter.day", c.Text)
		}
	default:
		if c.Text == "" || len(c.Text)+len(c.Field) > maxFilterText {
			return invalid("filter.text", c.Text)
		}
	}
	return nil
}

// condition is the set of those of whom a condition is true, its Not left aside; but whoever may have got a letter is
// not among those who did not. Of those who are not among some (nil: all) the set says nothing.
func (s *Store) condition(ctx context.Context, c model.Condition, among idSet, highest int64) (idSet, error) {
	from := func(q string, args ...any) (idSet, error) {
		return s.app.gather(ctx, among.ranges(highest), highest, onlyID, q, args...)
	}
	switch c.What {
	case model.WhereAddress:
		return s.withAddress(ctx, newTextTest(c), among, highest)
	case model.WhereName:
		return s.withName(ctx, newTextTest(c), among, highest)
	case model.WhereField:
		return s.withField(ctx, c, among, highest)
	case model.WhereSource:
		return s.fromSource(ctx, newTextTest(c), among, highest)
	case model.WhereAdded:
		day, err := time.ParseInLocation(time.DateOnly, c.Text, time.Local)
		if err != nil {
			return nil, err
		}
		if c.Op == model.OpBefore {
			return from(`SELECT id FROM contacts WHERE created < ? AND id BETWEEN ? AND ?`, ms(day))
		}
		return from(`SELECT id FROM contacts WHERE created >= ? AND id BETWEEN ? AND ?`, ms(day))
	case model.WhereList:
		if _, err := listName(lastCommit{ctx, s.app}, c.ID); err != nil {
			return nil, coded(err, s.app.path)
		}
		return from(`SELECT contact_id FROM list_members WHERE list_id = ? AND contact_id BETWEEN ? AND ?`, c.ID)
	case model.WhereTag:
		if _, err := tagName(lastCommit{ctx, s.app}, c.ID); err != nil {
			return nil, coded(err, s.app.path)
		}
		return from(`SELECT contact_id FROM contact_tags WHERE tag_id = ? AND contact_id BETWEEN ? AND ?`, c.ID)
	case model.WhereSent:
		return s.sent(ctx, c.ID, c.Not, highest)
	case model.WhereBounced:
		return s.bounced(ctx, highest)
	case model.WhereConsent: // most have one: the fewer are read
		set, err := from(`SELECT id FROM contacts WHERE consent = 0 AND id BETWEEN ? AND ?`)
		set.not()
		set.trim(highest)
		return set, err
	default:
		return s.suppressed(ctx, "", among, highest)
	}
}

// withAddress looks at the address as it is shown and as it is normalised: an international domain has two forms.
func (s *Store) withAddress(ctx context.Context, t textTest, among idSet, highest int64) (idSet, error) {
	const like = ` FROM contacts WHERE (email LIKE ?1 ESCAPE '\' OR address LIKE ?1 ESCAPE '\') AND id BETWEEN ? AND ?`
	if t.exact() {
		return s.app.gather(ctx, among.ranges(highest), highest, onlyID, `SELECT id`+like, t.pattern("", ""))
	}
	return s.app.gather(ctx, among.ranges(highest), highest, func(rows *sql.Rows) (int64, error) {
		var id int64
		var email, address sql.RawBytes
		err := rows.Scan(&id, &email, &address)
		if err == nil && (!among.matters(id) || !t.holds(email) && !t.holds(address)) {
			id = 0
		}
		return id, err
	}, `SELECT id, email, address`+like, t.pattern("", ""))
}

func (s *Store) withName(ctx context.Context, t textTest, among idSet, highest int64) (idSet, error) {
	const like = ` FROM contacts WHERE name LIKE ? ESCAPE '\' AND id BETWEEN ? AND ?`
	switch {
	case t.op == model.OpEmpty:
		return s.app.gather(ctx, among.ranges(highest), highest, onlyID, `SELECT id FROM contacts WHERE trim(name) = '' AND id BETWEEN ? AND ?`)
	case t.exact():
		return s.app.gather(ctx, among.ranges(highest), highest, onlyID, `SELECT id`+like, t.pattern("", ""))
	}
	return s.app.gather(ctx, among.ranges(highest), highest, func(rows *sql.Rows) (int64, error) {
		var id int64
		var name sql.RawBytes
		err := rows.Scan(&id, &name)
		if err == nil && (!among.matters(id) || !t.holds(name)) {
			id = 0
		}
		return id, err
	}, `SELECT id, name`+like, t.pattern("", ""))
}

// withField looks at one field. SQLite finds the rows whose JSON could tell that it holds; their values are then
// looked at one by one.
func (s *Store) withField(ctx context.Context, c model.Condition, among idSet, highest int64) (idSet, error) {
	t := newTextTest(c)
	name := toJSON(c.Field)
	could, pattern := `fields LIKE ? ESCAPE '\'`, "%"+escapeLike(name)+":%"
	switch t.op {
	case model.OpMore, model.OpLess:
	case model.OpEmpty: // it is there, and begins with something that can be seen
		could, pattern = `fields NOT GLOB ?`, "*[{,]"+escapeGlob(name)+`:"[^`+blanks+`]*`
	default:
		pattern = "%" + escapeLike(name) + ":" + t.pattern(`"`, `"`) + "%"
	}
	return s.app.gather(ctx, among.ranges(highest), highest, func(rows *sql.Rows) (int64, error) {
		var id int64
		var text sql.RawBytes
		if err := rows.Scan(&id, &text); err != nil || !among.matters(id) {
			return 0, err
		}
		found := t.op == model.OpEmpty
		if len(text) == 0 && found {
			return id, nil
		}
		err := eachField(text, func(n, quoted []byte) {
			if string(n) == name {
				value, plain := unquote(quoted)
				found = plain && t.holds(value)
			}
		})
		if !found {
			id = 0
		}
		return id, err
	}, `SELECT id, fields FROM contacts WHERE `+could+` AND id BETWEEN ? AND ?`, pattern)
}

// blanks are, for a set of GLOB, the characters with which a JSON string may begin and be empty, or blank, after all.
const blanks = "\"\\ \u0085\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"

// escapeGlob makes text mean itself in a pattern of GLOB.
func escapeGlob(text string) string {
	return strings.NewReplacer("*", "[*]", "?", "[?]", "[", "[[]").Replace(text)
}

// fromSource looks at the few sentences that there are, then for those who have one of them.
func (s *Store) fromSource(ctx context.Context, t textTest, among idSet, highest int64) (idSet, error) {
	texts, err := s.statements(ctx)
	if err != nil {
		return nil, err
	}
	texts[0] = ""
	var which []int64
	for id, text := range texts {
		if t.holds([]byte(text)) {
			which = append(which, id)
		}
	}
	return s.app.gather(ctx, among.ranges(highest), highest, onlyID,
		`SELECT id FROM contacts WHERE source IN (SELECT value FROM json_each(?)) AND id BETWEEN ? AND ?`, toJSON(append([]int64{}, which...)))
}
