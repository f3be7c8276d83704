// Package sandbox is a stand-in for the Globus services that a Compute
// endpoint and its users speak to: Auth, Compute and the AMQP broker between
// them. It behaves rather than replays: codes are single-use and bound to
// their PKCE challenge, tokens expire and are revoked, an endpoint is online
// while its heartbeats arrive, and a task runs because a real endpoint took it
// from a queue. Faults can be ordered of every part.
//
// A Sandbox is an http.Handler first, for tests in one process, with whatever
// clock the test has (testing/synctest included). Start adds loopback
// listeners and an HTTPS CONNECT proxy with a certificate authority of its
// own, so that unmodified programs reach it under the production host names.
//
// The broker and its codec are packages of their own, sandbox/broker and
// sandbox/amqp, which know no service. Auth (files auth_*), Compute (compute_*)
// and the front (front_*: listeners, proxy, faults of HTTP, control path) stay
// together, on evidence: Compute uses 13 names of Auth; both use the front's
// account of the request under way (12 names), whose entry they fill in, and
// the journal, the clock, the settings and the secrets (35 names more); the
// front writes error answers and changes identities and tokens for Auth (11
// names); the state page reads the fields of both (42). Packages would need a
// fourth one below them to break that circle, and would export nearly all of
// it, to be imported by nobody else.
//
// It never listens beyond 127.0.0.1, never contacts the real services, keeps
// nothing on disk but what it is told to write, and is never part of the
// product: only tests and cmd/globus-sandbox import it.
package sandbox
