// Package app holds the use cases that the window and hongyanctl share: accounts, recipients, letters,
// campaigns, progress, the practice server.
//
// It must not know SQLite (a Store is given to it), Fyne, or the words shown to the user: it speaks in values
// of app/model and in codes.
package app
