package daemon

import (
	"strings"
	"testing"

	"chiltepin/globus/process"
)

const testID = "0c5a62d3-9d38-4d43-8d12-0a4f2e9cf6a1"

func TestParseTitle(t *testing.T) {
	t.Parallel()
	const core = "Globus Compute Endpoint *(" + testID + ", mesa)"
	for _, row := range []struct {
		text   string
		ok     bool
		want   Title // without rest
		named  string
		nobody string
	}{
		{core, true, Title{ID: testID, Core: true}, "mesa", "mes"},
		{core + " [/usr/bin/python3 x start mesa]", true, Title{ID: testID, Core: true}, "mesa", "mesa)"},
		{core + " - local [x]", true, Title{ID: testID, Core: true}, "mesa", "local"},
		{"[shutdown in progress] " + core, true, Title{ID: testID, Core: true, Ending: true}, "mesa", ""},
		{"Globus Compute Endpoint (" + testID + ", uep.a.b) [x]", true, Title{ID: testID}, "uep.a.b", "mesa"},
		{"[idle; shut down in 3,540s] Globus Compute Endpoint (" + testID + ", uep.a.b) [x]", true, Title{ID: testID, Idle: true}, "uep.a.b", "uep"},
		{"[possibly idle; shut down in 3,540s] Globus Compute Endpoint (" + testID + ", uep.a.b)", true, Title{ID: testID, Idle: true}, "uep.a.b", "uep"},
		{"Globus Compute Endpoint *(" + testID + ", a)b,c) [x]", true, Title{ID: testID, Core: true}, "a)b,c", "a"},
		{"Globus Compute Endpoint *(" + testID + ", mesa2) [x]", true, Title{ID: testID, Core: true}, "mesa2", "mesa"},
		{"Globus Compute Endpoint *(" + testID + ", me", true, Title{ID: testID, Core: true}, "", "me"}, // cut off
		{"vi " + core, false, Title{}, "", ""},
		{"Globus Compute Endpoint *(short, mesa)", false, Title{}, "", ""},
		{"Globus Compute Endpoint", false, Title{}, "", ""},
		{"[", false, Title{}, "", ""},
		{"", false, Title{}, "", ""},
	} {
		got, ok := ParseTitle(row.text)
		if ok != row.ok {
			t.Errorf("parseTitle(%q): %v", row.text, ok)
			continue
		}
		if row.named != "" && !got.Names(row.named) || row.ok && got.Names(row.nobody) {
			t.Errorf("parseTitle(%q) names %q", row.text, got.rest)
		}
		got.rest = ""
		if got != row.want {
			t.Errorf("parseTitle(%q) = %+v, want %+v", row.text, got, row.want)
		}
	}
}

// FuzzParseTitle: a title made for an endpoint names it and no shorter or
// longer name, whatever surrounds it.
func FuzzParseTitle(f *testing.F) {
	f.Add("mesa", "[x]", false)
	f.Add("a)b,c", "", true)
	f.Add("*(", "- local [x] (y, z)", true)
	f.Fuzz(func(t *testing.T, name, rest string, ending bool) {
		if name == "" || strings.ContainsAny(name, " \t\r\n\v\f\x00") || strings.ContainsRune(rest, 0) {
			return
		}
		text := "Globus Compute Endpoint *(" + testID + ", " + name + ") " + rest
		if ending {
			text = "[shutdown in progress] " + text
		}
		got, ok := ParseTitle(text)
		if !ok || !got.Names(name) || got.ID != testID || !got.Core || got.Ending != ending {
			t.Errorf("parseTitle(%q) = %+v, %v", text, got, ok)
		}
		if got.Names(name+"x") || got.Names(name[:len(name)-1]) {
			t.Errorf("parseTitle(%q) names another endpoint", text)
		}
	})
}

func TestLaunching(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"/v/bin/python3.11|/v/bin/globus-compute-endpoint|-c|/d|start|mesa": true,
		"/v/bin/python|/v/bin/globus-compute-endpoint|start|--detach|mesa":  true,
		"/v/bin/globus-compute-endpoint|-c|/d|start|--|-mesa":               true,
		"python3|/v/bin/gce|restart|mesa":                                   true,
		"python3|/v/bin/globus-compute-endpoint|stop|start":                 false,
		"python3|/v/bin/globus-compute-endpoint|list":                       false,
		"python3|/v/bin/globus-compute-endpoint":                            false,
		"timeout|/v/bin/globus-compute-endpoint|start|mesa":                 false,
		"sh|-c|globus-compute-endpoint start mesa":                          false,
		"vi|globus-compute-endpoint|start":                                  false,
		"globus-compute-endpoint|_start-user-endpoint|start":                false,
		"python3|-c|pass|globus-compute-endpoint|start":                     false,
		"": false,
	} {
		var command []string
		if text != "" {
			command = strings.Split(text, "|")
		}
		if got := IsLaunching(process.Process{Command: command}); got != want {
			t.Errorf("launching(%s) = %v", text, got)
		}
	}
}
