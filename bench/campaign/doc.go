// Command campaign measures a whole campaign (audience claimed, suppression asked, message made, journal synced, every
// line traced) by hongyanctl, beside the bare engine that sends ready octets over as many connections, both to Postfix's
// smtp-sink; and how much memory hongyanctl takes for 10 thousand to 1 million recipients. It writes its part of
// docs/performance.md.
//
// It must not know what is inside hongyanctl.
package main
