package endpointfs

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"chiltepin/endpointfs/jinja"
	"chiltepin/globus/runtime/runtimetest"
)

// someConfig is a config.yaml as people write it, right or wrong.
func someConfig(r *rand.Rand) string {
	keys := []string{"engin", "debgu", "idle_heartbeats_soft", "amqp_prot", "detach_endpoint"}
	for _, k := range knownKeys() {
		keys = append(keys, k.name, k.name)
	}
	values := []string{
		"true", "no", "Off", "y", "\"yes\"", "1", "0", "2", "-3", "017", "0x1F", "1_000", "1:30", "7.5", "1.0", "1e3", "1.5e+3", ".inf", "\"30\"", "\"7.5\"", "\" 5 \"",
		"null", "~", "", "None", "text", "\"text with: colon\"", "2026-11-23", "2026-11-23 08:00:00", "ada@example.org", "5671", "\"\"", "''", "maybe", "\"1_0\"", "!!str 5", "!!int \"5\"",
		"6a1f0e3c-9c2d-4b6e-8a50-0d0f5c9a7e11", "6A1F0E3C9C2D4B6E8A500D0F5C9A7E11", "[]", "{}", "[6a1f0e3c-9c2d-4b6e-8a50-0d0f5c9a7e11]", "[6a1f0e3c-9c2d-4b6e-8a50-0d0f5c9a7e11, x]", "{enable: true}", "[1, 2]",
	}
	var b strings.Builder
	for range r.IntN(3) + 1 {
		fmt.Fprintf(&b, "%s: %s\n", keys[r.IntN(len(keys))], values[r.IntN(len(values))])
	}
	return b.String()
}

// TestCheckAgreesWithDaemon gives the same config.yaml to our check and to the
// daemon. What the daemon takes we must never refuse. What it refuses we name
// nine times in ten.
func TestCheckAgreesWithDaemon(t *testing.T) {
	t.Parallel()
	fixed := []any{
		"", "\n# nothing\n", "---\n", "null\n", "display_name: mesa\ndebug: true\n", "display_name: a\ndisplay_name: b\n",
		"base: &b {debug: true}\n", "<<: {debug: true}\n", "<<: {debgu: true}\n", "debug: &d true\npublic: *d\n", "debug: true\n...\n",
		"- a\n", "just text\n", "5\n", "a: b: c\n", "\tdebug: true\n", "debug: true\n---\ndebug: false\n", "debug: [\n", "'debug': true\n", "? debug\n: true\n", "\"debug\" : \"on\"\n",
		"engine: null\n", "display_name: |\n  two\n  lines\n", "display_name: @home\n", "display_name: 'it''s'\n", "display_name: \"\\x41\"\n",
	}
	for _, c := range []struct {
		set     runtimetest.Set
		release string
	}{{runtimetest.Newest, "4.19.0"}, {runtimetest.V415, "4.15.0"}, {runtimetest.V46, "4.6.0"}} {
		t.Run(c.release, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(5, 6))
			asked := slices.Clone(fixed)
			for range 1500 {
				asked = append(asked, someConfig(r))
			}
			ep := at(t, "mesa")
			taken, missed, refusedByBoth := 0, 0, 0
			for i, a := range ask(t, c.set, map[string][]any{"config": asked})["config"] {
				if err := os.WriteFile(ep.filePath(configYAML), []byte(asked[i].(string)), 0o600); err != nil {
					t.Fatal(err)
				}
				theirs, ours := refused(a), ep.ValidateFor(c.release)
				switch {
				case theirs == "" && len(ours) > 0:
					t.Errorf("the daemon takes what we refuse:\n%s%v", asked[i], ours)
				case theirs == "":
					taken++
				case len(ours) == 0:
					missed++
					if missed <= 10 {
						t.Logf("missed:\n%s%s", asked[i], theirs)
					}
				default:
					refusedByBoth++
				}
			}
			t.Logf("%d taken by both, %d refused by both, %d missed", taken, refusedByBoth, missed)
			if missed*10 > refusedByBoth || taken < 100 {
				t.Errorf("too many missed: %d of %d", missed, missed+refusedByBoth)
			}
		})
	}
}

