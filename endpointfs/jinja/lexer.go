package jinja

import (
	"fmt"
	"strings"
)

// readInside moves over a tag from begin to end, and returns what is between.
// An end within an open bracket does not count.
func (j *scanner) readInside(begin, end string) (text, problem string) {
	s := j.rest
	var brackets []byte
	i := 2
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		i++
	}
	start := i
	for i < len(s) {
		if len(brackets) == 0 {
			if strings.HasPrefix(s[i:], end) {
				text = strings.TrimRight(s[start:i], "-+")
				j.skipBytes(i + 2)
				return text, ""
			}
		}
		switch c := s[i]; c {
		case '\'', '"':
			n := stringEnd(s[i:])
			if n < 0 {
				j.skipBytes(i)
				return "", fmt.Sprintf("the string beginning with %c has no end", c)
			}
			i += n
			continue
		case '(', '[', '{':
			brackets = append(brackets, ")]}"[strings.IndexByte("([{", c)])
		case ')', ']', '}':
			n := len(brackets)
			if n == 0 {
				j.skipBytes(i)
				return "", fmt.Sprintf("%c closes no open bracket", c)
			}
			if brackets[n-1] != c {
				j.skipBytes(i)
				return "", fmt.Sprintf("found %c where %c is expected", c, brackets[n-1])
			}
			brackets = brackets[:n-1]
		case '$', '?', '@', '&', '^', '`', '\\':
			j.skipBytes(i)
			return "", fmt.Sprintf("%c has no meaning in Jinja", c)
		case '!':
			if !strings.HasPrefix(s[i:], "!=") {
				j.skipBytes(i)
				return "", "! has no meaning in Jinja, except in !="
			}
		}
		i++
	}
	if len(brackets) > 0 {
		return "", fmt.Sprintf("%s is not closed: a %c is missing before %s", begin, brackets[0], end)
	}
	return "", fmt.Sprintf("%s is not closed by %s", begin, end)
}

// stringEnd returns the length of the string literal that s begins with, or -1
// when it has no end.
func stringEnd(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case s[0]:
			return i + 1
		}
	}
	return -1
}
