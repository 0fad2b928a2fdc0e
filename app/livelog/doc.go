// Package livelog keeps the last lines of the conversations with mail servers in memory, for a window or a
// terminal to show as they happen.
//
// Sessions write events from their own goroutines; a reader asks for what is new a few times a second. A line
// is formatted when it is read, never when it is written. The package must not know who shows the lines, and it
// never sees a secret: smtpx has none in its events.
package livelog
