// Package smtpx is an ESMTP client engine for programs that send many letters over few connections.
//
// A [Session] is one connection that has been greeted, secured and logged in by [Dial]. [Session.Run] sends
// what a [Source] hands out; [Session.Send] sends one letter; a [Pool] keeps the sessions of one account.
//
// # Round trips
//
// What a person waits for is round trips, so a session reads and writes in separate goroutines and keeps a
// queue of the replies it is owed. Where the server offers PIPELINING (RFC 2920) the whole envelope leaves in
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
