package diagnose

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	"hongyan/app/model"
)

// Fault is a failure of the network or of TLS: there is no reply to read.
type Fault string

// The faults.
const (
	FaultNone         Fault = ""
	FaultUnknown      Fault = "unknown"       // the dot was sent, no reply came
	FaultNoHost       Fault = "no-host"       // the name does not exist
	FaultDNS          Fault = "dns"           // the name service does not answer
	FaultRefused      Fault = "refused"       // nobody listens
	FaultTimeout      Fault = "timeout"       // silence
	FaultUnreachable  Fault = "unreachable"   // no way there
	FaultEOF          Fault = "eof"           // the line was cut
	FaultPlainPort    Fault = "plain-port"    // TLS spoken to a port that answers in plain text
	FaultTLSPort      Fault = "tls-port"      // plain text spoken to a port that waits for TLS
	FaultNotSMTP      Fault = "not-smtp"      // something else answers, such as a web server
	FaultCertExpired  Fault = "cert-expired"  // or not yet valid
	FaultCertName     Fault = "cert-name"     // for another name
	FaultCertUnknown  Fault = "cert-unknown"  // by an authority that is not known
	FaultTLSHandshake Fault = "tls-handshake" // no common version or suite
	FaultOther        Fault = "other"
)

func (f Fault) args(in Input) map[string]string {
	if f == FaultNone || in.Err == nil {
		return nil
	}
	return map[string]string{"detail": in.Err.Error(), "issuer": issuerOf(in.Err)}
}

// issuerOf names who signed the certificate that was refused, or is "?".
func issuerOf(err error) string {
	e, ok := errors.AsType[*tls.CertificateVerificationError](err)
	if !ok || len(e.UnverifiedCertificates) == 0 {
		return "?"
	}
	n := e.UnverifiedCertificates[0].Issuer
	if len(n.Organization) > 0 {
		return n.Organization[0]
	}
	if n.CommonName != "" {
		return n.CommonName
	}
	return "?"
}

// classify finds the fault behind an Input without a reply.
func classify(in Input) Fault {
	err := in.Err
	if err == nil {
		return FaultNone
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		if dns.IsNotFound {
			return FaultNoHost
		}
		return FaultDNS
	}
	if rec, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		head := string(rec.RecordHeader[:])
		switch {
		case strings.HasPrefix(head, "HTTP"), strings.HasPrefix(head, "<"):
			return FaultNotSMTP
		default:
			return FaultPlainPort
		}
	}
	if f := classifyCert(err); f != FaultNone {
		return f
	}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return FaultRefused
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETDOWN):
		return FaultUnreachable
	case timedOut(err):
		if in.TLS == model.TLSStart && in.Step == model.StepConnect && in.Port == 465 {
			return FaultTLSPort
		}
		return FaultTimeout
	}
	if _, ok := errors.AsType[tls.AlertError](err); ok {
		return FaultTLSHandshake
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		return FaultEOF
	}
	return FaultOther
}

func classifyCert(err error) Fault {
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok && e.Reason == x509.Expired {
		return FaultCertExpired
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return FaultCertName
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return FaultCertUnknown
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return FaultCertUnknown
	}
	return FaultNone
}

func timedOut(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, syscall.ETIMEDOUT) {
		return true
	}
	ne, ok := errors.AsType[net.Error](err)
	return ok && ne.Timeout()
}
