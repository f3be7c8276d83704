package endpointfs

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestCheck damages one file of a new endpoint: each error names the file, the
// line, what is wrong and what to do.
func TestCheck(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		release, file, content string
		want                   []string // line, problem, remedy
	}{
		"as new":                   {"", configYAML, "display_name: mesa\ndebug: true\n", nil},
		"empty":                    {"", configYAML, "", nil},
		"comments":                 {"", configYAML, "# nothing\n\n", nil},
		"misspelled":               {"", configYAML, "debug: true\ndispaly_name: a\n", []string{`2: the daemon does not know the option "dispaly_name" -> write display_name`}},
		"unknown":                  {"", configYAML, "partition: batch\n", []string{`1: the daemon does not know the option "partition" -> remove the line; resource options belong into user_config_template.yaml.j2`}},
		"unknown, later release":   {"5.0.0", configYAML, "something_new: 1\n", nil},
		"misspelled, later":        {"5.0.0", configYAML, "emial: a@b\n", []string{`1: the daemon does not know the option "emial" -> write email`}},
		"too new an option":        {"4.15.0", configYAML, "email: a@b\n", []string{`1: the daemon knows the option "email" only from release 4.16 on -> remove the line, or use release 4.16 or a later one`}},
		"an option of old":         {"4.19.0", configYAML, "multi_user: true\n", []string{`1: release 4.15 of the daemon removed the option "multi_user" -> remove the line`}},
		"an option of old, then":   {"4.6.0", configYAML, "multi_user: true\n", nil},
		"several, in their order":  {"", configYAML, "debug: maybe\ndisplay_name: 5\n\nheartbeat_period: often\nadmins: [x]\namqp_port:\n", []string{`1: debug: want true or false, got "maybe" -> write true or false`, `2: display_name: want text, got int 5 -> write text`, `4: heartbeat_period: want a number of seconds, got "often" -> write a number of seconds`, `5: admins: want a list of UUIDs, got list -> write a list of UUIDs`}},
		"engine":                   {"", configYAML, "debug: true\nengine:\n  type: GlobusComputeEngine\nnonsense: 1\n", []string{`2: engine is no longer configured here, and the daemon would not start -> globus-compute-endpoint migrate-to-template-capable moves it to user_config_template.yaml.j2`}},
		"a file that is not there": {"", configYAML, "user_config_template_path: /no/such/file\n", []string{"1: user_config_template_path: /no/such/file is not there -> correct the path, or remove the line to use the file in the endpoint's directory", "0: the template of user endpoints is missing, and without it the daemon does not start -> put it back, or configure an endpoint of another name and copy its template"}},
		"not YAML":                 {"", configYAML, "debug: true\ndisplay_name: \"mesa\n", []string{"2: it is not YAML: found unexpected end of stream -> correct the line; strings with special characters need quotation marks, and indentation is by spaces"}},
		"a list":                   {"", configYAML, "- debug\n", []string{`1: it is a YAML list, not a mapping -> write one "name: value" a line`}},
		"two documents":            {"", configYAML, "debug: true\n---\ndebug: false\n", []string{"2: it holds more than one YAML document -> remove the line --- and what follows it"}},
		"template, block":          {"", templateFile, "a: 1\n{% if mpi %}\nb: 2\n", []string{"2: {% if %} has no {% endif %} -> correct the template; globus-compute-endpoint render-user-config shows what it makes"}},
		"schema":                   {"", schemaFile, "{\n  \"type\": \"object\",\n}\n", []string{"3: it is not JSON: invalid character '}' looking for beginning of object key string -> correct the schema, or remove the file so that options are not checked"}},
		"schema, a list":           {"", schemaFile, "[]", []string{"1: it is JSON, but not a schema: want an object -> correct the schema, or remove the file so that options are not checked"}},
		"schema, empty":            {"", schemaFile, "", []string{"1: it is not JSON: unexpected end of JSON input -> correct the schema, or remove the file so that options are not checked"}},
		"id":                       {"", endpointJSON, "{}", []string{"0: it has no endpoint_id -> put {\"endpoint_id\": \"UUID\"} with the endpoint's UUID into the file, or remove the file to register anew"}},
		"environment":              {"", environmentFile, "PATH: /bin\n  X: 1\n", []string{"2: it is not YAML: mapping values are not allowed in this context -> correct the line; strings with special characters need quotation marks, and indentation is by spaces"}},
		"environment, no PATH":     {"", environmentFile, "X: 1\nPATH:\n", []string{"2: PATH has no value; the daemon would set it to the word None -> give PATH a value, or remove the line"}},
		"environment, a script":    {"", environmentFile, "export PATH=/bin\n", []string{`1: it is a YAML text, not a mapping -> write one "name: value" a line`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ep := at(t, "mesa")
			if err := os.WriteFile(ep.filePath(c.file), []byte(c.content), 0o600); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, err := range ep.ValidateFor(c.release) {
				var f *FormatError
				if !errors.As(err, &f) {
					t.Fatal(err)
				}
				if f.File != ep.filePath(c.file) && f.File != "/no/such/file" {
					t.Errorf("it is about %s", f.File)
				}
				got = append(got, strings.Join([]string{itoa(f.Line) + ": " + f.Problem, f.Next()}, " -> "))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func itoa(n int) string { return string(rune('0' + n)) }

func TestCheckWithoutFiles(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		configYAML: "", schemaFile: "", environmentFile: "",
		templateFile: "the template of user endpoints is missing, and without it the daemon does not start",
	} {
		ep := at(t, "mesa")
		if err := os.Remove(ep.filePath(file)); err != nil {
			t.Fatal(err)
		}
		checkFormat(t, errors.Join(ep.Validate()...), ep.filePath(file), want)
	}
	ep := at(t, "mesa")
	if err := os.Rename(ep.filePath(templateFile), ep.filePath(templateOld)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(ep.filePath(configPython), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(ep.filePath(configYAML), []byte("engine: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if problems := ep.Validate(); len(problems) > 0 {
		t.Errorf("a config.py counts, and a template without .j2: %v", problems)
	}
}

// TestCheckWithoutEndpoint looks at one that is gone.
func TestCheckWithoutEndpoint(t *testing.T) {
	t.Parallel()
	ep := Open(filepath.Join(t.TempDir(), "gone")).endpointAt("mesa")
	if problems := ep.Validate(); len(problems) != 1 {
		t.Errorf("%v", problems)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]DaemonConfig{
		"": {HeartbeatPeriod: 30 * time.Second},
		"display_name: mesa\ndebug: true\nemail: ada@example.org\n":    {DisplayName: "mesa", Debug: true, Email: "ada@example.org", HeartbeatPeriod: 30 * time.Second},
		"debug: \"on\"\nheartbeat_period: 1\n":                         {Debug: true, HeartbeatPeriod: 5 * time.Second},
		"heartbeat_period: 7.5\ndisplay_name: None\n":                  {HeartbeatPeriod: 7500 * time.Millisecond},
		"heartbeat_period: {}\ndisplay_name: 5\ndebug: [true]\n":       {HeartbeatPeriod: 30 * time.Second},
		"engine: {type: GlobusComputeEngine}\ndisplay_name: null\n":    {HasEngine: true, HeartbeatPeriod: 30 * time.Second},
		"engine: null\nuser_config_template_path: /etc/gc/t.yaml.j2\n": {TemplatePath: "/etc/gc/t.yaml.j2", HeartbeatPeriod: 30 * time.Second},
		"a: &a {debug: true}\n<<: *a\n":                                {Debug: true, HeartbeatPeriod: 30 * time.Second},
	} {
		ep := at(t, "mesa")
		if err := os.WriteFile(ep.filePath(configYAML), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if want.TemplatePath == "" {
			want.TemplatePath = ep.filePath(templateFile)
		}
		want.SchemaPath = ep.filePath(schemaFile)
		got, err := ep.Config()
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s%s%v", content, diff, err)
		}
	}
}
