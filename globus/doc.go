// Package globus is the one door to Globus over HTTP: where its services
// live, which certificates and proxies lead there, how long an answer may
// take, when a request is tried again, and what a refusal means.
//
// It follows the environment variables of the Python SDKs, so that this
// program and the daemon it launches always speak to the same service. It
// never signs a request, never keeps a token, and never follows a redirect.
package globus
