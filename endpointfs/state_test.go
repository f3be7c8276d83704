package endpointfs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chiltepin/endpointfs/log"
)

func TestPIDFile(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		content string
		pid     int
		problem string
	}{
		"as written":     {"4711\n", 4711, ""},
		"no newline":     {"4711", 4711, ""},
		"the largest":    {"4194304\n", 4194304, ""},
		"empty":          {"", 0, "it is empty, not a process id"},
		"blank":          {" \n", 0, "it is empty, not a process id"},
		"garbage":        {"pid\x00!", 0, `it holds "pid\x00!", not a process id`},
		"hexadecimal":    {"0x10", 0, `it holds "0x10", not a process id`},
		"signed":         {"+1", 0, `it holds "+1", not a process id`},
		"two":            {"1 2", 0, `it holds "1 2", not a process id`},
		"zero":           {"0\n", 0, `it holds "0", which no process can have as its id`},
		"negative":       {"-1\n", 0, `it holds "-1", which no process can have as its id`},
		"a large number": {"4194305\n", 0, `it holds "4194305", which no process can have as its id`},
		"a huge number":  {strings.Repeat("9", 100), 0, `it holds "` + strings.Repeat("9", 64) + `", which no process can have as its id`},
		"a huge file":    {strings.Repeat("1\n", 4096), 0, "it has 8192 bytes, at most 4096 are read"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := tree(t, map[string]string{"mesa/config.yaml": "", "mesa/daemon.pid": c.content})
			touched := time.Date(2026, 11, 23, 8, 0, 0, 5000, time.UTC)
			path := filepath.Join(dir.Path(), "mesa", "daemon.pid")
			if err := os.Chtimes(path, touched, touched); err != nil {
				t.Fatal(err)
			}
			got, err := dir.endpointAt("mesa").PIDFile()
			if !got.Exists || got.PID != c.pid || !got.ModTime.Equal(touched) || len(got.Raw) > 64 {
				t.Errorf("%+v", got)
			}
			checkFormat(t, err, path, c.problem)
		})
	}
	if got, err := tree(t, map[string]string{"mesa/config.yaml": ""}).endpointAt("mesa").PIDFile(); err != nil || got != (PIDFile{}) {
		t.Errorf("none: %+v, %v", got, err)
	}
}

// checkFormat wants a *FormatError about a file, or no error where problem is
// empty.
func checkFormat(t *testing.T, err error, path, problem string) {
	t.Helper()
	var format *FormatError
	switch {
	case problem == "" && err != nil:
		t.Error(err)
	case problem != "" && !errors.As(err, &format):
		t.Errorf("got %v, want %s", err, problem)
	case problem != "" && (format.Problem != problem || format.File != path || format.Next() == ""):
		t.Errorf("got %+v, want %s", format, problem)
	}
}

// TestFilesThatAreNone puts in the place of a file what would make a careless
// reader wait or fail in words of the kernel.
func TestFilesThatAreNone(t *testing.T) {
	t.Parallel()
	for what, mk := range map[string]func(string) error{
		"a directory": func(p string) error { return os.Mkdir(p, 0o700) },
		"a pipe":      func(p string) error { return syscall.Mkfifo(p, 0o600) },
		"a device":    func(p string) error { return os.Symlink("/dev/zero", p) },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			ep := tree(t, map[string]string{"mesa/": ""}).endpointAt("mesa")
			for name, read := range map[string]func() error{
				configYAML:       func() error { _, err := ep.Config(); return err },
				endpointJSON:     func() error { _, err := ep.ID(); return err },
				pidFile:          func() error { _, err := ep.PIDFile(); return err },
				launchRecordFile: func() error { _, _, err := ep.ReadLaunchRecord(); return err },
				logFile:          func() error { _, err := ep.Log().Query(t.Context(), log.Query{}); return err },
				"the marker":     func() error { _, _, err := ep.Log().LastMarker(); return err },
				"the newest":     func() error { _, _, err := ep.Log().ReadFrom(0, 10); return err },
				environmentFile:  func() error { return errors.Join(checkEnvironment(ep.filePath(environmentFile))...) },
			} {
				path := ep.filePath(name)
				if strings.HasPrefix(name, "the ") {
					path = ep.filePath(logFile)
				}
				if err := mk(path); err != nil && !errors.Is(err, fs.ErrExist) {
					t.Fatal(err)
				}
				checkFormat(t, read(), path, "it is "+what+", not a file")
			}
			if pid, _ := ep.PIDFile(); !pid.Exists {
				t.Error("daemon.pid does not exist")
			}
		})
	}
}

