// Package campaign runs a campaign: it claims deliveries from the journal, hands them to sessions of smtpx
// within the limits of each account, and records what became of every one.
//
// A [Runner] is one campaign at work. Its manager, one goroutine, keeps a few claimed deliveries in hand and
// opens connections where an account may send; each connection is a goroutine that pulls letters as its
// account's limits grant them, so accounts share a campaign by what each may still send. [Accounts] is what is
// known of the accounts, shared by all runners of a process.
//
// The promise that nobody is mailed twice rests on three calls: the intent is written when the envelope goes
// out (Transaction.Begin), is durable before the final dot (Transaction.BeforeDot), and the result is recorded
// when it is read (Transaction.Done). What the process cannot know after that is left in doubt, for the user.
//
// What waits in memory is measured by the time that truly passed, sleep included, whatever the wall clock is set to;
// schedules, the journal and what people see go by the wall clock. trueTime turns the one into the other.
//
// The package must not know SQLite, Fyne, or the words shown to the user: it speaks in states, scopes and codes.
package campaign
