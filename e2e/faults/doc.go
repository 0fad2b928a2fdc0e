// Package faults plays every fault at every step of a conversation with a server, and holds what becomes of the
// recipient, of the account and of the campaign to the table in docs/reliability.md.
//
// Runner, journal and engine are the real ones; the server stands at the other end of a pipe in memory, and time is the
// bubble's of testing/synctest, so that a server that is silent for ten minutes costs none.
//
// The package must not know how the outcome comes about.
package faults