// TestJinjaAgreesWithDaemon damages templates, and compares with Jinja.
func TestJinjaAgreesWithDaemon(t *testing.T) {
	t.Parallel()
	sources := []string{
		read(t, "files/"+templateFile),
		"{% for a, b in x.items() if a %}{{ loop.index }}{% else %}none{% endfor %}{% raw %}{{ {% if %}{% endraw %}{% call(u) f() %}{% endcall %}\n" +
			"{% set ns = namespace(a=1) %}{% set ns.a = 2 %}{{ x[1:-1] }}{{ \"a\" ~ b }}{{ x is not none }}{{ {\"a\": {\"b\": 1}}}}{%- filter upper -%}x{% endfilter %}{% import \"a\" as b %}",
		"{% set a, b = 1, 2 %}{{ a if b }}{{ \"x\"|replace(\"a\",'b')|indent(6, first=True) }}{% set x %}..{% endset %}{% set y | replace('a', 'b') %}{% endset %}\n" +
			"{{ foo(*args, **kw) }}{% with a=1 %}{% endwith %}{% macro m(a, b=\"}}\") %}{% endmacro m %}{% block q %}{% endblock q %}{{ x != y }}{# {{ #}{%+ if x +%}{%- elif y -%}{% else %}{% endif %}",
		"a: {b: c}\n# {x} % } }} %} #}\n{{ '%}' }}{% if '}}' %}{% endif %}{{ \"\\\"}}\" }}{%\nif x\n%}\u00a0{%\u00a0endif\u00a0%}",
	}
	r := rand.New(rand.NewPCG(7, 8))
	var asked []any
	for _, s := range sources {
		asked = append(asked, s)
		for range 700 {
			damaged := s
			for range r.IntN(2) + 1 {
				i := r.IntN(len(damaged))
				j := min(len(damaged), i+r.IntN(4))
				insert := []string{"", "", "{%", "%}", "{{", "}}", "{#", "#}", "}", "{", "\"", "'", "-", "{% if x %}", "{% endif %}", "{% endfor %}", "{% else %}", "$", "!", "[", ")", "{% do x %}", "{% set z %}", "{% raw %}"}[r.IntN(24)]
				damaged = strings.ToValidUTF8(damaged[:i]+insert+damaged[j:], "")
			}
			asked = append(asked, damaged)
		}
	}
	taken, missed, both := 0, 0, 0
	for i, a := range ask(t, runtimetest.Newest, map[string][]any{"template": asked})["template"] {
		theirs := refused(a)
		line, ours := jinja.Check(asked[i].(string))
		switch {
		case theirs == "" && ours != "":
			t.Errorf("Jinja takes what we refuse, line %d: %s:\n%s", line, ours, asked[i])
		case theirs == "":
			taken++
		case ours == "":
			missed++
		default:
			both++
		}
	}
	t.Logf("%d taken by both, %d refused by both, %d missed", taken, both, missed)
	if taken < 300 || both < 3*missed {
		t.Errorf("%d taken by both, %d refused by both, %d missed", taken, both, missed)
	}
}

// TestNamesAgreeWithDaemon compares with the daemon's own check, in a working
// directory without links.
func TestNamesAgreeWithDaemon(t *testing.T) {
	t.Parallel()
	asked := []any{
		"", ".", "..", "...", ".a", "a.", "a..b", "a/b", "/a", "a/", "a\\b", "a b", " a", "a\t", "a\n", "a\u00a0b", "a\u2003", "a\x1cb", "a\u0085b", "'a", "a\"", "$HOME", "a;b", "*", "-a", "~", "~root", "ümlaut", "日本", "\u200b",
		strings.Repeat("a", 128), strings.Repeat("a", 129), strings.Repeat("ü", 127), strings.Repeat("a", 64) + strings.Repeat("ü", 64), "uep.x", "config.yaml", "\U0001f600",
		"6a1f0e3c-9c2d-4b6e-8a50-0d0f5c9a7e11",
	}
	r := rand.New(rand.NewPCG(9, 10))
	letters := []rune("ab.-_/\\ '\"\t\n\u00a0\u1680\u180e\u2028\u3000\ufeff\x1b\x1f\x7fé")
	for range 400 {
		name := make([]rune, r.IntN(6)+1)
		for i := range name {
			name[i] = letters[r.IntN(len(letters))]
		}
		asked = append(asked, string(name))
	}
	for i, a := range ask(t, runtimetest.Newest, map[string][]any{"name": asked})["name"] {
		name := asked[i].(string)
		if ours, theirs := CheckName(name), refused(a); (ours == nil) != (theirs == "") {
			t.Errorf("%q: we say %v, the daemon %q", name, ours, theirs)
		}
	}
}

// TestDaemonReadsOurYAML has PyYAML read what yamlString writes, and says what
// it makes of plain scalars.
func TestDaemonReadsOurYAML(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(11, 12))
	texts := []string{"", "yes", "No", "null", "~", "1", "1:30", "0x1f", "1e3", ".5", "2026-11-23", "=", "<<", "a: b", "# a", "- a", "!x", "&a", "*a", "|", ">", "%a", "@a", "`a", "\"", "'", "\\", "a\nb", "\t", "\r", "\x07", "\u0085", "\u2028", "\ufeff", "\ue000", "😀", "a ", " a", "/usr/bin:/bin", "None", "y", "on", "NaN", "Infinity", "TRUE"}
	for range 300 {
		b := make([]rune, r.IntN(5))
		for i := range b {
			b[i] = rune(r.IntN(0x300))
		}
		texts = append(texts, string(b))
	}
	var asked []any
	for _, s := range texts {
		asked = append(asked, "k: "+yamlString(s)+"\n")
	}
	for i, a := range ask(t, runtimetest.Newest, map[string][]any{"load": asked})["load"] {
		if diff := cmp.Diff(any(map[string]any{"k": texts[i]}), decode[any](t, a)); diff != "" || !utf8.ValidString(texts[i]) {
			t.Errorf("%s%s", asked[i], diff)
		}
	}
}

// at makes an endpoint with the files of a new one.
func at(t testing.TB, name string) *Endpoint {
	t.Helper()
	ep, err := Open(filepath.Join(t.TempDir(), "gc")).Configure(name, NewEndpoint{})
	if err != nil {
		t.Fatal(err)
	}
	return ep
}
