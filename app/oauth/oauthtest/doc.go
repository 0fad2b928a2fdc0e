// Package oauthtest is an authorization server for tests: it listens on loopback, gives and refuses what a test wants,
// checks each request as strictly as RFC 6749, RFC 7636 and RFC 8628 allow, and plays the user and the browser.
package oauthtest
