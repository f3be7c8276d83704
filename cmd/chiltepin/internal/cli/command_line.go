package cli

import (
	"maps"

	"chiltepin/globus/next"
	"chiltepin/tools/operation"
)

// CommandLine words a step of an operation of the catalogue as a command that
// can be pasted into a shell; a step without an operation stays a sentence.
// configDir is the configuration directory, "" for the default one.
func CommandLine(catalog *operation.Catalog, step next.Step, configDir string) string {
	t := catalog.Lookup(string(step.Operation))
	if t == nil {
		return step.Why
	}
	args := maps.Clone(map[string]any(step.Args))
	if args == nil {
		args = map[string]any{}
	}
	if configDir != "" {
		args[operation.ConfigDirField] = configDir
	}
	return commandLine(t, args)
}
