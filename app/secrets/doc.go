// Package secrets keeps passwords, authorization codes and tokens: in the keychain of the operating system,
// or, where there is none, in a file sealed by a passphrase.
//
// It must not know accounts, databases or the window. A secret leaves it only by Get; no error or log line of
// this package ever holds one.
package secrets
