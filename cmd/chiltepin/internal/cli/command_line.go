package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"chiltepin/globus/next"
)

// CommandLine words a step as a command that can be pasted into a shell; a step
// without an operation stays a sentence. configDir is the configuration
// directory, "" for the default one.
func CommandLine(step next.Step, configDir string) string {
	if step.Operation == "" {
		return step.Why
	}
	words := append([]string{"chiltepin"}, strings.Split(string(step.Operation), ".")...)
	if configDir != "" {
		words = append(words, "-c", quoteWord(configDir))
	}
	for _, arg := range slices.Sorted(maps.Keys(step.Args)) {
		flag := "--" + strings.ReplaceAll(arg, "_", "-")
		switch value := step.Args[arg].(type) {
		case bool:
			if value {
				words = append(words, flag)
			}
		case []string:
			words = append(words, flag, quoteWord(strings.Join(value, ",")))
		default:
			if arg != "name" {
				words = append(words, flag, quoteWord(fmt.Sprint(value)))
			}
		}
	}
	if name, ok := step.Args["name"].(string); ok {
		if strings.HasPrefix(name, "-") {
			words = append(words, "--")
		}
		words = append(words, quoteWord(name))
	}
	return strings.Join(words, " ")
}

// quoteWord quotes a word for a shell, where that is necessary.
func quoteWord(s string) string {
	special := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.+:@%,/", r))
	}
	if s != "" && !strings.ContainsFunc(s, special) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
