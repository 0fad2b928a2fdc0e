// Package disk takes the disk away from hongyanctl in the middle of a campaign: full, limited, read-only, damaged,
// deleted, replaced, locked by another program. It holds what the user is told and what becomes of the recipients to
// the table in docs/reliability.md, mends the fault, and lets the campaign go on until everybody has one letter.
//
// What needs root (a small disk) is left out for others, who are told so. The package must not know what is inside
// hongyanctl, but for the names of its files.
package disk
