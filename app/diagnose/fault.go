package diagnose

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"

	"hongyan/app/model"
	"hongyan/app/provider"
	"hongyan/smtpx"
)

// Fault is a failure without a reply: of the network, of TLS, or found by the engine itself.
type Fault string

// The faults.
const (
	FaultNone          Fault = ""
	FaultUnknown       Fault = "unknown"        // the dot was sent, no reply came
	FaultNoHost        Fault = "no-host"        // the name does not exist
	FaultDNS           Fault = "dns"            // the name service does not answer
	FaultRefused       Fault = "refused"        // nobody listens
	FaultTimeout       Fault = "timeout"        // silence
	FaultPort25        Fault = "port25"         // silence on port 25, which access providers block
	FaultUnreachable   Fault = "unreachable"    // no way there
	FaultProxy         Fault = "proxy"          // the network is used through a proxy, which this connection did not take
	FaultEOF           Fault = "eof"            // the line was cut
	FaultPlainPort     Fault = "plain-port"     // TLS spoken to a port that answers in plain text
	FaultTLSPort       Fault = "tls-port"       // plain text spoken to a port that waits for TLS
	FaultNotSMTP       Fault = "not-smtp"       // something else answers, such as a web server
	FaultPortal        Fault = "portal"         // something else answers in the place of a known provider
	FaultGarbled       Fault = "garbled"        // a mail server, but not a reply
	FaultNoSTARTTLS    Fault = "no-starttls"    // STARTTLS is wanted and not offered
	FaultInjected      Fault = "injected"       // octets before the handshake
	FaultCertExpired   Fault = "cert-expired"   // its time is over
	FaultClock         Fault = "clock"          // not yet valid, or a large provider's is "expired": our clock
	FaultCertName      Fault = "cert-name"      // for another name
	FaultCertSelf      Fault = "cert-self"      // signed by itself
	FaultAntivirus     Fault = "antivirus"      // signed by a program that looks into mail
	FaultCertUnknown   Fault = "cert-unknown"   // by an authority that is not known
	FaultCertPinned    Fault = "cert-pinned"    // not the one the user accepted
	FaultTLSHandshake  Fault = "tls-handshake"  // no common version or suite
	FaultNoAuth        Fault = "no-auth"        // no login is offered
	FaultNoMechanism   Fault = "no-mechanism"   // none that fits
	FaultPlainAuth     Fault = "plain-auth"     // a login without TLS, which Hongyan does not do
	FaultSessionFull   Fault = "session-full"   // the server's letters a session are used up
	FaultTooBig        Fault = "too-big"        // over the server's SIZE
	FaultNoSMTPUTF8    Fault = "no-smtputf8"    // the address needs an extension
	FaultNoRequireTLS  Fault = "no-requiretls"  // RFC 8689 is not offered
	FaultAddress       Fault = "address"        // cannot be written in the envelope
	FaultLetter        Fault = "letter"         // cannot be written as a message
	FaultStopped       Fault = "stopped"        // the user stopped it
	FaultEngineRestart Fault = "engine-restart" // the session must be made anew; nothing was sent
	FaultOther         Fault = "other"
)

func (f Fault) args(in Input) map[string]string {
	if f == FaultNone || in.Err == nil {
		return nil
	}
	return map[string]string{"detail": innermost(in.Err), "issuer": issuerOf(in.Err)}
}

// innermost is the cause in its own words, without the layers that repeat host and step.
func innermost(err error) string {
	if e, ok := errors.AsType[*smtpx.Error](err); ok && e.Err != nil {
		err = e.Err
	}
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		err = e.Err
	}
	return err.Error()
}

// classify finds the fault behind an Input without a reply.
func classify(in Input) Fault {
	err := in.Err
	switch {
	case in.Step == model.StepCompose:
		return FaultLetter
	case err == nil:
		return FaultNone
	}
	for _, e := range engineFaults {
		if errors.Is(err, e.err) {
			return e.fault
		}
	}
	if errors.Is(err, smtpx.ErrParameter) {
		if in.Step == model.StepConnect {
			return FaultNoHost
		}
		return FaultAddress
	}
	if errors.Is(err, smtpx.ErrProtocol) {
		return classifySpeech(in, err.Error())
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		if dns.IsNotFound {
			return FaultNoHost
		}
		return FaultDNS
	}
	if rec, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return classifyHead(in, string(rec.RecordHeader[:]))
	}
	if f := classifyCert(in, err); f != FaultNone {
		return f
	}
	if f := classifyNetwork(in, err); f != FaultNone {
		return f
	}
	if in.Step == model.StepTLS {
		return FaultTLSHandshake // an alert of the server ("remote error"), or an offer that crypto/tls turns down
	}
	return FaultOther
}

