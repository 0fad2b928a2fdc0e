// Package model holds the plain values that every other package of Hongyan speaks in: accounts, contacts,
// letters, campaigns, deliveries, their states and the error codes.
//
// It must know nothing but the standard library: no database, no network, no window. A type here has no
// behaviour beyond what its own fields decide.
package model
