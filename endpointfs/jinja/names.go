package jinja

import "strings"

// Names returns the names that the tags of a Jinja template use: what
// it may read of its variables, and some words beside. whole is false when it
// cannot be told, because the template takes in another one or is broken.
func Names(text string) (names map[string]bool, whole bool) {
	j := scanner{rest: text, line: 1}
	names = map[string]bool{}
	for {
		i := strings.IndexByte(j.rest, '{')
		if i < 0 || i+1 == len(j.rest) {
			return names, true
		}
		j.skipBytes(i)
		begin, end := "{{", "}}"
		switch j.rest[1] {
		case '#':
			if j.skipComment() != "" {
				return names, false
			}
			continue
		case '{':
		case '%':
			begin, end = "{%", "%}"
		default:
			j.skipBytes(1)
			continue
		}
		inside, problem := j.readInside(begin, end)
		if problem != "" {
			return names, false
		}
		if begin == "{%" {
			switch tag, _ := cutWord(inside); tag {
			case "extends", "include", "import", "from":
				return names, false
			case "raw":
				n := rawEnd(j.rest)
				if n < 0 {
					return names, false
				}
				j.skipBytes(n)
			}
		}
		addNames(names, inside)
	}
}

// addNames adds the names of an expression: words that are no attribute and
// stand in no string.
func addNames(names map[string]bool, s string) {
	letter := func(c byte) bool {
		return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
	}
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == '\'' || c == '"':
			i += max(1, stringEnd(s[i:]))
		case letter(c):
			from := i
			for i < len(s) && letter(s[i]) {
				i++
			}
			if before := strings.TrimRight(s[:from], " \t\r\n"); !strings.HasSuffix(before, ".") {
				names[s[from:i]] = true
			}
		default:
			i++
		}
	}
}
