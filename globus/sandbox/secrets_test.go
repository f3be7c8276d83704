package sandbox

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMaskerShortensAndLabels(t *testing.T) {
	t.Parallel()
	m := newMasker()
	m.labelSecret("access", "topsecret")
	got := m.maskValue("", map[string]any{
		"token": "never made here", "note": "topsecret", "text": strings.Repeat("é", 200), "code": "",
		"deep": map[string]any{"a": map[string]any{"b": map[string]any{"c": map[string]any{"d": 1}}}},
		"list": []any{"topsecret", 1.0}, "lines": "a\nb",
	}, 0)
	want := map[string]any{
		"token": "unknown", "note": "access#1", "text": "<200 characters>", "code": "",
		"deep": map[string]any{"a": map[string]any{"b": map[string]any{"c": "<1 members>"}}},
		"list": []any{"access#1", 1.0}, "lines": "<3 characters>",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
