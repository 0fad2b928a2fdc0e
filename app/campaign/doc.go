// Package campaign runs a campaign: it claims deliveries from the journal, hands them to sessions of smtpx
// within the limits of each account, and records what became of every one.
//
// It must not know SQLite, Fyne, or the words shown to the user: it speaks in states, scopes and codes.
package campaign