// engineFaults are what the engine itself finds out.
var engineFaults = []struct {
	err   error
	fault Fault
}{
	{smtpx.ErrNoSTARTTLS, FaultNoSTARTTLS},
	{smtpx.ErrInjected, FaultInjected},
	{smtpx.ErrFingerprint, FaultCertPinned},
	{smtpx.ErrNoAuth, FaultNoAuth},
	{smtpx.ErrNoMechanism, FaultNoMechanism},
	{smtpx.ErrPlainAuth, FaultPlainAuth},
	{smtpx.ErrAuthProtocol, FaultGarbled},
	{smtpx.ErrSessionFull, FaultSessionFull},
	{smtpx.ErrTooBig, FaultTooBig},
	{smtpx.ErrNoSMTPUTF8, FaultNoSMTPUTF8},
	{smtpx.ErrNoRequireTLS, FaultNoRequireTLS},
	{smtpx.ErrNUL, FaultLetter},
	{smtpx.ErrLongLine, FaultLetter},
	{smtpx.ErrAborted, FaultStopped},
	{context.Canceled, FaultStopped},
	{smtpx.ErrStale, FaultEngineRestart},
	{smtpx.ErrReset, FaultEngineRestart},
	{smtpx.ErrChunking, FaultEngineRestart},
	{smtpx.ErrClosed, FaultEngineRestart},
}

// isTLSPort says whether a port speaks TLS from the first byte: 465 (RFC 8314), and 994 at NetEase.
func isTLSPort(port int) bool { return port == 465 || port == 994 }

// knownHost says whether the server is one of a large provider, whose certificate and service can be relied on.
func knownHost(host string) bool {
	_, ok := provider.ForHost(host)
	return ok
}

// classifyHead judges the first five octets of a server that was expected to speak TLS.
func classifyHead(in Input, head string) Fault {
	if isReply(head) {
		return FaultPlainPort
	}
	return somethingElse(in, head)
}

// classifySpeech judges what was expected to be a reply: the engine quotes it behind a colon.
func classifySpeech(in Input, said string) Fault {
	_, said, _ = strings.Cut(said, smtpx.ErrProtocol.Error()+": ")
	switch {
	case strings.HasPrefix(said, `\x15\x03`), strings.HasPrefix(said, `\x16\x03`):
		return FaultTLSPort // a TLS record: an alert, or a handshake
	case in.Step == model.StepConnect:
		return somethingElse(in, said)
	default:
		return FaultGarbled
	}
}

func somethingElse(in Input, head string) Fault {
	if knownHost(in.Host) && (strings.HasPrefix(head, "HTTP") || strings.HasPrefix(head, "<")) {
		return FaultPortal
	}
	return FaultNotSMTP
}

