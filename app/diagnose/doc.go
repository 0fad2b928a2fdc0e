// Package diagnose explains why a server refused: what happened, whom it is about, what Hongyan does by itself
// and what the person should do now.
//
// A reply is judged by provider, step and text, never by its first digit alone: the same 550 is a wrong login at
// AUTH, a dead address at RCPT and an unwanted text after the dot. The knowledge is in rules/*.json, which anyone can
// read and mend; the sentences are in the language files under "diag.<rule>.what", ".means" and ".do".
//
// Explain and ExplainError are functions of values: no clock, no disk, no network. The Doctor is the part that
// connects. The package must not know the window, the database, or which language the user reads.
package diagnose
