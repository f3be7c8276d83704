package machine

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"chiltepin/tools/operation"
)

// credentialsVariable names the file with client credentials.
const credentialsVariable = "CHILTEPIN_CREDENTIALS"

// withCredentials is the machine with the client credentials of the file that
// CHILTEPIN_CREDENTIALS names in the place of those of the environment, for
// everything that is done and for the daemon. The file has lines of NAME=VALUE
// that a shell can read too, and is its owner's alone.
func (m Host) withCredentials() (Host, error) {
	path := m.Getenv(credentialsVariable)
	if path == "" {
		return m, nil
	}
	wrong := func(what, next string) (Host, error) {
		return m, &operation.Error{Code: operation.CodeInvalid, Message: fmt.Sprintf("reading the credentials %q (%s): %s", path, credentialsVariable, what), Next: operation.Do(next)}
	}
	const form = "write GLOBUS_COMPUTE_CLIENT_ID=… and GLOBUS_COMPUTE_CLIENT_SECRET=… into it, one a line"
	f, err := os.Open(path)
	if err != nil {
		return wrong("it cannot be opened", "see that the file exists and is yours, or unset "+credentialsVariable)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil || !info.Mode().IsRegular():
		return wrong("it is not a file", form)
	case info.Mode().Perm()&0o077 != 0:
		return wrong("others may read it", "chmod 600 "+path)
	}
	data, err := io.ReadAll(io.LimitReader(f, 64<<10))
	if err != nil {
		return wrong("it cannot be read", form)
	}
	given, ok := parseCredentials(string(data))
	if !ok || given["GLOBUS_COMPUTE_CLIENT_ID"] == "" || given["GLOBUS_COMPUTE_CLIENT_SECRET"] == "" {
		return wrong("it does not hold an id and a secret", form)
	}
	outer := m.Getenv
	m.Getenv = func(name string) string {
		if value, ok := given[name]; ok {
			return value
		}
		return outer(name)
	}
	m.Environ = slices.DeleteFunc(slices.Clone(m.Environ), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		_, replaced := given[name]
		return replaced
	})
	for name, value := range given {
		m.Environ = append(m.Environ, name+"="+value)
	}
	return m, nil
}

// parseCredentials reads the lines; ok is false for one that says anything
// else.
func parseCredentials(text string) (given map[string]string, ok bool) {
	given = map[string]string{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, found := strings.Cut(strings.TrimPrefix(line, "export "), "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if n := len(value); n >= 2 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
			value = value[1 : n-1]
		}
		if !found || name != "GLOBUS_COMPUTE_CLIENT_ID" && name != "GLOBUS_COMPUTE_CLIENT_SECRET" || strings.ContainsAny(value, "\"'$`\\ \x00") {
			return nil, false
		}
		given[name] = value
	}
	return given, true
}
