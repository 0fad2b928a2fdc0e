// Package dnstest is a name server for tests: it listens on loopback, answers from a zone that a test gives, and counts
// what it was asked. It knows nothing of what is made of the answers.
package dnstest