// isReply says whether octets can be the start of an SMTP reply.
func isReply(head string) bool {
	return len(head) >= 4 && head[0] >= '2' && head[0] <= '5' && isDigit(head[1]) && isDigit(head[2]) && (head[3] == ' ' || head[3] == '-')
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// classifyCert finds why a certificate was not taken. crypto/x509 looks at the time first, then at the name, then
// at who signed.
func classifyCert(in Input, err error) Fault {
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok && e.Reason == x509.Expired {
		if e.Cert != nil && in.Now.Before(e.Cert.NotBefore) || knownHost(in.Host) {
			return FaultClock
		}
		return FaultCertExpired
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		if knownHost(in.Host) {
			return FaultPortal
		}
		return FaultCertName
	}
	e, verified := errors.AsType[*tls.CertificateVerificationError](err)
	unknown, ok := errors.AsType[x509.UnknownAuthorityError](err)
	if !ok && !verified {
		return FaultNone
	}
	var chain []*x509.Certificate
	if verified {
		chain = e.UnverifiedCertificates
	} else if unknown.Cert != nil {
		chain = []*x509.Certificate{unknown.Cert}
	}
	switch {
	case slices.ContainsFunc(chain, signedByInspector):
		return FaultAntivirus
	case len(chain) == 1 && string(chain[0].RawIssuer) == string(chain[0].RawSubject):
		return FaultCertSelf
	default:
		return FaultCertUnknown
	}
}

// inspectors are words in the issuer's name of programs and devices that open TLS to look into mail.
var inspectors = []string{
	"avast", "avg technologies", "avg web", "kaspersky", "eset", "bitdefender", "dr.web", "g data", "norton", "symantec web", "mcafee web", "panda",
	"trend micro", "sophos", "fortinet", "fortigate", "zscaler", "netskope", "blue coat", "palo alto", "sonicwall", "barracuda", "checkpoint", "check point",
	"untangle", "adguard", "fiddler", "charles proxy", "mitmproxy", "portswigger",
	"360安全", "qihoo", "奇安信", "qianxin", "深信服", "sangfor", "火绒", "huorong", "瑞星", "rising", "金山", "kingsoft", "江民", "天融信", "topsec", "绿盟", "nsfocus", "山石", "hillstone",
}

func signedByInspector(c *x509.Certificate) bool {
	name := strings.ToLower(c.Issuer.String())
	return slices.ContainsFunc(inspectors, func(w string) bool { return strings.Contains(name, w) })
}

// issuerOf names who signed the certificate that was refused, or is "?".
func issuerOf(err error) string {
	e, ok := errors.AsType[*tls.CertificateVerificationError](err)
	if !ok || len(e.UnverifiedCertificates) == 0 {
		return "?"
	}
	n := e.UnverifiedCertificates[0].Issuer
	if n.CommonName != "" {
		return n.CommonName
	}
	if len(n.Organization) > 0 {
		return n.Organization[0]
	}
	return "?"
}

// The error numbers of Windows sockets, which package syscall does not map to those of POSIX.
const (
	wsaNetDown     syscall.Errno = 10050
	wsaNetUnreach  syscall.Errno = 10051
	wsaConnAborted syscall.Errno = 10053
	wsaConnReset   syscall.Errno = 10054
	wsaTimedOut    syscall.Errno = 10060
	wsaConnRefused syscall.Errno = 10061
	wsaHostUnreach syscall.Errno = 10065
)

func classifyNetwork(in Input, err error) Fault {
	is := func(targets ...error) bool {
		return slices.ContainsFunc(targets, func(t error) bool { return errors.Is(err, t) })
	}
	dialing := in.Step == model.StepConnect
	if op, ok := errors.AsType[*net.OpError](err); ok {
		dialing = dialing && op.Op == "dial"
		if dialing && op.Addr != nil {
			if f := classifyAddress(in, op.Addr.String()); f != FaultNone {
				return f
			}
		}
	}
	switch {
	case is(syscall.ECONNREFUSED, wsaConnRefused):
		return FaultRefused
	case is(syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.ENETDOWN, wsaNetUnreach, wsaHostUnreach, wsaNetDown):
		return FaultUnreachable
	case is(context.DeadlineExceeded, os.ErrDeadlineExceeded, syscall.ETIMEDOUT, wsaTimedOut), timedOut(err):
		switch {
		case in.Step == model.StepConnect && !dialing && in.TLS != model.TLSImplicit && isTLSPort(in.Port):
			return FaultTLSPort // it waits for our hello, we for its greeting
		case in.Step == model.StepConnect && in.Port == 25:
			return FaultPort25
		case dialing && in.Proxy:
			return FaultProxy
		}
		return FaultTimeout
	case is(io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, syscall.ECONNRESET, syscall.ECONNABORTED, syscall.EPIPE, wsaConnReset, wsaConnAborted):
		if in.Step == model.StepConnect && in.TLS != model.TLSImplicit && isTLSPort(in.Port) {
			return FaultTLSPort // it has given up waiting
		}
		return FaultEOF
	}
	return FaultNone
}

// fakeAddresses are what proxy programs answer name look-ups with (RFC 2544 sets the range aside for tests).
var fakeAddresses = netip.MustParsePrefix("198.18.0.0/15")

// classifyAddress judges the address that a name was looked up to, when the connection to it failed.
func classifyAddress(in Input, addr string) Fault {
	ap, err := netip.ParseAddrPort(addr)
	if err != nil {
		return FaultNone
	}
	ip := ap.Addr().Unmap()
	switch {
	case fakeAddresses.Contains(ip):
		return FaultProxy
	case knownHost(in.Host) && (ip.IsPrivate() || ip.IsLoopback()):
		return FaultPortal
	}
	return FaultNone
}

func timedOut(err error) bool {
	ne, ok := errors.AsType[net.Error](err)
	return ok && ne.Timeout()
}
