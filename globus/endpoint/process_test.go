package endpoint

import (
	"strings"
	"testing"

	"chiltepin/endpointfs"
	"chiltepin/globus/process"
)

func TestParseTitle(t *testing.T) {
	t.Parallel()
	const core = "Globus Compute Endpoint *(" + testID + ", mesa)"
	for _, row := range []struct {
		text   string
		ok     bool
		want   title // without rest
		named  string
		nobody string
	}{
		{core, true, title{ID: testID, Core: true}, "mesa", "mes"},
		{core + " [/usr/bin/python3 x start mesa]", true, title{ID: testID, Core: true}, "mesa", "mesa)"},
		{core + " - local [x]", true, title{ID: testID, Core: true}, "mesa", "local"},
		{"[shutdown in progress] " + core, true, title{ID: testID, Core: true, Ending: true}, "mesa", ""},
		{"Globus Compute Endpoint (" + testID + ", uep.a.b) [x]", true, title{ID: testID}, "uep.a.b", "mesa"},
		{"[idle; shut down in 3,540s] Globus Compute Endpoint (" + testID + ", uep.a.b) [x]", true, title{ID: testID, Idle: true}, "uep.a.b", "uep"},
		{"[possibly idle; shut down in 3,540s] Globus Compute Endpoint (" + testID + ", uep.a.b)", true, title{ID: testID, Idle: true}, "uep.a.b", "uep"},
		{"Globus Compute Endpoint *(" + testID + ", a)b,c) [x]", true, title{ID: testID, Core: true}, "a)b,c", "a"},
		{"Globus Compute Endpoint *(" + testID + ", mesa2) [x]", true, title{ID: testID, Core: true}, "mesa2", "mesa"},
		{"Globus Compute Endpoint *(" + testID + ", me", true, title{ID: testID, Core: true}, "", "me"}, // cut off
		{"vi " + core, false, title{}, "", ""},
		{"Globus Compute Endpoint *(short, mesa)", false, title{}, "", ""},
		{"Globus Compute Endpoint", false, title{}, "", ""},
		{"[", false, title{}, "", ""},
		{"", false, title{}, "", ""},
	} {
		got, ok := parseTitle(row.text)
		if ok != row.ok {
			t.Errorf("parseTitle(%q): %v", row.text, ok)
			continue
		}
		if row.named != "" && !got.names(row.named) || row.ok && got.names(row.nobody) {
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
		got, ok := parseTitle(text)
		if !ok || !got.names(name) || got.ID != testID || !got.Core || got.Ending != ending {
			t.Errorf("parseTitle(%q) = %+v, %v", text, got, ok)
		}
		if got.names(name+"x") || got.names(name[:len(name)-1]) {
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
		if got := launching(process.Process{Command: command}); got != want {
			t.Errorf("launching(%s) = %v", text, got)
		}
	}
}

func TestProve(t *testing.T) {
	t.Parallel()
	const otherID = "11111111-1111-1111-1111-111111111111"
	titled := func(id, name string) []string {
		return []string{"Globus Compute Endpoint *(" + id + ", " + name + ") [x]"}
	}
	python := []string{"/usr/bin/python3", "/opt/bin/globus-compute-endpoint", "start", "mesa"}
	for _, row := range []struct {
		name    string
		command []string
		place   process.Presence
		// pid, record and host say what else speaks for the process.
		pid, record bool
		host        string
		noID        bool
		// want is "proven PHASE", "doubtful", "elsewhere" or "no".
		want string
	}{
		{name: "title and directory", command: titled(testID, "mesa"), place: process.Inside, want: "proven up"},
		{name: "title, directory, file and record", command: titled(testID, "mesa"), place: process.Inside, pid: true, record: true, want: "proven up"},
		{name: "no endpoint.json yet", command: titled(testID, "mesa"), place: process.Inside, noID: true, want: "proven up"},
		{name: "the directory was renamed", command: titled(testID, "formerly"), place: process.Inside, want: "proven up"},
		{name: "shutting down", command: []string{"[shutdown in progress] " + titled(testID, "mesa")[0]}, place: process.Inside, want: "proven ending"},
		{name: "recorded, its place unseen", command: titled(testID, "mesa"), place: process.Unseen, record: true, want: "proven up"},
		{name: "launching here", command: python, place: process.Inside, want: "proven launching"},
		{name: "recorded, launching", command: python, place: process.Inside, record: true, want: "proven launching"},
		{name: "recorded, between two programs", command: []string{"sh"}, place: process.Inside, record: true, want: "proven launching"},
		{name: "recorded, and its arguments are gone already", place: process.Unseen, record: true, want: "proven ending"},
		{name: "recorded under another name of the host", command: titled(testID, "mesa"), place: process.Inside, record: true, host: "login2", want: "elsewhere"},

		{name: "another id", command: titled(otherID, "mesa"), place: process.Inside, pid: true, want: "no"},
		{name: "another name", command: titled(testID, "other"), place: process.Inside, noID: true, want: "no"},
		{name: "a copy elsewhere", command: titled(testID, "mesa"), place: process.Outside, want: "no"},
		{name: "a copy's record", command: titled(testID, "mesa"), place: process.Outside, record: true, want: "doubtful"},
		{name: "a copy's pid file", command: titled(testID, "mesa"), place: process.Outside, pid: true, want: "doubtful"},
		{name: "title alone", command: titled(testID, "mesa"), place: process.Unseen, pid: true, want: "doubtful"},
		{name: "recorded, another id", command: titled(otherID, "mesa"), place: process.Inside, record: true, want: "doubtful"},
		{name: "launching elsewhere", command: python, place: process.Outside, pid: true, want: "no"},
		{name: "launching, who knows where", command: python, place: process.Unseen, pid: true, want: "no"},
		{name: "a shell in the directory", command: []string{"bash"}, place: process.Inside, pid: true, want: "no"},
		{name: "a copy's record, launching", command: python, place: process.Outside, record: true, want: "no"},
		{name: "its user endpoint", command: []string{"Globus Compute Endpoint (" + testID + ", uep.x.y) [x]"}, place: process.Inside, want: "no"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := subject{Name: "mesa", ID: testID, Dir: "/gc/mesa", Here: process.Machine{Host: "here", BootID: "boot"}}
			if row.noID {
				s.ID = ""
			}
			if row.pid {
				s.PID = 100
			}
			if row.record {
				s.Record = &endpointfs.Sidecar{Host: "here", BootID: "boot", PID: 100, StartTime: 1000}
			}
			if row.host != "" {
				s.Record.Host = row.host
			}
			ev := prove(process.Process{PID: 100, StartTime: 1000, Command: row.command}, s, func() process.Presence { return row.place })
			got := "no"
			switch {
			case ev.Proven && !ev.Doubtful && ev.Host == "":
				got = "proven " + string(ev.Phase)
			case ev.Doubtful && ev.Phase == "":
				got = "doubtful"
			case ev.Host == row.host && ev.Host != "" && ev.Phase == "":
				got = "elsewhere"
			}
			if got != row.want || ev.Why == "" {
				t.Errorf("%s (%s), want %s", got, ev.Why, row.want)
			}
		})
	}
	t.Run("a record of another process of that id", func(t *testing.T) {
		t.Parallel()
		s := subject{Name: "mesa", ID: testID, Here: process.Machine{Host: "here", BootID: "boot"}, PID: 100,
			Record: &endpointfs.Sidecar{Host: "here", BootID: "boot", PID: 100, StartTime: 999}}
		if ev := prove(process.Process{PID: 100, StartTime: 1000, Command: []string{"bash"}}, s, func() process.Presence { return process.Inside }); ev.Proven || ev.Doubtful {
			t.Errorf("%+v, want nothing", ev)
		}
	})
}

func TestChoose(t *testing.T) {
	t.Parallel()
	up := func(pid int, start uint64) ProcessEvidence {
		return ProcessEvidence{PID: pid, StartTime: start, Proven: true, Phase: Up}
	}
	s := subject{PID: 100, Record: &endpointfs.Sidecar{PID: 99, StartTime: 5}}
	for _, row := range []struct {
		all  []ProcessEvidence
		want int
	}{
		{[]ProcessEvidence{up(50, 1), up(100, 9), up(99, 5)}, 100},
		{[]ProcessEvidence{up(50, 1), up(99, 5)}, 99},
		{[]ProcessEvidence{up(60, 2), up(50, 1)}, 50},
		{[]ProcessEvidence{{PID: 100, Doubtful: true}, up(60, 2)}, 60},
		{[]ProcessEvidence{{PID: 100}, {PID: 70, Host: "there"}, {PID: 80, Doubtful: true}}, 70},
	} {
		if got := choose(row.all, s); got.PID != row.want {
			t.Errorf("choose(%+v) = %d, want %d", row.all, got.PID, row.want)
		}
	}
	if choose(nil, s) != nil {
		t.Error("something was chosen from nothing")
	}
}
