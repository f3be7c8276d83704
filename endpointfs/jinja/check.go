// Package jinja looks at a Jinja template without rendering it: what keeps it
// from being one, and which names it uses. It never refuses what Jinja takes.
package jinja

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"chiltepin/endpointfs/internal/pytext"
)

// Check looks for what keeps a template from being one: tags, strings,
// brackets and comments that are not closed, blocks that do not match, tags
// and characters that Jinja does not know. It returns the line of the first
// problem and what it is, or "". It finds fewer problems than Jinja does, and
// none that Jinja would not find: what it refuses, the daemon refuses.
//
// It is our own because nikolalohinski/gonja, which could parse a template,
// refuses the one that the daemon's release 4.19 ships (an else in a list) and
// makes a program four times as large.
func Check(text string) (line int, problem string) {
	j := scanner{rest: text, line: 1}
	if problem := j.checkTags(); problem != "" {
		return j.line, problem
	}
	return 0, ""
}

type scanner struct {
	rest string
	line int // of rest, or of the problem
	open []openBlock
}

type openBlock struct {
	name string
	line int
}

// isBlock says whether a tag has an end.
func isBlock(tag string) bool {
	return slices.Contains([]string{"if", "for", "block", "macro", "call", "filter", "with", "autoescape", "set", "raw"}, tag)
}

func isTag(tag string) bool {
	return isBlock(tag) || slices.Contains([]string{"extends", "print", "include", "from", "import"}, tag)
}

// skipBytes moves over the first n bytes of rest.
func (j *scanner) skipBytes(n int) {
	j.line += strings.Count(j.rest[:n], "\n")
	j.rest = j.rest[n:]
}

func (j *scanner) checkTags() string {
	for {
		i := strings.IndexByte(j.rest, '{')
		if i < 0 || i+1 == len(j.rest) {
			break
		}
		j.skipBytes(i)
		var problem string
		switch j.rest[1] {
		case '#':
			problem = j.skipComment()
		case '{':
			problem = j.checkExpression()
		case '%':
			problem = j.checkTag()
		default:
			j.skipBytes(1)
		}
		if problem != "" {
			return problem
		}
	}
	if n := len(j.open); n > 0 {
		j.line = j.open[n-1].line
		return fmt.Sprintf("{%% %[1]s %%} has no {%% end%[1]s %%}", j.open[n-1].name)
	}
	return ""
}

func (j *scanner) skipComment() string {
	end := strings.Index(j.rest[2:], "#}")
	if end < 0 {
		return "the comment {# has no end #}"
	}
	j.skipBytes(2 + end + 2)
	return ""
}

func (j *scanner) checkExpression() string {
	inside, problem := j.readInside("{{", "}}")
	if problem == "" && strings.TrimSpace(inside) == "" {
		problem = "{{ }} contains no expression"
	}
	return problem
}

func (j *scanner) checkTag() string {
	line := j.line
	inside, problem := j.readInside("{%", "%}")
	if problem != "" {
		return problem
	}
	if problem = j.followBlock(inside, line); problem != "" {
		j.line = line
	}
	return problem
}

// followBlock follows a tag into or out of its block.
func (j *scanner) followBlock(inside string, line int) string {
	tag, rest := cutWord(inside)
	inner := ""
	if n := len(j.open); n > 0 {
		inner = j.open[n-1].name
	}
	begun, isEnd := strings.CutPrefix(tag, "end")
	switch {
	case tag == "":
		return "{% %} contains no tag"
	case isEnd && isBlock(begun):
		if inner == "" {
			return fmt.Sprintf("{%% %s %%} has nothing to end", tag)
		}
		if inner != begun {
			return fmt.Sprintf("found {%% %s %%} where {%% end%s %%} is expected", tag, inner)
		}
		j.open = j.open[:len(j.open)-1]
	case tag == "else" || tag == "elif":
		if inner != "if" && (inner != "for" || tag == "elif") {
			return fmt.Sprintf("{%% %s %%} is outside of {%% if %%}", tag)
		}
	case tag == "raw":
		end := rawEnd(j.rest)
		if end < 0 {
			return "{% raw %} has no {% endraw %}"
		}
		j.skipBytes(end)
	case tag == "set" && assignsValue(rest):
	case isBlock(tag):
		j.open = append(j.open, openBlock{tag, line})
	case !isTag(tag):
		return fmt.Sprintf("{%% %s %%} is not a Jinja tag", tag)
	}
	return ""
}

// rawEnd returns the offset of what follows {% endraw %}, or -1.
func rawEnd(text string) int {
	for at := 0; ; {
		i := strings.Index(text[at:], "{%")
		if i < 0 {
			return -1
		}
		at += i + 2
		tag := strings.TrimLeftFunc(strings.TrimLeft(text[at:], "-+"), pytext.IsSpace)
		rest, ok := strings.CutPrefix(tag, "endraw")
		if !ok {
			continue
		}
		rest = strings.TrimLeftFunc(rest, pytext.IsSpace)
		if end := strings.TrimLeft(rest, "-+"); strings.HasPrefix(end, "%}") {
			return len(text) - len(end) + 2
		}
	}
}

// assignsValue says whether what follows {% set has a value, and no block then.
func assignsValue(s string) bool {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\'' || c == '"':
			i += max(0, stringEnd(s[i:])-1)
		case strings.IndexByte("([{", c) >= 0:
			depth++
		case strings.IndexByte(")]}", c) >= 0:
			depth--
		case c == '=' && depth == 0:
			return true
		}
	}
	return false
}

func cutWord(s string) (word, rest string) {
	s = strings.TrimLeftFunc(s, pytext.IsSpace)
	i := strings.IndexFunc(s, func(r rune) bool {
		return pytext.IsSpace(r) || r < 0x80 && r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	if i < 0 {
		return s, ""
	}
	return s[:i], s[i:]
}
