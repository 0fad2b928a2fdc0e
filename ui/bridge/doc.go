// Package bridge stands between the use cases and the window: it shows package app as the ui.Services that the
// window asks for. Only values cross it, in both directions.
//
// It must not know Fyne, the database, or the words shown to the user.
package bridge
