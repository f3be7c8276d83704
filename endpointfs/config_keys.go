package endpointfs

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"chiltepin/endpointfs/spell"
)

// configKey is a key of config.yaml: what it may be, and in which releases of
// the daemon there is such a key.
type configKey struct {
	name  string
	want  string // for people, such as "text"
	ok    func(*yaml.Node) bool
	null  bool   // null is allowed
	since string // the first release; empty for all that we know
	until string // the first release without it; empty for none
}

// strictSince is the first release that is known to take values as they are.
// Those before made text of numbers, and took null for whatever was left out.
const strictSince = "4.15"

// newestKnown is the release whose keys are known. A later one may have more.
const newestKnown = "4.19"

// knownKeys are those of the daemon's core endpoint: the parameters of BaseConfig and
// CoreEndpointConfig in config.py, with what pydantic makes of a value.
func knownKeys() []configKey {
	return []configKey{
		{name: "admins", want: "a list of UUIDs", ok: isUUIDListNode, null: true},
		{name: "allowed_functions", want: "a list of UUIDs", ok: isUUIDListNode, null: true},
		{name: "amqp_port", want: "a port number", ok: isInt, null: true},
		{name: "audit_log_path", want: "a path", ok: isText, null: true},
		{name: "authentication_policy", want: "a UUID", ok: isUUIDNode, null: true},
		{name: "debug", want: "true or false", ok: isBool},
		{name: "display_name", want: "text", ok: isText, null: true},
		{name: "email", want: "text", ok: isText, null: true, since: "4.16"},
		{name: "environment", want: "text", ok: isText, null: true},
		{name: "force_mu_allow_same_user", want: "true or false", ok: isBool, null: true, until: "4.15"},
		{name: "heartbeat_period", want: "a number of seconds", ok: isNumber},
		{name: "high_assurance", want: "true or false", ok: isBool},
		{name: "identity_mapping_config_path", want: "a path to a file", ok: isText, null: true},
		{name: "local_compute_services", want: "true or false", ok: isBool},
		{name: "mu_child_ep_grace_period_s", want: "a number of seconds", ok: isNumber},
		{name: "multi_user", want: "true or false", ok: isBool, null: true, until: "4.15"},
		{name: "pam", want: "a mapping", ok: isMapping, null: true},
		{name: "public", want: "true or false", ok: isBool},
		{name: "subscription_id", want: "a UUID", ok: isUUIDNode, null: true},
		{name: "user_config_schema_path", want: "a path to a file", ok: isText, null: true},
		{name: "user_config_template_path", want: "a path to a file", ok: isText, null: true},
	}
}

// TakesEmail says whether a release of the daemon, such as "4.19.0", takes an
// email in config.yaml; a privileged one of such a release demands it, and an
// older one refuses it. An empty release is taken for a new one.
func TakesEmail(release string) bool {
	for _, k := range knownKeys() {
		if k.name == "email" {
			return release == "" || compareReleases(release, k.since) >= 0
		}
	}
	return true
}

// mustExist are the keys that name a file which the daemon wants to be there.
func mustExist(key string) bool {
	return slices.Contains([]string{"identity_mapping_config_path", "user_config_schema_path", "user_config_template_path"}, key)
}

// checkKeys returns what a release of the daemon (empty: any that we know)
// would not take of config.yaml.
func checkKeys(path, release string, keys map[string]*yaml.Node) []error {
	var found []*FormatError
	add := func(n *yaml.Node, remedy, format string, args ...any) {
		found = append(found, &FormatError{File: path, Line: n.Line, Problem: fmt.Sprintf(format, args...), Remedy: remedy})
	}
	if n, ok := keys["engine"]; ok && kindOf(n) != "null" {
		// The rest of such a file has other rules, and is to be moved anyway.
		add(n, "globus-compute-endpoint migrate-to-template-capable moves it to "+templateFile, "engine is no longer configured here, and the daemon would not start")
		return errorsOf(found)
	}
	known := knownKeys()
	lax := release != "" && compareReleases(release, strictSince) < 0
	for name, n := range keys {
		i := slices.IndexFunc(known, func(k configKey) bool { return k.name == name })
		switch {
		case name == "engine":
		case i < 0:
			near := nearestKey(name, known)
			if near == "" && release != "" && compareReleases(release, newestKnown) > 0 {
				break // it may have come with that release
			}
			remedy := "remove the line; resource options belong into " + templateFile
			if near != "" {
				remedy = "write " + near
			}
			add(n, remedy, "the daemon does not know the option %q", name)
		case release != "" && known[i].until != "" && compareReleases(release, known[i].until) >= 0:
			add(n, "remove the line", "release %[2]s of the daemon removed the option %[1]q", name, known[i].until)
		case release != "" && known[i].since != "" && compareReleases(release, known[i].since) < 0:
			add(n, "remove the line, or use release "+known[i].since+" or a later one", "the daemon knows the option %q only from release %s on", name, known[i].since)
		case kindOf(n) == "null" && (known[i].null || lax):
		case lax && n.Kind == yaml.ScalarNode && (known[i].want == "text" || name == "amqp_port"):
		case !known[i].ok(n):
			add(n, "write "+known[i].want, "%s: want %s, got %s", name, known[i].want, describeValue(n))
		case mustExist(name) && filepath.IsAbs(n.Value):
			if _, err := os.Stat(n.Value); err != nil {
				add(n, "correct the path, or remove the line to use the file in the endpoint's directory", "%s: %s is not there", name, n.Value)
			}
		}
	}
	slices.SortFunc(found, func(a, b *FormatError) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), strings.Compare(a.Problem, b.Problem))
	})
	return errorsOf(found)
}

func errorsOf(found []*FormatError) []error {
	var all []error
	for _, e := range found {
		all = append(all, e)
	}
	return all
}

// describeValue shows a value to a person who reads YAML.
func describeValue(n *yaml.Node) string {
	kind := kindOf(n)
	switch kind {
	case "list", "mapping", "null":
		return kind
	case "text":
		return strconv.Quote(clipText(n.Value, 40))
	}
	return kind + " " + clipText(n.Value, 40)
}

func clipText(s string, n int) string {
	if len(s) > n {
		return strings.ToValidUTF8(s[:n], "") + "…"
	}
	return s
}

// nearestKey returns the known key that a misspelled one was meant to be, or "".
func nearestKey(name string, known []configKey) string {
	best, at := "", 3
	for _, k := range known {
		if d := spell.Distance(name, k.name); d < at && d*2 < len(k.name) {
			best, at = k.name, d
		}
	}
	return best
}

// compareReleases compares the first two numbers of releases such as 4.9.1 and
// 4.16: options come and go with these.
func compareReleases(a, b string) int {
	first := func(s string) []string {
		part := strings.SplitN(s, ".", 3)
		return part[:min(2, len(part))]
	}
	return slices.CompareFunc(first(a), first(b), func(x, y string) int {
		m, _ := strconv.Atoi(x)
		n, _ := strconv.Atoi(y)
		return cmp.Compare(m, n)
	})
}
