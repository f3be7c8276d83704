package endpoint

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chiltepin/endpointfs"
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
		if got := launching(Process{Command: command}); got != want {
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
		place   Place
		// pid, record and host say what else speaks for the process.
		pid, record bool
		host        string
		noID        bool
		// want is "proven PHASE", "doubtful", "elsewhere" or "no".
		want string
	}{
		{name: "title and directory", command: titled(testID, "mesa"), place: Inside, want: "proven up"},
		{name: "title, directory, file and record", command: titled(testID, "mesa"), place: Inside, pid: true, record: true, want: "proven up"},
		{name: "no endpoint.json yet", command: titled(testID, "mesa"), place: Inside, noID: true, want: "proven up"},
		{name: "the directory was renamed", command: titled(testID, "formerly"), place: Inside, want: "proven up"},
		{name: "shutting down", command: []string{"[shutdown in progress] " + titled(testID, "mesa")[0]}, place: Inside, want: "proven ending"},
		{name: "recorded, its place unseen", command: titled(testID, "mesa"), place: Unseen, record: true, want: "proven up"},
		{name: "launching here", command: python, place: Inside, want: "proven launching"},
		{name: "recorded, launching", command: python, place: Inside, record: true, want: "proven launching"},
		{name: "recorded, between two programs", command: []string{"sh"}, place: Inside, record: true, want: "proven launching"},
		{name: "recorded, and its arguments are gone already", place: Unseen, record: true, want: "proven ending"},
		{name: "recorded under another name of the host", command: titled(testID, "mesa"), place: Inside, record: true, host: "login2", want: "elsewhere"},

		{name: "another id", command: titled(otherID, "mesa"), place: Inside, pid: true, want: "no"},
		{name: "another name", command: titled(testID, "other"), place: Inside, noID: true, want: "no"},
		{name: "a copy elsewhere", command: titled(testID, "mesa"), place: Outside, want: "no"},
		{name: "a copy's record", command: titled(testID, "mesa"), place: Outside, record: true, want: "doubtful"},
		{name: "a copy's pid file", command: titled(testID, "mesa"), place: Outside, pid: true, want: "doubtful"},
		{name: "title alone", command: titled(testID, "mesa"), place: Unseen, pid: true, want: "doubtful"},
		{name: "recorded, another id", command: titled(otherID, "mesa"), place: Inside, record: true, want: "doubtful"},
		{name: "launching elsewhere", command: python, place: Outside, pid: true, want: "no"},
		{name: "launching, who knows where", command: python, place: Unseen, pid: true, want: "no"},
		{name: "a shell in the directory", command: []string{"bash"}, place: Inside, pid: true, want: "no"},
		{name: "a copy's record, launching", command: python, place: Outside, record: true, want: "no"},
		{name: "its user endpoint", command: []string{"Globus Compute Endpoint (" + testID + ", uep.x.y) [x]"}, place: Inside, want: "no"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := subject{Name: "mesa", ID: testID, Dir: "/gc/mesa", Here: Machine{Host: "here", BootID: "boot"}}
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
			ev := prove(Process{PID: 100, StartTime: 1000, Command: row.command}, s, func() Place { return row.place })
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
		s := subject{Name: "mesa", ID: testID, Here: Machine{Host: "here", BootID: "boot"}, PID: 100,
			Record: &endpointfs.Sidecar{Host: "here", BootID: "boot", PID: 100, StartTime: 999}}
		if ev := prove(Process{PID: 100, StartTime: 1000, Command: []string{"bash"}}, s, func() Place { return Inside }); ev.Proven || ev.Doubtful {
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

func TestParseStat(t *testing.T) {
	t.Parallel()
	const tail = " S 1 42 43 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 123456 99 88"
	for _, row := range []struct {
		text  string
		want  Process
		state byte
		err   string
	}{
		{"42 (python3)" + tail + "\n", Process{PID: 42, Parent: 1, Session: 43, StartTime: 123456}, 'S', ""},
		{"42 (a) (b) S 1)" + tail, Process{PID: 42, Parent: 1, Session: 43, StartTime: 123456}, 'S', ""},
		{"42 ()" + tail, Process{PID: 42, Parent: 1, Session: 43, StartTime: 123456}, 'S', ""},
		{"", Process{}, 0, "reading its stat: no program name"},
		{"42 (python3) S 1", Process{}, 0, "reading its stat: too few fields"},
		{"x (python3)" + tail, Process{}, 0, `reading its stat: strconv.Atoi: parsing "x": invalid syntax`},
	} {
		got, state, err := parseStat([]byte(row.text))
		text := ""
		if err != nil {
			text = err.Error()
		}
		if diff := cmp.Diff(row.want, got); diff != "" || state != row.state || text != row.err {
			t.Errorf("parseStat(%q) = %q, %q\n%s", row.text, state, text, diff)
		}
	}
}

// FuzzParseStat: whatever its name, a process keeps its numbers.
func FuzzParseStat(f *testing.F) {
	f.Add("python3", 42, uint64(7), []byte("junk"))
	f.Add(") S 1 (", 1, uint64(0), []byte("1 (x) S"))
	f.Fuzz(func(t *testing.T, name string, pid int, start uint64, junk []byte) {
		text := fmt.Sprintf("%d (%s) R 1 2 3 0 -1 0 1 2 3 4 5 6 7 8 20 0 1 0 %d 99", pid, name, start)
		p, state, err := parseStat([]byte(text))
		if err != nil || p.PID != pid || p.StartTime != start || p.Session != 3 || state != 'R' {
			t.Errorf("parseStat(%q) = %+v, %q, %v", text, p, state, err)
		}
		if p, _, err := parseStat(junk); err != nil && !cmp.Equal(p, Process{}) {
			t.Errorf("parseStat(%q) gives both %+v and %v", junk, p, err)
		}
	})
}

func TestMachineProcesses(t *testing.T) {
	t.Parallel()
	var procs machineProcesses
	self, ok, err := procs.Lookup(os.Getpid())
	if err != nil || !ok || self.UID != os.Geteuid() || self.Parent != os.Getppid() || !slices.Equal(self.Command, os.Args) {
		t.Errorf("Lookup(self) = %+v, %v, %v", self, ok, err)
	}
	if _, ok, err := procs.Lookup(4 << 20); ok || err != nil {
		t.Errorf("Lookup(nobody) = %v, %v", ok, err)
	}
	p := stranger(t, "[shutdown in progress] Globus Compute Endpoint *(x)", "and more")
	all, err := procs.Candidates()
	if err != nil || !slices.ContainsFunc(all, func(q Process) bool { return q.PID == p.Pid && q.Session == p.Pid }) {
		t.Errorf("Candidates() lacks the stranger: %v", err)
	}
	h, err := procs.Hold(p.Pid)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if err := h.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) || h.Dead() {
		t.Errorf("Wait for the living: %v", err)
	}
	if err := h.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := h.Wait(t.Context()); err != nil || !h.Dead() {
		t.Errorf("Wait for the dead: %v", err)
	}
	// It is a zombie now, until its parent, this test, waits for it.
	if _, ok, err := procs.Lookup(p.Pid); ok || err != nil {
		t.Errorf("a zombie is taken for a process: %v", err)
	}
	p.Wait()
	if err := h.Signal(syscall.SIGTERM); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("Signal to the dead: %v", err)
	}
	if _, err := procs.Hold(p.Pid); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("Hold of the dead: %v", err)
	}
}

func TestPlace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	var procs machineProcesses
	self, _, err := procs.Lookup(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if got := procs.Place(self, dir); got != Outside {
		t.Errorf("before: %v, want Outside", got)
	}
	log, err := os.Create(filepath.Join(dir, "endpoint.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	for _, name := range []string{dir, link} {
		if got := procs.Place(self, name); got != Inside {
			t.Errorf("with its log open: %v in %s, want Inside", got, name)
		}
	}
	if err := os.Remove(log.Name()); err != nil {
		t.Fatal(err)
	}
	if got := procs.Place(self, dir); got != Inside {
		t.Errorf("with its log open and removed: %v, want Inside", got)
	}
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if got := procs.Place(self, wd); got != Inside {
		t.Errorf("in its working directory: %v, want Inside", got)
	}
	if got := procs.Place(self, filepath.Join(dir, "missing")); got != Unseen {
		t.Errorf("in a directory that is not there: %v, want Unseen", got)
	}
}
