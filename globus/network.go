package globus

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"

	"chiltepin/globus/next"
)

// NetworkError is a request that got no answer: the service could not be
// reached, could not be trusted, or did not finish its answer in time.
type NetworkError struct {
	// Host is who was asked.
	Host string
	// Attempts is how often.
	Attempts int
	// Untrusted is true when a connection was made and its certificate was
	// not accepted, or what answered does not speak TLS.
	Untrusted bool
	// CAFile is the file of certificates that was in force, empty for the
	// system's.
	CAFile string
	// Err is the last cause.
	Err error
}

// Error names the host and the cause.
func (e *NetworkError) Error() string {
	if e.Untrusted {
		return fmt.Sprintf("the identity of %s cannot be trusted: %v", e.Host, e.Err)
	}
	times := ""
	if e.Attempts > 1 {
		times = fmt.Sprintf(" in %d attempts", e.Attempts)
	}
	return fmt.Sprintf("%s could not be reached%s: %s", e.Host, times, shortCause(e.Err))
}

// Unwrap is the last cause.
func (e *NetworkError) Unwrap() error { return e.Err }

// Next says what to do.
func (e *NetworkError) Next() []next.Step { return []next.Step{next.Do(e.remedy())} }

func (e *NetworkError) remedy() string {
	_, isProxy := errors.AsType[*ProxyError](e.Err)
	switch {
	case e.Untrusted && e.CAFile != "":
		return fmt.Sprintf("check that %s holds the certificate of the authority that signs for %s", e.CAFile, e.Host)
	case e.Untrusted:
		return "set GLOBUS_SDK_VERIFY_SSL to a file with the certificate of the authority that signs for " + e.Host
	case isProxy:
		return "check HTTPS_PROXY and NO_PROXY"
	}
	return "check the network, HTTPS_PROXY and NO_PROXY, and try again"
}

// ProxyError is a proxy that would not open a way to the service.
type ProxyError struct {
	// Status is its answer to CONNECT.
	Status string
	code   int
}

// Error tells what the proxy answered.
func (e *ProxyError) Error() string { return "the proxy answered " + e.Status }

// isUntrusted tells a certificate that is not accepted, and an answer that is
// no TLS at all, from a network that fails. Neither heals by trying again.
func isUntrusted(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return true
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return true
	}
	if _, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		return true
	}
	_, ok := errors.AsType[tls.RecordHeaderError](err)
	return ok
}

// shortCause says in a few words what the chains of net and syscall say in many.
func shortCause(err error) string {
	dns, isDNS := errors.AsType[*net.DNSError](err)
	switch {
	case isDNS && dns.IsNotFound:
		return "the name " + dns.Name + " is not known"
	case isDNS:
		return "the name " + dns.Name + " could not be looked up"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ECONNRESET):
		return "connection reset"
	case errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, errAttempt):
		return "no answer in time"
	}
	return strings.TrimPrefix(err.Error(), "net/http: ")
}
