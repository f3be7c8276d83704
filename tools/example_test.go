package tools

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestExampleArgs(t *testing.T) {
	t.Parallel()
	type args map[string]any
	for line, want := range map[string]args{
		"chiltepin endpoint logs my-endpoint":                                     {"name": "my-endpoint"},
		"chiltepin endpoint -c /a logs -n 200 --level=WARNING --since 2h -f mesa": {"config_dir": "/a", "name": "mesa", "tail": 200, "level": "WARNING", "since": "2h", "follow": true},
		"chiltepin -c /a endpoint logs --json mesa":                               {"config_dir": "/a", "name": "mesa"},
		"chiltepin endpoint logs --grep 'two words' -c /b mesa":                   {"grep": "two words", "config_dir": "/b", "name": "mesa"},
		"chiltepin endpoint logs --grep":                                          nil,
		"chiltepin endpoint logs --nonsense mesa":                                 nil,
		"chiltepin endpoint logs mesa dry":                                        nil,
		"chiltepin endpoint list":                                                 nil,
		"chiltepin":                                                               nil,
	} {
		got, ok := catalog().Lookup("endpoint.logs").ExampleArgs(line)
		if ok != (want != nil) {
			t.Errorf("%s: %v", line, ok)
		}
		if d := cmp.Diff(map[string]any(want), got); ok && d != "" {
			t.Errorf("%s (-want +got):\n%s", line, d)
		}
	}
	got, ok := catalog().Lookup("login").ExampleArgs("chiltepin login --services compute,transfer --force")
	if d := cmp.Diff(map[string]any{"services": []string{"compute", "transfer"}, "force": true}, got); !ok || d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestExamplesAreArguments: every example of the catalogue gives arguments
// that its operation takes, for faces that have no command line.
func TestExamplesAreArguments(t *testing.T) {
	t.Parallel()
	for tool := range catalog().All() {
		for _, line := range tool.Examples {
			args, ok := tool.ExampleArgs(line)
			if !ok {
				t.Errorf("%s: %q is no command line of it", tool.Name, line)
				continue
			}
			b, err := json.Marshal(args)
			if err != nil {
				t.Fatal(err)
			}
			if err := tool.Validate(b); err != nil {
				t.Errorf("%s: %q gives %s: %v", tool.Name, line, b, err)
			}
		}
	}
}
