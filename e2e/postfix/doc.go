// Package postfix holds no code. Its tests send through a real Postfix with Dovecot (package mailserver): first with
// smtpx alone, then whole campaigns with hongyanctl, and compare what lies in the mailbox with what was sent, octet
// by octet.
//
// They need root, because Postfix does, and fail where the packages are missing: make test installs them.
package postfix
