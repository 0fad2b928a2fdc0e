// Package crash shows that a campaign loses nobody and mails nobody twice, whatever ends the program: kill -9 at random
// moments, power that fails between two writes to the disk, and the order of the system calls themselves.
//
// The tests run a campaign in a process of their own (the test's program, started again), on a real data folder, against
// a practice server that counts letters by recipient in the test's process.
//
// The package must not know how the journal keeps its promise, only what the promise is.
package crash
