package daemon

import (
	"regexp"
	"strings"

	"chiltepin/globus/next"
)

// Failure is a cause for which a daemon ends instead of serving.
type Failure struct {
	// Name is short and stable. testdata/failures has a record of a real
	// daemon of that name.
	Name string
	// Cause is a sentence.
	Cause string
	// Next is what to do about it. A step that is about the endpoint does not
	// name it.
	Next []next.Step
}

// BrokerPasswordRefused is the name of the failure of a daemon whose password
// the broker refuses.
const BrokerPasswordRefused = "broker-login"

// failurePattern is how a failure shows in the log, or in what the daemon
// printed.
type failurePattern struct {
	name string
	// expression is a regular expression that matches within a line.
	expression string
	cause      string
	next       []next.Step
}

// failurePatterns are tried in order; the first that matches is the cause. The
// order is from the particular to the general, for one failure often drags
// others behind it.
func failurePatterns() []failurePattern {
	var (
		login    = next.Call(next.Login, next.Args{"force": true}, "get a new login")
		newLogin = []next.Step{login}
		noLogin  = []next.Step{next.Call(next.Login, nil, "")}
		install  = []next.Step{next.Call(next.RuntimeInstall, nil, "")}
		https    = do("check that this machine may open connections to port 443, and try again")
	)
	return []failurePattern{
		{"identity-unknown", `Failed to determine identity set`, "the login works for the service but Globus Auth did not say who it is", newLogin},
		{"login-expired", `invalid_grant`, "Globus Auth refused the login: it has expired or was revoked", newLogin},
		{"login-refused", `Auth API error occurred`, "Globus Auth refused the login", newLogin},
		{"login-missing", `Please authenticate with Globus here`, "the daemon found no login", noLogin},
		{"another-runs", `Another instance of this endpoint is running`, "daemon.pid says that another daemon of this endpoint runs, perhaps on another machine", do("stop it on that machine, or wait 90 seconds and try again")},
		{"registration-locked", `Endpoint registration blocked.*LOCKED`, "the service has locked the endpoint, as it does after a remote stop", do("wait a few minutes and try again")},
		{"registration-gone", `Endpoint registration blocked.*ENDPOINT_NOT_FOUND`, "the service does not know the UUID of endpoint.json: its registration was deleted", do("remove endpoint.json, and the next start registers it under another UUID")},
		{"email-missing", `require a contact email`, "as root the daemon demands a contact address", do("add a line such as \"email: you@example.org\" to config.yaml")},
		{"config-engine", "contains an `engine` field", "config.yaml has an engine, which belongs in user_config_template.yaml.j2", do("move the engine block to user_config_template.yaml.j2")},
		{"config-invalid", `validation errors? for \w*Config|Failed to find or parse endpoint configuration`, "the daemon does not understand config.yaml", do("correct config.yaml as the log lines say")},
		{"config-missing", `Failed to find endpoint configuration`, "the daemon does not find the endpoint's directory", []next.Step{next.Call(next.EndpointList, nil, "see which endpoints there are")}},
		{"daemon-too-old", `VersionMismatch`, "the service wants a newer release of the daemon", install},
		{"answer-401", `APIError: \(.*, 401, `, "the service answered 401: it did not accept the login", newLogin},
		{"answer-403", `APIError: \(.*, 403, `, "the service answered 403: the login may not register this endpoint", []next.Step{next.Call(next.Whoami, nil, "see whether it is the right identity"), login}},
		{"answer-429", `APIError: \(.*, 429, `, "the service answered 429: it gets too many requests", do("try again in a minute")},
		{"answer-500", `APIError: \(.*, 50[0234], `, "the service is in trouble itself", do("try again later")},
		{"registration-refused", `Endpoint registration blocked`, "the service refused to register the endpoint; its words are in the log lines", nil},
		{BrokerPasswordRefused, invalidCredentials, "the broker refused the password that the service gave the endpoint", newPassword(next.EndpointStart)},
		{"certificate", `CERTIFICATE_VERIFY_FAILED`, "the certificate of the service, or of a proxy in between, is not trusted", do("set GLOBUS_SDK_VERIFY_SSL to the file with the certificate of the authority")},
		{"name-unknown", `Name or service not known|Temporary failure in name resolution|No address associated with hostname`, "the name of the service could not be resolved", do("check the network and its name servers, and try again")},
		{"proxy-refuses", `Tunnel connection failed`, "the proxy refuses the connection to the service", do("check HTTPS_PROXY, and ask the proxy's administrator what it allows")},
		{"proxy-unreachable", `ProxyError\(.*NewConnectionError`, "the proxy could not be reached", do("check HTTPS_PROXY")},
		{"service-silent", `GlobusConnectionTimeoutError|GlobusTimeoutError`, "the service did not answer in time", https},
		{"service-unreachable", `Network failure|NetworkError|GlobusConnectionError`, "the service could not be reached", https},
		{"disk-full", `No space left on device|Disk quota exceeded`, "the disk is full, or the quota is used up", do("make room and try again")},
		{"disk-read-only", `Read-only file system`, "the file system is read-only", do("choose another configuration directory, or have this one mounted for writing")},
		{"module-missing", `ModuleNotFoundError`, "the runtime lacks a Python module", install},
		{"module-unfit", `ImportError`, "the runtime's Python modules do not fit together", install},
		{"store-unreadable", `unable to open database file`, "the file of the tokens cannot be opened", noLogin},
		{"store-locked", `database is locked`, "the file of the tokens is locked by another program", do("try again")},
	}
}

// do is one step that no operation helps with.
func do(what string) []next.Step { return []next.Step{next.Do(what)} }

// FindFailure finds the cause in the lines of the log and of what the daemon
// printed, and is zero when they show none that is known.
func FindFailure(lines []string) Failure {
	text := strings.Join(lines, "\n")
	for _, p := range failurePatterns() {
		if regexp.MustCompile(p.expression).MatchString(text) {
			return Failure{Name: p.name, Cause: p.cause, Next: p.next}
		}
	}
	return Failure{}
}
