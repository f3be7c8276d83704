package pool

import (
	"slices"
	"strings"

	"chiltepin/endpointfs/spell"
	"chiltepin/globus/pool/scheduler"
)

// nearestOption returns the option that name was meant to be, or "".
func nearestOption(name string, options []scheduler.Option) string {
	folded := foldName(name)
	for _, o := range options {
		if slices.Contains(o.Spellings, folded) {
			return o.Name
		}
	}
	best, found, most := 3, "", max(1, len(folded)/3)
	for _, o := range options {
		if d := spell.Distance(folded, foldName(o.Name)); d < best && d <= most {
			best, found = d, o.Name
		}
	}
	return found
}

// nearestWord is [nearestOption] among the words of an option.
func nearestWord(o scheduler.Option, name string) string {
	folded := foldName(name)
	if word := o.WordSpellings[folded]; word != "" {
		return word
	}
	best, found := 3, ""
	for _, w := range o.Words {
		if d := spell.Distance(folded, w); d < best {
			best, found = d, w
		}
	}
	return found
}

// foldName takes away what does not tell two names apart: case, blanks, dashes
// and underscores.
func foldName(s string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' || r == '_' || r == '.' {
			return -1
		}
		return r
	}, strings.ToLower(s))
}
