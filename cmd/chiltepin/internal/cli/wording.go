package cli

import (
	"fmt"
	"slices"
	"strings"

	"chiltepin/tools/operation"
)

// commandWording says what to do next as a command that can be pasted into a shell.
func commandWording(catalog *operation.Catalog) *operation.Wording {
	return &operation.Wording{Lookup: catalog.Lookup, Say: func(t *operation.Tool, args map[string]any, host, user string) operation.Words {
		line := commandLine(t, args)
		if user != "" {
			line = "sudo -u " + shellWord(user) + " " + line
		}
		if host != "" {
			line = "ssh " + shellWord(host) + " " + shellWord(line)
		}
		return operation.Words{Members: map[string]any{"command": line}, Text: line}
	}}
}

// commandLine is the command that calls t on args, quoted for a shell.
func commandLine(t *operation.Tool, args map[string]any) string {
	words := append([]string{"chiltepin"}, strings.Split(t.Name, ".")...)
	if dir, ok := args[operation.ConfigDirField].(string); ok && dir != "" {
		// Before the last word, as the documentation has it.
		words = slices.Insert(words, len(words)-1, "-c", shellWord(dir))
	}
	var positional []string
	for f := range t.Fields() {
		value, given := args[f.Name]
		switch {
		case !given || f.Name == operation.ConfigDirField || f.Wire:
		case f.Positional:
			positional = append(positional, fmt.Sprint(value))
		case value == true:
			words = append(words, "--"+f.Flag)
		default:
			words = append(words, "--"+f.Flag+"="+shellWord(flagText(value)))
		}
	}
	if slices.ContainsFunc(positional, func(s string) bool { return strings.HasPrefix(s, "-") }) {
		words = append(words, "--")
	}
	for _, word := range positional {
		words = append(words, shellWord(word))
	}
	return strings.Join(words, " ")
}

// flagText is the value of a flag as it is typed; those of a list are joined.
func flagText(value any) string {
	switch v := value.(type) {
	case []string:
		return strings.Join(v, ",")
	case []any:
		words := make([]string, len(v))
		for i, one := range v {
			words[i] = fmt.Sprint(one)
		}
		return strings.Join(words, ",")
	}
	return fmt.Sprint(value)
}

// shellWord quotes a word for a POSIX shell where it must be.
func shellWord(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.+:@%,/=", r)
	}
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !plain(r) }) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
