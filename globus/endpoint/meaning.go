package endpoint

import (
	"errors"
	"strings"
	"syscall"
)

// meaning says what an exit status of the daemon means: cli.py and
// core_endpoint.py use those of sysexits.h.
func meaning(status int) string {
	switch status {
	case 0:
		return "it ended in an orderly way, without serving"
	case 1:
		return "it reported an error"
	case 2:
		return "it did not understand its command line"
	case 65:
		return "the service refused what it was told about the endpoint"
	case 69:
		return "the service refused to register the endpoint"
	case 70:
		return "the service's answer did not fit the endpoint"
	case 73:
		return "daemon.pid says that another daemon of this endpoint runs"
	case 75:
		return "the network failed while it registered"
	case 77:
		return "the login was refused, or a file of the configuration may not be read"
	case 78:
		return "its configuration is wrong"
	case 126, 127:
		return "its program could not be run"
	}
	return ""
}

// signature is a text in the log, or in what the daemon printed, that gives
// away the cause.
type signature struct {
	// all must be there.
	all           []string
	cause, remedy string
}

// signatures are tried in order; the first that is there is the cause.
func signatures() []signature {
	const (
		login   = "chiltepin login --force"
		trouble = "the service has trouble of its own"
		later   = "try again later"
	)
	return []signature{
		{[]string{"Failed to determine identity set"}, "the login works for the service but Globus Auth did not say who it is", login},
		{[]string{"invalid_grant"}, "Globus Auth refused the login: it has expired or was revoked", login},
		{[]string{"Auth API error occurred"}, "Globus Auth refused the login", login},
		{[]string{"Please authenticate with Globus here"}, "the daemon found no login", "chiltepin login"},
		{[]string{"Aborted!"}, "the daemon asked a question that nobody could answer; most often it found no login", "chiltepin login"},
		{[]string{"Another instance of this endpoint is running"}, "daemon.pid says that another daemon of this endpoint runs, perhaps on another machine", "stop it there, or wait 90 seconds and try again"},
		{[]string{"Endpoint registration blocked", "LOCKED"}, "the service has locked the endpoint, as it does after a remote stop", "wait a few minutes and try again"},
		{[]string{"Endpoint registration blocked", "ENDPOINT_NOT_FOUND"}, "the service does not know the UUID of endpoint.json: its registration was deleted", "remove endpoint.json, and the next start registers it under another UUID"},
		{[]string{"require a contact email"}, "as root the daemon demands a contact address", "add a line such as \"email: you@example.org\" to config.yaml"},
		{[]string{"contains an `engine` field"}, "config.yaml has an engine, which belongs in user_config_template.yaml.j2", "move the engine block to user_config_template.yaml.j2"},
		{[]string{"Failed to find or parse endpoint configuration"}, "the daemon does not understand config.yaml", "mend config.yaml as the lines say"},
		{[]string{"Failed to find endpoint configuration"}, "the daemon does not find the endpoint's directory", "chiltepin endpoint list"},
		{[]string{"VersionMismatch"}, "the service wants a newer release of the daemon", "chiltepin runtime install"},
		{[]string{"APIError: (", ", 401, "}, "the service did not accept the login", login},
		{[]string{"APIError: (", ", 403, "}, "the service answered 403: the login may not register this endpoint", "see with chiltepin whoami that it is the right identity, or: " + login},
		{[]string{"APIError: (", ", 429, "}, "the service is asked too often", "try again in a minute"},
		{[]string{"APIError: (", ", 500, "}, trouble, later},
		{[]string{"APIError: (", ", 502, "}, trouble, later},
		{[]string{"APIError: (", ", 503, "}, trouble, later},
		{[]string{"APIError: (", ", 504, "}, trouble, later},
		{[]string{"Endpoint registration blocked"}, "the service refused to register the endpoint; its words are in the lines", ""},
		{[]string{"CERTIFICATE_VERIFY_FAILED"}, "the certificate of the service, or of a proxy in between, is not trusted", "have GLOBUS_SDK_VERIFY_SSL name the file of the authority's certificate"},
		{[]string{"Name or service not known"}, "the name of the service could not be resolved", "check the network, and try again"},
		{[]string{"Temporary failure in name resolution"}, "the name of the service could not be resolved", "check the network, and try again"},
		{[]string{"ProxyError"}, "the proxy refused the connection", "check HTTPS_PROXY"},
		{[]string{"Network failure"}, "the service could not be reached", "check that this machine may open connections to port 443, and try again"},
		{[]string{"NetworkError"}, "the service could not be reached", "check that this machine may open connections to port 443, and try again"},
		{[]string{"GlobusConnectionError"}, "the service could not be reached", "check that this machine may open connections to port 443, and try again"},
		{[]string{"GlobusConnectionTimeoutError"}, "the service did not answer in time", "check that this machine may open connections to port 443, and try again"},
		{[]string{"No space left on device"}, "the disk is full", "make room and try again"},
		{[]string{"Disk quota exceeded"}, "the disk quota is used up", "make room and try again"},
		{[]string{"Read-only file system"}, "the file system is read-only", ""},
		{[]string{"ModuleNotFoundError"}, "the runtime lacks a Python module", "chiltepin runtime install"},
		{[]string{"ImportError"}, "the runtime's Python modules do not fit together", "chiltepin runtime install"},
		{[]string{"pyprctl"}, "the runtime lacks what it needs of this system", "chiltepin runtime install"},
		{[]string{"unable to open database file"}, "the file of the tokens cannot be opened", "chiltepin login"},
		{[]string{"database is locked"}, "the file of the tokens is locked by another program", "try again"},
	}
}

// diskTrouble names the cause of a file that could not be written.
func diskTrouble(err error) (cause, remedy string) {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return "the disk is full", "make room and try again"
	case errors.Is(err, syscall.EDQUOT):
		return "the disk quota is used up", "make room and try again"
	case errors.Is(err, syscall.EROFS):
		return "the file system is read-only", "try again once it can be written"
	}
	return "", ""
}

// diagnose finds the cause in the lines.
func diagnose(lines []string) (cause, remedy string) {
	text := strings.Join(lines, "\n")
	for _, s := range signatures() {
		found := true
		for _, part := range s.all {
			found = found && strings.Contains(text, part)
		}
		if found {
			return s.cause, s.remedy
		}
	}
	return "", ""
}
