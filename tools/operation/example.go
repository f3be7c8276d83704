package operation

import (
	"reflect"
	"strconv"
	"strings"
)

// ExampleArgs returns the arguments that an example command line of t gives,
// by JSON name: strings, numbers, booleans and lists of strings. It is false
// for a line that is not a command line of t.
func (t *Tool) ExampleArgs(line string) (map[string]any, bool) {
	rest := shellWords(line)
	for _, word := range append([]string{"chiltepin"}, strings.Split(t.Name, ".")...) {
		rest = skipConfigDir(rest)
		if len(rest) == 0 || rest[0] != word {
			return nil, false
		}
		rest = rest[1:]
	}
	args := map[string]any{}
	var positional []Field
	flags := map[string]Field{}
	for f := range t.Fields() {
		if f.Positional {
			positional = append(positional, f)
			continue
		}
		flags["--"+f.Flag] = f
		if f.Short != "" {
			flags["-"+f.Short] = f
		}
	}
	if dir := configDirIn(shellWords(line)); dir != "" && flags["-c"].Name != "" {
		args[flags["-c"].Name] = dir
	}
	for len(rest) > 0 {
		word := rest[0]
		rest = rest[1:]
		if word == "--json" || word == "--yes" || word == "-y" {
			continue // of the command line alone
		}
		name, value, given := strings.Cut(word, "=")
		if f, ok := flags[name]; ok && strings.HasPrefix(word, "-") {
			switch {
			case f.Type.Kind() == reflect.Bool && !given:
				value = "true"
			case !given && len(rest) == 0:
				return nil, false
			case !given:
				value, rest = rest[0], rest[1:]
			}
			args[f.Name] = exampleOf(f, value)
			continue
		}
		if strings.HasPrefix(word, "-") || len(positional) == 0 {
			return nil, false
		}
		args[positional[0].Name] = word
		positional = positional[1:]
	}
	return args, true
}

func exampleOf(f Field, value string) any {
	switch f.Type.Kind() {
	case reflect.Bool:
		return value == "true"
	case reflect.Slice:
		return strings.Split(value, ",")
	case reflect.Int:
		if n, err := strconv.Atoi(value); err == nil {
			return n
		}
	}
	return value
}

// skipConfigDir passes over "-c DIR", which may stand before any word.
func skipConfigDir(words []string) []string {
	if len(words) > 1 && words[0] == "-c" {
		return words[2:]
	}
	return words
}

func configDirIn(words []string) string {
	for i, word := range words {
		if word == "-c" && i+1 < len(words) {
			return words[i+1]
		}
	}
	return ""
}

// shellWords splits a line at spaces outside single and double quotes.
func shellWords(line string) []string {
	var words []string
	var word strings.Builder
	var quote rune
	in := false
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '"' || r == '\'':
			quote, in = r, true
		case r == ' ' || r == '\t':
			if in {
				words = append(words, word.String())
				word.Reset()
			}
			in = false
		default:
			word.WriteRune(r)
			in = true
		}
	}
	if in {
		words = append(words, word.String())
	}
	return words
}
