// Package journaltest is the conformance suite of the delivery journal: what every store must do so that nobody is
// mailed twice and nobody is forgotten. A second store passes it before the runner is let near it.
//
// It must know no store: it is given a [Factory], and speaks only in package model.
package journaltest
