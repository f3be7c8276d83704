package endpoint

import (
	"regexp"
	"strings"
)

// signature is how a cause of failure shows in the log, or in what the daemon
// printed. Each has a record of a real daemon in testdata/failures, of its
// name.
type signature struct {
	name string
	// all are regular expressions that must match, each within a line.
	all           []string
	cause, remedy string
}

// signatures are tried in order; the first that is there is the cause. The
// order is from the particular to the general, for one failure often drags
// others behind it.
func signatures() []signature {
	const (
		login = "chiltepin login --force"
		https = "check that this machine may open connections to port 443, and try again"
	)
	return []signature{
		{"identity-unknown", []string{`Failed to determine identity set`}, "the login works for the service but Globus Auth did not say who it is", login},
		{"login-expired", []string{`invalid_grant`}, "Globus Auth refused the login: it has expired or was revoked", login},
		{"login-refused", []string{`Auth API error occurred`}, "Globus Auth refused the login", login},
		{"login-missing", []string{`Please authenticate with Globus here`}, "the daemon found no login", "chiltepin login"},
		{"another-runs", []string{`Another instance of this endpoint is running`}, "daemon.pid says that another daemon of this endpoint runs, perhaps on another machine", "stop it there, or wait 90 seconds and try again"},
		{"registration-locked", []string{`Endpoint registration blocked.*LOCKED`}, "the service has locked the endpoint, as it does after a remote stop", "wait a few minutes and try again"},
		{"registration-gone", []string{`Endpoint registration blocked.*ENDPOINT_NOT_FOUND`}, "the service does not know the UUID of endpoint.json: its registration was deleted", "remove endpoint.json, and the next start registers it under another UUID"},
		{"email-missing", []string{`require a contact email`}, "as root the daemon demands a contact address", "add a line such as \"email: you@example.org\" to config.yaml"},
		{"config-engine", []string{"contains an `engine` field"}, "config.yaml has an engine, which belongs in user_config_template.yaml.j2", "move the engine block to user_config_template.yaml.j2"},
		{"config-invalid", []string{`validation errors? for \w*Config|Failed to find or parse endpoint configuration`}, "the daemon does not understand config.yaml", "mend config.yaml as the lines say"},
		{"config-missing", []string{`Failed to find endpoint configuration`}, "the daemon does not find the endpoint's directory", "chiltepin endpoint list"},
		{"daemon-too-old", []string{`VersionMismatch`}, "the service wants a newer release of the daemon", "chiltepin runtime install"},
		{"answer-401", []string{`APIError: \(.*, 401, `}, "the service answered 401: it did not accept the login", login},
		{"answer-403", []string{`APIError: \(.*, 403, `}, "the service answered 403: the login may not register this endpoint", "see with chiltepin whoami that it is the right identity, or: " + login},
		{"answer-429", []string{`APIError: \(.*, 429, `}, "the service answered 429: it is asked too often", "try again in a minute"},
		{"answer-500", []string{`APIError: \(.*, 50[0234], `}, "the service has trouble of its own", "try again later"},
		{"registration-refused", []string{`Endpoint registration blocked`}, "the service refused to register the endpoint; its words are in the lines", ""},
		{brokerLogin, []string{`invalid credentials; unrecoverable`}, "the broker refused the password that the service gave the endpoint", "start it again: each start gets a new one; if it stays so, the service has trouble of its own"},
		{"certificate", []string{`CERTIFICATE_VERIFY_FAILED`}, "the certificate of the service, or of a proxy in between, is not trusted", "have GLOBUS_SDK_VERIFY_SSL name the file of the authority's certificate"},
		{"name-unknown", []string{`Name or service not known|Temporary failure in name resolution|No address associated with hostname`}, "the name of the service could not be resolved", "check the network and its name servers, and try again"},
		{"proxy-refuses", []string{`Tunnel connection failed`}, "the proxy refuses to open the way to the service", "check HTTPS_PROXY, and what its administrator allows"},
		{"proxy-unreachable", []string{`ProxyError\(.*NewConnectionError`}, "the proxy could not be reached", "check HTTPS_PROXY"},
		{"service-silent", []string{`GlobusConnectionTimeoutError|GlobusTimeoutError`}, "the service did not answer in time", https},
		{"service-unreachable", []string{`Network failure|NetworkError|GlobusConnectionError`}, "the service could not be reached", https},
		{"disk-full", []string{`No space left on device|Disk quota exceeded`}, "the disk is full, or the quota is used up", "make room and try again"},
		{"disk-read-only", []string{`Read-only file system`}, "the file system is read-only", "choose another configuration directory with -c, or have it mounted for writing"},
		{"module-missing", []string{`ModuleNotFoundError`}, "the runtime lacks a Python module", "chiltepin runtime install"},
		{"module-unfit", []string{`ImportError`}, "the runtime's Python modules do not fit together", "chiltepin runtime install"},
		{"store-unreadable", []string{`unable to open database file`}, "the file of the tokens cannot be opened", "chiltepin login"},
		{"store-locked", []string{`database is locked`}, "the file of the tokens is locked by another program", "try again"},
	}
}

// brokerLogin is the signature of a password that the broker refuses.
const brokerLogin = "broker-login"

// diagnose finds the cause in the lines, and is zero when it is not known.
func diagnose(lines []string) signature {
	text := strings.Join(lines, "\n")
	for _, s := range signatures() {
		found := true
		for _, part := range s.all {
			found = found && regexp.MustCompile(part).MatchString(text)
		}
		if found {
			return s
		}
	}
	return signature{}
}
