package tools

import (
	"fmt"
	"slices"
	"strings"

	"chiltepin/globus/next"
)

// hint is what the first error in err's chain that can says to do, in the
// words of the command line.
func hint(err error) string { return stepsText(next.Of(err)) }

// stepsText is steps in the words of the command line.
func stepsText(steps []next.Step) string { return strings.Join(stepTexts(steps), ", or ") }

// stepTexts is each step in the words of the command line.
func stepTexts(steps []next.Step) (all []string) {
	for _, s := range steps {
		all = append(all, wordStep(s))
	}
	return all
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
	for _, key := range []string{"file", "name"} {
		if value, ok := s.Args[key]; ok {
			words = append(words, fmt.Sprint(value))
		}
	}
	var rest []string
	for key, value := range s.Args {
		flag := "--" + strings.ReplaceAll(key, "_", "-")
		switch {
		case key == "file", key == "name":
		case value == true:
			rest = append(rest, flag)
		default:
			rest = append(rest, flag+" "+fmt.Sprint(value))
		}
	}
	slices.Sort(rest)
	return strings.Join(append(words, rest...), " ")
}
