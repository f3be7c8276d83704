package endpointfs

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"slices"

	"chiltepin/endpointfs/internal/regular"
	"chiltepin/endpointfs/jinja"
)

const maxTemplate = 4 << 20

// Validate returns what is wrong with the files that the daemon reads when it
// starts or when the first task comes: config.yaml, the template, the schema
// and the environment of user endpoints. Each error is a *[FormatError] where
// the content of a file is to blame. An empty result means that nothing was
// found; the daemon looks more closely still. A config.py is a program and is
// not looked into.
func (e *Endpoint) Validate() []error { return e.ValidateFor("") }

// ValidateFor is [Endpoint.Validate] for one release of the daemon, such as
// "4.15.0": releases differ in the options that they know.
func (e *Endpoint) ValidateFor(release string) []error {
	config, err := e.Config()
	if err != nil {
		return []error{err}
	}
	var all []error
	if _, err := e.ID(); err != nil {
		all = append(all, err)
	}
	if !config.Python {
		keys, err := e.configKeys()
		if err != nil {
			return []error{err}
		}
		all = append(all, checkKeys(e.filePath(configYAML), release, keys)...)
		if config.HasEngine {
			return all
		}
	}
	return slices.Concat(all, e.checkTemplate(config), checkSchema(config.SchemaPath), checkEnvironment(e.filePath(environmentFile)))
}

// checkTemplate looks at the template, which must be there. The daemon also
// takes one without the suffix .j2.
func (e *Endpoint) checkTemplate(config DaemonConfig) []error {
	path := config.TemplatePath
	data, _, err := regular.Read(path, maxTemplate)
	if errors.Is(err, fs.ErrNotExist) && path == e.filePath(templateFile) {
		data, _, err = regular.Read(e.filePath(templateOld), maxTemplate)
		if err == nil {
			path = e.filePath(templateOld)
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return []error{&FormatError{File: path, Problem: "the template of user endpoints is missing, and without it the daemon does not start",
			Remedy: "put it back, or configure an endpoint of another name and copy its template", Err: err}}
	}
	if err != nil {
		return []error{err}
	}
	if line, problem := jinja.Check(string(data)); problem != "" {
		return []error{&FormatError{File: path, Line: line, Problem: problem, Remedy: "correct the template; globus-compute-endpoint render-user-config shows what it makes"}}
	}
	return nil
}

// checkSchema looks at the schema of the template's options. It may be
// missing.
func checkSchema(path string) []error {
	data, _, err := regular.Read(path, maxTemplate)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return []error{err}
	}
	bad := func(line int, problem string) []error {
		return []error{&FormatError{File: path, Line: line, Problem: problem, Remedy: "correct the schema, or remove the file so that options are not checked"}}
	}
	var schema any
	if err := json.Unmarshal(data, &schema); err != nil {
		line := 0
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			line = 1 + bytes.Count(data[:max(0, min(int(syntax.Offset)-1, len(data)))], []byte("\n"))
		}
		return bad(line, "it is not JSON: "+err.Error())
	}
	switch schema.(type) {
	case map[string]any, bool, nil:
		return nil
	}
	return bad(1, "it is JSON, but not a schema: want an object")
}

// checkEnvironment looks at the environment of user endpoints. It may be
// missing. With an error in it the daemon starts, and then sets none of it.
func checkEnvironment(path string) []error {
	data, _, err := regular.Read(path, maxTemplate)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return []error{err}
	}
	keys, bad := parseMapping(data)
	if bad != nil {
		bad.File = path
		return []error{bad}
	}
	if n, ok := keys["PATH"]; ok && kindOf(n) == "null" {
		return []error{&FormatError{File: path, Line: n.Line, Problem: "PATH has no value; the daemon would set it to the word None", Remedy: "give PATH a value, or remove the line"}}
	}
	return nil
}

// UserPath returns the PATH that user endpoints are given by
// user_environment.yaml, and "" when they keep the daemon's own, which a
// privileged daemon does not hand on.
func (e *Endpoint) UserPath() (string, error) {
	data, _, err := regular.Read(e.filePath(environmentFile), maxTemplate)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	keys, bad := parseMapping(data)
	if bad != nil {
		bad.File = e.filePath(environmentFile)
		return "", bad
	}
	if n, ok := keys["PATH"]; ok {
		return n.Value, nil
	}
	return "", nil
}

// EnvironmentFile returns the path of user_environment.yaml.
func (e *Endpoint) EnvironmentFile() string { return e.filePath(environmentFile) }
