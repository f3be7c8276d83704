package globus

import (
	"fmt"
	"math"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"chiltepin/globus/next"
)

// Environment says where the services are and how they are reached. It is
// made by [NewEnvironment]; the zero value reaches nothing.
type Environment struct {
	// Name is the environment's name, such as "production". The token stores
	// of the Python programs are divided by it.
	Name string
	// AuthURL, ComputeURL and TransferURL are base addresses without a slash
	// at the end. TransferURL is empty in an environment that has none.
	AuthURL, ComputeURL, TransferURL string
	// CAFile is the file of certificates to trust instead of the system's, and
	// CAVariable the variable that named it.
	CAFile, CAVariable string
	// SkipVerify accepts any certificate: GLOBUS_SDK_VERIFY_SSL=no.
	SkipVerify bool
	// Timeout is how long one attempt may take, its answer included. Zero
	// means without limit.
	Timeout time.Duration
	// Proxies says which requests go through which proxy.
	Proxies Proxies
	// UserAgent is sent with every request.
	UserAgent string
}

// NewEnvironment reads the variables that globus_sdk 4.9 and
// globus_compute_sdk 4.19 honour: GLOBUS_SDK_ENVIRONMENT,
// GLOBUS_SDK_SERVICE_URL_AUTH and _TRANSFER, GLOBUS_SDK_VERIFY_SSL,
// GLOBUS_SDK_HTTP_TIMEOUT, HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY;
// and SSL_CERT_FILE, as every program that uses OpenSSL's defaults does.
// GLOBUS_SDK_SERVICE_URL_COMPUTE is left unread, for the daemon does not read
// it either. A variable that is empty counts as not set. An error is a
// [*SettingError].
func NewEnvironment(getenv func(string) string) (Environment, error) {
	e := Environment{
		Name:      getenv("GLOBUS_SDK_ENVIRONMENT"),
		UserAgent: "chiltepin",
	}
	if e.Name == "" {
		e.Name = "production"
	}
	e.ComputeURL = computeURL(e.Name)
	var err error
	if e.AuthURL, err = serviceURL(getenv, "AUTH", e.Name, "auth."); err != nil {
		return Environment{}, err
	}
	if e.AuthURL == "" {
		return Environment{}, &SettingError{
			Variable: "GLOBUS_SDK_ENVIRONMENT", Value: e.Name,
			Want: "production, preview, sandbox, integration, test or staging, or any other name together with GLOBUS_SDK_SERVICE_URL_AUTH",
		}
	}
	if e.TransferURL, err = serviceURL(getenv, "TRANSFER", e.Name, "transfer.api."); err != nil {
		return Environment{}, err
	}
	if e.SkipVerify, e.CAFile, e.CAVariable, err = readVerification(getenv); err != nil {
		return Environment{}, err
	}
	if e.Timeout, err = parseHTTPTimeout(getenv("GLOBUS_SDK_HTTP_TIMEOUT")); err != nil {
		return Environment{}, err
	}
	if e.Proxies, err = proxiesFrom(getenv); err != nil {
		return Environment{}, err
	}
	return e, nil
}

// computeURL is the table of globus_compute_sdk/sdk/_environments.py: a name
// that it does not know is the production service there, and so here.
func computeURL(name string) string {
	switch name {
	case "preview":
		return "https://compute.api.preview.globus.org"
	case "dev":
		return "https://api.dev.funcx.org"
	case "local":
		return "http://localhost:5000"
	case "sandbox", "test", "integration", "staging":
		return "https://compute.api." + name + ".globuscs.info"
	}
	return "https://compute.api.globus.org"
}

// serviceURL is the table of globus_sdk/config/environments.py, with the
// variable that goes before it. It is empty for a name that is not in it.
func serviceURL(getenv func(string) string, service, name, host string) (string, error) {
	variable := "GLOBUS_SDK_SERVICE_URL_" + service
	if value := getenv(variable); value != "" {
		u, err := url.Parse(value)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			shown, _, _ := strings.Cut(withoutUser(value), "?")
			return "", &SettingError{Variable: variable, Value: shown, Want: "an http or https address such as https://auth.globus.org/"}
		}
		return strings.TrimRight(value, "/"), nil
	}
	switch name {
	case "production":
		return "https://" + host + "globus.org", nil
	case "preview":
		return "https://" + host + "preview.globus.org", nil
	case "sandbox", "test", "integration", "staging":
		return "https://" + host + name + ".globuscs.info", nil
	}
	return "", nil
}

// readVerification reads GLOBUS_SDK_VERIFY_SSL as globus_sdk/config/env_vars.py
// does: a word for yes or no, or a file of certificates.
func readVerification(getenv func(string) string) (skip bool, caFile, variable string, err error) {
	value := getenv("GLOBUS_SDK_VERIFY_SSL")
	switch strings.ToLower(value) {
	case "n", "no", "f", "false", "off", "0":
		return true, "", "", nil
	case "", "y", "yes", "t", "true", "on", "1":
		return false, getenv("SSL_CERT_FILE"), "SSL_CERT_FILE", nil
	}
	if info, err := os.Stat(value); err != nil || !info.Mode().IsRegular() {
		return false, "", "", &SettingError{
			Variable: "GLOBUS_SDK_VERIFY_SSL", Value: value,
			Want: "yes, no, or the path of a file of certificates that exists",
		}
	}
	return false, value, "GLOBUS_SDK_VERIFY_SSL", nil
}

// parseHTTPTimeout reads GLOBUS_SDK_HTTP_TIMEOUT: seconds, -1 for no limit.
func parseHTTPTimeout(value string) (time.Duration, error) {
	if value == "" {
		return 60 * time.Second, nil
	}
	seconds, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	switch {
	case err != nil || math.IsNaN(seconds) || seconds > 1e9 || (seconds <= 0 && seconds != -1):
		return 0, &SettingError{Variable: "GLOBUS_SDK_HTTP_TIMEOUT", Value: value, Want: "a number of seconds such as 60, or -1 for no limit"}
	case seconds == -1:
		return 0, nil
	}
	return time.Duration(seconds * float64(time.Second)), nil
}

// SettingError is an environment variable that cannot be followed.
type SettingError struct {
	// Variable is its name, Value what it holds (without credentials), Want
	// what it may hold.
	Variable, Value, Want string
}

// Error says what the variable holds and what was wanted.
func (e *SettingError) Error() string {
	return fmt.Sprintf("%s: want %s, got %q", e.Variable, e.Want, e.Value)
}

// Next says what to do.
func (e *SettingError) Next() []next.Step { return []next.Step{next.Do("set or unset " + e.Variable)} }

// withoutUser drops what stands before the @ of an address, which may be a
// password.
func withoutUser(address string) string {
	at := strings.LastIndex(address, "@")
	if at < 0 {
		return address
	}
	if scheme := strings.Index(address, "://"); scheme >= 0 && scheme+3 <= at {
		return address[:scheme+3] + address[at+1:]
	}
	return address[at+1:]
}
