package tools

import (
	"fmt"
	"slices"
	"strings"

	"chiltepin/globus/next"
)

// hint is what the first error in err's chain that can says to do, in the
// words of the command line.
func hint(err error) string {
	var all []string
	for _, s := range next.Of(err) {
		all = append(all, wordStep(s))
	}
	return strings.Join(all, ", or ")
}

// joinWhys is what steps are for, one after the other.
func joinWhys(steps []next.Step) string {
	var all []string
	for _, s := range steps {
		all = append(all, s.Why)
	}
	return strings.Join(all, "; then ")
}

func wordStep(s next.Step) string {
	if s.Operation == "" {
		return s.Why
	}
	words := []string{"chiltepin", strings.ReplaceAll(string(s.Operation), ".", " ")}
	if name, ok := s.Args["name"]; ok {
		words = append(words, fmt.Sprint(name))
	}
	var rest []string
	for key, value := range s.Args {
		flag := "--" + strings.ReplaceAll(key, "_", "-")
		switch {
		case key == "name":
		case value == true:
			rest = append(rest, flag)
		default:
			rest = append(rest, flag+" "+fmt.Sprint(value))
		}
	}
	slices.Sort(rest)
	return strings.Join(append(words, rest...), " ")
}
