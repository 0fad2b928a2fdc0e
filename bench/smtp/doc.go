// Command smtp compares smtpx with other ways to send many letters, on this machine and nowhere else: every server,
// and the long line before it, is a process that it starts on loopback. It is a module of its own, so that what it
// compares with is no dependency of the product.
//
// It is run by `make bench-smtp`, and writes its table into docs/performance.md.
package main