func TestID(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ content, id, problem string }{
		"as written":  {`{"endpoint_id": "` + anID + `"}`, anID, ""},
		"other keys":  {`{"a": 1, "endpoint_id": "` + strings.ToUpper(anID) + `"}` + "\n", anID, ""},
		"empty":       {"", "", "it is empty"},
		"half":        {`{"endpoint_id": "6a1f`, "", "it is not JSON: unexpected end of JSON input"},
		"a list":      {"[]", "", "it is JSON, but not an object"},
		"no id":       {"{}", "", "it has no endpoint_id"},
		"null":        {`{"endpoint_id": null}`, "", "it has no endpoint_id"},
		"not a UUID":  {`{"endpoint_id": "mesa"}`, "", "endpoint_id is not a UUID"},
		"not a text":  {`{"endpoint_id": 5}`, "", "endpoint_id cannot be a number"},
		"just a word": {"null", "", "it has no endpoint_id"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ep := tree(t, map[string]string{"mesa/endpoint.json": c.content}).endpointAt("mesa")
			id, err := ep.ID()
			if id != c.id {
				t.Errorf("got %q, want %q", id, c.id)
			}
			checkFormat(t, err, ep.filePath(endpointJSON), c.problem)
		})
	}
	if id, err := tree(t, map[string]string{"mesa/": ""}).endpointAt("mesa").ID(); id != "" || err != nil {
		t.Errorf("none: %q, %v", id, err)
	}
}

func TestSidecar(t *testing.T) {
	t.Parallel()
	ep := tree(t, map[string]string{"mesa/": "", "mesa/chiltepin.json.new": "left by a killed process"}).endpointAt("mesa")
	if _, ok, err := ep.ReadLaunchRecord(); ok || err != nil {
		t.Fatal(ok, err)
	}
	want := LaunchRecord{
		Version: 1, Host: "login1", BootID: "b", PID: 4711, StartTime: 1 << 60, ID: anID, Runtime: "/opt/gce/bin/globus-compute-endpoint",
		ChiltepinVersion: "v1", ClientID: otherID, LogOffset: 12, Launched: time.Date(2026, 11, 23, 8, 0, 0, 1, time.UTC),
	}
	for range 2 {
		if err := ep.WriteLaunchRecord(want); err != nil {
			t.Fatal(err)
		}
	}
	got, ok, err := ep.ReadLaunchRecord()
	if diff := cmp.Diff(want, got); diff != "" || !ok || err != nil {
		t.Error(diff, ok, err)
	}
	info, err := os.Stat(ep.filePath(launchRecordFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info.Mode(), err)
	}
	for range 2 {
		if err := ep.RemoveLaunchRecord(); err != nil {
			t.Error(err)
		}
	}
	if entries, err := os.ReadDir(ep.Path()); err != nil || len(entries) != 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestSidecarRefused(t *testing.T) {
	t.Parallel()
	for content, problem := range map[string]string{
		"":                               "it is not JSON: unexpected end of JSON input",
		`{"version": 1, "pid"`:           "it is not JSON: unexpected end of JSON input",
		`{}`:                             "it has no version",
		`{"version": 1, "host": "a"}`:    "it holds no process id",
		`{"version": 1, "pid": 4194305}`: "it holds no process id",
		`{"version": 1, "pid": 1}`:       "it names no host",
		`{"version": 2, "pid": 1, "host": "a", "chiltepin_version": "v9"}`: `it is of format 2, written by chiltepin "v9"; this one knows format 1`,
	} {
		ep := tree(t, map[string]string{"mesa/chiltepin.json": content}).endpointAt("mesa")
		_, ok, err := ep.ReadLaunchRecord()
		if ok {
			t.Errorf("%s was accepted", content)
		}
		checkFormat(t, err, ep.filePath(launchRecordFile), problem)
	}
}

// TestSidecarDoesNotFollow writes where a link would lead out of the
// endpoint's directory.
func TestSidecarDoesNotFollow(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{"mesa/": "", "mesa/chiltepin.json": "->../victim", "victim": "precious"})
	if err := dir.endpointAt("mesa").WriteLaunchRecord(LaunchRecord{PID: 1, Host: "a"}); err != nil {
		t.Fatal(err)
	}
	if got := read(t, filepath.Join(dir.Path(), "victim")); got != "precious" {
		t.Errorf("the victim holds %q", got)
	}
	if s, ok, err := dir.endpointAt("mesa").ReadLaunchRecord(); !ok || err != nil || s.PID != 1 {
		t.Error(s, ok, err)
	}
}
