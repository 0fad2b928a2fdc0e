// Package proc starts programs for end-to-end tests so that none of them outlives the test: each leads a process group
// of its own, Stop ends them all, and a watchdog does so when the test's own process dies, however that goes. It works
// on Linux, as the tests that need it do.
//
// It must not know what the programs are.
package proc
