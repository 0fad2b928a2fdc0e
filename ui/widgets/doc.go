// Package widgets holds the parts that the window is built from and that Fyne does not have: a virtual list with
// columns and a selection of many, the log, the bar of outcomes, the sparkline, panes and empty states.
//
// It must know nothing of letters, accounts or campaigns: it shows what it is given.
package widgets
