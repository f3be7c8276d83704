package pool

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"chiltepin/globus/daemon"
)

// renderTimeout is ample for loading Python from a slow file system.
const renderTimeout = 2 * time.Minute

// runRenderer has the daemon's renderer make the configuration of a user endpoint.
// All that it reads are copies in a directory of its own.
func (m *Manager) runRenderer(ctx context.Context, r Rendered) (string, error) {
	if reference := findRemoteReference(r.Endpoint.Schema); reference != "" {
		return "", newRenderError(r, daemon.RenderRefusal{Cause: fmt.Sprintf("its schema refers to %q, which would have to be fetched", reference)})
	}
	work, err := os.MkdirTemp("", "chiltepin-render-")
	if err != nil {
		return "", fmt.Errorf("rendering pool %s: %w", r.Pool.Name, err)
	}
	defer os.RemoveAll(work)
	put := func(name string, data []byte) string {
		path := filepath.Join(work, name)
		err = errors.Join(err, os.WriteFile(path, data, 0o600))
		return path
	}
	const templateName = "user_config_template.yaml.j2"
	sent, encodeErr := json.Marshal(r.Options)
	parts, parent := m.includedParts(r)
	for name, text := range parts {
		put(name, []byte(text))
	}
	// What is in the way of our own names is not included, but ours.
	options, template, schema, config := put("chiltepin.options.json", sent), put(templateName, []byte(r.Endpoint.Template)), "", ""
	if r.Endpoint.Schema != "" {
		schema = put("chiltepin.schema.json", []byte(r.Endpoint.Schema))
	}
	if parent != "" {
		config = put("chiltepin.config.yaml", []byte(parent))
	}
	if err = errors.Join(err, encodeErr); err != nil {
		return "", fmt.Errorf("rendering pool %s: %w", r.Pool.Name, err)
	}
	limited, cancel := context.WithTimeout(ctx, renderTimeout)
	defer cancel()
	cmd := exec.CommandContext(limited, r.Runtime.Path, daemon.RenderArguments(work, options, template, schema, config)...)
	cmd.Env, cmd.Dir = rendererEnvironment(r.Runtime.Environ(m.Environ)), work
	var out, says bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &says
	if err := cmd.Run(); err != nil {
		if _, exited := errors.AsType[*exec.ExitError](err); exited && limited.Err() == nil {
			return "", newRenderError(r, daemon.ParseRenderRefusal(says.String()))
		}
		return "", fmt.Errorf("rendering pool %s: %w", r.Pool.Name, errors.Join(limited.Err(), err))
	}
	return strings.TrimSuffix(out.String(), "\n"), nil // print ends with one of its own
}

// rendererEnvironment is what the renderer needs to load Python. A template can
// print all of it ({{ _GC.env }}), so nothing else of the environment is there.
func rendererEnvironment(environ []string) []string {
	needed := []string{"PATH", "HOME", "USER", "LOGNAME", "LANG", "TMPDIR", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME", "PYTHONNOUSERSITE", "VIRTUAL_ENV", "CONDA_PREFIX", "PYENV_ROOT", "PYENV_VERSION"}
	return slices.DeleteFunc(slices.Clone(environ), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return !slices.Contains(needed, name) && !strings.HasPrefix(name, "LC_")
	})
}

// maxParts and maxPart bound what a template includes.
const (
	maxParts = 32
	maxPart  = 256 << 10
)

// includedParts returns the templates beside the template that it includes, by the
// names of their files, and the endpoint's configuration where one of them uses it.
// A part that is no plain template, or cannot be read, is left out, and the
// renderer says so.
func (m *Manager) includedParts(r Rendered) (parts map[string]string, parent string) {
	parts = map[string]string{}
	if !r.Endpoint.Here {
		return parts, ""
	}
	ep, err := m.Endpoints.Dir.Endpoint(r.Endpoint.Name)
	if err != nil {
		return parts, ""
	}
	includes := regexp.MustCompile(`\{%[-+]?\s*(?:include|extends|import|from)\s+["']([A-Za-z0-9_][A-Za-z0-9_.-]*\.(?:j2|jinja|jinja2))["']`)
	texts := []string{r.Endpoint.Template}
	if filepath.Dir(r.Endpoint.TemplateFile) != ep.Path() {
		texts = nil // it includes what is beside it, which is not the endpoint's
	}
	usesParent := strings.Contains(r.Endpoint.Template, "parent_config")
	for ; len(texts) > 0; texts = texts[1:] {
		for _, found := range includes.FindAllStringSubmatch(texts[0], -1) {
			name := found[1]
			if _, known := parts[name]; known || len(parts) >= maxParts {
				continue
			}
			text, err := ep.ReadFile(name, maxPart)
			if err != nil {
				continue
			}
			parts[name] = text
			texts = append(texts, text)
			usesParent = usesParent || strings.Contains(text, "parent_config")
		}
	}
	if !usesParent {
		return parts, ""
	}
	text, err := ep.ReadFile("config.yaml", maxPart)
	// One with an engine is not of a kind that has a template, and loading it
	// would make the engine. A key may be written with escapes.
	if err != nil || strings.Contains(text, "engine") || strings.Contains(text, `\`) {
		return parts, ""
	}
	return parts, text
}

// findRemoteReference returns a reference of a JSON Schema that leads out of it,
// "" where there is none: the renderer would ask whoever is named.
func findRemoteReference(schema string) string {
	var doc any
	if json.Unmarshal([]byte(schema), &doc) != nil {
		return ""
	}
	return remoteReferenceIn(doc)
}

func remoteReferenceIn(v any) string {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			if found := remoteReferenceIn(item); found != "" {
				return found
			}
		}
	case map[string]any:
		for key, value := range v {
			if text, ok := value.(string); ok && (key == "$ref" || key == "$dynamicRef" || key == "$recursiveRef") && !strings.HasPrefix(text, "#") {
				return text
			}
			if found := remoteReferenceIn(value); found != "" {
				return found
			}
		}
	}
	return ""
}
