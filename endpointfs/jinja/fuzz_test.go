package jinja

import (
	"strings"
	"testing"
)

// A line of the template that is there, xor none.
func FuzzJinja(f *testing.F) {
	for _, s := range []string{"{{ a }}", "{% if a %}{% endif %}", "{#", "{{ '", "{% raw %}{% endraw %}", "{% set a %}", "{{ {", "}}", "{%-"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		line, problem := Check(text)
		if (line > 0) != (problem != "") || line > 1+strings.Count(text, "\n") {
			t.Errorf("line %d: %q", line, problem)
		}
		if !strings.Contains(text, "{") && problem != "" {
			t.Errorf("a plain text: %q", problem)
		}
	})
}
