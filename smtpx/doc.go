// Package smtpx is an ESMTP client engine for programs that send many letters over few connections.
//
// A [Session] is one connection that has been greeted, secured and logged in by [Dial]. [Session.Run] sends
// what a [Source] hands out; [Session.Send] sends one letter:
//
//	from, err := smtpx.ParseAddress("me@example.com")
//	...
//	to, err := smtpx.ParseAddress("you@example.org")
//	...
//	s, err := smtpx.Dial(ctx, &smtpx.Config{Host: "smtp.example.com", Port: 465, Auth: &smtpx.Auth{User: "me", Secret: code}})
//	...
//	defer s.Close()
//	result := s.Send(ctx, &smtpx.Transaction{From: from, To: []smtpx.Address{to}, Body: write})
//
// Several sessions may run at once, each with a Source of its own or all with one. How many there should be, how long
// each may live and when to be slower depends on what a provider allows an account and on what it answered yesterday,
// which this package does not know: a caller opens and closes sessions as its limits say. [Session.Run] ends with
// [ErrSessionFull] at the limit that the server announced, and with [ErrStale] when a kept connection turns out to be gone.
//
// # Round trips
//
// What a person waits for is round trips, so a session keeps a queue of the replies it is owed and is read from
// whatever it writes: by a goroutine of its own, or by the writing one while that has nothing to do but wait for
// them, which costs a letter no change of goroutines. A [Source] that is a [Preparer] makes its next letter in that time. Where the server offers PIPELINING (RFC 2920) the whole envelope leaves in
// one write: two round trips a letter. With [Config.Overlap] the next envelope follows the body that is under
// way: one. With [Config.ChunkWindow] and CHUNKING (RFC 3030) up to 16 letters are on their way at once. Where
// a server offers none of this the session speaks in lockstep.
//
// # Outcomes
//
// Every transaction ends with exactly one [Result], with an [Outcome] for each recipient. Only the reply to the
// terminator (the final dot, or the last BDAT) decides: what the server says or does later changes nothing. A
// letter whose terminator never left is [NotSent]; one whose terminator left without a reply is [Unknown], and
// must not be sent again without being asked for. When a session dies, each transaction that it had begun still
// gets its result.
//
// # Secrets
//
// A login is never part of an [Event], a [Reply] or an [Error]: passwords and tokens are written by a path of
// their own that traces only the name of the mechanism, and a server that echoes them finds them masked. Nobody
// is logged in without TLS, except on the loopback interface or where [Config.AllowPlainAuth] says so, and no
// secret is offered to two mechanisms.
//
// The package knows nothing of campaigns, accounts, storage, retries or MIME: it is handed bytes and addresses,
// and reports what became of them.
package smtpx
