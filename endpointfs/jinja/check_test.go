package jinja

import (
	"strconv"
	"testing"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"{{ a }}\n{{ b\n": "2: {{ is not closed by }}",
		"{{ f(a }}":       "1: found } where ) is expected",
		"{{ f(a]) }}":     "1: found ] where ) is expected",
		"a\n\n{{ 'b }}":   "3: the string beginning with ' has no end",
		"{{ a) }}":        "1: ) closes no open bracket",
		"{{ f(a\n{% b":    "1: {{ is not closed: a ) is missing before }}",
		"{{ }}":           "1: {{ }} contains no expression",
		"{% %}":           "1: {% %} contains no tag",
		"{# a":            "1: the comment {# has no end #}",
		"{{ a && b }}":    "1: & has no meaning in Jinja",
		"{{ !a }}":        "1: ! has no meaning in Jinja, except in !=",
		"{% if a %}\n{% for b in c %}\n{% endif %}": "3: found {% endif %} where {% endfor %} is expected",
		"{% endif %}":                         "1: {% endif %} has nothing to end",
		"{% else %}":                          "1: {% else %} is outside of {% if %}",
		"{% iff a %}":                         "1: {% iff %} is not a Jinja tag",
		"{% set a %}\n":                       "1: {% set %} has no {% endset %}",
		"{% raw %}{{":                         "1: {% raw %} has no {% endraw %}",
		"{% set a = {'b': 1} %}{{ a.b }}{":    "",
		"{%- raw -%}{{ {% if %}{%- endraw %}": "",
		"{{ '}}' }}{# {{ #}}}{{ {'a': {}}}}":  "",
	} {
		line, problem := Check(text)
		if got := strconv.Itoa(line) + ": " + problem; got != want && (want != "" || problem != "") {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
