// Package store keeps everything that Hongyan remembers, in two SQLite files of one data folder: app.db
// (accounts, contacts, lists, imports, letters, suppressions, settings) and deliveries.db (campaigns with
// their snapshots, the delivery journal, the attempts that limits are counted from, cool-down clocks).
//
// Two files, because an import and a sender on one file starve each other; each file has one writing
// connection and a pool of readers. No promise spans both files: either half alone is harmless. Every commit
// is synced to the disk (synchronous=FULL), and the journal shares one commit among whatever waits for it.
//
// The journal's promise: Intend returns only when the row is on the disk, so a crash can make a delivery
// unknown but never makes it go twice; what Settle was told and could not be written stays in memory and is
// written as soon as the disk takes it again.
//
// The package must know nothing of the use cases, of SMTP or of windows: it imports package model, the SQLite
// driver and the standard library. It holds no secret. A second store (PostgreSQL, say) can stand beside it:
// package journaltest is the conformance suite that both must pass.
package store
