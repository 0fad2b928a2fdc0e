// Package ui is the window: four panes in resizable splits, a toolbar, menus and dialogs, in Chinese and English.
//
// View models (files *_vm.go) hold what the window shows and no Fyne type; panes lay it out. Everything that may
// wait for a disk or a network runs in the background and comes back through Tasks, on the goroutine of the
// window. The package must know neither the database nor SMTP nor which driver draws it: it never imports
// fyne/app, so that its tests need no display.
package ui
