// Package mailserver runs a real Postfix with a real Dovecot for tests: submission with AUTH over STARTTLS and over
// implicit TLS, a certificate of its own, one mailbox that can be read as a Maildir and over IMAP. Everything
// lives in one temporary folder and on free ports of 127.0.0.1, and nothing can leave the machine: every domain is
// its own, and it has no client that could pass a letter on.
//
// The system's own Postfix and Dovecot are neither needed to run nor touched. Their programs start as root, so the
// caller has to be root. What was started ends with Stop, and also when the process that started it dies.
//
// It must not know the client that is tested.
package mailserver
