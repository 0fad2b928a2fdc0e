// Package ctl runs hongyanctl for end-to-end tests, as a script would: a data folder of its own, a clean environment,
// the exit code and both outputs.
//
// It must not know what is inside hongyanctl: tests that use it hold the contract with scripts.
package ctl
