package pool

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const strangerPools = "gpu:\n  endpoint: 11111111-1111-1111-1111-111111111111\n"

// TestRenderRunsNothing renders a pool of an endpoint whose directory has programs
// in it, and templates that would tell what the environment holds: nothing of it
// runs, no secret is told, and what the template includes is there all the same.
func TestRenderRunsNothing(t *testing.T) {
	t.Parallel()
	m, ep := pools(t)
	m.Environ = append(m.Environ, "AN_API_KEY=hush")
	sprung := filepath.Join(t.TempDir(), "sprung")
	program := "import os; os.system('touch " + sprung + "')\n"
	for name, text := range map[string]string{
		"config.py":                    program,
		"sitecustomize.py":             program,
		"usercustomize.py":             program,
		"jinja2.py":                    program,
		"user_config_template.py":      program,
		"user_config_template.yaml.py": program,
		"part.j2":                      "part: {{ 6 * 7 }}\n",
		"user_config_template.yaml.j2": "{% include 'part.j2' %}\nname: {{ _GC.parent_config.display_name }}\nkeys: {{ _GC.env | list | sort | join(' ') }}\n",
		"config.yaml":                  "display_name: Mesa\n",
	} {
		if err := os.WriteFile(filepath.Join(ep.Path(), name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := m.Render(t.Context(), "pools.yaml", []byte(strangerPools), "gpu")
	if err != nil || !strings.HasPrefix(got.Config, "part: 42") || !strings.Contains(got.Config, "name: Mesa") || strings.Contains(got.Config, "AN_API_KEY") || !strings.Contains(got.Config, "HOME") {
		t.Errorf("%v, %s", err, got.Config)
	}
	if _, err := os.Stat(sprung); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something of the directory was run: %v", err)
	}
}

// TestRenderIncludesNoOtherFile: what is no template beside the template is not
// there for the renderer, nor is what a link leads to.
func TestRenderIncludesNoOtherFile(t *testing.T) {
	t.Parallel()
	m, ep := pools(t)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := errors.Join(os.WriteFile(secret, []byte("hush"), 0o600), os.Symlink(secret, filepath.Join(ep.Path(), "link.j2"))); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"link.j2", "endpoint.json", "../mesa/endpoint.json", secret} {
		if err := os.WriteFile(filepath.Join(ep.Path(), "user_config_template.yaml.j2"), []byte("{% include '"+name+"' %}"), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := m.Render(t.Context(), "pools.yaml", []byte(strangerPools), "gpu")
		if refused := (*RenderError)(nil); !errors.As(err, &refused) {
			t.Errorf("%s: %v, %s", name, err, got.Config)
		}
	}
}

// TestRenderAsksNobody: a schema that refers elsewhere is refused, and the address
// is not asked.
func TestRenderAsksNobody(t *testing.T) {
	t.Parallel()
	m, ep := pools(t)
	for text, refused := range map[string]bool{
		`{"properties":{"mpi":{"$ref":"http://127.0.0.1:1/x.json"}}}`:                  true,
		`{"allOf":[{"$dynamicRef":"file:///etc/passwd"}]}`:                             true,
		`{"properties":{"mpi":{"$ref":"#/$defs/a"}},"$defs":{"a":{"type":"boolean"}}}`: false,
	} {
		if err := os.WriteFile(filepath.Join(ep.Path(), "user_config_schema.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := m.Render(t.Context(), "pools.yaml", []byte(strangerPools), "gpu")
		if (err != nil) != refused || refused && !strings.Contains(err.Error(), "would have to be fetched") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
