package model

import "time"

// Filter chooses people by what is known of them. The zero Filter chooses everybody.
type Filter struct {
	Any        bool        `json:"any,omitempty"` // one condition is enough; else all of them have to hold
	Conditions []Condition `json:"conditions,omitempty"`
}

// Empty reports whether a filter chooses everybody.
func (f Filter) Empty() bool { return len(f.Conditions) == 0 }

// ConditionKind is what a condition looks at.
type ConditionKind string

// The kinds of conditions.
const (
	WhereAddress    ConditionKind = "address"    // Op, Text
	WhereName       ConditionKind = "name"       // Op, Text
	WhereField      ConditionKind = "field"      // Field, Op, Text
	WhereSource     ConditionKind = "source"     // Op, Text: where the address came from
	WhereAdded      ConditionKind = "added"      // OpBefore or OpAfter, Text: a day as 2006-01-02, in local time
	WhereList       ConditionKind = "list"       // ID: is on a list
	WhereTag        ConditionKind = "tag"        // ID: has a tag
	WhereSent       ConditionKind = "sent"       // ID: the letter of a campaign was accepted for them; 0: of any; Not: nor may it have been
	WhereBounced    ConditionKind = "bounced"    // the latest letter to them was refused for good because of the address
	WhereConsent    ConditionKind = "consent"    // how they agreed is recorded
	WhereSuppressed ConditionKind = "suppressed" // they are never mailed
)

// ConditionOp says how a text is compared. Letters in either case are the same.
type ConditionOp string

// The ways to compare. More and less compare numbers where both sides are numbers, days where both are days, and hold
// for nobody else.
const (
	OpContains ConditionOp = "contains"
	OpIs       ConditionOp = "is"
	OpStarts   ConditionOp = "starts"
	OpEnds     ConditionOp = "ends" // with an address: "@example.com"
	OpEmpty    ConditionOp = "empty"
	OpMore     ConditionOp = "more"
	OpLess     ConditionOp = "less"
	OpBefore   ConditionOp = "before"
	OpAfter    ConditionOp = "after" // on that day or later
)

// conditionOps are the ways in which kinds of conditions compare; nil where there is nothing to compare.
var conditionOps = map[ConditionKind][]ConditionOp{
	WhereAddress: {OpContains, OpIs, OpStarts, OpEnds},
	WhereName:    {OpContains, OpIs, OpStarts, OpEnds, OpEmpty},
	WhereField:   {OpContains, OpIs, OpStarts, OpEnds, OpMore, OpLess, OpEmpty},
	WhereSource:  {OpContains, OpIs, OpStarts, OpEnds, OpEmpty},
	WhereAdded:   {OpBefore, OpAfter},
	WhereList:    nil, WhereTag: nil, WhereSent: nil, WhereBounced: nil, WhereConsent: nil, WhereSuppressed: nil,
}

// Ops are the ways in which a kind of condition compares, none where it compares nothing; known is false for what is
// no kind.
func (k ConditionKind) Ops() (ops []ConditionOp, known bool) {
	ops, known = conditionOps[k]
	return ops, known
}

// Condition is one thing that has to be true of a person or, with Not, must not be.
type Condition struct {
	What  ConditionKind `json:"what"`
	Not   bool          `json:"not,omitempty"`
	Field string        `json:"field,omitempty"`
	Op    ConditionOp   `json:"op,omitempty"`
	Text  string        `json:"text,omitempty"`
	ID    int64         `json:"id,omitempty"`
}

// Segment is a filter with a name. Who belongs to it is asked anew each time; a campaign freezes who that was.
type Segment struct {
	ID        int64
	Name      string
	Filter    Filter
	UpdatedAt time.Time
}

// Tag is a word that a user puts on people.
type Tag struct {
	ID    int64
	Name  string
	Count int
}

// Change is something that the user did to people by hand and can take back.
type Change struct {
	ID   int64
	Kind ChangeKind
	N    int    // how many people it was done to
	What string // the name of a list or tag, or the address of the one person; "" where there is none
	At   time.Time
}

// ChangeKind is what was done.
type ChangeKind string

// The kinds of changes.
const (
	ChangeEdit    ChangeKind = "edit"
	ChangeAdd     ChangeKind = "add"
	ChangeRemove  ChangeKind = "remove"   // altogether
	ChangeOffList ChangeKind = "off_list" // from one list
	ChangeOnList  ChangeKind = "on_list"
	ChangeTag     ChangeKind = "tag"
	ChangeUntag   ChangeKind = "untag"
	ChangeMerge   ChangeKind = "merge"
	ChangeConsent ChangeKind = "consent"
)

// Prospect is what an import would do, counted before anything is stored. Read = Added + Updated + Duplicate + Invalid +
// Suppressed, as in ImportReport.
type Prospect struct {
	Read, Added, Updated, Duplicate, Invalid, Suppressed int
	// Partial is set where only the beginning of a very large source was counted.
	Partial bool
}
