// Package smtptest has the two servers that letters can be tried on without a letter leaving the machine.
//
// The practice server ([Start]) is a whole ESMTP server for loopback: TLS with a certificate made on the spot, AUTH,
// PIPELINING, CHUNKING, 8BITMIME, SIZE, SMTPUTF8 and DSN. It keeps what it gets as .eml files, or only counts, and
// delivers nothing. It is strict where real servers differ, so that a client that satisfies it has nothing to fear: bare
// CR or LF, NUL, lines above 998 octets and undeclared 8-bit text are refused. Its moods let a person rehearse what
// goes wrong in the field. It is part of the program, not only of its tests.
//
// The scripted server ([Script], [Pipe]) plays one dialogue octet by octet, for what real servers do but do not do on
// demand: replies split anywhere, silence, resets, nonsense.
//
// The package must not know the store, the campaign or the window, and it must not link package testing into the
// program.
package smtptest
