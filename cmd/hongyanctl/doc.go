// Command hongyanctl is Hongyan without a window: the same engine and the same data folder, for scripts, for
// servers and for machines without a display.
//
// It must not know Fyne, and it holds no rule of the trade: it reads flags, calls package app, and prints.
package main
