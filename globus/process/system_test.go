package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

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

func TestSystem(t *testing.T) {
	t.Parallel()
	var procs System
	self, ok, err := procs.Lookup(os.Getpid())
	if err != nil || !ok || self.UID != os.Geteuid() || self.Parent != os.Getppid() || !slices.Equal(self.Command, os.Args) {
		t.Errorf("Lookup(self) = %+v, %v, %v", self, ok, err)
	}
	if _, ok, err := procs.Lookup(4 << 20); ok || err != nil {
		t.Errorf("Lookup(nobody) = %v, %v", ok, err)
	}
	p := startSleeper(t, "a stranger", "and more")
	all, err := procs.Select(func(arguments []byte) bool { return bytes.Contains(arguments, []byte("a stranger\x00")) })
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

func TestPresence(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	var procs System
	self, _, err := procs.Lookup(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if got := procs.Presence(self, dir, "endpoint.log"); got != Outside {
		t.Errorf("before: %v, want Outside", got)
	}
	log, err := os.Create(filepath.Join(dir, "endpoint.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	for _, name := range []string{dir, link} {
		if got := procs.Presence(self, name, "endpoint.log"); got != Inside {
			t.Errorf("with its log open: %v in %s, want Inside", got, name)
		}
	}
	if err := os.Remove(log.Name()); err != nil {
		t.Fatal(err)
	}
	if got := procs.Presence(self, dir, "endpoint.log"); got != Inside {
		t.Errorf("with its log open and removed: %v, want Inside", got)
	}
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if got := procs.Presence(self, wd, "endpoint.log"); got != Inside {
		t.Errorf("in its working directory: %v, want Inside", got)
	}
	if got := procs.Presence(self, filepath.Join(dir, "missing"), "endpoint.log"); got != Unseen {
		t.Errorf("in a directory that is not there: %v, want Unseen", got)
	}
}
