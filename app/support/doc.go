// Package support writes the file that a user passes to whoever helps them: one ZIP with versions, settings, accounts,
// campaigns, the latest failures with what the servers said, the log and the crash log. Whatever is written goes through
// a [Scrubber] first: secrets come out masked, and by choice every address becomes a pseudonym that stays the same
// throughout the file, so that one can still follow what happened to whom.
//
// It must not know the store, the window, or where secrets are kept: it is given what to write and what to hide.
package support
